"""Market and mirror over the real oracle: the moves of a game, with prices that keepers bring (docs/protocol.md §11).

A player says which version should have which price, and what time it is then, as to the oracle that does as told. Here
keepers make of it what can be made: what was asked for comes first, each version with its price or, too late, without;
what nobody asked for freshens; every commit is tried again at once. Chain and mirror must agree in each attempt.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from perennial.mirror import versions as mirror
from perennial.mirror.errors import MarketError
from perennial.mirror.fixed import UNIT
from perennial.testing.differential import Bench, Mismatch, Setup, Twin, address_of
from perennial.testing.evm import Contract, Reverted
from perennial.testing.oracles import START, feeds, update

KEEPER = f"0x{0xB0000:040x}"
ONE_FEED = ("BTC",)
RATIO = ("ETH", "/BTC")
"""Feeds as `feeds` takes them: one, and one over another."""

DIVISOR = 3
"""USD of the feed that divides, so that the other one's price is three times the ratio: every ratio is exact."""

WINDOW = mirror.Window()
GRANULARITY = mirror.GRANULARITY

LARGEST = (1 << 63) - 1
"""Pyth's prices have 64 bits and a sign."""


class PricedBench(Bench):
    """The protocol with a PythOracle over a mock of Pyth that takes no fee; `feeds` are those of the next market."""

    feeds: tuple[str, ...] = ONE_FEED

    def __init__(self) -> None:
        super().__init__()
        evm, owner = self.evm, self.owner
        pyth = evm.deploy("MockPyth", 60, 0, sender=owner)
        window = (WINDOW.valid_from, WINDOW.valid_to, WINDOW.grace, WINDOW.confidence)
        self.adapter = evm.deploy("PythOracle", pyth.address, self.oracles.address, owner, window, sender=owner)
        self.oracles.send("updateAdapter", self.adapter.address, True, sender=owner)

    @contextmanager
    def open(self, setup: Setup) -> Iterator["PricedTwin"]:
        """A market and its mirror; the market is gone afterwards."""
        with self.evm.undone():
            self.evm.warp(START)
            yield PricedTwin(self, setup)


class PricedTwin(Twin):
    """A market over an oracle with keepers, and its mirror over the mirror of that."""

    bench: PricedBench
    mirror_oracle: mirror.Versions

    def provider(self) -> tuple[Contract, mirror.Versions]:
        """The market's own oracle and its mirror."""
        self.names = self.bench.feeds
        self.feeds = [mirror.Feed(name.removeprefix("/"), -1 if name.startswith("/") else 1) for name in self.names]
        arguments = (self.bench.adapter.address, feeds(*self.names))
        (oracle,) = self.bench.oracles.send("create", *arguments, sender=address_of("coordinator"))
        self.unpaid: set[int] = set()
        return self.bench.evm.contract("Oracle", oracle), mirror.Versions(START)

    def requests(self) -> tuple[Any, Any]:
        """The version that waits, and all that the market sees."""
        latest, current = self.mirror_oracle.status()
        seen = (latest.timestamp, latest.price, latest.valid, current)
        actual = (self.oracle.value("next"), *self.oracle.read("status"))
        return actual, (self.mirror_oracle.next, *seen)

    def act(self, name: str, *arguments: Any) -> str | None:
        """As Twin's. The clock of the chain does not come back with a fork."""
        self.bench.evm.warp(self.mirror_oracle.now)
        self.mirror.factory.verifier.now = self.mirror_oracle.now
        return super().act(name, *arguments)

    # -- Moves -----------------------------------------------------------------------------------------------------

    def _do_commit(self, version: int, price: int | None, current: int) -> None:
        while (waiting := self.mirror_oracle.next) and waiting <= version:
            self._work_off(waiting, price)
        if version > self.mirror_oracle.latest.timestamp and price is not None:
            self._warp(version + WINDOW.valid_from)
            self._commit(version, price)
        self._warp(current - GRANULARITY)

    def _do_wait(self, current: int) -> None:
        self._warp(current - GRANULARITY)

    def _do_claim_oracle_fee(self) -> str | None:
        """The owner takes its share, then the keeper what was charged at the versions that it committed, all of it."""
        error = super()._do_claim_oracle_fee()
        if error is not None:
            return error
        owed = {version: self.mirror.settlement_fees(version) for version in self.unpaid}
        (paid,) = self.bench.oracles.send("claim", self.market.address, list(owed), KEEPER, sender=KEEPER)
        if paid != sum(owed.values()):
            raise Mismatch(f"the keeper is paid {paid}, was charged {owed}")
        self.unpaid = {version for version, fee in owed.items() if fee == 0}
        self.outcomes["a keeper is paid"] += paid > 0
        return None

    # -- Keepers ---------------------------------------------------------------------------------------------------

    def _work_off(self, version: int, price: int | None) -> None:
        """Ends the version that waits: with this price, if there is one and it is not too late."""
        self._warp(version + WINDOW.valid_from)
        if price is not None and self._commit(version, price):
            return
        for time in (WINDOW.expiry(version) - 1, WINDOW.expiry(version)):
            self._warp(time)
            if self._keep("expire", "commitInvalid", (version,), self._invalidate(version)):
                return

    def _commit(self, version: int, price: int) -> bool:
        """Commits, and once more; returns whether the price was taken."""
        prices = [price] if self.names == ONE_FEED else [DIVISOR * price, DIVISOR * UNIT]
        if abs(prices[0]) > LARGEST:
            return False
        published = version + WINDOW.valid_from
        updates = {
            feed.id: [mirror.Update(price, 0, -6, published, published - 1)]
            for feed, price in zip(self.feeds, prices, strict=True)
        }

        def commit() -> None:
            found = mirror.price_of(self.mirror_oracle, version, self.feeds, updates, WINDOW)
            self.mirror_oracle.commit(version, *found, KEEPER)

        data = ([update(feed, one.price, published, exponent=-6) for feed, (one,) in updates.items()],)
        taken = self._keep("price", "commit", (version, *data), commit)
        if taken:
            self.unpaid.add(version)
            if self._keep("replay", "commit", (version, *data), commit):
                raise Mismatch(f"version {version} was committed twice")
        return taken

    def _invalidate(self, version: int) -> Callable[[], None]:
        return lambda: self.mirror_oracle.commit_invalid(version, WINDOW)

    def _keep(self, move: str, function: str, arguments: tuple[Any, ...], call: Callable[[], None]) -> bool:
        """One attempt of a keeper on both sides; returns whether it succeeded."""
        expected = None
        try:
            call()
        except MarketError as error:
            expected = type(error).__name__
        actual = None
        try:
            self.bench.adapter.send(function, [self.oracle.address], *arguments, sender=KEEPER)
        except Reverted as error:
            actual = error.name
        if actual != expected:
            raise Mismatch(
                f"{move} of {arguments[0]}: the chain says {actual or 'done'}, the mirror {expected or 'done'}"
            )
        self.outcomes[f"{move}: {actual or 'done'}"] += 1
        return actual is None

    def _warp(self, time: int) -> None:
        self.mirror_oracle.now = max(self.mirror_oracle.now, time)
        self.bench.evm.warp(self.mirror_oracle.now)
