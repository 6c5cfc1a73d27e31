"""The program of docs/client.md runs, and every command there exists."""

import contextlib
import io
import re
import shlex

from click.testing import CliRunner

from perennial.amounts import raw
from perennial.artifacts import ROOT
from perennial.cli import main
from perennial.local import FREE, NOBODY, LocalMarket
from perennial.testing.manifests import write_manifest

DOCUMENT = (ROOT / "docs" / "client.md").read_text()


def test_the_program(chain, accounts, tmp_path):
    (program,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    local = LocalMarket.deploy(raw(60_000))
    trader = accounts[2]
    local.fund(local.market, trader)
    local.market.update(local.maker, raw(10), 0, raw(1_000_000), NOBODY, sender=local.maker, **FREE)
    local.commit(raw(60_000))
    network = write_manifest(local, chain.provider.http_uri, tmp_path / "local.json", chain.chain_id)

    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(program.replace('"devnet"', repr(str(network))), {})
    printed = out.getvalue()
    assert "\nfee                   1.32\n" in printed
    assert "waiting\nInsufficientMargin 10.000000 Deposit at least the difference" in printed
    assert "'pending_size': '0.010000'" in printed


def test_the_commands():
    (block,) = re.findall(r"## Shell\n\n```\n(.*?)```", DOCUMENT, re.DOTALL)
    lines = block.strip().split("\n")
    assert len(lines) > 5
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "perennial"
        # Without a network a command that is well formed looks for the one that it was given.
        result = CliRunner(mix_stderr=False).invoke(main, [*arguments, "--network", "/nowhere.json"])
        assert "no manifest /nowhere.json" in result.stderr, (line, result.stderr)
