"""Whatever one party does within a version, over any number of accounts, it does not gain (docs/protocol.md §14.6)."""

from random import Random

import pytest

from perennial.testing.differential import ACTORS, address_of
from perennial.testing.games import Player, run, setup

PARTY = ACTORS[:3]
STEPS = 25
MOVES = 8
GAMES = 10


class Schemer(Player):
    """One party with three accounts: it trades, and names its own accounts as referrers."""

    def anyone(self):
        return self.rng.choice(PARTY)

    def holder(self):
        names = [name for name in PARTY if (state := self.state(name)) and state.size]
        return self.rng.choice(names) if names else None

    def freshen(self):
        """No new price: all happens within one version."""


def worth(twin):
    """What the party has in the market and took out of it."""
    mirror = twin.mirror
    accounts = [address_of(name) for name in PARTY]
    moved = sum(mirror.accounts[a].ledger.deposits + mirror.accounts[a].ledger.withdrawals for a in accounts)
    return sum(mirror.collateral(a) + mirror.claimable(a) for a in accounts) - moved // 10**6


def settle_at(twin, price):
    """The version of the orders comes at the price that is known, and everybody settles."""
    current = twin.mirror.oracle.status()[1]
    twin.act("commit", current, price, current + 10)
    for name in ACTORS:
        twin.act("settle", name, "owner")
    return worth(twin)


@pytest.mark.parametrize("block", range(6))
def test_orders_at_an_unchanged_price(bench, block):
    placed = 0
    for seed in range(GAMES * block, GAMES * (block + 1)):
        rng = Random(seed)
        with bench.open(setup(rng, extreme=False)) as twin:
            run(twin, rng, STEPS, lambda _: None)
            price = max(1, twin.mirror_oracle.latest.price)
            settle_at(twin, price)

            with twin.fork():
                idle = settle_at(twin, price)
            before = twin.outcomes["event OrderPlaced"]
            player = Schemer(twin, rng)
            for _ in range(MOVES):
                rng.choice((player.open, player.open, player.close, player.money))()
            placed += twin.outcomes["event OrderPlaced"] - before
            # Rounding is against the accounts, but fewer units may be rounded less: a micro-dollar an account.
            assert settle_at(twin, price) <= idle + len(PARTY), f"seed {seed}"
    assert placed >= 2 * GAMES
