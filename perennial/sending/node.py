"""A node, as the sender needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennial.chain import RpcError
from perennial.sending.sender import Mined

if TYPE_CHECKING:
    from perennial.chain import Rpc

_KNOWN = ("already known", "already imported", "nonce too low", "alreadyknown", "already in the pool")
"""What nodes say of a transaction that they have, or whose nonce is taken: the sender asks for that itself."""


class SendingNode:
    """Nonces, fees, receipts, and signed transactions handed over."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc = rpc

    def nonce(self, address: str) -> int:
        """How many transactions of an address are in blocks."""
        return int(self.rpc.call("eth_getTransactionCount", address, "latest"), 16)

    def base_fee(self) -> int:
        """Of the newest block, wei."""
        return int(self.rpc.call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)

    def send_raw(self, raw: bytes) -> None:
        """Hands a signed transaction over. One that the node knows already is no error."""
        try:
            self.rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        except RpcError as error:
            if not any(words in error.message.lower() for words in _KNOWN):
                raise

    def receipt(self, digest: str) -> Mined | None:
        """What became of a transaction; None where it is in no block."""
        raw = self.rpc.call("eth_getTransactionReceipt", digest)
        if raw is None:
            return None
        used = int(raw["gasUsed"], 16)
        # Chains on top of another charge for the data that they post there.
        cost = used * int(raw.get("effectiveGasPrice", "0x0"), 16) + int(raw.get("l1Fee") or "0x0", 16)
        return Mined(int(raw["status"], 16) == 1, used, self.skipped(raw["logs"]), cost, int(raw["blockNumber"], 16))

    def skipped(self, logs: list[dict[str, Any]]) -> dict[int, str]:  # noqa: ARG002 -- for those who send batches
        """The reasons of work that the contract skipped, by its place; none here."""
        return {}
