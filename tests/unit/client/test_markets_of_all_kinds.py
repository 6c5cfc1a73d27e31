"""Markets that differ from the usual: without a price yet, through a payoff, of another token, with rewards, paused."""

from decimal import Decimal

import pytest

from perennial.client import InputError, OrderState, Refused


@pytest.fixture
def of(connect, create_market):
    """The client's market of a bench with these changes."""

    def of(**changes):
        bench = create_market(**changes)
        return bench, connect(bench).market("BTC-USD")

    return of


@pytest.fixture
def squared(of, protocol, operator, anvil):
    """A market that follows a thousandth of the square of a price of 100: 10."""
    factory = anvil.contract("PayoffFactory", protocol.payoff_factory)
    event = factory.create(4, 10**15, False, sender=operator).events[-1]
    return of(payoff=event.values["payoff"])


def test_before_the_first_price(of, taker):
    bench, market = of(price=None)
    info = market.info()
    assert (info.price, info.tradable, info.reason) == (0, False, "there is no price yet")
    assert market.deposit(taker, "100").collateral == 100
    assert market.position(taker).collateral == 100
    with pytest.raises(InputError, match="the market has no price yet: give the size in units"):
        market.open(taker, "long", usd="10")
    with pytest.raises(Refused, match="StalePrice"):
        market.open(taker, "long", "1")
    assert market.withdraw(taker).collateral == 0
    assert market.orders(taker) == ()
    assert bench.held(bench.market) == 0


def test_through_a_payoff(squared, maker, taker):
    bench, market = squared
    bench.open(maker, maker="100", collateral="10000")
    bench.commit("100")
    assert market.info().price == 10
    placed = market.open(taker, "long", usd="50", collateral="100")
    assert placed.opened == 5
    bench.commit("200")
    (order,) = market.orders(taker)
    assert (order.state, order.price) == (OrderState.PRICED, 40)
    market.settle(taker)
    bench.commit("210")
    assert market.position(taker).price == Decimal("44.1")
    assert market.position(taker).collateral == 100 + 5 * Decimal("4.1")


def test_a_price_that_the_payoff_does_not_take(squared, maker, taker):
    bench, market = squared
    bench.open(maker, maker="100", collateral="10000")
    bench.commit("100")
    market.open(taker, "long", "5", collateral="100")
    bench.commit("0.000001")
    (order,) = market.orders(taker)
    assert order.state == OrderState.CANCELLED
    assert order.reason == "invalid version: the market's payoff has no value at the oracle's price"
    assert market.position(taker).pending_size == 0


@pytest.mark.parametrize("decimals", [6, 8, 18])
def test_another_token(of, taker, decimals):
    bench, market = of(decimals=decimals)
    market.deposit(taker, "12.345678")
    assert bench.token.balanceOf(bench.market) == 12_345_678 * 10 ** (decimals - 6)


def test_rewards(of, maker, operator):
    bench, market = of(reward=18, makerRewardRate="0.5")
    bench.open(maker, maker="10", collateral="1000")
    bench.commit("100")
    bench.commit("100", wait=100)
    bench.reward.mint(bench.market, 10**24, sender=operator)
    bench.settle(maker)
    due = market.position(maker).rewards
    assert due == 5
    claimed = market.claim(maker)
    assert (claimed.credits, claimed.rewards) == (0, due)
    assert market.history(maker).entries[-1].kind == "reward"


def test_paused(of, operator, taker):
    bench, market = of()
    bench.factory.updatePauser(operator, sender=operator)
    market.deposit(taker, "10")
    bench.factory.pause(sender=operator)
    assert market.info().reason == "the protocol is paused"
    assert market.position(taker).collateral == 10
    with pytest.raises(Refused, match="MarketPaused: The protocol is paused"):
        market.withdraw(taker)


def test_closed(of, maker, taker):
    bench, market = of()
    bench.open(maker, maker="10", collateral="1000")
    bench.commit("100")
    bench.change(closed=True)
    assert market.info().reason == "the market is closed: positions may only shrink"
    with pytest.raises(Refused, match="MarketClosed"):
        market.open(taker, "long", "1", collateral="100")
    assert market.close(maker).closed == 10


def test_a_fee_that_has_changed_since(of, taker):
    """An order keeps the settlement fee that it was placed with; one that joins it later has its own."""
    bench, market = of(settlementFee="1")
    bench.open(bench.actors["maker"], maker="10", collateral="1000")
    bench.commit("100")
    market.open(taker, "long", "1", collateral="1000")
    bench.change(settlementFee="3")
    assert market.position(taker).effective_collateral == 999
    bench.open(bench.actors["hedger"], short="1", collateral="1000")
    assert market.position(bench.actors["hedger"]).effective_collateral == 997
    bench.commit("100")
    assert market.position(taker).collateral == 999
    assert market.position(bench.actors["hedger"]).collateral == 997
