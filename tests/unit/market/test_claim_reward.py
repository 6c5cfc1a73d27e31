"""Market.claimReward: reward tokens as far as there are any (docs/protocol.md §7.4)."""

import pytest

from perennial.amounts import raw
from perennial.testing.market import event, refused


@pytest.fixture
def rewarded(create_market, maker):
    """The maker has 100 reward tokens to claim, the market has none."""

    def create(decimals=18):
        bench = create_market(reward=decimals, makerRewardRate="10")
        bench.fill(maker="10")
        bench.commit("100")
        bench.settle(maker)
        assert bench.market.rewards(maker) == raw("100")
        return bench

    return create


def endow(bench, amount):
    bench.reward.mint(bench.market, amount, sender=bench.operator)


@pytest.mark.parametrize("decimals", [6, 8, 18])
def test_claim_pays_the_exact_tokens(rewarded, maker, stranger, decimals):
    bench = rewarded(decimals)
    scale = 10 ** (decimals - 6)
    endow(bench, raw("150") * scale)
    assert bench.market.read("claimReward", maker, stranger, sender=maker) == raw("100")

    receipt = bench.market.claimReward(maker, stranger, sender=maker)

    assert receipt.events == [event("RewardClaimed", account=maker, receiver=stranger, amount="100")]
    assert bench.reward.balanceOf(stranger) == raw("100") * scale
    assert bench.reward.balanceOf(bench.market) == raw("50") * scale
    assert bench.market.rewards(maker) == 0
    bench.check()


def test_claim_pays_what_is_there(rewarded, maker):
    bench = rewarded()
    endow(bench, raw("30") * 10**12 + 999)

    receipt = bench.market.claimReward(maker, maker, sender=maker)

    assert receipt.events == [event("RewardClaimed", account=maker, receiver=maker, amount="30")]
    assert bench.market.rewards(maker) == raw("70")
    assert bench.reward.balanceOf(bench.market) == 999
    # The rest stays owed.
    endow(bench, 10**30)
    bench.market.claimReward(maker, maker, sender=maker)
    assert bench.reward.balanceOf(maker) == raw("100") * 10**12
    assert bench.market.rewards(maker) == 0


def test_claim_where_nothing_is_there(rewarded, maker):
    bench = rewarded()
    receipt = bench.market.claimReward(maker, maker, sender=maker)
    assert receipt.events == [event("RewardClaimed", account=maker, receiver=maker, amount=0)]
    assert bench.market.rewards(maker) == raw("100")


def test_claim_keeps_accruing_afterwards(rewarded, maker):
    bench = rewarded()
    endow(bench, 10**30)
    bench.market.claimReward(maker, maker, sender=maker)
    bench.commit("100")
    bench.settle(maker)
    assert bench.market.rewards(maker) == raw("100")


def test_claim_without_a_reward_token(bench, maker):
    assert bench.market.read("claimReward", maker, maker, sender=maker) == 0
    bench.market.claimReward(maker, maker, sender=maker)


def test_claim_by_an_operator(rewarded, maker, delegate):
    bench = rewarded()
    endow(bench, 10**30)
    bench.factory.updateOperator(delegate, True, sender=maker)
    bench.market.claimReward(maker, delegate, sender=delegate)
    assert bench.reward.balanceOf(delegate) == raw("100") * 10**12


def test_claim_by_a_stranger(rewarded, maker, stranger):
    bench = rewarded()
    with refused("NotOperator", maker, stranger):
        bench.market.claimReward(maker, stranger, sender=stranger)


def test_claim_does_not_touch_collateral(rewarded, maker):
    bench = rewarded()
    endow(bench, 10**30)
    before = bench.tokens
    bench.market.claimReward(maker, maker, sender=maker)
    assert bench.tokens == before
    bench.check()


def test_claim_in_a_pause(rewarded, operator, keeper, maker):
    bench = rewarded()
    bench.factory.updatePauser(keeper, sender=operator)
    bench.factory.pause(sender=keeper)
    with refused("MarketPaused"):
        bench.market.claimReward(maker, maker, sender=maker)
