"""perennial.anvil: a node for as long as a block lasts."""

import os
import subprocess
import sys
import time

import pytest

from perennial.anvil import AnvilError, anvil
from perennial.artifacts import ROOT
from perennial.chain import NodeError, Rpc


def answers(uri):
    try:
        with Rpc(uri) as rpc:
            return rpc.call("eth_blockNumber") == "0x0"
    except NodeError:
        return False


def test_it_begins_when_told_and_ends_with_the_block():
    with anvil(1_400_000_000) as uri, Rpc(uri) as rpc:
        genesis = rpc.call("eth_getBlockByNumber", "0x0", False)
        assert int(genesis["timestamp"], 16) == 1_400_000_000
        assert rpc.call("eth_chainId") == hex(1337)

    with Rpc(uri) as rpc, pytest.raises(NodeError):
        rpc.call("eth_chainId")


def test_it_ends_where_the_block_fails():
    with pytest.raises(KeyboardInterrupt), anvil() as uri:
        raise KeyboardInterrupt

    with Rpc(uri) as rpc, pytest.raises(NodeError):
        rpc.call("eth_chainId")


@pytest.mark.skipif(sys.platform != "linux", reason="no other system ends a process with who started it")
def test_it_ends_where_its_caller_is_killed():
    program = ["import time; from perennial.anvil import anvil", "with anvil() as uri:", " print(uri, flush=True)"]
    command = [sys.executable, "-c", "\n".join([*program, " time.sleep(99)"])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as caller:
        assert caller.stdout is not None
        uri = caller.stdout.readline().strip()
        assert answers(uri)
        caller.kill()

    deadline = time.monotonic() + 60
    while answers(uri):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_two_have_ports_of_their_own():
    with anvil() as one, anvil() as other:
        assert one != other


def test_it_leaves_nothing_at_home(monkeypatch, tmp_path):
    """By itself it would write the states of old blocks there, and never remove them."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with anvil(history=True) as uri, Rpc(uri) as rpc:
        rpc.batch([("evm_mine", ())] * 1_000)
        assert rpc.call("eth_blockNumber") == hex(1_000)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_it_says_where_it_does_not_start():
    with pytest.raises(AnvilError, match=r"did not start.*--nonsense"), anvil(options=["--nonsense"]):
        pass


def test_what_to_do_where_it_is_not_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))

    with pytest.raises(AnvilError, match="make setup"), anvil():
        pass
