"""What a key has signed, on disk before it is sent: whoever starts after a kill finds out what became of it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class InFlightError(RuntimeError):
    """As many calls are in flight as may be, or one with the same nonce: another process has this journal too."""


class OwnerError(RuntimeError):
    """The file is of another key or chain: what is in flight there is none of this one's business."""


class FileError(RuntimeError):
    """The file is no database, or cannot be read and written."""


class State(StrEnum):
    """What has become of a transaction."""

    IN_FLIGHT = "in flight"
    MINED = "mined"
    FAILED = "failed"
    """Mined, and reverted."""
    CANCELLED = "cancelled"
    """Its empty replacement was mined."""
    LOST = "lost"
    """Another transaction, which is not in this journal, has taken its nonce."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a transaction is to do; `value` is in wei."""

    to: str
    data: bytes
    gas: int
    value: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed transaction: the call, or the empty one that is to take its place. Fees in wei, Unix seconds."""

    hash: str
    raw: bytes
    max_fee: int
    tip: int
    cancels: bool
    signed: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A call: its nonce, the work in it, and its attempts, oldest first.

    A piece of work is a few words that say what it is to whoever sent it: the intents of a deal, for instance.
    """

    number: int
    nonce: int
    items: tuple[tuple[str, ...], ...]
    call: Call
    attempts: tuple[Attempt, ...]


def database(path: Path | str) -> sqlite3.Connection:
    """An SQLite file, made where it is missing, whose writers do not stop who reads. Raises FileError."""
    found = None
    try:
        found = sqlite3.connect(path, isolation_level=None)
        found.execute("PRAGMA journal_mode=WAL")
    except sqlite3.DatabaseError as error:
        if found is not None:
            found.close()
        # Who is kept from it for a moment must not take another: what is in flight is in this one.
        advice = "" if isinstance(error, sqlite3.OperationalError) else ": name another file"
        raise FileError(f"{path} cannot be used: {error}{advice}") from error
    return found


class Journal:
    """An SQLite file of one key on one chain. `limit` is how many calls may be in flight.

    `owner` says in words whose it is; empty where somebody else watches over that. Another one's is refused with
    OwnerError, a file that is no database with FileError.
    """

    def __init__(self, path: Path | str, limit: int = 1, owner: str = "") -> None:
        self.limit = limit
        self._database = database(path)
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(
            """
            CREATE TABLE IF NOT EXISTS calls (
                number INTEGER PRIMARY KEY AUTOINCREMENT, nonce INTEGER NOT NULL, items TEXT NOT NULL,
                receiver TEXT NOT NULL, data BLOB NOT NULL, gas INTEGER NOT NULL, value TEXT NOT NULL,
                state TEXT NOT NULL
            );
            CREATE INDEX IF NOT EXISTS in_flight ON calls (nonce) WHERE state = 'in flight';
            CREATE TABLE IF NOT EXISTS attempts (
                hash TEXT PRIMARY KEY, call INTEGER NOT NULL REFERENCES calls, raw BLOB NOT NULL,
                max_fee TEXT NOT NULL, tip TEXT NOT NULL, cancels INTEGER NOT NULL, signed INTEGER NOT NULL
            );
            CREATE INDEX IF NOT EXISTS attempts_of_call ON attempts (call);
            """
        )
        if owner:
            self._belong_to(owner)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def in_flight(self) -> list[Entry]:
        """The calls whose fate is not known, in the order of their nonces."""
        rows = self._database.execute(
            "SELECT number, nonce, items, receiver, data, gas, value FROM calls WHERE state = ? ORDER BY nonce",
            (State.IN_FLIGHT.value,),
        ).fetchall()
        return [
            Entry(
                number,
                nonce,
                tuple(tuple(words) for words in json.loads(items)),
                Call(receiver, data, gas, int(value)),
                self._attempts(number),
            )
            for number, nonce, items, receiver, data, gas, value in rows
        ]

    def open(self, nonce: int, items: Sequence[Sequence[str]], call: Call, attempt: Attempt) -> None:
        """Writes a signed call down, which may be sent then.

        Raises InFlightError where it may not.
        """
        self._database.execute("BEGIN IMMEDIATE")
        try:
            nonces = self._nonces()
            if len(nonces) >= self.limit or nonce in nonces:
                raise InFlightError(f"nonces {nonces} are in flight, {nonce} may not join them")
            cursor = self._database.execute(
                "INSERT INTO calls (nonce, items, receiver, data, gas, value, state) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    nonce,
                    json.dumps([list(words) for words in items]),
                    call.to,
                    call.data,
                    call.gas,
                    str(call.value),
                    State.IN_FLIGHT.value,
                ),
            )
            assert cursor.lastrowid is not None
            self._add(cursor.lastrowid, attempt)
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def attempt_again(self, entry: Entry, attempt: Attempt) -> None:
        """Writes down a transaction that is to take the place of a call's others."""
        self._add(entry.number, attempt)

    def finish(self, entry: Entry, state: State) -> None:
        """The fate of a call is known."""
        self._database.execute("UPDATE calls SET state = ? WHERE number = ?", (state.value, entry.number))

    def states(self) -> list[State]:
        """The states of all calls, oldest first."""
        return [State(row[0]) for row in self._database.execute("SELECT state FROM calls ORDER BY number")]

    def _belong_to(self, owner: str) -> None:
        self._database.execute("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        self._database.execute("INSERT OR IGNORE INTO facts VALUES ('owner', ?)", (owner,))
        [known] = self._database.execute("SELECT value FROM facts WHERE name = 'owner'").fetchone()
        if known != owner:
            self.close()
            raise OwnerError(f"the journal is of {known}, not of {owner}")

    def _nonces(self) -> list[int]:
        rows = self._database.execute("SELECT nonce FROM calls WHERE state = ?", (State.IN_FLIGHT.value,))
        return [nonce for (nonce,) in rows]

    def _attempts(self, number: int) -> tuple[Attempt, ...]:
        rows = self._database.execute(
            "SELECT hash, raw, max_fee, tip, cancels, signed FROM attempts WHERE call = ? ORDER BY rowid", (number,)
        )
        return tuple(
            Attempt(digest, raw, int(fee), int(tip), bool(cancels), signed)
            for digest, raw, fee, tip, cancels, signed in rows
        )

    def _add(self, number: int, attempt: Attempt) -> None:
        self._database.execute(
            "INSERT INTO attempts (hash, call, raw, max_fee, tip, cancels, signed) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                attempt.hash,
                number,
                attempt.raw,
                str(attempt.max_fee),
                str(attempt.tip),
                attempt.cancels,
                attempt.signed,
            ),
        )
