"""An EVM in process: tens of thousands of calls a second, for tests that make that many.

Gas is not what a transaction would cost here (slots stay warm from call to call): measure that on Anvil.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pyrevm
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from perennial.artifacts import load, load_all

WORD = 32
NOBODY = "0x" + "0" * 40


class Reverted(Exception):  # noqa: N818 -- it is not an error of the caller's
    """A call reverted: name and arguments of the contract's error; `Panic` and `Error` are Solidity's own."""

    def __init__(self, name: str, values: tuple[Any, ...]) -> None:
        super().__init__(name, values)
        self.name, self.values = name, values

    def __str__(self) -> str:
        return f"{self.name}({', '.join(str(value) for value in self.values)})"


class Halted(Exception):  # noqa: N818
    """A call ended otherwise: out of gas, out of stack, an invalid opcode."""


class Evm:
    """One chain in memory. Addresses are lower-case hex; accounts need no keys and no ether."""

    def __init__(self, gas_limit: int = 10**9) -> None:
        self._evm = pyrevm.EVM(spec_id="PRAGUE", gas_limit=gas_limit)

    def deploy(self, name: str, *args: Any, sender: str) -> "Contract":
        """Deploys the contract of this name with constructor arguments."""
        artifact = load(name)
        inputs = [entry["inputs"] for entry in artifact.abi if entry["type"] == "constructor"]
        code = artifact.creation + encode([_type(value) for value in inputs[0]] if inputs else [], args)
        self._evm.reset_transient_storage()
        try:
            return Contract(self, name, self._evm.deploy(sender, code))
        except RuntimeError as error:
            raise _refusal(error) from None

    def contract(self, name: str, address: str) -> "Contract":
        """What is at an address, with the ABI of a contract or interface of this name."""
        return Contract(self, name, address)

    def send(self, sender: str, to: str, data: bytes) -> bytes:
        """One transaction: returns what the call returned, raises Reverted or Halted."""
        # Transient storage lives until it is cleared, not until the end of the transaction.
        self._evm.reset_transient_storage()
        try:
            return self._evm.message_call(sender, to, data)
        except RuntimeError as error:
            raise _refusal(error) from None

    def logs(self) -> list[tuple[str, list[bytes], bytes]]:
        """What the last transaction logged: address, topics, data."""
        result = self._evm.result
        if result is None:
            return []
        return [(log.address.lower(), *log.data) for log in result.logs]

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Takes back whatever happens inside."""
        checkpoint = self._evm.snapshot()
        try:
            yield
        finally:
            self._evm.revert(checkpoint)


class Contract:
    """A contract: functions by the names of its ABI, static values only in what they return.

    Functions of one name are told apart by the number of their arguments.
    """

    def __init__(self, evm: Evm, name: str, address: str) -> None:
        self.evm, self.address = evm, address.lower()
        self._functions, self._events = _interface(name)
        self._calldata: dict[tuple[Any, ...], tuple[bytes, list[str]]] = {}

    def send(self, name: str, *args: Any, sender: str) -> tuple[Any, ...]:
        """Sends a transaction; returns the words of what the function returned."""
        selector, inputs, outputs = self._functions[name, len(args)]
        return _words(outputs, self.evm.send(sender, self.address, selector + encode(inputs, args)))

    def read(self, name: str, *args: Any) -> tuple[Any, ...]:
        """Calls a view and returns its values, those of structs one after the other."""
        key = (name, *args)
        if key not in self._calldata:
            selector, inputs, outputs = self._functions[name, len(args)]
            self._calldata[key] = selector + encode(inputs, args), outputs
        data, outputs = self._calldata[key]
        return _words(outputs, self.evm.send(NOBODY, self.address, data))

    def value(self, name: str, *args: Any) -> Any:
        """Calls a view that returns one value."""
        return self.read(name, *args)[0]

    def events(self) -> list[tuple[str, tuple[Any, ...]]]:
        """What the last transaction emitted here: name and values in the order of the event's parameters."""
        return [self._event(topics, data) for address, topics, data in self.evm.logs() if address == self.address]

    def _event(self, topics: list[bytes], data: bytes) -> tuple[str, tuple[Any, ...]]:
        name, indexed, types = self._events[bytes(topics[0])]
        plain = iter(_words([kind for kind, is_topic in zip(types, indexed, strict=True) if not is_topic], data))
        keys = iter(topics[1:])
        values: list[Any] = []
        for kind, is_topic in zip(types, indexed, strict=True):
            values.append(_word(kind, bytes(next(keys))) if is_topic else next(plain))
        return name, tuple(values)


@cache
def _interface(
    contract: str,
) -> tuple[
    dict[tuple[str, int], tuple[bytes, list[str], list[str]]],
    dict[bytes, tuple[str, list[bool], list[str]]],
]:
    """Functions by name and number of arguments, events by topic."""
    functions, events = {}, {}
    for entry in load(contract).abi:
        if entry["type"] == "function":
            inputs = [_type(value) for value in entry["inputs"]]
            outputs = [kind for value in entry["outputs"] for kind in _flat(value)]
            functions[entry["name"], len(inputs)] = _selector(entry), inputs, outputs
        elif entry["type"] == "event":
            # Structs in events are their fields, one after the other.
            flat = [(kind, value["indexed"]) for value in entry["inputs"] for kind in _flat(value)]
            topic = keccak(text=_signature(entry))
            events[topic] = entry["name"], [is_topic for _, is_topic in flat], [kind for kind, _ in flat]
    return functions, events


@cache
def _errors() -> dict[bytes, tuple[str, list[str]]]:
    """Every error of the project by selector."""
    errors = {
        _selector(entry): (entry["name"], [_type(value) for value in entry["inputs"]])
        for artifact in load_all()
        for entry in artifact.abi
        if entry["type"] == "error"
    }
    errors[bytes.fromhex("4e487b71")] = "Panic", ["uint256"]
    errors[bytes.fromhex("08c379a0")] = "Error", ["string"]
    return errors


def _refusal(error: RuntimeError) -> Exception:
    text = str(error)
    found = re.search(r"Revert \{.*output: 0x([0-9a-f]*)", text)
    if found is None:
        return Halted(text)
    output = bytes.fromhex(found[1])
    name, types = _errors().get(output[:4], (output.hex(), []))
    return Reverted(name, decode(types, output[4:]) if types else ())


def _selector(entry: dict[str, Any]) -> bytes:
    return keccak(text=_signature(entry))[:4]


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(_type(value) for value in entry['inputs'])})"


def _type(value: dict[str, Any]) -> str:
    """The ABI type of a parameter, structs as tuples."""
    kind: str = value["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(part) for part in value['components'])}){kind.removeprefix('tuple')}"


def _flat(value: dict[str, Any]) -> list[str]:
    """The types of a static value, word by word."""
    if value["type"] == "tuple":
        return [kind for part in value["components"] for kind in _flat(part)]
    return [value["type"]]


def _words(types: list[str], data: bytes) -> tuple[Any, ...]:
    return tuple(_word(kind, data[WORD * i : WORD * (i + 1)]) for i, kind in enumerate(types))


def _word(kind: str, word: bytes) -> Any:
    if kind.startswith("int"):
        return int.from_bytes(word, signed=True)
    if kind == "address":
        return "0x" + word[12:].hex()
    if kind == "bool":
        return word[-1] == 1
    return int.from_bytes(word)
