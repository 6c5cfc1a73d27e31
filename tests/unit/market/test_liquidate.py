"""Market.liquidate (docs/protocol.md §10.5). The tree of cases is test_liquidate.tree."""

import pytest

from perennial.amounts import raw
from perennial.testing.anvil import NOBODY
from perennial.testing.market import ALL, LONG, amount, event, refused


@pytest.fixture
def risky(create_market, taker):
    """A long of 10 at 100 with 20 of collateral against a maker of 100; maintenance is 10 at least, 0.8 %."""
    bench = create_market()
    bench.fill(maker="100", collateral="100000")
    bench.open(taker, long="10", collateral="20")
    bench.commit("100")
    bench.settle(taker)
    return bench


def test_liquidation(risky, taker, keeper):
    risky.commit("98.9")
    version = risky.version

    receipt = risky.liquidate(taker)

    closing = {"account": taker, "version": version, "side": LONG, "opened": 0, "closed": "10", "rate": 0}
    assert receipt.events[-2:] == [
        event("OrderPlaced", **closing, settlementFee=0, referrer=NOBODY),
        event("Liquidated", account=taker, liquidator=keeper, version=version, closed="10", fee="5"),
    ]
    assert risky.market.locked(taker)
    assert risky.market.positions(taker).long == raw("10")
    assert risky.market.pendingPositions(taker) == (version, 0, 0, 0)
    assert risky.market.pendingPosition().long == 0
    assert risky.oracle.requested() == version
    assert risky.market.claimable(keeper) == 0
    risky.check()


def test_liquidation_settles_at_its_version(risky, taker, keeper):
    risky.commit("98.9")
    risky.liquidate(taker)
    version = risky.commit("98.5")

    receipt = risky.market.settle(taker, sender=keeper)

    # 20 - 15 are left, all of it for the liquidator.
    assert receipt.events[-2:] == [
        event("Credited", account=keeper, source=taker, amount="5", fromDonation=0),
        event(
            "AccountSettled", account=taker, version=version, accrued="-4", fee=0, settlementFee=0, collateral=0, size=0
        ),
    ]
    assert not risky.market.locked(taker)
    assert risky.market.claimable(keeper) == raw("5")
    assert risky.market.collateral(taker) == 0
    assert risky.market.position().long == 0
    risky.check()


@pytest.mark.parametrize("side", ["maker", "long", "short"])
def test_liquidation_of_any_side(create_market, side):
    bench = create_market()
    bench.fill(maker="100", long="50", short="10", collateral="100000")
    bench.open(bench.actors["referrer"], **{side: "10"}, collateral="20")
    bench.commit("100")
    account = bench.actors["referrer"]
    # Of 40 net longs 110 makers lose 40/110.
    bench.commit({"maker": "103.5", "long": "98.9", "short": "101.1"}[side])
    bench.settle(account)
    assert bench.market.liquidatable(account)

    bench.liquidate(account)
    bench.commit({"maker": "103.5", "long": "98.9", "short": "101.1"}[side])
    bench.settle(account)

    assert bench.market.positions(account)[1:] == (0, 0, 0)
    bench.check()


# -- Who may be liquidated ---------------------------------------------------------------------------------------------


def test_liquidation_at_the_boundary(risky, taker):
    # 20 - 10 are exactly the maintenance of 10.
    risky.commit("99")
    with refused("NotLiquidatable", "10", "10"):
        risky.liquidate(taker)
    assert not risky.market.liquidatable(taker)

    risky.commit("98.999999")
    risky.liquidate(taker)


def test_liquidation_by_the_ratio(create_market, taker):
    bench = create_market()
    bench.fill(maker="1000", collateral="1000000")
    bench.open(taker, long="200", collateral="2000")
    bench.commit("100")
    # 2000 - 200·d = 0.008 · 200 · (100 - d): d = 9.274193…
    bench.commit("90.725807")
    with refused("NotLiquidatable", "145.1614", 145_161_292):
        bench.liquidate(taker)
    bench.commit("90.725806")
    bench.liquidate(taker)


def test_liquidation_of_a_healthy_account(risky, taker, maker):
    with refused("NotLiquidatable", "20", "10"):
        risky.liquidate(taker)
    with refused("NotLiquidatable", "100000", "80"):
        risky.liquidate(maker)


def test_liquidation_of_an_account_without_anything(risky, stranger):
    with refused("NotLiquidatable", 0, 0):
        risky.liquidate(stranger)
    risky.deposit(stranger, "1")
    with refused("NotLiquidatable", "1", 0):
        risky.liquidate(stranger)


def test_liquidation_of_an_account_below_zero_without_a_position(risky, taker):
    risky.commit("90")
    risky.liquidate(taker)
    risky.commit("90")
    risky.settle(taker)
    assert risky.market.collateral(taker) == raw("-80")

    with refused("NotLiquidatable", "-80", 0):
        risky.liquidate(taker)


def test_pending_fees_count(create_market, taker):
    bench = create_market()
    bench.fill(maker="100", collateral="100000")
    bench.open(taker, long="10", collateral="20")
    bench.commit("100")
    bench.change(settlementFee="5")
    bench.close(taker, "1")
    bench.freshen("99.4")

    # 20 - 6 - 5 are less than 10.
    bench.liquidate(taker)
    bench.commit("99.4")
    bench.check()


def test_liquidation_of_an_account_with_pending_opens_alone(create_market, taker, keeper):
    bench = create_market(takerFee="0.05", minMargin="0", minMaintenance="0", minLiquidationFee="0")
    bench.fill(maker="100", collateral="100000")
    bench.open(taker, long="10", collateral="60")
    # Fees of 50 at 100 grow to 75 at 150: effective collateral falls below zero, which even size 0 needs.
    version = bench.version
    bench.freshen("150")
    requests = bench.oracle.requests()
    receipt = bench.liquidate(taker)

    liquidated = {"account": taker, "liquidator": keeper, "version": version, "closed": 0, "fee": 0}
    assert receipt.events[-1] == event("Liquidated", **liquidated)
    assert bench.oracle.requests() == requests
    bench.commit("150")
    bench.settle(taker)
    # The open settles as placed, and its size can be liquidated then.
    assert bench.market.positions(taker).long == raw("10")
    bench.liquidate(taker)
    bench.commit("150")
    bench.settle(taker)
    assert bench.market.positions(taker).long == 0
    bench.check()


# -- When --------------------------------------------------------------------------------------------------------------


def test_liquidation_on_a_stale_price(risky, taker):
    latest = risky.commit("90", wait=7200)
    risky.skip(1)
    with refused("StalePrice", latest, latest + 7201):
        risky.liquidate(taker)

    risky.freshen("90")
    risky.liquidate(taker)


def test_liquidation_while_the_latest_version_is_invalid(risky, taker, maker):
    risky.commit("90")
    risky.open(maker, maker="1")
    version = risky.expire()

    with refused("StalePrice", version, risky.version):
        risky.liquidate(taker)
    risky.commit("90")
    risky.liquidate(taker)


def test_liquidation_in_a_closed_market(risky, taker):
    risky.commit("98.9")
    risky.settle()
    risky.change(closed=True)
    risky.liquidate(taker)
    risky.commit("98.9")
    risky.settle(taker)
    assert risky.market.positions(taker).long == 0
    risky.check()


def test_liquidation_needs_no_cover(create_market, hedger):
    bench = create_market(makerCloseAlways=False, takerCloseAlways=False)
    bench.fill(maker="10", long="20", short="10", collateral="20000")
    bench.withdraw(hedger, "19980")
    with refused("UncoveredClose", "20", "19"):
        bench.close(hedger, "1")
    bench.commit("101.1")

    bench.liquidate(hedger)
    bench.commit("101.1")
    bench.settle(hedger)
    assert bench.market.position() == (bench.market.position().timestamp, raw("10"), raw("20"), 0)
    bench.check()


def test_liquidation_is_exempt_of_the_caps(create_market, taker, hedger):
    bench = create_market(maxPendingGlobal=1, maxPendingLocal=1)
    bench.fill(maker="100", collateral="100000")
    bench.open(taker, long="10", collateral="20")
    bench.commit("100")
    bench.close(taker, "1")
    bench.skip()
    bench.freshen("98.9")
    with refused("TooManyPending", 1, 1):
        bench.open(hedger, short="1", collateral="100")

    receipt = bench.liquidate(taker)

    assert receipt.named("Liquidated")[0]["closed"] == raw("9")
    assert (bench.market.pendingCount(), bench.market.pendingCounts(taker)) == (2, 2)
    bench.check()


# -- What it closes ----------------------------------------------------------------------------------------------------


def test_liquidation_closes_what_is_not_closing_yet(risky, taker):
    risky.close(taker, "4")
    risky.skip()
    risky.freshen("98.9")

    receipt = risky.liquidate(taker)

    assert receipt.named("OrderPlaced")[0]["closed"] == raw("6")
    # 6 · 98.9 · 0.008 · 0.05 is far below the least fee.
    assert receipt.named("Liquidated")[0]["fee"] == raw("5")
    risky.check()


def test_liquidation_that_closes_nothing_only_locks(risky, taker, keeper):
    risky.close(taker)
    requests = risky.oracle.requests()
    risky.freshen("98.9")
    risky.change(settlementFee="1.5")
    version = risky.version

    receipt = risky.liquidate(taker)

    assert receipt.named("OrderPlaced") == []
    assert receipt.events[-1] == event("Liquidated", account=taker, liquidator=keeper, version=version, closed=0, fee=0)
    assert risky.market.locked(taker)
    assert risky.oracle.requests() == requests
    risky.commit("98.9")
    risky.settle(taker)
    assert not risky.market.locked(taker)
    # Nothing but the loss was charged: the order was placed before there was a settlement fee.
    assert risky.market.collateral(taker) == raw("9")
    assert risky.market.claimable(keeper) == 0
    risky.check()


def test_lock_without_an_order_ends_at_an_invalid_version_too(risky, taker):
    risky.close(taker)
    risky.freshen("98.9")
    risky.liquidate(taker)
    risky.expire()
    risky.settle(taker)

    assert not risky.market.locked(taker)
    # The close came to nothing: there is something to liquidate now.
    risky.commit("98.9")
    assert risky.liquidate(taker).named("Liquidated")[0]["closed"] == raw("10")
    risky.check()


def test_lock_without_an_order_ends_when_the_latest_version_passes_it(risky, taker):
    risky.close(taker)
    risky.skip()
    risky.freshen("98.9")
    risky.liquidate(taker)
    assert risky.market.locked(taker)
    # Nobody has asked for the version of the lock: a later one ends it.
    risky.skip()
    risky.commit("98.9")
    risky.settle(taker)
    assert not risky.market.locked(taker)
    risky.check()


def test_liquidation_keeps_pending_opens(risky, taker):
    risky.open(taker, long="5", collateral="20")
    risky.freshen("96")
    receipt = risky.liquidate(taker)
    assert receipt.named("OrderPlaced")[0]["closed"] == raw("10")

    risky.commit("96")
    risky.settle(taker)
    assert risky.market.positions(taker).long == raw("5")
    risky.check()


# -- The lock ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def locked(risky, taker):
    risky.commit("98.9")
    risky.liquidate(taker)
    return risky


def test_locked_account_cannot_order(locked, taker):
    with refused("AccountLocked", taker, locked.version):
        locked.open(taker, long="1", collateral="1000")
    # Nothing is left to close.
    with refused("OverClose", "1", 0):
        locked.close(taker, "1")
    assert locked.close(taker, ALL).events == []


def test_locked_account_cannot_withdraw(locked, taker):
    locked.deposit(taker, "1000")
    with refused("AccountLocked", taker, locked.version):
        locked.withdraw(taker, "1")
    assert locked.withdraw(taker, ALL).events == []


def test_locked_account_cannot_be_liquidated_again(locked, taker, stranger):
    with refused("AccountLocked", taker, locked.version):
        locked.liquidate(taker, sender=stranger)
    version = locked.skip()
    with refused("AccountLocked", taker, version):
        locked.liquidate(taker, sender=stranger)


def test_deposit_does_not_stop_a_liquidation(locked, taker, keeper):
    locked.deposit(taker, "1000")
    assert locked.market.locked(taker)
    locked.commit("98.9")
    locked.settle(taker)

    assert locked.market.positions(taker).long == 0
    assert locked.market.collateral(taker) == raw("1004")
    assert locked.market.claimable(keeper) == raw("5")
    locked.check()


def test_account_trades_again_after_its_liquidation(locked, taker):
    locked.deposit(taker, "1000")
    locked.commit("98.9")

    locked.open(taker, short="1")
    locked.withdraw(taker, "1")
    locked.commit("98.9")
    locked.settle(taker)
    assert locked.market.positions(taker).short == raw("1")
    locked.check()


def test_liquidation_at_an_invalid_version_is_as_if_never_placed(create_market, taker, keeper):
    bench = create_market(settlementFee="1.5")
    bench.fill(maker="100", collateral="100000")
    bench.open(taker, long="10", collateral="21.5")
    bench.commit("100")
    bench.commit("98.9")
    bench.liquidate(taker)
    version = bench.expire()

    receipt = bench.market.settle(taker, sender=keeper)

    assert receipt.events[-1] == event("OrderCancelled", account=taker, version=version)
    assert not bench.market.locked(taker)
    assert bench.market.positions(taker).long == raw("10")
    assert bench.market.collateral(taker) == raw("9")
    assert bench.market.claimable(keeper) == 0
    bench.commit("98.9")
    bench.liquidate(taker)
    bench.commit("98.9")
    bench.settle(taker)
    assert bench.market.claimable(keeper) == raw("5")
    bench.check()


# -- The fee -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "price", "fee"),
    [
        # maintenance · 0.05: 5 · 100 · 0.008 · 0.05 = 0.2 is raised to 5; 200 · 3000 · 0.0004 = 240 is cut to 25.
        pytest.param("5", "100", "5", id="the least"),
        pytest.param("200", "100", "8", id="by the share"),
        pytest.param("200.000001", "100", 8_000_001, id="by the share, rounded up"),
        pytest.param("200", "3000", "25", id="the largest"),
    ],
)
def test_liquidation_fee(create_market, taker, size, price, fee):
    bench = create_market(price=price)
    bench.fill(maker="1000", price=price, collateral="1000000")
    bench.open(taker, long=size, collateral="6000")
    bench.commit(price)
    bench.change_protocol(maxFeeAbsolute="10000")
    bench.change_risk(minMargin="10000", minMaintenance="10000")

    assert bench.liquidate(taker).named("Liquidated")[0]["fee"] == amount(fee)


def test_liquidation_fee_is_fixed_when_it_is_called(risky, taker, keeper):
    risky.commit("98.9")
    risky.liquidate(taker)
    risky.change_risk(minLiquidationFee="1", maxLiquidationFee="1")
    risky.commit("98.9")
    risky.settle(taker)
    assert risky.market.claimable(keeper) == raw("5")


def test_liquidation_pays_position_and_settlement_fee(create_market, taker, keeper):
    bench = create_market()
    bench.fill(maker="100", collateral="100000")
    bench.open(taker, long="10", collateral="20")
    bench.commit("100")
    bench.settle()
    bench.change_risk(takerFee="0.001")
    bench.change(settlementFee="1.5")
    bench.commit("98.9")
    bench.liquidate(taker)
    version = bench.commit("98.9")
    receipt = bench.market.settle(taker, sender=keeper)

    # 9 - 0.989 - 1.5 - 5.
    charged = {"accrued": 0, "fee": "0.989", "settlementFee": "1.5"}
    assert receipt.events[-1] == event(
        "AccountSettled", account=taker, version=version, **charged, collateral="1.511", size=0
    )
    assert bench.market.settlementFees(version) == raw("1.5")
    bench.check()


def test_liquidation_names_no_referrer(create_market, taker, referrer):
    bench = create_market(takerFee="0.001", referralFee="0.5")
    bench.fill(maker="100", collateral="100000")
    bench.open(taker, long="10", collateral="22")
    bench.commit("100")
    # A close of the same version names one; the liquidation joins it.
    bench.close(taker, "1", referrer=referrer)
    bench.freshen("98.9")
    receipt = bench.liquidate(taker)
    assert receipt.named("OrderPlaced")[0]["referrer"] == NOBODY
    bench.commit("100")
    bench.settle(taker)

    # Half of the fee of 1, nothing of that of 9.
    assert bench.market.claimable(referrer) == raw("0.05")
    bench.check()


@pytest.mark.parametrize(
    ("donation", "credited", "left"),
    [
        pytest.param("100", "25", "93", id="enough"),
        pytest.param("7", "25", "0", id="exactly"),
        pytest.param("4", "22", "0", id="too little"),
        pytest.param("0", "18", "0", id="none"),
    ],
)
def test_donation_pays_what_the_account_lacks(create_market, taker, hedger, keeper, donation, credited, left):
    bench = create_market(price="2500")
    bench.fill(maker="500", price="2500", collateral="1000000")
    bench.open(taker, long="200", collateral="4800")
    bench.commit("2500")
    bench.settle()
    collect(bench, hedger, donation)
    assert bench.market.fees().donation == raw(donation)
    bench.commit("2495")
    assert bench.liquidate(taker).named("Liquidated")[0]["fee"] == raw("25")

    # 4800 - 200 · 23.91 leaves 18.
    bench.commit("2476.09")
    receipt = bench.market.settle(taker, sender=keeper)

    credit = receipt.named("Credited")
    assert [(each["amount"], each["fromDonation"]) for each in credit] == [(raw(credited), raw(credited) - raw("18"))]
    assert bench.market.claimable(keeper) == raw(credited)
    assert bench.market.collateral(taker) == 0
    assert bench.market.fees().donation == raw(left)
    assert bench.market.shortfall() == 0
    bench.check()


def collect(bench, account, donation):
    """Brings the donation to an amount: a tenth of the notional of a size that is opened and closed again."""
    size = raw(donation) // 250
    if size == 0:
        return
    bench.change_risk(takerFee="0.1")
    bench.change(positionFee="1")
    bench.open(account, short=size, collateral="10000")
    bench.change_risk(takerFee="0")
    bench.commit("2500")
    bench.close(account)
    bench.commit("2500")
    bench.settle(account)


def test_account_below_zero_pays_no_liquidation_fee(risky, taker, keeper):
    risky.commit("98.9")
    risky.liquidate(taker)
    risky.commit("97")
    receipt = risky.market.settle(taker, sender=keeper)

    assert receipt.named("Credited") == []
    assert risky.market.collateral(taker) == raw("-10")
    assert risky.market.shortfall() == raw("10")
    assert risky.market.claimable(keeper) == 0
    risky.check()


def test_fee_and_protocol_split_when_the_donation_is_used(create_market, taker, hedger, keeper):
    """The donation is what is left after the other shares, with the parameters in force."""
    bench = create_market(price="2500", riskFee="0.5")
    bench.change_protocol(protocolFee="0.5")
    bench.fill(maker="500", price="2500", collateral="1000000")
    bench.open(taker, long="200", collateral="4800")
    bench.commit("2500")
    bench.settle()
    collect(bench, hedger, "12")
    bench.commit("2495")
    bench.liquidate(taker)
    bench.commit("2476.09")
    bench.settle(taker)

    # 6 to the protocol, 3 to the coordinator, 3 to the donation, which the liquidation takes.
    assert bench.market.fees() == (raw("6"), 0, raw("3"), 0)
    assert bench.market.claimable(keeper) == raw("21")
    bench.check()


# -- Roles that fall together ------------------------------------------------------------------------------------------


def test_account_may_liquidate_itself(risky, taker):
    risky.commit("98.9")
    risky.liquidate(taker, sender=taker)
    risky.commit("98.9")
    risky.settle(taker)

    # What it pays it may claim.
    assert risky.market.collateral(taker) == raw("4")
    assert risky.market.claimable(taker) == raw("5")
    risky.check()


def test_liquidation_by_anyone(risky, taker, stranger):
    risky.commit("98.9")
    risky.liquidate(taker, sender=stranger)
    risky.commit("98.9")
    risky.settle(taker)
    assert risky.market.claimable(stranger) == raw("5")
    risky.check()


def test_liquidation_of_several_accounts_at_one_version(create_market, taker, hedger, keeper, stranger):
    bench = create_market()
    bench.fill(maker="100", collateral="100000")
    for account in (taker, hedger):
        bench.open(account, long="10", collateral="20")
    bench.commit("100")
    bench.commit("98.9")
    bench.liquidate(taker)
    bench.liquidate(hedger, sender=stranger)
    assert bench.market.pendingCount() == 1
    bench.commit("98.9")
    bench.settle()

    assert bench.market.position().long == 0
    assert (bench.market.claimable(keeper), bench.market.claimable(stranger)) == (raw("5"), raw("5"))
    bench.check()
