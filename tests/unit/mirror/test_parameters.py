"""Every bound of docs/protocol.md §4, from both sides, by the name of its field."""

from dataclasses import replace

import pytest

from perennial.mirror.errors import ParameterOutOfBounds
from perennial.mirror.parameters import (
    MarketParameter,
    PController,
    ProtocolParameter,
    RiskParameter,
    UtilizationCurve,
    validate_market,
    validate_protocol,
    validate_risk,
)

BOUNDS = ProtocolParameter(
    protocol_fee=50_000,
    max_fee=2_000,
    max_fee_absolute=50_000_000,
    max_cut=100_000,
    max_rate=5_000_000,
    min_maintenance=4_000,
    min_efficiency=250_000,
)
RISK = RiskParameter(
    margin=9_500,
    maintenance=8_000,
    taker_fee=200,
    taker_skew_fee=1_000,
    taker_impact_fee=1_000,
    maker_fee=100,
    maker_impact_fee=0,
    maker_limit=185_760_000,
    efficiency_limit=500_000,
    liquidation_fee=50_000,
    min_liquidation_fee=5_000_000,
    max_liquidation_fee=25_000_000,
    utilization_curve=UtilizationCurve(0, 55_000, 155_000, 600_000),
    p_controller=PController(20_000_000_000, 2_500_000),
    min_margin=11_000_000,
    min_maintenance=10_000_000,
    virtual_taker=0,
    stale_after=60,
    maker_receive_only=False,
)
MARKET = MarketParameter(
    funding_fee=50_000,
    interest_fee=50_000,
    position_fee=50_000,
    oracle_fee=300_000,
    risk_fee=500_000,
    settlement_fee=1_500_000,
    max_pending_global=12,
    max_pending_local=6,
    maker_reward_rate=1,
    long_reward_rate=1,
    short_reward_rate=1,
    referral_fee=50_000,
    max_price_deviation=100_000,
    taker_close_always=True,
    maker_close_always=False,
    closed=False,
)


def with_field(struct, path, value):
    """The struct with a field, or a field of a struct in it, changed."""
    name, _, inner = path.partition(".")
    if inner:
        value = replace(getattr(struct, name), **{inner: value})
    return replace(struct, **{name: value})


def check(validate, struct, path, bound, step, name=None):
    """The bound is accepted, one step beyond is refused with field, value and bound."""
    validate(with_field(struct, path, bound))
    with pytest.raises(ParameterOutOfBounds) as error:
        validate(with_field(struct, path, bound + step))
    field, value, named_bound = error.value.args
    assert field == name
    assert (value, named_bound) == (bound + step, bound)


@pytest.mark.parametrize(
    ("path", "name", "bound", "step"),
    [
        ("protocol_fee", "protocolFee", 100_000, 1),
        ("max_fee", "maxFee", 2**24 - 1, 1),
        ("max_fee_absolute", "maxFeeAbsolute", 2**48 - 1, 1),
        ("max_cut", "maxCut", 1_000_000, 1),
        ("max_rate", "maxRate", 2**32 - 1, 1),
        ("min_maintenance", "minMaintenance", 2**24 - 1, 1),
        ("min_efficiency", "minEfficiency", 2**24 - 1, 1),
    ],
)
def test_protocol(path, name, bound, step):
    check(validate_protocol, BOUNDS, path, bound, step, name)


@pytest.mark.parametrize(
    ("path", "name", "bound", "step"),
    [
        ("taker_fee", "takerFee", 2_000, 1),
        ("taker_skew_fee", "takerSkewFee", 2_000, 1),
        ("taker_impact_fee", "takerImpactFee", 2_000, 1),
        ("maker_fee", "makerFee", 2_000, 1),
        ("maker_impact_fee", "makerImpactFee", 2_000, 1),
        ("maintenance", "maintenance", 4_000, -1),
        ("maintenance", "maintenance", 9_500, 1),
        ("margin", "margin", 1_000_000, 1),
        ("min_margin", "minMargin", 50_000_000, 1),
        ("min_maintenance", "minMaintenance", 11_000_000, 1),
        ("max_liquidation_fee", "maxLiquidationFee", 50_000_000, 1),
        ("min_liquidation_fee", "minLiquidationFee", 10_000_000, 1),
        ("liquidation_fee", "liquidationFee", 100_000, 1),
        ("maker_limit", "makerLimit", 2**48 - 1, 1),
        ("efficiency_limit", "efficiencyLimit", 250_000, -1),
        ("efficiency_limit", "efficiencyLimit", 2**24 - 1, 1),
        ("utilization_curve.min_rate", "utilizationCurve.minRate", 5_000_000, 1),
        ("utilization_curve.target_rate", "utilizationCurve.targetRate", 5_000_000, 1),
        ("utilization_curve.max_rate", "utilizationCurve.maxRate", 5_000_000, 1),
        ("utilization_curve.target_utilization", "utilizationCurve.targetUtilization", 1_000_000, 1),
        ("p_controller.k", "pController.k", 1, -1),
        ("p_controller.k", "pController.k", 2**48 - 1, 1),
        ("p_controller.max", "pController.max", 5_000_000, 1),
        ("virtual_taker", "virtualTaker", 2**64 - 1, 1),
        ("stale_after", "staleAfter", 2**32 - 1, 1),
    ],
)
def test_risk(path, name, bound, step):
    check(lambda risk: validate_risk(risk, BOUNDS), RISK, path, bound, step, name)


def test_liquidation_fees_among_themselves():
    risk = replace(RISK, max_liquidation_fee=5_000_000)
    check(lambda risk: validate_risk(risk, BOUNDS), risk, "min_liquidation_fee", 5_000_000, 1, "minLiquidationFee")


@pytest.mark.parametrize(
    ("path", "name", "bound", "step"),
    [
        ("funding_fee", "fundingFee", 100_000, 1),
        ("interest_fee", "interestFee", 100_000, 1),
        ("position_fee", "positionFee", 100_000, 1),
        ("referral_fee", "referralFee", 100_000, 1),
        ("risk_fee", "riskFee", 700_000, 1),
        ("settlement_fee", "settlementFee", 50_000_000, 1),
        ("max_pending_global", "maxPendingGlobal", 1, -1),
        ("max_pending_global", "maxPendingGlobal", 2**16 - 1, 1),
        ("max_pending_local", "maxPendingLocal", 1, -1),
        ("max_pending_local", "maxPendingLocal", 2**16 - 1, 1),
        ("maker_reward_rate", "makerRewardRate", 2**40 - 1, 1),
        ("long_reward_rate", "longRewardRate", 2**40 - 1, 1),
        ("short_reward_rate", "shortRewardRate", 2**40 - 1, 1),
        ("max_price_deviation", "maxPriceDeviation", 2**24 - 1, 1),
    ],
)
def test_market(path, name, bound, step):
    check(lambda parameter: validate_market(parameter, BOUNDS, True), MARKET, path, bound, step, name)


def test_oracle_fee_alone_is_at_most_all():
    parameter = replace(MARKET, risk_fee=0)
    check(lambda p: validate_market(p, BOUNDS, True), parameter, "oracle_fee", 1_000_000, 1, "oracleFee")


@pytest.mark.parametrize("path", ["maker_reward_rate", "long_reward_rate", "short_reward_rate"])
def test_no_reward_rate_without_a_reward(path):
    without = replace(MARKET, maker_reward_rate=0, long_reward_rate=0, short_reward_rate=0)
    validate_market(without, BOUNDS, False)
    with pytest.raises(ParameterOutOfBounds):
        validate_market(with_field(without, path, 1), BOUNDS, False)


def test_json_and_abi_say_the_same():
    values = {
        "margin": "0.0095",
        "maintenance": "0.008",
        "takerFee": "0.0002",
        "takerSkewFee": "0.001",
        "takerImpactFee": "0.001",
        "makerFee": "0.0001",
        "makerImpactFee": "0",
        "makerLimit": "185.76",
        "efficiencyLimit": "0.5",
        "liquidationFee": "0.05",
        "minLiquidationFee": "5",
        "maxLiquidationFee": "25",
        "utilizationCurve": {"minRate": "0", "targetRate": "0.055", "maxRate": "0.155", "targetUtilization": "0.60"},
        "pController": {"k": "20000", "max": "2.5"},
        "minMargin": "11",
        "minMaintenance": "10",
        "virtualTaker": "0",
        "staleAfter": 60,
        "makerReceiveOnly": False,
    }
    assert RiskParameter.from_json(values) == RISK
    assert RiskParameter.from_abi(RISK.to_abi()) == RISK
    assert RISK.to_abi()[12:14] == ((0, 55_000, 155_000, 600_000), (20_000_000_000, 2_500_000))


def test_json_fills_in_what_is_missing_only():
    values = {"protocolFee": "0.1", "maxFee": "0.002", "maxFeeAbsolute": "50", "maxCut": "0.1", "maxRate": "5"}
    parameter = ProtocolParameter.from_json(values, min_maintenance=7, min_efficiency=8, max_fee=9)
    assert (parameter.min_maintenance, parameter.min_efficiency, parameter.max_fee) == (7, 8, 2_000)
    with pytest.raises(KeyError):
        ProtocolParameter.from_json(values, min_maintenance=7)


def test_json_rounds_nothing():
    with pytest.raises(ValueError, match="more than 6 decimals"):
        UtilizationCurve.from_json(
            {"minRate": "0.0000001", "targetRate": "0", "maxRate": "0", "targetUtilization": "0"}
        )
