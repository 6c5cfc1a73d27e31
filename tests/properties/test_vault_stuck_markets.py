"""Markets get stuck and come back, one after the other and at once, while depositors come and go (§12.3).

Prices stand still and nothing costs anything: in the end all have got back what they had put in, to the rounding.
"""

from contextlib import suppress
from random import Random

import pytest

from perennial.testing.differential import address_of
from perennial.testing.evm import Reverted
from perennial.testing.vault import DAY, VaultBench, opened

UNIT = 10**6
NAMES = ("alice", "bob", "carol", "dave")
GAMES = 32
MOVES = 90

# More than enough for all that waits to settle, once every market is well.
CALM = 12

# Each epoch and each claim may round a unit away, against whoever moves.
DUST = 20


class Troubled:
    """A vault over two markets that answer now and then."""

    def __init__(self, bench: VaultBench, rng: Random) -> None:
        self.bench, self.rng = bench, rng
        self.before = {name: bench.tokens(name) for name in NAMES}

    def move(self) -> None:
        """One thing happens, or is refused."""
        bench, rng, name = self.bench, self.rng, self.rng.choice(NAMES)
        venue = rng.choice(bench.venues)
        moves = {
            lambda: bench.request(name, rng.randrange(20, 1_000) * UNIT): 14,
            lambda: bench.leave(name, rng.randrange(bench.shares(name)) + 1): 6,
            lambda: bench.leave(name): 6,
            lambda: self.fetch(name): 12,
            bench.close: 17,
            bench.settle: 17,
            bench.rebalance: 4,
            venue.commit: 11,
            venue.expire: 2,
            venue.stale: 3,
            lambda: bench.pass_time(rng.choice((DAY // 2, DAY))): 6,
        }
        with suppress(Reverted, ValueError):
            rng.choices([*moves], weights=[*moves.values()])[0]()

    def fetch(self, name: str) -> None:
        """Takes all that is an actor's."""
        self.bench.claim(name)
        self.bench.cash(name)

    def end(self) -> None:
        """All markets are well, all leave, and take what was left behind."""
        for turn in range(CALM):
            self.bench.commit()
            self.bench.settle()
            for name in NAMES:
                self.fetch(name)
                if turn > 2 and self.bench.shares(name):
                    self.bench.leave(name)
            with suppress(Reverted):
                self.bench.turn()
        for name in NAMES:
            account = address_of(name)
            for number in range(1, self.pockets() + 1):
                self.bench.vault.send("claimReturned", number, account, account, sender=account)

    def pockets(self) -> int:
        """How many there have been."""
        number = 0
        while int(self.bench.pocket(number + 1).market, 16):
            number += 1
        return number

    def gained(self) -> dict[str, int]:
        """By actor, token units."""
        return {name: self.bench.tokens(name) - self.before[name] for name in NAMES}


@pytest.fixture(scope="module")
def played(bench):
    """The games: what each actor has gained, and how many pockets there were."""
    results = []
    for seed in range(GAMES):
        with opened(bench, 2) as vault:
            game = Troubled(vault, Random(seed))
            for _ in range(MOVES):
                game.move()
            game.end()
            vault.check()
            assert not any(vault.shares(name) for name in NAMES), f"seed {seed}"
            results.append((game.gained(), game.pockets()))
    return results


def test_nobody_pays_for_a_market_that_was_stuck(played):
    for seed, (gained, _) in enumerate(played):
        assert all(-DUST <= units <= DUST for units in gained.values()), f"seed {seed}: {gained}"


def test_the_games_have_seen_markets_stuck(played):
    assert sum(pockets > 1 for _, pockets in played) >= GAMES // 3
