"""Calls of the protocol's owner: at once where that is an account, through the timelock where it is one.

Each call looks at the chain, does what can be done now and says what comes next: a proposer schedules, and once the
delay is over an executor executes. Who may not is told what to hand to who may. What is not the owner's needs no
timelock: a canceller cancels at once, a market's coordinator does what is the coordinator's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from eth_abi.exceptions import EncodingError
from eth_abi.grammar import ABIType, BasicType, TupleType, parse
from eth_utils.address import is_address
from eth_utils.crypto import keccak

from perennial.abi import Reverted, interface
from perennial.chain import Contract, RpcError
from perennial.deployment.fields import ZERO
from perennial.deployment.node import connected
from perennial.deployment.plan import CANCELLER, EXECUTOR, NO_PREDECESSOR, PROPOSER, call
from perennial.deployment.run import DeploymentError, check_there, silent
from perennial.deployment.sender import sender_of
from perennial.deployment.signer import signer_of
from perennial.manifest import DEPLOYMENTS, Manifest
from perennial.shell import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perennial.abi import Function
    from perennial.chain import Chain, Rpc
    from perennial.deployment.network import Network
    from perennial.deployment.sender import Sender

OF_COORDINATORS = ("updateRiskParameter", "updateCoordinator", "claimFee")
"""What a market's coordinator does itself (docs/protocol.md §2)."""

_ROLES = {"proposer": PROPOSER, "executor": EXECUTOR, "canceller": CANCELLER}


@dataclass(frozen=True)
class Change:
    """A call of the owner's. The same call is another operation of the timelock under another salt."""

    target: str
    data: bytes
    salt: bytes

    @property
    def operation(self) -> bytes:
        """Its name in the timelock."""
        return keccak(call("Timelock", "hashOperation", *self.arguments)[4:])

    @property
    def arguments(self) -> tuple[str, int, bytes, bytes, bytes]:
        """What the timelock is told of it."""
        return self.target, 0, self.data, NO_PREDECESSOR, self.salt


def own(
    network: Network,
    node: str | Rpc,
    account: Any,
    target: str,
    function: str,
    arguments: Sequence[str],
    *,
    salt: str = "1",
    path: Path | None = None,
    report: Callable[[str], None] = silent,
) -> bool:
    """One step towards a call of the owner's; whether it has happened.

    `target` is a contract or a market of the manifest, `arguments` are texts: numbers as the contract takes them,
    structs and lists as JSON lists, bytes in hex, roles of the timelock by name; an address may be the name of a
    contract or a market, or MARKET.oracle. Raises DeploymentError, StepError, LookupError for a function that there is
    not, ValueError for an argument.
    """
    place = path or DEPLOYMENTS / f"{network.name}.json"
    manifest = Manifest.read(place)
    address, data = encoded(manifest, target, function, arguments)
    change = Change(address, data, keccak(text=f"perennial:{salt}"))
    with connected(node) as chain:
        check_there(manifest, chain)
        sender = sender_of(chain, signer_of(account))
        if (target, function) == ("Timelock", "cancel"):
            return _cancel(chain, address, data, sender, report)
        if function in OF_COORDINATORS and target not in manifest.contracts:
            coordinator = Contract(chain, "IMarket", address).read("coordinator")
            if str(coordinator).lower() == sender.address.lower():
                report(f"sent as the coordinator: {sender.send(function, address, data).transaction}")
                return True
        return bring(chain, manifest, change, sender, report)


def set_paused(network: Network, node: str | Rpc, account: Any, paused: bool, *, path: Path | None = None) -> str:
    """Pauses all markets, or ends the pause; returns the transaction.

    Raises ManifestError, DeploymentError where the chain is another, StepError.
    """
    place = path or DEPLOYMENTS / f"{network.name}.json"
    manifest, name = Manifest.read(place), "pause" if paused else "unpause"
    factory = manifest.address("MarketFactory")
    with connected(node) as chain:
        check_there(manifest, chain)
        return sender_of(chain, signer_of(account)).send(name, factory, call("MarketFactory", name)).transaction


def encoded(manifest: Manifest, target: str, function: str, arguments: Sequence[str]) -> tuple[str, bytes]:
    """Address and calldata of a call that is written as text. Raises ManifestError, LookupError, ValueError."""
    if target in manifest.contracts:
        name, address = target, manifest.address(target)
    else:
        name, address = "IMarket", manifest.market(target).address
    wanted = _function(name, target, function, len(arguments))
    values = [_value(manifest, kind, text) for kind, text in zip(wanted.inputs, arguments, strict=True)]
    try:
        return address, wanted.encode(values)
    except EncodingError as error:
        raise ValueError(f"{target}.{function} takes {', '.join(wanted.inputs)}: {error}") from error


def _function(interfaced: str, target: str, name: str, arguments: int) -> Function:
    """A function by name and number of arguments. Raises LookupError, with what it takes or what else there is."""
    known = interface(interfaced)
    try:
        return known.function(name, arguments)
    except LookupError:
        same = [f"{name}({', '.join(each.inputs)})" for (called, _), each in known.functions.items() if called == name]
        names = sorted({called for (called, _), each in known.functions.items() if not each.outputs})
        offer = f"it takes {' or '.join(same)}" if same else f"there are {', '.join(names)}"
        raise LookupError(f"{target} has no function {name} of {arguments} arguments: {offer}") from None


def bring(chain: Chain, manifest: Manifest, change: Change, sender: Sender, report: Callable[[str], None]) -> bool:
    """Does what is next for a change; whether it has happened. Raises DeploymentError, StepError."""
    if manifest.timelock is None:
        _require(sender.address.lower() == manifest.owner.lower(), sender, "is not the owner", manifest.owner, change)
        report(f"sent: {sender.send('call', change.target, change.data).transaction}")
        return True
    timelock = Contract(chain, "Timelock", manifest.timelock)
    if timelock.read("isOperationDone", change.operation):
        report(f"operation 0x{change.operation.hex()} was executed before: another salt makes another one")
        return True
    if not timelock.read("isOperation", change.operation):
        _foretell(chain, manifest.timelock, change, report)
        data = call("Timelock", "schedule", *change.arguments, timelock.read("getMinDelay"))
        proposes = timelock.read("hasRole", PROPOSER, sender.address)
        step = Change(manifest.timelock, data, b"")
        _require(proposes, sender, "is no proposer of the timelock", "a proposer", step)
        report(f"schedule: {sender.send('schedule', manifest.timelock, data).transaction}")
    if not timelock.read("isOperationReady", change.operation):
        due = datetime.fromtimestamp(int(timelock.read("getTimestamp", change.operation)), UTC)
        report(f"scheduled as 0x{change.operation.hex()}, due {due:%Y-%m-%d %H:%M:%S} UTC: run this again then")
        return False
    data = call("Timelock", "execute", *change.arguments)
    executes = any(timelock.read("hasRole", EXECUTOR, each) for each in (sender.address, ZERO))
    step = Change(manifest.timelock, data, b"")
    _require(executes, sender, "is no executor of the timelock", "an executor", step)
    report(f"execute: {sender.send('execute', manifest.timelock, data).transaction}")
    return True


def _foretell(chain: Chain, timelock: str, change: Change, report: Callable[[str], None]) -> None:
    """Says beforehand what would otherwise be seen when the delay is over.

    It is scheduled all the same: something else that is scheduled may come before it.
    """
    try:
        chain.rpc.call("eth_call", {"from": timelock, "to": change.target, "data": "0x" + change.data.hex()}, "latest")
    except (Reverted, RpcError) as error:
        report(f"as the chain is now, the call would fail: {message_of(error)}")


def _cancel(chain: Chain, timelock: str, data: bytes, sender: Sender, report: Callable[[str], None]) -> bool:
    """Takes an operation off the timelock, now: scheduled itself it would come too late, and fail."""
    cancels = Contract(chain, "Timelock", timelock).read("hasRole", CANCELLER, sender.address)
    _require(cancels, sender, "is no canceller of the timelock", "a canceller", Change(timelock, data, b""))
    report(f"cancelled: {sender.send('cancel', timelock, data).transaction}")
    return True


def _require(may: bool, sender: Sender, lack: str, who: str, step: Change) -> None:
    if not may:
        raise DeploymentError(
            f"{sender.address} {lack}. For {who} to send, from a multisig for instance: to {step.target}, "
            f"value 0, data 0x{step.data.hex()}"
        )


def _value(manifest: Manifest, kind: str, text: str) -> Any:
    """An argument of an ABI type. Raises ValueError."""
    if kind == "string":
        return text
    if kind == "address":
        return _address(manifest, text)
    if kind == "bytes32" and text in _ROLES:
        return _ROLES[text]
    if kind.startswith("bytes") and not kind.endswith("]"):
        hint = f", nor one of the roles {', '.join(_ROLES)}" if kind == "bytes32" else ""
        return _bytes(kind, text, hint)
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no {kind}: write numbers as the contract takes them, structs as lists: {error}"
        ) from error
    return _decoded(parse(kind), value)


def _bytes(kind: str, value: Any, hint: str = "") -> bytes:
    """Hex to bytes, as many as the type has: shorter ones would be filled up in silence. Raises ValueError."""
    try:
        found = bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError:
        raise ValueError(f"{value!r} is no hex{hint}") from None
    size = kind.removeprefix("bytes")
    if size and len(found) != int(size):
        raise ValueError(f"{value!r} has {len(found)} bytes, not the {size} of {kind}{hint}")
    return found


def _address(manifest: Manifest, text: str) -> str:
    """An address, as it is or by what the manifest has there. Raises ValueError."""
    market, _, part = text.rpartition(".")
    if text in manifest.contracts:
        return manifest.address(text)
    if text in manifest.markets:
        return manifest.market(text).address
    if part == "oracle" and market in manifest.markets:
        return manifest.market(market).oracle
    if not is_address(text):
        raise ValueError(f"{text!r} is neither an address nor a contract or market of {manifest.network}")
    return text


def _decoded(kind: ABIType, value: Any) -> Any:
    """What JSON says, with bytes in the place of hex. Raises ValueError."""
    if kind.is_array or isinstance(kind, TupleType):
        if not isinstance(value, list):
            raise ValueError(f"a list is needed, not {value!r}")
        parts = kind.components if isinstance(kind, TupleType) and not kind.is_array else [kind.item_type] * len(value)
        if len(parts) != len(value):
            raise ValueError(f"{value!r} has {len(value)} fields, the struct {_named(kind)} has {len(parts)}")
        return tuple(_decoded(part, each) for part, each in zip(parts, value, strict=True))
    if isinstance(kind, BasicType) and kind.base == "bytes":
        return _bytes(_named(kind), value)
    return value


def _named(kind: ABIType) -> str:
    """A type as an ABI writes it."""
    return str(kind.to_type_str())  # type: ignore[no-untyped-call]
