"""Parameters in the field order of the contracts, and their bounds (docs/protocol.md §4).

Raw integers, 6 decimals unless stated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from perennial.mirror.errors import ParameterOutOfBounds
from perennial.mirror.fixed import UNIT, parse

#: Whole numbers: seconds and counts.
WHOLE = frozenset({"stale_after", "max_pending_global", "max_pending_local"})


class _Struct:
    """A struct of the ABI: a tuple to the chain, camelCase to JSON."""

    __slots__ = ()

    @classmethod
    def from_json(cls, values: Mapping[str, Any], **defaults: Any) -> Self:
        """Reads decimal strings (`"0.0095"`) under the names of the ABI; `defaults` are raw and fill what is missing.

        Raises KeyError for a field that is in neither, ValueError for a number with too many decimals.
        """
        result: dict[str, Any] = {}
        for field in fields(cls):  # type: ignore[arg-type]
            name = camel_case(field.name)
            if name not in values and field.name in defaults:
                result[field.name] = defaults[field.name]
                continue
            value = values[name]
            if field.name in _STRUCTS:
                result[field.name] = _STRUCTS[field.name].from_json(value)
            elif isinstance(value, bool):
                result[field.name] = value
            else:
                result[field.name] = int(value) if field.name in WHOLE else parse(value)
        return cls(**result)

    @classmethod
    def from_abi(cls, values: Any) -> Self:
        """Reads the tuple that the chain returns."""
        names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
        return cls(
            **{
                name: _STRUCTS[name].from_abi(value) if name in _STRUCTS else value
                for name, value in zip(names, values, strict=True)
            }
        )

    def to_abi(self) -> tuple[Any, ...]:
        """The tuple that the chain takes."""
        values = (getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]
        return tuple(value.to_abi() if isinstance(value, _Struct) else value for value in values)


@dataclass(frozen=True, slots=True)
class UtilizationCurve(_Struct):
    """The jump-rate curve of interest (docs/protocol.md §7.3): rates per year."""

    min_rate: int
    target_rate: int
    max_rate: int
    target_utilization: int


@dataclass(frozen=True, slots=True)
class PController(_Struct):
    """The proportional controller of funding (docs/protocol.md §7.2): `k` in seconds, `max` a rate per year."""

    k: int
    max: int


@dataclass(frozen=True, slots=True)
class RiskParameter(_Struct):
    """What the market's coordinator sets (docs/protocol.md §4.1); `stale_after` in seconds."""

    margin: int
    maintenance: int
    taker_fee: int
    taker_skew_fee: int
    taker_impact_fee: int
    maker_fee: int
    maker_impact_fee: int
    maker_limit: int
    efficiency_limit: int
    liquidation_fee: int
    min_liquidation_fee: int
    max_liquidation_fee: int
    utilization_curve: UtilizationCurve
    p_controller: PController
    min_margin: int
    min_maintenance: int
    virtual_taker: int
    stale_after: int
    maker_receive_only: bool


@dataclass(frozen=True, slots=True)
class MarketParameter(_Struct):
    """What the factory's owner sets for a market (docs/protocol.md §4.2); reward rates are reward tokens per second."""

    funding_fee: int
    interest_fee: int
    position_fee: int
    oracle_fee: int
    risk_fee: int
    settlement_fee: int
    max_pending_global: int
    max_pending_local: int
    maker_reward_rate: int
    long_reward_rate: int
    short_reward_rate: int
    referral_fee: int
    max_price_deviation: int
    taker_close_always: bool
    maker_close_always: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class ProtocolParameter(_Struct):
    """What bounds every market (docs/protocol.md §4.3)."""

    protocol_fee: int
    max_fee: int
    max_fee_absolute: int
    max_cut: int
    max_rate: int
    min_maintenance: int
    min_efficiency: int


_STRUCTS: dict[str, type[_Struct]] = {"utilization_curve": UtilizationCurve, "p_controller": PController}


def camel_case(name: str) -> str:
    """The name of a field in the ABI."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def bits(count: int) -> int:
    """The largest value of `count` bits."""
    return (1 << count) - 1


def validate_protocol(parameter: ProtocolParameter) -> None:
    """Raises ParameterOutOfBounds for the first field outside docs/protocol.md §4.3."""
    _raise_first(protocol_violations(parameter))


def validate_risk(risk: RiskParameter, protocol: ProtocolParameter) -> None:
    """Raises ParameterOutOfBounds for the first field outside docs/protocol.md §4.1."""
    _raise_first(risk_violations(risk, protocol))


def validate_market(parameter: MarketParameter, protocol: ProtocolParameter, has_reward: bool) -> None:
    """Raises ParameterOutOfBounds for the first field outside docs/protocol.md §4.2."""
    _raise_first(market_violations(parameter, protocol, has_reward))


Violations = Iterator[ParameterOutOfBounds]
"""Every bound that is violated, in the order in which the contracts check them; they stop at the first."""


def protocol_violations(parameter: ProtocolParameter) -> Violations:
    """What of docs/protocol.md §4.3 is violated."""
    p = parameter
    yield from _at_most("maxFee", p.max_fee, bits(24))
    yield from _at_most("maxFeeAbsolute", p.max_fee_absolute, bits(48))
    yield from _at_most("maxCut", p.max_cut, UNIT)
    yield from _at_most("maxRate", p.max_rate, bits(32))
    yield from _at_most("minMaintenance", p.min_maintenance, bits(24))
    yield from _at_most("minEfficiency", p.min_efficiency, bits(24))
    yield from _at_most("protocolFee", p.protocol_fee, p.max_cut)


def risk_violations(risk: RiskParameter, protocol: ProtocolParameter) -> Violations:
    """What of docs/protocol.md §4.1 is violated."""
    for name in ("taker_fee", "taker_skew_fee", "taker_impact_fee", "maker_fee", "maker_impact_fee"):
        yield from _at_most(camel_case(name), getattr(risk, name), protocol.max_fee)
    yield from _margin_violations(risk, protocol)
    yield from _at_most("makerLimit", risk.maker_limit, bits(48))
    yield from _at_least("efficiencyLimit", risk.efficiency_limit, protocol.min_efficiency)
    yield from _at_most("efficiencyLimit", risk.efficiency_limit, bits(24))

    controller, curve = risk.p_controller, risk.utilization_curve
    for name in ("min_rate", "target_rate", "max_rate"):
        yield from _at_most(f"utilizationCurve.{camel_case(name)}", getattr(curve, name), protocol.max_rate)
    yield from _at_most("utilizationCurve.targetUtilization", curve.target_utilization, UNIT)
    yield from _at_least("pController.k", controller.k, 1)
    yield from _at_most("pController.k", controller.k, bits(48))
    yield from _at_most("pController.max", controller.max, protocol.max_rate)
    yield from _at_most("virtualTaker", risk.virtual_taker, bits(64))
    yield from _at_most("staleAfter", risk.stale_after, bits(32))


def _margin_violations(risk: RiskParameter, protocol: ProtocolParameter) -> Violations:
    yield from _at_least("maintenance", risk.maintenance, protocol.min_maintenance)
    yield from _at_most("maintenance", risk.maintenance, risk.margin)
    yield from _at_most("margin", risk.margin, UNIT)
    yield from _at_most("minMargin", risk.min_margin, protocol.max_fee_absolute)
    yield from _at_most("minMaintenance", risk.min_maintenance, risk.min_margin)
    yield from _at_most("maxLiquidationFee", risk.max_liquidation_fee, protocol.max_fee_absolute)
    yield from _at_most("minLiquidationFee", risk.min_liquidation_fee, risk.max_liquidation_fee)
    yield from _at_most("minLiquidationFee", risk.min_liquidation_fee, risk.min_maintenance)
    yield from _at_most("liquidationFee", risk.liquidation_fee, protocol.max_cut)


def market_violations(parameter: MarketParameter, protocol: ProtocolParameter, has_reward: bool) -> Violations:
    """What of docs/protocol.md §4.2 is violated."""
    for name in ("funding_fee", "interest_fee", "position_fee", "referral_fee"):
        yield from _at_most(camel_case(name), getattr(parameter, name), protocol.max_cut)
    yield from _at_most("oracleFee", parameter.oracle_fee, UNIT)
    yield from _at_most("riskFee", parameter.risk_fee, max(UNIT - parameter.oracle_fee, 0))
    yield from _at_most("settlementFee", parameter.settlement_fee, protocol.max_fee_absolute)
    for name in ("max_pending_global", "max_pending_local"):
        yield from _at_least(camel_case(name), getattr(parameter, name), 1)
        yield from _at_most(camel_case(name), getattr(parameter, name), bits(16))
    for name in ("maker_reward_rate", "long_reward_rate", "short_reward_rate"):
        yield from _at_most(camel_case(name), getattr(parameter, name), bits(40) if has_reward else 0)
    yield from _at_most("maxPriceDeviation", parameter.max_price_deviation, bits(24))


def _at_most(field: str, value: int, bound: int) -> Violations:
    if value > bound:
        yield ParameterOutOfBounds(field, value, bound)


def _at_least(field: str, value: int, bound: int) -> Violations:
    if value < bound:
        yield ParameterOutOfBounds(field, value, bound)


def _raise_first(violations: Violations) -> None:
    for violation in violations:
        raise violation
