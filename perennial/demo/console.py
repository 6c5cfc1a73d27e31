"""The results in the terminal."""

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from perennial.demo.outcome import Outcome
from perennial.demo.tables import Table, all_tables
from perennial.demo.text import day, fixed

CENTS = 132
"""From so many columns on there is room for cents everywhere."""


def announce(console: Console, outcome: Outcome) -> None:
    """Prints every table, and whether it all holds."""
    for table in all_tables(outcome, 2 if console.width >= CENTS else 0):
        _show(console, table)
    agreed, books = outcome.agreement, outcome.books
    console.print(
        f"largest difference of chain and mirror: [bold]{fixed(agreed.largest_difference, 6)}[/] in {agreed.numbers:,} "
        f"numbers; books: [bold]{fixed(books.difference, 6)}[/] USD off"
    )
    for text in agreed.differing[:5]:
        console.print(f"[red]{text}[/]", highlight=False)


def introduce(console: Console, outcome_of: str, start: int, end: int, changed: tuple[str, ...]) -> None:
    """Prints what is going to happen."""
    console.print(f"[bold]{outcome_of}[/], {day(start)} to {day(end)}, on a local chain", highlight=False)
    for change in changed:
        console.print(f"  parameter {change}", highlight=False, style="dim")


def _show(console: Console, table: Table) -> None:
    shown = RichTable(
        title=table.title,
        title_justify="left",
        title_style="bold",
        caption=table.note,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
    )
    for place, column in enumerate(table.columns):
        shown.add_column(column, justify="left" if place < table.texts else "right", no_wrap=True)
    for index, row in enumerate(table.rows):
        if table.total and index == len(table.rows) - 1:
            shown.add_section()
        shown.add_row(*row)
    console.print(shown)
