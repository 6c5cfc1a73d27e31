"""A quote says what happens then."""

import pytest

from perennial.mirror import errors
from perennial.mirror.fixed import UNIT
from perennial.mirror.parameters import PController, UtilizationCurve
from perennial.mirror.quote import liquidation_prices, project, quote_order

SIZE = 1_000_000


@pytest.fixture
def game(create_game):
    """Maker 10, long 5, short 3, with fees and rates."""
    game = create_game()
    game.fill(maker=10 * SIZE, long=5 * SIZE, short=3 * SIZE)
    game.change_risk(
        taker_fee=200,
        taker_skew_fee=1_000,
        taker_impact_fee=1_000,
        p_controller=PController(20_000_000_000, 2_500_000),
        utilization_curve=UtilizationCurve(0, 55_000, 155_000, 600_000),
    )
    game.change(settlement_fee=1_500_000)
    return game


def test_order(game):
    before = game.market.snapshot()
    requested = list(game.oracle.requested)
    quote = quote_order(game.market, "taker", taker_delta=SIZE, collateral_delta=20 * UNIT)
    assert (quote.version, quote.price, quote.rate) == (game.oracle.current, 100 * UNIT, 400_000_000)
    assert (quote.fee, quote.settlement_fee) == (40_000, 1_500_000)
    assert quote.skew == (400_000, 500_000)
    assert quote.utilization == (384_615, 461_538)
    assert quote.effective_collateral == 20 * UNIT - 1_540_000
    assert quote.margin == 10 * UNIT
    assert game.market.snapshot() == before
    assert game.oracle.requested == requested

    game.market.update("taker", taker_delta=SIZE, collateral_delta=20 * UNIT)
    game.commit(100 * UNIT)
    game.market.settle("taker")
    assert game.market.collateral("taker") == quote.effective_collateral


def test_second_order_at_a_version_is_quoted_for_what_it_adds(game):
    game.market.update("taker", taker_delta=SIZE, collateral_delta=100 * UNIT)
    quote = quote_order(game.market, "taker", taker_delta=SIZE)
    assert (quote.fee, quote.settlement_fee) == (108_572 - 40_000, 0)


def test_a_refused_order_is_refused_in_the_quote(game):
    with pytest.raises(errors.InsufficientMargin):
        quote_order(game.market, "taker", taker_delta=SIZE, collateral_delta=UNIT)
    assert "taker" not in game.market.accounts


@pytest.mark.parametrize(("account", "taker"), [("up", SIZE), ("down", -SIZE)])
def test_liquidation_price_is_exact(create_game, account, taker):
    game = create_game(margin=50_000, maintenance=40_000, min_margin=0, min_maintenance=0, min_liquidation_fee=0)
    game.open("maker", maker=10 * SIZE)
    game.open(account, taker=taker, collateral=10 * UNIT)
    game.commit(100 * UNIT)
    game.market.settle(account)
    below, above = liquidation_prices(game.market, account)
    price = below if taker > 0 else above
    assert (above if taker > 0 else below) is None
    assert price is not None
    healthy = price + 1 if taker > 0 else price - 1

    game.commit(healthy)
    game.market.settle(account)
    assert not game.market.liquidatable(account)
    game.commit(price)
    game.market.settle(account)
    assert game.market.liquidatable(account)
    assert liquidation_prices(game.market, account) == (price, price)


def test_makers_have_a_price_on_either_side_if_any(game):
    assert liquidation_prices(game.market, "nobody") == (None, None)
    below, above = liquidation_prices(game.market, "maker")
    assert below is None
    assert above is not None
    assert above > 100 * UNIT


def test_projection_is_what_time_brings(game):
    date = game.market.timestamp + 86_400
    expected = {name: project(game.market, name, date) for name in ("maker", "long", "short")}
    assert expected["long"].pnl == 0
    game.oracle.current = date
    before = {name: game.market.accounts[name].ledger.funding for name in expected}
    game.commit(100 * UNIT)
    for name, projection in expected.items():
        game.market.settle(name)
        ledger = game.market.accounts[name].ledger
        assert ledger.funding - before[name] == projection.funding != 0
        assert ledger.interest == projection.interest != 0
        assert projection.rate == game.market.funding_rate12
    assert project(game.market, "long", date + 1, 101 * UNIT).pnl == 5 * 10**12
