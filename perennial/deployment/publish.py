"""Publishes the sources of what is deployed on a block explorer, which compiles them and compares the code.

The plugin ape-etherscan sends them (`uv sync --group etherscan`), with the key in ETHERSCAN_API_KEY. Its own
`publish_contract` reads a constructor's arguments from the transaction that made the contract; here that is one to
another contract, the deterministic deployment proxy (create2.py). So the arguments are given, from the manifest, and
the compiler's input as well.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import yaml
from eth_abi.abi import encode

from perennial.abi import interface
from perennial.artifacts import ROOT, load
from perennial.deployment.code import is_code_of
from perennial.deployment.network import GRANULARITY
from perennial.deployment.plan import plan
from perennial.deployment.run import addresses_of, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perennial.chain import Chain
    from perennial.deployment.network import Network
    from perennial.manifest import Manifest

KEY = "ETHERSCAN_API_KEY"
"""Variable with the explorer's key; the plugin reads it, nothing else does."""

SPAN = 2_000
"""Blocks in one request for events."""

_PLUGIN = "ape_etherscan"

_IMPORT = re.compile(r"""^\s*(?:import|\}\s*from|import\s+\{[^}]*\}\s*from)\s*["']([^"']+)["']""", re.MULTILINE)

_APACHE = 12
"""Etherscan's number of the licence."""


class PublishError(RuntimeError):
    """The explorer did not take the sources of a contract; the message is its own."""


@dataclass(frozen=True)
class Submission:
    """What an explorer is given. `name` is path and contract, `arguments` the constructor's, encoded.

    `compiler` is the full version, `standard_input` what the compiler reads: sources and settings.
    """

    address: str
    name: str
    compiler: str
    standard_input: dict[str, Any]
    arguments: bytes


class Explorer(Protocol):
    """Takes sources."""

    def publish(self, submission: Submission) -> None:
        """Returns once they are accepted, or were before. Raises PublishError."""
        ...


@dataclass(frozen=True)
class Etherscan:
    """The explorer that Ape has for the connected network, through the parts of its plugin that ask nothing else."""

    explorer: Any

    def publish(self, submission: Submission) -> None:
        """See Explorer."""
        verifier = importlib.import_module(f"{_PLUGIN}.verify").SourceVerifier(
            submission.address, self.explorer._client_factory
        )
        settings = submission.standard_input["settings"]
        try:
            receipt = verifier.contract_client.verify_source_code(
                submission.standard_input,
                submission.compiler,
                contract_name=submission.name,
                optimization_used=settings["optimizer"]["enabled"],
                optimization_runs=settings["optimizer"]["runs"],
                constructor_arguments=submission.arguments.hex(),
                evm_version=settings["evmVersion"],
                license_type=_APACHE,
                via_ir=settings["viaIR"],
            )
            verifier._wait_for_verification(receipt)
        except Exception as error:  # the plugin's, of its HTTP library, of its answers' parser
            if "already verified" not in str(error):
                raise PublishError(_without_key(str(error) or type(error).__name__)) from None


def publish(
    manifest: Manifest,
    network: Network,
    chain: Chain,
    explorer: Explorer,
    report: Callable[[str], None] = silent,
) -> list[str]:
    """Publishes every contract of a manifest, its markets' oracles and payoffs too; returns names of what is not.

    One that fails keeps none of the others. Code that is not the local build's is not sent: it would not match.
    """
    left = []
    for name, artifact, address, arguments in _contracts(manifest, network, chain):
        code = bytes.fromhex(str(chain.rpc.call("eth_getCode", address, "latest"))[2:])
        try:
            if not is_code_of(artifact, code):
                raise PublishError("its code is not that of the local build")
            if arguments is None:
                raise PublishError("what it was made with is not known: the event of its making was not found")
            explorer.publish(submission(artifact, address, arguments))
        except PublishError as error:
            left.append(name)
            report(f"{name}: not published: {error}")
        else:
            report(f"{name}: published")
    return left


def _contracts(manifest: Manifest, network: Network, chain: Chain) -> Iterator[tuple[str, str, str, list[Any] | None]]:
    """Name, artifact, address and constructor's arguments of all that a manifest has, None where nobody knows them."""
    deployer = str(manifest.contracts["OracleFactory"].arguments[0])
    planned = plan(network, deployer, addresses_of(manifest)).contracts
    for name, deployed in manifest.contracts.items():
        yield name, planned[name].artifact, deployed.address, deployed.arguments
    for name, oracle in manifest.oracles.items():
        if oracle.adapter is not None:
            yield f"oracle {name}", "Oracle", oracle.address, _made_with(manifest, chain, name)
    for name, payoff in manifest.payoffs.items():
        arguments = [payoff.half_power, payoff.scale, payoff.negative]
        yield f"payoff {name}", "PowerPayoff", payoff.address, arguments


def _made_with(manifest: Manifest, chain: Chain, name: str) -> list[Any] | None:
    """What the constructor of a market's oracle was given: creator and adapter may have changed since."""
    market = manifest.markets.get(name)
    end = market.block if market and market.block is not None else int(chain.rpc.call("eth_blockNumber"), 16)
    factory = manifest.address("OracleFactory")
    topic, event = next(each for each in interface("OracleFactory").events.items() if each[1].name == "OracleCreated")
    oracle = "0x" + manifest.oracles[name].address[2:].lower().rjust(64, "0")
    # Nodes answer for so many blocks at once; an oracle is made right before its market.
    while end >= manifest.start_block:
        start = max(manifest.start_block, end - SPAN + 1)
        request = {"address": factory, "topics": ["0x" + topic.hex(), oracle]}
        for log in chain.rpc.call("eth_getLogs", request | {"fromBlock": hex(start), "toBlock": hex(end)}):
            topics = [bytes.fromhex(each[2:]) for each in log["topics"]]
            _, creator, adapter, _ = event.decode(topics, bytes.fromhex(log["data"][2:]))
            return [creator, adapter, GRANULARITY]
        end = start - 1
    return None


def submission(artifact: str, address: str, arguments: list[Any]) -> Submission:
    """What to publish of a contract of the project; `arguments` as in a manifest."""
    return Submission(
        address,
        f"{load(artifact).source}:{artifact}",
        _compiler(),
        standard_input(artifact),
        encode(interface(artifact).constructor, arguments),
    )


def standard_input(artifact: str) -> dict[str, Any]:
    """The compiler's input for a contract: its source and all that it imports, and the project's settings."""
    config = _config()
    remappings = [str(each) for each in config["import_remapping"]]
    return {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in _closure(load(artifact).source, remappings).items()},
        "settings": {
            "evmVersion": config["evm_version"],
            "optimizer": {"enabled": config["optimize"], "runs": config["optimization_runs"]},
            "remappings": remappings,
            "viaIR": config["via_ir"],
            "outputSelection": {"*": {"*": ["evm.bytecode.object", "evm.deployedBytecode.object", "abi"]}},
        },
    }


def connected_explorer(chain: Chain) -> tuple[Etherscan | None, str]:
    """The explorer of the network that Ape is connected to, or None and why there is none."""
    if str(chain.rpc.call("web3_clientVersion")).lower().startswith("anvil"):
        return None, "the chain is one of this machine"
    if importlib.util.find_spec(_PLUGIN) is None:
        return None, "ape-etherscan is not installed (.venv/bin/uv sync --group etherscan)"
    if not os.environ.get(KEY):
        return None, f"{KEY} is not set"
    from ape import networks

    provider: Any = networks.active_provider
    explorer = provider.network.explorer
    return (Etherscan(explorer), "") if explorer else (None, "Ape knows no explorer of this network")


def _without_key(text: str) -> str:
    """A message of the explorer's without the keys, which are in the addresses that it was asked by."""
    for key in os.environ.get(KEY, "").split(","):
        if key.strip():
            text = text.replace(key.strip(), "…")
    return text


def _closure(path: str, remappings: list[str]) -> dict[str, str]:
    """A source and what it imports, directly or not, by path."""
    pending, found = [path], dict[str, str]()
    while pending:
        path = pending.pop()
        if path in found:
            continue
        found[path] = (ROOT / path).read_text()
        pending += [_resolved(path, name, remappings) for name in _IMPORT.findall(found[path])]
    return dict(sorted(found.items()))


def _resolved(path: str, name: str, remappings: list[str]) -> str:
    """The path that an import in a file means."""
    if name.startswith("."):
        return os.path.normpath(f"{path}/../{name}")
    for remapping in remappings:
        prefix, _, target = remapping.partition("=")
        if name.startswith(f"{prefix}/"):
            return target + name.removeprefix(prefix)
    return name


def _config() -> dict[str, Any]:
    """The compiler's settings."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    return config


def _compiler() -> str:
    """The compiler's version with its commit, as it is among what was built."""
    wanted = str(_config()["version"])
    built = json.loads((ROOT / ".build" / "__local__.json").read_text())["compilers"]
    return "v" + next(str(each["version"]) for each in built if str(each["version"]).startswith(wanted))
