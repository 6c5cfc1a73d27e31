"""Carries a plan out, and writes down where everything is (docs/protocol.md §2, §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from perennial.chain import Contract
from perennial.deployment import create2
from perennial.deployment.journal import Journal, Work
from perennial.deployment.network import MOCK, Network
from perennial.deployment.node import connected
from perennial.deployment.plan import has_code, plan
from perennial.deployment.sender import SigningSender
from perennial.deployment.signer import signer_of
from perennial.manifest import DEPLOYMENTS, Deployed, Manifest, Token

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perennial.chain import Chain, Rpc
    from perennial.deployment.plan import Plan, Planned
    from perennial.deployment.signer import Signer


class DeploymentError(RuntimeError):
    """The plan does not fit the chain or what was deployed before; nothing was sent."""


def silent(line: str) -> None:
    """Tells nobody."""
    del line


def deploy(
    network: Network,
    node: str | Rpc,
    account: Any,
    *,
    path: Path | None = None,
    report: Callable[[str], None] = silent,
) -> Manifest:
    """Puts the protocol on a chain, or what of it is missing there, and returns its manifest.

    `node` is the address of a node, `account` one of Ape's or eth-account's. The manifest is written to `path`
    (`deployments/<network>.json`), with a journal beside it for as long as something is missing: should this be killed,
    the same call continues. Raises FileError, DeploymentError, JournalError, or StepError at the step that failed.
    """
    target = path or DEPLOYMENTS / f"{network.name}.json"
    with connected(node) as chain:
        return _deploy(network, chain, signer_of(account), target, report)


def _deploy(network: Network, chain: Chain, signer: Signer, target: Path, report: Callable[[str], None]) -> Manifest:
    check_chain(network, chain)
    former = former_manifest(network, chain, target)
    planned = plan(network, signer.address, addresses_of(former))
    journal = open_journal(chain, journal_path(target), signer.address, planned.digest(), disposable=network.is_local)
    carry_out(planned, chain, SigningSender(chain, signer, journal), report)
    manifest = manifest_of(planned, chain, journal, former)
    manifest.save(target)
    journal.close()
    return manifest


def carry_out(planned: Plan, chain: Chain, sender: SigningSender, report: Callable[[str], None]) -> None:
    """Does the steps that the chain does not have, in order. Raises StepError."""
    for number, step in enumerate(planned.steps, 1):
        place = f"{number:2}/{len(planned.steps)} {step.name}"
        if step.done(chain):
            sender.recall(step.name)
            report(f"{place}: done before")
            continue
        mined = sender.send(step.name, step.to, step.data)
        report(f"{place}: {mined.transaction}, block {mined.block}, gas {mined.receipt.gas_used:,}")
        if not step.done(chain):
            # A node that is behind, or a chain that went back: better to stop than to build on it.
            raise DeploymentError(
                f"{step.name}: transaction {mined.transaction} is mined, its effect is not to be seen"
            )


def journal_path(manifest: Path) -> Path:
    """The journal beside a manifest."""
    return manifest.with_name(f"{manifest.stem}.journal.json")


def open_journal(chain: Chain, path: Path, sender: str, work: str, *, disposable: bool) -> Journal:
    """The journal of a piece of work on this chain, `work` being its digest. Raises JournalError."""
    genesis = str(chain.rpc.call("eth_getBlockByNumber", "0x0", False)["hash"])
    return Journal.open(path, Work(genesis, sender, work), disposable=disposable)


def addresses_of(manifest: Manifest | None) -> dict[str, str]:
    """Where the contracts of a manifest are, by name."""
    return {name: each.address for name, each in manifest.contracts.items()} if manifest else {}


def check_chain(network: Network, chain: Chain) -> None:
    """Whether the chain is the file's, and has what that says is there. Raises DeploymentError with all problems."""
    problems = []
    chain_id = int(chain.rpc.call("eth_chainId"), 16)
    if chain_id != network.chain_id:
        raise DeploymentError(f"chain_id: the file is for {network.chain_id}, the node is on {chain_id}")
    needed = {"deterministic deployment proxy": create2.PROXY}
    if network.pyth != MOCK:
        needed["pyth.address"] = network.pyth
    if int(network.sequencer_feed, 16):
        needed["chainlink.sequencerFeed"] = network.sequencer_feed
    needed |= {
        f"feeds.{name}.chainlink": "0x" + ids.chainlink[-40:] for name, ids in network.feeds.items() if ids.chainlink
    }
    problems += [f"{name}: no contract at {there}" for name, there in needed.items() if not has_code(chain, there)]
    for name, token in network.tokens.items():
        if token.address == MOCK:
            continue
        if not has_code(chain, token.address):
            problems.append(f"tokens.{name}.address: no contract at {token.address}")
        elif (decimals := decimals_of(chain, token.address)) != token.decimals:
            problems.append(f"tokens.{name}.decimals: the file says {token.decimals}, the token {decimals}")
    if problems:
        raise DeploymentError("\n".join(["the chain is not as the file says:", *(f"  {each}" for each in problems)]))


def check_there(manifest: Manifest, chain: Chain) -> None:
    """Whether the chain is the manifest's and has its MarketFactory: a call to where nothing is would succeed.

    Raises DeploymentError.
    """
    chain_id, factory = int(chain.rpc.call("eth_chainId"), 16), manifest.address("MarketFactory")
    if chain_id != manifest.chain_id or not has_code(chain, factory):
        raise DeploymentError(
            f"{manifest.network} (chain {manifest.chain_id}) is not on this chain ({chain_id}): there is nothing at "
            f"{factory}, its MarketFactory. Look at --network and --config, or deploy first (ape run deploy)"
        )


def decimals_of(chain: Chain, token: str) -> int:
    """Decimals of a token."""
    return int(Contract(chain, "MockToken", token).read("decimals"))


def former_manifest(network: Network, chain: Chain, path: Path) -> Manifest | None:
    """The manifest of an earlier run, None where there is none, or where it is of a local chain that is gone.

    Raises DeploymentError where it is of another chain.
    """
    if not path.exists():
        return None
    former = Manifest.read(path)
    there = [deployed for deployed in former.contracts.values() if has_code(chain, deployed.address)]
    if not there and network.is_local:
        return None
    if former.chain_id != network.chain_id or not there:
        raise DeploymentError(f"{path} is of another chain: move it away, or connect to chain {former.chain_id}")
    return former


def manifest_of(planned: Plan, chain: Chain, journal: Journal, former: Manifest | None) -> Manifest:
    """The manifest of a plan that is carried out; markets and vaults are the former one's."""
    contracts = {name: _deployed(each, chain, journal, former) for name, each in planned.contracts.items()}
    blocks = [each.block for each in contracts.values() if each.block is not None]
    tokens = {name: Token(address, decimals_of(chain, address)) for name, address in planned.tokens.items()}
    manifest = Manifest(
        network=planned.network.name,
        chain_id=planned.network.chain_id,
        start_block=former.start_block if former else min(blocks, default=0),
        owner=planned.owner,
        pauser=planned.network.pauser,
        timelock=planned.timelock,
        relay=planned.network.relay,
        contracts=contracts,
        tokens=tokens,
    )
    if former is not None:
        manifest.owner, manifest.pauser, manifest.rpc = former.owner, former.pauser, former.rpc
        manifest.relay = manifest.relay or former.relay
        manifest.tokens = former.tokens | tokens
        manifest.oracles, manifest.payoffs = former.oracles, former.payoffs
        manifest.markets, manifest.vaults = former.markets, former.vaults
    return manifest


def code_hash(chain: Chain, address: str) -> str:
    """Hash of the code at an address."""
    return "0x" + keccak(hexstr=chain.rpc.call("eth_getCode", address, "latest")).hex()


def plain(value: Any) -> Any:
    """Arguments as JSON has them: structs are lists, bytes are hex."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _deployed(planned: Planned, chain: Chain, journal: Journal, former: Manifest | None) -> Deployed:
    if former is not None and planned.name in former.contracts:
        return former.contracts[planned.name]
    entry = journal.get(f"deploy {planned.parent or planned.name}")
    transaction, block = (entry.transaction, entry.block) if entry else (None, None)
    hashed = code_hash(chain, planned.address)
    return Deployed(planned.address, transaction, block, plain(planned.arguments), hashed)
