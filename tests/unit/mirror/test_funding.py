"""Funding against its definition in exact fractions (docs/protocol.md §7.2)."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from perennial.mirror.fixed import UNIT, UNIT12, YEAR
from perennial.mirror.funding import distribute, integrate
from perennial.mirror.parameters import PController
from perennial.mirror.position import Book

RATES = st.integers(-3 * UNIT12, 3 * UNIT12)
SKEWS = st.integers(-UNIT, UNIT)
TIMES = st.integers(0, 10 * 86_400)
CONTROLLERS = st.builds(PController, k=st.integers(1, 10**11), max=st.integers(0, 3 * UNIT))
SIZES = st.integers(0, 10**9)


def reference(rate, skew, elapsed, controller, absolute):
    """Rate at the end and integral of the clamped rate (or of its absolute value), piece by piece."""
    maximum = Fraction(controller.max, UNIT)
    start = Fraction(rate, UNIT12)
    slope = Fraction(skew, controller.k)
    times = {Fraction(0), Fraction(elapsed)}
    for level in (-maximum, Fraction(0), maximum):
        if slope:
            time = (level - start) / slope
            if 0 < time < elapsed:
                times.add(time)

    def value(time):
        clamped = max(-maximum, min(start + slope * time, maximum))
        return abs(clamped) if absolute else clamped

    points = sorted(times)
    # Linear in between, but for a jump of nothing: the trapezoid is exact.
    area = sum((value(a) + value(b)) / 2 * (b - a) for a, b in pairwise(points))
    return max(-maximum, min(start + slope * elapsed, maximum)), area


@given(RATES, SKEWS, TIMES, CONTROLLERS, st.booleans())
@example(0, 500_000, 3_600, PController(20_000_000_000, 2_500_000), False)
@example(-UNIT12, 1, 86_400, PController(1, 2_500_000), True)
def test_integral_is_exact_but_for_the_last_digit(rate, skew, elapsed, controller, receive_only):
    absolute = receive_only and skew != 0
    end, area = reference(rate, skew, elapsed, controller, absolute)
    new_rate, doubled = integrate(rate, skew, elapsed, controller, receive_only)

    assert abs(end * UNIT12) - 1 < abs(new_rate) <= abs(end * UNIT12)
    if absolute and skew < 0:
        area = -area
    assert abs(area) * 2 * UNIT12 - 1 < abs(doubled) <= abs(area) * 2 * UNIT12
    assert doubled == 0 or (doubled > 0) == (area > 0)


@given(st.integers(-(10**20), 10**20), SIZES, SIZES, SIZES, st.integers(-(10**12), 10**12), st.integers(0, UNIT))
def test_nothing_is_made_or_lost(doubled, maker, long, short, price, fee):
    makers, longs, shorts, market = distribute(doubled, Book(maker, long, short), price, fee)
    assert makers + longs + shorts + market == 0
    assert market >= 0
    if maker == 0:
        assert makers == 0


@given(st.integers(1, 10**20), SIZES, SIZES, SIZES)
def test_covered_takers_exchange_it(doubled, maker, long, short):
    price = 100 * UNIT
    makers, longs, shorts, _ = distribute(doubled, Book(maker, long, short), price, 0)
    cap = min(max(long, short), min(long, short) + maker)
    assert -longs <= doubled * cap * price // (2 * YEAR * UNIT12) + 1
    assert longs <= 0
    assert shorts >= 0
    if long < short:
        # Makers are on the longs' side: they pay with them.
        assert makers <= 0
    else:
        assert makers >= 0
