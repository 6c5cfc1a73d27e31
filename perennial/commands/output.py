"""What commands print: tables and results for people, JSON alone on standard output for machines."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console, Group
from rich.measure import Measurement
from rich.table import Table

from perennial.client.records import TIMES, Record, moment, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

WIDTH = 200
"""Columns where nobody says how many there are: in a pipe."""

_BOUNDLESS = 10_000
"""Columns that no table needs."""


@dataclass(frozen=True)
class Listing:
    """Many results of a kind, as a table with these columns (titles to fields); `empty` is said where there are none.

    `whole` is what machines get instead, `below` what people get beneath, `code` what the command exits with.
    """

    values: Sequence[Record]
    columns: dict[str, str]
    empty: str
    whole: Record | None = None
    below: Record | None = None
    code: int = 0


Answer = Record | Listing


def show(answer: Answer, *, as_json: bool) -> None:
    """Prints what a command answers."""
    if as_json:
        click.echo(json.dumps(_content(answer), indent=2))
        return
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    if isinstance(answer, Record):
        _print(console, answer)
        return
    console.print(fit(console, table(answer.values, answer.columns)) if answer.values else answer.empty)
    if answer.below is not None:
        console.print()
        _print(console, answer.below)


def _print(console: Console, value: Record) -> None:
    """A result, plain in a pipe: a table would fill its lines with spaces."""
    if console.is_terminal:
        console.print(value)
    else:
        click.echo(str(value))


def table(values: Sequence[Record], columns: dict[str, str]) -> Table:
    """A table of results; columns that say nothing in any row are left out."""
    cells = {title: [_cell(field, getattr(value, field)) for value in values] for title, field in columns.items()}
    shown = {title: column for title, column in cells.items() if any(cell not in ("", "0.00") for cell in column)}
    found = Table(box=None, pad_edge=False, header_style="bold")
    for title, column in shown.items():
        is_number = all(_is_number(cell) for cell in column if cell)
        found.add_column(title, justify="right" if is_number else "left", overflow="fold")
    for row in zip(*shown.values(), strict=True):
        found.add_row(*row)
    return found


def _is_number(cell: str) -> bool:
    """Whether it is neither text nor a time nor a hash."""
    return cell.lstrip("-")[:1].isdigit() and ":" not in cell and not cell.startswith("0x")


def fit(console: Console, table: Table) -> RenderableType:
    """A table; where it is wider than the terminal, its rows one after the other, each figure on a line of its own.

    Squeezed into the width, numbers would be cut into pieces.
    """
    boundless = console.options.update(max_width=_BOUNDLESS)
    if Measurement.get(console, boundless, table).maximum <= console.width:
        return table
    parts: list[RenderableType] = [str(table.title)] if table.title else []
    columns = [(str(column.header), [str(cell) for cell in column.cells]) for column in table.columns]
    for index in range(table.row_count):
        row = Table(show_header=False, box=None, pad_edge=False)
        row.add_column(style="bold", no_wrap=True)
        row.add_column(overflow="fold")
        for header, cells in columns:
            if cells[index] not in ("", "0.00"):
                row.add_row(header, cells[index])
        parts += [row] if index == table.row_count - 1 else [row, ""]
    return Group(*parts)


def failure(message: str, content: dict[str, Any], *, as_json: bool) -> None:
    """What went wrong: for people on standard error, for machines on standard output as well."""
    click.echo(f"Error: {message}", err=True)
    if as_json:
        click.echo(json.dumps({"error": content}, indent=2))


def _content(answer: Answer) -> Any:
    if isinstance(answer, Record):
        return answer.to_dict()
    if answer.whole is not None:
        return answer.whole.to_dict()
    return [value.to_dict() for value in answer.values]


def _cell(field: str, value: Any) -> str:
    if value is None:
        return ""
    return moment(value) if field in TIMES else text(value)
