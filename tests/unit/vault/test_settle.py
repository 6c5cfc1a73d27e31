"""Vault.settle: when, and at what price."""

import pytest

from perennial.amounts import raw
from perennial.testing.differential import address_of
from perennial.testing.market import refused
from perennial.testing.vault import DAY, opened

UNIT = 10**6
ALICE, BOB = map(address_of, ("alice", "bob"))


def test_nothing_happens_without_a_pending_epoch(bench):
    bench.request("alice", "1000")
    bench.settle()

    assert bench.epochs == (1, 1, 0, 0, 0, 0)


def test_every_version_that_was_ordered_is_waited_for(bench):
    bench.request("alice", "1000")
    bench.close()
    bench.settle()
    assert bench.epochs.pending == 1
    bench.venues[0].commit()
    bench.settle()
    assert bench.epochs.pending == 1
    assert bench.vault.value("pendingDepositRequest", 1, ALICE) == 1_000 * UNIT

    bench.venues[1].commit()
    bench.settle()

    assert bench.epochs.pending == 0
    assert bench.vault.value("pendingDepositRequest", 1, ALICE) == 0
    assert bench.vault.value("claimableDepositRequest", 1, ALICE) == 1_000 * UNIT
    assert bench.vault.read("depositRate", 1) == (1_000 * UNIT, 1_000 * 10**12)


def earn(bench, price="100"):
    """A taker is long 5 in every market; makers gain what it loses."""
    for venue in bench.venues:
        venue.update("frank", taker="5", collateral="10000")
    bench.commit(*[price] * len(bench.venues))


@pytest.mark.parametrize("late", [False, True])
def test_the_price_is_that_of_the_versions_ordered_whenever_somebody_settles(bench, late):
    bench.enter("alice", "1000")
    earn(bench)
    bench.request("bob", "1000")
    bench.close()
    # Makers gain 5 in each market up to the epoch's versions ...
    bench.commit("99", "99")
    if not late:
        bench.settle()
    # ... and lose 20 in each after them: that is everybody's.
    bench.commit("103", "103")
    bench.settle()

    assert bench.claim("bob") == 1_000 * UNIT * (1_000 * 10**12 + UNIT) // (1_010 * UNIT + 1)
    bench.check()


def test_entering_around_a_known_move_earns_nothing(bench):
    """Bob sees that makers are about to gain, enters, and leaves at once."""
    bench.enter("alice", "1000")
    earn(bench)
    before = bench.tokens("bob")
    bench.request("bob", "100000")
    bench.turn("90", "90")
    bench.claim("bob")
    bench.leave("bob")
    bench.turn("90", "90")
    bench.cash("bob")

    assert before - 2 <= bench.tokens("bob") <= before
    bench.check()


def test_what_entering_costs_the_depositor_bears(costly):
    costly.request("alice", "1000")
    costly.turn()

    # 1 a market, and 0.1 % of 2,000 a market.
    assert costly.claim("alice") == 994 * 10**12
    costly.request("bob", "1000")
    costly.turn()
    assert costly.vault.value("convertToAssets", 994 * 10**12) == 994 * UNIT
    # Fees have left the vault with more leverage than it should have: Bob has to open less.
    assert costly.claim("bob") == 1_000 * 10**12 - 2 * 10**12 - 3_976_000 * UNIT


def test_what_leaving_costs_the_leaver_bears(costly):
    for name in ("alice", "bob"):
        costly.enter(name, "1000")
    costly.leave("bob")
    costly.turn()

    # 20 are closed in each market, 19.88 of them for Bob; the rest puts right what was too much, and is everybody's.
    charge, cost = 2 * 2_982_072, 2 * 3 * UNIT
    assets, shares = 1_988_024_000 - cost + charge + 1, 1_988_024 * 10**9 + UNIT
    assert costly.cash("bob") == 994_024 * 10**9 * assets // shares - charge
    assert costly.vault.value("convertToAssets", 994 * 10**12) == pytest.approx(994 * UNIT, abs=20_000)
    costly.check()


def test_what_is_left_without_holders_does_not_make_a_price(costly):
    """Fees of 6 are quoted at 100, and 5.60 are charged at 90: the rest is the depositor's, at the first price."""
    costly.request("alice", "1000")
    costly.close()
    costly.commit("90", "90")
    costly.settle()

    assert costly.claim("alice") == 994 * 10**12
    assert costly.assets() == pytest.approx(994_400_000, abs=1)
    costly.check()


def test_the_fee_is_not_split_by_heads(costly):
    """A crowd of tiny deposits in the epoch takes nothing off the large one but its own part."""
    for name in ("bob", "carol", "dave"):
        costly.request(name, 1)
    costly.request("alice", "10000")
    costly.turn()

    fee = 2 * UNIT + 40 * UNIT
    assert costly.claim("alice") == pytest.approx((10_000 * UNIT - fee) * UNIT, abs=UNIT)


def test_an_invalid_version_cancels_the_order_and_its_fee(costly):
    first, second = costly.venues
    costly.request("alice", "1000")
    costly.close()
    first.expire()
    second.commit()
    costly.settle()
    assert costly.epochs.pending == 1
    first.commit()
    costly.settle()

    assert first.size() == 0
    assert costly.claim("alice") == 997 * 10**12
    costly.rebalance()
    assert first.pending() != 0


def test_liquidation_of_the_vault_does_not_stop_it(protocol):
    with opened(protocol, 2, maintenance=raw("0.2"), margin=raw("0.2")) as bench:
        bench.enter("alice", "1000")
        first, _ = bench.venues
        first.update("frank", taker=first.size(), collateral="10000")
        bench.commit()
        first.commit("130")
        first.market.send("liquidate", bench.vault.address, sender=BOB)
        bench.leave("alice", 100 * 10**12)
        bench.close()
        bench.commit("130", "100")
        bench.settle()

        assert bench.epochs.pending == 0
        assert first.size() == 0
        assert bench.vault.value("maxWithdraw", ALICE) > 0
        bench.check()


def test_profit_above_the_mark_is_shared(bench):
    bench.vault.send("updateParameter", (1, 2**90, raw("0.2"), raw("0.05")), sender=bench.coordinator)
    bench.enter("alice", "1000")
    earn(bench)
    bench.request("bob", "1")
    bench.turn("90", "90")

    coordinator = bench.shares("coordinator")
    # Makers gained 100, a fifth of it is the coordinator's.
    assert bench.vault.value("convertToAssets", coordinator) == pytest.approx(20 * UNIT, abs=2)
    mark = bench.books.mark
    # A loss, and back to where it was: nothing more.
    bench.request("bob", "1")
    bench.turn("100", "100")
    bench.request("bob", "1")
    bench.turn("90", "90")
    assert bench.shares("coordinator") == pytest.approx(coordinator, rel=1e-3)
    assert bench.books.mark >= mark
    bench.check()


def test_a_loss_beyond_all_assets_stops_deposits(opposed):
    (venue,) = opposed.venues
    opposed.request("bob", "5")
    venue.commit("130")
    opposed.turn()

    assert opposed.books.insolvent
    assert opposed.assets() == 5 * UNIT
    with refused("VaultInsolvent"):
        opposed.request("carol", "1000")
    # Who was on the way keeps what was not lost.
    opposed.claim("bob")
    opposed.leave("bob")
    opposed.turn()
    assert opposed.cash("bob") == pytest.approx(5 * UNIT, abs=1)
    opposed.check()


def test_no_more_shares_are_minted_than_fit_their_slots(opposed):
    """Nearly all is lost, and somebody buys the cheap shares with 10^21 USD: else the epoch could never settle."""
    (venue,) = opposed.venues
    venue.commit("124.999925")
    venue.market.send("settle", opposed.vault.address, sender=BOB)
    assert opposed.assets() == 3_000
    opposed.request("bob", 2**90 - 10**10)
    opposed.turn("124.999925")

    assert opposed.vault.value("totalSupply") == 2**127
    assert opposed.claim("bob") == 2**127 - 10**15
    opposed.check()


def test_who_settles_the_vaults_account_in_between_changes_nothing(bench):
    bench.enter("alice", "1000")
    earn(bench)
    bench.request("bob", "1000")
    bench.close()
    bench.commit("99", "99")
    for price in ("98", "101", "97"):
        for venue in bench.venues:
            venue.market.send("settle", bench.vault.address, sender=BOB)
        bench.commit(price, price)
    bench.settle()

    shares = bench.claim("bob")
    assert shares == pytest.approx(1_000 * UNIT * (1_000 * 10**12) // (1_010 * UNIT), rel=1e-8)


def test_a_day_is_the_longest_wait(bench):
    bench.enter("alice", "1000")
    bench.leave("alice", 500 * 10**12)
    bench.close()
    bench.venues[1].commit()
    bench.pass_time(DAY - 1)
    bench.settle()
    assert bench.epochs.pending == 2
    bench.pass_time(1)
    bench.settle()

    assert bench.epochs.pending == 0
    assert bench.epochs.open_pockets == 1
    assert bench.cash("alice") == 250 * UNIT


def test_where_nobody_ordered_nobody_chooses_among_old_prices(protocol):
    """Alice's deposit waits for a version that nobody asked for. She sees a gain come, and settles at an old price."""
    with opened(protocol, 1, staleAfter=60) as bench:
        bench.enter("bob", "1000")
        (venue,) = bench.venues
        venue.update("dave", taker="40", collateral="10000")
        venue.commit()
        venue.change(makerLimit="40")
        bench.request("alice", "1000")
        bench.close()
        assert venue.pending() == venue.size() == raw("40")

        venue.commit("100", wait=3600)
        bench.settle()
        assert bench.epochs.pending == 2
        # Makers gain 200 of 1,000: it is Bob's.
        venue.commit("95")
        bench.settle()

        assert bench.vault.value("convertToAssets", bench.claim("alice")) == pytest.approx(1_000 * UNIT, abs=1)
        assert bench.vault.value("convertToAssets", bench.shares("bob")) == pytest.approx(1_200 * UNIT, abs=1)


def test_who_cannot_leave_altogether_bears_the_fees_of_leaving(protocol):
    """Takers need most of the position: a quarter of it is closed for Alice, who can take a third of what she has."""
    with opened(protocol, 1, makerFee="0.002", positionFee="1", makerCloseAlways=False) as bench:
        bench.enter("alice", "1000")
        bench.enter("bob", "1000")
        (venue,) = bench.venues
        venue.update("dave", taker=venue.size() - raw("10"), collateral="100000")
        venue.commit()
        before = [bench.vault.value("convertToAssets", bench.shares(name)) for name in ("alice", "bob")]
        bench.leave("alice")
        bench.turn()

        # All that could be had is hers.
        assert bench.books.idle <= 1
        paid = bench.cash("alice")
        left = [bench.vault.value("convertToAssets", bench.shares(name)) for name in ("alice", "bob")]
        # 10 units at 100, 0.2 %.
        assert before[0] - paid - left[0] == pytest.approx(2 * UNIT, abs=3)
        assert left[1] == pytest.approx(before[1], abs=1)
        assert 0.6 * before[0] < left[0] < 0.7 * before[0]
        bench.check()
