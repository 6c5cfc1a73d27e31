"""Market.updateReward (docs/protocol.md §3.2)."""

import pytest

from perennial.amounts import raw
from perennial.testing.anvil import NOBODY
from perennial.testing.market import event, refused


@pytest.fixture
def create_reward(anvil, operator):
    def create(decimals=18):
        return anvil.deploy("MockToken", "Mock Reward", "mREW", decimals, sender=operator)

    return create


@pytest.mark.parametrize("decimals", [6, 8, 18])
def test_owner_sets_the_reward_once(bench, operator, create_reward, decimals):
    reward, other = create_reward(decimals), create_reward()
    assert bench.market.reward() == NOBODY

    receipt = bench.market.updateReward(reward, sender=operator)

    assert receipt.events == [event("RewardUpdated", reward=reward)]
    assert bench.market.reward() == reward.address
    for again in (other, reward):
        with refused("RewardAlreadySet", reward):
            bench.market.updateReward(again, sender=operator)


def test_reward_of_creation_is_final(create_market, operator, create_reward):
    bench = create_market(reward=18)
    with refused("RewardAlreadySet", bench.reward):
        bench.market.updateReward(create_reward(), sender=operator)


@pytest.mark.parametrize("role", ["coordinator", "beneficiary", "stranger"])
def test_nobody_else_may(bench, actors, create_reward, role):
    with refused("NotOwner", actors[role]):
        bench.market.updateReward(create_reward(), sender=actors[role])


def test_reward_cannot_be_the_settlement_token(bench, operator):
    with refused("RewardIsToken", bench.token):
        bench.market.updateReward(bench.token, sender=operator)


@pytest.mark.parametrize("decimals", [0, 5, 19])
def test_reward_of_other_decimals(bench, operator, create_reward, decimals):
    reward = create_reward(decimals)
    with refused("UnsupportedDecimals", reward, decimals):
        bench.market.updateReward(reward, sender=operator)


def test_reward_that_is_no_contract(bench, operator, stranger):
    with refused("UnsupportedDecimals", NOBODY, 0):
        bench.market.updateReward(NOBODY, sender=operator)
    with refused("UnsupportedDecimals", stranger, 0):
        bench.market.updateReward(stranger, sender=operator)


def test_rates_can_be_set_once_there_is_a_reward(bench, operator, create_reward, maker):
    with refused("ParameterOutOfBounds", "makerRewardRate", 1, 0):
        bench.change(makerRewardRate=1)
    bench.market.updateReward(create_reward(), sender=operator)
    bench.fill(maker="10")
    bench.change(makerRewardRate="2")
    bench.commit("100")
    bench.settle(maker)
    assert bench.market.rewards(maker) == raw("20")
