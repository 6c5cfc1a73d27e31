"""Keepers: they commit every version, settle what is due, liquidate what is unhealthy, and collect their pay."""

from collections.abc import Iterable, Sequence
from random import Random

from perennial.demo.actors import View
from perennial.demo.cast import address_of
from perennial.demo.outcome import KeeperResult
from perennial.demo.twin import Twin
from perennial.mirror.versions import Update

COUNT = 3


class Keepers:
    """A few keepers in competition: who is first is drawn by lot each time. `prefix` is before their names."""

    def __init__(self, twin: Twin, seed: int, prefix: str = "") -> None:
        self.twin, self.rng = twin, Random(f"{seed} {prefix}keepers")
        names = [f"{prefix}keeper {index + 1}" for index in range(COUNT)]
        self.crew = [KeeperResult(name, address_of(name)) for name in names]
        self.addresses = [keeper.address for keeper in self.crew]
        self._unpaid: dict[str, list[int]] = {address: [] for address in self.addresses}
        self._round = 0

    def commit(self, version: int, updates: Sequence[Update]) -> None:
        """Commits a version: whoever is first will have its settlement fees."""
        keeper = self._first()
        self.twin.commit(version, updates, keeper.address)
        keeper.commits += 1
        self._unpaid[keeper.address].append(version)

    def look_after(self, view: View) -> None:
        """Liquidates who is unhealthy, settles whose orders are due, and one account more."""
        mirror = self.twin.mirror
        for account in [name for name in self.twin.accounts if name in mirror.accounts]:
            if view.market.liquidatable(account) and not view.market.locked(account):
                keeper = self._first()
                self.twin.liquidate(account, keeper.address)
                keeper.liquidations += 1
            elif mirror.accounts[account].orders:
                self._settle(account)
        self._round += 1
        self._settle(self.twin.accounts[self._round % len(self.twin.accounts)])

    def settle_all(self) -> None:
        """Settles every account."""
        for account in self.twin.accounts:
            self._settle(account)

    def collect(self) -> None:
        """Claims what is due: settlement fees from the OracleFactory, liquidation fees from the market."""
        for keeper in self.crew:
            versions = list(self._with_fees(self._unpaid[keeper.address]))
            self._unpaid[keeper.address] = []
            if versions:
                keeper.settlement_fees += self.twin.claim_settlement_fees(versions, keeper.address)
            if self.twin.mirror.claimable(keeper.address):
                keeper.liquidation_fees += self.twin.claim(keeper.address)

    def _with_fees(self, versions: Iterable[int]) -> Iterable[int]:
        return (version for version in versions if self.twin.mirror.settlement_fees(version))

    def _settle(self, account: str) -> None:
        keeper = self._first()
        self.twin.settle(account, keeper.address)
        keeper.settlements += 1

    def _first(self) -> KeeperResult:
        return self.rng.choice(self.crew)
