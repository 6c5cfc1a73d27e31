"""What a deployment has sent: written before a transaction leaves, so that a run that is killed can be continued.

Nothing in it is secret: names of steps, nonces and hashes of transactions.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class JournalError(RuntimeError):
    """The journal is of another chain, another account or other work than what runs now."""


@dataclass(frozen=True)
class Work:
    """What a journal is about: the hash of its chain's first block, who sends, a digest of all that is to be sent."""

    genesis: str
    sender: str
    digest: str


@dataclass
class Entry:
    """One transaction: all its attempts have one nonce, of which the chain takes one. `block` once it is mined."""

    nonce: int
    hashes: list[str]
    transaction: str | None = None
    block: int | None = None


class Journal:
    """A file with an entry a step; without a path it is forgotten with the run."""

    def __init__(self, path: Path | None, work: Work) -> None:
        self.path, self.work = path, work
        self.entries: dict[str, Entry] = {}

    @classmethod
    def open(cls, path: Path, work: Work, *, disposable: bool) -> Journal:
        """The journal in a file, empty where there is none.

        Of another chain it is begun anew where chains are `disposable`, as local ones are. Raises JournalError where
        they are not, for another sender, and where something else is to be sent now.
        """
        journal = cls(path, work)
        if not path.exists():
            return journal
        content: dict[str, Any] = json.loads(path.read_text())
        begun = Work(**content["work"])
        if begun.genesis != work.genesis:
            if disposable:
                return journal
            raise JournalError(f"{path} is of another chain, whose first block is {begun.genesis}, not {work.genesis}")
        if begun.sender != work.sender:
            raise JournalError(f"{path} was begun by {begun.sender}: continue with that account, not {work.sender}")
        if begun.digest != work.digest:
            raise JournalError(
                f"{path} was begun with other sources or another file: continue with those, or remove it"
            )
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
            "work": asdict(self.work),
            "transactions": {step: vars(entry) for step, entry in self.entries.items()},
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f"{self.path.name}.partial")
        with partial.open("w") as file:
            file.write(json.dumps(content, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)
