"""Collateral, margin, liquidation (docs/protocol.md §10). USD with 6 decimals."""

from perennial.mirror.fixed import UNIT, UNIT12, ceil_div
from perennial.mirror.parameters import RiskParameter


def position_fee(units: int, price: int) -> int:
    """What fee units (12 decimals) cost at a price, rounded up."""
    return ceil_div(units * abs(price), UNIT12)


def margin(size: int, price: int, risk: RiskParameter) -> int:
    """Requirement after an increase or a withdrawal, rounded up."""
    return _requirement(size, price, risk.margin, risk.min_margin)


def maintenance(size: int, price: int, risk: RiskParameter) -> int:
    """Requirement not to be liquidated, rounded up."""
    return _requirement(size, price, risk.maintenance, risk.min_maintenance)


def liquidation_fee(closed: int, price: int, risk: RiskParameter) -> int:
    """What the liquidator of `closed` units gets, rounded up; 0 where nothing is closed."""
    if closed == 0:
        return 0
    fee = ceil_div(closed * abs(price) * risk.maintenance * risk.liquidation_fee, UNIT12 * UNIT)
    return min(max(fee, risk.min_liquidation_fee), risk.max_liquidation_fee)


def _requirement(size: int, price: int, ratio: int, minimum: int) -> int:
    return max(ceil_div(size * abs(price) * ratio, UNIT12), minimum) if size else 0
