"""Updates of prices, one a second for each feed, as MockPyth takes them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

from perennial.prices import pyth_update

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from perennial.mirror.versions import Update
    from perennial.publisher.sources import Moved

CONFIDENCE = 10_000
"""Half the confidence interval is a part in so many of the price."""


class UnknownFeed(LookupError):  # noqa: N818 -- named for what the caller did
    """There is no feed of this id or name."""


@dataclass(frozen=True)
class Feed:
    """A price feed: its id is hex text without prefix, as Hermes gives it."""

    id: str
    name: str
    source: Moved


@dataclass
class Publisher:
    """What has been published until now, by a clock of the caller's. `outages` are pairs of seconds without updates."""

    feeds: Mapping[str, Feed]
    clock: Callable[[], int]
    outages: list[tuple[int, int]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock, repr=False)
    """Sources and clock are for one thread at a time."""

    @classmethod
    def of(cls, feeds: Iterable[Feed], clock: Callable[[], int]) -> Publisher:
        """A publisher of these feeds."""
        return cls({feed.id: feed for feed in feeds}, clock)

    def feed(self, name: str) -> Feed:
        """The feed of an id, with or without prefix, or of a name. Raises UnknownFeed."""
        key = name.removeprefix("0x").lower()
        for feed in self.feeds.values():
            if key == feed.id or name == feed.name:
                return feed
        raise UnknownFeed(f"no feed {name}: there are {', '.join(each.name for each in self.feeds.values())}")

    def latest(self, feed: Feed) -> Update:
        """The newest update."""
        with self._lock:
            return self._update(feed, self._before(self.clock() + 1))

    def first(self, feed: Feed, timestamp: int) -> Update | None:
        """The first update at a second or after it; None where there is none yet."""
        published = timestamp
        while (end := self._outage(published)) is not None:
            published = end + 1
        with self._lock:
            return self._update(feed, published) if published <= self.clock() else None

    def move(self, feed: Feed, price: int) -> int:
        """Moves a price (6 decimals) from the next second on, which is returned. Raises ValueError."""
        with self._lock:
            since = self.clock() + 1
            feed.source.move(price, since)
        return since

    # -- Steps -------------------------------------------------------------------------------------------------------

    def _update(self, feed: Feed, published: int) -> Update:
        price = feed.source.price(published)
        return replace(pyth_update(price, published, price // CONFIDENCE), previous=self._before(published))

    def _before(self, timestamp: int) -> int:
        """The last second before this one with an update."""
        published = timestamp - 1
        while any(first <= published <= last for first, last in self.outages):
            published = min(first for first, last in self.outages if first <= published <= last) - 1
        return published

    def _outage(self, timestamp: int) -> int | None:
        """The end of the outage that a second lies in."""
        return max((last for first, last in self.outages if first <= timestamp <= last), default=None)
