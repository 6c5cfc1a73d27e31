"""Tables for people: whole where the terminal is wide enough, else a figure a line."""

from io import StringIO

from rich.console import Console
from rich.table import Table

from perennial.commands.output import fit


def shown(width):
    table = Table("market", "price", "collateral", "fee", title="block 7", box=None)
    table.add_row("BTC-USD", "60,020.993449", "2,936.263824", "0.00")
    table.add_row("ETH-BTC", "0.049983", "", "0.10")
    text = StringIO()
    console = Console(file=text, width=width)
    console.print(fit(console, table))
    return [line.rstrip() for line in text.getvalue().splitlines()]


def test_a_table_that_fits_stays_one():
    lines = shown(80)

    assert lines[1].split() == ["market", "price", "collateral", "fee"]
    assert lines[2].split() == ["BTC-USD", "60,020.993449", "2,936.263824", "0.00"]


def test_a_table_that_does_not_fit_keeps_its_numbers_whole():
    assert shown(30) == [
        "block 7",
        "market      BTC-USD",
        "price       60,020.993449",
        "collateral  2,936.263824",
        "",
        "market  ETH-BTC",
        "price   0.049983",
        "fee     0.10",
    ]
