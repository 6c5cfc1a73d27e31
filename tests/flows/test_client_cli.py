"""A trade from the shell: deposit, long, settle, look back, close, withdraw everything (docs/protocol.md §5, §6, §10).

What was quoted is what is charged, and the history adds up to the collateral, to the last digit.
"""

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from decimal import Decimal

import pytest
from click.testing import CliRunner

from perennial.amounts import raw
from perennial.cli import main
from perennial.local import FREE, NOBODY, LocalMarket
from perennial.relay.client import RelayClient, RelayError
from perennial.testing.manifests import write_manifest
from perennial.testing.process import free_port

PRICE = raw(60_000)
TRADER, OPERATOR = "4", "0"
"""Numbers of accounts, as a devnet has them."""


@pytest.fixture
def local(chain, accounts):  # noqa: ARG001 -- needs Ape's connection
    local = LocalMarket.deploy(PRICE)
    local.market.update(local.maker, raw(10), 0, raw(1_000_000), NOBODY, sender=local.maker, **FREE)
    local.commit(PRICE)
    local.token.approve(local.market, 0, sender=local.trader, **FREE)
    return local


@pytest.fixture
def perennial(local, chain, tmp_path):
    """Runs a command; returns what machines get."""
    network = str(write_manifest(local, chain.provider.http_uri, tmp_path / "local.json", chain.chain_id))

    def run(*arguments, code=0):
        options = {"PERENNIAL_NETWORK": network, "PERENNIAL_ACCOUNT": TRADER}
        result = CliRunner(mix_stderr=False, env=options).invoke(main, [*arguments, "--json"])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return run


@contextmanager
def relay(node, market, database):
    """A relay in a process of its own; gives its address."""
    port = str(free_port())
    command = [sys.executable, "-m", "perennial.cli", "relay", "--node", node, "--market", market, "--port", port]
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 60
    with subprocess.Popen([*command, "--database", f"sqlite:///{database}"], stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                try:
                    with RelayClient(url) as client:
                        client.open_orders(market)
                    break
                except RelayError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            yield url
        finally:
            process.terminate()


def add_up(history):
    """The sum of what made the collateral, which the history says as well."""
    totals = {name: Decimal(value) for name, value in history["totals"].items()}
    collateral = totals.pop("collateral")
    assert sum(totals.values()) == collateral
    assert sum(Decimal(entry["amount"]) for entry in history["entries"]) == collateral
    return totals, collateral


def test_a_trade_from_the_shell(local, perennial):
    perennial("settle", "BTC-USD", "--for", local.maker.address)
    deposited = perennial("deposit", "BTC-USD", "4000")
    assert (deposited["approved"], deposited["collateral"]) == ("4000.000000", "4000.000000")

    question = ("BTC-USD", "long", "--size", "1.5", "--collateral", "1000")
    quote = perennial("quote", *question, "--account", TRADER, "--until", "2h")
    placed = perennial("open", *question)
    assert (placed["opened"], placed["deposited"], placed["approved"]) == ("1.500000", "1000.000000", "1000.000000")
    assert placed["fee"] == quote["fee"]
    (order,) = perennial("orders", "BTC-USD")
    assert (order["state"], order["fee"]) == ("waiting", None)
    refused = perennial("close", "BTC-USD", code=2)
    assert "orders wait for their version" in refused["error"]["meaning"]

    # The price comes, and is the one of the quote: what was quoted is charged.
    local.commit(PRICE)
    (order,) = perennial("orders", "BTC-USD")
    assert (order["state"], order["fee"]) == ("priced", quote["fee"])
    perennial("settle", "BTC-USD")
    (order,) = perennial("orders", "BTC-USD")
    assert (order["state"], order["fee"], order["settlement_fee"]) == ("settled", quote["fee"], quote["settlement_fee"])
    (position,) = perennial("positions")
    charged = 5000 - Decimal(position["collateral"])
    assert charged == Decimal(quote["fee"]) + Decimal(quote["settlement_fee"])
    assert position["liquidation_below"] == quote["liquidation_below"]

    # The price moves; funding and interest accrue; the history explains every millionth.
    for price in (61_000, 60_500, 61_234):
        local.commit(raw(price))
    (position,) = perennial("positions")
    perennial("settle", "BTC-USD")
    totals, collateral = add_up(perennial("history", "BTC-USD"))
    assert str(collateral) == position["collateral"]
    assert totals["pnl"] == Decimal("1.5") * 1_234
    assert totals["funding"] < 0
    assert totals["interest"] < 0
    assert totals["position_fees"] == -Decimal(quote["fee"])

    # Too much is refused by the chain, and says what to do.
    refused = perennial("withdraw", "BTC-USD", "6000", code=1)["error"]
    assert refused["error"] == "InsufficientMargin"
    assert "Deposit at least the difference" in refused["remedy"]

    # Out again: close, settle, withdraw everything.
    closed = perennial("close", "BTC-USD")
    assert closed["closed"] == "1.500000"
    local.commit(raw(61_234))
    perennial("settle", "BTC-USD")
    before = local.token.balanceOf(local.trader)
    withdrawn = perennial("withdraw", "BTC-USD", "all")
    assert withdrawn["collateral"] == "0.000000"
    assert local.token.balanceOf(local.trader) - before == -int(Decimal(withdrawn["amount"]) * 10**18)
    totals, collateral = add_up(perennial("history", "BTC-USD"))
    assert collateral == 0
    assert totals["deposits"] == 5000
    assert totals["withdrawals"] == Decimal(withdrawn["amount"])
    assert local.market.collateral(local.trader) == 0
    assert perennial("positions") == []


def test_a_cancelled_order_from_the_shell(local, perennial):
    perennial("open", "BTC-USD", "short", "--usd", "6000", "--collateral", "1000")
    version = local.next()
    local.oracle.commitInvalid(version, sender=local.owner, **FREE)

    (order,) = perennial("orders", "BTC-USD")
    assert (order["state"], order["opened"]) == ("cancelled", "0.100000")
    assert order["reason"].startswith("invalid version: no price came for 2030-")
    local.commit(PRICE)
    perennial("settle", "BTC-USD")
    assert perennial("withdraw", "BTC-USD", "all")["amount"] == "-1000.000000"


def test_an_intent_from_the_shell(local, perennial, chain, tmp_path):
    """Posted at a relay, filled by another account, looked back at."""
    local.fund(local.market, local.owner)
    perennial("deposit", "BTC-USD", "5000")
    perennial("deposit", "BTC-USD", "5000", "--account", OPERATOR)
    with relay(chain.provider.http_uri, local.market.address, tmp_path / "relay.db") as url:
        at = ("--relay", url)
        posted = perennial("intent", "post", "BTC-USD", "long", "--size", "1", "--price", "60100", *at)
        assert (posted["status"], posted["remaining"]) == ("open", "1.000000")
        assert [each["hash"] for each in perennial("intent", "list", "BTC-USD", *at)] == [posted["hash"]]
        filled = perennial("intent", "fill", posted["hash"], "--size", "0.4", "--account", OPERATOR, *at)
        assert (filled["side"], filled["size"], filled["price"]) == ("short", "0.400000", "60100.000000")
        another = ("intent", "cancel", posted["hash"], "--account", OPERATOR, *at)
        assert "may not sign for" in perennial(*another, code=1)["error"]["meaning"]
        assert perennial(*another, "--on-chain", code=1)["error"]["error"] == "SignerNotAuthorised"
        local.protocol.market_factory.updateSigner(local.owner, True, sender=local.trader, **FREE)
        cancelled = perennial(*another)
        assert cancelled["what"].endswith("at the relay: 1 intents off its book")
        assert perennial("intent", "show", posted["hash"], *at)["status"] == "cancelled"
        assert perennial("intent", "list", "BTC-USD", *at) == []
        perennial(*another, "--on-chain")
        refused = perennial("intent", "fill", posted["hash"], "--size", "0.2", "--account", OPERATOR, *at, code=1)
        assert refused["error"]["error"] == "NonceAlreadyCancelled"

    local.commit(raw(60_000))
    perennial("settle", "BTC-USD")
    (order,) = perennial("orders", "BTC-USD")
    assert (order["kind"], order["state"], order["price"]) == ("fill", "settled", "60100.000000")
    totals, collateral = add_up(perennial("history", "BTC-USD"))
    assert totals["guarantees"] == Decimal("0.4") * -100
    assert totals["position_fees"] < 0
    assert collateral == Decimal(perennial("positions")[0]["collateral"])
