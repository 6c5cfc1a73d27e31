"""Market.updateParameter (docs/protocol.md §4.2, §4.4)."""

import pytest

from perennial.amounts import raw
from perennial.testing.bounds import (
    MARKET_BOUNDS,
    NO_REWARD_BOUNDS,
    PROTOCOL,
    REWARD_BOUNDS,
    RISK_WITHIN,
    label,
)
from perennial.testing.market import START, refused


@pytest.fixture
def bounded(create_market, operator):
    """A market under bounds that are tighter than those of the storage."""

    def create(**options):
        bench = create_market(**RISK_WITHIN, **options)
        bench.factory.updateParameter(PROTOCOL, sender=operator)
        return bench

    return create


def market_changes(bound, value):
    return {field: each for field, each in bound.changes(value).items() if field not in RISK_WITHIN}


def test_update(create_market, operator):
    """Every field differs from what it was, and reads back as it was given."""
    bench = create_market(reward=18)
    values = {
        "fundingFee": 1,
        "interestFee": 2,
        "positionFee": 3,
        "oracleFee": 4,
        "riskFee": 5,
        "settlementFee": 6,
        "maxPendingGlobal": 7,
        "maxPendingLocal": 8,
        "makerRewardRate": 9,
        "longRewardRate": 10,
        "shortRewardRate": 11,
        "referralFee": 12,
        "maxPriceDeviation": 13,
        "takerCloseAlways": False,
        "makerCloseAlways": False,
        "closed": True,
    }
    before = bench.market.riskParameter()

    receipt = bench.market.updateParameter(values, sender=operator)

    stored = bench.market.parameter()
    assert stored == tuple(values.values())
    assert receipt.named("ParameterUpdated") == [{"version": START, "parameter": stored}]
    assert bench.market.riskParameter() == before


@pytest.mark.parametrize("flag", ["takerCloseAlways", "makerCloseAlways", "closed"])
def test_each_flag_alone(bench, flag):
    bench.change(takerCloseAlways=False, makerCloseAlways=False, closed=False)
    bench.change(**{flag: True})
    stored = bench.market.parameter()
    flags = {name: getattr(stored, name) for name in ("takerCloseAlways", "makerCloseAlways", "closed")}
    assert flags == {name: name == flag for name in flags}


@pytest.mark.parametrize("bound", MARKET_BOUNDS, ids=label)
def test_bound(bounded, bound):
    bench = bounded()
    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        bench.change(**market_changes(bound, bound.refused))
    bench.change(**market_changes(bound, bound.accepted))
    assert getattr(bench.market.parameter(), bound.field) == bound.accepted


@pytest.mark.parametrize("bound", REWARD_BOUNDS, ids=label)
def test_bound_of_a_reward_rate(bounded, bound):
    bench = bounded(reward=18)
    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        bench.change(**market_changes(bound, bound.refused))
    bench.change(**market_changes(bound, bound.accepted))
    assert getattr(bench.market.parameter(), bound.field) == bound.accepted


@pytest.mark.parametrize("bound", NO_REWARD_BOUNDS, ids=label)
def test_bound_of_a_reward_rate_without_a_reward(bounded, bound):
    bench = bounded()
    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        bench.change(**market_changes(bound, bound.refused))
    bench.change(**market_changes(bound, bound.accepted))


@pytest.mark.parametrize("field", ["oracleFee", "riskFee", "settlementFee", "maxPendingGlobal", "maxPriceDeviation"])
def test_huge_value(bench, field):
    bound = next(each.bound for each in reversed(MARKET_BOUNDS) if each.field == field)
    bound = {"settlementFee": raw("1000"), "riskFee": raw("1")}.get(field, bound)
    with refused("ParameterOutOfBounds", field, 2**256 - 1, bound):
        bench.change(**{field: 2**256 - 1})


@pytest.mark.parametrize("role", ["coordinator", "beneficiary", "stranger"])
def test_update_by_others(bench, actors, role):
    with refused("NotOwner", actors[role]):
        bench.market.updateParameter(bench.market.parameter(), sender=actors[role])


def test_update_settles_the_market_first(bench):
    bench.fill(maker="10", long="5")
    version = bench.commit("110")
    receipt = bench.change(fundingFee="0.1")
    assert [each.name for each in receipt.events] == ["MarketSettled", "ParameterUpdated"]
    assert receipt.named("ParameterUpdated")[0]["version"] == version
    bench.check()


def test_pending_orders_keep_their_settlement_fee(create_market, taker, hedger):
    bench = create_market(settlementFee="1.5")
    bench.change(settlementFee="0")
    bench.fill(maker="10")
    bench.change(settlementFee="1.5")
    bench.open(taker, long="1", collateral="100")
    bench.change(settlementFee="7")
    bench.open(hedger, short="1", collateral="100")
    version = bench.commit("100")
    bench.settle(taker, hedger)

    assert bench.market.collateral(taker) == raw("98.5")
    assert bench.market.collateral(hedger) == raw("93")
    assert bench.market.settlementFees(version) == raw("8.5")
    bench.check()


def test_caps_change_at_once(bench, taker):
    bench.fill(maker="10")
    bench.open(taker, long="1", collateral="100")
    bench.skip()
    bench.change(maxPendingLocal=1)
    with refused("TooManyPending", 1, 1):
        bench.open(taker, long="1")


def test_update_in_a_pause(bench, operator, keeper):
    bench.factory.updatePauser(keeper, sender=operator)
    bench.factory.pause(sender=keeper)
    bench.change(fundingFee="0.1")
    assert bench.market.parameter().fundingFee == raw("0.1")


def test_market_keeps_its_oracle_and_payoff(create_market, protocol, anvil, operator):
    factory = anvil.contract("PayoffFactory", protocol.payoff_factory)
    factory.create(2, 10**18, True, sender=operator)
    bench = create_market(payoff=factory.addressOf(2, 10**18, True), reward=18, makerRewardRate="1")
    bench.fill(maker="10")
    bench.change(makerRewardRate="0", maxPendingGlobal=1)

    bench.commit("120")
    bench.settle()
    assert bench.market.price() == raw("-120")
    assert bench.market.oracle() == bench.oracle.address
    # Rewards that accrued stay, though no rate is set any more.
    assert bench.market.rewards(bench.actors["maker"]) == 0
    bench.change(makerRewardRate="1")
    bench.commit("120")
    bench.settle()
    assert bench.market.rewards(bench.actors["maker"]) == raw("10")
    bench.check()
