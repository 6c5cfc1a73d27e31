"""The demo: three days of it, and what it refuses."""

import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from rich.console import Console

from perennial.artifacts import ROOT
from perennial.demo import stage
from perennial.demo.cli import cli
from perennial.demo.console import NARROWEST, ROOMY, conclude
from perennial.demo.courier import Agreement
from perennial.demo.listings import listing
from perennial.demo.options import DemoError, Options
from perennial.demo.page import render
from perennial.demo.page.axes import Times
from perennial.demo.replay import prices_of, run
from perennial.demo.tables import Table, all_tables
from perennial.mirror.margin import position_fee
from perennial.prices import DAY, HOUR, load_prices

# The worst hours: on the 22nd the price falls by an eighth within one.
START = 1_513_814_400 + HOUR
THREE_DAYS = Options(start=START, end=START + 3 * DAY, seed=5, actors=8)
VOID = {"meta", "br", "line", "path", "circle", "polyline", "polygon", "i"}


def play(options):
    return run(options, prices_of(options), lambda *_: None)


@pytest.fixture(scope="module")
def outcome():
    """Three days with those who are there to be liquidated."""
    return play(THREE_DAYS)


@pytest.fixture(scope="module")
def careful():
    """The same days without them."""
    return play(replace(THREE_DAYS, reckless=False))


def test_chain_and_mirror_agree_in_every_number(outcome):
    assert outcome.agreement.differing == []
    assert outcome.agreement.largest_difference == 0
    # Hours, accounts with eleven numbers each and more: nothing was left out.
    assert outcome.agreement.numbers > 73 * 8 * 11
    assert outcome.agreement.events > 100
    assert all(chain == mirror for _, chain, mirror in outcome.pairs)
    assert outcome.holds


def test_every_hour_has_its_price(outcome):
    prices = load_prices("BTC-USD")

    assert [sample.timestamp for sample in outcome.samples] == list(range(START, START + 3 * DAY + 1, HOUR))
    assert all(sample.price == prices.at(sample.timestamp) for sample in outcome.samples)
    assert outcome.transactions["commit"] == 73


def test_everybody_trades_and_closes(outcome):
    assert {"open maker", "open long", "open short", "close maker", "close long", "close short"} == set(outcome.orders)
    last = outcome.samples[-1]
    assert (last.maker, last.long, last.short) == (0, 0, 0)
    assert all(actor.deposits > 0 for actor in outcome.actors)


def test_the_reckless_are_liquidated_and_owe(outcome):
    assert outcome.liquidations
    assert {each.account.split()[0] for each in outcome.liquidations} == {"reckless"}
    assert sum(each.from_donation for each in outcome.liquidations) > 0
    debts = sum(-actor.left for actor in outcome.actors if actor.left < 0)
    assert debts == outcome.books.shortfall > 0
    (table,) = [table for table in all_tables(outcome) if table.title == "Who owes what"]
    assert [row[1] for row in table.rows if row[0] == "owes the market"] == [
        actor.name for actor in outcome.actors if actor.left < 0
    ]


def test_the_books_balance_to_the_micro_dollar(outcome):
    books = outcome.books
    out = books.withdrawn + books.paid_to_keepers + books.paid_to_roles
    assert books.deposited - out == books.balance
    assert books.balance == books.owed_to_accounts + books.owed_to_roles - books.shortfall + books.rounding
    assert 0 <= books.rounding == books.by_ledger <= books.rounding_bound
    assert books.by_events == 0
    assert books.difference == 0


def test_every_account_is_the_sum_of_what_happened_to_it(outcome):
    for actor in outcome.actors:
        assert actor.ledger.total == actor.left * 10**6
    assert sum(actor.deposits for actor in outcome.actors) == outcome.books.deposited
    assert sum(actor.withdrawals for actor in outcome.actors) == outcome.books.withdrawn


def test_keepers_are_paid_what_was_charged(outcome):
    charged = -sum(actor.ledger.settlement_fees for actor in outcome.actors)
    assert sum(keeper.settlement_fees for keeper in outcome.keepers) * 10**6 == charged > 0
    assert sum(keeper.commits for keeper in outcome.keepers) == 73
    fees = sum(each.fee for each in outcome.liquidations)
    assert sum(keeper.liquidation_fees for keeper in outcome.keepers) == fees > 0


def test_without_the_reckless_nobody_owes_and_all_is_paid(careful):
    assert careful.holds
    assert careful.liquidations == []
    assert careful.books.shortfall == 0
    assert [actor.left for actor in careful.actors] == [0] * 7
    assert [fee.owed for fee in careful.fees] == [0] * 4
    assert careful.books.balance == careful.books.rounding


def test_the_same_seed_makes_the_same_run(careful):
    again = play(careful.options)

    assert again.samples == careful.samples
    assert again.actors == careful.actors
    assert again.transactions == careful.transactions


def test_a_wrong_mirror_is_found_out(monkeypatch):
    def dearer(units, price):
        return position_fee(units, price) + (units > 0)

    monkeypatch.setattr("perennial.mirror.accounts.position_fee", dearer)

    outcome = play(Options(start=START, end=START + DAY, actors=4))

    assert outcome.agreement.largest_difference > 0
    assert any("AccountSettled" in text for text in outcome.agreement.differing)
    assert not outcome.holds


# -- The ratio of two feeds --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ratio():
    """From the top of June 2017 on, when the ratio loses a quarter in ten days."""
    market = listing("ETH-BTC")
    return play(Options("ETH-BTC", market.start, market.start + 25 * DAY, seed=5, actors=8))


def test_a_ratio_runs_through_two_feeds_and_a_payoff(ratio):
    closes = {name: load_prices(f"{name}-USD") for name in ("ETH", "BTC")} | {"ratio": load_prices("ETH-BTC")}

    assert ratio.holds
    assert ratio.agreement.numbers > 26 * 8 * 11
    assert [sample.timestamp for sample in ratio.samples] == list(
        range(ratio.options.start, ratio.options.end + 1, DAY)
    )
    for sample in ratio.samples:
        above, below = closes["ratio"].legs_at(sample.timestamp)
        assert above == closes["ETH"].at(sample.timestamp)
        assert sample.price == above * 10**6 // below * 1000
    assert ratio.transactions["commit"] == 26
    assert ratio.orders["open long"] > 0
    assert ratio.orders["close maker"] > 0


def test_a_ratio_says_what_is_not_as_live(ratio):
    assert ratio.changed == (
        "payoff of 1,000 USD times the ratio, instead of the price",
        "staleAfter 172,800 s instead of 60 s, because prices come every day",
        "riskFee 0.9 instead of 1, so that there is a donation",
    )
    html = render(ratio)
    assert all(text in html for text in ratio.changed)
    assert "26 daily prices" in html
    assert "day by day" in html
    assert "Live parameters of ETH-USD" in html
    assert f'"step":{DAY}' in html


def test_a_liquidation_of_a_ratio_waits_for_the_next_day(ratio):
    assert ratio.liquidations
    assert all(each.version - each.timestamp < HOUR for each in ratio.liquidations)
    assert all(each.version % DAY == 0 for each in ratio.liquidations)


def test_ticks_of_a_year_are_months():
    market = listing("ETH-BTC")
    times = Times(market.start, market.end)

    assert [times.label(tick) for tick in times.ticks()] == [
        "Jul 2017", "Sep 2017", "Nov 2017", "Jan 2018", "Mar 2018", "May 2018",
    ]  # fmt: skip
    assert times.label(Times(START, START + 3 * DAY).ticks()[0]) != ""
    assert Times(START, START + 3 * DAY).label(1_513_900_800) == "22 Dec"


# -- Pieces ------------------------------------------------------------------------------------------------------------


def test_agreement_counts_numbers_and_measures_differences():
    agreement = Agreement()

    agreement.compare("same", (1, (2, True)), (1, (2, True)))
    assert (agreement.numbers, agreement.largest_difference) == (3, 0)

    agreement.compare("price", (1, -5), (1, 2))
    assert (agreement.numbers, agreement.largest_difference) == (5, 7)
    agreement.compare("address", "0xaa", "0xbb")
    assert agreement.differing == ["price: chain (1, -5), mirror (1, 2)", "address: chain ('0xaa',), mirror ('0xbb',)"]


@pytest.mark.parametrize("columns", [60, NARROWEST, ROOMY])
@pytest.mark.parametrize("digits", [4, 12, 30])
def test_no_number_is_cut(columns, digits):
    numbers = [f"-{10**digits * 9 + index:,}.25" for index in range(8)]
    table = Table("Accounts", "USD.", ["", *"abcdefgh"], [["somebody with a name", *numbers]])
    output = io.StringIO()

    conclude(Console(width=columns, file=output), [table], Agreement(), 0)

    printed = output.getvalue()
    assert [number for number in numbers if number not in printed] == []
    assert "…" not in printed


class Page(HTMLParser):
    """Reads a page strictly: what is opened is closed, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in VOID - {"i", "path"} or tag == "i":
            self.open.append(tag)

    def handle_startendtag(self, tag, _attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_stands_alone(outcome):
    html = render(outcome)
    page = Page()
    page.feed(html)

    assert page.open == []
    assert page.links == []
    assert "://" not in html
    assert page.seen.count("figure") == 8
    assert page.seen.count("table") == len(all_tables(outcome))
    assert html.count('class="liquidation ') == len(outcome.liquidations)
    for actor in outcome.actors:
        assert actor.name in html


def test_the_command_writes_the_page_and_tells_the_result(tmp_path):
    report = tmp_path / "demo.html"

    result = CliRunner().invoke(
        cli, ["--start", "2017-12-22", "--end", "2017-12-23", "--actors", "4", "--report", str(report)]
    )

    assert result.exit_code == 0, result.output
    assert "largest difference of chain and mirror: 0.000000" in result.output
    assert "staleAfter 7,200 s" in result.output
    assert report.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--market", "DOGE-USD"], "no prices of DOGE-USD: there are BTC-USD, ETH-USD and ETH-BTC"),
        (["--market", "ETH-BTC", "--start", "2018-01-01T01:00"], "prices come on full days"),
        (["--market", "ETH-BTC", "--end", "2017-07-01"], "--end must be at least 24 days after --start"),
        (["--market", "ETH-BTC", "--end", "2019-03-21"], "reach from 2016-05-28 00:00 to 2019-03-20 00:00"),
        (["--start", "yesterday"], "'yesterday' does not match"),
        (["--start", "2010-01-01"], "reach from 2017-07-01 11:00 to 2019-10-17 09:00"),
        (["--start", "2018-01-02", "--end", "2018-01-01"], "--end must be at least 24 hours after --start"),
        (["--start", "2018-01-01T10:30"], "full hours"),
        (["--actors", "3"], "not in the range 4<=x<=60"),
        (["--actors", "many"], "not a valid integer range"),
        (["--report", "/nowhere/demo.html"], "no folder /nowhere"),
    ],
)
def test_what_cannot_be_run_is_said_at_once(arguments, message, monkeypatch):
    monkeypatch.setattr(stage, "anvil", lambda *_: pytest.fail("a chain was started"))

    result = CliRunner().invoke(cli, arguments)

    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output


def test_options_are_checked_without_a_command_line_too():
    with pytest.raises(DemoError, match="--actors must be 4 to 60, not 61"):
        replace(THREE_DAYS, actors=61).check()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_running(number, tmp_path):
    command = [sys.executable, "-m", "perennial.demo", "--report", str(tmp_path / "demo.html")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as demo:
        node = child_of(demo.pid)
        # Into the deployment at the latest.
        time.sleep(1)
        demo.send_signal(number)
        _, said = demo.communicate(timeout=120)

    assert demo.returncode != 0
    assert "Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(node, 0)


def child_of(parent):
    """Waits for the process that another one starts: its node."""
    for _ in range(300):
        found = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
        ).stdout
        for line in found.splitlines():
            pid, ppid, name = line.split(None, 2)
            if int(ppid) == parent and "anvil" in name:
                return int(pid)
        time.sleep(0.1)
    raise AssertionError("it starts no node")
