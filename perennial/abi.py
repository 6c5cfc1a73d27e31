"""Calldata, return values, events and errors of the project's contracts, from their compiled ABIs.

For everything that talks to a chain without Ape. Addresses are lower-case hex; structs are tuples in the order of their
fields; a function is named by its name and, where several share it, told apart by the number of its arguments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from perennial.artifacts import load, load_all

Entry = dict[str, Any]

PANIC = bytes.fromhex("4e487b71")
ERROR = bytes.fromhex("08c379a0")


class Reverted(Exception):  # noqa: N818 -- the contract refused, nothing is wrong here
    """A call reverted: name and values of the contract's error; `Panic` and `Error` are Solidity's own."""

    def __init__(self, name: str, values: tuple[Any, ...] = ()) -> None:
        super().__init__(name, values)
        self.name, self.values = name, values

    def __str__(self) -> str:
        return f"{self.name}({', '.join(str(value) for value in self.values)})"


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its selector, the ABI types of its arguments and of what it returns."""

    name: str
    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def encode(self, arguments: Sequence[Any]) -> bytes:
        """Calldata. Raises eth_abi's EncodingError for a value that does not fit its type."""
        return self.selector + encode(self.inputs, arguments)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """What the function returned."""
        return decode(self.outputs, data)


@dataclass(frozen=True, slots=True)
class Event:
    """One event: names, types and places of its parameters, in the order of the declaration."""

    name: str
    parameters: tuple[str, ...]
    types: tuple[str, ...]
    indexed: tuple[bool, ...]

    def decode(self, topics: Sequence[bytes], data: bytes) -> tuple[Any, ...]:
        """Its values. Indexed ones of dynamic types are hashes on chain and stay so."""
        keys = iter(topics[1:])
        plain = iter(decode([kind for kind, key in zip(self.types, self.indexed, strict=True) if not key], data))
        return tuple(
            decode([kind], next(keys))[0] if key else next(plain)
            for kind, key in zip(self.types, self.indexed, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Interface:
    """What a contract can be asked and what it tells."""

    name: str
    functions: dict[tuple[str, int], Function]
    events: dict[bytes, Event]
    constructor: tuple[str, ...]

    def function(self, name: str, arguments: int) -> Function:
        """A function by name and number of arguments. Raises LookupError with the contract's name."""
        found = self.functions.get((name, arguments))
        if found is None:
            raise LookupError(f"{self.name} has no function {name} of {arguments} arguments")
        return found


@cache
def interface(contract: str) -> Interface:
    """The interface of one of the project's contracts. Raises ArtifactError for a name that no source defines."""
    functions, events = {}, {}
    constructor: tuple[str, ...] = ()
    for entry in load(contract).abi:
        inputs = tuple(abi_type(value) for value in entry.get("inputs", ()))
        if entry["type"] == "function":
            outputs = tuple(abi_type(value) for value in entry["outputs"])
            functions[entry["name"], len(inputs)] = Function(entry["name"], selector(entry), inputs, outputs)
        elif entry["type"] == "event":
            names = tuple(value["name"] for value in entry["inputs"])
            indexed = tuple(value["indexed"] for value in entry["inputs"])
            events[keccak(text=signature(entry))] = Event(entry["name"], names, inputs, indexed)
        elif entry["type"] == "constructor":
            constructor = inputs
    return Interface(contract, functions, events, constructor)


def decode_error(data: bytes) -> Reverted:
    """The error behind what a reverted call returned; one that is unknown or malformed is named by its bytes.

    Whoever is called may return anything, a contract wallet for one: nothing of it is an exception here.
    """
    if not data:
        return Reverted("revert")
    name, types = _errors().get(data[:4], (f"0x{data.hex()}", ()))
    try:
        return Reverted(name, decode(types, data[4:]))
    except (DecodingError, ValueError, OverflowError):
        return Reverted(f"0x{data.hex()}")


@cache
def _errors() -> dict[bytes, tuple[str, tuple[str, ...]]]:
    """Every error of the project by selector, and Solidity's own."""
    errors: dict[bytes, tuple[str, tuple[str, ...]]] = {
        selector(entry): (entry["name"], tuple(abi_type(value) for value in entry["inputs"]))
        for artifact in load_all()
        for entry in artifact.abi
        if entry["type"] == "error"
    }
    return errors | {PANIC: ("Panic", ("uint256",)), ERROR: ("Error", ("string",))}


def selector(entry: Entry) -> bytes:
    """First four bytes of the hash of a function's or an error's signature."""
    return keccak(text=signature(entry))[:4]


def signature(entry: Entry) -> str:
    """Name and types, as they are hashed."""
    return f"{entry['name']}({','.join(abi_type(value) for value in entry['inputs'])})"


def abi_type(value: Entry) -> str:
    """The type of a parameter; structs are tuples."""
    kind: str = value["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(abi_type(part) for part in value['components'])}){kind.removeprefix('tuple')}"
