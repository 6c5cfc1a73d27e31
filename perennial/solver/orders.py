"""What the solver works with. Sizes and prices have 6 decimals; amounts of money are USD with 6 decimals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.amounts import decimal

if TYPE_CHECKING:
    from perennial.intents import Intent

PARTS = 10
"""A fill is at least this fraction of its intent, or what remains (docs/protocol.md §9.2)."""


@dataclass(frozen=True, slots=True)
class Open:
    """An intent of which `remaining` can be filled. `sequence` is its place in time."""

    hash: str
    sequence: int
    intent: Intent
    signature: bytes
    remaining: int
    by_key: bool = True
    """Whether a key has signed it. A contract wallet answers by code, which may do anything when it is asked."""

    @property
    def buys(self) -> bool:
        """Whether its account buys."""
        return self.intent.amount > 0

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.intent.common.account

    def smallest(self, remaining: int) -> int:
        """The least that may be filled while `remaining` is left."""
        return min(-(-self.intent.size // PARTS), remaining)


@dataclass(frozen=True, slots=True)
class Cross:
    """Two opposite intents at a price that both accept; `size` has no sign."""

    a: Open
    b: Open
    size: int
    price: int
    gas: int | None = None
    """What it took where it was tried; None where it was not."""

    @property
    def hashes(self) -> tuple[str, ...]:
        """The intents that it fills."""
        return self.a.hash, self.b.hash

    @property
    def by_keys(self) -> bool:
        """Whether keys have signed it."""
        return self.a.by_key and self.b.by_key

    def __str__(self) -> str:
        return f"cross {decimal(self.size)} of {self.a.hash} and {self.b.hash} at {decimal(self.price)}"


@dataclass(frozen=True, slots=True)
class Fill:
    """An intent, filled from the solver's inventory; `size` has no sign."""

    order: Open
    size: int
    price: int
    gas: int | None = None
    """What it took where it was tried; None where it was not."""

    @property
    def hashes(self) -> tuple[str, ...]:
        """The intent that it fills."""
        return (self.order.hash,)

    @property
    def by_keys(self) -> bool:
        """Whether a key has signed it."""
        return self.order.by_key

    def __str__(self) -> str:
        return f"fill {decimal(self.size)} of {self.order.hash} at {decimal(self.price)}"


Deal = Cross | Fill


@dataclass(frozen=True, slots=True)
class Skipped:
    """An intent that is not filled now, and why."""

    hash: str
    reason: str


@dataclass(frozen=True, slots=True)
class Band:
    """Prices that the market takes, both included: near the latest one (docs/protocol.md §9.5)."""

    low: int
    high: int

    @classmethod
    def around(cls, price: int, deviation: int) -> Band:
        """The band around a price; `deviation` is a share with 6 decimals."""
        room = deviation * abs(price) // 10**6
        return cls(price - room, price + room)

    def __str__(self) -> str:
        return f"{decimal(self.low)} to {decimal(self.high)}"
