"""Every worked number of docs/protocol.md, reached the way a user would reach it."""

from collections.abc import Callable
from typing import Any

import pytest

from perennial.mirror import interest
from perennial.mirror.fees import Fees
from perennial.mirror.margin import liquidation_fee, maintenance
from perennial.mirror.parameters import PController, UtilizationCurve

FEES = {
    "taker_fee": 200,
    "taker_skew_fee": 1_000,
    "taker_impact_fee": 1_000,
    "maker_fee": 100,
    "maker_impact_fee": 1_000,
}
CONTROLLER = PController(20_000_000_000, 2_500_000)
CURVE = UtilizationCurve(0, 55_000, 155_000, 600_000)
HOUR, DAY = 3_600, 86_400


def gains(game, accounts=("long", "short", "maker")):
    """Ledgers' changes of an interval, USD with 12 decimals, as functions of the name of the part."""
    return {name: game.market.accounts[name].ledger for name in accounts}


def settle_all(game):
    for name in list(game.market.accounts):
        game.market.settle(name)


@pytest.fixture
def book(create_game: Callable[..., Any]):
    """Maker 10, long 5, short 3, settled without fees; then the fees of the examples."""

    def create(**changes):
        game = create_game()
        game.fill(maker=10_000_000, long=5_000_000, short=3_000_000)
        game.change_risk(**FEES, **changes)
        return game

    return create


@pytest.mark.parametrize(
    ("virtual_taker", "size", "rate", "fee"),
    [
        pytest.param(0, 1_000_000, 400_000_000, 40_000, id="long 1: skew 0.4 to 0.5"),
        pytest.param(0, -2_000_000, 200_000_000, 40_000, id="short 2: skew 0.4 to 0"),
        # The exact 0.000308333 with skews of 6 decimals: 0.0002 + 2 · 0.001 · (0.187500 - 0.133333)
        pytest.param(10_000_000, 1_000_000, 308_334_000, 30_834, id="virtual taker 10: skew 2/15 to 3/16"),
    ],
)
def test_taker_fee(book, virtual_taker, size, rate, fee):
    game = book(virtual_taker=virtual_taker)
    game.open("taker", taker=size)
    assert game.market.accounts["taker"].orders[0].rate == rate

    before = game.market.collateral("taker")
    game.commit(100_000_000)
    game.market.settle("taker")
    assert before - game.market.collateral("taker") == fee


def test_taker_fee_follows_the_version_price(book):
    game = book()
    game.open("taker", taker=1_000_000)
    game.commit(110_000_000)
    game.market.settle("taker")
    assert 10**12 - game.market.collateral("taker") == 44_000


def test_maker_fee(book):
    game = book()
    game.market.update("maker", maker_delta=-5_000_000)
    # 0.000340384615… with utilizations of 6 decimals: 0.384615 and 0.625000
    assert game.market.accounts["maker"].orders[0].rate == 340_385_000


def test_two_orders_at_one_version_pay_as_one(book):
    game = book()
    game.open("taker", taker=1_000_000)
    assert game.market.accounts["taker"].units == 400_000_000  # 0.04 at 100
    game.open("taker", taker=1_000_000)
    assert game.market.accounts["taker"].orders[0].change == 171_428
    # 2 · (0.0002 + 0.171428 · 0.002) · 100 = 0.1085712
    assert game.market.accounts["taker"].units == 1_085_712_000


@pytest.fixture
def funded(create_game: Callable[..., Any]):
    """Long 6, short 3, maker 10 at a price of 100, settled, then the controller of the examples."""

    def create(maker=10_000_000, **changes):
        game = create_game()
        game.fill(maker=maker, long=6_000_000, short=3_000_000)
        game.change_risk(**changes)
        return game

    return create


def run(game, seconds, price=100_000_000):
    """Lets time pass at a price and settles all."""
    game.oracle.current = game.oracle.latest.timestamp + seconds
    game.commit(price)
    settle_all(game)


def test_funding_without_fee(funded):
    game = funded(p_controller=CONTROLLER)
    run(game, HOUR)
    assert game.market.funding_rate12 == 90_000_000_000
    ledgers = gains(game)
    assert ledgers["long"].funding // 1000 == -3_082_192
    assert ledgers["short"].funding // 1000 == 1_541_095
    assert ledgers["maker"].funding // 1000 == 1_541_095


def test_funding_with_fee(funded):
    game = funded(p_controller=CONTROLLER)
    game.change(funding_fee=50_000)
    run(game, HOUR)
    ledgers = gains(game)
    assert ledgers["long"].funding // 1000 == -3_159_247
    assert ledgers["short"].funding // 1000 == 1_502_568
    assert ledgers["maker"].funding // 1000 == 1_502_568
    assert game.market.fees.undistributed == 154  # 0.000154110, rounded down to 6 decimals


def test_funding_that_rises_to_zero(funded):
    game = funded(p_controller=CONTROLLER)
    game.change(funding_fee=50_000)
    game.market.funding_rate12 = -90_000_000_000
    run(game, HOUR)
    assert game.market.funding_rate12 == 0
    ledgers = gains(game)
    assert ledgers["long"].funding // 1000 == 3_005_136
    assert -(-ledgers["short"].funding // 1000) == -1_579_623
    assert -(-ledgers["maker"].funding // 1000) == -1_579_623


def test_funding_reaches_its_bound(funded):
    game = funded(p_controller=CONTROLLER)
    game.market.funding_rate12 = 10**12
    run(game, DAY)
    assert game.market.funding_rate12 == 2_500_000_000_000
    assert -gains(game)["long"].funding // 1000 == 3_253_424_657


def test_interest(funded):
    game = funded(utilization_curve=CURVE)
    game.change(interest_fee=50_000)
    run(game, DAY)
    ledgers = gains(game)
    assert -ledgers["long"].interest // 1000 == 69_546_891
    assert -ledgers["short"].interest // 1000 == 34_773_445
    assert ledgers["maker"].interest // 1000 == 99_104_320
    assert game.market.fees.undistributed == 5_216


def test_interest_rate_at_the_utilization_of_the_example():
    assert interest.rate(10**12 * 6 // 13, CURVE) == 42_307_692_307


def test_interest_with_utilization_above_one(funded):
    game = funded(maker=2_000_000, utilization_curve=CURVE)
    run(game, DAY)
    ledgers = gains(game)
    assert ledgers["maker"].interest // 1000 == 84_931_506
    assert interest.rate(10**12, CURVE) == 155_000_000_000


def test_profit_is_socialized(funded):
    game = funded(maker=2_000_000)
    run(game, 10, price=110_000_000)
    ledgers = gains(game)
    # Covered longs are 5 of 6; a unit gains 8.333…, rounded down, so 6 units lack 2 of the last of 12 decimals.
    assert ledgers["long"].pnl == 50 * 10**12 - 2
    assert game.market.collateral("long") == 10**12 + 49_999_999
    assert game.market.collateral("short") == 10**12 - 30_000_000
    assert game.market.collateral("maker") == 10**12 - 20_000_000


def test_split_of_fees(create_game):
    parameter = create_game(oracle_fee=200_000, risk_fee=500_000).market.parameter
    fees = Fees(undistributed=100_000_000, settlement=1_500_000, protocol_fee=100_000)
    assert fees.after_split(parameter) == (10_000_000, 19_500_000, 45_000_000, 27_000_000)


@pytest.mark.parametrize(
    ("size", "price", "required", "fee"),
    [
        pytest.param(5_000_000, 100_000_000, 10_000_000, 5_000_000, id="5 at 100"),
        pytest.param(200_000_000, 3_000_000_000, 4_800_000_000, 25_000_000, id="200 at 3,000"),
    ],
)
def test_maintenance_and_liquidation_fee(create_game, size, price, required, fee):
    risk = create_game().market.risk
    assert maintenance(size, price, risk) == required
    assert liquidation_fee(size, price, risk) == fee


def test_donation_pays_what_the_liquidated_account_lacks(create_game):
    game = create_game(price=3_000_000_000)
    game.open("maker", maker=300_000_000)
    game.market.update("long", taker_delta=200_000_000, collateral_delta=5_700_000_000)
    game.commit(3_000_000_000)
    game.commit(2_990_000_000)
    game.market.fees.undistributed = 10_000_000
    game.market.receive(10_000_000)
    game.market.liquidate("long", caller="liquidator")
    assert game.market.accounts["long"].liquidation.fee == 25_000_000

    # 5,700 - 200 · 28.41 = 18 are left when the close settles.
    game.commit(2_971_590_000)
    game.market.settle("long")
    assert game.market.claimable("liquidator") == 25_000_000
    assert game.market.collateral("long") == 0
    assert game.market.fees.donation == 3_000_000


def test_donation_pays_only_what_it_has(create_game):
    game = create_game(price=3_000_000_000)
    game.open("maker", maker=300_000_000)
    game.market.update("long", taker_delta=200_000_000, collateral_delta=5_700_000_000)
    game.commit(3_000_000_000)
    game.commit(2_990_000_000)
    game.market.fees.undistributed = 4_000_000
    game.market.receive(4_000_000)
    game.market.liquidate("long", caller="liquidator")
    game.commit(2_971_590_000)
    game.market.settle("long")
    assert game.market.claimable("liquidator") == 22_000_000
    assert game.market.collateral("long") == 0
    assert game.market.fees.donation == 0
