"""The command `perennial`: its commands, and what they refuse before they start."""

import json

import pytest
from click.testing import CliRunner
from eth_account import Account

from perennial.cli import main
from perennial.sending.keys import load_key
from perennial.solver import command

KEY = Account.from_key(bytes([5] * 32))
MARKET = "0x" + "11" * 20
LOOKING_ON = ["--dry-run", "--account", MARKET]


def run(*arguments, **environment):
    unset = (command.KEY, command.PASSWORD, "PERENNIAL_NETWORK", "PERENNIAL_NODE", "PERENNIAL_RELAY")
    return CliRunner(env={**dict.fromkeys(unset), **environment}).invoke(main, arguments)


def test_lists_its_commands():
    result = run("--help")

    assert result.exit_code == 0
    assert {"devnet", "keeper", "relay", "solver", "status"} <= set(result.output.split())


@pytest.mark.parametrize("name", ["devnet", "keeper", "relay", "solver", "status"])
def test_each_says_what_it_does(name):
    result = run(name, "--help")

    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {name}")


def test_no_such_command():
    assert "No such command 'nothing'" in run("nothing").output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["relay", "--network", "/nowhere.json"], "no manifest /nowhere.json"),
        (["solver", "--market", "BTC-USD", "--network", "/nowhere.json", *LOOKING_ON], "no manifest /nowhere.json"),
        (["solver", "--market", MARKET, "--node", "http://127.0.0.1:1", *LOOKING_ON], "which relay?"),
        (["solver", "--market", MARKET], f"no key: give --keystore, or set {command.KEY}"),
        (["solver", "--market", MARKET, "--dry-run"], "needs --account"),
        (["solver", "--market", MARKET, "--spread", "0.0000001"], "more than 6 decimals"),
        (["solver", "--market", MARKET, "--keystore", "/nowhere"], "/nowhere"),
    ],
)
def test_usage(arguments, says):
    result = run(*arguments, **{command.PASSWORD: "x"})

    assert result.exit_code == 2
    assert says in result.output


def test_key_of_the_environment(monkeypatch):
    monkeypatch.setenv(command.KEY, "0x" + bytes(KEY.key).hex())

    assert load_key(None, command.KEY, command.PASSWORD).address == KEY.address


def test_key_of_a_keystore(monkeypatch, tmp_path):
    path = tmp_path / "key.json"
    path.write_text(json.dumps(KEY.encrypt("open sesame", iterations=2)))
    monkeypatch.setenv(command.PASSWORD, "open sesame")

    assert load_key(path, command.KEY, command.PASSWORD).address == KEY.address


def test_the_wrong_password(tmp_path):
    path = tmp_path / "key.json"
    path.write_text(json.dumps(KEY.encrypt("open sesame", iterations=2)))

    result = run("solver", "--market", MARKET, "--keystore", str(path), **{command.PASSWORD: "another"})

    assert result.exit_code == 2
    assert "key.json" in result.output
