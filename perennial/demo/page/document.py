"""The page: what it was, the charts, the tables."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from perennial.demo.outcome import Outcome
from perennial.demo.page.axes import INNER, LEFT, WIDTH, Times
from perennial.demo.page.charts import Panel, draw, panels
from perennial.demo.tables import Table, all_tables
from perennial.demo.text import count, day, fixed

_HERE = Path(__file__).parent

NARROW = 3
"""Tables of so many columns stand in pairs."""


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on a page, in words and numbers; `cards` are figures, what each is, what is behind it."""

    title: str
    lede: str
    cards: Sequence[tuple[str, str, str]]
    hint: str
    panels: Sequence[Panel]
    tables: Sequence[Table]
    footer: str
    start: int
    end: int
    step: int


def render(outcome: Outcome) -> str:
    """The whole page, which opens without a network."""
    options = outcome.options
    return write(
        Page(
            title=f"{options.market}, {day(options.start)} to {day(options.end)}",
            lede=_lede(outcome),
            cards=_cards(outcome),
            hint=_hint(outcome),
            panels=panels(outcome),
            tables=all_tables(outcome),
            footer=_footer(outcome),
            start=options.start,
            end=options.end,
            step=options.listing.step,
        )
    )


def write(page: Page) -> str:
    """The HTML of a page."""
    times, last = Times(page.start, page.end), len(page.panels) - 1
    drawn = "".join(draw(panel, times, dates=index in (0, last)) for index, panel in enumerate(page.panels))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Perennial: {escape(page.title)}</title>
<style>{(_HERE / "page.css").read_text()}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">Perennial · demo</p>
<h1>{escape(page.title)}</h1>
<p class="lede">{escape(page.lede)}</p>
</header>
<section class="cards">{"".join(_card(*card) for card in page.cards)}</section>
<section id="charts"><p id="when">{escape(page.hint)}</p>{drawn}</section>
<section class="tables">{"".join(map(_table, page.tables))}</section>
<footer><p>{escape(page.footer)}</p></footer>
</main>
<script>const RUN = {json.dumps(_data(page), separators=(",", ":"))};
{(_HERE / "page.js").read_text()}</script>
</body>
</html>
"""


def _lede(outcome: Outcome) -> str:
    sent = sum(outcome.transactions.values())
    adverb = "daily" if outcome.options.listing.period == "day" else "hourly"
    return (
        f"{count(len(outcome.samples), f'{adverb} price')} through PythOracle, {count(len(outcome.actors), 'actor')}, "
        f"{count(len(outcome.keepers), 'keeper')}, {count(sent, 'transaction')} on a local chain; "
        "every action went to the mirror as well."
    )


def _hint(outcome: Outcome) -> str:
    period = outcome.options.listing.period
    window = f"{day(outcome.options.start)} to {day(outcome.options.end)}"
    return f"{window}, {period} by {period}. Point at a chart for its numbers."


def _cards(outcome: Outcome) -> list[tuple[str, str, str]]:
    """What to see first: a figure, what it is, what is behind it."""
    agreed, books = outcome.agreement, outcome.books
    debtors = sum(actor.left < 0 for actor in outcome.actors)
    donated = sum(each.from_donation for each in outcome.liquidations)
    return [
        (fixed(agreed.largest_difference, 0, 0), "chain minus mirror", f"largest of {agreed.numbers:,} numbers"),
        (fixed(books.difference, 6), "USD missing in the books", f"of {fixed(books.deposited, 0)} deposited"),
        (fixed(outcome.volume, 0), "USD traded", f"{sum(outcome.orders.values()):,} orders"),
        (str(len(outcome.liquidations)), "liquidations", f"fees from the donation: {fixed(donated)}"),
        (fixed(books.shortfall), "USD shortfall", f"owed by {count(debtors, 'account')}"),
    ]


def _card(figure: str, name: str, detail: str) -> str:
    return f"<div><b>{escape(figure)}</b><span>{escape(name)}</span><small>{escape(detail)}</small></div>"


def _table(table: Table) -> str:
    width = "half" if len(table.columns) <= NARROW else "full"
    last = len(table.rows) - 1
    rows = "".join(
        _row("td", row, table.texts, "total" if table.total and index == last else "")
        for index, row in enumerate(table.rows)
    )
    return (
        f'<article class="{width}"><h2>{escape(table.title)}</h2><p>{escape(table.note)}</p><div class="scroll">'
        f"<table><thead>{_row('th', table.columns, table.texts)}</thead><tbody>{rows}</tbody></table></div></article>"
    )


def _row(tag: str, cells: Sequence[str], texts: int, style: str = "") -> str:
    """A row of a table; its first cells are words."""
    parts = [
        f'<{tag} class="{"text" if place < texts else "number"}">{escape(cell)}</{tag}>'
        for place, cell in enumerate(cells)
    ]
    return f'<tr class="{style}">{"".join(parts)}</tr>'


def _footer(outcome: Outcome) -> str:
    changed = "; ".join(outcome.changed)
    return (
        f"Live parameters of {outcome.options.listing.live}, changed only: {changed}. Seed {outcome.options.seed}. "
        f"Prices: {outcome.price_source}. Actors and their trades are made up. Times are UTC."
    )


def _data(page: Page) -> dict[str, object]:
    """What the script shows under the pointer."""
    shown = [series for panel in page.panels for series in panel.series if series.key]
    return {
        "start": page.start,
        "step": page.step,
        "left": LEFT,
        "inner": INNER,
        "width": WIDTH,
        "series": {each.key: [round(value, each.decimals) for value in each.shown or each.values] for each in shown},
    }
