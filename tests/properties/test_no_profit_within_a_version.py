"""Whatever one party does within a version, over any number of accounts, it does not gain (docs/protocol.md §14.6)."""

from random import Random

import pytest

from perennial.testing.differential import HOLDERS, address_of
from perennial.testing.games import Player, run, setup

PARTY = HOLDERS[:3]
STEPS = 25
MOVES = 12
GAMES = 10


class Schemer(Player):
    """One party with three accounts: it trades, with itself as well, and names its own accounts wherever it can."""

    names = PARTY

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
    for name in HOLDERS:
        twin.act("settle", name, "owner")
    return worth(twin)


@pytest.mark.parametrize("block", range(6))
def test_orders_at_an_unchanged_price(bench, block):
    placed = filled = 0
    for seed in range(GAMES * block, GAMES * (block + 1)):
        rng = Random(seed)
        with bench.open(setup(rng, extreme=False)) as twin:
            run(twin, rng, STEPS, lambda _: None)
            price = max(1, twin.mirror_oracle.latest.price)
            settle_at(twin, price)

            with twin.fork():
                idle = settle_at(twin, price)
            before = twin.outcomes["event OrderPlaced"], twin.outcomes["event IntentFilled"]
            player = Schemer(twin, rng)
            for _ in range(MOVES):
                rng.choice((player.open, player.open, player.close, player.money, player.match, player.match))()
            placed += twin.outcomes["event OrderPlaced"] - before[0]
            filled += twin.outcomes["event IntentFilled"] - before[1]
            # Rounding is against the accounts, but fewer units may be rounded less: a micro-dollar an account.
            assert settle_at(twin, price) <= idle + len(PARTY), f"seed {seed}"
    assert placed >= GAMES
    assert filled >= GAMES // 5
