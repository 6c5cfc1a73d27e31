"""Whether code on chain is that of a contract of the project, whatever its immutables are."""

from __future__ import annotations

import re
from functools import cache

from perennial.artifacts import load

_PUSH1, _PUSH32 = 0x60, 0x7F
_WORD = 32

#: CBOR of {"ipfs": hash of the metadata, "solc": version}, and its length.
_METADATA = re.compile(rb"\xa2dipfsX\x22\x12\x20.{32}dsolcC.{3}\x00\x33", re.DOTALL)


@cache
def immutables(contract: str) -> tuple[int, ...]:
    """Where the values of immutables are in a contract's code: the places of 32 bytes each.

    The compiler leaves a push of 32 zero bytes for each use of one. A zero that is meant has an opcode of its own.
    """
    code, places, at = load(contract).runtime, [], 0
    while at < len(code):
        opcode, at = code[at], at + 1
        if opcode == _PUSH32 and code[at : at + _WORD] == bytes(_WORD):
            places.append(at)
        if _PUSH1 <= opcode <= _PUSH32:
            at += opcode - _PUSH1 + 1
    return tuple(places)


def values(contract: str, code: bytes) -> list[int]:
    """What the immutables of a contract are in its code on chain, in the order of their uses."""
    return [int.from_bytes(code[at : at + _WORD]) for at in immutables(contract)]


def is_code_of(contract: str, code: bytes) -> bool:
    """Whether code is the contract's, as it is compiled here, whatever its immutables and the text of its comments."""
    masked = bytearray(code)
    for at in immutables(contract):
        masked[at : at + _WORD] = bytes(_WORD)
    return _stripped(bytes(masked)) == _stripped(load(contract).runtime)


def _stripped(code: bytes) -> bytes:
    """Code without the hashes of sources that the compiler leaves in it, and in the code of contracts that it makes."""
    return _METADATA.sub(b"", code)
