"""Changes the code of all markets (docs/protocol.md §3.4): through the timelock where that is the owner.

Each call looks at the chain, does what can be done now and says what comes next: the new code is deployed by anyone,
the change is scheduled by a proposer, and once the delay is over executed by an executor.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from perennial import layout
from perennial.chain import Contract
from perennial.deployment.fields import ZERO
from perennial.deployment.node import connected
from perennial.deployment.plan import EXECUTOR, NO_PREDECESSOR, PROPOSER, call, has_code, plan
from perennial.deployment.run import DeploymentError, addresses_of, code_hash, open_journal, plain, silent
from perennial.deployment.sender import SigningSender
from perennial.deployment.signer import signer_of
from perennial.manifest import DEPLOYMENTS, Deployed, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perennial.chain import Chain, Rpc
    from perennial.deployment.journal import Journal
    from perennial.deployment.network import Network
    from perennial.deployment.plan import Plan
    from perennial.deployment.sender import Sender
    from perennial.deployment.signer import Signer

CODE = ("MarketExtension", "MarketIntents", "Market")
"""What all markets run, in the order in which it is made."""


@dataclass(frozen=True)
class Change:
    """A call of the owner's. `operation` is its name in the timelock."""

    target: str
    data: bytes
    salt: bytes
    operation: bytes


def upgrade(
    network: Network,
    node: str | Rpc,
    account: Any,
    *,
    path: Path | None = None,
    report: Callable[[str], None] = silent,
) -> bool:
    """One step of an upgrade to the local build; whether all markets run it now.

    Raises ManifestError, DeploymentError where the account lacks the role for what is next, JournalError, StepError.
    """
    target = path or DEPLOYMENTS / f"{network.name}.json"
    with connected(node) as chain:
        return _upgrade(network, chain, signer_of(account), target, report)


def _upgrade(network: Network, chain: Chain, signer: Signer, target: Path, report: Callable[[str], None]) -> bool:
    manifest = Manifest.read(target)
    try:
        layout.check(layout.recorded(), layout.layouts())
    except layout.MovedError as error:
        raise DeploymentError(f"running markets could not read their storage: {error}") from error
    wanted = planned_code(manifest, network)
    factory = Contract(chain, "MarketFactory", manifest.address("MarketFactory"))
    market = wanted.address("Market")
    place = target.with_name(f"{target.stem}.upgrade.journal.json")
    journal = open_journal(chain, place, signer.address, wanted.digest(), disposable=network.is_local)
    sender = SigningSender(chain, signer, journal)
    for step in wanted.steps:
        if step.creates in CODE and step.done(chain):
            sender.recall(step.name)
        elif step.creates in CODE:
            report(f"{step.name}: {sender.send(step.name, step.to, step.data).transaction}")
    if str(factory.read("implementation")).lower() != market.lower():
        change = change_of(factory.address, market)
        if not _change(chain, manifest, change, sender, report):
            return False
    _record(manifest, wanted, chain, journal)
    manifest.save(target)
    journal.close()
    report(f"all markets run {market}")
    return True


def planned_code(manifest: Manifest, network: Network) -> Plan:
    """The plan of a deployment in which the markets' code is the local build's and everything else is as it is."""
    known = {name: address for name, address in addresses_of(manifest).items() if name not in CODE}
    return plan(network, str(manifest.contracts["OracleFactory"].arguments[0]), known)


def change_of(factory: str, market: str) -> Change:
    """The factory's owner sets the code of all markets. The same code is a new operation only under another salt."""
    data, salt = call("MarketFactory", "upgradeTo", market), keccak(text=f"perennial:upgrade:{market.lower()}")
    encoded = call("Timelock", "hashOperation", factory, 0, data, NO_PREDECESSOR, salt)
    return Change(factory, data, salt, keccak(encoded[4:]))


def _change(chain: Chain, manifest: Manifest, change: Change, sender: Sender, report: Callable[[str], None]) -> bool:
    """Brings the owner's call on its way; whether it has happened."""
    if manifest.timelock is None:
        _require(sender.address.lower() == manifest.owner.lower(), sender, "is not the owner", change, manifest.owner)
        report(f"upgradeTo: {sender.send('upgradeTo', change.target, change.data).transaction}")
        return True
    timelock = Contract(chain, "Timelock", manifest.timelock)
    operation = (change.target, 0, change.data, NO_PREDECESSOR, change.salt)
    if not timelock.read("isOperation", change.operation):
        data = call("Timelock", "schedule", *operation, timelock.read("getMinDelay"))
        proposes = timelock.read("hasRole", PROPOSER, sender.address)
        _require(proposes, sender, "is no proposer of the timelock", Change(manifest.timelock, data, b"", b""), "one")
        report(f"schedule: {sender.send('schedule', manifest.timelock, data).transaction}")
    if not timelock.read("isOperationReady", change.operation):
        due = datetime.fromtimestamp(int(timelock.read("getTimestamp", change.operation)), UTC)
        report(f"scheduled as 0x{change.operation.hex()}, due {due:%Y-%m-%d %H:%M:%S} UTC: run this again then")
        return False
    data = call("Timelock", "execute", *operation)
    executes = any(timelock.read("hasRole", EXECUTOR, each) for each in (sender.address, ZERO))
    _require(executes, sender, "is no executor of the timelock", Change(manifest.timelock, data, b"", b""), "one")
    report(f"execute: {sender.send('execute', manifest.timelock, data).transaction}")
    return True


def _require(may: bool, sender: Sender, lack: str, change: Change, who: str) -> None:
    if not may:
        raise DeploymentError(
            f"{sender.address} {lack}. For {who} to send, from a multisig for instance: to {change.target}, "
            f"value 0, data 0x{change.data.hex()}"
        )


def _record(manifest: Manifest, wanted: Plan, chain: Chain, journal: Journal) -> None:
    """The new code takes the old one's place in the manifest."""
    for name in CODE:
        planned, entry = wanted.contracts[name], journal.get(f"deploy {name}")
        if manifest.contracts[name].address != planned.address and has_code(chain, planned.address):
            manifest.contracts[name] = Deployed(
                planned.address,
                entry.transaction if entry else None,
                entry.block if entry else None,
                plain(planned.arguments),
                code_hash(chain, planned.address),
            )
