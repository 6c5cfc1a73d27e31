"""A devnet starts, another beside it, both work, both end when told to; nothing of them is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from perennial import layout
from perennial.chain import Chain, Contract, Rpc
from perennial.deployment import network
from perennial.deployment.upgrade import upgrade
from perennial.deployment.verify import verify
from perennial.devnet.accounts import Cast
from perennial.devnet.markets import BTC, feed_ids
from perennial.devnet.services import services_of
from perennial.devnet.stage import EVE, open_to_all
from perennial.manifest import Manifest
from perennial.mirror.versions import Window
from perennial.testing.devnets import PATIENCE, devnet, until
from perennial.testing.kept import keep


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where these devnets have their files, and only these."""
    for name in ("TMPDIR", "XDG_RUNTIME_DIR"):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


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
        check_status(two)
        check_a_move(two, one)
        check_an_upgrade(one)

        assert end(first, signal.SIGTERM) == 0
        assert [line.split()[0] for line in run("devnet", "list").splitlines()] == [two["node"]]
        # Such a signal may reach another thread than the one that waits for it.
        second.send_signal(signal.SIGSTOP)
        second.send_signal(signal.SIGINT)
        assert end(second, signal.SIGCONT) == 0
    assert all(not Path(f"/proc/{process}").exists() for process in processes)
    # Ape keeps its own cache; of the devnets there is nothing.
    assert [path for path in room.rglob("*") if "perennial" in path.name] == []


def test_a_devnet_opens_with_prices_of_that_moment(tmp_path: Path) -> None:
    """However long the set-up took, nobody has to wait for the keeper until a market takes a trade."""
    with keep(tmp_path) as kept:
        now = kept.stage.now() + 10 * EVE
        open_to_all(kept.stage, kept.publisher, now, block_time=0)

        oracles = [kept.stage.contract("IOracle", oracle) for oracle in kept.stage.oracles.values()]
        latest = [oracle.read("status")[0] for oracle in oracles]
    assert [(timestamp, valid) for timestamp, _, valid in latest] == [(now - Window().valid_from, True)] * 3


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


def check_status(up: dict[str, Any]) -> None:
    found = json.loads(run("status", "--network", f"devnet:{up['port']}", "--json"))

    assert [market["market"] for market in found["markets"]] == ["BTC-USD", "ETH-BTC", "Squeeth"]
    assert all(not market["is_stale"] and float(market["maker"]) > 0 for market in found["markets"])
    assert {(market["is_paused"], market["shortfall"]) for market in found["markets"]} == {(False, "0.000000")}
    assert {keeper["market"] for keeper in found["keepers"]} == {"BTC-USD", "ETH-BTC", "Squeeth"}
    assert all(keeper["balance"] > 0 for keeper in found["keepers"])
    assert "BTC-USD" in run("status", "--network", f"devnet:{up['port']}")


def check_a_move(moved: dict[str, Any], other: dict[str, Any]) -> None:
    """A price that somebody moves, from the next second on, is moved on one devnet only."""
    assert services_of(f"devnet:{moved['port']}").prices == moved["prices"]
    until(lambda: 29_000 < price(moved) < 31_000)
    assert 50_000 < price(other) < 70_000


def price(up: dict[str, Any]) -> int:
    """What the publisher has of bitcoin, whole dollars."""
    params = {"ids[]": [feed_ids()[BTC]]}
    answer = httpx2.get(f"{up['prices']}/v2/updates/price/latest", params=params, timeout=PATIENCE)
    found = answer.json()["parsed"][0]["price"]
    return int(found["price"]) // 10 ** -int(found["expo"])


def end(process: subprocess.Popen[str], how: int) -> int:
    process.send_signal(how)
    os.sched_yield()
    return process.wait(timeout=PATIENCE)


def check_an_upgrade(up: dict[str, Any]) -> None:
    """The same code at other addresses goes through the timelock, under the maker's position."""
    path, maker = Path(up["manifest"]), Cast.assemble().maker
    before, newer = Manifest.read(path), replace(network.load("devnet"), salt="newer")
    assert before.timelock is not None
    operator = Cast.assemble().keys[0]
    # That the storage has not moved is tested elsewhere (tests/unit/tools/test_layout.py); it takes a compilation.
    with pytest.MonkeyPatch.context() as patch, Rpc(up["node"]) as rpc:
        patch.setattr(layout, "layouts", layout.recorded)
        market = Contract(Chain(rpc), "IMarket", up["markets"]["BTC-USD"])
        position = market.read("positions", maker)
        assert any(position)
        assert not upgrade(newer, rpc, operator, path=path)
        assert Manifest.read(path) == before
        until(lambda: upgrade(newer, rpc, operator, path=path))

        after = Manifest.read(path)
        for name, code in (("MarketFactory", "Market"), ("VaultFactory", "Vault")):
            assert after.address(code) != before.address(code)
            there = Contract(Chain(rpc), name, after.address(name)).read("implementation")
            assert there == after.address(code).lower()
        assert market.read("positions", maker) == position
        assert verify(after, network.load("devnet"), rpc).differences == []
