"""A ChainlinkOracle beside the stage: an 8-decimal feed, its oracle, and the feed of a sequencer."""

from dataclasses import dataclass
from typing import Any

import pytest

from perennial.testing.oracles import CHAINLINK_WINDOW, START, OracleBench

SEQUENCER_GRACE = 600
UP_SINCE = START - 100_000


@dataclass
class ChainlinkBench:
    """Rounds are (phase, round); times are seconds after START."""

    base: OracleBench
    adapter: Any
    feed: Any
    sequencer: Any
    oracle: Any = None
    market: Any = None

    def create_feed(self, decimals=8):
        return self.base.owner.deploy(self.base.project.MockAggregator, decimals)

    def create(self, *sides):
        """An oracle over feeds, each (feed, power), and its market."""
        feeds = [(bytes.fromhex(feed.address[2:]).rjust(32, b"\0"), power) for feed, power in sides]
        receipt = self.base.factory.create(self.adapter, feeds, sender=self.base.owner)
        oracle = self.base.project.Oracle.at(receipt.return_value)
        market = self.base.owner.deploy(self.base.project.MockMarketFees, self.base.token)
        self.base.market.takeFor(self.base.factory, oracle, self.base.owner, market, sender=self.base.owner)
        return oracle, market

    def publish(self, number, second, price=5 * 10**8, *, phase=1, feed=None):
        (feed or self.feed).publish(phase, number, price, START + second, sender=self.base.owner)

    def order(self, second, market=None):
        """Places an order; returns its version in seconds after START."""
        return self.base.order(START + second, market or self.market) - START

    def commit(self, sender, second, rounds, *, time=None, oracles=None):
        """Commits a version, by default a minute after it; `rounds` are numbers of phase 1 or (phase, number)."""
        self.base.at(START + (second + 60 if time is None else time))
        oracles = [self.oracle] if oracles is None else oracles
        return self.adapter.commit(oracles, START + second, [round_id(each) for each in rounds], sender=sender)

    def expire(self, sender, second, time):
        self.base.at(START + time)
        return self.adapter.commitInvalid([self.oracle], START + second, sender=sender)

    def latest(self):
        return self.base.latest(self.oracle)

    @property
    def feed_id(self):
        return bytes.fromhex(self.feed.address[2:]).rjust(32, b"\0")


@pytest.fixture(scope="module")
def stage(chain, project, operator, maker, taker, keeper):  # noqa: ARG001 -- Ape wants fixtures of a session set up first
    base = OracleBench.deploy(chain, project, operator)
    sequencer = operator.deploy(project.MockSequencerFeed)
    sequencer.change(True, UP_SINCE, sender=operator)
    arguments = (sequencer, SEQUENCER_GRACE, base.factory, operator, CHAINLINK_WINDOW)
    adapter = operator.deploy(project.ChainlinkOracle, *arguments)
    base.factory.updateAdapter(adapter, True, sender=operator)
    stage = ChainlinkBench(base, adapter, operator.deploy(project.MockAggregator, 8), sequencer)
    stage.oracle, stage.market = stage.create((stage.feed, 1))
    return stage


def round_id(number):
    phase, number = number if isinstance(number, tuple) else (1, number)
    return phase << 64 | number


@pytest.fixture
def error_round():
    """Round numbers as errors show them."""
    return round_id
