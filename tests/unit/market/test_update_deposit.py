"""Market.update: deposits (docs/protocol.md §5.8, §10.3). The tree of cases is test_update.tree."""

import pytest

from perennial.amounts import raw
from perennial.testing.anvil import NOBODY
from perennial.testing.market import START, event, refused

LARGEST = 2**63 - 1
"""Collateral has 64 bits."""


@pytest.mark.parametrize("decimals", [6, 8, 18])
def test_deposit_moves_the_exact_tokens(create_market, taker, decimals):
    bench = create_market(decimals=decimals)
    bench.settle()
    before = bench.token.balanceOf(taker)

    receipt = bench.deposit(taker, "123.456789")

    assert receipt.events == [event("Deposited", account=taker, sender=taker, amount="123.456789")]
    assert bench.market.collateral(taker) == raw("123.456789")
    assert bench.token.balanceOf(bench.market) == 123_456_789 * 10 ** (decimals - 6)
    assert bench.token.balanceOf(taker) == before - 123_456_789 * 10 ** (decimals - 6)
    bench.check()


def test_deposit_by_anyone_from_the_callers_tokens(pool, taker, stranger):
    before = pool.held(stranger)

    receipt = pool.deposit(taker, "7", sender=stranger)

    assert receipt.events == [event("Deposited", account=taker, sender=stranger, amount="7")]
    assert pool.market.collateral(taker) == raw("7")
    assert pool.held(stranger) == before - raw("7")
    pool.check()


def test_deposit_before_the_first_version(create_market, taker):
    bench = create_market(price=None)

    bench.deposit(taker, "7")

    assert bench.market.collateral(taker) == raw("7")
    assert bench.market.position() == (0, 0, 0, 0)
    bench.check()


def test_deposit_on_a_stale_price(pool, maker):
    pool.skip(7201)
    pool.deposit(maker, "7")
    assert pool.market.collateral(maker) == raw("10007")


def test_deposit_while_the_latest_version_is_invalid(pool, maker):
    pool.open(maker, maker="1")
    pool.expire()
    pool.deposit(maker, "7")
    assert pool.market.collateral(maker) == raw("10007")
    pool.check()


def test_deposit_is_not_checked_against_the_margin(pool, taker):
    pool.open(taker, long="1", collateral="10")
    pool.commit()
    pool.commit("95")

    pool.deposit(taker, "1")

    assert pool.market.collateral(taker) == raw("6")
    assert pool.market.liquidatable(taker)
    pool.check()


def test_deposit_repays_shortfall(pool, taker, stranger):
    pool.open(taker, long="1", collateral="10")
    pool.commit()
    pool.commit("80")
    pool.settle(taker)
    assert pool.market.shortfall() == raw("10")

    pool.deposit(taker, "4", sender=stranger)
    assert (pool.market.collateral(taker), pool.market.shortfall()) == (raw("-6"), raw("6"))
    pool.check()

    pool.deposit(taker, "7", sender=stranger)
    assert (pool.market.collateral(taker), pool.market.shortfall()) == (raw("1"), 0)
    pool.check()


def test_deposit_settles_the_account_first(pool, taker):
    pool.open(taker, long="1", collateral="100")
    pool.commit()
    version = pool.commit("110")

    receipt = pool.deposit(taker, "5")

    assert [each.name for each in receipt.events][-2:] == ["AccountSettled", "Deposited"]
    assert pool.market.collateral(taker) == raw("115")
    assert pool.market.positions(taker).timestamp == version


def test_deposit_with_an_open(pool, taker):
    receipt = pool.open(taker, long="1", collateral="10")
    assert [each.name for each in receipt.events] == ["OrderPlaced", "Deposited"]
    assert pool.market.collateral(taker) == raw("10")


def test_deposit_without_allowance(pool, taker):
    pool.token.approve(pool.market, 0, sender=taker)

    with refused("ERC20InsufficientAllowance", pool.market, 0, 7 * 10**18):
        pool.deposit(taker, "7")


def test_deposit_without_tokens(pool, taker):
    held = pool.token.balanceOf(taker)

    with refused("ERC20InsufficientBalance", taker, held, held + 10**12):
        pool.deposit(taker, held // 10**12 + 1)


def test_deposit_of_63_bits(create_market, taker, stranger):
    bench = create_market(decimals=6)
    bench.token.mint(taker, LARGEST, sender=taker)

    with refused("CollateralOverflow", LARGEST + 1):
        bench.deposit(taker, LARGEST + 1)
    bench.deposit(taker, LARGEST)
    assert bench.market.collateral(taker) == LARGEST
    with refused("CollateralOverflow", 1):
        bench.deposit(taker, 1, sender=stranger)
    with refused("CollateralOverflow", 2**255 - 1):
        bench.deposit(taker, 2**255 - 1, sender=stranger)
    bench.check()


def test_deposit_of_the_largest_amount_into_an_empty_account(pool, taker):
    with refused("CollateralOverflow", 2**255 - 1):
        pool.deposit(taker, 2**255 - 1)


def test_update_without_deltas_settles(pool, taker, stranger):
    pool.open(taker, long="1", collateral="100")
    version = pool.commit("110")

    # Anyone may: nothing of the account's is asked for.
    receipt = pool.update(taker, sender=stranger)

    assert [each.name for each in receipt.events] == ["MarketSettled", "AccountSettled"]
    assert pool.market.positions(taker) == (version, 0, raw("1"), 0)
    assert pool.update(taker, sender=stranger).events == []
    pool.check()


def test_update_without_deltas_before_the_first_version(create_market, stranger):
    bench = create_market(price=None)
    assert bench.update(stranger).events == []
    assert bench.market.positions(NOBODY) == (0, 0, 0, 0)
    bench.commit()
    assert [each["version"] for each in bench.update(stranger).named("MarketSettled")] == [START]
