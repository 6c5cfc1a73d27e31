"""The life of a market from its first deposit to its last withdrawal, the books checked after every step."""

import pytest

from perennial.amounts import raw
from perennial.testing.market import ALL, CURVE, FEES, START, refused

HOUR = 3_600


@pytest.fixture(params=[6, 8, 18], ids=lambda decimals: f"{decimals} decimals")
def costly(request, create_market):
    """A market in which everything costs something."""
    market = create_market(
        decimals=request.param,
        reward=request.param,
        **FEES,
        utilizationCurve=CURVE,
        pController={"k": "20000", "max": "2.5"},
        fundingFee="0.05",
        interestFee="0.05",
        positionFee="0.05",
        oracleFee="0.1",
        riskFee="0.5",
        settlementFee="0.5",
        referralFee="0.2",
        makerRewardRate="0.01",
    )
    market.change_protocol(protocolFee="0.1")
    return market


def test_life(costly, actors):
    bench = costly
    maker, taker, hedger, referrer = (actors[role] for role in ("maker", "taker", "hedger", "referrer"))
    keeper, stranger = actors["keeper"], actors["stranger"]
    start = {role: bench.held(account) for role, account in actors.items()}

    # Two makers provide liquidity, takers come on both sides, one of them through a referrer.
    bench.open(maker, maker="100", collateral="20000")
    bench.open(stranger, maker="20", collateral="5000")
    bench.commit("100", wait=HOUR)
    bench.check()
    bench.open(taker, long="40", collateral="500", referrer=referrer)
    bench.open(hedger, short="15", collateral="300")
    bench.commit("101.5", wait=HOUR)
    bench.check()

    # Time passes; one adds, one reduces; a version stays without a price.
    bench.open(taker, long="5")
    bench.close(hedger, "5")
    bench.expire(wait=HOUR)
    books = bench.check()
    assert books.actors["taker"].size[1] == raw("40")
    bench.commit("103.25", wait=HOUR)
    bench.settle()
    assert bench.market.collateral(taker) > raw("550")

    # A top-up by a friend, a withdrawal, an order of an operator.
    bench.deposit(hedger, "100", sender=referrer)
    bench.withdraw(taker, "20")
    bench.factory.updateOperator(actors["delegate"], True, sender=hedger)
    bench.open(hedger, short="5", sender=actors["delegate"])
    bench.commit("102", wait=HOUR)
    bench.check()

    # The price falls: the long becomes unhealthy, is liquidated, and trades again on what is left.
    bench.withdraw(taker, ALL)
    bench.commit("101.7", wait=60)
    bench.liquidate(taker)
    with refused("AccountLocked", taker, bench.version):
        bench.withdraw(taker, "1")
    bench.commit("101.6", wait=HOUR)
    bench.settle()
    assert bench.market.positions(taker)[1:] == (0, 0, 0)
    assert bench.market.claimable(keeper) == raw("5")
    bench.check()
    bench.open(taker, short="10", collateral="200")
    bench.commit("99", wait=HOUR)
    bench.check()

    # A maker leaves what takers can spare, another comes.
    bench.close(stranger)
    bench.open(keeper, maker="30", collateral="4000")
    bench.commit("98.5", wait=HOUR)
    bench.check()

    # The market closes: positions only shrink from here on, nothing accrues.
    bench.settle()
    bench.change(closed=True)
    with refused("MarketClosed"):
        bench.open(taker, short="1", collateral="100")
    for account in (taker, hedger, maker, keeper):
        bench.close(account)
    bench.commit("120", wait=HOUR)
    bench.settle()
    assert bench.market.position()[1:] == bench.market.pendingPosition()[1:] == (0, 0, 0)
    bench.check()

    # Everybody takes what is his.
    for account in (maker, taker, hedger, keeper, stranger):
        bench.withdraw(account, ALL)
        assert bench.market.collateral(account) == 0
    for account in (referrer, keeper):
        bench.market.claim(account, account, sender=account)
    for account in (actors["operator"], actors["coordinator"], actors["beneficiary"]):
        bench.market.claimFee(account, sender=account)
    oracle = bench.market.fees().oracle
    bench.oracle_factory.claimOracleFee(bench.market, actors["operator"], sender=actors["operator"])

    # What is left is the rounding dust; nobody outside has gained or lost a token.
    assert bench.market.fees() == (0, 0, 0, 0)
    assert oracle > raw("5")
    assert 0 <= bench.tokens <= 100
    assert sum(bench.held(account) for account in actors.values()) + bench.tokens == sum(start.values())
    assert bench.market.shortfall() == 0
    # 0.01 a second to the makers since the first of them settled, less what was without a maker or closed.
    rewards = sum(bench.market.rewards(account) for account in (maker, stranger, keeper))
    assert 0 < rewards <= raw("0.01") * (bench.version - START)
    bench.reward.mint(bench.market, 10**30, sender=keeper)
    bench.market.claimReward(maker, maker, sender=maker)
    assert bench.market.rewards(maker) == 0
    bench.check()


def test_bad_debt_is_named_and_can_be_repaid(costly, actors):
    """A gap beyond all collateral: the books say who owes what, and who is paid when."""
    bench = costly
    maker, taker, hedger = (actors[role] for role in ("maker", "taker", "hedger"))
    bench.open(maker, maker="100", collateral="20000")
    bench.commit("100")
    bench.open(taker, long="50", collateral="100")
    bench.commit("100")
    bench.settle()
    bench.check()

    # From 100 to 90 without a version in between.
    bench.commit("90")
    bench.settle()
    owed = -bench.market.collateral(taker)
    assert raw("400") < owed == bench.market.shortfall()
    bench.check()
    bench.liquidate(taker)
    bench.commit("90")
    bench.settle()
    owed = bench.market.shortfall()
    # The liquidator had nothing to take from the account, and took from the donation what there was.
    assert bench.market.fees().donation == 0
    bench.check()

    # The maker takes all that there is, and the rest when the debt is paid, by whomever.
    bench.close(maker)
    bench.commit("90")
    bench.settle()
    due = bench.market.collateral(maker)
    bench.withdraw(maker, ALL)
    left = bench.market.collateral(maker)
    assert 0 < left < due
    assert bench.tokens == 0
    with refused("InsufficientTokens", 0, left):
        bench.withdraw(maker, left)
    bench.deposit(taker, owed, sender=hedger)
    assert bench.market.shortfall() == 0
    bench.withdraw(maker, ALL)
    assert bench.market.collateral(maker) == 0
    bench.check()
