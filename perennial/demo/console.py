"""The results in the terminal."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from perennial.demo.courier import Agreement
from perennial.demo.outcome import Outcome
from perennial.demo.tables import Table, all_tables
from perennial.demo.text import day, fixed

ROOMY = 132
"""From so many columns on there is room for everything."""

NARROWEST = 100
"""So many columns are always used: a narrower terminal breaks lines."""

WIDEST = 1_000
"""More columns than any table needs."""


def results() -> Console:
    """Where results go: the terminal, or a file as if it were a wide one."""
    console = Console(highlight=False)
    console.width = max(console.width, NARROWEST) if console.is_terminal else ROOMY
    return console


def announce(console: Console, outcome: Outcome) -> None:
    """Prints every table, and whether it all holds."""
    conclude(console, all_tables(outcome, brief=console.width < ROOMY), outcome.agreement, outcome.books.difference)


def conclude(console: Console, tables: Sequence[Table], agreed: Agreement, off: int) -> None:
    """Prints tables, and how far chain and mirror differ and the books (USD, 6 decimals) are off."""
    for table in tables:
        _show(console, table)
    console.print(
        f"largest difference of chain and mirror: [bold]{fixed(agreed.largest_difference, 6)}[/] in {agreed.numbers:,} "
        f"numbers; books: [bold]{fixed(off, 6)}[/] USD off"
    )
    for text in agreed.differing[:5]:
        console.print(f"[red]{text}[/]", highlight=False)


def introduce(console: Console, outcome_of: str, start: int, end: int, changed: tuple[str, ...]) -> None:
    """Prints what is going to happen."""
    console.print(f"[bold]{outcome_of}[/], {day(start)} to {day(end)}, on a local chain", highlight=False)
    for change in changed:
        console.print(f"  parameter {change}", highlight=False, style="dim")


def _show(console: Console, table: Table) -> None:
    """Prints a table, with more room where there is; no number is cut, however long: the terminal breaks lines."""
    for padding in (1, 0):
        # Columns stand a space apart by themselves.
        shown = _drawn(table, padding)
        needed = console.measure(shown, options=console.options.update(width=WIDEST)).maximum
        if needed <= console.width:
            break
    width, console.width = console.width, max(console.width, needed)
    console.print(shown)
    console.print()
    console.width = width


def _drawn(table: Table, padding: int) -> RichTable:
    drawn = RichTable(
        title=table.title,
        title_justify="left",
        title_style="bold",
        caption=table.note,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, padding),
    )
    for place, column in enumerate(table.columns):
        drawn.add_column(column, justify="left" if place < table.texts else "right", no_wrap=True)
    for index, row in enumerate(table.rows):
        if table.total and index == len(table.rows) - 1:
            drawn.add_section()
        drawn.add_row(*row)
    return drawn
