"""Versions, validity and expiry of a market's oracle (docs/protocol.md §11), as contracts/oracle.

`Versions` is contracts/oracle/Oracle.sol: which version may be committed next. `price_of` is what PythOracle.sol makes
of updates: what the price of a version is, whoever commits it. Times are Unix seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perennial.mirror.errors import MarketError
from perennial.mirror.oracle import OracleVersion

# ruff: noqa: N818, D101 -- the names of errors are those of the contracts, where the documentation is

MAX_GRANULARITY = 3600
GRANULARITY = 10
MAX_PRICE = (1 << 63) - 1
"""Largest price of an oracle, 6 decimals."""

MAX_EXPONENT = 77
"""10^77 is the largest power of ten in 256 bits."""

UNIT = 10**6


class VersionNotNewer(MarketError): ...


class VersionInFuture(MarketError): ...


class VersionOutOfOrder(MarketError): ...


class VersionNotNext(MarketError): ...


class VersionExpired(MarketError): ...


class VersionNotExpired(MarketError): ...


class PriceOutOfRange(MarketError): ...


class PriceNotPositive(MarketError): ...


class PriceInFuture(MarketError): ...


class PriceNotNewer(MarketError): ...


class PriceOfNextVersion(MarketError): ...


class PriceUncertain(MarketError): ...


class PriceNotRepresentable(MarketError): ...


class PriceFeedNotFoundWithinRange(MarketError): ...


class GranularityOutOfRange(MarketError): ...


class OracleNotAdapter(MarketError): ...


class AdapterInService(MarketError): ...


class HandoverPending(MarketError): ...


@dataclass(slots=True, frozen=True)
class Window:
    """When a version's price must have been published, and for how long it may be committed: seconds after the version.

    `confidence` is the largest confidence interval as a share of the price, 6 decimals.
    """

    valid_from: int = 4
    valid_to: int = 10
    grace: int = 30
    confidence: int = 20_000

    def expiry(self, version: int) -> int:
        """From when on a requested version can only be committed as invalid."""
        return version + self.valid_to + self.grace


@dataclass(slots=True, frozen=True)
class Update:
    """One update of a feed: price and confidence times 10^exponent, when it and the one before it were published."""

    price: int
    confidence: int
    exponent: int
    published: int
    previous: int


@dataclass(slots=True, frozen=True)
class Feed:
    """One feed of an oracle, to the power +1 or -1."""

    id: str
    power: int = 1


class Versions:
    """The versions of one market. `now` is the clock, which the caller moves; it never moves back.

    Adapters are named as the caller likes; `published` is when the newest price in the latest version was published.
    """

    def __init__(self, now: int, granularity: int = GRANULARITY, adapter: str = "") -> None:
        self.now = now
        self.granularity = granularity
        self.adapter = adapter
        self.boundary = 0
        self.latest = OracleVersion(0, 0, False)
        self.published = 0
        self.keepers: dict[int, str] = {}
        self._previous = ""
        self._requested: list[int] = []
        self._versions: dict[int, OracleVersion] = {}
        self._from = self._first = 0

    @property
    def current(self) -> int:
        """The version of what is ordered now."""
        if self.now < self._from:
            return self._from
        if self.now < self._first:
            return self._first
        return self.now // self.granularity * self.granularity + self.granularity

    @property
    def next(self) -> int:
        """The requested version that has to be committed next, 0 where none waits."""
        return self._requested[0] if self._requested else 0

    def request(self, account: str) -> None:  # noqa: ARG002 -- for information only
        """Asks for a price at the current version, once."""
        if self.current not in self._requested[-1:]:
            self._requested.append(self.current)

    def status(self) -> tuple[OracleVersion, int]:
        """The newest committed version and the version of new orders."""
        return self.latest, self.current

    def at(self, timestamp: int) -> OracleVersion:
        """The version at a timestamp, invalid where it was never committed."""
        return self._versions.get(timestamp) or OracleVersion(timestamp, 0, False)

    def adapter_of(self, version: int) -> str:
        """Who may commit a version."""
        return self.adapter if version > self.boundary else self._previous

    def admit(self, version: int, adapter: str = "") -> None:
        """Refuses a version that may not be committed next, or not by this adapter.

        Raises OracleNotAdapter, VersionNotNewer, VersionInFuture, VersionOutOfOrder.
        """
        if adapter != self.adapter_of(version):
            raise OracleNotAdapter(adapter, self.adapter_of(version))
        if version <= self.latest.timestamp:
            raise VersionNotNewer(version, self.latest.timestamp)
        if version > self.now:
            raise VersionInFuture(version)
        if self.next and version > self.next:
            raise VersionOutOfOrder(version, self.next)

    def commit(self, version: int, price: int, published: int, keeper: str, adapter: str = "") -> None:
        """Commits a price.

        Raises what `admit` does, PriceOutOfRange.
        """
        self.admit(version, adapter)
        if not 0 < price <= MAX_PRICE:
            raise PriceOutOfRange(price)
        self._store(OracleVersion(version, price, True))
        self.published = published
        self.keepers[version] = keeper

    def commit_invalid(self, version: int, window: Window, adapter: str = "") -> None:
        """Commits the waiting version as invalid.

        Raises VersionNotExpired, OracleNotAdapter, VersionNotNext.
        """
        if self.now < window.expiry(version):
            raise VersionNotExpired(version, window.expiry(version))
        if adapter != self.adapter_of(version):
            raise OracleNotAdapter(adapter, self.adapter_of(version))
        if not version or version != self.next:
            raise VersionNotNext(version, self.next)
        self._store(OracleVersion(version, 0, False))
        self.published = version

    def replace_adapter(self, adapter: str) -> int:
        """Puts another adapter in charge of what is not requested yet; returns the last version of the old one.

        Raises AdapterInService, HandoverPending.
        """
        if adapter == self.adapter:
            raise AdapterInService(adapter)
        if 0 < self.next <= self.boundary:
            raise HandoverPending(self.next, self.boundary)
        self.boundary = self._requested[-1] if self._requested else self.latest.timestamp
        self._previous, self.adapter = self.adapter, adapter
        return self.boundary

    def update_granularity(self, granularity: int) -> int:
        """Changes the spacing from the next version on; returns the last version of the old one.

        Raises GranularityOutOfRange.
        """
        if not 0 < granularity <= MAX_GRANULARITY:
            raise GranularityOutOfRange(granularity)
        last = self.current
        self._first = -(-(last + min(self.granularity, granularity)) // granularity) * granularity
        self._from = last
        self.granularity = granularity
        return last

    def _store(self, version: OracleVersion) -> None:
        if self._requested[:1] == [version.timestamp]:
            self._requested.pop(0)
        self._versions[version.timestamp] = self.latest = version


def price_of(
    versions: Versions,
    version: int,
    feeds: Sequence[Feed],
    updates: Mapping[str, Sequence[Update]],
    window: Window,
    adapter: str = "",
) -> tuple[int, int]:
    """The price of a version (6 decimals) and when the newest price in it was published, from updates by feed.

    Raises what PythOracle would: PriceFeedNotFoundWithinRange where an update of a feed is missing or not the first in
    the window, what `Versions.admit` does, VersionExpired, PriceInFuture, PriceNotNewer, PriceOfNextVersion,
    PriceNotPositive, PriceUncertain, PriceNotRepresentable.
    """
    chosen = [first_update(updates.get(feed.id, ()), version, window) for feed in feeds]
    versions.admit(version, adapter)
    if version == versions.next:
        if versions.now >= window.expiry(version):
            raise VersionExpired(version, window.expiry(version))
        before = None
    else:
        before = versions.next + window.valid_from if versions.next else None
    after = versions.published
    for feed, update in zip(feeds, chosen, strict=True):
        _check(feed, update, versions.now, after, before, window)
    return product(chosen, feeds), max(update.published for update in chosen)


def first_update(updates: Sequence[Update], version: int, window: Window) -> Update:
    """The update that prices a version. Raises PriceFeedNotFoundWithinRange where it is not among `updates`."""
    opens, closes = version + window.valid_from, version + window.valid_to
    for update in updates:
        if opens <= update.published <= closes and update.previous < opens:
            return update
    raise PriceFeedNotFoundWithinRange


def product(updates: Sequence[Update], feeds: Sequence[Feed]) -> int:
    """The product of prices to their powers, rounded toward zero to 6 decimals.

    Raises PriceNotRepresentable where that is 0 or far beyond every bound.
    """
    numerator, denominator, exponent = 1, 1, 6
    for update, feed in zip(updates, feeds, strict=True):
        if feed.power > 0:
            numerator *= update.price
        else:
            denominator *= update.price
        exponent += feed.power * update.exponent
    if abs(exponent) > MAX_EXPONENT:
        raise PriceNotRepresentable
    power: int = 10 ** abs(exponent)
    result = numerator * power // denominator if exponent > 0 else numerator // (denominator * power)
    if not 0 < result < 1 << 256:
        raise PriceNotRepresentable
    return result


def _check(feed: Feed, update: Update, now: int, after: int, before: int | None, window: Window) -> None:
    if update.published > now:
        raise PriceInFuture(feed.id, update.published)
    if update.published <= after:
        raise PriceNotNewer(feed.id, update.published, after)
    if before is not None and update.published >= before:
        raise PriceOfNextVersion(feed.id, update.published, before)
    if update.price <= 0:
        raise PriceNotPositive(feed.id, update.price)
    if update.confidence * UNIT > window.confidence * update.price:
        raise PriceUncertain(feed.id, update.confidence, update.price)
