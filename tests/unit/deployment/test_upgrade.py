"""The code of all markets and vaults changes through the timelock: deployed, scheduled, waited for, executed."""

from dataclasses import replace

import pytest
from eth_utils.address import to_checksum_address

from perennial import layout
from perennial.chain import Contract
from perennial.deployment import create_market_from_file, deploy, network
from perennial.deployment.fields import ZERO
from perennial.deployment.market_file import MARKETS
from perennial.deployment.plan import CANCELLER, EXECUTOR, call
from perennial.deployment.run import DeploymentError
from perennial.deployment.upgrade import BEACONS, CODE, change_of, planned_code, upgrade
from perennial.deployment.verify import verify
from perennial.manifest import Manifest, Vault


@pytest.fixture
def newer(node):
    """The same sources under another salt: code at other addresses."""
    return replace(node.network, salt="newer")


@pytest.fixture(autouse=True)
def storage_has_not_moved(monkeypatch):
    """The sources are those of the file (tests/unit/tools/test_layout.py): not compiled again for every test."""
    monkeypatch.setattr(layout, "layouts", layout.recorded)


def implementation(node, beacon="MarketFactory"):
    return Contract(node.chain, beacon, node.manifest.address(beacon)).read("implementation")


def open_vault(node, path, owner):
    """A vault in chain and manifest."""
    manifest = Manifest.read(path)
    token, address = manifest.tokens["USDC"].address, manifest.address("VaultFactory")
    node.act(owner.address, address, call("VaultFactory", "create", token, "Liquidity", "LP", (1, 10**12, 0, 50_000)))
    factory = Contract(node.chain, "VaultFactory", address)
    vault = Vault(to_checksum_address(factory.read("vaults", 0)), token, [], None)
    manifest.vaults["LP"] = vault
    manifest.save(path)
    return vault


def wait(node, seconds):
    node.rpc.call("evm_increaseTime", seconds)
    node.rpc.call("evm_mine")


def test_a_proposer_upgrades_after_the_delay(node, newer, path, proposer, stranger):
    market = create_market_from_file(MARKETS / "btc-usd.toml", node.rpc, stranger, manifest=path)
    vault = open_vault(node, path, stranger)
    before = Contract(node.chain, "IMarket", market.address).read("riskParameter")
    terms = Contract(node.chain, "Vault", vault.address).read("parameter")
    lines: list[str] = []

    assert not upgrade(newer, node.rpc, proposer, path=path, report=lines.append)

    assert implementation(node) == node.manifest.address("Market").lower()
    assert implementation(node, "VaultFactory") == node.manifest.address("Vault").lower()
    assert sum("run this again then" in line for line in lines) == 2
    assert not upgrade(newer, node.rpc, proposer, path=path, report=lines.append)

    wait(node, 600)
    assert upgrade(newer, node.rpc, proposer, path=path, report=lines.append)

    manifest = Manifest.read(path)
    assert implementation(node) == manifest.address("Market").lower()
    assert implementation(node, "VaultFactory") == manifest.address("Vault").lower()
    for name in CODE:
        assert manifest.address(name) != node.manifest.address(name)
        assert manifest.contracts[name].transaction is not None
    assert lines[-1] == f"all vaults run {manifest.address('Vault')}"
    assert verify(manifest, node.network, node.rpc, [MARKETS / "btc-usd.toml"]).differences == []
    assert Contract(node.chain, "IMarket", market.address).read("riskParameter") == before
    assert Contract(node.chain, "Vault", vault.address).read("parameter") == terms


def test_what_runs_the_local_build_is_left_as_it_is(node, newer, path, proposer):
    code = planned_code(Manifest.read(path), newer)
    upgrade(newer, node.rpc, proposer, path=path)
    node.act(node.manifest.timelock, node.manifest.address("MarketFactory"), change_of("", code.address("Market")).data)
    count = node.nonce(proposer)
    lines: list[str] = []

    assert not upgrade(newer, node.rpc, proposer, path=path, report=lines.append)

    # The markets' code is in the manifest already, the vaults' is not due yet.
    manifest = Manifest.read(path)
    assert lines[0] == f"all markets run {code.address('Market')}"
    assert manifest.address("Market") == code.address("Market")
    assert manifest.address("Vault") == node.manifest.address("Vault")
    wait(node, 600)
    assert upgrade(newer, node.rpc, proposer, path=path)
    assert node.nonce(proposer) == count + 1
    assert Manifest.read(path).address("Vault") == code.address("Vault")


def test_what_is_done_is_not_done_again(node, newer, path, proposer):
    upgrade(newer, node.rpc, proposer, path=path)
    count = node.nonce(proposer)
    upgrade(newer, node.rpc, proposer, path=path)
    assert node.nonce(proposer) == count

    wait(node, 600)
    upgrade(newer, node.rpc, proposer, path=path)
    upgrade(newer, node.rpc, proposer, path=path)
    assert node.nonce(proposer) == count + len(BEACONS)


def test_anyone_may_execute_what_is_due(node, newer, path, proposer, stranger, tmp_path):
    upgrade(newer, node.rpc, proposer, path=path)
    wait(node, 600)
    theirs = tmp_path / "theirs.json"
    node.manifest.save(theirs)

    assert upgrade(newer, node.rpc, stranger, path=theirs)

    assert implementation(node) == Manifest.read(theirs).address("Market").lower()


def test_who_is_no_proposer_is_told_what_to_send(node, newer, path, stranger, proposer):
    with pytest.raises(DeploymentError, match="is no proposer of the timelock") as error:
        upgrade(newer, node.rpc, stranger, path=path)

    lines = str(error.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["MarketFactory.upgradeTo", "VaultFactory.upgradeTo"]
    for line in lines:
        node.act(proposer.address, node.manifest.timelock, bytes.fromhex(line.split("data 0x")[1]))
    wait(node, 600)
    assert upgrade(newer, node.rpc, stranger, path=path)


def test_who_is_no_executor_is_told_what_to_send(node, newer, path, proposer):
    timelock = node.manifest.timelock
    node.act(timelock, timelock, call("Timelock", "revokeRole", EXECUTOR, ZERO))
    upgrade(newer, node.rpc, proposer, path=path)
    wait(node, 600)

    with pytest.raises(DeploymentError, match="is no executor of the timelock"):
        upgrade(newer, node.rpc, proposer, path=path)
    assert implementation(node) == node.manifest.address("Market").lower()


def test_a_canceller_stops_it(node, newer, path, proposer):
    upgrade(newer, node.rpc, proposer, path=path)
    wanted = planned_code(Manifest.read(path), newer)
    change = change_of(node.manifest.address("MarketFactory").lower(), wanted.address("Market"))
    timelock = Contract(node.chain, "Timelock", node.manifest.timelock)
    assert timelock.read("isOperation", change.operation)
    assert timelock.read("hasRole", CANCELLER, proposer.address)

    node.act(proposer.address, node.manifest.timelock, call("Timelock", "cancel", change.operation))

    wait(node, 600)
    assert not timelock.read("isOperation", change.operation)
    assert implementation(node) == node.manifest.address("Market").lower()


def test_an_account_that_owns_upgrades_at_once(node, terms, deployer, tmp_path):
    owned = network.parse(terms | {"owner": {"timelock": False, "account": "deployer"}, "salt": "owned"})
    path = tmp_path / "owned.json"
    manifest = deploy(owned, node.rpc, deployer, path=path)

    assert upgrade(replace(owned, salt="newer"), node.rpc, deployer, path=path)

    for name in CODE:
        assert Manifest.read(path).address(name) != manifest.address(name)
    assert verify(Manifest.read(path), owned, node.rpc).differences == []


def test_moved_storage_stops_it_before_anything_is_sent(node, newer, path, proposer, monkeypatch):
    moved = layout.recorded()
    moved["Market at its namespace"]["book"] = "slot 7, byte 0, uint256"
    monkeypatch.setattr(layout, "layouts", lambda: moved)
    count = node.nonce(proposer)

    with pytest.raises(
        DeploymentError, match="Market at its namespace book: slot 8, byte 0, uint256 in the file, slot 7"
    ):
        upgrade(newer, node.rpc, proposer, path=path)
    assert node.nonce(proposer) == count
