"""The bounds of every parameter (docs/protocol.md §4), each from both sides, for tests of creation and of updates.

A bound is `(field, accepted, refused, bound, others)`: with `others` in force, `accepted` is the last raw value that
passes, `refused` the first that does not; the error then names `field`, `refused` and `bound`. PROTOCOL is what bounds.
"""

from typing import Any, NamedTuple

from perennial.parameters import Struct, protocol_parameter


class Bound(NamedTuple):
    """One bound of one field; fields of nested structs are written `struct.field`."""

    field: str
    accepted: int
    refused: int
    bound: int
    others: dict[str, Any]

    def changes(self, value: int) -> dict[str, Any]:
        """The field at a value, with the others, as keywords of `MarketBench`."""
        struct, _, field = self.field.rpartition(".")
        return self.others | ({struct: {field: value}} if struct else {self.field: value})


PROTOCOL: Struct = protocol_parameter(
    {
        "protocolFee": "0",
        "maxFee": "0.002",
        "maxFeeAbsolute": "50",
        "maxCut": "0.1",
        "maxRate": "5",
        "minMaintenance": "0.004",
        "minEfficiency": "0.25",
    }
)
"""Bounds in force, all of them different from those of the storage."""

RISK_WITHIN: dict[str, Any] = {"efficiencyLimit": "0.5"}
"""What the risk parameters of a bench need to be within PROTOCOL."""

_ONE = 10**6


def _most(field: str, bound: int, **others: Any) -> Bound:
    return Bound(field, bound, bound + 1, bound, RISK_WITHIN | others)


def _least(field: str, bound: int, **others: Any) -> Bound:
    return Bound(field, bound, bound - 1, bound, RISK_WITHIN | others)


def _bits(field: str, count: int, **others: Any) -> Bound:
    return _most(field, 2**count - 1, **others)


RISK_BOUNDS = [
    *(
        _most(field, PROTOCOL["maxFee"])
        for field in ("takerFee", "takerSkewFee", "takerImpactFee", "makerFee", "makerImpactFee")
    ),
    _least("maintenance", PROTOCOL["minMaintenance"]),
    _most("maintenance", 9_500, margin=9_500),
    _most("margin", _ONE),
    _most("minMargin", PROTOCOL["maxFeeAbsolute"]),
    _most("minMaintenance", 20_000_000, minMargin=20_000_000),
    _most("maxLiquidationFee", PROTOCOL["maxFeeAbsolute"]),
    _most("minLiquidationFee", 25_000_000, minMargin="30", minMaintenance="30", maxLiquidationFee="25"),
    _most("minLiquidationFee", 15_000_000, minMargin="15", minMaintenance="15", maxLiquidationFee="25"),
    _most("liquidationFee", PROTOCOL["maxCut"]),
    _bits("makerLimit", 48),
    Bound("efficiencyLimit", 250_000, 249_999, 250_000, {}),
    Bound("efficiencyLimit", 2**24 - 1, 2**24, 2**24 - 1, {}),
    _least("pController.k", 1),
    _bits("pController.k", 48),
    _most("pController.max", PROTOCOL["maxRate"]),
    *(_most(f"utilizationCurve.{field}", PROTOCOL["maxRate"]) for field in ("minRate", "targetRate", "maxRate")),
    _most("utilizationCurve.targetUtilization", _ONE),
    _bits("virtualTaker", 64),
    _bits("staleAfter", 32),
]
"""Bounds of RiskParameter (§4.1)."""

MARKET_BOUNDS = [
    *(_most(field, PROTOCOL["maxCut"]) for field in ("fundingFee", "interestFee", "positionFee", "referralFee")),
    _most("oracleFee", _ONE),
    _most("riskFee", _ONE),
    _most("riskFee", 600_000, oracleFee=400_000),
    _most("settlementFee", PROTOCOL["maxFeeAbsolute"]),
    _least("maxPendingGlobal", 1),
    _bits("maxPendingGlobal", 16),
    _least("maxPendingLocal", 1),
    _bits("maxPendingLocal", 16),
    _bits("maxPriceDeviation", 24),
]
"""Bounds of MarketParameter (§4.2), but for the rewards'."""

REWARD_FIELDS = ("makerRewardRate", "longRewardRate", "shortRewardRate")

REWARD_BOUNDS = [_bits(field, 40) for field in REWARD_FIELDS]
"""Bounds of the reward rates where there is a reward token."""

NO_REWARD_BOUNDS = [_most(field, 0) for field in REWARD_FIELDS]
"""Bounds of the reward rates where there is none."""

PROTOCOL_BOUNDS = [
    Bound("protocolFee", 300_000, 300_001, 300_000, {"maxCut": 300_000}),
    Bound("maxFee", 2**24 - 1, 2**24, 2**24 - 1, {}),
    Bound("maxFeeAbsolute", 2**48 - 1, 2**48, 2**48 - 1, {}),
    Bound("maxCut", _ONE, _ONE + 1, _ONE, {}),
    Bound("maxRate", 2**32 - 1, 2**32, 2**32 - 1, {}),
    Bound("minMaintenance", 2**24 - 1, 2**24, 2**24 - 1, {}),
    Bound("minEfficiency", 2**24 - 1, 2**24, 2**24 - 1, {}),
]
"""Bounds of ProtocolParameter (§4.3)."""


def label(bound: Bound) -> str:
    """The name of a bound in a test's id."""
    return f"{bound.field} {'at least' if bound.refused < bound.accepted else 'at most'} {bound.bound}"
