"""What orders cost and what they may do (docs/protocol.md §5, §6, §10.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.mirror import errors
from perennial.mirror.fixed import MIN_INT256, UNIT
from perennial.mirror.orders import MAX_RATE, NOBODY, Change, Order, charge
from perennial.mirror.position import Book, Side

UNIT_SIZE = 1_000_000
FEES = {"taker_fee": 200, "taker_skew_fee": 1_000, "taker_impact_fee": 1_000, "maker_fee": 100}


@pytest.fixture
def game(create_game):
    """Maker 10, long 5, short 3, with taker fees."""
    game = create_game()
    game.fill(maker=10 * UNIT_SIZE, long=5 * UNIT_SIZE, short=3 * UNIT_SIZE)
    game.change_risk(**FEES)
    return game


def paid(game, account, price=100 * UNIT):
    """What the account's orders at the current version cost once they settle."""
    before = game.market.collateral(account)
    game.commit(price)
    game.market.settle(account)
    return before - game.market.collateral(account)


BOOK = Book(10**9, 10**8, 10**7)
SIZES = st.lists(st.integers(1, 10**9), min_size=2, max_size=5)


def place(order, book, side, size, risk):
    """Adds an open to an order; the book afterwards."""
    after = book.copy()
    after.add(side, size)
    charge(order, Change(side, opened=size), book, after, risk, 0)
    return after


@given(SIZES, st.sampled_from([Side.MAKER, Side.LONG, Side.SHORT]), st.integers(0, 10**8))
def test_splitting_an_order_gains_nothing(create_risk, sizes, side, virtual_taker):
    risk = create_risk(**FEES, maker_impact_fee=1_000, virtual_taker=virtual_taker)
    whole, parts = Order(1), Order(1)
    book = place(whole, BOOK, side, sum(sizes), risk)
    stepwise = BOOK
    for size in sizes:
        charged = parts.units
        stepwise = place(parts, stepwise, side, size, risk)
        assert parts.units >= charged
    assert stepwise == book
    assert parts.units >= whole.units


def test_two_sides_of_one_skew_do_not_cancel(create_risk):
    """Opening and closing the same at one version still pays for both magnitudes."""
    risk = create_risk(**FEES)
    order = Order(1)
    book = place(order, BOOK, Side.LONG, 10**6, risk)
    after = book.copy()
    after.add(Side.LONG, -(10**6))
    charge(order, Change(Side.LONG, closed=10**6), book, after, risk, 0)
    assert order.change == 0
    assert order.units >= 2 * 10**6 * 200


def test_rate_is_capped(create_risk):
    risk = create_risk(taker_fee=2**24 - 1)
    order = Order(1)
    place(order, BOOK, Side.LONG, 10**6, risk)
    assert order.rate == MAX_RATE


def test_rate_is_never_negative(create_risk):
    risk = create_risk(taker_impact_fee=2_000)
    order = Order(1)
    place(order, BOOK, Side.SHORT, 10**7, risk)
    assert order.absolute_change < 0
    assert order.rate == 0
    assert order.units == 0


def test_fee_units_round_up(create_risk):
    risk = create_risk(taker_fee=1, taker_skew_fee=1)
    order = Order(1)
    place(order, BOOK, Side.LONG, 1, risk)
    assert order.units == 1


def test_position_fee_goes_to_referrer_market_and_makers(game):
    game.change(referral_fee=100_000, position_fee=200_000)
    game.market.update("taker", taker_delta=UNIT_SIZE, collateral_delta=10**9, referrer="friend")
    assert paid(game, "taker") == 40_000
    assert game.market.claimable("friend") == 4_000
    assert game.market.fees.undistributed == 7_200
    maker = game.market.collateral("maker")
    game.market.settle("maker")
    assert game.market.collateral("maker") - maker == 28_800


def test_position_fee_goes_to_the_market_without_makers_above_dust(create_game):
    game = create_game(taker_fee=200)
    game.fill(maker=999)
    game.open("long", taker=1)
    assert paid(game, "long", 10**12) > 0
    assert game.market.accumulators.maker == 0
    assert game.market.fees.undistributed == 200


def test_referral_share_is_of_the_orders_that_name_it(game):
    game.change(referral_fee=100_000)
    game.market.update("taker", taker_delta=UNIT_SIZE, collateral_delta=10**9, referrer="friend")
    game.market.update("taker", taker_delta=UNIT_SIZE)
    fee = paid(game, "taker")
    assert fee == 108_572
    # A tenth of the first order's 0.04; as a share of both it is rounded down once more.
    assert game.market.claimable("friend") == 3_999


def test_second_referrer_is_refused(game):
    game.market.update("taker", taker_delta=UNIT_SIZE, collateral_delta=10**9, referrer="friend")
    with pytest.raises(errors.ReferrerMismatch) as error:
        game.market.update("taker", taker_delta=UNIT_SIZE, referrer="other")
    assert error.value.args == ("friend", "other")
    assert game.market.accounts["taker"].orders[0].referrer == "friend"


def test_own_referrer(game):
    game.change(referral_fee=100_000)
    game.market.update("taker", taker_delta=UNIT_SIZE, collateral_delta=10**9, referrer="taker")
    assert paid(game, "taker") == 40_000
    assert game.market.claimable("taker") == 4_000


def test_settlement_fee_once_an_account_and_version(game):
    game.change(settlement_fee=1_500_000)
    game.change_risk(taker_fee=0, taker_skew_fee=0, taker_impact_fee=0)
    game.open("taker", taker=UNIT_SIZE)
    game.open("taker", taker=UNIT_SIZE)
    game.open("other", taker=UNIT_SIZE)
    game.change(settlement_fee=9_000_000)
    version = game.oracle.current
    assert paid(game, "taker") == 1_500_000
    assert game.market.settlement_fees(version) == 3_000_000


def test_a_pending_order_keeps_its_rate(game):
    game.open("taker", taker=UNIT_SIZE)
    game.change_risk(taker_fee=2_000, taker_skew_fee=2_000)
    assert paid(game, "taker") == 40_000


@pytest.mark.parametrize(
    ("account", "maker", "taker", "error", "values"),
    [
        ("maker", 0, UNIT_SIZE, errors.WrongSide, (1, 2)),
        ("long", UNIT_SIZE, 0, errors.WrongSide, (2, 1)),
        ("long", -UNIT_SIZE, 0, errors.WrongSide, (2, 1)),
        ("nobody", -1, 0, errors.WrongSide, (0, 1)),
        ("long", 0, -5 * UNIT_SIZE - 1, errors.OverClose, (5 * UNIT_SIZE + 1, 5 * UNIT_SIZE)),
        ("short", 0, 3 * UNIT_SIZE + 1, errors.OverClose, (3 * UNIT_SIZE + 1, 3 * UNIT_SIZE)),
        ("maker", -10 * UNIT_SIZE - 1, 0, errors.OverClose, (10 * UNIT_SIZE + 1, 10 * UNIT_SIZE)),
        ("maker", 1, 1, errors.BothSides, (1, 1)),
        ("long", 0, 2**63, errors.SizeOverflow, (2**63,)),
    ],
)
def test_sides_and_closes(game, account, maker, taker, error, values):
    before = game.market.snapshot()
    with pytest.raises(error) as refused:
        game.market.update(account, maker, taker)
    assert refused.value.args == values
    assert game.market.snapshot() == before


def test_pending_closes_are_not_closable(game):
    game.market.update("long", taker_delta=-3 * UNIT_SIZE)
    with pytest.raises(errors.OverClose) as refused:
        game.market.update("long", taker_delta=-3 * UNIT_SIZE)
    assert refused.value.args == (3 * UNIT_SIZE, 2 * UNIT_SIZE)
    game.market.update("long", taker_delta=MIN_INT256)
    assert game.market.pending_positions("long").long == 0
    # Nothing is left to close: no order at all.
    pending = game.market.accounts["long"].orders[0].closed
    game.market.update("long", taker_delta=MIN_INT256)
    assert game.market.accounts["long"].orders[0].closed == pending


def test_a_side_opens_only_when_the_other_is_gone(game):
    game.market.update("long", taker_delta=MIN_INT256)
    with pytest.raises(errors.OverClose):
        game.market.update("long", taker_delta=-1)
    with pytest.raises(errors.WrongSide):
        game.market.update("long", maker_delta=1)
    game.commit(100 * UNIT)
    game.market.update("long", taker_delta=-1)
    assert game.market.pending_positions("long").short == 1


def test_limits_of_makers_and_takers(game):
    game.change_risk(maker_limit=11 * UNIT_SIZE, efficiency_limit=500_000)
    with pytest.raises(errors.MakerLimitExceeded) as refused:
        game.market.update("maker", maker_delta=UNIT_SIZE)
    assert refused.value.args == (11 * UNIT_SIZE, 11 * UNIT_SIZE)
    game.market.update("maker", maker_delta=UNIT_SIZE - 1)
    limit = 2 * (11 * UNIT_SIZE - 1)
    with pytest.raises(errors.EfficiencyTooLow) as too_low:
        game.open("taker", taker=limit - 5 * UNIT_SIZE)
    assert too_low.value.args == (11 * UNIT_SIZE - 1, limit, 500_000)
    game.open("taker", taker=limit - 5 * UNIT_SIZE - 1)


def test_closes_keep_takers_covered(game):
    game.change(maker_close_always=False, taker_close_always=False)
    game.market.update("maker", maker_delta=-8 * UNIT_SIZE)
    with pytest.raises(errors.UncoveredClose) as refused:
        game.market.update("maker", maker_delta=-1)
    assert refused.value.args == (5 * UNIT_SIZE, 5 * UNIT_SIZE - 1)
    with pytest.raises(errors.UncoveredClose):
        game.market.update("short", taker_delta=1)
    # A close that does not make cover worse is free.
    game.market.update("long", taker_delta=-1)
    game.change(maker_close_always=True)
    game.market.update("maker", maker_delta=-UNIT_SIZE)
    game.change(taker_close_always=True)
    game.market.update("short", taker_delta=1)


def test_caps_on_unsettled_versions(game):
    game.change(max_pending_global=2, max_pending_local=1)
    game.market.update("long", taker_delta=-1)
    game.market.update("long", taker_delta=-1)
    game.oracle.current += 10
    with pytest.raises(errors.TooManyPending) as refused:
        game.market.update("long", taker_delta=-1)
    assert refused.value.args == (1, 1)
    game.market.update("short", taker_delta=1)
    game.oracle.current += 10
    with pytest.raises(errors.TooManyPending) as refused:
        game.market.update("maker", maker_delta=-1)
    assert refused.value.args == (2, 2)


def test_closed_market_only_shrinks(game):
    game.change(closed=True)
    with pytest.raises(errors.MarketClosed):
        game.market.update("long", taker_delta=1)
    game.market.update("long", taker_delta=-1)


def test_no_referrer_is_nobody(game):
    game.open("taker", taker=UNIT_SIZE)
    assert game.market.accounts["taker"].orders[0].referrer == NOBODY
