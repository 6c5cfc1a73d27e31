"""A deployment that stops anywhere and is continued is the deployment that was not stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from perennial.anvil import anvil
from perennial.chain import Chain
from perennial.deployment import deploy, network
from perennial.deployment.journal import JournalError
from perennial.deployment.node import Node
from perennial.deployment.plan import plan
from perennial.deployment.run import DeploymentError, journal_path
from perennial.deployment.sender import SigningSender, StepError
from perennial.deployment.verify import verify
from perennial.manifest import Manifest


class Killed(BaseException):
    """In the place of a kill."""


class Mortal(Node):
    """A node that ends the run at the n-th transaction, before it gets it or right after."""

    def __init__(self, uri, count, *, after):
        super().__init__(uri)
        self.left, self.after = count, after

    def call(self, method, *params):
        if method != "eth_sendRawTransaction":
            return super().call(method, *params)
        self.left -= 1
        if self.left or self.after:
            super().call(method, *params)
        if not self.left:
            raise Killed
        return None


@contextmanager
def undone(rpc):
    """Takes back what happens inside, what waits in the pool included."""
    snapshot = rpc.call("evm_snapshot")
    try:
        yield
    finally:
        rpc.call("anvil_dropAllTransactions")
        rpc.call("evm_revert", snapshot)


@pytest.fixture(scope="module", autouse=True)
def fees():
    """The same in every run: what a node advises comes from blocks too that were undone since, and hashes with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SigningSender, "_fees", lambda _, bump: (10**9 + bump, 10**6 + bump))
        yield


@pytest.fixture(scope="module")
def empty():
    """A chain with nothing on it."""
    with anvil(chain_id=84532) as uri, Node(uri) as rpc:
        yield rpc


@pytest.fixture
def rpc(empty):
    with undone(empty):
        yield empty


@pytest.fixture(scope="module")
def file(terms):
    return network.parse(terms)


@pytest.fixture(scope="module")
def whole(empty, file, deployer, tmp_path_factory):
    """The manifest of a run that nothing stops, and the number of its transactions."""
    with undone(empty):
        manifest = deploy(file, empty, deployer, path=tmp_path_factory.mktemp("whole") / "rehearsal.json")
        return manifest, nonce(empty, deployer)


def nonce(rpc, who):
    return int(rpc.call("eth_getTransactionCount", who.address, "latest"), 16)


class Forking(Node):
    """After each transaction it shows what a kill at that moment would leave: the chain as it is, the files on disk.

    What `look` does to either is undone, and the run goes on.
    """

    def __init__(self, uri, look):
        super().__init__(uri)
        self.look, self.count = look, 0

    def call(self, method, *params):
        result = super().call(method, *params)
        if method == "eth_sendRawTransaction":
            self.count += 1
            # Anvil answers before the block is made; what waits would not survive `undone`.
            _soon(lambda: super(Forking, self).call("eth_getTransactionReceipt", result) is not None)
            with undone(self):
                self.look(self.count)
        return result


def test_killed_after_every_transaction_in_turn_it_ends_the_same(empty, rpc, file, deployer, tmp_path, whole):
    manifest, count = whole
    path = tmp_path / "rehearsal.json"
    assert count == len(plan(file, deployer.address).steps)

    def resume(index):
        assert not path.exists()
        assert nonce(rpc, deployer) == index
        other = tmp_path / str(index) / path.name
        other.parent.mkdir()
        shutil.copy(journal_path(path), journal_path(other))

        # Nothing of the run that was killed is known here but these two.
        assert deploy(file, rpc, deployer, path=other) == manifest, index

        assert Manifest.read(other) == manifest
        assert nonce(rpc, deployer) == count, f"something was sent twice after {index}"
        assert verify(manifest, file, rpc).differences == []
        assert not journal_path(other).exists()

    with Forking(empty.uri, resume) as node:
        deploy(file, node, deployer, path=path)
        assert node.count == count


@pytest.mark.parametrize("after", [False, True], ids=["before it is sent", "after it is sent"])
def test_killed_at_each_transaction_of_one_run(empty, rpc, file, deployer, tmp_path, whole, after):
    manifest, count = whole
    path = tmp_path / "rehearsal.json"
    for index in range(count):
        # Unsent, the first transaction of a run that goes on is the one that the run before died at.
        with pytest.raises(Killed), Mortal(empty.uri, 1 if after or not index else 2, after=after) as mortal:
            deploy(file, mortal, deployer, path=path)

    assert deploy(file, rpc, deployer, path=path) == manifest
    assert nonce(rpc, deployer) == count


RUN = """
import sys
from pathlib import Path
from eth_account import Account
from perennial.deployment import deploy, network
uri, config, path, words = sys.argv[1:]
Account.enable_unaudited_hdwallet_features()
deploy(network.load(config), uri, Account.from_mnemonic(words), path=Path(path))
"""


@pytest.mark.parametrize("index", [1, 9])
def test_a_process_that_is_killed_while_it_waits(rpc, file, deployer, tmp_path, index):
    from perennial.deployment.network import NETWORKS

    path, words = tmp_path / "rehearsal.json", " ".join(["test"] * 11 + ["junk"])
    # The file of the tests is the rehearsal's but for who proposes and who pauses.
    text = (NETWORKS / "rehearsal.toml").read_text().replace('pauser = "deployer"', f'pauser = "{file.pauser}"')
    config = tmp_path / "rehearsal.toml"
    config.write_text(text.replace('proposers = ["deployer"]', f'proposers = ["{file.owner.proposers[0]}"]'))
    rpc.call("evm_setAutomine", False)
    try:
        arguments = [sys.executable, "-c", RUN, rpc.uri, str(config), str(path), words]
        with subprocess.Popen(arguments, start_new_session=True) as process:
            for number in range(1, index + 1):
                _until(lambda count=number: _sent(path) >= count, process)
                if number < index:
                    _until(lambda: rpc.call("txpool_status")["pending"] != "0x0", process)
                    rpc.call("evm_mine")
            os.kill(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert _sent(path) == index
    finally:
        rpc.call("evm_setAutomine", True)

    manifest = deploy(file, rpc, deployer, path=path)

    assert nonce(rpc, deployer) == len(plan(file, deployer.address).steps)
    assert verify(manifest, file, rpc).differences == []


def _sent(path):
    """How many transactions the journal has."""
    journal = journal_path(path)
    return len(json.loads(journal.read_text())["transactions"]) if journal.exists() else 0


def _until(condition, process):
    def checked():
        assert process.poll() is None or condition(), "it ended by itself"
        return condition()

    _soon(checked)


def _soon(condition):
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it does not get there")


def test_without_journal_and_manifest_the_chain_itself_says_what_is_there(rpc, file, deployer, tmp_path, whole):
    manifest, count = whole
    deploy(file, rpc, deployer, path=tmp_path / "first.json")

    again = deploy(file, rpc, deployer, path=tmp_path / "second.json")

    assert nonce(rpc, deployer) == count
    assert {name: each.address for name, each in again.contracts.items()} == {
        name: each.address for name, each in manifest.contracts.items()
    }
    assert again.contracts["Market"].transaction is None


def test_a_second_run_changes_nothing(rpc, file, deployer, tmp_path, whole):
    path = tmp_path / "rehearsal.json"
    first = deploy(file, rpc, deployer, path=path)
    lines: list[str] = []

    assert deploy(file, rpc, deployer, path=path, report=lines.append) == first

    assert nonce(rpc, deployer) == whole[1]
    assert all(line.endswith("done before") for line in lines)
    assert len(lines) == whole[1]
    assert first.relay is None

    # A relay that is named later, and one that is no longer named: nothing has to be sent for it.
    named = replace(file, relay="https://relay.example")
    assert deploy(named, rpc, deployer, path=path) == replace(first, relay="https://relay.example")
    assert deploy(file, rpc, deployer, path=path).relay == "https://relay.example"
    assert nonce(rpc, deployer) == whole[1]


def test_what_the_owner_decided_since_is_left_alone(node, path, deployer, proposer):
    from perennial.deployment.plan import call

    node.act(
        node.manifest.timelock,
        node.manifest.address("MarketFactory"),
        call("MarketFactory", "updatePauser", proposer.address),
    )

    before = node.nonce(deployer)
    deploy(node.network, node.rpc, deployer, path=path)
    assert node.nonce(deployer) == before


def test_an_owner_that_is_an_account_is_asked_to_accept(rpc, terms, deployer, stranger, tmp_path):
    owned = network.parse(terms | {"owner": {"timelock": False, "account": stranger.address}})

    manifest = deploy(owned, rpc, deployer, path=tmp_path / "rehearsal.json")

    assert (manifest.owner, manifest.timelock) == (stranger.address, None)
    names = [difference.name for difference in verify(manifest, owned, rpc).differences]
    assert names[:2] == ["OracleFactory.owner", "OracleFactory.pendingOwner"]
    assert len(names) == 10


def test_the_deployer_may_own(rpc, terms, deployer, tmp_path):
    owned = network.parse(terms | {"owner": {"timelock": False, "account": "deployer"}})

    manifest = deploy(owned, rpc, deployer, path=tmp_path / "rehearsal.json")

    assert manifest.owner == deployer.address
    assert verify(manifest, owned, rpc).differences == []


def test_a_chain_that_is_not_as_the_file_says_gets_nothing(rpc, terms, deployer, tmp_path):
    there = "0x" + "77" * 20
    other = terms | {
        "pyth": terms["pyth"] | {"address": there},
        "chainlink": terms["chainlink"] | {"sequencerFeed": there},
        "tokens": {"USDC": {"address": there, "decimals": 6}},
        "feeds": {"BTC-USD": {"chainlink": there}},
    }

    with pytest.raises(DeploymentError) as error:
        deploy(network.parse(other), rpc, deployer, path=tmp_path / "rehearsal.json")

    for name in ("pyth.address", "chainlink.sequencerFeed", "feeds.BTC-USD.chainlink", "tokens.USDC.address"):
        assert f"{name}: no contract at {there}" in str(error.value)
    with pytest.raises(DeploymentError, match="the file is for 1, the node is on 84532"):
        deploy(network.parse(terms | {"chain_id": 1}), rpc, deployer, path=tmp_path / "rehearsal.json")
    assert nonce(rpc, deployer) == 0


def test_a_token_with_other_decimals_gets_nothing(node, terms, deployer, tmp_path):
    token = {"address": node.manifest.tokens["USDC"].address, "decimals": 18}

    with pytest.raises(DeploymentError, match=r"tokens.USDC.decimals: the file says 18, the token 6"):
        deploy(network.parse(terms | {"tokens": {"USDC": token}}), node.rpc, deployer, path=tmp_path / "other.json")


def test_a_run_is_continued_with_the_same_account_and_file(empty, rpc, file, terms, deployer, stranger, tmp_path):
    path = tmp_path / "rehearsal.json"
    with pytest.raises(Killed), Mortal(empty.uri, 3, after=True) as mortal:
        deploy(file, mortal, deployer, path=path)

    with pytest.raises(JournalError, match=f"was begun by {deployer.address}"):
        deploy(file, rpc, stranger, path=path)
    with pytest.raises(JournalError, match="other sources or another file"):
        deploy(network.parse(terms | {"salt": "2"}), rpc, deployer, path=path)
    assert nonce(rpc, stranger) == 0
    assert nonce(rpc, deployer) == 3


def test_a_manifest_of_another_chain_is_not_overwritten(rpc, file, deployer, tmp_path, whole):
    path = tmp_path / "rehearsal.json"
    whole[0].save(path)

    with pytest.raises(DeploymentError, match="is of another chain: move it away"):
        deploy(file, rpc, deployer, path=path)


def test_a_local_chain_that_is_gone_is_forgotten(terms, deployer, tmp_path):
    local = network.parse(terms | {"chain_id": 31337, "name": "local"})
    path = tmp_path / "local.json"
    for _ in range(2):
        with anvil(chain_id=31337) as uri:
            manifest = deploy(local, uri, deployer, path=path)
            assert verify(manifest, local, uri).differences == []


def test_another_salt_is_another_protocol(rpc, file, terms, deployer, tmp_path):
    first = deploy(file, rpc, deployer, path=tmp_path / "first.json")
    second = deploy(network.parse(terms | {"salt": "2"}), rpc, deployer, path=tmp_path / "second.json")

    assert not {each.address for each in first.contracts.values()} & {
        each.address for each in second.contracts.values()
    }


def test_a_step_that_would_revert_is_named_and_not_sent(rpc, file, deployer, tmp_path):
    rpc.call("anvil_setBalance", deployer.address, "0x0")
    # Without a fee Anvil asks for no balance; the account is made to need one.
    rpc.call("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    rpc.call("evm_mine")

    with pytest.raises(StepError, match=r"^deploy OracleFactory: "):
        deploy(file, rpc, deployer, path=tmp_path / "rehearsal.json")
    assert nonce(rpc, deployer) == 0


def test_nothing_secret_is_written(rpc, file, deployer, tmp_path, empty, capfd):
    path = tmp_path / "rehearsal.json"
    with pytest.raises(Killed), Mortal(empty.uri, 5, after=True) as mortal:
        deploy(file, mortal, deployer, path=path, report=print)
    journal = journal_path(path).read_text()
    deploy(file, rpc, deployer, path=path, report=print)

    written = journal + path.read_text() + "".join(capfd.readouterr())
    assert bytes(deployer.key).hex() not in written
    assert "test test" not in written


def test_the_plan_is_known_before_anything_is_sent(rpc, file, deployer, whole):
    planned = plan(file, deployer.address)

    assert {name: each.address for name, each in planned.contracts.items()} == {
        name: each.address for name, each in whole[0].contracts.items()
    }
    assert not any(step.done(Chain(rpc)) for step in planned.steps if step.creates)
    assert Path(whole[0].network).name == "rehearsal"
