"""Interest: the curve and who pays whom (docs/protocol.md §7.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.mirror.fixed import UNIT12
from perennial.mirror.interest import distribute, rate
from perennial.mirror.parameters import UtilizationCurve
from perennial.mirror.position import Book

SIZES = st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("target", "utilization", "expected"),
    [
        (600_000, 0, 10_000),
        (600_000, 300_000, 55_000),
        (600_000, 600_000, 100_000),
        (600_000, 800_000, 300_000),
        (600_000, 1_000_000, 500_000),
        (0, 0, 100_000),
        (0, 500_000, 300_000),
        (1_000_000, 500_000, 55_000),
        (1_000_000, 1_000_000, 100_000),
    ],
)
def test_curve(target, utilization, expected):
    curve = UtilizationCurve(10_000, 100_000, 500_000, target)
    assert rate(utilization * 10**6, curve) == expected * 10**6


@given(SIZES, SIZES, SIZES, st.integers(-(10**12), 10**12), st.integers(0, 10**7), st.integers(0, 10**6))
def test_takers_pay_makers_and_the_market(maker, long, short, price, elapsed, fee):
    curve = UtilizationCurve(10_000, 100_000, 500_000, 600_000)
    makers, longs, shorts, market = distribute(Book(maker, long, short), price, elapsed, curve, fee)
    assert makers + longs + shorts + market == 0
    assert longs <= 0
    assert shorts <= 0
    assert makers >= 0
    assert market >= 0
    if long == short:
        assert 0 <= longs - shorts <= 1


def test_utilization_is_at_most_one():
    assert Book(0, 5, 0).utilization(UNIT12) == UNIT12
    assert Book(1, 5, 0).utilization(UNIT12) == UNIT12
    assert Book(5, 0, 0).utilization(UNIT12) == 0
    assert Book(10, 5, 3).utilization(UNIT12) == 384_615_384_615
