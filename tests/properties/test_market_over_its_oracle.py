"""Market and mirror agree over the real Oracle and PythOracle as they do over the oracle that does what it is told.

Commits are late, missing, refused and replayed; keepers are paid what was charged. Every other market is over the ratio
of two feeds, and some have a payoff.
"""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from perennial.testing.games import describe, leave, play, run, setup
from perennial.testing.priced import ONE_FEED, RATIO, PricedBench

GAMES = 60
STEPS = 40
PAYOFF_GAMES = 8
FEEDS = (ONE_FEED, RATIO)

PAYOFFS = (
    (4, 10**18, False),
    (4, 10**14, True),
    (4, 10**12, False),
    (3, 10**15, False),
    (2, 10**18, True),
    (1, 10**18, False),
    (-1, 10**21, True),
    (-2, 10**21, False),
    (-4, 10**24, False),
)
"""Half power, scale, negative."""

# What the games must have seen to mean anything.
SEEN = (
    "price: done",
    "price: VersionExpired",
    "price: PriceNotPositive",
    "replay: VersionNotNewer",
    "expire: VersionNotExpired",
    "expire: done",
    "update: done",
    "update: StalePrice",
    "liquidate: done",
    "event OrderCancelled",
    "claim_oracle_fee: done",
    "a keeper is paid",
)


@pytest.fixture(scope="module")
def priced():
    return PricedBench()


def test_random_games(priced):
    outcomes: Counter[str] = Counter()
    for seed in range(GAMES):
        priced.feeds = FEEDS[seed % 2]
        outcomes += play(priced, Random(seed), STEPS).outcomes

    assert not [name for name in SEEN if not outcomes[name]], outcomes


@pytest.mark.parametrize("payoff", PAYOFFS)
def test_random_games_with_a_payoff(priced, payoff):
    """Squeeth, its micro scale, roots, inverses, scaled kinds, negatives: on a feed and on a ratio."""
    outcomes: Counter[str] = Counter()
    for seed in range(PAYOFF_GAMES):
        rng = Random(f"{payoff} {seed}")
        priced.feeds = FEEDS[seed % 2]
        with priced.open(replace(setup(rng, extreme=False), payoff=payoff)) as twin:
            try:
                run(twin, rng, STEPS)
            except AssertionError as error:
                error.add_note(describe(twin.setup, twin.actions))
                raise
        outcomes += twin.outcomes

    assert outcomes["event OrderPlaced"] > PAYOFF_GAMES
    assert outcomes["price: done"] > PAYOFF_GAMES
    assert outcomes["event MarketSettled"] > PAYOFF_GAMES


@pytest.mark.parametrize("seed", range(5))
def test_everybody_can_leave(priced, seed):
    priced.feeds = FEEDS[seed % 2]
    outcomes = play(priced, Random(seed), STEPS, leave).outcomes

    assert outcomes["update: done"] > 0
