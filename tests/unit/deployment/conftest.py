"""A chain of Base Sepolia's id on which the protocol is deployed once; every test starts from there or from before."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from perennial.anvil import anvil
from perennial.chain import Chain, Rpc
from perennial.deployment import deploy, network
from perennial.deployment.network import NETWORKS
from perennial.deployment.node import Node as NodeRpc
from perennial.manifest import Manifest

Account.enable_unaudited_hdwallet_features()

MNEMONIC = "test test test test test test test test test test test junk"


def account(index: int) -> LocalAccount:
    return Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")


@dataclass
class Node:
    """A node, the state before the deployment and the one after, and the deployment's manifest."""

    rpc: Rpc
    network: network.Network
    manifest: Manifest
    steps: int

    @property
    def chain(self) -> Chain:
        return Chain(self.rpc)

    def nonce(self, who: LocalAccount) -> int:
        """How many transactions of an account are in blocks."""
        return int(self.rpc.call("eth_getTransactionCount", who.address, "latest"), 16)

    def act(self, sender: str, to: str, data: bytes) -> None:
        """A transaction of anyone's."""
        receipt = self.rpc.call(
            "eth_sendTransactionSync", {"from": sender, "to": to, "data": "0x" + data.hex(), "gasPrice": "0x0"}
        )
        assert receipt["status"] == "0x1"


@pytest.fixture(scope="session")
def deployer() -> LocalAccount:
    return account(0)


@pytest.fixture(scope="session")
def proposer() -> LocalAccount:
    return account(1)


@pytest.fixture(scope="session")
def pauser() -> LocalAccount:
    return account(2)


@pytest.fixture(scope="session")
def stranger() -> LocalAccount:
    return account(3)


@pytest.fixture(scope="session")
def terms(proposer: LocalAccount, pauser: LocalAccount) -> dict[str, Any]:
    """What the file of the rehearsal says, with roles in separate hands."""
    from perennial.deployment.fields import read_toml

    values = read_toml(NETWORKS / "rehearsal.toml")
    values["pauser"] = pauser.address
    values["owner"]["proposers"] = [proposer.address]
    return values


@pytest.fixture(scope="module")
def chain_of_the_module(
    terms: dict[str, Any], deployer: LocalAccount, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    file = network.parse(terms)
    with anvil(chain_id=84532) as uri, NodeRpc(uri) as rpc:
        manifest = deploy(file, rpc, deployer, path=tmp_path_factory.mktemp("deployments") / "rehearsal.json")
        yield Node(rpc, file, manifest, int(rpc.call("eth_getTransactionCount", deployer.address, "latest"), 16))


@pytest.fixture
def node(chain_of_the_module: Node) -> Iterator[Node]:
    """The protocol is deployed; the test's changes are undone."""
    snapshot = chain_of_the_module.rpc.call("evm_snapshot")
    known = chain_of_the_module.manifest
    chain_of_the_module.manifest = copy.deepcopy(known)
    yield chain_of_the_module
    chain_of_the_module.manifest = known
    chain_of_the_module.rpc.call("evm_revert", snapshot)


@pytest.fixture
def path(node: Node, tmp_path: Path) -> Path:
    """The manifest of `node` in a file."""
    place = tmp_path / "rehearsal.json"
    node.manifest.save(place)
    return place
