"""PowerPayoff.payoff (docs/protocol.md §12.1).

The table over the whole range of prices is tests/properties/test_payoff_is_exact.py.
"""

from fractions import Fraction

import pytest
from ape import reverts
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.mirror import payoff as mirror
from perennial.mirror.errors import MarketError

ONE = 10**18
HALF_POWERS = [-4, -3, -2, -1, 1, 2, 3, 4]


@pytest.fixture(scope="module")
def create(project, operator, taker):
    """Payoffs by parameters, each deployed once."""
    factory = operator.deploy(project.PayoffFactory)

    def create(half_power, scale, negative=False):
        return project.PowerPayoff.at(factory.create(half_power, scale, negative, sender=taker).return_value)

    return create


def largest_below(half_power, scale, price):
    """The largest raw result whose value is not above scale · price^(half_power / 2), by comparing exact rationals."""
    square = Fraction(scale, ONE) ** 2 * Fraction(price, 10**6) ** half_power
    low, high = 0, 1 << 256
    while high - low > 1:
        middle = (low + high) // 2
        if Fraction(middle, 10**6) ** 2 <= square:
            low = middle
        else:
            high = middle
    return low


def outcome(call, *arguments):
    """What a payoff gives, or None where it refuses."""
    try:
        return call(*arguments)
    except MarketError:
        return None


@settings(max_examples=60)
@given(st.sampled_from(HALF_POWERS), st.integers(1, 10**36), st.integers(1, 2**72 - 1), st.booleans())
def test_the_mirror_is_exact(half_power, scale, price, negative):
    exact = largest_below(half_power, scale, price)
    expected = (-exact if negative else exact) if 0 < exact < mirror.MAX_PAYOFF else None

    assert outcome(mirror.PowerPayoff(half_power, scale, negative).payoff, price) == expected


@pytest.mark.parametrize(
    ("half_power", "scale", "price", "expected"),
    [
        (2, ONE, 123_456_789, 123_456_789),
        (4, ONE, 3_000 * 10**6, 9_000_000 * 10**6),
        (4, 10**12, 3_000 * 10**6, 9 * 10**6),
        (-2, ONE, 3_000 * 10**6, 333),
        (1, ONE, 2 * 10**6, 1_414_213),
        (3, ONE, 2 * 10**6, 2_828_427),
        (-1, ONE, 2 * 10**6, 707_106),
        (-3, 10**21, 2 * 10**6, 353_553_390),
        (-4, 10**27, 3_000 * 10**6, 111_111_111),
        (2, 10**9, 43_210 * 10**6, 43),
        (2, 10**27, 1, 10**9),
    ],
)
def test_examples(create, half_power, scale, price, expected):
    assert create(half_power, scale).payoff(price) == expected
    assert create(half_power, scale, True).payoff(price) == -expected


@pytest.mark.parametrize("price", [0, -1, -(2**255)])
@pytest.mark.parametrize("half_power", [-2, 1, 2])
def test_refuses_prices_that_are_not_positive(create, half_power, price):
    payoff = create(half_power, ONE)

    with reverts(payoff.PriceNotPositive, error_inputs={"price": price}):
        payoff.payoff(price)


@pytest.mark.parametrize(
    ("half_power", "scale", "price"),
    [(2, 10**11, 1), (4, ONE, 999), (-2, ONE, 10**12 + 1), (-4, ONE, 10**9 + 1), (-1, ONE, 10**18 + 1)],
)
def test_refuses_results_of_zero(create, half_power, scale, price):
    payoff = create(half_power, scale)

    with reverts(payoff.PayoffZero, error_inputs={"price": price}):
        payoff.payoff(price)


@pytest.mark.parametrize(
    ("half_power", "scale", "price"),
    [(2, ONE, 2**72), (2, ONE, 2**255 - 1), (4, 10**36, 2**63), (3, 10**36, 2**72 - 1), (4, 10**36, 10**16)],
)
def test_refuses_what_overflows(create, half_power, scale, price):
    payoff = create(half_power, scale)

    with reverts(payoff.PayoffOverflow, error_inputs={"price": price}):
        payoff.payoff(price)


def test_identity_is_cheap(create, taker):
    """A market asks for it in every transaction: 21,600 are the transaction's."""
    payoff = create(2, ONE)

    assert payoff.payoff.estimate_gas_cost(50_000 * 10**6, sender=taker) < 21_600 + 1_500
