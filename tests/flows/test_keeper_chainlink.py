"""A keeper finds the rounds of Chainlink's that versions need, and works for their markets (docs/protocol.md §11.4)."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from perennial.abi import Reverted
from perennial.amounts import raw
from perennial.devnet import stage as setup
from perennial.devnet.markets import MARKETS
from perennial.keeper.chainlink import PHASE
from perennial.keeper.work import Kind
from perennial.testing.kept import keep

NOBODY = "0x" + "0" * 40
NAME = "BTC-CL"
PLAN = replace(MARKETS[0], name=NAME)
VALID_TO, GRACE = 3600, 3600
"""Of networks/devnet.toml."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    with keep(tmp_path_factory.mktemp("kept")) as kept:
        yield kept


def identifier(feed):
    return "0x" + feed.address[2:].rjust(64, "0")


def create_oracle(kept, *feeds):
    """An oracle over feeds; the first multiplies, the others divide."""
    stage = kept.stage
    factory = stage.contract("IOracleFactory", stage.contracts["OracleFactory"])
    powers = [(bytes.fromhex(identifier(feed)[2:]), -1 if index else 1) for index, feed in enumerate(feeds)]
    receipt = stage.do(stage.cast.operator, factory, "create", stage.contracts["ChainlinkOracle"], powers)
    return setup.event_of(factory, receipt, "OracleCreated")[0]


@pytest.fixture(scope="module")
def feed(kept):
    return kept.create("MockAggregator", 8)


@pytest.fixture(scope="module")
def publish(kept, feed):
    """The next round, in the newest phase, in a second from now."""
    numbers: dict[int, int] = {}

    def publish(price):
        phase = feed.read("phaseId")
        numbers[phase] = numbers.get(phase, 0) + 1
        published = kept.stage.now() + 1
        kept.do_all(feed, [("publish", phase, numbers[phase], price * 10**8, published)])
        return published

    return publish


@pytest.fixture(scope="module")
def market(kept, publish, feed):
    """A market with a maker in it, kept by a keeper."""
    stage = kept.stage
    setup.create_market(stage, PLAN, create_oracle(kept, feed), NOBODY)
    market = stage.contract("IMarket", stage.markets.pop(NAME))
    token = stage.contract("MockToken", stage.tokens[PLAN.token])
    for account in (stage.cast.maker, *stage.cast.users[:3]):
        stage.do(account, token, "approve", market.address, 2**256 - 1)
    stage.do(stage.cast.maker, token, "mint", stage.cast.maker, raw(500_000))
    publish(10_000)
    with kept.keeper((NAME, market.address)) as keeper:
        kept.work(keeper, 3)
        stage.do(stage.cast.maker, market, "update", stage.cast.maker, PLAN.liquidity, 0, raw(500_000), NOBODY)
        kept.mine(10)
        publish(10_000)
        kept.work(keeper, 3)
    assert market.read("positions", stage.cast.maker)[1] == PLAN.liquidity
    return market


@pytest.fixture(autouse=True)
def undone(kept, market):
    """What a test does to the market is taken back: the next one needs its price and its room."""
    assert market.address
    snapshot = kept.stage.chain.rpc.call("evm_snapshot")
    yield
    kept.stage.chain.rpc.call("evm_revert", snapshot)


def test_a_market(kept, publish, feed, market):
    """An order waits for a round, is settled at it, and is liquidated by another one, of a new aggregator."""
    stage, trader = kept.stage, kept.stage.cast.users[1]
    with kept.keeper((NAME, market.address)) as keeper:
        publish(10_000)
        kept.work(keeper, 2)
        stage.do(trader, market, "update", trader, 0, raw(1), raw(250), NOBODY)
        version = stage.contract("IOracle", market.read("oracle")).read("next")
        kept.mine(12)
        assert [work for work in kept.work(keeper, 3) if work.kind is Kind.COMMIT] == []

        first = publish(10_100)
        publish(10_200)
        sent = kept.work(keeper, 4)
        assert [work.items for work in sent if work.kind is Kind.COMMIT] == [
            ((Kind.COMMIT, market.read("oracle"), str(version)),)
        ]
        assert first > version
        oracle = stage.contract("IOracle", market.read("oracle"))
        assert oracle.read("at", version) == (version, raw(10_100), True)
        assert oracle.read("keeperOf", version) == stage.cast.keeper.address.lower()
        assert market.read("positions", trader)[2] == raw(1)
        assert market.read("settlementFees", version) == PLAN.terms()[1]["settlementFee"]

        kept.do_all(feed, [("startPhase",)])
        kept.mine(5)
        publish(9_950)
        sent = kept.work(keeper, 8)
        assert [work.kind for work in sent if work.kind is Kind.LIQUIDATE] == [Kind.LIQUIDATE]
        kept.mine(12)
        publish(9_950)
        kept.work(keeper, 5)
        assert market.read("positions", trader)[1:] == (0, 0, 0)


def test_without_a_round(kept, publish, market):
    """What has no round in its window is given up when its grace is over, and what waits behind it is served."""
    stage, trader = kept.stage, kept.stage.cast.users[2]
    oracle = stage.contract("IOracle", market.read("oracle"))
    with kept.keeper((NAME, market.address)) as keeper:
        publish(10_000)
        kept.work(keeper, 2)
        stage.do(trader, market, "update", trader, 0, raw(1), raw(1_000), NOBODY)
        lost = oracle.read("next")
        kept.mine(VALID_TO + 20)
        assert kept.work(keeper, 2) == []
        publish(10_000)
        kept.mine(GRACE)
        sent = kept.work(keeper, 3)
        assert sent[0].items == ((Kind.INVALID, oracle.address, str(lost)),)
        assert oracle.read("at", lost)[2] is False
        assert market.read("positions", trader)[1:] == (0, 0, 0)


def test_a_market_that_does_not_answer_keeps_back_no_other(kept, publish, market, feed):
    """Its oracle reverts, as a provider that was registered may."""
    stage, trader = kept.stage, kept.stage.cast.users[2]
    dead = create_oracle(kept, feed)
    setup.create_market(stage, replace(PLAN, name="DEAD"), dead, NOBODY)
    with kept.keeper(("DEAD", stage.markets.pop("DEAD")), (NAME, market.address)) as keeper:
        publish(10_000)
        kept.work(keeper, 2)
        keeper.view.rpc.call("anvil_setCode", dead, "0x5f5ffd")
        stage.do(trader, market, "update", trader, 0, raw(1), raw(1_000), NOBODY)
        kept.mine(10)
        publish(10_000)
        kept.work(keeper, 3)

        assert [each.info.name for each in keeper.view.states(keeper.view.head())] == [NAME]
        assert market.read("positions", trader)[2] == raw(1)


@pytest.mark.parametrize("seed", range(8))
def test_the_round_that_counts(kept, seed):
    """Of all rounds of a feed the contract takes one at most: the one that is found, or none."""
    dice, stage = Random(seed), kept.stage
    feed, now = kept.create("MockAggregator", 8), stage.now()
    rounds = publish_at_random(kept, feed, dice)
    adapter, oracle = stage.contract("IChainlinkOracle", stage.contracts["ChainlinkOracle"]), create_oracle(kept, feed)
    with kept.keeper() as keeper:
        found_some = 0
        for _ in range(12):
            version = dice.randrange(now - 320, now - 20)
            found = keeper.view.rounds.first([identifier(feed)], version)
            queries = [adapter.query("commit", [oracle], version, [number]) for number in rounds]
            answers = keeper.view.multicall.try_all([(query.to, query.data) for query in queries])
            # Each is tried on what the others have left: a version is taken once.
            taken = [number for number, answer in zip(rounds, answers, strict=True) if not isinstance(answer, Reverted)]
            assert taken == ([found.numbers[identifier(feed)]] if found else []), version
            found_some += bool(found)
        assert found_some > 0


def publish_at_random(kept, feed, dice):
    """Rounds of up to three phases that overlap, some missing, in the last five minutes; their numbers."""
    calls: list[tuple[Any, ...]] = []
    now, rounds = kept.stage.now(), []
    if dice.random() < 0.5:
        calls.append(("setReverting", True))
    for phase in range(1, dice.randint(1, 3) + 1):
        if phase > 1:
            calls.append(("startPhase",))
        number, published = 0, now - 300 + 80 * (phase - 1)
        for _ in range(dice.randint(0, 5)):
            number, published = number + dice.choice([1, 1, 1, 2, 4]), published + dice.randint(0, 60)
            calls.append(("publish", phase, number, raw(dice.randint(1, 9)), published))
            rounds.append(phase << PHASE | number)
    calls.append(("publish", phase, number + 1, raw(5), now - 10))
    rounds.append(phase << PHASE | (number + 1))
    kept.do_all(feed, calls)
    return rounds
