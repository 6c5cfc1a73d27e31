"""What one unit of each side has gained since the market began: USD with 12 decimals (docs/protocol.md §7).

Beside each accumulator the mirror keeps what it is made of (PnL, funding, interest, makers' fees), for reports.
"""

from dataclasses import dataclass
from typing import NamedTuple

from perennial.mirror.fixed import UNIT

MAX = (1 << 79) - 1
"""An accumulator has 80 bits on chain; the most negative value is left out."""

MAX_DISTRIBUTED = (1 << 78) - 1
"""What funding, interest and fees may fill: it leaves PnL room for any move of a price."""

REWARD_MAX = (1 << 85) - 1
"""A reward accumulator has 85 bits, unsigned."""


class Parts(NamedTuple):
    """What a unit of one side has gained, by origin: USD with 12 decimals, informational."""

    pnl: int = 0
    funding: int = 0
    interest: int = 0
    maker_fees: int = 0


NO_PARTS = Parts()


class Accumulators(NamedTuple):
    """One value a side: accumulators (USD, 12 decimals), or amounts (USD, 12 decimals), by who asks."""

    maker: int = 0
    long: int = 0
    short: int = 0

    def of(self, side: int) -> int:
        """The value of a side; 0 for none."""
        return self[side - 1] if side else 0


ZERO = Accumulators()


@dataclass(slots=True, frozen=True)
class VersionRecord:
    """What accounts that come late need of a version at which orders or fills settled.

    Accumulators include the makers' share of the version's own position fees. `price` has 6 decimals, payoff applied,
    and is the last valid one where the version is not `valid`: then its fills stand, its orders do not.
    `rewards` are reward tokens per unit with 12 decimals; `parts` explain the accumulators, side by side.
    """

    accumulators: Accumulators
    rewards: Accumulators
    price: int
    parts: tuple[Parts, Parts, Parts]
    valid: bool = True


def fits(accumulators: Accumulators, bound: int) -> bool:
    """Whether all three are within ±bound."""
    return all(-bound <= value <= bound for value in accumulators)


def per_unit(amount: int, size: int) -> int:
    """An amount (12 decimals) shared over a side's size (6 decimals), rounded down: less is received, more is paid."""
    return amount * UNIT // size if size else 0
