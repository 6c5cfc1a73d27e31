"""PowerPayoff over all prices that it takes: exact to the last digit, and refusals where they belong (§12.1).

A table in the EVM in process. That a result r is scale · price^(n/2) rounded toward zero is r² ≤ square < (r + 1)² with
the exact square, a rational; nothing is computed as the contract does it.
"""

from fractions import Fraction

import pytest

from perennial.mirror import payoff as mirror
from perennial.mirror.errors import MarketError
from perennial.testing.evm import Evm, Reverted

OWNER = f"0x{0xD0000:040x}"
ONE = 10**18
HALF_POWERS = (-4, -3, -2, -1, 1, 2, 3, 4)
SCALES = (1, 10**9, 10**12, 10**15, ONE - 1, ONE, ONE + 1, 314_159_265_358_979_323, 10**21, 10**27, 10**36 - 1, 10**36)
PRICES = sorted(
    {
        price
        for center in [
            *(2**i for i in range(73)),
            *(10**i for i in range(22)),
            *(i * i * 10**6 for i in (2, 3, 99, 1111)),
        ]
        for price in (center - 1, center, center + 1)
        if 0 < price < 2**72
    }
)
"""Around every power of two and of ten, and some whose roots are whole."""

LARGEST = 10**38
"""What a payoff gives is below."""


@pytest.fixture(scope="module")
def create():
    evm = Evm()
    factory = evm.deploy("PayoffFactory", sender=OWNER)

    def create(*arguments):
        return evm.contract("PowerPayoff", factory.send("create", *arguments, sender=OWNER)[0])

    return create


def answer(payoff, price):
    """What a payoff gives, or the name of its error."""
    try:
        return payoff.value("payoff", price)
    except Reverted as error:
        return error.name if error.values == (price,) else str(error)


def twins(twin, price):
    try:
        return twin.payoff(price)
    except MarketError as error:
        return type(error).__name__


@pytest.mark.parametrize("half_power", HALF_POWERS)
def test_table(create, half_power):
    seen = set()
    for index, scale in enumerate(SCALES):
        negative = bool(index % 2)
        payoff, twin = create(half_power, scale, negative), mirror.PowerPayoff(half_power, scale, negative)
        for price in PRICES:
            found = answer(payoff, price)
            assert found == twins(twin, price)
            # Of the result in units of its last digit.
            square = Fraction(scale, ONE) ** 2 * Fraction(price, 10**6) ** half_power * 10**12
            if isinstance(found, str):
                assert found == ("PayoffZero" if square < 1 else "PayoffOverflow"), (scale, price)
                assert square < 1 or square >= LARGEST**2
            else:
                assert found < 0 if negative else found > 0
                assert found**2 <= square < (abs(found) + 1) ** 2, (scale, price)
            seen.add(found if isinstance(found, str) else "exact")

    assert {"exact", "PayoffZero"} <= seen


@pytest.mark.parametrize("half_power", HALF_POWERS)
@pytest.mark.parametrize(
    ("price", "error"),
    [
        (0, "PriceNotPositive"),
        (-1, "PriceNotPositive"),
        (-(2**255), "PriceNotPositive"),
        (2**72, "PayoffOverflow"),
        (2**255 - 1, "PayoffOverflow"),
    ],
)
def test_prices_outside_are_refused_by_name(create, half_power, price, error):
    for scale in (1, ONE, 10**36):
        assert answer(create(half_power, scale, False), price) == error
