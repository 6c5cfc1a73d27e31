"""KeeperView against the contracts: what does not answer as it should keeps back nobody else."""

import logging

import pytest
from ape_ethereum.multicall.constants import MULTICALL3_CODE

from perennial.chain import Chain
from perennial.keeper.chainlink import ChainlinkRounds
from perennial.keeper.status import status_of
from perennial.keeper.view import KeeperView
from perennial.multicall import ADDRESS, Multicall

SHORT = "0x60016000f3"
"""return(0, 1): a byte that is no answer to anything."""

NO_ANSWERS = [SHORT, "0x60006000fd"]
"""As well: revert(0, 0)."""


@pytest.fixture(scope="module")
def markets(stage, chain, maker):
    """Two of them, with oracles of their own; and Multicall3, as most chains have it."""
    chain.provider.set_code(ADDRESS, MULTICALL3_CODE)
    first, oracle = stage.open(maker), stage.oracle
    return [("ONE", first.address, oracle), ("OTHER", stage.open(maker, feed="ETH").address, stage.oracle)]


@pytest.fixture
def view(rpc, markets, keeper):
    return KeeperView(rpc, [(name, address) for name, address, _ in markets], keeper.address)


@pytest.mark.parametrize("code", NO_ANSWERS)
def test_an_oracle_that_does_not_answer_keeps_back_no_other_market(view, markets, chain, caplog, code):
    assert [each.info.name for each in view.states(view.head())] == ["ONE", "OTHER"]
    chain.provider.set_code(markets[0][2].address, code)

    with caplog.at_level(logging.WARNING):
        found = view.states(view.head())

    assert [each.info.name for each in found] == ["OTHER"]
    assert [record.message.partition(":")[0] for record in caplog.records] == ["ONE does not answer"]


@pytest.mark.parametrize("code", NO_ANSWERS)
def test_status_lists_a_market_that_does_not_answer(view, markets, chain, code):
    chain.provider.set_code(markets[0][2].address, code)

    found = status_of(view, 0, 1).to_dict()

    assert [each["market"] for each in found["markets"]] == ["OTHER"]
    [one] = found["unanswered"]
    assert one["market"] == "ONE"
    assert one["error"]


def test_a_provider_that_answers_nonsense_keeps_no_keeper_from_starting(rpc, markets, chain, keeper):
    chain.provider.set_code(markets[0][2].address, SHORT)

    view = KeeperView(rpc, [(name, address) for name, address, _ in markets], keeper.address)

    assert [bool(info.factory) for info in view.markets] == [False, True]


@pytest.mark.parametrize("code", [*NO_ANSWERS, "0x"])
def test_a_feed_that_does_not_answer_has_no_rounds(rpc, markets, chain, code):  # noqa: ARG001 -- Multicall3 is there
    feed = "0x" + "fe" * 20
    chain.provider.set_code(feed, code)
    rounds, identifier = ChainlinkRounds(Chain(rpc), Multicall(Chain(rpc))), "0x" + "00" * 12 + feed[2:]

    assert rounds.latest([identifier]) is None
    assert rounds.first([identifier], 1) is None
