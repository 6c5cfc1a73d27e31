"""What a keeper remembers: a file that could be made anew from the chain's events, at the price of reading them all."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from perennial.sending.journal import FileError, database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class StateError(RuntimeError):
    """The file belongs to another chain or keeper, or is in use."""


@dataclass(frozen=True, slots=True)
class Earning:
    """What a keeper was paid: USD, or the market's token, with 6 decimals. `kind` is settlement or liquidation."""

    transaction: str
    log_index: int
    market: str
    kind: str
    amount: int


class State:
    """An SQLite file of one keeper on one chain. Addresses are lower-case hex."""

    def __init__(self, path: Path | str, owner: str = "") -> None:
        """`owner` is in words whose it is: another's file is refused with StateError, no database with FileError."""
        self._lock = None if str(path) == ":memory:" else _lock(Path(path))
        try:
            self._database = database(path)
        except FileError:
            if self._lock is not None:
                self._lock.close()
            raise
        self._database.executescript(
            """
            CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
            CREATE TABLE IF NOT EXISTS sizes (
                market TEXT NOT NULL, account TEXT NOT NULL, size TEXT NOT NULL, PRIMARY KEY (market, account)
            );
            CREATE TABLE IF NOT EXISTS pending (
                market TEXT NOT NULL, account TEXT NOT NULL, version INTEGER NOT NULL, is_lock INTEGER NOT NULL,
                PRIMARY KEY (market, account, version)
            );
            CREATE TABLE IF NOT EXISTS requested (
                market TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (market, version)
            );
            CREATE TABLE IF NOT EXISTS unpaid (
                market TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (market, version)
            );
            CREATE TABLE IF NOT EXISTS earnings (
                hash TEXT NOT NULL, log_index INTEGER NOT NULL, market TEXT NOT NULL, kind TEXT NOT NULL,
                amount TEXT NOT NULL, PRIMARY KEY (hash, log_index)
            );
            """
        )
        if self._fact("owner") is None:
            self._remember("owner", owner)
        elif self._fact("owner") != owner:
            known = self._fact("owner")
            self.close()
            raise StateError(f"{path} is of {known}, not of {owner}: name another file (--state)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._database.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """All of what is written inside, or nothing of it."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    # -- How far it is -----------------------------------------------------------------------------------------------

    def block(self) -> int | None:
        """The last block whose events are here."""
        value = self._fact("block")
        return None if value is None else int(value)

    def go_to(self, block: int) -> None:
        """The events up to this block are here."""
        self._remember("block", str(block))

    def watch(self, contracts: Iterable[str]) -> None:
        """Whose events are followed. With a new one among them all events are read again from the start."""
        known, wanted = set((self._fact("contracts") or "").split()), set(contracts)
        if wanted - known:
            self._database.execute("DELETE FROM facts WHERE name = 'block'")
        self._remember("contracts", " ".join(sorted(wanted)))

    def claimed(self) -> int:
        """When pay was last claimed, Unix seconds; 0 for never."""
        return int(self._fact("claimed") or 0)

    def claim_at(self, timestamp: int) -> None:
        """Pay is claimed now."""
        self._remember("claimed", str(timestamp))

    # -- Accounts ----------------------------------------------------------------------------------------------------

    def add_pending(self, market: str, account: str, version: int, *, is_lock: bool = False) -> None:
        """An account waits for a version; by a lock alone, where it has no order there."""
        self._database.execute(
            "INSERT INTO pending VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET is_lock = min(is_lock, excluded.is_lock)",
            (market, account, version, is_lock),
        )

    def settle(self, market: str, account: str, version: int, size: int | None = None) -> None:
        """An account is settled up to a version, with this size afterwards if that is known."""
        self._database.execute(
            "DELETE FROM pending WHERE market = ? AND account = ? AND version <= ?", (market, account, version)
        )
        if size is not None:
            self._database.execute("INSERT OR REPLACE INTO sizes VALUES (?, ?, ?)", (market, account, str(size)))

    def waiting(self, market: str, latest: int) -> dict[str, int]:
        """Accounts that wait for a version up to `latest`, with how many later versions they have orders at."""
        rows = self._database.execute(
            "SELECT account, sum(version > ? AND NOT is_lock) FROM pending WHERE market = ? "
            "GROUP BY account HAVING min(version) <= ? ORDER BY min(version)",
            (latest, market, latest),
        )
        return dict(rows.fetchall())

    def versions(self, market: str, after: int) -> list[int]:
        """Versions after `after` that somebody waits for, oldest first."""
        rows = self._database.execute(
            "SELECT DISTINCT version FROM pending WHERE market = ? AND version > ? ORDER BY version", (market, after)
        )
        return [version for (version,) in rows]

    def holders(self, market: str) -> list[str]:
        """Accounts that had a size when they were last settled, or wait for something."""
        rows = self._database.execute(
            "SELECT account FROM sizes WHERE market = ? AND size != '0' "
            "UNION SELECT account FROM pending WHERE market = ? ORDER BY account",
            (market, market),
        )
        return [account for (account,) in rows]

    # -- Versions ----------------------------------------------------------------------------------------------------

    def request(self, market: str, version: int) -> None:
        """A version is requested."""
        self._database.execute("INSERT OR IGNORE INTO requested VALUES (?, ?)", (market, version))

    def commit(self, market: str, version: int) -> None:
        """A version is committed, valid or not: what was requested up to it is done."""
        self._database.execute("DELETE FROM requested WHERE market = ? AND version <= ?", (market, version))

    def requested(self, market: str, after: int) -> list[int]:
        """Requested versions after `after`, oldest first."""
        rows = self._database.execute(
            "SELECT version FROM requested WHERE market = ? AND version > ? ORDER BY version", (market, after)
        )
        return [version for (version,) in rows]

    # -- Pay ---------------------------------------------------------------------------------------------------------

    def add_unpaid(self, market: str, version: int) -> None:
        """The keeper has committed a version."""
        self._database.execute("INSERT OR IGNORE INTO unpaid VALUES (?, ?)", (market, version))

    def unpaid(self, market: str, latest: int) -> list[int]:
        """Versions up to `latest` that the keeper has committed and that may still pay."""
        rows = self._database.execute(
            "SELECT version FROM unpaid WHERE market = ? AND version <= ? ORDER BY version", (market, latest)
        )
        return [version for (version,) in rows]

    def forget_unpaid(self, market: str, versions: Iterable[int]) -> None:
        """Versions that are paid, or pay nothing."""
        self._database.executemany(
            "DELETE FROM unpaid WHERE market = ? AND version = ?", [(market, version) for version in versions]
        )

    def earn(self, earning: Earning) -> None:
        """The keeper was paid; told twice, it counts once."""
        self._database.execute(
            "INSERT OR IGNORE INTO earnings VALUES (?, ?, ?, ?, ?)",
            (earning.transaction, earning.log_index, earning.market, earning.kind, str(earning.amount)),
        )

    def earned(self, market: str) -> dict[str, int]:
        """What the keeper was paid of a market, by kind."""
        totals: dict[str, int] = {}
        for kind, amount in self._database.execute("SELECT kind, amount FROM earnings WHERE market = ?", (market,)):
            totals[kind] = totals.get(kind, 0) + int(amount)
        return totals

    def _fact(self, name: str) -> str | None:
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _remember(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))


def _lock(path: Path) -> TextIO:
    """Holds a file until it is closed or the process ends, however it does."""
    try:
        handle = path.with_name(path.name + ".lock").open("w")
    except OSError as error:
        raise StateError(f"{path} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise StateError(f"another keeper works with {path}") from None
    return handle
