"""Prices of the past from data/, hour by hour, and the updates by which Pyth would have published them.

Prices are integers of 6 decimals, times Unix seconds.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from eth_abi.abi import encode

from perennial.amounts import raw
from perennial.mirror.versions import Update

DATA = Path(__file__).resolve().parent.parent / "data"

HOUR = 3600
DAY = 24 * HOUR

PYTH_EXPONENT = -8
"""Of Pyth's dollar prices: their integers have 8 decimals."""

_TO_PYTH = 10**2
"""From 6 to 8 decimals."""

_FEED = "(bytes32,(int64,uint64,int32,uint256),(int64,uint64,int32,uint256))"


class PriceError(LookupError):
    """There are no prices of a market, or not for all of a window; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of every full hour from `start` on, without a gap. `source` says in words what they are."""

    market: str
    start: int
    values: tuple[int, ...]
    source: str

    @property
    def end(self) -> int:
        """The last hour."""
        return self.start + HOUR * (len(self.values) - 1)

    def at(self, timestamp: int) -> int:
        """The price of a full hour. Raises PriceError outside of what there is."""
        index, rest = divmod(timestamp - self.start, HOUR)
        if rest or not 0 <= index < len(self.values):
            raise PriceError(f"no price of {self.market} at {_day(timestamp)}")
        return self.values[index]

    def window(self, start: int, end: int) -> "Prices":
        """The prices from `start` to `end`, both included. Raises PriceError where some are missing."""
        if start < self.start or end > self.end:
            raise PriceError(f"prices of {self.market} reach from {_day(self.start)} to {_day(self.end)}")
        first = (start - self.start) // HOUR
        count = (end - start) // HOUR + 1
        return Prices(self.market, start, self.values[first : first + count], self.source)


def load_prices(market: str) -> Prices:
    """All hourly prices that there are of a market.

    The price of an hour is what its first trade paid. Of ETH-USD there are daily closes alone: the hours between lie on
    straight lines. Raises PriceError for another market.
    """
    if market == "BTC-USD":
        return _opens("BTC-USD", DATA / "btc-usd-1h.csv")
    if market == "ETH-USD":
        return _between_closes("ETH-USD", DATA / "btc-eth-usd-1d.csv", "eth_close")
    raise PriceError(f"no prices of {market}: there are BTC-USD and ETH-USD")


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


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def _day(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M")
