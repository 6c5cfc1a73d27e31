"""Storage of a market: where it is (ERC-7201), and that it reads back the same (docs/protocol.md §3.4, §4)."""

import re
from pathlib import Path
from typing import Any

import pytest

from perennial.amounts import raw
from perennial.testing.market import PARAMETER, RISK, STORAGE, changed

SOURCE = Path(__file__).resolve().parents[3] / "contracts/market/MarketStorage.sol"

#: The largest value that each field can have under the widest bounds of the protocol.
WIDEST = {
    "protocolFee": 0,
    "maxFee": 2**24 - 1,
    "maxFeeAbsolute": 2**48 - 1,
    "maxCut": 10**6,
    "maxRate": 2**32 - 1,
    "minMaintenance": 0,
    "minEfficiency": 0,
}
LARGEST_RISK = {
    "margin": 10**6,
    "maintenance": 10**6,
    **dict.fromkeys(("takerFee", "takerSkewFee", "takerImpactFee", "makerFee", "makerImpactFee"), 2**24 - 1),
    "makerLimit": 2**48 - 1,
    "efficiencyLimit": 2**24 - 1,
    "liquidationFee": 10**6,
    "minLiquidationFee": 2**48 - 1,
    "maxLiquidationFee": 2**48 - 1,
    "utilizationCurve": dict.fromkeys(("minRate", "targetRate", "maxRate"), 2**32 - 1) | {"targetUtilization": 10**6},
    "pController": {"k": 2**48 - 1, "max": 2**32 - 1},
    "minMargin": 2**48 - 1,
    "minMaintenance": 2**48 - 1,
    "virtualTaker": 2**64 - 1,
    "staleAfter": 2**32 - 1,
    "makerReceiveOnly": True,
}
LEAST_RISK = {
    **dict.fromkeys(LARGEST_RISK, 0),
    "utilizationCurve": dict.fromkeys(("minRate", "targetRate", "maxRate", "targetUtilization"), 0),
    "pController": {"k": 1, "max": 0},
    "makerReceiveOnly": False,
}
LARGEST_MARKET = {
    **dict.fromkeys(("fundingFee", "interestFee", "positionFee", "referralFee", "oracleFee"), 10**6),
    "riskFee": 0,
    "settlementFee": 2**48 - 1,
    "maxPendingGlobal": 2**16 - 1,
    "maxPendingLocal": 2**16 - 1,
    **dict.fromkeys(("makerRewardRate", "longRewardRate", "shortRewardRate"), 2**40 - 1),
    "maxPriceDeviation": 2**24 - 1,
    **dict.fromkeys(("takerCloseAlways", "makerCloseAlways", "closed"), True),
}
LEAST_MARKET = {
    **dict.fromkeys(LARGEST_MARKET, 0),
    "maxPendingGlobal": 1,
    "maxPendingLocal": 1,
    **dict.fromkeys(("takerCloseAlways", "makerCloseAlways", "closed"), False),
}
#: What a field cannot be large without.
COMPANIONS = {
    "maintenance": {"margin": 10**6},
    "minMaintenance": {"minMargin": 2**48 - 1},
    "minLiquidationFee": {"minMargin": 2**48 - 1, "minMaintenance": 2**48 - 1, "maxLiquidationFee": 2**48 - 1},
}


def test_namespace():
    source = SOURCE.read_text()
    found = re.search(r"keccak256\(\"([^\"]+)\"\)[^;]*= (0x[0-9a-f]{64});", source, re.DOTALL)
    assert found is not None
    assert found[1] == "perennial.storage.Market"
    assert int(found[2], 16) == STORAGE


def test_market_is_stored_in_its_namespace(bench, anvil):
    first = anvil.storage(bench.market.address, STORAGE)
    assert first & (2**160 - 1) == int(bench.oracle.address, 16)
    assert anvil.storage(bench.market.address, STORAGE + 1) & (2**160 - 1) == int(bench.token.address, 16)
    # Slots of a contract without a namespace begin at zero.
    assert [anvil.storage(bench.market.address, slot) for slot in range(4)] == [0] * 4


@pytest.fixture
def wide(create_market, operator):
    bench = create_market(reward=18)
    bench.factory.updateParameter(WIDEST, sender=operator)
    return bench


def plain(struct: Any) -> dict[str, Any]:
    values = struct._asdict().items()
    return {field: value if isinstance(value, (int, bool)) else value._asdict() for field, value in values}


def leaves(struct):
    for field, value in struct.items():
        if isinstance(value, dict):
            yield from ((field, inner) for inner in value)
        else:
            yield (field,)


def picked(struct, path):
    value = struct
    for field in path:
        value = value[field]
    return value


@pytest.mark.parametrize("path", leaves(LARGEST_RISK), ids=".".join)
def test_risk_parameter_alone_at_its_largest(wide, coordinator, path):
    """One field is all ones, every other is zero: nothing spills over."""
    field, *inner = path
    largest = picked(LARGEST_RISK, path)
    risk = changed(LEAST_RISK, COMPANIONS.get(field, {}))
    risk = changed(risk, {field: {inner[0]: largest}} if inner else {field: largest})
    wide.market.updateRiskParameter(risk, sender=coordinator)
    assert plain(wide.market.riskParameter()) == risk
    assert plain(wide.market.parameter()) == PARAMETER


@pytest.mark.parametrize("field", LARGEST_MARKET)
def test_market_parameter_alone_at_its_largest(wide, operator, field):
    parameter = changed(LEAST_MARKET, {field: LARGEST_MARKET[field]})
    wide.market.updateParameter(parameter, sender=operator)
    assert plain(wide.market.parameter()) == parameter
    assert plain(wide.market.riskParameter()) == RISK


@pytest.mark.parametrize("path", leaves(LARGEST_RISK), ids=".".join)
def test_risk_parameter_alone_at_its_least(wide, coordinator, path):
    field, *inner = path
    least = picked(LEAST_RISK, path)
    lowered = {
        "margin": {"maintenance": 0},
        "minMargin": {"minMaintenance": 0, "minLiquidationFee": 0},
        "minMaintenance": {"minLiquidationFee": 0},
        "maxLiquidationFee": {"minLiquidationFee": 0},
    }
    risk = changed(LARGEST_RISK, lowered.get(field, {}))
    risk = changed(risk, {field: {inner[0]: least}} if inner else {field: least})
    wide.market.updateRiskParameter(risk, sender=coordinator)
    assert plain(wide.market.riskParameter()) == risk
    assert plain(wide.market.parameter()) == PARAMETER


def test_all_parameters_at_their_largest(wide, operator, coordinator):
    wide.market.updateRiskParameter(LARGEST_RISK, sender=coordinator)
    wide.market.updateParameter(LARGEST_MARKET, sender=operator)
    assert plain(wide.market.riskParameter()) == LARGEST_RISK
    assert plain(wide.market.parameter()) == LARGEST_MARKET
    assert wide.market.oracle() == wide.oracle.address


def test_account_at_its_bounds(create_market, taker):
    """Collateral, size and fee rate at the largest at once; the accumulators of both signs."""
    bench = create_market(
        decimals=6,
        price="0.000001",
        margin="0.000001",
        maintenance="0",
        minMargin="0",
        minMaintenance="0",
        minLiquidationFee="0",
    )
    bench.change_protocol(maxFee=2**24 - 1)
    bench.fill(maker="1000", price="0.000001")
    bench.change_risk(takerFee=2**24 - 1, takerSkewFee=2**24 - 1)
    largest = 2**63 - 1
    bench.token.mint(taker, largest, sender=taker)

    bench.update(taker, taker=largest, collateral=largest)
    assert bench.market.pendingPositions(taker).long == largest
    # 219.9 % of 2^63 at a price of one millionth.
    fee = -(-largest * (2**41 - 1) // 10**18)
    bench.commit(1)
    receipt = bench.market.settle(taker, sender=bench.keeper)
    assert receipt.named("AccountSettled")[0]["fee"] == fee
    assert bench.market.positions(taker).long == largest
    assert bench.market.collateral(taker) == largest - fee
    bench.check()

    # The maker of 1000 covers a billionth of it: 0.000002 up, 0.000001 down. An accumulator of 12 decimals on so many
    # units leaves up to 9.3 USD to the market at each step.
    for price in (3, 2):
        bench.commit(price)
        bench.settle(taker)
        assert bench.market.positions(taker).long == largest
        assert 0 <= largest - fee - bench.market.collateral(taker) <= 2 * largest // 10**12
    bench.check(dust=2 * largest // 10**12 + 100)


def test_collateral_below_zero(bench, taker):
    bench.fill(maker="999999", collateral="10000000")
    bench.open(taker, long="100000", collateral="1000000")
    bench.commit("100")
    bench.commit("1")
    bench.settle(taker)
    assert bench.market.collateral(taker) == raw("1000000") - raw("9900000")
    assert bench.market.shortfall() == raw("8900000")
    bench.check()
