"""Gets batches on chain, one after the other, each once.

One batch is in flight at most, and it is in the journal before it is sent. All its attempts have one nonce, of which
the chain takes one: whatever dies in between, no deal is sent a second time before the fate of the first is known.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from perennial.chain import NodeError
from perennial.solver.journal import Attempt, Entry, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from eth_account.signers.local import LocalAccount

    from perennial.solver.journal import Journal

logger = logging.getLogger(__name__)

TRANSFER = 21_000
"""Gas of an empty transaction."""


@dataclass(frozen=True, slots=True)
class Mined:
    """What became of a transaction. `skipped` has the reasons of deals that the market skipped, by their place."""

    succeeded: bool
    gas_used: int
    skipped: dict[int, str]


class Node(Protocol):
    """What the sender asks a node. NodeError where it cannot say."""

    def nonce(self, address: str) -> int:
        """How many transactions of an address are in blocks."""
        ...

    def receipt(self, digest: str) -> Mined | None:
        """What became of a transaction; None where it is in no block."""
        ...

    def send_raw(self, raw: bytes) -> None:
        """Hands a signed transaction over. One that the node knows already is no error."""
        ...

    def base_fee(self) -> int:
        """Of the newest block, wei."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """A batch whose fate is known."""

    entry: Entry
    state: State
    mined: Mined | None


@dataclass
class Sender:
    """Sends with one key. Nothing else may send with it."""

    key: LocalAccount
    chain_id: int
    node: Node
    journal: Journal
    tip: int = 1_000_000
    """Wei for a unit of gas, to who makes the block."""
    patience: int = 30
    """Seconds until a batch is taken back, since its prices are old by then; and until more is offered for that."""
    clock: Callable[[], float] = time.time

    def send(self, to: str, data: bytes, gas: int, deals: list[tuple[str, ...]]) -> str:
        """Signs a batch, writes it down and sends it; returns its hash. Only where none is in flight."""
        nonce = self.node.nonce(self.key.address)
        attempt = self._sign(nonce, to, data, gas, 2 * self.node.base_fee() + self.tip, self.tip, cancels=False)
        self.journal.open(nonce, deals, attempt, int(self.clock()))
        self._send(attempt)
        return attempt.hash

    def resolve(self) -> Outcome | None:
        """Looks after the batch in flight: returns its fate once it is known, None before that and where there is none.

        Sends it again meanwhile (the node may have lost it), and its empty replacement when patience is over.
        """
        entry = self.journal.in_flight()
        if entry is None:
            return None
        # In this order: were the nonce asked last, a batch mined in between would look lost.
        is_taken = self.node.nonce(self.key.address) > entry.nonce
        for attempt in entry.attempts:
            mined = self.node.receipt(attempt.hash)
            if mined is not None:
                return self._finish(entry, attempt, mined)
        if is_taken:
            self.journal.finish(entry, State.LOST)
            return Outcome(entry, State.LOST, None)
        latest = entry.attempts[-1]
        # Each attempt has its time; blocks may have become dearer than the replacement offers as well.
        if self.clock() - entry.signed > self.patience * len(entry.attempts):
            latest = self._replacement(entry)
            self.journal.attempt_again(entry, latest)
            logger.warning("batch %s is not mined: taken back, for %s wei", entry.attempts[0].hash, latest.max_fee)
        self._send(latest)
        return None

    @property
    def busy(self) -> bool:
        """Whether a batch is in flight."""
        return self.journal.in_flight() is not None

    def _finish(self, entry: Entry, attempt: Attempt, mined: Mined) -> Outcome:
        state = State.CANCELLED if attempt.cancels else State.MINED if mined.succeeded else State.FAILED
        self.journal.finish(entry, state)
        return Outcome(entry, state, mined)

    def _replacement(self, entry: Entry) -> Attempt:
        """An empty transaction with the same nonce. Nodes take it for a tenth more, some for an eighth."""
        last = entry.attempts[-1]
        max_fee = max(2 * self.node.base_fee() + self.tip, last.max_fee * 5 // 4 + 1)
        return self._sign(entry.nonce, self.key.address, b"", TRANSFER, max_fee, last.tip * 5 // 4 + 1, cancels=True)

    def _sign(self, nonce: int, to: str, data: bytes, gas: int, max_fee: int, tip: int, *, cancels: bool) -> Attempt:
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": nonce,
            "to": to,
            "data": "0x" + data.hex(),
            "value": 0,
            "gas": gas,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": min(tip, max_fee),
        }
        signed = self.key.sign_transaction(transaction)
        return Attempt("0x" + bytes(signed.hash).hex(), bytes(signed.raw_transaction), max_fee, tip, cancels)

    def _send(self, attempt: Attempt) -> None:
        try:
            self.node.send_raw(attempt.raw)
        except NodeError as error:
            # It is in the journal: it is sent again until something with its nonce is mined.
            logger.warning("transaction %s was not taken, it will be sent again: %s", attempt.hash, error)
