"""One transaction a step, whatever happens to it on the way."""

import pytest

from perennial.deployment.journal import Journal, Work
from perennial.deployment.sender import SigningSender, StepError
from perennial.deployment.signer import signer_of

TARGET = "0x" + "7" * 40


@pytest.fixture
def journal(tmp_path, deployer):
    return Journal(tmp_path / "journal.json", Work("0x0", deployer.address, "0x0"))


@pytest.fixture
def sender(node, deployer, journal):
    return SigningSender(node.chain, signer_of(deployer), journal)


def test_the_hash_is_on_disk_before_the_transaction_leaves(node, sender, journal, monkeypatch):
    seen = []
    call = node.rpc.call

    def watched(method, *params):
        if method == "eth_sendRawTransaction":
            seen.append((journal.path.read_text(), params[0]))
        return call(method, *params)

    monkeypatch.setattr(node.rpc, "call", watched)
    mined = sender.send("step", TARGET, b"")

    assert mined.transaction in seen[0][0]
    assert len(seen) == 1


def test_a_step_that_was_sent_is_not_sent_again(node, sender, deployer):
    first = sender.send("step", TARGET, b"")

    assert sender.send("step", TARGET, b"") == first
    assert node.nonce(deployer) == node.steps + 1


def test_what_waits_too_long_is_sent_again_with_a_higher_fee_and_the_same_nonce(
    node, sender, journal, deployer, monkeypatch
):
    sender.patience = 0
    node.rpc.call("evm_setAutomine", False)
    call = node.rpc.call

    def slow(method, *params):
        result = call(method, *params)
        if method == "eth_sendRawTransaction" and len(journal.entries["step"].hashes) == 3:
            call("evm_mine")
        return result

    monkeypatch.setattr(node.rpc, "call", slow)
    try:
        mined = sender.send("step", TARGET, b"")
    finally:
        call("evm_setAutomine", True)

    entry = journal.entries["step"]
    assert len(entry.hashes) == 3
    assert entry.transaction == mined.transaction == entry.hashes[-1]
    assert node.nonce(deployer) == node.steps + 1


def test_a_nonce_that_something_else_took_is_noticed_and_the_step_is_sent_anew(node, sender, journal, deployer):
    sender.send("other", TARGET, b"")
    # A run died after it wrote this down; the wallet then used the nonce for something else.
    journal.attempt("step", node.nonce(deployer) - 1, "0x" + "ab" * 32)

    mined = sender.send("step", TARGET, b"")

    assert journal.entries["step"].nonce == node.nonce(deployer) - 1
    assert journal.entries["step"].hashes == [mined.transaction]


def test_what_would_revert_is_not_sent(node, sender, deployer, journal):
    from perennial.deployment.plan import call

    factory = node.manifest.address("MarketFactory")

    with pytest.raises(
        StepError, match=r"pause: would revert with NotPauser \(.*Send with the pauser\. Nothing was sent for it"
    ):
        sender.send("pause", factory, call("MarketFactory", "pause"))
    assert node.nonce(deployer) == node.steps
    assert journal.entries == {}


def test_what_reverts_in_its_block_is_reported_and_can_be_sent_again(node, sender, pauser, deployer, monkeypatch):
    from perennial.deployment.plan import call

    factory, data = node.manifest.address("MarketFactory"), call("MarketFactory", "pause")
    monkeypatch.setattr(sender, "_gas", lambda *_: 100_000)

    with pytest.raises(StepError, match=r"pause: transaction 0x\w+ reverted in block \d+"):
        sender.send("pause", factory, data)
    assert sender.journal.entries == {}

    timelock = node.manifest.timelock
    node.act(timelock, factory, call("MarketFactory", "updatePauser", deployer.address))
    assert sender.send("pause", factory, data).receipt.succeeded
    assert pauser.address != deployer.address


def test_a_journal_in_a_file_is_read_back(journal):
    journal.attempt("step", 3, "0x" + "ab" * 32)
    journal.attempt("step", 3, "0x" + "cd" * 32)
    journal.mined("step", "0x" + "cd" * 32, 9)

    again = Journal.open(journal.path, journal.work, disposable=False)

    assert again.entries == journal.entries
    again.drop("step")
    assert Journal.open(journal.path, journal.work, disposable=False).entries == {}
    again.close()
    assert not journal.path.exists()
