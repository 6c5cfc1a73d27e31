"""Pitfalls of vaults; a test's name carries the id (docs/pitfalls.md).

Prices are 100, vaults have leverage 4 and a tolerance of 5 %, fees are 0 where a test does not say.
"""

import pytest

from perennial.amounts import raw
from perennial.testing.differential import Bench, address_of
from perennial.testing.market import refused
from perennial.testing.vault import DAY, NOBODY, opened

UNIT = 10**6
ALICE, BOB, CAROL, FRANK = map(address_of, ("alice", "bob", "carol", "frank"))
LEVERAGE, TOLERANCE = 4 * UNIT, 50_000


@pytest.fixture(scope="module")
def protocol():
    """The protocol in an EVM in process."""
    return Bench()


def leverage(bench, venue):
    """Notional by collateral of the vault's account, as settled, 6 decimals."""
    venue.market.send("settle", bench.vault.address, sender=bench.owner)
    return venue.size() * venue.price // max(1, venue.collateral())


def within(bench, venue):
    """Whether the position is no further above its leverage than the tolerance allows."""
    return leverage(bench, venue) <= LEVERAGE * UNIT // (UNIT - TOLERANCE)


def entered_together(bench, **assets):
    """Deposits in one epoch, claimed."""
    for name, amount in assets.items():
        bench.request(name, amount)
    bench.turn()
    for name in assets:
        bench.claim(name)


def worth(bench, name):
    """What an actor's shares stand for."""
    return bench.vault.value("convertToAssets", bench.shares(name))


# -- Z-V2-C1: the first depositor --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["transfer", "market"])
@pytest.mark.parametrize("moment", ["before", "while it is ordered", "after everyone has left"])
def test_z_v2_c1_the_first_depositor_cannot_inflate_the_price(protocol, way, moment):
    with opened(protocol, 1) as bench:
        (venue,) = bench.venues
        before = bench.tokens("frank"), bench.tokens("alice")

        def give():
            if way == "transfer":
                bench.token.send("transfer", bench.vault.address, 1_000 * UNIT, sender=FRANK)
            else:
                arguments = (bench.vault.address, 0, 0, 1_000 * UNIT, NOBODY)
                venue.market.send("update", *arguments, sender=FRANK)

        if moment == "after everyone has left":
            bench.enter("bob", "1000")
            bench.leave("bob")
            bench.turn()
            bench.cash("bob")
            assert bench.vault.value("totalSupply") == 0
        bench.enter("frank", 1)
        if moment != "while it is ordered":
            give()
        bench.request("alice", "1000")
        bench.close()
        if moment == "while it is ordered":
            give()
        bench.commit()
        bench.settle()
        bench.claim("alice")
        for name in ("frank", "alice"):
            bench.leave(name)
            bench.turn()
            bench.cash(name)

        assert bench.tokens("alice") >= before[1] - 1_000
        assert bench.tokens("frank") <= before[0]
        bench.check()


# -- S-V2-H5: settling the account of the totals -----------------------------------------------------------------------


def test_s_v2_h5_settling_nobody_or_the_vault_changes_no_totals(protocol):
    def totals(strangers):
        with opened(protocol, settlementFee="1", makerFee="0.001", positionFee="1") as bench:
            bench.request("alice", "1000")
            bench.request("bob", "500")
            bench.close()
            bench.commit()
            if strangers:
                for venue in bench.venues:
                    for account in (NOBODY, bench.vault.address, venue.address):
                        venue.market.send("settle", account, sender=FRANK)
                bench.settle()
            bench.settle()
            bench.check()
            supply, minted = bench.vault.value("totalSupply"), bench.claim("alice") + bench.claim("bob")
            assert supply - 1 <= minted <= supply
            return bench.books, bench.assets(), supply, minted

    assert totals(True) == totals(False)


# -- S-FR-M3: empty updates --------------------------------------------------------------------------------------------


def test_s_fr_m3_only_requests_share_the_fee(protocol):
    with opened(protocol, 1, settlementFee="10") as bench:
        (venue,) = bench.venues
        bench.request("alice", "10000")
        for name in ("bob", "carol", "dave"):
            account = address_of(name)
            with refused("DepositTooSmall", 0, 1):
                bench.vault.send("requestDeposit", 0, account, account, sender=account)
            with refused("ZeroShares"):
                bench.vault.send("requestRedeem", 0, account, account, sender=account)
            bench.vault.send("deposit", 0, account, account, sender=account)
            bench.vault.send("withdraw", 0, account, account, sender=account)
        version = venue.version
        bench.turn()
        bench.claim("alice")

        assert venue.market.value("settlementFees", version) == 10 * UNIT
        assert worth(bench, "alice") == bench.assets() == 9_990 * UNIT


# -- S-V21-H2: redemptions and leverage --------------------------------------------------------------------------------


def test_s_v21_h2_redeeming_the_most_keeps_the_leverage(protocol):
    with opened(protocol, 1) as bench:
        (venue,) = bench.venues
        bench.enter("alice", "1000")
        bench.request("bob", "200")
        bench.close()
        assert (venue.size(), venue.pending()) == (raw("40"), raw("48"))
        bench.leave("alice")
        bench.commit()
        bench.settle()
        bench.turn()

        assert bench.cash("alice") == 1_000 * UNIT
        assert venue.size() == raw("8")
        assert within(bench, venue)


@pytest.mark.parametrize("long", ["1", "20", "39"])
def test_s_v21_h2_variant_takers_need_the_position(protocol, long):
    """With profit in the vault, so that its leverage is below the target, and a position that may not close."""
    with opened(protocol, 1, makerCloseAlways=False) as bench:
        (venue,) = bench.venues
        bench.enter("alice", "990")
        bench.enter("bob", "10")
        venue.update("frank", taker=long, collateral="100000")
        venue.commit()
        venue.commit("99")
        shares = bench.shares("alice")
        bench.leave("alice")
        bench.turn()
        # As much as the position can do without; the rest of the shares comes back.
        assert within(bench, venue)
        assert venue.size() >= raw(long)
        bench.cash("alice")
        assert 0 < bench.shares("alice") < shares

        # Once they have gone, she can.
        venue.update("frank", taker=-raw(long))
        venue.commit()
        bench.leave("alice")
        bench.turn()
        bench.cash("alice")
        assert bench.shares("alice") == 0
        assert within(bench, venue)
        bench.check()


# -- S-V21-H3: the smallest position -----------------------------------------------------------------------------------


def test_s_v21_h3_a_full_market_limits_no_redemption(protocol):
    with opened(protocol, 2) as bench:
        first, second = bench.venues
        first.change(makerLimit="1")
        bench.enter("alice", "200000")
        assert first.size() < raw("1")
        assert second.size() == raw("4000")
        bench.leave("alice", bench.shares("alice") * 45 // 100)
        bench.turn()

        assert bench.cash("alice") == 90_000 * UNIT
        assert first.size() < raw("1")
        assert second.size() == raw("2200")


def test_s_v21_h3_variant_positions_above_target(protocol):
    with opened(protocol, 2) as bench:
        bench.enter("alice", "1000")
        for venue in bench.venues:
            bench.vault.send("updateMarket", venue.address, 1, LEVERAGE * 10 // 12, sender=bench.coordinator)
        bench.leave("alice")
        bench.turn()

        # No more than there is, and all of it.
        assert bench.cash("alice") == 1_000 * UNIT
        assert bench.assets() == 0
        bench.check()


# -- S-V21-M6: the deposit cap -----------------------------------------------------------------------------------------


def test_s_v21_m6_what_is_claimable_neither_uses_nor_extends_the_cap(protocol):
    with opened(protocol, 1) as bench:
        bench.vault.send("updateParameter", (1, 100 * UNIT, 0, TOLERANCE), sender=bench.coordinator)
        bench.enter("alice", "100")
        bench.leave("alice", bench.shares("alice") // 2)
        bench.turn()
        assert bench.vault.value("maxWithdraw", ALICE) == 50 * UNIT

        with refused("DepositCapExceeded", 150 * UNIT, 100 * UNIT):
            bench.request("bob", "100")
        bench.request("bob", "50")
        with refused("DepositCapExceeded", 150 * UNIT, 100 * UNIT):
            bench.request("bob", "50")
        bench.turn()
        assert bench.assets() == 100 * UNIT
        bench.cash("alice")
        with refused("DepositCapExceeded", 100 * UNIT + 1, 100 * UNIT):
            bench.request("bob", 1)


# -- S-V21-M10: retired markets ----------------------------------------------------------------------------------------


def test_s_v21_m10_a_retired_market_charges_nothing(protocol):
    with opened(protocol, 2, settlementFee="1") as bench:
        retired, used = bench.venues
        bench.enter("alice", "1000")
        bench.vault.send("updateMarket", retired.address, 0, LEVERAGE, sender=bench.coordinator)
        # First it closes, then its collateral goes to the other.
        for _ in range(2):
            bench.rebalance()
            bench.commit()
            bench.settle()
        assert retired.size() == 0
        before = worth(bench, "alice")

        versions = retired.version, used.version
        bench.request("bob", "1000")
        bench.turn()
        bench.claim("bob")
        assert retired.market.value("settlementFees", versions[0]) == 0
        assert used.market.value("settlementFees", versions[1]) == 1 * UNIT
        assert worth(bench, "bob") == pytest.approx(999 * UNIT, abs=1)
        assert worth(bench, "alice") >= before

        # It has kept nothing and can be removed.
        bench.vault.send("unregister", retired.address, sender=bench.coordinator)
        assert retired.collateral() == 0
        assert [entry.market for entry in bench.registered()] == [used.address]


# -- S-V22-H3: fees and sums -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("enters", "leaves"), [("100", 100), ("100", 40), ("40", 100)])
def test_s_v22_h3_totals_are_the_sum_of_users_when_both_ways_share_an_epoch(protocol, enters, leaves):
    with opened(protocol, 1, settlementFee="5") as bench:
        bench.enter("bob", "1000")
        supply, reserved = bench.vault.value("totalSupply"), bench.books.reserved
        bench.request("alice", enters)
        shares = bench.vault.value("convertToShares", leaves * UNIT)
        bench.leave("bob", shares)
        bench.turn()

        minted, paid = bench.vault.value("maxMint", ALICE), bench.vault.value("maxWithdraw", BOB)
        assert bench.vault.value("totalSupply") - supply == minted - shares
        assert bench.books.reserved - reserved == paid
        # The fee is paid once, by those who are more.
        fee = 0 if raw(enters) == leaves * UNIT else 5 * UNIT
        assert raw(enters) - bench.vault.value("convertToAssets", minted) <= fee + 1
        assert leaves * UNIT - paid <= fee + 1
        assert bench.claim("alice") == minted
        assert bench.cash("bob") == paid
        for name in ("alice", "bob"):
            bench.leave(name)
        bench.turn()
        bench.cash("alice")
        bench.cash("bob")
        assert bench.vault.value("totalSupply") == 0
        bench.check()


# -- S-V22-M1: weight zero ---------------------------------------------------------------------------------------------


def test_s_v22_m1_without_weight_collateral_stays_with_the_position(protocol):
    with opened(protocol, 2, makerCloseAlways=False) as bench:
        kept, other = bench.venues
        bench.enter("alice", "1000")
        kept.update("frank", taker="20", collateral="100000")
        kept.commit()
        bench.vault.send("updateMarket", kept.address, 0, LEVERAGE, sender=bench.coordinator)
        for _ in range(3):
            bench.request("bob", "100")
            bench.turn()
            bench.leave("alice", bench.shares("alice") // 3)
            bench.turn()
            assert kept.size() == raw("20")
            assert within(bench, kept)
            assert within(bench, other)

        # A small move makes it neither liquidatable nor stops the vault.
        kept.commit(100_010_000)
        kept.market.send("settle", bench.vault.address, sender=bench.owner)
        assert kept.market.value("liquidatable", bench.vault.address) is False
        bench.request("bob", "100")
        bench.turn()
        bench.check()


# -- S-V22-M9: fees add ------------------------------------------------------------------------------------------------


def test_s_v22_m9_shares_are_for_what_reaches_the_markets(protocol):
    """A trade fee of 2 % and a settlement fee of 1: at leverage 1, 3 of 100."""
    with opened(protocol, 0) as bench:
        bench.register(bench.open(settlementFee="1", makerFee="0.02", positionFee="1"), leverage="1")
        bench.enter("alice", "100")
        assert bench.assets() == bench.shares("alice") // UNIT == 97 * UNIT
        (venue,) = bench.venues
        before = venue.size()
        bench.enter("bob", "100")

        # The two fees add: he has a share for every unit that has arrived.
        cost = 1 * UNIT + (venue.size() - before) * 100 * 2 // 100
        assert bench.shares("bob") == pytest.approx((100 * UNIT - cost) * UNIT, abs=UNIT)
        assert bench.assets() == 197 * UNIT - cost
        assert worth(bench, "alice") >= 97 * UNIT


# -- S-V23-H3: absurd terms --------------------------------------------------------------------------------------------


def test_s_v23_h3_a_vault_under_absurd_terms_loses_a_bounded_amount(protocol):
    """Everything at its bounds: a rebalance costs the capped fee of what it orders, and cannot be had again."""
    with opened(protocol, 1) as bench:
        (venue,) = bench.venues
        bench.enter("alice", "1000")
        venue.change(makerLimit="1", makerFee="0.1", makerImpactFee="0.1", settlementFee="20", positionFee="1")
        venue.update("frank", taker="20", collateral="100000")
        venue.commit()
        venue.commit("110")
        before = bench.assets()
        for _ in range(4):
            try:
                bench.rebalance()
            except Exception as error:
                assert "NothingToRebalance" in str(error)  # noqa: PT017 -- either is fine
            bench.commit()
            bench.settle()
        # 20 % of the notional that it had, and settlement fees of what was ordered.
        assert bench.assets() >= before - 40 * 110 * UNIT // 5 - 4 * 20 * UNIT
        assert bench.assets() > 0
        bench.check()


# -- S-V24-M1: what the coordinator earns ------------------------------------------------------------------------------


@pytest.mark.parametrize("holds", [False, True])
def test_s_v24_m1_profit_shares_are_the_coordinators_whoever_settles(protocol, holds):
    with opened(protocol, 1) as bench:
        bench.vault.send("updateParameter", (1, 2**90, 200_000, TOLERANCE), sender=bench.coordinator)
        (venue,) = bench.venues
        entered_together(bench, alice="1000", bob="500")
        own = 0
        if holds:
            # It is a depositor as well, in the very epoch that pays it.
            own = bench.shares("bob")
            bench.vault.send("transfer", bench.coordinator, own, sender=BOB)
            bench.vault.send("requestRedeem", own // 2, bench.coordinator, bench.coordinator, sender=bench.coordinator)
            own -= own // 2
        venue.update("frank", taker="10", collateral="10000")
        venue.commit()
        venue.commit("90")
        bench.request("carol", "100")
        bench.close()
        for account in (bench.coordinator, bench.vault.address, NOBODY):
            venue.market.send("settle", account, sender=FRANK)
        supply = bench.vault.value("totalSupply")
        bench.commit()
        bench.settle()

        (minted,) = [values[2] for name, values in bench.vault.events() if name == "ProfitShared"]
        assert bench.vault.value("balanceOf", bench.coordinator) == own + minted
        redeemed = bench.vault.value("maxRedeem", bench.coordinator)
        assert bench.vault.value("totalSupply") == supply + minted + bench.vault.value("maxMint", CAROL) - redeemed
        # A fifth of a gain of 100.
        assert bench.vault.value("convertToAssets", minted) == pytest.approx(20 * UNIT, rel=10**-4)
        bench.check()


# -- I8: what has settled can be claimed -------------------------------------------------------------------------------


def test_i8_settled_claims_are_paid_whatever_becomes_of_the_vault(protocol):
    """Markets that crash, stop, or are paused: what was set aside is nobody's else."""
    with opened(protocol, 2) as bench:
        entered_together(bench, alice="1000", bob="1000")
        bench.leave("alice")
        bench.turn()
        claim = bench.vault.value("maxWithdraw", ALICE)
        first, second = bench.venues
        first.update("frank", taker="10", collateral="1000000")
        first.commit()
        first.commit("1000")
        first.market.send("settle", bench.vault.address, sender=bench.owner)
        assert first.collateral() < 0
        second.stale()
        bench.leave("bob")
        bench.close()
        bench.pass_time(DAY)
        bench.settle()
        bench.protocol.factory.send("pause", sender=address_of("pauser"))

        assert bench.vault.value("maxWithdraw", ALICE) == claim
        assert bench.cash("alice") == claim
        bench.check()
