"""Whatever updates, order and timing an adversary chooses, no order is cheated (docs/protocol.md §11).

None gets a price that was public when it was placed; none is cancelled whose price came, while an honest keeper commits
in time. The mirror says the same as the chain of every call.
"""

from collections import Counter
from random import Random

import pytest

from perennial.testing.duel import Duel, Stage
from perennial.testing.oracles import START

GAMES = 40
STEPS = 120

# What the games must have seen to mean anything.
SEEN = (
    "commit: done",
    "commit: PriceFeedNotFoundWithinRange",
    "commit: VersionNotNewer",
    "commit: VersionOutOfOrder",
    "commit: PriceNotNewer",
    "commit: PriceOfNextVersion",
    "commit: PriceNotPositive",
    "commit: PriceUncertain",
    "commit: OracleNotAdapter",
    "commitInvalid: done",
    "commitInvalid: VersionNotExpired",
    "commitInvalid: VersionNotNext",
    "commitInvalid: OracleNotAdapter",
    "updateProvider: done",
    "updateProvider: HandoverPending",
    "updateProvider: AdapterInService",
    "updateGranularity: done",
    "order settled",
    "order cancelled",
)


@pytest.fixture(scope="module")
def stage():
    return Stage()


def test_no_order_is_cheated(stage):
    outcomes: Counter[str] = Counter()
    for seed in range(GAMES):
        with stage.world.undone():
            stage.world.warp(START)
            duel = Duel(stage, Random(seed))
            duel.play(STEPS)
            outcomes += duel.outcomes

    assert not [name for name in SEEN if not outcomes[name]], outcomes
