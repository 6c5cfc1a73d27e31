"""The command `perennial`: its commands, and what they refuse before they start."""

import json
import socket

import click
import pytest
from click.testing import CliRunner
from eth_account import Account

from perennial.anvil import anvil
from perennial.chain import Chain, Rpc
from perennial.cli import main
from perennial.devnet.accounts import Cast
from perennial.devnet.stage import Stage, add_multicall
from perennial.keeper import command as keeper_command
from perennial.keeper.state import State
from perennial.sending.journal import FileError, Journal
from perennial.sending.keys import load_key
from perennial.shell import REFUSED, code_of
from perennial.solver import command

KEY = Account.from_key(bytes([5] * 32))
MARKET = "0x" + "11" * 20
LOOKING_ON = ["--dry-run", "--account", MARKET]


def process(name, folder):
    """A command that begins by asking a node about a market; its files are in a folder."""
    more = {
        "status": ["--market", f"X={MARKET}"],
        "keeper": ["--market", f"X={MARKET}", "--once", "--state", str(folder / "keeper.db")],
        "relay": ["--market", MARKET, "--database", f"sqlite:///{folder / 'relay.db'}"],
        "solver": ["--market", MARKET, "--relay", "http://127.0.0.1:1", "--journal", str(folder / "solver.db")],
    }
    return [name, *more[name]]


SECRET = {name: "0x" + bytes(KEY.key).hex() for name in (command.KEY, keeper_command.KEY)}
"""The environment of a process with a key."""


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
    assert f"Examples:\n    perennial {name}" in result.output


@pytest.mark.parametrize("group", [[], ["devnet"], ["intent"], ["vault"]])
def test_a_list_of_commands_has_whole_sentences(group):
    result = run(*group, "--help")

    assert result.exit_code == 0
    assert "..." not in result.output.partition("Commands:")[2]


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
        (["solver", "--market", MARKET, "--spread", "-0.001"], "-0.001 is less than 0"),
        (["solver", "--market", MARKET, "--dry-run", "--account", "0x12"], "'0x12' is no address"),
        (["solver", "--market", MARKET, "--interval", "0"], "'--interval': 0.0 is not in the range"),
        (["solver", "--market", MARKET, *LOOKING_ON, "--least-profit", "1"], "give --ether-price too"),
        (["keeper", "--market", MARKET, "--node", "http://x", "--least-profit", "1"], "give --ether-price too"),
        (["keeper", "--max-age", "9"], "'--max-age': 9: the newest price is nearly as old; give 10 or more, or 0"),
        (["keeper", "--ether-price", "-1"], "'--ether-price': -1 is less than 0"),
        (["keeper", "--claim-least", "much"], "'--claim-least': 'much' is not a number"),
        (["keeper", "--interval", "-1"], "'--interval': -1.0 is not in the range"),
        (["status", "--interval", "0"], "'--interval': 0.0 is not in the range"),
        (["relay", "--reads", "0"], "'--reads': 0.0 is not in the range"),
        (["relay", "--port", "99999"], "'--port': 99999 is not in the range"),
        (["relay", "--proxies", "-1"], "'--proxies': -1 is not in the range"),
    ],
)
def test_usage(arguments, says):
    result = run(*arguments, **{command.PASSWORD: "x"})

    assert result.exit_code == 2
    assert says in result.output


@pytest.mark.parametrize(
    ("database", "says"),
    [
        ("relay.db", "Could not parse SQLAlchemy URL"),
        ("sqlite:////nowhere/relay.db", "unable to open database file"),
        ("nothing://127.0.0.1/relay", "Can't load plugin"),
        ("postgresql+psycopg://user:secret@127.0.0.1:1/relay", "Connection refused"),
    ],
)
def test_what_is_no_database(database, says):
    result = run("relay", "--market", MARKET, "--node", "http://127.0.0.1:1", "--database", database)

    assert result.exit_code == 1
    assert result.output.startswith("Error: the database cannot be used: ")
    assert says in result.output
    assert "secret" not in result.output


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
    assert "key.json: the password is another" in result.output


@pytest.mark.parametrize(
    ("content", "says"), [("{}", "is no keystore: give"), ("no JSON", "is no keystore: Expecting")]
)
def test_a_file_that_is_no_keystore(tmp_path, content, says):
    path = tmp_path / "key.json"
    path.write_text(content)

    result = run("solver", "--market", MARKET, "--keystore", str(path), **{command.PASSWORD: "x"})

    assert result.exit_code == 2
    assert says in result.output


@pytest.mark.parametrize("name", ["solver", "keeper"])
def test_nobody_to_ask_for_a_password(name, tmp_path, monkeypatch):
    def ended(*_, **__):
        raise click.Abort

    monkeypatch.setattr(click, "prompt", ended)
    path = tmp_path / "key.json"
    path.write_text(json.dumps(KEY.encrypt("open sesame", iterations=2)))

    result = run(name, "--market", MARKET, "--node", "http://127.0.0.1:1", "--keystore", str(path))

    assert result.exit_code == 2
    assert f"password: set PERENNIAL_{name.upper()}_PASSWORD" in result.output


@pytest.mark.parametrize("name", ["status", "keeper", "relay", "solver"])
@pytest.mark.parametrize(("content", "says"), [(None, "cannot be read: Is a directory"), (b"\xff", "is no JSON")])
def test_what_is_no_manifest(name, content, says, tmp_path):
    path = tmp_path / "manifest.json"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)

    result = run(*process(name, tmp_path), "--network", str(path), **SECRET)

    assert result.exit_code == 2
    assert f"manifest.json {says}" in result.output


@pytest.mark.parametrize("kind", [State, Journal])
def test_a_file_that_is_no_database(kind, tmp_path):
    """What --state or --journal names by mistake: said, and left as it is."""
    path = tmp_path / "keeper.json"
    path.write_text("what somebody has written\n" * 100)

    with pytest.raises(
        FileError, match=r"keeper.json cannot be used: file is not a database: name another file"
    ) as found:
        kind(path)

    assert code_of(found.value) == REFUSED
    assert path.read_text() == "what somebody has written\n" * 100


@pytest.fixture
def nowhere():
    """Address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("name", ["status", "keeper", "relay", "solver"])
def test_where_no_node_answers(name, nowhere, tmp_path):
    result = run(*process(name, tmp_path), "--node", nowhere, **SECRET)

    assert result.exit_code == 3
    assert f"the node at {nowhere.removeprefix('http://')} does not answer" in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("name", ["status", "keeper", "relay", "solver"])
@pytest.mark.parametrize("node", ["here", "http://127.0.0.1:port", "ftp://127.0.0.1"])
def test_what_is_no_address_of_a_node(name, node, tmp_path):
    result = run(*process(name, tmp_path), "--node", node, **SECRET)

    assert result.exit_code == 2
    assert "is not the address of a node, such as http://127.0.0.1:8545" in result.output


@pytest.mark.parametrize("name", ["status", "keeper", "relay", "solver"])
def test_a_node_of_another_network(name, tmp_path):
    """It answers, and there is nothing at the addresses."""
    with anvil(chain_id=84532) as uri, Rpc(uri) as rpc:
        add_multicall(Stage(Chain(rpc), Cast.assemble()))
        result = run(*process(name, tmp_path), "--node", uri, **SECRET)

    assert result.exit_code == 1
    assert "NoContract (address: 0x1111" in result.output
    assert "Look at the network and the node" in result.output


def test_status_tells_machines_what_is_wrong(nowhere):
    result = run("status", "--market", f"X={MARKET}", "--node", nowhere, "--json")

    assert result.exit_code == 3
    error = json.loads(result.output[result.output.index("{") :])["error"]
    assert error["error"] == "Unreachable"
    result = run("status", "--network", "/nowhere.json", "--json")
    assert result.exit_code == 2
    assert "deploy first" in json.loads(result.output[result.output.index("{") :])["error"]["meaning"]
