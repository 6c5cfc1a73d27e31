"""Changes the code of all markets and vaults (docs/protocol.md §3.4, §12): by the timelock where that is the owner.

Each call looks at the chain, does what can be done now and says what comes next: anyone deploys the new code, the rest
are calls of the owner's, one to each beacon whose code is another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from perennial import layout
from perennial.chain import Contract
from perennial.deployment.node import connected
from perennial.deployment.owner import Change, bring
from perennial.deployment.plan import call, has_code, plan
from perennial.deployment.run import (
    DeploymentError,
    addresses_of,
    check_there,
    code_hash,
    open_journal,
    plain,
    silent,
)
from perennial.deployment.sender import SigningSender, sender_of
from perennial.deployment.signer import signer_of
from perennial.manifest import DEPLOYMENTS, Deployed, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perennial.chain import Chain, Rpc
    from perennial.deployment.journal import Journal
    from perennial.deployment.network import Network
    from perennial.deployment.plan import Plan
    from perennial.deployment.sender import Sender
    from perennial.deployment.signer import Signer

BEACONS = {
    "MarketFactory": ("MarketExtension", "MarketIntents", "Market"),
    "VaultFactory": ("VaultEpochs", "Vault"),
}
"""What all markets and all vaults run, by their beacon, in the order in which it is made; the last is what it names."""

CODE = tuple(name for code in BEACONS.values() for name in code)


def upgrade(
    network: Network,
    node: str | Rpc,
    account: Any,
    *,
    path: Path | None = None,
    report: Callable[[str], None] = silent,
) -> bool:
    """One step of an upgrade to the local build; whether all markets and vaults run it now.

    Raises ManifestError, DeploymentError where the account lacks the role for what is next, JournalError, StepError.
    """
    target = path or DEPLOYMENTS / f"{network.name}.json"
    with connected(node) as chain:
        return _upgrade(network, chain, signer_of(account), target, report)


def _upgrade(network: Network, chain: Chain, signer: Signer, target: Path, report: Callable[[str], None]) -> bool:
    manifest = Manifest.read(target)
    check_there(manifest, chain)
    try:
        layout.check(layout.recorded(), layout.layouts())
    except layout.MovedError as error:
        raise DeploymentError(f"what runs could not read its storage: {error}") from error
    wanted = planned_code(manifest, network)
    place = target.with_name(f"{target.stem}.upgrade.journal.json")
    journal = open_journal(chain, place, signer.address, wanted.digest(), disposable=network.is_local)
    sender = SigningSender(chain, signer, journal)
    for step in wanted.steps:
        if step.creates in CODE and step.done(chain):
            sender.recall(step.name)
        elif step.creates in CODE:
            report(f"{step.name}: {sender.send(step.name, step.to, step.data).transaction}")
    left, refused = 0, []
    for beacon, code in BEACONS.items():
        try:
            done = _point(chain, manifest, beacon, wanted.address(code[-1]), sender_of(chain, signer), report)
        except DeploymentError as error:
            refused.append(f"{beacon}.upgradeTo: {error}")
            continue
        left += not done
        if done:
            _record(code, manifest, wanted, chain, journal)
            manifest.save(target)
    if refused:
        raise DeploymentError("\n".join(refused))
    if not left:
        journal.close()
    return not left


def _point(
    chain: Chain, manifest: Manifest, beacon: str, code: str, sender: Sender, report: Callable[[str], None]
) -> bool:
    """Brings a beacon to the code; whether it has it now."""
    factory = Contract(chain, beacon, manifest.address(beacon))
    if str(factory.read("implementation")).lower() != code.lower():
        report(f"{beacon}.upgradeTo({code})")
        if not bring(chain, manifest, change_of(factory.address, code), sender, report):
            return False
    report(f"all {'markets' if beacon == 'MarketFactory' else 'vaults'} run {code}")
    return True


def planned_code(manifest: Manifest, network: Network) -> Plan:
    """The plan of a deployment in which what runs behind beacons is the local build's, and all else is as it is."""
    known = {name: address for name, address in addresses_of(manifest).items() if name not in CODE}
    return plan(network, str(manifest.contracts["OracleFactory"].arguments[0]), known)


def change_of(beacon: str, code: str) -> Change:
    """A beacon's owner sets the code of all that run by it."""
    data = call("MarketFactory", "upgradeTo", code)
    return Change(beacon, data, keccak(text=f"perennial:upgrade:{code.lower()}"))


def _record(names: Sequence[str], manifest: Manifest, wanted: Plan, chain: Chain, journal: Journal) -> None:
    """The new code takes the old one's place in the manifest."""
    for name in names:
        planned, entry = wanted.contracts[name], journal.get(f"deploy {name}")
        if manifest.contracts[name].address != planned.address and has_code(chain, planned.address):
            manifest.contracts[name] = Deployed(
                planned.address,
                entry.transaction if entry else None,
                entry.block if entry else None,
                plain(planned.arguments),
                code_hash(chain, planned.address),
            )
