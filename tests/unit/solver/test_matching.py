"""Crossing by price and time, against an order book that is as simple as can be."""

from hypothesis import given
from hypothesis import strategies as st

from perennial.solver.matching import Matching
from perennial.solver.orders import Band

from .conftest import PRICE, TRADERS, UNIT, opened

BAND = Band.around(PRICE, 50_000)


def run(*orders, band=BAND, barred=frozenset()):
    """Sequences of who met whom, size and price in whole units; and the matching."""
    matching = Matching(band, barred)
    crosses = matching.run(orders)
    return [(each.a.sequence, each.b.sequence, each.size / UNIT, each.price / UNIT) for each in crosses], matching


def test_at_the_price_of_who_waited():
    assert run(opened(1, "2", "101"), opened(2, "-2", "99"))[0] == [(2, 1, 2, 101)]
    assert run(opened(1, "-2", "99"), opened(2, "2", "101"))[0] == [(2, 1, 2, 99)]


def test_the_best_price_first_then_the_earliest():
    crosses, _ = run(
        opened(1, "-1", "101"),
        opened(2, "-1", "100"),
        opened(3, "-1", "100"),
        opened(4, "-1", "99"),
        opened(5, "3", "101"),
    )

    assert crosses == [(5, 4, 1, 99), (5, 2, 1, 100), (5, 3, 1, 100)]


def test_in_order_of_time_whatever_the_order_given():
    orders = [opened(1, "-1", "100"), opened(2, "1", "100"), opened(3, "1", "102")]

    assert run(*orders)[0] == run(*reversed(orders))[0] == [(2, 1, 1, 100)]


def test_parts_and_what_is_left():
    first, second = opened(1, "5", "100"), opened(2, "-3", "100")
    crosses, matching = run(first, second)

    assert crosses == [(2, 1, 3, 100)]
    assert matching.remaining == {first.hash: 2 * UNIT, second.hash: 0}


def test_nobody_at_that_price():
    first, second = opened(1, "5", "99"), opened(2, "-3", "100")
    crosses, matching = run(first, second)

    assert crosses == []
    assert matching.reasons == {}


def test_less_than_a_tenth_is_passed_over():
    small, large, right = opened(1, "-0.9", "99"), opened(2, "10", "100"), opened(3, "-1", "100")
    crosses, matching = run(small, large, right)

    assert crosses == [(3, 2, 1, 100)]
    assert "less than a tenth" in matching.reasons[small.hash]


def test_what_remains_may_be_less_than_a_tenth():
    assert run(opened(1, "10", "100", remaining=UNIT // 2), opened(2, "-0.5", "100"))[0] == [(2, 1, 0.5, 100)]


def test_one_account_does_not_meet_itself():
    own = opened(1, "1", "100", account=TRADERS[0])
    crosses, matching = run(own, opened(2, "-1", "100", account=TRADERS[0]), opened(3, "-1", "100"))

    assert crosses == [(3, 1, 1, 100)]
    assert "one account" in matching.reasons[own.hash]


def test_a_refused_pair_meets_others():
    first, second, third = opened(1, "1", "100"), opened(2, "-1", "100"), opened(3, "-1", "100")

    assert run(first, second, third, barred={frozenset({second.hash, first.hash})})[0] == [(3, 1, 1, 100)]


def test_price_inside_the_band():
    """Who waits is out of the band: the nearest price in it that both accept."""
    assert run(opened(1, "1", "120"), opened(2, "-1", "80"))[0] == [(2, 1, 1, 105)]
    assert run(opened(1, "-1", "80"), opened(2, "1", "120"))[0] == [(2, 1, 1, 95)]


def test_both_beyond_the_band():
    first = opened(1, "1", "94")
    crosses, matching = run(first, opened(2, "-1", "93"))

    assert crosses == []
    assert "95.000000 to 105.000000" in matching.reasons[first.hash]


ORDERS = st.lists(
    st.tuples(st.integers(-20, 20).filter(bool), st.integers(97, 103), st.integers(0, 5), st.integers(1, 10)),
    max_size=25,
)


@given(ORDERS)
def test_what_holds_for_any_book(rows):
    orders = []
    for sequence, (amount, price, account, tenths) in enumerate(rows):
        order = opened(sequence, amount, price, account=TRADERS[account])
        orders.append(
            opened(sequence, amount, price, account=TRADERS[account], remaining=order.intent.size * tenths // 10)
        )

    said: list[tuple[str, str]] = []

    class Noted(dict[str, str]):
        def __setitem__(self, digest, reason):
            said.append((digest, reason))
            super().__setitem__(digest, reason)

    matching = Matching(BAND)
    matching.reasons = Noted()
    crosses = matching.run(orders)

    left = {order.hash: order.remaining for order in orders}
    for cross in crosses:
        assert cross.a.account != cross.b.account
        assert cross.a.buys != cross.b.buys
        assert BAND.low <= cross.price <= BAND.high
        for order in (cross.a, cross.b):
            assert order.intent.accepts(cross.price)
            assert order.smallest(left[order.hash]) <= cross.size <= left[order.hash]
            left[order.hash] -= cross.size
    assert left == matching.remaining

    # Nobody is left who could still meet somebody.
    for buy in (order for order in orders if order.buys and left[order.hash]):
        for sell in (order for order in orders if not order.buys and left[order.hash]):
            size = min(left[buy.hash], left[sell.hash])
            large_enough = all(size >= order.smallest(left[order.hash]) for order in (buy, sell))
            if buy.intent.price >= sell.intent.price and buy.account != sell.account and large_enough:
                # They met when one of them was larger, and too large for the other; it may have met others since.
                assert (buy.hash, f"not with {sell.hash}: it would be less than a tenth of the larger") in said
