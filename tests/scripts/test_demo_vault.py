"""The demo with a vault: three days of it, from the first deposit to the last claim."""

import pytest
from click.testing import CliRunner

from perennial.demo.cli import cli
from perennial.demo.options import DemoError, Options
from perennial.demo.vaults.outcome import PARTS
from perennial.demo.vaults.page import render
from perennial.demo.vaults.plan import MARKETS, depositors
from perennial.demo.vaults.replay import prices_of, run
from perennial.demo.vaults.tables import all_tables
from perennial.prices import DAY, HOUR, load_prices

# The worst hours: on the 22nd the price of BTC falls by an eighth within one.
START = 1_513_814_400 + HOUR
THREE_DAYS = Options(start=START, end=START + 3 * DAY, seed=5, actors=8, reckless=False, vault=True)


@pytest.fixture(scope="module")
def outcome():
    return run(THREE_DAYS, prices_of(THREE_DAYS), lambda *_: None)


def test_chain_and_mirror_agree_in_every_number(outcome):
    assert outcome.agreement.differing == []
    assert outcome.agreement.largest_difference == 0
    # Hours, two markets with four accounts and the vault of seven numbers each, the vault with six for each holder.
    assert outcome.agreement.numbers > 73 * (2 * 5 * 7 + 7 * 6)
    assert all(chain == mirror for _, chain, mirror in outcome.pairs)
    assert outcome.holds


def test_gains_and_losses_sum_to_nothing_to_the_micro_dollar(outcome):
    assert sum(value for _, value in outcome.zero_sum) == 0
    assert outcome.difference == outcome.books.difference == 0
    assert [market.books.difference for market in outcome.markets] == [0, 0]
    vault = sum(actor.net for market in outcome.markets for actor in market.actors if actor.kind == "vault")
    assert vault == outcome.books.made
    left = outcome.books.balance + outcome.books.left_in_markets
    results = sum(each.result for each in (*outcome.depositors, outcome.coordinator))
    assert results + left == vault
    # The virtual shares keep what the first epoch paid more for its orders than they cost at the next price.
    assert 0 <= left < 10**6


def test_everybody_enters_and_leaves(outcome):
    assert len(outcome.depositors) == len(depositors())
    for each in outcome.depositors:
        assert each.paid_in > 0
        assert each.taken_out > each.paid_in // 2
    last = outcome.samples[-1]
    assert last.assets < 10**6
    assert last.leverages == (0, 0)
    assert sum(each.redeems > 0 for each in outcome.epochs) >= 2
    assert sum(each.deposits for each in outcome.epochs) == outcome.books.paid_in
    assert sum(each.paid for each in outcome.epochs) >= outcome.books.paid_out
    assert all(each.settled > each.closed for each in outcome.epochs)


def test_the_vault_makes_markets(outcome):
    for index, name in enumerate(MARKETS):
        prices = load_prices(name)
        market = outcome.markets[index]
        assert [sample.price for sample in market.samples] == [
            prices.at(sample.timestamp) for sample in outcome.samples
        ]
        assert max(sample.leverages[index] for sample in outcome.samples) > 500_000
        (vault,) = [actor for actor in market.actors if actor.kind == "vault"]
        assert vault.ledger.maker_fees > 0
        assert vault.ledger.settlement_fees < 0


def test_what_depositors_have_is_what_the_vault_has(outcome):
    waiting = {}
    for sample in outcome.samples:
        # But for the coordinator's shares and rounding; requests wait outside of the assets.
        waiting[sample.timestamp] = sum(sample.holdings) - sample.assets
    assert all(value > -outcome.coordinator.result - 10**9 for value in waiting.values())
    assert any(value == pytest.approx(0, abs=10**6) for value in waiting.values())


def test_the_page_and_the_tables(outcome):
    html = render(outcome)

    assert html.count("<figure>") == 7
    assert html.count("<table>") == len(all_tables(outcome)) == 8
    assert "://" not in html
    for each in (*outcome.depositors, *PARTS, *MARKETS):
        assert getattr(each, "name", each) in html
    asked = sum(1 for each in outcome.epochs if each.deposits or each.redeems)
    assert html.count('<circle class="request ') == asked


def test_the_command(outcome, monkeypatch, tmp_path):
    report = tmp_path / "vault.html"
    monkeypatch.setattr("perennial.demo.vaults.replay.run", lambda *_: outcome)

    window = ["--start", "2017-12-21T01:00", "--end", "2017-12-24T01:00"]
    result = CliRunner().invoke(cli, ["--vault", *window, "--report", str(report)])

    assert result.exit_code == 0, result.output
    assert "a vault over BTC-USD and ETH-USD" in result.output
    assert "books: 0.000000 USD off" in result.output
    assert "An LP vault over BTC-USD and ETH-USD" in report.read_text()


def test_books_that_do_not_balance_are_found_out(outcome):
    books = outcome.books
    short = type(books)(**{name: getattr(books, name) for name in books.__slots__} | {"paid_out": books.paid_out - 1})

    assert books.difference == 0
    assert short.difference == 1


def test_other_markets_are_refused():
    with pytest.raises(DemoError, match="leave --market out"):
        Options(market="ETH-USD", vault=True).check()
    result = CliRunner().invoke(cli, ["--vault", "--market", "ETH-USD"])
    assert (result.exit_code, "leave --market out" in result.output) == (1, True)
