"""Contracts on Ape's Anvil without Ape: a transaction in a few milliseconds, a view in half a one.

Ape asks for nonces, code, fees and traces around each, which takes ten times as long: too much for tests that make tens
of thousands. Ape still starts the node, keeps the accounts and isolates the tests. Contracts are called as in Ape:
functions are attributes, structs and several values come as named tuples, addresses are checksummed text.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from perennial.abi import Entry, abi_type, decode_error, selector, signature
from perennial.artifacts import load
from perennial.chain import GAS, Rpc

NOBODY = "0x" + "0" * 40


class Event(NamedTuple):
    """What a contract emitted: the event's name, its values by the names of its parameters."""

    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Receipt:
    """What a transaction did: the events of the contract that it was sent to, and the gas that it took."""

    events: list[Event]
    gas: int

    def named(self, name: str) -> list[Mapping[str, Any]]:
        """The values of the events of a name."""
        return [event.values for event in self.events if event.name == name]


class Anvil:
    """A node whose accounts are unlocked and that mines every transaction at once."""

    def __init__(self, uri: str) -> None:
        self._rpc = Rpc(uri)
        self.rpc, self.close = self._rpc.call, self._rpc.close

    def send(self, sender: Any, to: str | None, data: bytes) -> dict[str, Any]:
        """Sends a transaction, or deploys without `to`; returns the receipt. Raises Reverted."""
        transaction = _transaction(sender, to, data)
        receipt: dict[str, Any] = self.rpc("eth_sendTransactionSync", transaction | {"gasPrice": "0x0"})
        if receipt["status"] != "0x1":
            # The state is as it was: the same call says why.
            self.rpc("eth_call", transaction, "latest")
            raise RuntimeError(f"a transaction failed, its call does not: {receipt['transactionHash']}")
        return receipt

    def send_all(self, transactions: Sequence[tuple[Any, str, bytes]]) -> None:
        """Sends transactions `(sender, to, data)` in one block, each of another sender, in any order."""
        requests = [_transaction(*transaction) | {"gas": "0x30d40", "gasPrice": "0x0"} for transaction in transactions]
        self.rpc("evm_setAutomine", False)
        try:
            self._rpc.batch([("eth_sendTransaction", [request]) for request in requests])
            self.rpc("evm_mine")
        finally:
            self.rpc("evm_setAutomine", True)

    def call(self, sender: Any, to: str, data: bytes) -> bytes:
        """Calls a view, or any function without effect. Raises Reverted."""
        return _bytes(self.rpc("eth_call", _transaction(sender, to, data), "latest"))

    def simulate(self, calls: Sequence[tuple[Any, str, bytes]]) -> list[bytes]:
        """Calls one after the other, each on what the ones before have changed, all without effect.

        Raises Reverted for the first that does.
        """
        steps = [_transaction(sender, to, data) for sender, to, data in calls]
        blocks = self.rpc("eth_simulateV1", {"blockStateCalls": [{"calls": steps}]}, "latest")
        for result in blocks[0]["calls"]:
            if result["status"] != "0x1":
                raise decode_error(_bytes(result.get("error", {}).get("data") or result["returnData"]))
        return [_bytes(result["returnData"]) for result in blocks[0]["calls"]]

    def storage(self, address: str, slot: int) -> int:
        """A word of a contract's storage."""
        return int(self.rpc("eth_getStorageAt", address, hex(slot), "latest"), 16)

    def contract(self, name: str, at: Any) -> "Contract":
        """What is at an address, with the ABI of the contract or interface of this name."""
        return Contract(self, name, _address(at))

    def deploy(self, name: str, *args: Any, sender: Any) -> "Contract":
        """Deploys the contract of this name with constructor arguments."""
        artifact = load(name)
        inputs = [entry["inputs"] for entry in artifact.abi if entry["type"] == "constructor"]
        receipt = self.send(sender, None, artifact.creation + (_encode(inputs[0], args) if inputs else b""))
        return self.contract(name, receipt["contractAddress"])


class Contract:
    """A contract: its functions are attributes.

    Views return their value. Other functions take the keyword `sender` and return a Receipt.
    """

    def __init__(self, anvil: Anvil, name: str, address: str) -> None:
        self.anvil, self.address = anvil, address
        self._functions, self._events = _entries(name)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = self.__dict__.get("_functions", {}).get(name)
        if function is None:
            raise AttributeError(f"no function {name!r}")
        method = partial(self.read if function["stateMutability"] in ("view", "pure") else self.send, name)
        # Found directly from now on.
        self.__dict__[name] = method
        return method

    def data(self, name: str, *args: Any) -> bytes:
        """The calldata of a call."""
        function = self._functions[name]
        return selector(function) + _encode(function["inputs"], args)

    def result(self, name: str, data: bytes) -> Any:
        """What returned data mean."""
        outputs = self._functions[name]["outputs"]
        values = _decode(outputs, data)
        return values[0] if len(outputs) == 1 else values

    def read(self, name: str, *args: Any, sender: Any = NOBODY) -> Any:
        """Calls a function without effect and returns what it returns. Raises Reverted."""
        return self.result(name, self.anvil.call(sender, self.address, self.data(name, *args)))

    def send(self, name: str, *args: Any, sender: Any) -> Receipt:
        """Sends a transaction. Raises Reverted."""
        receipt = self.anvil.send(sender, self.address, self.data(name, *args))
        return Receipt(self.events(receipt["logs"]), int(receipt["gasUsed"], 16))

    def events(self, logs: Sequence[dict[str, Any]]) -> list[Event]:
        """What this contract says in logs, as far as its interface knows it."""
        return [
            self._event(log)
            for log in logs
            if to_checksum_address(log["address"]) == self.address and _bytes(log["topics"][0]) in self._events
        ]

    def _event(self, log: dict[str, Any]) -> Event:
        topics = [_bytes(topic) for topic in log["topics"]]
        event = self._events[topics[0]]
        plain = iter(_decode([value for value in event["inputs"] if not value["indexed"]], _bytes(log["data"])))
        keys = iter(topics[1:])
        values = {
            value["name"]: _decode([value], next(keys))[0] if value["indexed"] else next(plain)
            for value in event["inputs"]
        }
        return Event(event["name"], values)


@cache
def _entries(name: str) -> tuple[dict[str, Entry], dict[bytes, Entry]]:
    """Entries of an ABI: functions by name, events by topic."""
    abi = load(name).abi
    functions = {entry["name"]: entry for entry in abi if entry["type"] == "function"}
    return functions, {keccak(text=signature(entry)): entry for entry in abi if entry["type"] == "event"}


def _address(value: Any) -> str:
    return str(to_checksum_address(getattr(value, "address", value)))


def _transaction(sender: Any, to: str | None, data: bytes) -> dict[str, str]:
    transaction = {"from": _address(sender), "data": "0x" + data.hex(), "gas": hex(GAS)}
    return transaction if to is None else transaction | {"to": to}


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _encode(inputs: list[Entry], args: Sequence[Any]) -> bytes:
    if len(inputs) != len(args):
        raise TypeError(f"{len(args)} arguments for {[value['name'] for value in inputs]}")
    values = [_plain(value, argument) for value, argument in zip(inputs, args, strict=True)]
    return encode([abi_type(value) for value in inputs], values)


def _plain(value: Entry, argument: Any) -> Any:
    """An argument as eth-abi takes it: accounts as addresses, structs, which may be dicts, as tuples."""
    if value["type"] == "address":
        return _address(argument)
    if value["type"] == "tuple":
        parts = value["components"]
        if isinstance(argument, Mapping):
            argument = [argument[part["name"]] for part in parts]
        return tuple(_plain(part, item) for part, item in zip(parts, argument, strict=True))
    if value["type"].endswith("[]"):
        item_type = value | {"type": value["type"].removesuffix("[]")}
        return [_plain(item_type, item) for item in argument]
    return argument


def _decode(outputs: list[Entry], data: bytes) -> Any:
    return _named(outputs, decode([abi_type(value) for value in outputs], data))


def _named(outputs: list[Entry], values: Sequence[Any]) -> Any:
    """Values under the names that they have in the ABI."""
    kind = _tuple(tuple(output["name"] for output in outputs))
    return kind(*(_value(output, value) for output, value in zip(outputs, values, strict=True)))


@cache
def _tuple(names: tuple[str, ...]) -> Any:
    return namedtuple("Values", names, rename=True)


def _value(output: Entry, value: Any) -> Any:
    if output["type"] == "address":
        return to_checksum_address(value)
    if output["type"] == "tuple":
        return _named(output["components"], value)
    return value
