"""Interest: what takers pay for the makers' liquidity, on a jump-rate curve (docs/protocol.md §7.3)."""

from perennial.mirror.fixed import UNIT, UNIT12, YEAR
from perennial.mirror.parameters import UtilizationCurve
from perennial.mirror.position import Book


def rate(utilization: int, curve: UtilizationCurve) -> int:
    """The rate per year at a utilization, both with 12 decimals, rounded down."""
    target = curve.target_utilization * UNIT
    if utilization < target:
        return (curve.min_rate * (target - utilization) + curve.target_rate * utilization) * UNIT // target
    if target == UNIT12:
        return curve.target_rate * UNIT
    above = curve.target_rate * (UNIT12 - utilization) + curve.max_rate * (utilization - target)
    return above * UNIT // (UNIT12 - target)


def distribute(
    sizes: Book, price: int, elapsed: int, curve: UtilizationCurve, interest_fee: int
) -> tuple[int, int, int, int]:
    """What makers, longs and shorts gain and the market keeps: USD with 12 decimals, summing to zero.

    `price` is that of the earlier version, `elapsed` in seconds.
    """
    takers = sizes.long + sizes.short
    if takers == 0 or sizes.maker == 0:
        return 0, 0, 0, 0
    yearly = rate(sizes.utilization(UNIT12), curve)
    amount = min(sizes.maker, takers) * abs(price) * yearly * elapsed // (YEAR * UNIT12)
    longs = amount * sizes.long // takers
    fee = amount * interest_fee // UNIT
    return amount - fee, -longs, longs - amount, fee
