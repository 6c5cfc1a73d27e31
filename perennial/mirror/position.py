"""Sizes of a market's or an account's sides, and what follows from them alone (docs/protocol.md §5.2, §6.1)."""

from dataclasses import dataclass
from enum import IntEnum

from perennial.mirror.fixed import UNIT, trunc_div


class Side(IntEnum):
    """The side that an account is on."""

    NONE = 0
    MAKER = 1
    LONG = 2
    SHORT = 3


@dataclass(slots=True, frozen=True)
class Position:
    """Sizes, 6 decimals, with the version that they are of."""

    timestamp: int
    maker: int
    long: int
    short: int


@dataclass(slots=True)
class Book:
    """Sizes of the market's three sides, 6 decimals."""

    maker: int = 0
    long: int = 0
    short: int = 0

    @property
    def major(self) -> int:
        """The larger taker side."""
        return max(self.long, self.short)

    @property
    def minor(self) -> int:
        """The smaller taker side."""
        return min(self.long, self.short)

    @property
    def cover(self) -> int:
        """What the larger taker side can win from."""
        return min(self.long, self.short) + self.maker

    @property
    def deficit(self) -> int:
        """Size of takers without cover (docs/protocol.md §10.4)."""
        return max(0, self.major - self.cover)

    def skew(self, virtual_taker: int) -> int:
        """Skew of takers, 6 decimals, toward zero; `virtual_taker` is added to both sides."""
        denominator = max(self.long, self.short) + virtual_taker
        return trunc_div((self.long - self.short) * UNIT, denominator) if denominator else 0

    def utilization(self, one: int) -> int:
        """Utilization of makers, rounded down; `one` is what 100 % is, and so says the decimals."""
        takers = self.major
        if takers == 0:
            return 0
        cover = self.cover
        return one if cover == 0 else min(one, takers * one // cover)

    def of(self, side: int) -> int:
        """Size of a side."""
        return (0, self.maker, self.long, self.short)[side]

    def add(self, side: int, delta: int) -> None:
        """Changes the size of a side."""
        if side == Side.MAKER:
            self.maker += delta
        elif side == Side.LONG:
            self.long += delta
        else:
            self.short += delta

    def copy(self) -> "Book":
        """A book of its own."""
        return Book(self.maker, self.long, self.short)
