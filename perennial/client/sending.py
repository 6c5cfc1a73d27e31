"""Gets one transaction at a time on chain: simulated, priced, signed, sent once, and looked after until it is mined."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from eth_abi.abi import decode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from perennial.abi import Reverted
from perennial.chain import GAS, NodeError, Receipt, RpcError, parse_receipt
from perennial.client.errors import ClientError, NotMinedError, Refused, UnreachableError, reverted
from perennial.client.signers import address_of, sign
from perennial.client.state import newest_block

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennial.chain import Query, Rpc

PATIENCE = 120.0
"""Seconds until a transaction that is not mined is given up on."""

ATTEMPTS = 4
"""How often a transaction is signed anew because its nonce was taken by another one."""

SPARE = 500_000
"""Gas that a transaction gets beyond twice what it takes now: a price may come before it and leave it much to settle.
What is not used is not paid."""

_TIP = 1_000_000
"""Wei for a unit of gas to who makes the block, where the node does not say what is usual."""

_SENT = ("already known", "already imported", "alreadyknown", "already in the pool")
_TAKEN = ("nonce too low", "nonce is too low", "replacement transaction underpriced", "invalid nonce")
"""What nodes say of a transaction that they have, and of one whose nonce another one has."""


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction that succeeded: receipt, and the number of its block."""

    receipt: Receipt
    block: int


class Sender:
    """Sends transactions of many accounts over one node. Threads may share it: an account's nonces are in order."""

    def __init__(
        self,
        rpc: Rpc,
        chain_id: int,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rpc, self._chain_id, self._patience = rpc, chain_id, patience
        self._clock, self._sleep = clock, sleep
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)

    def send(self, account: Any, query: Query) -> Mined:
        """Makes a call of `account` and waits until it is mined.

        Raises Refused before anything is sent where it would revert, and with the transaction's hash where it did
        revert; UnreachableError where the node does not answer and nothing was sent; NotMinedError, with the hash,
        where a transaction may have been sent and is not known to be mined, whatever the node says or does not say.
        """
        sender = address_of(account)
        try:
            with self._locks[sender]:
                gas = self._estimate(sender, query)
                digest = self._submit(account, sender, query, gas)
            return self._wait(digest, sender, query)
        except RpcError as error:
            raise ClientError(f"the node refuses: {error}") from error
        except NodeError as error:
            raise UnreachableError(str(error)) from error

    def _estimate(self, sender: str, query: Query) -> int:
        """Gas with room to spare: the state may be another one when it is mined."""
        try:
            estimated = int(self._rpc.call("eth_estimateGas", _request(sender, query)), 16)
        except Reverted as error:
            raise Refused(error) from None
        except RpcError as error:
            if (refusal := reverted(error)) is not None:
                raise Refused(refusal) from None
            raise
        return min(2 * estimated + SPARE, GAS)

    def _submit(self, account: Any, sender: str, query: Query, gas: int) -> str:
        """Signs and hands over; a nonce that another transaction has taken meanwhile is replaced by the next one."""
        for _ in range(ATTEMPTS):
            nonce = int(self._rpc.call("eth_getTransactionCount", sender, "pending"), 16)
            raw = sign(account, self._transaction(query, nonce, gas), self._words(query))
            digest = "0x" + keccak(raw).hex()
            try:
                self._rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
            except RpcError as error:
                said = error.message.lower()
                if any(words in said for words in _SENT):
                    return digest
                if not any(words in said for words in _TAKEN):
                    raise
                # It may be this one that was mined, its answer lost on the way: it must not be sent again.
                if not self._may_know(digest):
                    continue
            except NodeError:
                # It may have arrived, and its answer was lost: whoever waits for it finds out.
                pass
            return digest
        raise ClientError(f"the nonce of {sender} is taken again and again: something else sends with the same key")

    def _may_know(self, digest: str) -> bool:
        """Whether the node has a transaction, or cannot tell."""
        try:
            return self._rpc.call("eth_getTransactionByHash", digest) is not None
        except NodeError:
            return True

    def _transaction(self, query: Query, nonce: int, gas: int) -> dict[str, Any]:
        tip = self._tip()
        return {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "to": to_checksum_address(query.to),
            "data": "0x" + query.data.hex(),
            "value": 0,
            "gas": gas,
            "maxFeePerGas": 2 * newest_block(self._rpc).base_fee + tip,
            "maxPriorityFeePerGas": tip,
        }

    def _words(self, query: Query) -> str:
        """What is signed, for who is asked to."""
        function = query.function
        values = ", ".join(str(value) for value in decode(function.inputs, query.data[4:]))
        return f"{function.name}({values}) at {to_checksum_address(query.to)} on chain {self._chain_id}"

    def _tip(self) -> int:
        try:
            return int(self._rpc.call("eth_maxPriorityFeePerGas"), 16)
        except RpcError:
            return _TIP

    def _wait(self, digest: str, sender: str, query: Query) -> Mined:
        deadline, pause = self._clock() + self._patience, 0.02
        while True:
            raw, trouble = self._receipt(digest)
            if raw is not None and raw.get("blockNumber"):
                break
            if self._clock() > deadline:
                raise NotMinedError(digest, self._patience, trouble) from trouble
            self._sleep(pause)
            pause = min(pause * 1.5, 1.0)
        mined = Mined(parse_receipt(raw), int(raw["blockNumber"], 16))
        if not mined.receipt.succeeded:
            raise Refused(self._reason(sender, query), digest)
        return mined

    def _receipt(self, digest: str) -> tuple[Any, NodeError | None]:
        """The receipt, None where there is none; and why the node does not say, which is no answer about it."""
        try:
            return self._rpc.call("eth_getTransactionReceipt", digest), None
        except NodeError as error:
            return None, error

    def _reason(self, sender: str, query: Query) -> Reverted:
        """Why it failed: the same call now, most likely, fails in the same way. Where it does not it was overtaken."""
        try:
            self._rpc.call("eth_call", _request(sender, query), "latest")
        except Reverted as error:
            return error
        except RpcError as error:
            return reverted(error) or Reverted("revert")
        except NodeError:
            return Reverted("revert")
        return Reverted("Overtaken")


def _request(sender: str, query: Query) -> dict[str, str]:
    return {"from": sender, "to": query.to, "data": "0x" + query.data.hex()}
