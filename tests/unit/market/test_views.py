"""Views of a market (docs/protocol.md §15): as of the last settlement."""

import pytest

from perennial.amounts import raw
from perennial.testing.anvil import NOBODY
from perennial.testing.market import START, STEP


def test_views_of_a_new_market(create_market, taker):
    bench = create_market(price=None)
    market = bench.market
    assert market.position() == market.pendingPosition() == (0, 0, 0, 0)
    assert market.positions(taker) == market.pendingPositions(taker) == (0, 0, 0, 0)
    assert (market.collateral(taker), market.claimable(taker), market.rewards(taker)) == (0, 0, 0)
    assert market.requirement(taker) == (0, 0, 0)
    assert market.fees() == (0, 0, 0, 0)
    assert (market.settlementFees(0), market.settlementFees(START), market.settlementFeesTotal()) == (0, 0, 0)
    assert (market.fundingRate(), market.price(), market.shortfall()) == (0, 0, 0)
    assert (market.liquidatable(taker), market.locked(taker)) == (False, False)
    assert (market.pendingCount(), market.pendingCounts(taker)) == (0, 0)
    assert (market.reward(), market.payoff()) == (NOBODY, NOBODY)


def test_views_do_not_settle(bench, taker):
    bench.fill(maker="10", long="5")
    settled = bench.market.position()
    bench.commit("110")
    assert bench.market.position() == settled
    assert bench.market.price() == raw("100")
    assert bench.market.collateral(taker) == raw("10000")


def test_requirement(bench, taker):
    bench.fill(maker="1000", collateral="100000")
    bench.change_risk(takerFee="0.001")
    bench.change(settlementFee="1.5")
    bench.open(taker, long="20", collateral="100")
    # Worst size 20, settled size 0; fees 2 and 1.5.
    assert bench.market.requirement(taker) == (raw("96.5"), raw("19"), 0)
    bench.commit("100")
    bench.settle(taker)
    assert bench.market.requirement(taker) == (raw("96.5"), raw("19"), raw("16"))
    bench.close(taker, "19")
    assert bench.market.requirement(taker) == (raw("93.1"), raw("19"), raw("16"))
    bench.commit("100")
    bench.settle(taker)
    assert bench.market.requirement(taker) == (raw("93.1"), raw("10"), raw("10"))


def test_timestamps_of_positions(bench, taker, hedger):
    version = bench.fill(maker="10", long="5", short="3")
    assert bench.market.positions(taker).timestamp == bench.market.pendingPositions(taker).timestamp == version
    bench.close(taker, "1")
    first = bench.skip()
    bench.close(hedger, "1")
    second = bench.skip()

    assert bench.market.position().timestamp == version
    assert bench.market.pendingPosition().timestamp == second
    assert bench.market.positions(taker).timestamp == version
    assert bench.market.pendingPositions(taker).timestamp == first
    assert bench.market.pendingPositions(hedger).timestamp == second
    assert (first, second) == (version + STEP, version + 2 * STEP)


def test_fees_view_is_as_if_split_now(create_market, taker):
    bench = create_market(takerFee="0.1", positionFee="1", riskFee="1")
    bench.fill(maker="10")
    bench.open(taker, long="1", collateral="100")
    bench.commit("100")
    bench.settle(taker)
    before = bench.market.fees()
    bench.market.claimFee(bench.operator, sender=bench.operator)
    assert bench.market.fees() == before == (0, 0, raw("10"), 0)


@pytest.mark.parametrize(("side", "rate"), [("long", 3), ("short", -3)])
def test_funding_rate_is_rounded_toward_zero(create_market, side, rate):
    bench = create_market(pController={"k": "3", "max": "50"}, virtualTaker="999999")
    bench.fill(maker="10", **{side: "1"})
    bench.commit("100")
    settled = bench.market.settle(bench.keeper, sender=bench.keeper).named("MarketSettled")[0]
    # A skew of 0.000001 for 10 s, 3 s for 100 %: ±0.000003333333 is ±0.000003.
    assert settled["fundingRate"] == rate * 10**6 + rate * 111_111
    assert bench.market.fundingRate() == rate


def test_price_through_a_payoff(create_market, protocol, anvil, operator):
    factory = anvil.contract("PayoffFactory", protocol.payoff_factory)
    factory.create(4, 10**16, False, sender=operator)
    payoff = factory.addressOf(4, 10**16, False)
    bench = create_market(payoff=payoff)
    bench.settle()
    # 0.01 · 100².
    assert bench.market.price() == raw("100")
    bench.commit("110")
    bench.settle()
    assert bench.market.price() == raw("121")
    assert bench.market.payoff() == payoff


# -- Accumulators ------------------------------------------------------------------------------------------------------


def test_latest_version(create_market, taker):
    bench = create_market(price=None)
    assert bench.market.latestVersion() == (0, False, 0, 0, 0)
    bench.commit("100")
    version = bench.fill(maker="10", long="5")
    assert bench.market.latestVersion() == (version, True, 0, 0, 0)

    version = bench.commit("110")
    bench.settle()
    # Longs gain 10 a unit, 50 together, which 10 units of maker pay.
    assert bench.market.latestVersion() == (version, True, -5 * 10**12, 10 * 10**12, 0)
    bench.close(taker, "1")
    version = bench.expire()
    bench.settle()
    assert bench.market.latestVersion() == (version, False, -5 * 10**12, 10 * 10**12, 0)


def test_versions_are_those_at_which_orders_settled(bench, taker):
    bench.fill(maker="10", long="5")
    bench.close(taker, "1")
    ordered = bench.commit("110")
    quiet = bench.commit("120")
    bench.close(taker, "1")
    invalid = bench.expire()
    bench.settle()

    assert bench.market.versions(ordered) == (True, -5 * 10**12, 10 * 10**12, 0)
    # The price is 10 higher for four longs; nothing was ordered, or all of it was cancelled.
    assert bench.market.versions(quiet) == bench.market.versions(invalid) == (False, 0, 0, 0)
    assert bench.market.latestVersion() == (invalid, False, -9 * 10**12, 20 * 10**12, 0)


# -- Settlement fees of a version --------------------------------------------------------------------------------------


@pytest.fixture
def charging(create_market):
    bench = create_market(settlementFee="1.5", maxPendingGlobal=20, maxPendingLocal=20)
    bench.change(settlementFee="0")
    bench.fill(maker="100", collateral="100000")
    bench.change(settlementFee="1.5")
    return bench


def test_settlement_fees_of_a_version(charging, taker, hedger):
    charging.open(taker, long="1", collateral="100")
    charging.open(hedger, short="1", collateral="100")
    version = charging.version
    assert charging.market.settlementFees(version) == 0

    assert charging.commit("100") == version
    assert charging.market.settlementFees(version) == 0
    charging.settle(taker)
    assert charging.market.settlementFees(version) == raw("3")
    assert charging.market.settlementFees(version + 1) == 0


def test_settlement_fees_of_an_invalid_version(charging, taker):
    charging.open(taker, long="1", collateral="100")
    version = charging.expire()
    charging.settle(taker)
    assert charging.market.settlementFees(version) == 0
    assert charging.market.fees().oracle == 0


def test_settlement_fees_of_a_version_without_orders(charging):
    version = charging.commit("100")
    charging.settle()
    assert charging.market.settlementFees(version) == 0


def test_settlement_fees_stay_when_the_parameter_changes(charging, taker):
    fees = {}
    for fee in ("1.5", "2", "0", "0.7", "1.5"):
        charging.change(settlementFee=fee)
        charging.open(taker, long="1", collateral="100")
        fees[charging.commit("100")] = raw(fee)
        charging.settle(taker)
    charging.change(settlementFee="9")
    assert {version: charging.market.settlementFees(version) for version in fees} == fees
    charging.check()


def test_settlement_fees_of_a_version_with_mixed_fees(charging, taker, hedger, referrer):
    charging.open(taker, long="1", collateral="100")
    charging.change(settlementFee="2")
    charging.open(hedger, short="1", collateral="100")
    charging.change(settlementFee="0")
    charging.open(referrer, short="1", collateral="100")
    charging.change(settlementFee="7")
    version = charging.commit("100")
    charging.settle()

    assert charging.market.settlementFees(version) == raw("3.5")
    collaterals = [charging.market.collateral(account) for account in (taker, hedger, referrer)]
    assert collaterals == [raw("98.5"), raw("98"), raw("100")]
    assert charging.market.fees().oracle == raw("3.5")
    charging.check()


def test_settlement_fees_of_mixed_fees_that_divide_by_the_new_one(charging, taker, hedger):
    charging.open(taker, long="1", collateral="100")
    charging.change(settlementFee="0.5")
    charging.open(hedger, short="1", collateral="100")
    version = charging.commit("100")
    charging.settle()
    charging.change(settlementFee="3")

    # 2 is four times the fee in force when it settled, and is still what was charged.
    assert charging.market.settlementFees(version) == raw("2")
    charging.check()


@pytest.mark.parametrize("joined", ["16.381", "16.382"])
def test_settlement_fees_about_as_many_as_a_record_counts(charging, taker, hedger, joined):
    """16,382 times the fee of the version is a count; 16,383 is what says that it is none."""
    charging.change(settlementFee="0.001")
    charging.open(taker, long="1", collateral="100")
    charging.change(settlementFee=joined)
    charging.open(hedger, short="1", collateral="100")
    version = charging.commit("100")
    charging.settle()
    charging.change(settlementFee="3")

    assert charging.market.settlementFees(version) == raw("0.001") + raw(joined)
    charging.check()


def test_settlement_fees_of_pending_versions_across_changes(charging, taker, hedger):
    """Whoever orders, late or early, pays the fee of then, whenever it is settled."""
    paid = {}
    for fee in ("1.5", "4", "1.5", "0", "6"):
        charging.change(settlementFee=fee)
        charging.open(taker, long="1", collateral="100")
        paid[charging.skip()] = raw(fee)
    charging.change(settlementFee="25")
    for version in paid:
        charging.oracle.setVersion(version, raw("100"), True, sender=charging.keeper)
    charging.open(hedger, short="1", collateral="100")
    last = charging.commit("100")
    receipt = charging.market.settle(taker, sender=charging.keeper)

    assert {each["version"]: each["settlementFee"] for each in receipt.named("AccountSettled")} == paid
    assert {version: charging.market.settlementFees(version) for version in paid} == paid
    assert charging.market.settlementFees(last) == raw("25")
    charging.settle(hedger)
    assert charging.market.collateral(hedger) == raw("75")
    charging.check()


def test_settlement_fee_of_an_order_that_joins_after_a_change(charging, taker, hedger):
    charging.open(taker, long="1", collateral="100")
    charging.change(settlementFee="4")
    charging.open(hedger, short="1", collateral="100")
    charging.open(hedger, short="1")
    charging.change(settlementFee="5")
    charging.open(taker, long="1")
    charging.open(hedger, short="1")
    charging.commit("100")
    charging.settle()
    assert (charging.market.collateral(taker), charging.market.collateral(hedger)) == (raw("98.5"), raw("96"))
    charging.check()


def test_settlement_fees_total_counts_up_to_the_last_split(charging, taker, coordinator):
    charging.open(taker, long="1", collateral="100")
    charging.commit("100")
    charging.settle(taker)
    assert charging.market.settlementFeesTotal() == 0
    charging.market.claimFee(coordinator, sender=coordinator)
    assert charging.market.settlementFeesTotal() == raw("1.5")
    charging.open(taker, long="1")
    charging.commit("100")
    charging.settle(taker)
    assert charging.market.settlementFeesTotal() == raw("1.5")
    charging.change(oracleFee="0.1")
    assert charging.market.settlementFeesTotal() == raw("3")


def test_settlement_fees_of_many_accounts(charging, actors):
    for actor in list(actors.values())[2:]:
        charging.open(actor, long="0.1", collateral="100")
    version = charging.commit("100")
    charging.settle()
    assert charging.market.settlementFees(version) == 8 * raw("1.5")
    charging.check()
