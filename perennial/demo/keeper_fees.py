"""What the OracleFactory keeps for keepers and its owner of one market: contracts/oracle/OracleFactory.sol, claims."""

from collections.abc import Sequence
from dataclasses import dataclass

from perennial.mirror.market import Market
from perennial.mirror.versions import Versions


@dataclass(slots=True)
class KeeperFees:
    """Oracle fees that have arrived and are not paid on. USD, 6 decimals.

    `total` are the settlement fees that have arrived since the market began, as the market counts them.
    """

    market: Market
    versions: Versions
    keepers: int = 0
    owner: int = 0
    total: int = 0

    def claim(self, versions: Sequence[int], keeper: str) -> int:
        """Pays a keeper the settlement fees of the versions that it committed, each once; returns the amount."""
        amount = 0
        for version in versions:
            fee = self.market.settlement_fees(version)
            if fee and self.versions.keepers.get(version) == keeper:
                del self.versions.keepers[version]
                amount += fee
        if self.keepers < amount:
            self._pull()
        self.keepers -= amount
        return amount

    def claim_oracle_fee(self) -> int:
        """Pays the owner its part of the oracle fees; returns the amount."""
        self._pull()
        amount, self.owner = self.owner, 0
        return amount

    def _pull(self) -> None:
        received = self.market.claim_fee(caller=self.market.factory.oracle_factory)
        settlement = self.market.settlement_fees_total() - self.total
        self.total += settlement
        self.keepers += settlement
        self.owner += received - settlement
