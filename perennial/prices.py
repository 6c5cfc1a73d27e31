"""Prices of the past from data/, hour by hour or day by day, and the updates by which Pyth would have published them.

Prices are integers of 6 decimals, times Unix seconds.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from eth_abi.abi import encode

from perennial.amounts import raw
from perennial.mirror.versions import Update

DATA = Path(__file__).resolve().parent.parent / "data"

HOUR = 3600
DAY = 24 * HOUR

UNIT = 10**6

PYTH_EXPONENT = -8
"""Of Pyth's dollar prices: their integers have 8 decimals."""

_TO_PYTH = 10**2
"""From 6 to 8 decimals."""

_FEED = "(bytes32,(int64,uint64,int32,uint256),(int64,uint64,int32,uint256))"


class PriceError(LookupError):
    """There are no prices of a market, or not for all of a window; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of every full hour (or another `step`) from `start` on, without a gap.

    `source` says in words what they are. A price that is a ratio of others comes with these, in `legs`: for each feed
    the prices at the same times.
    """

    market: str
    start: int
    values: tuple[int, ...]
    source: str
    step: int = HOUR
    legs: tuple[tuple[int, ...], ...] = ()

    @property
    def end(self) -> int:
        """When the last one is of."""
        return self.start + self.step * (len(self.values) - 1)

    def at(self, timestamp: int) -> int:
        """The price of a full hour (or other step). Raises PriceError outside of what there is."""
        return self.values[self._index(timestamp)]

    def legs_at(self, timestamp: int) -> tuple[int, ...]:
        """The prices of the feeds behind it, the price itself where there is one feed. Raises PriceError."""
        index = self._index(timestamp)
        return tuple(leg[index] for leg in self.legs or (self.values,))

    def mapped(self, change: Callable[[int], int]) -> "Prices":
        """What becomes of each price, without the legs."""
        return replace(self, values=tuple(map(change, self.values)), legs=())

    def _index(self, timestamp: int) -> int:
        index, rest = divmod(timestamp - self.start, self.step)
        if rest or not 0 <= index < len(self.values):
            raise PriceError(f"no price of {self.market} at {_day(timestamp)}")
        return index

    def window(self, start: int, end: int) -> "Prices":
        """The prices from `start` to `end`, both included. Raises PriceError where some are missing."""
        if start < self.start or end > self.end:
            raise PriceError(f"prices of {self.market} reach from {_day(self.start)} to {_day(self.end)}")
        first = (start - self.start) // self.step
        cut = slice(first, first + (end - start) // self.step + 1)
        return replace(self, start=start, values=self.values[cut], legs=tuple(leg[cut] for leg in self.legs))


def load_prices(market: str) -> Prices:
    """All prices that there are of a market.

    Those of BTC-USD are hourly: what the first trade of the hour paid. Of ETH-USD there are daily closes alone: the
    hours between lie on straight lines. ETH-BTC is the ratio of two daily closes, a price a day, as far as no day is
    missing. Raises PriceError for another market.
    """
    if market == "BTC-USD":
        return _opens("BTC-USD", DATA / "btc-usd-1h.csv")
    if market == "ETH-USD":
        return _between_closes("ETH-USD", DATA / "btc-eth-usd-1d.csv", "eth_close")
    if market == "ETH-BTC":
        return _ratios("ETH-BTC", DATA / "btc-eth-usd-1d.csv", "eth_close", "btc_close")
    raise PriceError(f"no prices of {market}: there are BTC-USD, ETH-USD and ETH-BTC")


def encode_update(feed: str, update: Update) -> bytes:
    """An update of one feed (its id as hex text) as MockPyth takes it; the moving average is the price itself."""
    price = (update.price, update.confidence, update.exponent, update.published)
    return encode([_FEED, "uint64"], [(bytes.fromhex(feed.removeprefix("0x")), price, price), update.previous])


def pyth_update(price: int, published: int, confidence: int = 0) -> Update:
    """The update with a price (and half its confidence interval, both 6 decimals), a second after the one before."""
    return Update(price * _TO_PYTH, confidence * _TO_PYTH, PYTH_EXPONENT, published, published - 1)


def _opens(market: str, path: Path) -> Prices:
    """Opens of hourly candles."""
    rows = [(int(row["timestamp"]), raw(row["open"])) for row in _rows(path)]
    start = rows[0][0]
    for index, (timestamp, _) in enumerate(rows):
        if timestamp != start + HOUR * index:
            raise PriceError(f"{path.name} has a gap before {_day(timestamp)}")
    return Prices(market, start, tuple(price for _, price in rows), "hourly opens on Coinbase")


def _between_closes(market: str, path: Path, column: str) -> Prices:
    """Straight lines between daily closes, which are prices of the day's end."""
    closes = [(int(row["timestamp"]) + DAY, raw(row[column])) for row in _rows(path)]
    values = []
    for (t0, p0), (t1, p1) in pairwise(closes):
        values += [p0 + (p1 - p0) * (t - t0) // (t1 - t0) for t in range(t0, t1, HOUR)]
    values.append(closes[-1][1])
    return Prices(market, closes[0][0], tuple(values), "daily closes on Bitfinex, straight lines between")


def _ratios(market: str, path: Path, dividend: str, divisor: str) -> Prices:
    """A close over another, day by day until one is missing; prices of the day's end, rounded down to 6 decimals."""
    rows = [(int(row["timestamp"]) + DAY, raw(row[dividend]), raw(row[divisor])) for row in _rows(path)]
    whole = next((index for index, (a, b) in enumerate(pairwise(rows), 1) if b[0] - a[0] != DAY), len(rows))
    times, above, below = zip(*rows[:whole], strict=True)
    values = tuple(x * UNIT // y for x, y in zip(above, below, strict=True))
    return Prices(market, times[0], values, "ratio of daily closes on Bitfinex", DAY, (above, below))


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def _day(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M")
