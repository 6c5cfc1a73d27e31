"""OPERATING.md: its commands do what it says, on a chain of Base Sepolia's id."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections import defaultdict
from contextlib import contextmanager

import pytest

from perennial.anvil import anvil
from perennial.artifacts import ROOT

BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "OPERATING.md").read_text(), re.DOTALL)

LINES = [
    shlex.split(line.removeprefix(".venv/bin/"))
    for block in BLOCKS
    for line in block.splitlines()
    if line.startswith((".venv/bin/ape run", ".venv/bin/perennial"))
]

KEY, VALUE = re.findall(r"export (PERENNIAL_KEEPER_KEY)=(0x[0-9a-f]{64})", "".join(BLOCKS))[0]

NODE, HERMES = "http://127.0.0.1:8545", "http://127.0.0.1:8546"
"""Where the document has the chain and the prices."""

OLD, NEW = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
"""Proposers, before the hand-over and after it."""

OWNER, PAUSER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906", "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"

PLAIN = ["ape", "run", "deploy", "$NET", *f"--account TEST::0 --dry-run --owner {OWNER} --pauser {PAUSER}".split()]
"""Accounts in the place of timelock and pauser."""

# One process for all: Ape takes seconds to start.
RUN = """
import importlib, json, sys
from pathlib import Path
from click.testing import CliRunner
results = []
for line in json.load(sys.stdin):
    if isinstance(line, int):
        from perennial.chain import Rpc
        with Rpc(sys.argv[1]) as rpc:
            rpc.call("evm_increaseTime", line)
            rpc.call("evm_mine")
        continue
    module, name, *arguments = line
    result = CliRunner().invoke(getattr(importlib.import_module(module), name), arguments)
    results.append([result.exit_code, result.output])
Path(sys.argv[2]).write_text(json.dumps(results))
"""


def invocation(line, uri, hermes, folder):
    """Module, name and arguments of a command's line, for the chain, the prices and the folder of this test."""
    if line[0] == "ape":
        network = ["--network", f"base:sepolia:{uri}", "--config", "rehearsal", "--deployments", str(folder)]
        return ["perennial.deployment.command", line[2], *network, *line[4:]]
    there = {"rehearsal": str(folder / "rehearsal.json"), NODE: uri, HERMES: hermes}
    state = ["--state", str(folder / "keeper.db")] if line[1] == "keeper" else []
    return ["perennial.cli", "main", *(there.get(word, word) for word in line[1:]), *state]


@contextmanager
def served(line, uri):
    """The address of the prices that a command serves for a chain."""
    port = line.index("--port") + 1
    command = ["-m", "perennial.cli", *line[1:port], "0"]
    command[command.index(NODE)] = uri
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("prices at ").strip()
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0


def run(uri, hermes, folder, lines):
    """Exit code and output of each command; numbers are seconds that pass."""
    given = [line if isinstance(line, int) else invocation(line, uri, hermes, folder) for line in lines]
    answer = folder / "results.json"
    subprocess.run(
        [sys.executable, "-c", RUN, uri, str(answer)],
        input=json.dumps(given),
        text=True,
        check=True,
        cwd=ROOT,
        timeout=240,
        env={**os.environ, KEY: VALUE},
    )
    return json.loads(answer.read_text())


def called(line):
    """The command of a line, in a word."""
    return line[2] if line[0] == "ape" or line[1] == "devnet" else line[1]


def at(name):
    """The lines of a command."""
    return [line for line in LINES if called(line) == name]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What each line printed, by its command, in the order in which they ran; and the manifest in the end."""
    folder = tmp_path_factory.mktemp("deployments")
    (prices,) = at("prices")
    grants, revokes = at("owner")[:3], at("owner")[3:]
    first, last = LINES.index(grants[0]), LINES.index(revokes[-1]) + 1
    before = [line for line in LINES[:first] if line != prices]
    lines = [*before, *grants, 601, *grants, *revokes, 601, *revokes, *LINES[last:], at("verify_deployment")[0], PLAIN]
    time = ["--block-time", "1", "--mixed-mining"]
    with anvil(chain_id=84532, options=time) as uri, served(prices, uri) as hermes:
        found = run(uri, hermes, folder, lines)
    outputs = defaultdict(list)
    for line, answer in zip((line for line in lines if line != 601), found, strict=True):
        outputs[called(line)].append(answer)
    return outputs, json.loads((folder / "rehearsal.json").read_text())


def test_the_document_has_every_command():
    assert [called(line) for line in LINES] == (
        ["deploy", "deploy", "verify_deployment", "create_market", "verify_deployment"]
        + ["prices", "keeper", "status"]
        + ["owner"] * 5
        + ["pause", "pause", "upgrade"]
    )


def test_they_do_what_it_says(results):
    found, manifest = results
    plan, done = (output for _, output in found["deploy"][:2])

    codes = {name: [code for code, _ in answers] for name, answers in found.items()}
    # The file says nothing of the hand-over yet.
    assert codes.pop("verify_deployment") == [0, 0, 1], found
    assert not any(code for answers in codes.values() for code in answers), found
    assert "steps are left" in plan
    gas = int(re.findall(r"^gas ([\d,]+) at", plan, re.MULTILINE)[0].replace(",", ""))
    assert f"about {round(gas / 10**6)} million gas" in (ROOT / "OPERATING.md").read_text()
    assert "sources are not published: the chain is one of this machine" in done
    assert "0 differ" in done
    assert all("0 differ" in output for _, output in found["verify_deployment"][:2])
    assert "BTC-USD-LOW-FEE: open at 0x" in found["create_market"][0][1]
    owner = [output for _, output in found["owner"]]
    for scheduled, executed in ((owner[:3], owner[3:6]), (owner[6:8], owner[8:])):
        assert all("run this again then" in output and "not done yet" in output for output in scheduled)
        assert all("execute: 0x" in output and output.endswith("done\n") for output in executed)
    assert "paused: 0x" in found["pause"][0][1]
    assert "ended: 0x" in found["pause"][1][1]
    assert "all markets run 0x" in found["upgrade"][0][1]
    assert "all vaults run 0x" in found["upgrade"][0][1]
    assert set(manifest["markets"]) == {"BTC-USD", "BTC-ETH", "BTC-USD-LOW-FEE"}


def test_the_keeper_brings_the_first_prices_and_the_status_shows_them(results):
    ((_, status),) = results[0]["status"]

    rows = [line.split() for line in status.splitlines() if line.strip().startswith("BTC-")]
    # BTC-USD at the top of December 2017; nobody stale; one commit each.
    assert [row[0] for row in rows[:3]] == ["BTC-USD", "BTC-ETH", "BTC-USD-LOW-FEE"]
    assert 18_000 < float(rows[0][1]) < 21_000
    assert "stale" not in status
    assert "no price yet" not in status
    keepers = status.split("keepers since block")[1]
    assert [line.split()[2] for line in keepers.splitlines() if "0x9965…a4dc" in line] == ["1", "1", "1"]


def test_after_the_hand_over_the_verification_names_what_the_file_does_not_say(results):
    _, output = results[0]["verify_deployment"][-1]

    differs = sorted(line.split(": ")[1] for line in output.splitlines() if line.startswith("differs"))
    roles = [f"Timelock.{role} {who}" for role in ("canceller", "proposer") for who in (NEW, OLD)]
    assert differs == sorted(["MarketFactory.pauser", *roles])


def test_accounts_may_stand_in_for_timelock_and_pauser(results):
    _, output = results[0]["deploy"][-1]

    words = {line.split()[0]: line.split()[1:] for line in output.splitlines() if line.split()}
    assert words["owner"] == [OWNER]
    assert words["pauser"] == [PAUSER]
