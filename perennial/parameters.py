"""Parameter files, as decimal text, to the structs of the contracts (docs/protocol.md §4).

A struct is a dict with the Solidity field names, in their order, and raw integers of 6 decimals: Ape, eth-abi (through
its values) and the mirror take it as it is.
"""

import json
from pathlib import Path
from typing import Any

from perennial.amounts import raw

Struct = dict[str, Any]

#: Parameters of four markets that ran in production; data/README.md says where they come from.
LIVE = Path(__file__).resolve().parent.parent / "data" / "markets.json"

_PROTOCOL = ("protocolFee", "maxFee", "maxFeeAbsolute", "maxCut", "maxRate", "minMaintenance", "minEfficiency")
_MARKET = (
    "fundingFee",
    "interestFee",
    "positionFee",
    "oracleFee",
    "riskFee",
    "settlementFee",
    "maxPendingGlobal",
    "maxPendingLocal",
    "makerRewardRate",
    "longRewardRate",
    "shortRewardRate",
    "referralFee",
    "maxPriceDeviation",
    "takerCloseAlways",
    "makerCloseAlways",
    "closed",
)
_RISK = (
    "margin",
    "maintenance",
    "takerFee",
    "takerSkewFee",
    "takerImpactFee",
    "makerFee",
    "makerImpactFee",
    "makerLimit",
    "efficiencyLimit",
    "liquidationFee",
    "minLiquidationFee",
    "maxLiquidationFee",
    "utilizationCurve",
    "pController",
    "minMargin",
    "minMaintenance",
    "virtualTaker",
    "staleAfter",
    "makerReceiveOnly",
)
_NESTED = {
    "utilizationCurve": ("minRate", "targetRate", "maxRate", "targetUtilization"),
    "pController": ("k", "max"),
}
#: Fields that are plain integers: counts and seconds.
_WHOLE = {"maxPendingGlobal", "maxPendingLocal", "staleAfter"}
#: Fields that the production deployments did not have, with the values that switch them off or leave them mild.
_DEFAULTS = {"referralFee": "0", "maxPriceDeviation": "0.1"}


def protocol_parameter(values: Struct) -> Struct:
    """ProtocolParameter from decimal text. Raises KeyError for a missing field, ValueError for a value."""
    return _struct(values, _PROTOCOL)


def market_parameter(values: Struct) -> Struct:
    """MarketParameter from decimal text; `referralFee` and `maxPriceDeviation` may be missing (0 and 0.1)."""
    return _struct(_DEFAULTS | values, _MARKET)


def risk_parameter(values: Struct) -> Struct:
    """RiskParameter from decimal text, with its two nested structs."""
    return _struct(values, _RISK)


def live_protocol() -> Struct:
    """The protocol's parameters as they were in production."""
    return protocol_parameter(_live()["protocolParameter"])


def live_market(name: str = "BTC-USD") -> tuple[Struct, Struct]:
    """Risk and market parameters of one of the markets that ran in production.

    Raises KeyError with the known names for another one.
    """
    live = _live()
    if name not in live["markets"]:
        raise KeyError(f"no market {name!r} in {LIVE}: it has {', '.join(live['markets'])}")
    return risk_parameter(live["markets"][name]["riskParameter"]), market_parameter(live["marketParameter"])


def pyth_id(name: str) -> str:
    """Id of the Pyth feed of one of the markets that ran in production, as hex text."""
    return str(_live()["markets"][name]["pythId"])


def _live() -> Struct:
    loaded: Struct = json.loads(LIVE.read_text())
    return loaded


def _struct(values: Struct, fields: tuple[str, ...]) -> Struct:
    return {field: _value(field, values[field]) for field in fields}


def _value(field: str, value: Any) -> Any:
    if field in _NESTED:
        return _struct(value, _NESTED[field])
    if isinstance(value, bool):
        return value
    return int(value) if field in _WHOLE else raw(value)
