"""Gets calls on chain, each once.

A call is in the journal before it is sent. All its attempts have one nonce, of which the chain takes one: whatever dies
in between, no work is sent a second time before the fate of the first is known.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from eth_utils.address import to_checksum_address

from perennial.chain import NodeError
from perennial.sending.journal import Attempt, Call, Entry, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eth_account.signers.local import LocalAccount

    from perennial.sending.journal import Journal

logger = logging.getLogger(__name__)

TRANSFER = 21_000
"""Gas of an empty transaction."""


@dataclass(frozen=True, slots=True)
class Mined:
    """What became of a transaction.

    `skipped` has the reasons of work that the contract skipped, by its place; `cost` is what was paid for gas, in wei,
    with the data fee of chains that have one.
    """

    succeeded: bool
    gas_used: int
    skipped: dict[int, str] = field(default_factory=dict)
    cost: int = 0
    block: int = 0


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
    """A call whose fate is known."""

    entry: Entry
    state: State
    mined: Mined | None


def _never(_: Entry) -> bool:
    return False


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
    """Seconds until an attempt that is not mined is followed by another."""
    most: int | None = None
    """Wei for a unit of gas, tip included, that is never exceeded."""
    clock: Callable[[], float] = time.time

    def send(self, call: Call, items: Sequence[Sequence[str]]) -> str:
        """Signs a call, writes it down and sends it; returns the transaction's hash. `items` is the work in it."""
        nonce = max([self.node.nonce(self.key.address), *(entry.nonce + 1 for entry in self.journal.in_flight())])
        max_fee, tip = self._bounded(2 * self.node.base_fee() + self.tip, self.tip)
        attempt = self._sign(nonce, call, max_fee, tip)
        self.journal.open(nonce, items, call, attempt)
        self._send(attempt)
        return attempt.hash

    def resolve(self, is_due: Callable[[Entry], bool] = _never) -> list[Outcome]:
        """Looks after the calls in flight; returns the fate of those of which it is known now.

        Sends the others again (the node may have lost them). When patience is over the next attempt offers more for
        gas: for the same call where it is still due, else for an empty transaction that takes its place.
        """
        entries = self.journal.in_flight()
        if not entries:
            return []
        # In this order: were the nonce asked last, a call mined in between would look lost.
        nonce = self.node.nonce(self.key.address)
        outcomes = (self._resolve(entry, nonce, is_due) for entry in entries)
        return [outcome for outcome in outcomes if outcome is not None]

    @property
    def busy(self) -> bool:
        """Whether a call is in flight."""
        return bool(self.journal.in_flight())

    def _resolve(self, entry: Entry, nonce: int, is_due: Callable[[Entry], bool]) -> Outcome | None:
        for attempt in entry.attempts:
            mined = self.node.receipt(attempt.hash)
            if mined is not None:
                return self._finish(entry, attempt, mined)
        if nonce > entry.nonce:
            self.journal.finish(entry, State.LOST)
            return Outcome(entry, State.LOST, None)
        latest = entry.attempts[-1]
        if self.clock() - latest.signed > self.patience:
            latest = self._replace(entry, latest, cancels=latest.cancels or not is_due(entry))
        self._send(latest)
        return None

    def _finish(self, entry: Entry, attempt: Attempt, mined: Mined) -> Outcome:
        state = State.CANCELLED if attempt.cancels else State.MINED if mined.succeeded else State.FAILED
        self.journal.finish(entry, state)
        return Outcome(entry, state, mined)

    def _replace(self, entry: Entry, last: Attempt, *, cancels: bool) -> Attempt:
        """Another attempt for a nonce. Nodes take it for a tenth more, some for an eighth."""
        max_fee = max(2 * self.node.base_fee() + self.tip, last.max_fee * 5 // 4 + 1)
        max_fee, tip = self._bounded(max_fee, last.tip * 5 // 4 + 1)
        if max_fee < last.max_fee * 9 // 8:
            # As much as may be is offered already.
            return last
        call = Call(self.key.address, b"", TRANSFER) if cancels else entry.call
        attempt = self._sign(entry.nonce, call, max_fee, tip, cancels=cancels)
        self.journal.attempt_again(entry, attempt)
        does = "is taken back" if cancels else "is sent for more"
        logger.warning("%s is not mined after %s s: it %s", entry.attempts[0].hash, self.patience, does)
        return attempt

    def _bounded(self, max_fee: int, tip: int) -> tuple[int, int]:
        if self.most is not None:
            max_fee = min(max_fee, self.most)
        return max_fee, min(tip, max_fee)

    def _sign(self, nonce: int, call: Call, max_fee: int, tip: int, *, cancels: bool = False) -> Attempt:
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": nonce,
            "to": to_checksum_address(call.to),
            "data": "0x" + call.data.hex(),
            "value": call.value,
            "gas": call.gas,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": tip,
        }
        signed = self.key.sign_transaction(transaction)
        digest, raw = "0x" + bytes(signed.hash).hex(), bytes(signed.raw_transaction)
        return Attempt(digest, raw, max_fee, tip, cancels, int(self.clock()))

    def _send(self, attempt: Attempt) -> None:
        try:
            self.node.send_raw(attempt.raw)
        except NodeError as error:
            # It is in the journal: it is sent again until something with its nonce is mined.
            logger.warning("transaction %s was not taken, it will be sent again: %s", attempt.hash, error)
