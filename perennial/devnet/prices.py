"""The prices of a devnet: of the past, or a walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.amounts import raw
from perennial.devnet.markets import BTC, ETH, feed_ids
from perennial.prices import HOUR, load_prices
from perennial.publisher.publisher import Feed, Publisher
from perennial.publisher.sources import Moved, Replay, Source, Walk

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_513_468_800
"""17 December 2017, midnight UTC: the top, five days before the crash."""

FIRST = {BTC: raw(60_000), ETH: raw(3_000)}
"""Where walks begin."""


def replayed(begin: int, start: int, seconds: int, clock: Callable[[], int]) -> Publisher:
    """Prices of the past from `start` on, an hour of them in so many seconds, from `begin` on (Unix seconds).

    Raises PriceError where there are none.
    """
    sources: dict[str, Source] = {
        name: Replay(load_prices(name), start, begin, max(1, HOUR // seconds)) for name in (BTC, ETH)
    }
    return _publisher(sources, clock)


def walking(begin: int, seed: int, clock: Callable[[], int]) -> Publisher:
    """Prices that walk at random from `begin` on."""
    return _publisher({name: Walk(name, FIRST[name], begin, seed) for name in (BTC, ETH)}, clock)


def _publisher(sources: dict[str, Source], clock: Callable[[], int]) -> Publisher:
    ids = feed_ids()
    feeds = [Feed(ids[name].removeprefix("0x"), name, Moved(source)) for name, source in sources.items()]
    return Publisher.of(feeds, clock)
