"""What a deployment has sent: written before a transaction leaves, so that a run that is killed can be continued.

Nothing in it is secret: names of steps, nonces and hashes of transactions.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class JournalError(RuntimeError):
    """The journal is of another chain or another account than what runs now."""


@dataclass
class Entry:
    """One transaction: all its attempts have one nonce, of which the chain takes one. `block` once it is mined."""

    nonce: int
    hashes: list[str]
    transaction: str | None = None
    block: int | None = None


class Journal:
    """A file with an entry a step, for one account on one chain; without a path it is kept in memory."""

    def __init__(self, path: Path | None, genesis: str, sender: str) -> None:
        self.path, self.genesis, self.sender = path, genesis, sender
        self.entries: dict[str, Entry] = {}

    @classmethod
    def open(cls, path: Path, genesis: str, sender: str, *, disposable: bool) -> Journal:
        """The journal in a file, empty where there is none.

        Of another chain (`genesis` is its first block's hash) it is begun anew where chains are `disposable`, as local ones
        are. Raises JournalError where they are not, and for another sender.
        """
        journal = cls(path, genesis, sender)
        if not path.exists():
            return journal
        content: dict[str, Any] = json.loads(path.read_text())
        if content["genesis"] != genesis:
            if disposable:
                return journal
            raise JournalError(f"{path} is of another chain: it begins with block {content['genesis']}, not {genesis}")
        if content["sender"] != sender:
            raise JournalError(f"{path} was begun by {content['sender']}: continue with that account, not {sender}")
        journal.entries = {step: Entry(**entry) for step, entry in content["transactions"].items()}
        return journal

    def get(self, step: str) -> Entry | None:
        """The transaction of a step, None where none was sent."""
        return self.entries.get(step)

    def attempt(self, step: str, nonce: int, transaction: str) -> Entry:
        """A transaction is about to be sent; on disk when this returns."""
        entry = self.entries.get(step)
        if entry is None or entry.nonce != nonce:
            entry = self.entries[step] = Entry(nonce, [])
        if transaction not in entry.hashes:
            entry.hashes.append(transaction)
        self._write()
        return entry

    def mined(self, step: str, transaction: str, block: int) -> None:
        """One of a step's attempts is in a block, and succeeded."""
        entry = self.entries[step]
        entry.transaction, entry.block = transaction, block
        self._write()

    def drop(self, step: str) -> None:
        """A step's transaction failed, or can never be mined: it is as if it had not been sent."""
        del self.entries[step]
        self._write()

    def close(self) -> None:
        """All is done and in the manifest."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        if self.path is None:
            return
        content = {
            "genesis": self.genesis,
            "sender": self.sender,
            "transactions": {step: vars(entry) for step, entry in self.entries.items()},
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f"{self.path.name}.partial")
        with partial.open("w") as file:
            file.write(json.dumps(content, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)
