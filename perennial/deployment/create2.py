"""Addresses that follow from what is deployed, not from who sends it and when.

Every contract is made by the deterministic deployment proxy, which runs CREATE2: the address is a hash of a salt and
the creation code with its arguments. Code at that address therefore is this contract with these arguments, whoever sent
the transaction, and the EVM itself refuses to make it a second time. The proxy is among the contracts that every
OP-stack chain begins with, and Anvil has it as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rlp  # type: ignore[import-untyped]
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from perennial.abi import interface
from perennial.artifacts import load

if TYPE_CHECKING:
    from collections.abc import Sequence

PROXY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""https://specs.optimism.io/protocol/preinstalls.html: "Arachnid's Deterministic Deployment Proxy"."""


def creation(contract: str, arguments: Sequence[Any]) -> bytes:
    """Creation code of a contract of the project, with its constructor's arguments."""
    return load(contract).creation + encode(interface(contract).constructor, arguments)


def salt_of(name: str) -> bytes:
    """The salt behind the name of a deployment: another name makes another protocol."""
    return keccak(text=f"perennial:{name}")


def address_of(salt: bytes, code: bytes) -> str:
    """Where the proxy puts a contract."""
    return to_checksum_address(keccak(b"\xff" + bytes.fromhex(PROXY[2:]) + salt + keccak(code))[12:])


def calldata(salt: bytes, code: bytes) -> bytes:
    """What the proxy is sent to make it."""
    return salt + code


def child_of(creator: str, nonce: int) -> str:
    """Where a contract puts the nonce-th contract (from 1) that it makes itself."""
    return to_checksum_address(keccak(rlp.encode([bytes.fromhex(creator[2:]), nonce]))[12:])
