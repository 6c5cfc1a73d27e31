"""OPERATING.md: its commands do what it says, on a chain of Base Sepolia's id."""

import json
import re
import shlex
import subprocess
import sys

import pytest

from perennial.anvil import anvil
from perennial.artifacts import ROOT
from perennial.chain import Rpc

LINES = [
    shlex.split(line.removeprefix(".venv/bin/"))
    for block in re.findall(r"```sh\n(.*?)```", (ROOT / "OPERATING.md").read_text(), re.DOTALL)
    for line in block.splitlines()
    if line.startswith(".venv/bin/ape run")
]

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
    name, *arguments = line
    module = importlib.import_module(f"perennial.deployment.command")
    result = CliRunner().invoke(getattr(module, name), arguments)
    results.append([result.exit_code, result.output])
Path(sys.argv[2]).write_text(json.dumps(results))
"""


def run(uri, folder, lines):
    """Exit code and output of each command; numbers are seconds that pass."""
    network = ["--network", f"base:sepolia:{uri}", "--config", "rehearsal", "--deployments", str(folder)]
    given = [line if isinstance(line, int) else [line[2], *network, *line[4:]] for line in lines]
    answer = folder / "results.json"
    subprocess.run(
        [sys.executable, "-c", RUN, uri, str(answer)],
        input=json.dumps(given),
        text=True,
        check=True,
        cwd=ROOT,
        timeout=240,
    )
    return json.loads(answer.read_text())


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deployments")
    owner = [line for line in LINES if line[2] == "owner"]
    before, after = LINES[: LINES.index(owner[0])], LINES[LINES.index(owner[-1]) + 1 :]
    with anvil(chain_id=84532) as uri, Rpc(uri):
        found = run(uri, folder, [*before, *owner, 601, *owner, *after, before[2], PLAIN])
    return found, json.loads((folder / "rehearsal.json").read_text())


def test_the_document_has_every_command():
    assert [line[2] for line in LINES] == (
        ["deploy", "deploy", "verify_deployment", "create_market", "verify_deployment"]
        + ["owner"] * 3
        + ["pause", "pause", "upgrade"]
    )


def test_they_do_what_it_says(results):
    found, manifest = results
    outputs = [output for _, output in found]

    assert [code for code, _ in found[:-2]] == [0] * (len(found) - 2), outputs
    assert "steps are left" in outputs[0]
    gas = int(re.findall(r"^gas ([\d,]+) at", outputs[0], re.MULTILINE)[0].replace(",", ""))
    assert f"about {round(gas / 10**6)} million gas" in (ROOT / "OPERATING.md").read_text()
    assert "sources are not published: the chain is one of this machine" in outputs[1]
    assert "0 differ" in outputs[1]
    assert "0 differ" in outputs[2]
    assert "BTC-USD-LOW-FEE: open at 0x" in outputs[3]
    assert "0 differ" in outputs[4]
    assert all("run this again then" in output and "not done yet" in output for output in outputs[5:8])
    assert all("execute: 0x" in output and output.endswith("done\n") for output in outputs[8:11])
    assert "paused: 0x" in outputs[11]
    assert "ended: 0x" in outputs[12]
    assert "all markets run 0x" in outputs[13]
    assert "all vaults run 0x" in outputs[13]
    assert set(manifest["markets"]) == {"BTC-USD", "BTC-ETH", "BTC-USD-LOW-FEE"}


def test_after_the_hand_over_the_verification_names_what_the_file_does_not_say(results):
    code, output = results[0][-2]

    assert code == 1
    differs = sorted(line.split(":")[1].split()[0] for line in output.splitlines() if line.startswith("differs"))
    assert differs == ["MarketFactory.pauser", "Timelock.canceller", "Timelock.proposer"]


def test_accounts_may_stand_in_for_timelock_and_pauser(results):
    code, output = results[0][-1]

    assert code == 0, output
    words = {line.split()[0]: line.split()[1:] for line in output.splitlines() if line.split()}
    assert words["owner"] == [OWNER]
    assert words["pauser"] == [PAUSER]
