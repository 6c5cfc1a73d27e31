"""Changes the code of all markets (docs/protocol.md §3.4): through the timelock where that is the owner.

Each call looks at the chain, does what can be done now and says what comes next: anyone deploys the new code, the rest
is a call of the owner's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from perennial import layout
from perennial.chain import Contract
from perennial.deployment.node import connected
from perennial.deployment.owner import Change, bring
from perennial.deployment.plan import call, has_code, plan
from perennial.deployment.run import DeploymentError, addresses_of, code_hash, open_journal, plain, silent
from perennial.deployment.sender import SigningSender, sender_of
from perennial.deployment.signer import signer_of
from perennial.manifest import DEPLOYMENTS, Deployed, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perennial.chain import Chain, Rpc
    from perennial.deployment.journal import Journal
    from perennial.deployment.network import Network
    from perennial.deployment.plan import Plan
    from perennial.deployment.signer import Signer

CODE = ("MarketExtension", "MarketIntents", "Market")
"""What all markets run, in the order in which it is made."""


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
        if not bring(chain, manifest, change, sender_of(chain, signer), report):
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
    """The factory's owner sets the code of all markets."""
    data = call("MarketFactory", "upgradeTo", market)
    return Change(factory, data, keccak(text=f"perennial:upgrade:{market.lower()}"))


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
