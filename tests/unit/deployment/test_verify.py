"""Reading a deployment back: nothing differs after one, and each thing that is changed is named."""

from dataclasses import replace

import pytest

from perennial.deployment import create_markets, network
from perennial.deployment.market_file import MARKETS
from perennial.deployment.plan import ADMIN, CANCELLER, EXECUTOR, PROPOSER, call
from perennial.deployment.verify import verify
from perennial.manifest import Feed, Manifest

STRANGER = "0x" + "5" * 40


def names(node, manifest=None, files=()):
    """What differs, by name."""
    return [
        difference.name for difference in verify(manifest or node.manifest, node.network, node.rpc, files).differences
    ]


def as_owner(node, contract, function, *arguments):
    """The timelock calls, as it could after its delay."""
    node.act(node.manifest.timelock, node.manifest.address(contract), call(contract, function, *arguments))


def test_nothing_differs_after_a_deployment(node):
    result = verify(node.manifest, node.network, node.rpc)

    assert result.differences == []
    assert result.checked > 80


def test_a_relay_that_only_the_file_names_is_named(node):
    named = replace(node.network, relay="https://relay.example")

    assert [each.name for each in verify(node.manifest, named, node.rpc).differences] == ["manifest.relay"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("maxFee", 2001), ("maxRate", 0), ("protocolFee", 1), ("minEfficiency", 1)],
)
def test_a_parameter_is_named(node, field, value):
    now = {"protocolFee": 0, "maxFee": 2000, "maxFeeAbsolute": 50_000_000, "maxCut": 100_000, "maxRate": 5_000_000}
    now |= {"minMaintenance": 4000, "minEfficiency": 250_000}
    as_owner(node, "MarketFactory", "updateParameter", tuple((now | {field: value}).values()))

    assert names(node) == [f"MarketFactory.parameter.{field}"]


@pytest.mark.parametrize(
    "contract", ["MarketFactory", "OracleFactory", "PythOracle", "ChainlinkOracle", "VaultFactory"]
)
def test_an_owner_is_named(node, contract):
    as_owner(node, contract, "transferOwnership", STRANGER)
    assert names(node) == [f"{contract}.pendingOwner"]

    node.act(STRANGER, node.manifest.address(contract), call(contract, "acceptOwnership"))
    assert names(node) == [f"{contract}.owner"]


def test_pauser_and_pause_are_named(node):
    as_owner(node, "MarketFactory", "updatePauser", STRANGER)
    node.act(STRANGER, node.manifest.address("MarketFactory"), call("MarketFactory", "pause"))

    assert names(node) == ["MarketFactory.pauser", "MarketFactory.paused"]


@pytest.mark.parametrize(
    ("role", "name"), [(PROPOSER, "proposer"), (CANCELLER, "canceller"), (EXECUTOR, "executor"), (ADMIN, "admin")]
)
def test_a_role_that_somebody_was_given_is_named(node, role, name):
    as_owner(node, "Timelock", "grantRole", role, STRANGER)

    assert names(node) == [f"Timelock.{name} {STRANGER}"]


def test_a_role_that_was_taken_is_named(node, proposer):
    as_owner(node, "Timelock", "revokeRole", PROPOSER, proposer.address)

    assert names(node) == [f"Timelock.proposer {proposer.address}"]


def test_the_deployer_keeps_no_role(node, deployer):
    granted = {difference.name for difference in verify(node.manifest, node.network, node.rpc).differences}
    assert granted == set()

    as_owner(node, "Timelock", "grantRole", PROPOSER, deployer.address)
    assert names(node) == [f"Timelock.proposer {deployer.address}"]


def test_the_delay_is_named(node):
    as_owner(node, "Timelock", "updateDelay", 1)

    assert names(node) == ["Timelock.getMinDelay"]


def test_an_adapter_and_its_window_are_named(node):
    as_owner(node, "OracleFactory", "updateAdapter", node.manifest.address("PythOracle"), False)
    as_owner(node, "PythOracle", "updateWindow", (4, 9, 31, 20_000))

    assert names(node) == [
        "OracleFactory.isAdapter(PythOracle)",
        "PythOracle.window.validTo",
        "PythOracle.window.grace",
    ]


def test_other_code_is_named(node):
    address = node.manifest.address("PayoffFactory")
    code = bytearray.fromhex(node.rpc.call("eth_getCode", address, "latest")[2:])
    code[40] ^= 1
    node.rpc.call("anvil_setCode", address, "0x" + code.hex())

    assert names(node) == ["PayoffFactory.code", "PayoffFactory.code_hash"]


def test_another_immutable_is_named(node):
    address = node.manifest.address("Verifier")
    factory = node.manifest.address("MarketFactory")[2:].lower()
    code = node.rpc.call("eth_getCode", address, "latest").replace(factory, "5" * 40)
    node.rpc.call("anvil_setCode", address, code)

    assert names(node) == ["Verifier.immutables", "Verifier.code_hash", "Verifier.factory"]


def test_missing_code_is_named_and_nothing_else_is_asked(node):
    node.rpc.call("anvil_setCode", node.manifest.address("OracleFactory"), "0x")

    assert names(node) == ["OracleFactory.code"]


@pytest.mark.parametrize("field", ["owner", "pauser", "timelock"])
def test_a_manifest_with_somebody_else_in_it_is_named(node, field):
    assert names(node, replace(node.manifest, **{field: STRANGER})) == [f"manifest.{field}"]


def test_another_file_is_named_by_its_fields(node, terms):
    other = network.parse(terms | {"parameters": terms["parameters"] | {"maxFee": 1, "maxCut": "0.2"}})

    found = [str(each) for each in verify(node.manifest, other, node.rpc).differences]

    assert found == [
        "MarketFactory.parameter.maxFee: 1000000 expected, 2000 found",
        "MarketFactory.parameter.maxCut: 200000 expected, 100000 found",
    ]


def test_markets_are_compared(node, path, stranger):
    files = [MARKETS / "btc-eth.toml", MARKETS / "squeeth.toml"]
    create_markets(files, node.rpc, stranger, manifest=path)
    manifest = Manifest.read(path)
    assert names(node, manifest, files) == []

    market = manifest.markets["BTC-ETH"].address
    node.act(stranger.address, market, call("IMarket", "updateCoordinator", STRANGER))
    assert names(node, manifest, files) == ["market BTC-ETH.coordinator"]

    manifest.markets["BTC-ETH"] = replace(manifest.markets["BTC-ETH"], coordinator=STRANGER)
    manifest.oracles["SQUEETH"] = replace(manifest.oracles["SQUEETH"], feeds=[Feed("0x" + "01" * 32, 1)])
    assert names(node, manifest, files) == ["oracle SQUEETH.feeds"]


def test_a_market_of_another_factory_is_named(node, path, stranger):
    create_markets([MARKETS / "btc-usd.toml"], node.rpc, stranger, manifest=path)
    manifest = Manifest.read(path)
    manifest.markets["BTC-USD"] = replace(manifest.markets["BTC-USD"], address=STRANGER)

    assert names(node, manifest) == ["market BTC-USD"]


def test_a_market_that_differs_from_its_file_is_named(node, path, stranger, tmp_path):
    create_markets([MARKETS / "btc-usd.toml"], node.rpc, stranger, manifest=path)
    file = tmp_path / "other.toml"
    file.write_text((MARKETS / "btc-usd.toml").read_text().replace("takerFee = 0.0002", "takerFee = 0.0001"))

    assert names(node, Manifest.read(path), [file]) == ["market BTC-USD.riskParameter.takerFee"]
