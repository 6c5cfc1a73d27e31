"""Market.update: the margin of an increase (docs/protocol.md §10.1, §10.2)."""

import pytest

from perennial.amounts import raw
from perennial.testing.market import refused


@pytest.fixture
def strict(create_market):
    """Margin 20 %, maintenance 10 %, at least 10 and 5."""
    bench = create_market(margin="0.2", maintenance="0.1", minMargin="10", minMaintenance="5")
    bench.fill(maker="100", collateral="100000")
    return bench


@pytest.mark.parametrize("side", ["maker", "long", "short"])
def test_open_needs_the_margin(strict, taker, side):
    with refused("InsufficientMargin", 40_000_000 - 1, "40"):
        strict.open(taker, **{side: "2"}, collateral=40_000_000 - 1)
    strict.open(taker, **{side: "2"}, collateral="40")
    assert strict.market.requirement(taker) == (raw("40"), raw("40"), 0)
    strict.check()


def test_open_needs_the_least_margin(strict, taker):
    with refused("InsufficientMargin", 10_000_000 - 1, "10"):
        strict.open(taker, long=1, collateral=10_000_000 - 1)
    strict.open(taker, long=1, collateral="10")


def test_margin_is_rounded_up(create_market, taker):
    bench = create_market(margin="0.2", maintenance="0.1", minMargin="0", minMaintenance="0", minLiquidationFee="0")
    bench.fill(maker="100", collateral="100000")

    # 0.000001 · 100 · 0.2 = 0.00002; at 2.5 margin is 0.0000005, maintenance half of that.
    bench.open(taker, long=1, collateral=20)
    bench.commit("2.5")
    bench.settle(taker)
    assert bench.market.requirement(taker) == (20, 1, 1)


def test_open_needs_the_margin_of_settled_and_pending_sizes(strict, taker):
    strict.open(taker, long="1", collateral="20")
    strict.commit()
    strict.open(taker, long="1", collateral="20")
    strict.skip()

    with refused("InsufficientMargin", "40", "60"):
        strict.open(taker, long="1")
    strict.open(taker, long="1", collateral="20")
    strict.check()


def test_open_needs_the_margin_without_counting_closes(strict, taker):
    strict.open(taker, long="1", collateral="20")
    strict.commit()
    strict.close(taker)

    with refused("InsufficientMargin", "20", "40"):
        strict.open(taker, long="1")
    strict.open(taker, long="1", collateral="20")


def test_open_is_checked_at_the_latest_price(strict, taker):
    strict.open(taker, long="1", collateral="20")
    strict.commit("100")
    strict.commit("200")

    # Gained 100; 2 at 200 need 80.
    strict.open(taker, long="1")
    with refused("InsufficientMargin", "120", 120_000_000 + 40):
        strict.open(taker, long="1.000001")
    strict.open(taker, long="1")
    strict.check()


def test_open_counts_its_own_fees(strict, taker):
    strict.change_risk(takerFee="0.01")
    strict.change(settlementFee="1.5")

    # Margin 20, position fee 1, settlement fee 1.5.
    with refused("InsufficientMargin", 20_000_000 - 1, "20"):
        strict.open(taker, long="1", collateral=22_500_000 - 1)
    strict.open(taker, long="1", collateral="22.5")
    strict.commit()
    strict.settle(taker)
    assert strict.market.collateral(taker) == raw("20")
    strict.check()


def test_pending_fees_are_valued_at_the_latest_price(strict, taker):
    strict.change_risk(takerFee="0.01")
    strict.open(taker, long="1", collateral="100")
    strict.open(taker, long="1")
    assert strict.market.requirement(taker).effectiveCollateral == raw("98")

    strict.freshen("200")
    strict.settle(taker)
    assert strict.market.requirement(taker) == (raw("96"), raw("80"), 0)


def test_account_is_not_liquidatable_right_after_what_was_accepted(strict, taker, keeper):
    strict.open(taker, long="1", collateral="20")
    with refused("NotLiquidatable", "20", 0):
        strict.liquidate(taker, sender=keeper)
    strict.commit()
    with refused("NotLiquidatable", "20", "10"):
        strict.liquidate(taker, sender=keeper)


def test_order_and_deposit_are_checked_together(strict, taker):
    strict.open(taker, long="1", collateral="20")
    strict.commit()
    strict.commit("95")

    # 15 are left: an open of a further unit needs 38.
    with refused("InsufficientMargin", 38_000_000 - 1, "38"):
        strict.open(taker, long="1", collateral=23_000_000 - 1)
    strict.open(taker, long="1", collateral="23")


def test_margin_of_a_negative_price_is_of_its_magnitude(create_market, protocol, operator, taker, anvil):
    negated = anvil.contract("PayoffFactory", protocol.payoff_factory)
    negated.create(2, 10**18, True, sender=operator)
    bench = create_market(payoff=negated.addressOf(2, 10**18, True), margin="0.2", maintenance="0.1")
    bench.fill(maker="100", collateral="100000")
    assert bench.market.price() == raw("-100")

    with refused("InsufficientMargin", 40_000_000 - 1, "40"):
        bench.open(taker, long="2", collateral=40_000_000 - 1)
    bench.open(taker, long="2", collateral="40")
    bench.commit("100")
    # The payoff falls from -100 to -110.
    bench.commit("110")
    bench.settle(taker)
    assert bench.market.collateral(taker) == raw("20")
    assert bench.market.requirement(taker) == (raw("20"), raw("44"), raw("22"))
    bench.check()
