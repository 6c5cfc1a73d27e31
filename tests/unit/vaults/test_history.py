"""Growth of the price of a share: exact, rounded down, and said for the window that it is of."""

from decimal import Decimal

import pytest

from perennial.client import InputError
from perennial.client.numbers import shown
from perennial.vaults.history import YEAR, apy
from perennial.vaults.results import Settled

DAY = 86_400


def settled(epoch, time, price):
    zero = Decimal(0)
    return Settled("LP", epoch, shown(price, 18), zero, zero, zero, zero, time, epoch, "0x")


def test_growth_is_exact_and_rounded_down():
    found = apy("LP", [settled(1, 0, 3 * 10**18), settled(2, 73 * DAY, 3 * 10**18 + 1)], 0)

    assert found.growth == 0  # A third of the 18th decimal.
    assert (found.apr, found.apy) == (Decimal("0.000000000000000001"), Decimal(0))  # Five of them in a year.
    assert found.days == 73


def test_a_loss_is_rounded_down_too():
    found = apy("LP", [settled(1, 0, 3 * 10**18), settled(2, YEAR, 3 * 10**18 - 1)], 0)

    assert found.growth == Decimal("-0.000000000000000001")
    assert found.apy == Decimal("-0.000001")


def test_a_growth_of_less_than_a_week_says_so():
    """What two minutes of the devnet come to in a year has twenty digits."""
    week, less = (
        apy("LP", [settled(1, 0, 10**18), settled(2, time, 10**18 + 1)], 0) for time in (7 * DAY, 7 * DAY - 1)
    )

    assert week.meaning.endswith("which nothing promises")
    assert less.meaning.endswith("which nothing promises; here it repeats 604,799 seconds, and chance with them")


def test_a_year_is_itself():
    found = apy("LP", [settled(1, 0, 10**18), settled(9, YEAR, 11 * 10**17)], 0)

    assert found.growth == found.apr == Decimal("0.1")
    assert found.apy == Decimal("0.1")


def test_half_a_year_is_compounded():
    found = apy("LP", [settled(1, 0, 10**18), settled(2, YEAR // 2, 11 * 10**17)], 0)

    assert found.apr == Decimal("0.2")
    assert found.apy == Decimal("0.21")


def test_a_total_loss():
    found = apy("LP", [settled(1, 0, 10**18), settled(2, DAY, 0)], 0)

    assert (found.growth, found.apy) == (Decimal(-1), Decimal(-1))


@pytest.mark.parametrize(("since", "first"), [(0, 1), (9, 1), (10, 2), (25, 3), (29, 3)])
def test_the_window_begins_with_the_last_epoch_before_it(since, first):
    epochs = [settled(1, 5, 10**18), settled(2, 10, 10**18), settled(3, 20, 10**18), settled(4, 30, 10**18)]

    assert (apy("LP", epochs, since).from_epoch, apy("LP", epochs, since).to_epoch) == (first, 4)


@pytest.mark.parametrize(
    ("epochs", "says"),
    [
        ([], "two settled epochs"),
        ([settled(1, 5, 10**18)], "two settled epochs"),
        ([settled(1, 5, 10**18), settled(2, 5, 10**18)], "two settled epochs"),
        ([settled(1, 5, 0), settled(2, 6, 10**18)], "was worth nothing in epoch 1"),
        ([settled(1, 5, 10**18), settled(2, 6, 2 * 10**18)], "too short to speak of a year"),
    ],
)
def test_what_says_nothing(epochs, says):
    with pytest.raises(InputError, match=says):
        apy("LP", epochs, 0)
