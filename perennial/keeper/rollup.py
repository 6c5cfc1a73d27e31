"""What a transaction costs on a rollup of the OP stack beyond its gas: posting it to the base chain, and the operator.

The rollup's gas price oracle says it, a predeploy. Network upgrades have retired some of its functions, so every one is
asked as if it might be the next: what is missing falls back to the next best, and nothing here ever stops a keeper.
Fees are in wei.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import rlp  # type: ignore[import-untyped]
from eth_utils.crypto import keccak

from perennial.abi import Function, Reverted
from perennial.chain import RpcError

if TYPE_CHECKING:
    from perennial.chain import Rpc

GAS_PRICE_ORACLE = "0x420000000000000000000000000000000000000f"
"""The same address on every rollup of the OP stack."""

SIGNATURE = 68
"""Bytes that signing adds to a transaction at most."""

CALLDATA_GAS = 16
"""Gas of the base chain for a byte that is not zero."""

WORD = 32
DYNAMIC_FEE = b"\x02"


class Source(StrEnum):
    """How a fee for data was found, best first."""

    EXACT = "getL1Fee"
    """The oracle's estimate for these very bytes."""

    BOUND = "getL1FeeUpperBound"
    """The oracle's bound for so many bytes."""

    CALLDATA = "l1BaseFee"
    """The base chain's price of so many bytes as plain calldata: without compression and blobs, so it is too high."""

    UNKNOWN = "unknown"
    """The oracle is there and answers nothing: counted as 0, which is too low."""

    NONE = "none"
    """No oracle, so this is no rollup: nothing is posted, and 0 is right."""


@dataclass(frozen=True, slots=True)
class DataFee:
    """What posting a transaction costs, and how that was found."""

    wei: int
    source: Source


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction that is not signed: wei, units of gas, addresses as hex text."""

    chain_id: int
    nonce: int
    tip: int
    max_fee: int
    gas: int
    to: str
    value: int
    data: bytes

    def serialized(self) -> bytes:
        """The bytes that the gas price oracle wants: type 2, unsigned."""
        to = bytes.fromhex(self.to.removeprefix("0x"))
        fields = [self.chain_id, self.nonce, self.tip, self.max_fee, self.gas, to, self.value, self.data, []]
        return DYNAMIC_FEE + bytes(rlp.encode(fields))


def data_fee(rpc: Rpc, transaction: Transaction) -> DataFee:
    """What posting a transaction to the base chain costs, as well as that can be found out. Raises NodeError."""
    if rpc.call("eth_getCode", GAS_PRICE_ORACLE, "latest") in ("0x", "0x0"):
        return DataFee(0, Source.NONE)
    serialized = transaction.serialized()
    exact = _ask(rpc, "getL1Fee", "bytes", serialized)
    if exact is not None:
        return DataFee(exact, Source.EXACT)
    bound = _ask(rpc, "getL1FeeUpperBound", "uint256", len(serialized))
    if bound is not None:
        return DataFee(bound, Source.BOUND)
    base_fee = _ask(rpc, "l1BaseFee")
    if base_fee is not None:
        return DataFee((len(serialized) + SIGNATURE) * CALLDATA_GAS * base_fee, Source.CALLDATA)
    return DataFee(0, Source.UNKNOWN)


def operator_fee(rpc: Rpc, gas: int) -> int:
    """What the rollup's operator takes for so much gas; 0 where nobody says. Raises NodeError."""
    return _ask(rpc, "getOperatorFee", "uint256", gas) or 0


def _ask(rpc: Rpc, name: str, kind: str = "", argument: bytes | int | None = None) -> int | None:
    """What the gas price oracle answers; None where it has no such function, or one that reverts."""
    types, arguments = ((kind,), (argument,)) if kind else ((), ())
    function = Function(name, keccak(text=f"{name}({kind})")[:4], types, ("uint256",))
    call = {"to": GAS_PRICE_ORACLE, "data": "0x" + function.encode(arguments).hex()}
    try:
        answer = bytes.fromhex(str(rpc.call("eth_call", call, "latest")).removeprefix("0x"))
    except (Reverted, RpcError):
        return None
    return int.from_bytes(answer) if len(answer) == WORD else None
