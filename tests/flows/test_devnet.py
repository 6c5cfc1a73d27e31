"""A devnet starts, another beside it, both work, both end when told to; nothing of them is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perennial.amounts import raw
from perennial.chain import GAS, Chain, Contract, Rpc
from perennial.devnet.services import services_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 60
NOBODY = "0x" + "0" * 40


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where these devnets have their files, and only these."""
    for name in ("TMPDIR", "XDG_RUNTIME_DIR"):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


@contextmanager
def devnet(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A devnet that is up, and what it said."""
    command = [sys.executable, "-m", "perennial.cli", "devnet", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield process, json.loads(line)
        finally:
            process.kill()


def run(*arguments: str) -> str:
    """A command's output."""
    command = [sys.executable, "-m", "perennial.cli", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def below(process: int) -> set[int]:
    """Processes that descend from one."""
    children: dict[int, set[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, set()).add(int(entry.name))
    found: set[int] = set()
    queue = [process]
    while queue:
        new = children.get(queue.pop(), set()) - found
        found |= new
        queue += new
    return found


def until(what: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_two_devnets(room: Path) -> None:
    with ExitStack() as stack:
        first, one = stack.enter_context(devnet("--walk", "1"))
        second, two = stack.enter_context(devnet("--walk", "2", "--no-solver"))
        processes = {first.pid, second.pid} | below(first.pid) | below(second.pid)
        assert len(processes) == 4
        assert len({each[name] for each in (one, two) for name in ("node", "prices", "relay")}) == 6
        assert Path(one["manifest"]).exists()
        assert run("devnet", "list").count("http://") == 2

        run("devnet", "move", "BTC-USD", "30000", "--network", f"devnet:{two['port']}")
        check_a_trade(one)
        check_status(two)
        check_a_move(two)

        assert end(first, signal.SIGTERM) == 0
        assert [line.split()[0] for line in run("devnet", "list").splitlines()] == [two["node"]]
        assert end(second, signal.SIGINT) == 0
    assert all(not Path(f"/proc/{process}").exists() for process in processes)
    # Ape keeps its own cache; of the devnets there is nothing.
    assert [path for path in room.rglob("*") if "perennial" in path.name] == []


def test_killed_while_it_starts(room: Path) -> None:
    """The signal comes while the protocol is being deployed."""
    command = [sys.executable, "-m", "perennial.cli", "devnet", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: below(process.pid))
        children = below(process.pid)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE)
    assert out == ""
    assert all(not Path(f"/proc/{child}").exists() for child in children)
    assert [path for path in room.rglob("*") if "perennial" in path.name] == []


def check_a_trade(up: dict[str, Any]) -> None:
    """Who has an account can trade at once, and the keeper sees to the price."""
    with Rpc(up["node"]) as rpc:
        market, trader = Contract(Chain(rpc), "IMarket", up["markets"]["BTC-USD"]), up["accounts"][3]
        data = market.query("update", trader, 0, raw(1), raw(2_000), NOBODY).data
        call = {"from": trader, "to": market.address, "data": "0x" + data.hex(), "gas": hex(GAS)}
        rpc.call("eth_sendTransaction", call)
        until(lambda: market.read("positions", trader)[2] == raw(1))
        assert market.read("collateral", trader) > 0


def check_status(up: dict[str, Any]) -> None:
    found = json.loads(run("status", "--network", f"devnet:{up['port']}", "--json"))

    assert [market["market"] for market in found["markets"]] == ["BTC-USD", "ETH-BTC", "Squeeth"]
    assert all(not market["is_stale"] and float(market["maker"]) > 0 for market in found["markets"])
    assert {(market["is_paused"], market["shortfall"]) for market in found["markets"]} == {(False, "0.000000")}
    assert {keeper["market"] for keeper in found["keepers"]} == {"BTC-USD", "ETH-BTC", "Squeeth"}
    assert all(keeper["balance"] > 0 for keeper in found["keepers"])
    assert "BTC-USD" in run("status", "--network", f"devnet:{up['port']}")


def check_a_move(up: dict[str, Any]) -> None:
    """A price that somebody moves is the market's, within what the keeper lets it age."""
    network = f"devnet:{up['port']}"
    assert services_of(network).prices == up["prices"]
    with Rpc(up["node"]) as rpc:
        chain = Chain(rpc)
        oracle = Contract(chain, "IOracle", Contract(chain, "IMarket", up["markets"]["BTC-USD"]).read("oracle"))
        until(lambda: raw(29_000) < oracle.read("status")[0][1] < raw(31_000))


def end(process: subprocess.Popen[str], how: int) -> int:
    process.send_signal(how)
    os.sched_yield()
    return process.wait(timeout=PATIENCE)
