"""Market.update: withdrawals (docs/protocol.md §5.8, §10.2, §10.3, §10.6). The tree of cases is test_update.tree."""

import pytest

from perennial.amounts import raw
from perennial.testing.market import ALL, event, refused


@pytest.mark.parametrize("decimals", [6, 8, 18])
def test_withdrawal_moves_the_exact_tokens(create_market, taker, decimals):
    bench = create_market(decimals=decimals)
    bench.deposit(taker, "200")
    before = bench.token.balanceOf(taker)

    receipt = bench.withdraw(taker, "123.456789")

    assert receipt.events == [event("Withdrawn", account=taker, receiver=taker, amount="123.456789")]
    assert bench.market.collateral(taker) == raw("76.543211")
    assert bench.token.balanceOf(taker) == before + 123_456_789 * 10 ** (decimals - 6)
    assert bench.token.balanceOf(bench.market) == 76_543_211 * 10 ** (decimals - 6)
    bench.check()


def test_withdrawal_by_a_stranger(pool, maker, stranger):
    with refused("NotOperator", maker, stranger):
        pool.withdraw(maker, "1", sender=stranger)
    with refused("NotOperator", maker, stranger):
        pool.withdraw(maker, ALL, sender=stranger)


def test_withdrawal_by_an_operator_goes_to_the_operator(pool, maker, delegate):
    pool.factory.updateOperator(delegate, True, sender=maker)
    before = pool.held(delegate)

    receipt = pool.withdraw(maker, "7", sender=delegate)

    assert receipt.events == [event("Withdrawn", account=maker, receiver=delegate, amount="7")]
    assert pool.held(delegate) == before + raw("7")
    assert pool.market.collateral(maker) == raw("9993")
    pool.check()


def test_withdrawal_of_more_than_the_collateral(pool, taker):
    pool.deposit(taker, "10")

    with refused("InsufficientCollateral", "10", 10_000_001):
        pool.withdraw(taker, 10_000_001)
    with refused("InsufficientCollateral", "10", 2**255 - 1):
        pool.withdraw(taker, 2**255 - 1)
    pool.withdraw(taker, "10")
    assert pool.market.collateral(taker) == 0
    pool.check()


def test_withdrawal_from_an_account_below_zero(pool, taker):
    pool.open(taker, long="1", collateral="10")
    pool.commit()
    pool.commit("80")

    with refused("InsufficientCollateral", "-10", 1):
        pool.withdraw(taker, 1)
    with refused("InsufficientCollateral", "-10", 2**255 - 1):
        pool.withdraw(taker, 2**255 - 1)
    # The most that is accepted is nothing, which is no withdrawal.
    pool.withdraw(taker, ALL)
    assert pool.market.collateral(taker) == raw("-10")
    pool.check()


def test_withdrawal_leaves_the_margin_of_the_settled_size(pool, taker):
    # 10 at 200: margin 0.0095 · 2000 = 19.
    pool.open(taker, long="10", collateral="100")
    pool.commit("200")

    with refused("InsufficientMargin", 19_000_000 - 1, "19"):
        pool.withdraw(taker, 81_000_001)
    pool.withdraw(taker, "81")
    assert pool.market.collateral(taker) == raw("19")
    pool.check()


def test_withdrawal_leaves_the_margin_of_pending_opens(pool, taker):
    pool.open(taker, long="10", collateral="100")
    pool.commit("200")
    pool.open(taker, long="10")

    with refused("InsufficientMargin", 38_000_000 - 1, "38"):
        pool.withdraw(taker, 62_000_001)
    pool.withdraw(taker, "62")


def test_withdrawal_leaves_the_margin_of_what_pending_closes_have_not_closed_yet(pool, taker):
    pool.open(taker, long="10", collateral="100")
    pool.commit("200")
    pool.close(taker)

    with refused("InsufficientMargin", 19_000_000 - 1, "19"):
        pool.withdraw(taker, 81_000_001)
    pool.commit("200")
    pool.withdraw(taker, "100")
    assert pool.market.collateral(taker) == 0
    pool.check()


def test_withdrawal_leaves_the_fees_of_pending_orders(create_market, taker):
    bench = create_market(takerFee="0.001", settlementFee="1.5")
    bench.fill(maker="100")
    bench.open(taker, long="10", collateral="100")

    # Margin 10 (the least), fees 10 · 100 · 0.001 + 1.5.
    with refused("InsufficientMargin", 10_000_000 - 1, "10"):
        bench.withdraw(taker, 87_500_001)
    bench.withdraw(taker, "87.5")
    bench.commit()
    bench.settle(taker)
    assert bench.market.collateral(taker) == raw("10")
    bench.check()


def test_withdrawal_of_the_most_that_is_accepted(pool, taker):
    pool.open(taker, long="10", collateral="100")
    pool.commit("200")

    receipt = pool.withdraw(taker, ALL)

    assert receipt.named("Withdrawn")[0]["amount"] == raw("81")
    assert pool.market.collateral(taker) == raw("19")
    assert pool.withdraw(taker, ALL).events == []
    with refused("InsufficientMargin", 19_000_000 - 1, "19"):
        pool.withdraw(taker, 1)
    pool.check()


def test_withdrawal_of_the_most_below_the_margin_is_nothing(pool, taker):
    pool.open(taker, long="10", collateral="10")
    pool.commit()
    pool.commit("99.9")

    receipt = pool.withdraw(taker, ALL)

    # Nothing is withdrawn, so nothing is checked: the account is below its margin of 10.
    assert receipt.named("Withdrawn") == []
    assert pool.market.collateral(taker) == raw("9")
    pool.check()


def test_withdrawal_of_the_most_together_with_an_open(pool, taker):
    pool.open(taker, long="10", collateral="100")
    receipt = pool.open(taker, long="10", collateral=ALL)

    assert receipt.named("Withdrawn")[0]["amount"] == raw("81")
    pool.commit()
    pool.check()


def test_withdrawal_of_all_from_an_account_without_a_position(pool, taker):
    pool.deposit(taker, "10")
    pool.withdraw(taker, ALL)
    assert pool.market.collateral(taker) == 0
    pool.check()


def test_withdrawal_before_the_first_version(create_market, taker):
    bench = create_market(price=None)
    bench.deposit(taker, "10")

    bench.withdraw(taker, "4")
    bench.withdraw(taker, ALL)

    assert bench.market.collateral(taker) == 0
    bench.check()


def test_withdrawal_on_a_stale_price(pool, maker, taker):
    pool.deposit(taker, "10")
    latest = pool.oracle.status().latest.timestamp
    pool.skip(7200)

    with refused("StalePrice", latest, pool.version):
        pool.withdraw(maker, "1")
    assert pool.withdraw(maker, ALL).events == []
    # An account without a position needs no price.
    pool.withdraw(taker, "10")
    pool.check()


def test_withdrawal_on_a_stale_price_with_pending_orders_alone(pool, taker):
    pool.open(taker, long="1", collateral="100")
    latest = pool.oracle.status().latest.timestamp
    pool.skip(7200)

    with refused("StalePrice", latest, pool.version):
        pool.withdraw(taker, "1")
    assert pool.withdraw(taker, ALL).events == []


def test_withdrawal_while_the_latest_version_is_invalid(pool, maker, taker):
    pool.deposit(taker, "10")
    pool.open(maker, maker="1")
    version = pool.expire()

    with refused("StalePrice", version, pool.version):
        pool.withdraw(maker, "1")
    pool.withdraw(taker, "10")
    pool.commit()
    pool.withdraw(maker, "1")
    pool.check()


def test_withdrawal_that_the_market_cannot_pay(pool, maker, taker):
    pool.open(taker, long="10", collateral="10")
    pool.commit()
    pool.commit("50")
    pool.settle(taker)
    # The taker owes 490 that the maker has gained: 10,010 tokens against 10,500.
    pool.close(maker)
    pool.commit("50")
    pool.settle(maker)
    assert pool.market.collateral(maker) == raw("10500")

    with refused("InsufficientTokens", "10010", 10_010_000_001):
        pool.withdraw(maker, 10_010_000_001)
    assert pool.market.collateral(maker) == raw("10500")

    # The most that is accepted is what the market has.
    receipt = pool.withdraw(maker, ALL)
    assert receipt.named("Withdrawn")[0]["amount"] == raw("10010")
    assert pool.market.collateral(maker) == raw("490")
    pool.check()

    pool.deposit(taker, "490")
    pool.withdraw(maker, ALL)
    assert pool.market.collateral(maker) == 0
    pool.check()


def test_withdrawal_does_not_take_what_was_transferred_directly(pool, taker, stranger):
    pool.token.transfer(pool.market, 10**18, sender=stranger)
    pool.deposit(taker, "10")

    with refused("InsufficientCollateral", "10", "11"):
        pool.withdraw(taker, "11")
    pool.check(gift="1")


def test_withdrawal_rounds_fractions_of_the_market_tokens_down(create_market, taker, stranger):
    bench = create_market(decimals=8)
    bench.deposit(taker, "10")
    bench.token.transfer(bench.market, 99, sender=stranger)

    bench.withdraw(taker, ALL)

    assert bench.token.balanceOf(bench.market) == 99
