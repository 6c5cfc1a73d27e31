"""Results: frozen, printed for people by `str` and by rich, and turned into dicts for machines."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

TIMES = frozenset({"version", "latest", "current", "until", "time", "from_time", "to_time", "expiry", "as_of"})
"""Fields that are Unix seconds, 0 for none."""


_LAST = 253_402_300_800
"""The end of the year 9999."""


class Record:
    """What every result is: a frozen dataclass of numbers (Decimal), names, times (Unix seconds) and other results."""

    __slots__ = ()

    hidden: ClassVar[frozenset[str]] = frozenset()
    """Fields that are for machines alone."""

    def to_dict(self) -> dict[str, Any]:
        """Every field: decimals as text, times as Unix seconds, tuples as lists, results as dicts of their own."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]

    def rows(self) -> Iterator[tuple[str, str]]:
        """What people get to see: the label and the value of each field that says something."""
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if value is None or value == () or field.name in self.hidden:
                continue
            yield field.name.replace("_", " "), moment(value) if field.name in TIMES else text(value)

    def __str__(self) -> str:
        rows = list(self.rows())
        width = max((len(label) for label, _ in rows), default=0)
        lines = []
        for label, value in rows:
            first, *rest = value.split("\n")
            lines += [f"{label:<{width}}  {first}", *(" " * (width + 2) + line for line in rest)]
        return "\n".join(lines)

    def __rich__(self) -> Table:
        from rich.table import Table

        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        for label, value in self.rows():
            table.add_row(label, value)
        return table


def text(value: Any) -> str:
    """A value for people: decimals with separators and no more zeros than two, times left to `moment`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Record):
        return str(value)
    if isinstance(value, tuple):
        return ("\n" if any(isinstance(item, Record) for item in value) else ", ").join(text(item) for item in value)
    return str(value)


def number(value: Decimal) -> str:
    """A decimal with separators: at least two decimals, and no zeros after that."""
    whole, _, decimals = f"{value:,f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"


def moment(value: int) -> str:
    """Unix seconds for people, in UTC; as they are where no calendar goes so far."""
    if not 0 <= value < _LAST:
        return str(value)
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S") if value else "none"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
