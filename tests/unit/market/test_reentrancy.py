"""No call of a market runs inside another one (docs/protocol.md §3.3): a token that calls back is refused."""

import pytest

from perennial.artifacts import load
from perennial.testing.anvil import NOBODY
from perennial.testing.market import refused, structs

#: Functions that neither move tokens nor settle need no lock.
UNLOCKED = {"initialize", "updateCoordinator", "updateBeneficiary", "updateReward"}
LOCKED = {
    "update",
    "settle",
    "advance",
    "liquidate",
    "claimFee",
    "claim",
    "claimReward",
    "updateRiskParameter",
    "updateParameter",
    "fill",
    "cross",
    "fillBatch",
    "crossBatch",
}


@pytest.fixture
def calling(create_market, anvil, operator):
    return create_market(token=anvil.deploy("MockCallbackToken", sender=operator))


def calldata(bench, name):
    account = bench.actors["taker"]
    risk, parameter = structs()
    intent = (10**6, 10**8, 0, NOBODY, NOBODY, 0, (account, account, bench.market, 0, 0, 2**40))
    arguments = {
        "fill": (intent, b"", 10**6, 10**8, account),
        "cross": (intent, b"", intent, b"", 10**6, 10**8),
        "fillBatch": ([], True),
        "crossBatch": ([], True),
        "update": (account, 0, 0, 0, NOBODY),
        "settle": (account,),
        "advance": (1,),
        "liquidate": (account,),
        "claimFee": (account,),
        "claim": (account, account),
        "claimReward": (account, account),
        "updateRiskParameter": (risk,),
        "updateParameter": (parameter,),
    }
    return bench.market.data(name, *arguments[name])


def test_every_function_is_either():
    functions = {
        entry["name"]
        for entry in load("IMarket").abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    assert functions == LOCKED | UNLOCKED


@pytest.mark.parametrize("name", sorted(LOCKED))
def test_deposit_does_not_let_the_token_in(calling, taker, name):
    calling.token.arm(calling.market, calldata(calling, name), sender=taker)
    with refused("Reentered"):
        calling.deposit(taker, "10")


@pytest.mark.parametrize("name", ["update", "settle", "claim"])
def test_withdrawal_does_not_let_the_token_in(calling, taker, name):
    calling.deposit(taker, "10")
    calling.token.arm(calling.market, calldata(calling, name), sender=taker)
    with refused("Reentered"):
        calling.withdraw(taker, "1")


def test_claim_does_not_let_the_token_in(calling, taker, referrer):
    calling.change_risk(takerFee="0.1")
    calling.change(referralFee="0.5", riskFee="1", positionFee="1")
    calling.fill(maker="10")
    calling.open(taker, long="1", collateral="100", referrer=referrer)
    calling.commit("100")
    calling.settle(taker)
    calling.token.arm(calling.market, calldata(calling, "settle"), sender=taker)
    with refused("Reentered"):
        calling.market.claim(referrer, referrer, sender=referrer)
    with refused("Reentered"):
        calling.market.claimFee(referrer, sender=calling.coordinator)


def test_lock_ends_with_the_call(calling, taker, anvil):
    calling.deposit(taker, "10")
    calling.withdraw(taker, "4")
    # Both in one transaction's simulation: what is transient does not outlive a call.
    data = calling.market.data("settle", taker)
    anvil.simulate([(taker, calling.market.address, data)] * 2)
    assert calling.market.collateral(taker) == 6_000_000


def test_another_market_can_be_called(calling, create_market, taker):
    other = create_market()
    calling.token.arm(other.market, calldata(other, "settle"), sender=taker)
    calling.deposit(taker, "10")
    assert calling.market.collateral(taker) == 10_000_000


def test_views_can_be_called(calling, taker):
    calling.token.arm(calling.market, calling.market.data("collateral", taker), sender=taker)
    calling.deposit(taker, "10")
    assert calling.market.collateral(taker) == 10_000_000
