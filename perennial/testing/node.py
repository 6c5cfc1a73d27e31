"""A node in the place of the EVM in process: real transactions with real gas limits, some hundred times slower."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from perennial.chain import GAS, Rpc
from perennial.testing.evm import Evm, Halted


class Node(Evm):
    """A local node whose accounts are unlocked; each transaction is a block.

    Every transaction is called first: what it returns, or why it reverts, and sent only if it does not.
    """

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self.chain_id = int(str(rpc.call("eth_chainId")), 16)
        rpc.call("evm_setAutomine", False)
        self._logs: list[tuple[str, Sequence[bytes], bytes]] = []

    def create(self, sender: str, code: bytes) -> str:
        """Runs creation code; returns the address of the contract."""
        return str(self._transact({"from": sender, "data": "0x" + code.hex()})["contractAddress"])

    def send(self, sender: str, to: str, data: bytes, gas: int | None = None) -> bytes:
        """One transaction of at most `gas`: returns what the call returned, raises Reverted or Halted."""
        request = {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(gas or GAS)}
        self._logs = []
        returned = _bytes(self._rpc.call("eth_call", request, "latest"))
        for log in self._transact(request)["logs"]:
            topics = [_bytes(topic) for topic in log["topics"]]
            self._logs.append((log["address"].lower(), topics, _bytes(log["data"])))
        return returned

    def call(self, to: str, data: bytes) -> bytes:
        """What a view returns."""
        return _bytes(self._rpc.call("eth_call", {"to": to, "data": "0x" + data.hex()}, "latest"))

    def warp(self, time: int) -> None:
        """The next transaction happens at `time` (Unix seconds), later ones after it."""
        self._rpc.call("evm_setNextBlockTimestamp", time)

    def logs(self) -> list[tuple[str, Sequence[bytes], bytes]]:
        """What the last transaction logged: address, topics, data."""
        return self._logs

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Takes back whatever happens inside."""
        snapshot = self._rpc.call("evm_snapshot")
        try:
            yield
        finally:
            self._rpc.call("evm_revert", snapshot)

    def _transact(self, request: dict[str, str]) -> dict[str, Any]:
        """Sends a transaction and returns its receipt. Raises Halted where it fails."""
        transaction = self._rpc.call("eth_sendTransaction", {"gas": hex(GAS), "gasPrice": "0x0"} | request)
        self._rpc.call("evm_mine")
        receipt = self._rpc.call("eth_getTransactionReceipt", transaction)
        if int(receipt["status"], 16) != 1:
            raise Halted(f"a transaction that could be called failed: {receipt}")
        return dict(receipt)


def _bytes(text: object) -> bytes:
    return bytes.fromhex(str(text).removeprefix("0x"))
