"""Where prices of a local network come from: a price for every second, the same whenever and however often it is asked.

Prices are integers of 6 decimals, times Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Protocol

from perennial.amounts import ONE
from perennial.prices import HOUR, PriceError

if TYPE_CHECKING:
    from perennial.prices import Prices

_PARTS = 10**9
"""A step of a walk is a share of the price in billionths."""


class Source(Protocol):
    """The price of one thing."""

    def price(self, timestamp: int) -> int:
        """The price at a second."""
        ...


@dataclass(frozen=True)
class Replay:
    """Hourly prices of the past from `start` on, `speed` seconds of them in each second from `begin` on.

    Between two hours prices lie on a straight line. Before `begin` the first price holds; after the last price of the
    past it goes back to the first hour that is replayed, and on from there.
    """

    prices: Prices
    start: int
    begin: int
    speed: int

    def __post_init__(self) -> None:
        if not self.prices.start <= self.start < self.prices.end or self.speed < 1:
            first, last = (
                f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}" for at in (self.prices.start, self.prices.end)
            )
            raise PriceError(f"{self.prices.market} can be replayed from {first} on, and before {last}")

    def price(self, timestamp: int) -> int:
        """The price at a second."""
        elapsed = max(0, timestamp - self.begin) * self.speed
        moment = self.start + elapsed % (self.prices.end - self.start)
        index, rest = divmod(moment - self.prices.start, HOUR)
        before, after = self.prices.values[index : index + 2]
        return before + (after - before) * rest // HOUR


@dataclass
class Walk:
    """A random walk from `first` at `begin`: each `step` seconds the price changes by up to `swing` (6 decimals).

    Before `begin` the first price holds. The same name and seed walk the same way.
    """

    name: str
    first: int
    begin: int
    seed: int
    swing: int = 200
    step: int = 1
    _path: list[int] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self._dice = Random(f"{self.seed} {self.name}")
        self._path.append(self.first)

    def price(self, timestamp: int) -> int:
        """The price at a second."""
        index = max(0, timestamp - self.begin) // self.step
        while len(self._path) <= index:
            share = self._dice.randint(-self.swing, self.swing) * (_PARTS // 10**6)
            last = self._path[-1]
            # Never to nothing: a price is positive.
            self._path.append(max(1, last + last * share // _PARTS))
        return self._path[index]


MOST = 10**9 * ONE
"""Highest price that somebody may wish for: it goes on from there, and Pyth's integers end at a little less than a
hundred times as much."""


@dataclass
class Moved:
    """Another source whose prices somebody moves: from a second on, they are multiplied so that one is as wished."""

    source: Source
    _moves: list[tuple[int, int, int]] = field(default_factory=list)
    """Seconds from which they apply, with numerator and denominator."""

    def move(self, price: int, since: int) -> None:
        """From `since` on prices go on from `price`. Raises ValueError for what would change the past."""
        if price <= 0:
            raise ValueError("a price is positive")
        if price > MOST:
            raise ValueError(f"a price is {MOST // ONE} at most")
        if self._moves and since <= self._moves[-1][0]:
            raise ValueError(f"prices until {self._moves[-1][0]} are made already")
        self._moves.append((since, price, self.source.price(since)))

    def price(self, timestamp: int) -> int:
        """The price at a second."""
        price = self.source.price(timestamp)
        for since, numerator, denominator in reversed(self._moves):
            if since <= timestamp:
                return max(1, price * numerator // denominator)
        return price
