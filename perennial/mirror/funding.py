"""Funding: a proportional controller over the skew (docs/protocol.md §7.2)."""

from perennial.mirror.fixed import UNIT, UNIT12, YEAR, clamp, trunc_div
from perennial.mirror.parameters import PController
from perennial.mirror.position import Book


def integrate(rate: int, skew: int, elapsed: int, controller: PController, receive_only: bool) -> tuple[int, int]:
    """The rate at the end and twice the exact integral of the clamped rate (seconds, 12 decimals; positive: longs pay).

    `rate` has 12 decimals, `skew` 6, `elapsed` is in seconds. The rate runs along x(t) = rate + skew·t/k and is
    clamped to ±max; with C twice the antiderivative of the clamp, the doubled integral is (C(x1) - C(x0))·k/skew,
    whether and wherever it meets the bound. All is scaled by k, so that nothing is rounded before the last division.
    With `receive_only` |x| is integrated, in the direction of the skew.
    """
    k, maximum = controller.k, controller.max * UNIT
    if skew == 0:
        rate = clamp(rate, maximum)
        return rate, 2 * rate * elapsed
    start = rate * k
    end = start + skew * elapsed * UNIT12
    bound = maximum * k
    area = _antiderivative(end, bound, receive_only) - _antiderivative(start, bound, receive_only)
    # Of |x| the area already runs in the direction of the skew.
    doubled = trunc_div(area, k * abs(skew) * UNIT12)
    if skew < 0 and not receive_only:
        doubled = -doubled
    return clamp(trunc_div(end, k), maximum), doubled


def _antiderivative(x: int, bound: int, absolute: bool) -> int:
    """Twice the integral from 0 to `x` of the clamp to ±bound, or of its absolute value."""
    magnitude = abs(x)
    value = x * x if magnitude <= bound else bound * (2 * magnitude - bound)
    return -value if absolute and x < 0 else value


def distribute(doubled: int, sizes: Book, price: int, funding_fee: int) -> tuple[int, int, int, int]:
    """What makers, longs and shorts gain and the market keeps: USD with 12 decimals, summing to zero.

    `doubled` is twice the integral of the rate, `price` that of the earlier version. The minor side answers for the
    part of its side's amount that it can, makers for the rest.
    """
    major, minor = sizes.major, sizes.minor
    cap = min(major, minor + sizes.maker)
    if cap == 0 or doubled == 0:
        return 0, 0, 0, 0
    amount = abs(doubled) * cap * abs(price) // (2 * YEAR * UNIT12)
    half = amount * funding_fee // (2 * UNIT)
    longs_pay = doubled > 0
    longs = -(amount + half) if longs_pay else amount - half
    shorts = amount - half if longs_pay else -(amount + half)

    long_is_major = sizes.long >= sizes.short
    side = shorts if long_is_major else longs
    takers = side * minor // cap
    makers = side - takers
    if long_is_major:
        return makers, longs, takers, 2 * half
    return makers, takers, shorts, 2 * half
