"""Sends the transactions of a deployment, one after the other, each once.

A step's transaction is in the journal before it leaves, and every attempt at it has the same nonce. An account's nonce
is taken by one transaction only, so whenever a run dies, and however often it is begun again, a step happens at most
once: either an attempt was mined, and its receipt is found by its hash; or none was, and the next one takes its place.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from perennial.abi import Reverted
from perennial.chain import GAS, Receipt, RpcError, parse_receipt
from perennial.deployment.journal import Journal, Work
from perennial.shell import message_of

if TYPE_CHECKING:
    from perennial.chain import Chain
    from perennial.deployment.journal import Entry
    from perennial.deployment.signer import Signer

#: Parts of what nodes say of a transaction that they, or a block, have already.
_KNOWN = ("already known", "already imported", "known transaction", "underpriced", "nonce too low")

_DEFAULT_TIP = 1_000_000


class StepError(RuntimeError):
    """A step could not be done; nothing after it was sent. The same command continues where this one stopped."""


@dataclass(frozen=True)
class Mined:
    """A transaction in a block."""

    transaction: str
    block: int
    receipt: Receipt


@dataclass(frozen=True)
class Call:
    """What every attempt at a step has in common."""

    step: str
    to: str
    data: bytes
    gas: int


class Sender(Protocol):
    """Gets one transaction a step on chain."""

    address: str
    """Who sends, checksummed."""

    def send(self, step: str, to: str, data: bytes) -> Mined:
        """Returns when a step's transaction is mined; one that was sent before is not sent again. Raises StepError."""
        ...


class SigningSender:
    """Signs, keeps the journal, waits. Nothing else may send from the account meanwhile.

    `patience` is how many seconds a transaction may wait until its fee is raised.
    """

    def __init__(self, chain: Chain, signer: Signer, journal: Journal, patience: float = 60) -> None:
        self.chain, self.signer, self.journal, self.patience = chain, signer, journal, patience
        self.address = signer.address
        self._chain_id = int(chain.rpc.call("eth_chainId"), 16)

    def send(self, step: str, to: str, data: bytes) -> Mined:
        """See Sender."""
        entry = self.journal.get(step)
        if entry is not None:
            # In this order: were the nonce asked last, one mined in between would look lost.
            taken = self._nonce() > entry.nonce
            mined = self._mined(entry)
            if mined is not None:
                return self._settle(step, mined)
            if taken:
                self.journal.drop(step)
                entry = None
        nonce = self._nonce() if entry is None else entry.nonce
        try:
            call = Call(step, to, data, self._gas(step, to, data))
        except StepError:
            # What was sent before may have been mined just now: done twice it would revert.
            mined = self._mined(entry) if entry else None
            if mined is None:
                raise
            return self._settle(step, mined)
        return self._settle(step, self._wait(call, self._attempt(call, nonce, bump=0)))

    def recall(self, step: str) -> None:
        """Notes where the transaction of a step is that was sent before a run died, and was mined since."""
        entry = self.journal.get(step)
        if entry is not None and entry.transaction is None:
            mined = self._mined(entry)
            if mined is not None:
                self._settle(step, mined)

    def _attempt(self, call: Call, nonce: int, bump: int) -> Entry:
        max_fee, tip = self._fees(bump)
        transaction = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "to": to_checksum_address(call.to),
            "data": "0x" + call.data.hex(),
            "value": 0,
            "gas": call.gas,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": tip,
        }
        raw = self.signer.sign(transaction)
        entry = self.journal.attempt(call.step, nonce, "0x" + keccak(raw).hex())
        try:
            self.chain.rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        except RpcError as error:
            if not any(part in error.message.lower() for part in _KNOWN):
                raise StepError(f"{call.step}: the node refused the transaction: {error.message}") from error
        return entry

    def _wait(self, call: Call, entry: Entry) -> Mined:
        pause, waited, bumps, misses = 0.01, 0.0, 0, 0
        while True:
            taken = self._nonce() > entry.nonce
            mined = self._mined(entry)
            if mined is not None:
                return mined
            misses += taken
            if misses > 10:
                raise StepError(
                    f"{call.step}: another transaction of {self.address} took nonce {entry.nonce}; run this again"
                )
            time.sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, 2)
            if waited > self.patience and not taken:
                waited, bumps = 0.0, bumps + 1
                entry = self._attempt(call, entry.nonce, bumps)

    def _mined(self, entry: Entry) -> Mined | None:
        for transaction in entry.hashes:
            found = self.chain.rpc.call("eth_getTransactionReceipt", transaction)
            if found is not None and found.get("blockNumber"):
                return Mined(transaction, int(found["blockNumber"], 16), parse_receipt(found))
        return None

    def _settle(self, step: str, mined: Mined) -> Mined:
        if not mined.receipt.succeeded:
            self.journal.drop(step)
            raise StepError(f"{step}: transaction {mined.transaction} reverted in block {mined.block}")
        self.journal.mined(step, mined.transaction, mined.block)
        return mined

    def _nonce(self) -> int:
        return int(self.chain.rpc.call("eth_getTransactionCount", self.address, "latest"), 16)

    def _gas(self, step: str, to: str, data: bytes) -> int:
        """A fifth above the estimate, at most what a transaction may have."""
        call = {"from": self.address, "to": to, "data": "0x" + data.hex()}
        try:
            estimate = int(self.chain.rpc.call("eth_estimateGas", call), 16)
        except Reverted as error:
            raise StepError(f"{step}: would revert with {message_of(error)} Nothing was sent for it.") from error
        except RpcError as error:
            raise StepError(f"{step}: the node gives no estimate: {error.message}") from error
        return min(estimate * 6 // 5, GAS)

    def _fees(self, bump: int) -> tuple[int, int]:
        """Largest fee and tip, wei a unit of gas: a quarter more for each time that it waited in vain."""
        base = int(self.chain.rpc.call("eth_getBlockByNumber", "latest", False).get("baseFeePerGas") or "0x0", 16)
        try:
            tip = int(self.chain.rpc.call("eth_maxPriorityFeePerGas"), 16)
        except RpcError:
            tip = _DEFAULT_TIP
        max_fee = 2 * base + tip
        for _ in range(bump):
            max_fee, tip = max_fee * 5 // 4 + 1, tip * 5 // 4 + 1
        return max_fee, tip


def sender_of(chain: Chain, signer: Signer) -> SigningSender:
    """For calls whose effect is to be seen on the chain alone: what an earlier run sent does not count.

    One that is still on its way has the same nonce, so it is this one, or gives way to it.
    """
    return SigningSender(chain, signer, Journal(None, Work("", signer.address, "")))


class UnlockedSender:
    """For a local node that signs for anyone and takes no fee: rehearsals. Keeps no journal."""

    def __init__(self, chain: Chain, address: str) -> None:
        self.chain, self.address = chain, address

    def send(self, step: str, to: str, data: bytes) -> Mined:
        """See Sender."""
        request: dict[str, Any] = {"from": self.address, "to": to, "data": "0x" + data.hex(), "gas": hex(GAS)}
        request["gasPrice"] = "0x0"
        found = self.chain.rpc.call("eth_sendTransactionSync", request)
        mined = Mined(found["transactionHash"], int(found["blockNumber"], 16), parse_receipt(found))
        if not mined.receipt.succeeded:
            raise StepError(f"{step}: reverts with {self.chain.why(mined.transaction)}")
        return mined
