"""Market.updateRiskParameter (docs/protocol.md §4.1, §4.4)."""

import pytest

from perennial.amounts import raw
from perennial.testing.bounds import PROTOCOL, RISK_BOUNDS, RISK_WITHIN, label
from perennial.testing.market import START, STEP, refused


@pytest.fixture
def bounded(create_market, operator):
    """A market under bounds that are tighter than those of the storage."""
    bench = create_market(**RISK_WITHIN)
    bench.factory.updateParameter(PROTOCOL, sender=operator)
    return bench


def test_update(bench, coordinator):
    """Every field differs from what it was, and reads back as it was given."""
    values = {
        "margin": 20_000,
        "maintenance": 10_000,
        "takerFee": 1,
        "takerSkewFee": 2,
        "takerImpactFee": 3,
        "makerFee": 4,
        "makerImpactFee": 5,
        "makerLimit": 6_000_000,
        "efficiencyLimit": 7,
        "liquidationFee": 8,
        "minLiquidationFee": 9,
        "maxLiquidationFee": 10,
        "utilizationCurve": {"minRate": 11, "targetRate": 12, "maxRate": 13, "targetUtilization": 14},
        "pController": {"k": 15, "max": 16},
        "minMargin": 18,
        "minMaintenance": 17,
        "virtualTaker": 19,
        "staleAfter": 20,
        "makerReceiveOnly": True,
    }
    before = bench.market.parameter()

    receipt = bench.market.updateRiskParameter(values, sender=coordinator)

    stored = bench.market.riskParameter()
    assert stored == receipt.named("RiskParameterUpdated")[0]["parameter"]
    assert receipt.named("RiskParameterUpdated")[0]["version"] == START
    for field, value in values.items():
        expected = tuple(value.values()) if isinstance(value, dict) else value
        assert getattr(stored, field) == expected, field
    # What shares a slot with it stays.
    assert bench.market.parameter() == before


@pytest.mark.parametrize("bound", RISK_BOUNDS, ids=label)
def test_bound(bounded, bound):
    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        bounded.change_risk(**bound.changes(bound.refused))

    bounded.change_risk(**bound.changes(bound.accepted))
    stored = bounded.market.riskParameter()
    struct, _, field = bound.field.rpartition(".")
    assert getattr(getattr(stored, struct) if struct else stored, field) == bound.accepted


FIRST_UPPER = {bound.field: bound for bound in reversed(RISK_BOUNDS) if bound.refused > bound.accepted}


@pytest.mark.parametrize("bound", FIRST_UPPER.values(), ids=label)
def test_huge_value(bounded, bound):
    with refused("ParameterOutOfBounds", bound.field, 2**256 - 1, bound.bound):
        bounded.change_risk(**bound.changes(2**256 - 1))


def test_update_by_the_owner(bench, operator):
    risk = bench.market.riskParameter()
    bench.market.updateRiskParameter(risk._replace(takerFee=7), sender=operator)
    assert bench.market.riskParameter().takerFee == 7


@pytest.mark.parametrize("role", ["beneficiary", "keeper", "stranger"])
def test_update_by_others(bench, actors, role):
    with refused("NotCoordinator", actors[role]):
        bench.market.updateRiskParameter(bench.market.riskParameter(), sender=actors[role])


def test_update_settles_the_market_first(bench):
    bench.fill(maker="10", long="5")
    version = bench.commit("110")

    receipt = bench.change_risk(pController={"max": "2.5"})

    assert [each.name for each in receipt.events] == ["MarketSettled", "RiskParameterUpdated"]
    assert receipt.named("RiskParameterUpdated")[0]["version"] == version
    # Nothing of the new rate reaches back.
    assert receipt.named("MarketSettled")[0]["fundingRate"] == 0
    bench.check()


def test_update_before_the_first_version(create_market):
    bench = create_market(price=None)
    receipt = bench.change_risk(takerFee="0.001")
    assert receipt.named("RiskParameterUpdated")[0]["version"] == 0


def test_update_applies_from_the_settled_version_on(bench):
    bench.fill(maker="10", long="5")
    bench.commit("100", wait=3600)
    bench.change_risk(utilizationCurve={"minRate": "0.1", "targetRate": "0.1", "maxRate": "0.1"})
    bench.commit("100")
    bench.settle()

    # 500 for an hour at 10 %.
    assert bench.market.collateral(bench.actors["taker"]) == raw("10000") - 5_708
    bench.check()


def test_pending_orders_keep_their_rate(bench, taker):
    bench.fill(maker="10")
    bench.open(taker, long="1", collateral="100")
    bench.change_risk(takerFee="0.1")
    bench.commit("100")
    bench.settle(taker)
    assert bench.market.collateral(taker) == raw("100")
    bench.check()


def test_update_with_a_backlog_settles_all_of_it(bench, taker):
    bench.fill(maker="10")
    for _ in range(3):
        bench.open(taker, long="1", collateral="100")
        bench.skip()
    bench.commit("100")

    receipt = bench.change_risk(takerFee="0.1")

    assert len(receipt.named("MarketSettled")) == 4
    assert bench.market.pendingCount() == 0
    bench.check()


def test_parameters_that_new_bounds_would_refuse_stay_in_force(bench):
    bench.change_risk(takerFee="0.1")
    bench.change_protocol(maxFee="0.001")

    assert bench.market.riskParameter().takerFee == raw("0.1")
    with refused("ParameterOutOfBounds", "takerFee", "0.1", "0.001"):
        bench.change_risk(makerFee="0.001")
    bench.change_risk(takerFee="0.001")


def test_maintenance_that_rises_makes_accounts_liquidatable(bench, taker):
    bench.fill(maker="10")
    bench.open(taker, long="1", collateral="10")
    bench.commit("100")
    bench.settle(taker)
    assert not bench.market.liquidatable(taker)
    bench.change_risk(minMargin="11", minMaintenance="11")
    assert bench.market.liquidatable(taker)


def test_update_in_a_pause(bench, operator, keeper, coordinator):
    bench.factory.updatePauser(keeper, sender=operator)
    bench.factory.pause(sender=keeper)
    risk = bench.market.riskParameter()
    with refused("MarketPaused"):
        bench.market.updateRiskParameter(risk, sender=coordinator)
    bench.market.updateRiskParameter(risk, sender=operator)


def test_version_of_the_event_is_the_settled_one(bench):
    version = bench.commit("101")
    assert version == START + STEP
    receipt = bench.change_risk(takerFee="0.001")
    assert receipt.named("RiskParameterUpdated")[0]["version"] == version
