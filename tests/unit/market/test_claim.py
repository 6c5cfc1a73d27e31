"""Market.claim: referral and liquidation credits (docs/protocol.md §6.3, §10.5)."""

import pytest

from perennial.amounts import raw
from perennial.testing.market import event, refused


@pytest.fixture
def credited(create_market, taker, referrer):
    """The referrer has 2 to claim."""

    def create(decimals=18):
        bench = create_market(decimals=decimals, takerFee="0.1", referralFee="0.2")
        bench.fill(maker="100")
        bench.open(taker, long="1", collateral="100", referrer=referrer)
        bench.commit("100")
        bench.settle(taker)
        assert bench.market.claimable(referrer) == raw("2")
        return bench

    return create


@pytest.mark.parametrize("decimals", [6, 8, 18])
def test_claim_pays_the_exact_tokens(credited, referrer, stranger, decimals):
    bench = credited(decimals)
    before = bench.token.balanceOf(stranger)
    assert bench.market.read("claim", referrer, stranger, sender=referrer) == raw("2")

    receipt = bench.market.claim(referrer, stranger, sender=referrer)

    assert receipt.events == [event("Claimed", account=referrer, receiver=stranger, amount="2")]
    assert bench.token.balanceOf(stranger) == before + raw("2") * 10 ** (decimals - 6)
    assert bench.market.claimable(referrer) == 0
    bench.check()


def test_claim_by_an_operator(credited, referrer, delegate):
    bench = credited()
    bench.factory.updateOperator(delegate, True, sender=referrer)
    before = bench.held(delegate)

    bench.market.claim(referrer, delegate, sender=delegate)

    assert bench.held(delegate) == before + raw("2")


def test_claim_by_a_stranger(credited, referrer, stranger):
    bench = credited()
    with refused("NotOperator", referrer, stranger):
        bench.market.claim(referrer, stranger, sender=stranger)


def test_claim_by_the_owner_is_that_of_a_stranger(credited, referrer, operator):
    bench = credited()
    with refused("NotOperator", referrer, operator):
        bench.market.claim(referrer, operator, sender=operator)


def test_claim_of_nothing(bench, stranger):
    receipt = bench.market.claim(stranger, stranger, sender=stranger)
    assert receipt.events == [event("Claimed", account=stranger, receiver=stranger, amount=0)]


def test_claim_twice(credited, referrer):
    bench = credited()
    bench.market.claim(referrer, referrer, sender=referrer)
    assert bench.market.claim(referrer, referrer, sender=referrer).events[0].values["amount"] == 0
    bench.check()


def test_claim_that_the_market_cannot_pay(create_market, taker, maker, referrer):
    bench = create_market(takerFee="0.1", referralFee="1")
    bench.fill(maker="10", collateral="100")
    bench.open(taker, long="1", collateral="20", referrer=referrer)
    bench.commit("100")
    bench.commit("40")
    bench.settle(taker, maker)
    bench.close(maker)
    bench.commit("40")
    bench.withdraw(maker, "115")
    assert (bench.market.claimable(referrer), bench.tokens) == (raw("10"), raw("5"))

    with refused("InsufficientTokens", "5", "10"):
        bench.market.claim(referrer, referrer, sender=referrer)
    assert bench.market.claimable(referrer) == raw("10")
    bench.check()


def test_claim_needs_no_price_and_no_open_market(credited, referrer):
    bench = credited()
    bench.change(closed=True)
    bench.skip(100_000)
    bench.market.claim(referrer, referrer, sender=referrer)
    assert bench.market.claimable(referrer) == 0


def test_claim_in_a_pause(credited, operator, keeper, referrer):
    bench = credited()
    bench.factory.updatePauser(keeper, sender=operator)
    bench.factory.pause(sender=keeper)
    with refused("MarketPaused"):
        bench.market.claim(referrer, referrer, sender=referrer)
    bench.factory.unpause(sender=keeper)
    bench.market.claim(referrer, referrer, sender=referrer)
