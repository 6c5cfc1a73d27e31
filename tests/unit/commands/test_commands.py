"""What people see, what machines get, and how commands end."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from perennial.chain import NodeError
from perennial.cli import _COMMANDS, main
from perennial.client import Market
from perennial.commands.intent import intent
from perennial.intents import Intent
from perennial.local import FREE
from perennial.relay.client import RelayClient
from perennial.relay.records import Order, Status
from perennial.relay.rpc import LastingRpc

TRADING = ["open", "close", "reduce", "deposit", "withdraw", "claim", "settle", "liquidate"]
ASKING = ["markets", "market", "quote", "positions", "orders", "history"]
LONG = ["open", "BTC-USD", "long", "--size", "0.5", "--collateral", "1000"]


def ends(result, code, says=""):
    """How a command ended: never with a traceback."""
    assert result.exit_code == code, result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert says in result.stderr
    return result


def change(manifest, **values):
    """Changes what the manifest says."""
    path = Path(manifest)
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


# -- Help --------------------------------------------------------------------------------------------------------------


def test_every_verb_is_there():
    assert set(_COMMANDS) >= {*TRADING, *ASKING, "intent"}


@pytest.mark.parametrize("name", [*TRADING, *ASKING])
def test_help_has_examples(name):
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert f"Examples:\n  perennial {name}" in result.output.replace("  Examples:\n    ", "Examples:\n  ")


@pytest.mark.parametrize("name", ["post", "list", "show", "fill", "cancel"])
def test_help_of_intents_has_examples(name):
    assert name in intent.commands
    result = CliRunner().invoke(main, ["intent", name, "--help"])
    assert f"perennial intent {name}" in result.output


# -- For people --------------------------------------------------------------------------------------------------------


def test_markets(run, local):
    result = ends(run("markets"), 0)
    head, row = result.stdout.splitlines()
    assert head.split()[:3] == ["market", "token", "price"]
    assert row.split()[:3] == ["BTC-USD", "mUSD", "60,000.00"]
    ends(run("market", local.market.address), 0)


def test_a_quote(run):
    result = ends(run("quote", "BTC-USD", "long", "--usd", "30000", "--collateral", "1000"), 0)
    assert "\nsize                  0.50" in result.stdout
    assert "\nnote                  the size is an estimate: USD at the latest price in units" in result.stdout


def test_a_quote_until_the_end_of_time(run):
    """Which is where timestamps end: beyond it funding would be said to be 0."""
    quote = ["quote", "BTC-USD", "long", "--size", "0.1", "--collateral", "1000"]
    assert "funding               -" in ends(run(*quote, "--until", str(2**32 - 1)), 0).stdout
    ends(run(*quote, "--until", "9999999999999d"), 2, "until: 9999999999999d is after 2106-02-07")


def test_an_order(run):
    result = ends(run(*LONG), 0)
    assert "opened          0.50" in result.stdout
    orders = ends(run("orders"), 0).stdout
    assert "waiting  waits for the price of 2030-" in orders
    history = ends(run("history", "BTC-USD"), 0).stdout
    assert "opens long 0.5" in history
    assert "collateral" in history.splitlines()[-1]


def test_what_was_waited_for_is_told_from_what_was_placed(run, monkeypatch):
    """Each has a price and a fee."""
    monkeypatch.setattr(Market, "wait", lambda market, placed, **_: market.orders(placed.account)[-1])
    shown = ends(run("open", "BTC-USD", "long", "--usd", "600", "--collateral", "100", "--wait"), 0).stdout
    first, below = shown.split("\n\n")
    assert first.startswith("kind   side")
    assert "at 60000.000000; price and fees here are of the moment when it was placed" in below


def test_nothing_yet(run):
    assert ends(run("positions"), 0).stdout == "The account has nothing in any market.\n"
    assert ends(run("orders", "BTC-USD"), 0).stdout == "The account has placed no orders.\n"
    assert ends(run("history", "BTC-USD"), 0).stdout.startswith("Nothing has happened.\n")


def test_positions_of_an_address(run, local):
    result = ends(run("positions", "--account", local.maker.address), 0)
    assert "maker" in result.stdout


def test_claim(run):
    assert "credits  0.00" in ends(run("claim", "BTC-USD"), 0).stdout


# -- For machines ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["markets"],
        ["market", "BTC-USD"],
        ["quote", "BTC-USD", "short", "--size", "1", "--collateral", "5000"],
        ["positions"],
        ["orders"],
        ["history", "BTC-USD"],
        LONG,
        ["deposit", "BTC-USD", "5"],
        ["withdraw", "BTC-USD", "all"],
        ["settle", "BTC-USD"],
        ["claim", "BTC-USD"],
    ],
)
def test_json_alone(run, arguments):
    result = ends(run(*arguments, "--json"), 0)
    content = json.loads(result.stdout)
    assert "e+" not in result.stdout.lower()
    assert all(not isinstance(value, float) for value in (content.values() if isinstance(content, dict) else content))
    assert result.stderr == ""


def test_an_error_for_machines(run):
    run("deposit", "BTC-USD", "10")
    result = ends(run("withdraw", "BTC-USD", "11", "--json"), 1)
    error = json.loads(result.stdout)["error"]
    assert error["error"] == "InsufficientCollateral"
    assert error["values"] == {"collateral": "10.000000", "amount": "11.000000"}
    assert error["remedy"] == 'Withdraw less, or "all".'


# -- Ends --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["open", "BTC-USD", "long", "--size", "5", "--collateral", "1"], "InsufficientMargin (effectiveCollateral:"),
        (["quote", "BTC-USD", "long", "--size", "5", "--collateral", "1"], "InsufficientMargin (effectiveCollateral:"),
        (["withdraw", "BTC-USD", "1"], "InsufficientCollateral (collateral: 0.00, amount: 1.00)"),
        (["liquidate", "BTC-USD", "0x" + "11" * 20], "NotLiquidatable"),
    ],
)
def test_refused_by_the_chain(run, arguments, says):
    result = ends(run(*arguments), 1, says)
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["market", "DOGE-USD"], "no market 'DOGE-USD' on local: there are BTC-USD"),
        (["open", "BTC-USD", "up", "--size", "1"], "'up' is not one of 'long', 'short', 'maker'"),
        (["open", "BTC-USD", "long"], "give the size in units or in USD, one of the two"),
        (["open", "BTC-USD", "long", "--size", "1", "--usd", "1"], "give the size in units or in USD"),
        (["open", "BTC-USD", "long", "--size", "0.0000001"], "has more than 6 decimals"),
        (["open", "BTC-USD", "long", "--size", "much"], "'much' is not a number"),
        (["open", "BTC-USD", "long", "--size", "1", "--referrer", "bob"], "referrer: 'bob' is no address"),
        (["close", "BTC-USD"], "there is nothing to close"),
        (["reduce", "BTC-USD"], "give the size in units or in USD, or close all"),
        (["deposit", "BTC-USD", "99999999999"], "are needed: get more, or use less"),
        (["quote", "BTC-USD", "long", "--size", "1", "--until", "soon"], "until: 'soon' is neither a date"),
        (["close", "BTC-USD", "--timeout", "nan"], "'nan' is no number to reckon with"),
        (["close", "BTC-USD", "--timeout", "-1"], "-1.0 is not in the range"),
        (["orders", "BTC-USD", "--since", "-1"], "since: -1 is no number of a block"),
        (["markets", "--network", "atlantis"], "atlantis"),
        (["markets", "--network", "/nowhere.json"], "no manifest /nowhere.json"),
        (["markets", "--rpc", "node"], "is not the address of a node"),
        (["deposit", "BTC-USD", "-5.5"], "-5.5 is not more than 0"),
        (["deposit", "BTC-USD", "5", "-x"], "No such option: -x"),
        (["positions", "--account", "11"], "--account 11: a devnet has the accounts 0 to 9"),
        (["close", "BTC-USD", "--account", "0x" + "11" * 32], "a private key is never given on a command line"),
        (["close", "BTC-USD", "--account", "0x" + "11" * 20], "an address cannot sign"),
        (["close", "BTC-USD", "--account", "nobody-at-all"], "Ape has no account of this alias"),
        (["positions", "--account", "nobody-at-all"], "Give a number from 0 to 9, or the alias of an account of Ape"),
        (["open", *LONG[1:], "--approve", "ask", "--json"], "--approve ask needs a person"),
        (["intent", "post", "BTC-USD", "long", "--size", "1"], "Missing option '--price'"),
        (["intent", "post", "BTC-USD", "long", "--price", "1"], "give the size in units or in USD"),
    ],
)
def test_wrong_usage(run, arguments, says):
    result = ends(run(*arguments), 2, says)
    assert result.stdout == ""


def test_nobody_signs(run):
    ends(run("close", "BTC-USD", PERENNIAL_ACCOUNT=None), 2, "who signs? Give --account")
    ends(run("quote", "BTC-USD", "long", "--close", PERENNIAL_ACCOUNT=None), 2, "whose position?")


def test_nobody_is_asked_about(run):
    for verb in (["positions"], ["orders"], ["history", "BTC-USD"]):
        ends(run(*verb, PERENNIAL_ACCOUNT=None), 2, "whose? Give --account: an address, a number from 0 to 9, or")


def test_no_node(run):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
        ends(run("markets", "--rpc", nowhere), 3, "does not answer")
        ends(run("intent", "list", "BTC-USD", "--relay", nowhere), 3, "the relay does not answer")


def test_the_networks_relay(run, network):
    """Named by its manifest, unless another one is."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        question = ["intent", "list", "BTC-USD"]
        ends(run(*question), 2, "which relay? local names none: give its address (--relay, or PERENNIAL_RELAY)")
        change(network, relay=f"http://127.0.0.1:{port}")
        ends(run(*question), 3, "the relay does not answer")
        ends(run(*question, PERENNIAL_RELAY="elsewhere"), 2, "'elsewhere' is not the address of a relay")


def test_a_relay_that_hands_out_another_intent(run, local, monkeypatch):
    """A better one under the same hash, say: nothing of it is believed, least of all is it filled."""
    market, account = local.market.address, local.maker.address
    asked = Intent.build(market=market, account=account, amount=1, price=60_000, expiry=2**40, nonce=1)
    given = replace(asked, price=asked.price * 2)
    order = Order(1, "0x", given, b"", Status.OPEN, given.size, 0)
    monkeypatch.setattr(RelayClient, "order", lambda *_: order)
    for verb in (["show"], ["fill"], ["cancel"], ["cancel", "--on-chain"]):
        ends(run("intent", *verb, "0x" + "11" * 32, "--relay", "http://relay"), 1, "gives another intent than 0x1111")


def test_a_node_of_another_chain(run, network, chain):
    change(network, chain_id=1)
    ends(run("markets"), 3, f"is of chain {chain.chain_id}; local is chain 1")


def test_waiting_in_vain(run):
    ends(run(*LONG, "--wait", "--timeout", "0"), 3, "the order still waits for it")


def test_numbers_are_for_local_networks(run, network):
    change(network, network="base-sepolia")
    ends(run("positions"), 2, "--account 4: base-sepolia has no accounts by number")


# -- Tokens ------------------------------------------------------------------------------------------------------------


def test_approvals(run, local):
    local.token.approve(local.market, 0, sender=local.trader, **FREE)
    ends(run("deposit", "BTC-USD", "7", "--approve", "never"), 2, "BTC-USD may not take 7.000000 mUSD")
    assert "approved     7.00" in ends(run("deposit", "BTC-USD", "7"), 0).stdout


# -- Where a node drops out --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["history", "orders"])
def test_a_node_that_is_gone(run, monkeypatch, verb):
    call = LastingRpc.call

    def gone(rpc, method, *params):
        if method == "eth_getLogs":
            raise NodeError("the node does not answer")
        return call(rpc, method, *params)

    monkeypatch.setattr(LastingRpc, "call", gone)
    ends(run(verb, "BTC-USD"), 3, "Error: the node does not answer")


def test_an_order_that_is_placed_is_said_where_its_price_does_not_come(run):
    result = ends(run(*LONG, "--wait", "--timeout", "0", "--json"), 3)
    error = json.loads(result.stdout)["error"]
    assert error["error"] == "Unreachable"
    assert error["transaction"] in error["meaning"]
    assert ends(run("orders", "BTC-USD", "--json"), 0).stdout.count(error["transaction"]) == 1
