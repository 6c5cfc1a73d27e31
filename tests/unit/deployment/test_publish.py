"""Sources go to an explorer with the compiler's whole input and the constructor's arguments (a fake explorer)."""

import json
import subprocess
import sys
from dataclasses import replace
from types import ModuleType

import pytest

from perennial.artifacts import ROOT, load
from perennial.deployment import create2, create_market_from_file
from perennial.deployment.code import is_code_of
from perennial.deployment.market_file import MARKETS
from perennial.deployment.publish import (
    KEY,
    Etherscan,
    PublishError,
    Submission,
    connected_explorer,
    publish,
    standard_input,
)
from perennial.manifest import Manifest


class Fake:
    """Keeps what it is given; refuses the contracts of some addresses."""

    def __init__(self, refused=()):
        self.given, self.refused = [], refused

    def publish(self, submission):
        self.given.append(submission)
        if submission.address in self.refused:
            raise PublishError("Fail - Unable to verify")


def test_every_contract_is_published_with_what_makes_its_address(node):
    explorer = Fake()
    lines: list[str] = []

    assert publish(node.manifest, node.network, node.chain, explorer, lines.append) == []

    assert {each.address for each in explorer.given} == {each.address for each in node.manifest.contracts.values()}
    assert lines == [f"{name}: published" for name in node.manifest.contracts]
    salt = create2.salt_of(node.network.salt)
    for given in explorer.given:
        path, _, contract = given.name.partition(":")
        assert path in given.standard_input["sources"]
        assert given.compiler.startswith("v0.8.37+commit.")
        # CREATE2 hashes the arguments: this is the contract, with them.
        made = create2.address_of(salt, load(contract).creation + given.arguments)
        assert made == given.address or contract == "Verifier"
    verifier = next(given for given in explorer.given if given.name.endswith(":Verifier"))
    assert verifier.arguments.hex().endswith(node.manifest.address("MarketFactory")[2:].lower())


def test_so_are_a_strangers_oracle_and_its_payoff(node, path, stranger):
    create_market_from_file(MARKETS / "squeeth.toml", node.rpc, stranger, manifest=path)
    manifest, explorer = Manifest.read(path), Fake()
    manifest.markets["SQUEETH"] = replace(manifest.markets["SQUEETH"], coordinator="0x" + "5" * 40)

    assert publish(manifest, node.network, node.chain, explorer) == []

    makers = {"Oracle": "OracleFactory", "PowerPayoff": "PayoffFactory"}
    made = {each.name.rpartition(":")[2]: each for each in explorer.given[len(manifest.contracts) :]}
    assert made.keys() == makers.keys()
    for name, given in made.items():
        # The code on chain is what its maker gets from this code with these arguments.
        call = {"from": manifest.address(makers[name]), "data": "0x" + (load(name).creation + given.arguments).hex()}
        assert node.rpc.call("eth_call", call, "latest") == node.rpc.call("eth_getCode", given.address, "latest")


def test_an_oracle_of_which_nobody_knows_the_making_is_named(node, path, stranger):
    create_market_from_file(MARKETS / "btc-usd.toml", node.rpc, stranger, manifest=path)
    manifest = Manifest.read(path)
    manifest.markets["BTC-USD"] = replace(manifest.markets["BTC-USD"], block=manifest.start_block)

    assert publish(manifest, node.network, node.chain, Fake()) == ["oracle BTC-USD"]


def compiled(contract, folder, output):
    """What the compiler makes of the input alone: in an empty folder it can read nothing else."""
    compiler = next((ROOT / ".solcx").glob("solc-v*[0-9]"))
    given = standard_input(contract)
    given["settings"]["outputSelection"] = {"*": {contract: [output]}}
    command = [str(compiler), "--standard-json", "--base-path", str(folder)]
    answer = json.loads(
        subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True, cwd=folder).stdout
    )
    assert [error for error in answer.get("errors", []) if error["severity"] == "error"] == []
    return answer["contracts"][load(contract).source][contract]


def test_the_input_alone_compiles_to_the_code(tmp_path):
    # The smallest one: the optimizer takes its time.
    made = compiled("PowerPayoff", tmp_path, "evm.deployedBytecode.object")

    assert is_code_of("PowerPayoff", bytes.fromhex(made["evm"]["deployedBytecode"]["object"]))


@pytest.mark.parametrize("contract", ["PythOracle", "VaultEpochs"])
def test_the_input_lacks_no_import(contract, tmp_path):
    assert len(compiled(contract, tmp_path, "abi")["abi"]) == len(load(contract).abi)


def test_one_that_fails_is_named_and_keeps_no_other(node):
    explorer = Fake({node.manifest.address("Market")})
    lines: list[str] = []

    assert publish(node.manifest, node.network, node.chain, explorer, lines.append) == ["Market"]

    assert len(explorer.given) == len(node.manifest.contracts)
    assert "Market: not published: Fail - Unable to verify" in lines


def test_code_that_is_not_the_local_builds_is_not_sent(node):
    address = node.manifest.address("PayoffFactory")
    node.rpc.call("anvil_setCode", address, "0x6001")
    explorer = Fake()

    assert publish(node.manifest, node.network, node.chain, explorer) == ["PayoffFactory"]
    assert address not in {each.address for each in explorer.given}


class Public:
    """A chain that is no Anvil."""

    def call(self, method):
        return {"web3_clientVersion": "op-geth/v1.2"}[method]


@pytest.fixture
def public(node):
    return type(node.chain)(Public())


def test_without_plugin_or_key_it_says_so(node, public, monkeypatch):
    monkeypatch.delenv(KEY, raising=False)
    assert connected_explorer(node.chain) == (None, "the chain is one of this machine")

    monkeypatch.setitem(sys.modules, "ape_etherscan", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert connected_explorer(public) == (None, "ape-etherscan is not installed (.venv/bin/uv sync --group etherscan)")

    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert connected_explorer(public) == (None, "ETHERSCAN_API_KEY is not set")


class FakeVerifier:
    """In the place of the plugin's: its client answers `answer`, or raises it."""

    answer: object = "receipt"
    calls: list[tuple[object, ...]]

    def __init__(self, address, clients):
        self.contract_client = self
        self.calls.append((address, clients))

    def verify_source_code(self, _input, compiler, **rest):
        self.calls.append((compiler, rest["contract_name"], rest["constructor_arguments"], rest["via_ir"]))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def _wait_for_verification(self, receipt):
        self.calls.append((receipt,))


@pytest.fixture
def plugin(monkeypatch):
    FakeVerifier.calls, FakeVerifier.answer = [], "receipt"
    module = ModuleType("ape_etherscan.verify")
    module.SourceVerifier = FakeVerifier  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ape_etherscan", ModuleType("ape_etherscan"))
    monkeypatch.setitem(sys.modules, "ape_etherscan.verify", module)
    return FakeVerifier


class Network:
    _client_factory = "clients"


SUBMISSION = Submission("0x01", "a.sol:A", "v1", standard_input("PayoffFactory"), b"\x02")


def test_the_plugin_gets_input_and_arguments(plugin):
    Etherscan(Network()).publish(SUBMISSION)

    assert plugin.calls == [("0x01", "clients"), ("v1", "a.sol:A", "02", True), ("receipt",)]


def test_sources_that_are_known_are_no_failure(plugin):
    plugin.answer = RuntimeError("Contract source code already verified")

    Etherscan(Network()).publish(SUBMISSION)


def test_the_key_is_in_no_message(plugin, monkeypatch):
    monkeypatch.setenv(KEY, "first-secret, other-secret")
    plugin.answer = RuntimeError("503 for url: https://explorer/api?apikey=other-secret&chainid=1")

    with pytest.raises(PublishError) as error:
        Etherscan(Network()).publish(SUBMISSION)

    assert str(error.value) == "503 for url: https://explorer/api?apikey=…&chainid=1"
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__
