"""What the solver has signed, on disk before it is sent: whoever starts after a kill finds out what became of it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class State(StrEnum):
    """What has become of a batch."""

    IN_FLIGHT = "in flight"
    MINED = "mined"
    FAILED = "failed"
    """Mined, and reverted as a whole."""
    CANCELLED = "cancelled"
    """Its empty replacement was mined."""
    LOST = "lost"
    """Another transaction, which is not in this journal, has taken its nonce."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed transaction: the batch, or the empty one that is to take its place."""

    hash: str
    raw: bytes
    max_fee: int
    tip: int
    cancels: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A batch: its nonce, its attempts, oldest first, and for each deal the hashes of its intents. Unix seconds."""

    number: int
    nonce: int
    deals: tuple[tuple[str, ...], ...]
    attempts: tuple[Attempt, ...]
    signed: int


class Journal:
    """An SQLite file of one key on one chain."""

    def __init__(self, path: Path | str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(
            """
            CREATE TABLE IF NOT EXISTS batches (
                number INTEGER PRIMARY KEY AUTOINCREMENT, nonce INTEGER NOT NULL, deals TEXT NOT NULL,
                state TEXT NOT NULL, signed INTEGER NOT NULL
            );
            CREATE UNIQUE INDEX IF NOT EXISTS one_in_flight ON batches (state) WHERE state = 'in flight';
            CREATE TABLE IF NOT EXISTS attempts (
                hash TEXT PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches, raw BLOB NOT NULL,
                max_fee TEXT NOT NULL, tip TEXT NOT NULL, cancels INTEGER NOT NULL
            );
            """
        )

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def in_flight(self) -> Entry | None:
        """The batch whose fate is not known. There is one at most."""
        row = self._database.execute(
            "SELECT number, nonce, deals, signed FROM batches WHERE state = ?", (State.IN_FLIGHT.value,)
        ).fetchone()
        if row is None:
            return None
        number, nonce, deals, signed = row
        attempts = self._database.execute(
            "SELECT hash, raw, max_fee, tip, cancels FROM attempts WHERE batch = ? ORDER BY rowid", (number,)
        )
        return Entry(
            number,
            nonce,
            tuple(tuple(hashes) for hashes in json.loads(deals)),
            tuple(
                Attempt(digest, raw, int(fee), int(tip), bool(cancels)) for digest, raw, fee, tip, cancels in attempts
            ),
            signed,
        )

    def open(self, nonce: int, deals: list[tuple[str, ...]], attempt: Attempt, now: int) -> None:
        """Writes a signed batch down, which may be sent then. sqlite3.IntegrityError where another one is in flight."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            cursor = self._database.execute(
                "INSERT INTO batches (nonce, deals, state, signed) VALUES (?, ?, ?, ?)",
                (nonce, json.dumps(deals), State.IN_FLIGHT.value, now),
            )
            assert cursor.lastrowid is not None
            self._add(cursor.lastrowid, attempt)
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def attempt_again(self, entry: Entry, attempt: Attempt) -> None:
        """Writes down a transaction that is to take the place of a batch's others."""
        self._add(entry.number, attempt)

    def finish(self, entry: Entry, state: State) -> None:
        """The fate of a batch is known."""
        self._database.execute("UPDATE batches SET state = ? WHERE number = ?", (state.value, entry.number))

    def states(self) -> list[State]:
        """The states of all batches, oldest first."""
        return [State(row[0]) for row in self._database.execute("SELECT state FROM batches ORDER BY number")]

    def _add(self, number: int, attempt: Attempt) -> None:
        self._database.execute(
            "INSERT INTO attempts (hash, batch, raw, max_fee, tip, cancels) VALUES (?, ?, ?, ?, ?, ?)",
            (attempt.hash, number, attempt.raw, str(attempt.max_fee), str(attempt.tip), attempt.cancels),
        )
