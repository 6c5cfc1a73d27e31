"""What a market knows of prices (docs/protocol.md §5.1, §11.1), and a provider that does what it is told."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True, frozen=True)
class OracleVersion:
    """One price in time: Unix seconds, price with 6 decimals, whether it is valid."""

    timestamp: int
    price: int
    valid: bool


class OracleProvider(Protocol):
    """The interface of an oracle (contracts/interfaces/IOracleProvider.sol)."""

    def request(self, account: str) -> None:
        """Asks for a price at the current version."""

    def status(self) -> tuple[OracleVersion, int]:
        """The newest committed version and the version of new orders."""

    def at(self, timestamp: int) -> OracleVersion:
        """The version at a timestamp, invalid where it was never committed."""


_NONE = OracleVersion(0, 0, False)


class Oracle:
    """A provider without keepers and clock, which commits what it is told, as contracts/mocks/MockOracle.sol."""

    def __init__(self, current: int = 0) -> None:
        self.current = current
        self.latest = _NONE
        self.requested: list[int] = []
        self._versions: dict[int, OracleVersion] = {}

    def request(self, account: str) -> None:  # noqa: ARG002 -- for information only
        """Notes the current version as requested, once."""
        if not self.requested or self.requested[-1] != self.current:
            self.requested.append(self.current)

    def status(self) -> tuple[OracleVersion, int]:
        """The newest committed version and the version of new orders."""
        return self.latest, self.current

    def at(self, timestamp: int) -> OracleVersion:
        """The version at a timestamp, invalid where it was never committed."""
        return self._versions.get(timestamp) or OracleVersion(timestamp, 0, False)

    def commit(self, timestamp: int, price: int, current: int | None = None) -> None:
        """Makes a valid version the latest; `current` moves where it is given."""
        self._commit(OracleVersion(timestamp, price, True), current)

    def commit_invalid(self, timestamp: int, current: int | None = None) -> None:
        """Makes an invalid version the latest; `current` moves where it is given."""
        self._commit(OracleVersion(timestamp, 0, False), current)

    def _commit(self, version: OracleVersion, current: int | None) -> None:
        if version.timestamp <= self.latest.timestamp:
            raise ValueError(f"version {version.timestamp} is not after the latest, {self.latest.timestamp}")
        if current is not None:
            self.current = current
        if self.current <= version.timestamp:
            raise ValueError(f"current {self.current} is not after version {version.timestamp}")
        self._versions[version.timestamp] = self.latest = version
