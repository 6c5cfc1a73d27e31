"""Fills from inventory: quotes, and every limit on its own."""

import pytest

from perennial.solver.inventory import Inventory, Limits
from perennial.solver.orders import Band, Fill

from .conftest import PRICE, UNIT, opened

WIDE = Band.around(PRICE, 500_000)


def inventory(size=0, band=WIDE, price=PRICE, **limits):
    terms = {"max_inventory": 10 * UNIT, "spread": 1_000, "skew": 2_000, "band": 100_000, **limits}
    return Inventory(Limits(**terms), price, size, band)


def test_quotes_around_the_price():
    assert inventory().quote(sells=True) == 100_100_000
    assert inventory().quote(sells=False) == 99_900_000


def test_quotes_round_in_its_own_favour():
    own = inventory(price=333)

    assert (own.quote(sells=True), own.quote(sells=False)) == (334, 332)


def test_quotes_of_a_negative_price():
    """A payoff may be: dearer is up all the same."""
    own = inventory(10 * UNIT, price=-PRICE)

    assert own.quote(sells=True) == -PRICE + 100_000 - 200_000
    assert own.quote(sells=False) == -PRICE - 100_000 - 200_000


def test_an_old_price():
    terms = {"max_inventory": 10 * UNIT, "max_age": 5}
    order = opened(1, "1", "101")

    assert Inventory(Limits(**terms), PRICE, 0, WIDE, age=6).offer(order, UNIT) == "the latest price is 6 seconds old"
    assert isinstance(Inventory(Limits(**terms), PRICE, 0, WIDE, age=5).offer(order, UNIT), Fill)


@pytest.mark.parametrize(("size", "moved"), [(10, -200_000), (5, -100_000), (-10, 200_000)])
def test_a_full_inventory_moves_quotes_to_empty_itself(size, moved):
    assert inventory(size * UNIT).quote(sells=True) == 100_100_000 + moved
    assert inventory(size * UNIT).quote(sells=False) == 99_900_000 + moved


def test_fills_at_the_quote_and_remembers():
    own = inventory()
    order = opened(1, "4", "101")

    assert own.offer(order, 4 * UNIT) == Fill(order, 4 * UNIT, 100_100_000)
    assert own.size == -4 * UNIT
    assert own.quote(sells=True) == 100_180_000
    order = opened(2, "-3", "99")
    assert own.offer(order, 3 * UNIT) == Fill(order, 3 * UNIT, 99_980_000)
    assert own.size == -UNIT


@pytest.mark.parametrize(("amount", "price"), [("1", "100.099999"), ("-1", "99.900001")])
def test_a_worse_price_than_the_quote(amount, price):
    reason = inventory().offer(opened(1, amount, price), UNIT)

    assert f"accepts {price}, the quote is" in reason


def test_as_much_as_there_is_room():
    own = inventory(-7 * UNIT, skew=0)

    assert own.offer(opened(1, "5", "101"), 5 * UNIT).size == 3 * UNIT
    assert "room for 0" in own.offer(opened(2, "5", "101"), 5 * UNIT)
    assert own.offer(opened(3, "-12", "99"), 12 * UNIT).size == 12 * UNIT


def test_room_for_less_than_a_tenth():
    reason = inventory(-9_500_000, skew=0).offer(opened(1, "10", "101"), 10 * UNIT)

    assert reason == "the least fill is 1.000000, the inventory has room for 0.500000"


def test_the_largest_fill():
    assert inventory(max_fill=2 * UNIT).offer(opened(1, "5", "101"), 5 * UNIT).size == 2 * UNIT
    assert isinstance(inventory(max_fill=UNIT // 10).offer(opened(1, "5", "101"), 5 * UNIT), str)


def test_no_inventory_no_fills():
    assert "room for 0" in inventory(max_inventory=0).offer(opened(1, "5", "101"), 5 * UNIT)


@pytest.mark.parametrize("change", [{"band": Band.around(PRICE, 999)}, {"spread": 20_000, "band": WIDE, "skew": 0}])
def test_outside_the_band(change):
    """The market's band, and the solver's own."""
    own = Inventory(
        Limits(10 * UNIT, spread=change.get("spread", 1_000), skew=0, band=10_000), PRICE, 0, change["band"]
    )

    assert "outside the band" in str(own.offer(opened(1, "1", "110"), UNIT))
