"""The invariants hold along random games, and the check finds what breaks them."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.mirror.errors import MarketError
from perennial.mirror.fixed import MIN_INT256, UNIT
from perennial.mirror.invariants import InvariantError, check_invariants
from perennial.mirror.orders import Order
from perennial.mirror.parameters import PController, UtilizationCurve
from perennial.mirror.position import Side

NAMES = ("ann", "ben", "cem", "dot", "eve")
SIZE = 1_000_000
FEES = {
    "taker_fee": 200,
    "taker_skew_fee": 1_000,
    "taker_impact_fee": 1_000,
    "maker_fee": 100,
    "maker_impact_fee": 1_000,
    "funding_fee": 50_000,
    "interest_fee": 50_000,
    "position_fee": 50_000,
    "referral_fee": 100_000,
    "protocol_fee": 100_000,
    "risk_fee": 900_000,
    "settlement_fee": 1_500_000,
    "p_controller": PController(20_000_000, 2_500_000),
    "utilization_curve": UtilizationCurve(0, 55_000, 155_000, 600_000),
}


def play(game, rng):
    """One random step."""
    name = rng.choice(NAMES)
    kind = rng.randrange(10)
    if kind < 3:
        side = rng.choice(((1, 0), (0, 1), (0, -1)))
        size = rng.randint(1, 50 * SIZE)
        game.market.update(name, side[0] * size, side[1] * size, rng.randint(0, 500 * UNIT), rng.choice(NAMES))
    elif kind < 5:
        maker = game.market.positions(name).maker
        game.market.update(name, MIN_INT256 if maker else 0, 0 if maker else MIN_INT256, rng.choice((0, MIN_INT256)))
    elif kind < 8:
        move = rng.choice((10_000, 100_000))
        price = None if rng.random() < 0.1 else game.market.price * (UNIT + rng.randint(-move, move)) // UNIT
        game.commit(price, rng.choice((10, 3_600)))
    elif kind < 9:
        game.market.settle(name)
    else:
        game.market.liquidate(name, caller=rng.choice(NAMES))


@settings(max_examples=60)
@given(st.integers(0, 2**64 - 1))
def test_random_games(create_game, seed):
    rng = Random(seed)
    game = create_game(**FEES)
    game.open("ann", maker=100 * SIZE, collateral=5_000 * UNIT)
    game.commit(100 * UNIT)
    for _ in range(40):
        before = game.market.snapshot()
        try:
            play(game, rng)
        except MarketError:
            assert game.market.snapshot() == before
        check_invariants(game.market)


@pytest.fixture
def game(create_game):
    game = create_game(**FEES)
    game.fill(maker=10 * SIZE, long=5 * SIZE, short=3 * SIZE)
    game.commit(101 * UNIT)
    game.open("long", taker=SIZE)
    check_invariants(game.market)
    return game


def _lend(market):
    market.accounts["long"].collateral += 10**6
    market.accounts["long"].ledger.pnl += 10**12


def _burn(market):
    market.accounts["long"].collateral -= 10**6
    market.accounts["long"].ledger.pnl -= 10**12


def _add_order(market):
    market.accounts["long"].orders.append(Order(market.oracle.current + 10))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda market: market.book.add(Side.MAKER, 1), "MAKER"),
        (lambda market: market.pending.add(Side.SHORT, 1), "pending SHORT"),
        (lambda market: setattr(market, "shortfall", 1), "shortfall"),
        (lambda market: setattr(market, "balance", market.balance - 1), "tokens"),
        (lambda market: setattr(market.fees, "donation", market.fees.donation + 10**6), "dust"),
        (lambda market: setattr(market.queue[0], "units", 1), "sums of pending version"),
        (lambda market: setattr(market.accounts["maker"].ledger, "pnl", 1), "ledger of maker"),
        (_lend, "dust"),
        (_burn, "rounding"),
        (_add_order, "pending versions"),
    ],
)
def test_what_breaks_them_is_found(game, broken, message):
    broken(game.market)
    with pytest.raises(InvariantError, match=message):
        check_invariants(game.market)


def test_the_check_changes_nothing(game):
    before = game.market.snapshot()
    check_invariants(game.market)
    assert game.market.snapshot() == before
