"""Market and mirror agree over the real Oracle and PythOracle as they do over the oracle that does what it is told.

Commits are late, missing, refused and replayed; and keepers are paid what was charged.
"""

from collections import Counter
from random import Random

import pytest

from perennial.testing.games import leave, play
from perennial.testing.priced import PricedBench

GAMES = 60
STEPS = 40

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
        outcomes += play(priced, Random(seed), STEPS).outcomes

    assert not [name for name in SEEN if not outcomes[name]], outcomes


@pytest.mark.parametrize("seed", range(5))
def test_everybody_can_leave(priced, seed):
    outcomes = play(priced, Random(seed), STEPS, leave).outcomes

    assert outcomes["update: done"] > 0
