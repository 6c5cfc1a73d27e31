"""What a vault reads of its markets, and its calls of them (contracts/vault/MarketReader.sol, VaultMarkets.sol).

A market that refuses a call changes nothing and does not stop the vault.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from perennial.mirror.errors import MarketError
from perennial.mirror.fixed import UNIT12
from perennial.mirror.market import Market
from perennial.mirror.position import Book
from perennial.mirror.vault_claims import VaultClaims
from perennial.mirror.vault_state import VaultMarket


@dataclass(slots=True)
class Observation:
    """A market as an epoch that is being closed sees it: 6 decimals.

    `fresh`: it settles, and its price may be acted on. `version`: where orders settle; of a market that does not
    answer the first that could be new. `collateral`, settled `size` and `count` of pending versions are the vault's.
    """

    market: Market
    fresh: bool
    version: int
    collateral: int
    size: int
    count: int

    @property
    def exposed(self) -> bool:
        """Whether the market's price matters to the vault."""
        return self.size != 0 or self.count != 0

    @property
    def orderable(self) -> bool:
        """Whether an order may be placed."""
        return self.fresh and self.count == 0 and self.price != 0 and self.collateral >= 0

    @property
    def price(self) -> int:
        """Magnitude of the latest price."""
        return abs(self.market.price)

    @property
    def book(self) -> Book:
        """The market's sizes, every pending order counted."""
        return self.market.pending


@dataclass(slots=True)
class Delivery:
    """What a market of the pending epoch is worth: USD with 6 decimals.

    `stuck`: it has not settled past the epoch's version. `recorded`: orders settled at the version itself.
    """

    entry: VaultMarket
    value: int = 0
    recorded: bool = False
    stuck: bool = False


class VaultMarkets(VaultClaims):
    """The vault's side of its markets."""

    def observe(self, entry: VaultMarket) -> Observation:
        """Settles the vault's account and reads the market."""
        market = entry.market
        try:
            market.settle(self.address, caller=self.address)
            latest, current = market.oracle.status()
            age = current - latest.timestamp
            fresh = latest.timestamp != 0 and market.valid and 0 < age <= market.risk.stale_after
            version = current
        except MarketError:
            fresh, version = False, market.timestamp + 1
        size = market.positions(self.address).maker
        count = market.pending_counts(self.address)
        return Observation(market, fresh, version, market.collateral(self.address), size, count)

    def deliver(self, entry: VaultMarket) -> Delivery:
        """Settles a market that the pending epoch is exposed to, and values it at the epoch's version.

        That is: at the record of the version where orders settled at it and the size has not been changed by anything
        else since; else now, if the price is not stale.
        """
        market, version = entry.market, entry.version
        try:
            market.settle(self.address, caller=self.address)
        except MarketError:
            return Delivery(entry, stuck=True)
        record = market.versions.get(version)
        recorded = record is not None and record.valid
        recent = market.oracle.status()[1] - market.timestamp <= market.risk.stale_after
        if market.timestamp < version or not (recorded or (market.valid and recent)):
            return Delivery(entry, recorded=recorded, stuck=True)
        value, size = market.collateral(self.address), market.positions(self.address).maker
        if record is not None and recorded and size == entry.expected:
            value -= size * (market.accumulators.maker - record.accumulators.maker) // UNIT12
        return Delivery(entry, max(0, value), recorded)

    def order(self, market: Market, delta: int, collateral: int) -> bool:
        """Market.update of the vault's account; `collateral` (6 decimals) positive: in. False where it is refused."""
        try:
            market.update(self.address, delta, 0, collateral, caller=self.address)
        except MarketError as error:
            self.emit("OrderRefused", market.address, (type(error).__name__, *error.args))
            return False
        self.idle -= collateral * self.scale
        self.tokens -= collateral * self.scale
        return True

    def beyond_margin(self, market: Market) -> int:
        """Collateral above the margin requirement, 6 decimals."""
        effective, margin, _ = market.requirement(self.address)
        return max(0, effective - margin)

    def total_assets(self) -> int:
        """Assets of all shares, as of the last settlement of each market: token units."""
        return self.net_assets(entry.market.collateral(self.address) for entry in self.markets)

    @contextmanager
    def _atomic_with_markets(self) -> Iterator[None]:
        """Takes back what a refused call changed, in the markets too."""
        markets = [(entry.market, entry.market.copy()) for entry in self.markets]
        events = [None if entry.market.events is None else list(entry.market.events) for entry in self.markets]
        oracles = [_lists(entry.market.oracle) for entry in self.markets]
        with self._atomic():
            try:
                yield
            except MarketError:
                for (market, before), emitted, requested in zip(markets, events, oracles, strict=True):
                    market.__dict__.update(before.__dict__, events=emitted)
                    market.oracle.__dict__.update(requested)
                raise


def _lists(provider: Any) -> dict[str, list[Any]]:
    """What an order changes of an oracle: the versions asked for."""
    return {name: list(value) for name, value in provider.__dict__.items() if isinstance(value, list)}
