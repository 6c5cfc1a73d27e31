"""An EVM in process: tens of thousands of calls a second, for tests that make that many.

Gas is not what a transaction would cost here (slots stay warm from call to call): measure that on Anvil.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyrevm
from eth_abi.abi import encode

from perennial.abi import Reverted, decode_error, interface
from perennial.artifacts import load

__all__ = ["Contract", "Evm", "Halted", "Reverted"]

NOBODY = "0x" + "0" * 40
WORD = 32


class Halted(Exception):  # noqa: N818 -- a finding about the contract, not an error of the caller's
    """A call ended without a reason of the contract's: out of gas, out of stack, an invalid opcode."""


class Evm:
    """One chain in memory. Addresses are lower-case hex; accounts need no keys and no ether."""

    chain_id = 1
    """What EIP-712 messages are signed for."""

    def __init__(self, gas_limit: int = 10**9) -> None:
        self._evm = pyrevm.EVM(spec_id="PRAGUE", gas_limit=gas_limit)
        self.warp(1)

    def deploy(self, name: str, *args: Any, sender: str) -> "Contract":
        """Deploys the contract of this name with constructor arguments."""
        code = load(name).creation + encode(interface(name).constructor, args)
        return Contract(self, name, self.create(sender, code))

    def contract(self, name: str, address: str) -> "Contract":
        """What is at an address, with the ABI of a contract or interface of this name."""
        return Contract(self, name, address)

    def create(self, sender: str, code: bytes) -> str:
        """Runs creation code; returns the address of the contract."""
        self._evm.reset_transient_storage()
        try:
            return self._evm.deploy(sender, code)
        except RuntimeError as error:
            raise _refusal(error) from None

    def send(self, sender: str, to: str, data: bytes, gas: int | None = None) -> bytes:
        """One transaction of at most `gas`: returns what the call returned, raises Reverted or Halted."""
        # Transient storage lives until it is cleared, not until the end of the transaction.
        self._evm.reset_transient_storage()
        try:
            return self._evm.message_call(sender, to, data, gas=gas)
        except RuntimeError as error:
            raise _refusal(error) from None

    def warp(self, time: int) -> None:
        """Transactions and views happen at `time` (Unix seconds) from now on."""
        self._time = time
        self._evm.set_block_env(pyrevm.BlockEnv(timestamp=time))

    def call(self, to: str, data: bytes) -> bytes:
        """What a view returns."""
        return self.send(NOBODY, to, data)

    def logs(self) -> list[tuple[str, Sequence[bytes], bytes]]:
        """What the last transaction logged: address, topics, data."""
        result = self._evm.result
        if result is None:
            return []
        return [(log.address.lower(), *log.data) for log in result.logs]

    def code(self, address: str) -> bytes:
        """The code of a contract."""
        return bytes(self._evm.get_code(address) or b"")

    def storage(self, address: str, slot: int) -> int:
        """A word of a contract's storage."""
        return int(self._evm.storage(address, slot) or 0)

    def store(self, address: str, slot: int, word: int) -> None:
        """Puts a word into a contract's storage, which no call of it would."""
        self._evm.insert_account_storage(address, slot, word)

    def replace(self, address: str, code: bytes) -> None:
        """Puts other code in a contract's place, over the same storage; `undone` does not bring it back."""
        self._evm.insert_account_info(address, pyrevm.AccountInfo(nonce=1, code=code))

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Takes back whatever happens inside, the time with it."""
        checkpoint, time = self._evm.snapshot(), self._time
        try:
            yield
        finally:
            self._evm.revert(checkpoint)
            # It is no part of the state: what shares the chain would go on at another's time.
            self.warp(time)


class Contract:
    """A contract: functions by the names of its ABI, told apart by the number of their arguments where they share one.

    What they return are static values, those of structs one after the other.
    """

    def __init__(self, evm: Evm, name: str, address: str) -> None:
        self.evm, self.address, self._interface = evm, address.lower(), interface(name)
        self._views: dict[tuple[Any, ...], tuple[bytes, list[str]]] = {}

    def send(self, name: str, *args: Any, sender: str, gas: int | None = None) -> tuple[Any, ...]:
        """Sends a transaction; returns the values that the function returned."""
        function = self._interface.function(name, len(args))
        return _words(_flat(function.outputs), self.evm.send(sender, self.address, function.encode(args), gas))

    def read(self, name: str, *args: Any) -> tuple[Any, ...]:
        """Calls a view and returns its values."""
        key = (name, *args)
        if key not in self._views:
            function = self._interface.function(name, len(args))
            self._views[key] = function.encode(args), _flat(function.outputs)
        data, outputs = self._views[key]
        return _words(outputs, self.evm.call(self.address, data))

    def value(self, name: str, *args: Any) -> Any:
        """Calls a view that returns one value."""
        return self.read(name, *args)[0]

    def events(self) -> list[tuple[str, tuple[Any, ...]]]:
        """What the last transaction emitted here: name and values in the order of the event's parameters."""
        emitted = []
        for address, topics, data in self.evm.logs():
            if address == self.address:
                event = self._interface.events[bytes(topics[0])]
                emitted.append((event.name, event.decode([bytes(topic) for topic in topics], data)))
        return emitted


def _refusal(error: RuntimeError) -> Reverted | Halted:
    """What pyrevm's error says: it has the return data as text. An error of no contract is named by its bytes."""
    found = re.search(r"Revert \{.*output: 0x([0-9a-f]*)", str(error))
    if found is None:
        return Halted(str(error))
    reverted = decode_error(bytes.fromhex(found[1]))
    return Reverted(reverted.name.removeprefix("0x"), reverted.values)


def _flat(types: Sequence[str]) -> list[str]:
    """The types of static values, word by word."""
    return [kind for kind in re.split(r"[(),]", ",".join(types)) if kind]


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
