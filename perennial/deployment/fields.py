"""Reads files that people write, and collects all that is wrong with one, each with the field's name and limit."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from eth_utils.address import is_address, is_checksum_address, to_checksum_address

from perennial.amounts import raw

if TYPE_CHECKING:
    from pathlib import Path

ZERO = "0x" + "0" * 40

_MISSING: Any = object()


class FileError(ValueError):
    """A file cannot be used. `problems` has a line for each reason."""

    def __init__(self, path: Path | str, problems: list[str]) -> None:
        super().__init__("\n".join([f"{path}:", *(f"  {problem}" for problem in problems)]))
        self.path, self.problems = path, problems


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file; numbers with a point are Decimals, nothing becomes a float. Raises FileError."""
    try:
        return tomllib.loads(path.read_text(), parse_float=Decimal)
    except OSError as error:
        raise FileError(path, [f"cannot be read: {error.strerror}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise FileError(path, [f"is no TOML: {error}"]) from error


class Fields:
    """The fields of one table. Each reader takes a field once, notes what is wrong and then returns something usable.

    `finish` notes what nobody took. Problems of nested tables join those of the outermost.
    """

    def __init__(self, values: Any, path: str = "", problems: list[str] | None = None) -> None:
        self.path, self.problems = path, [] if problems is None else problems
        self._values: dict[str, Any] = dict(values) if isinstance(values, dict) else {}
        if not isinstance(values, dict):
            self.problem("", f"a table is needed, not {values!r}")

    def problem(self, name: str, text: str) -> None:
        """Notes a problem of a field, or of the table itself."""
        self.problems.append(f"{self._name(name)}: {text}")

    def has(self, name: str) -> bool:
        """Whether a field is there and was not taken."""
        return name in self._values

    def table(self, name: str) -> Fields:
        """A nested table, empty where it is missing."""
        if name not in self._values:
            self.problem(name, "is missing")
        return Fields(self._values.pop(name, {}), self._name(name), self.problems)

    def tables(self, name: str) -> list[Fields]:
        """A list of tables."""
        entries = self._take(name, [])
        if not isinstance(entries, list):
            self.problem(name, "a list of tables is needed")
            return []
        return [Fields(entry, f"{self._name(name)}[{index}]", self.problems) for index, entry in enumerate(entries)]

    def names(self) -> list[str]:
        """Fields that are there and were not taken."""
        return list(self._values)

    def text(self, name: str, default: Any = _MISSING) -> str:
        """A text that is not empty."""
        value = self._take(name, default)
        if value is None:
            return ""
        if not isinstance(value, str) or not value:
            self.problem(name, f"a text is needed, not {value!r}")
            return ""
        return value

    def flag(self, name: str, default: Any = _MISSING) -> bool:
        """True or false."""
        value = self._take(name, default)
        if not isinstance(value, bool):
            if value is not None:
                self.problem(name, f"true or false is needed, not {value!r}")
            return False
        return value

    def whole(self, name: str, low: int, high: int, default: Any = _MISSING) -> int:
        """A whole number between two limits, both allowed."""
        value = self._take(name, default)
        if isinstance(value, str) and value.lstrip("-").isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            if value is not None:
                self.problem(name, f"a whole number is needed, not {value!r}")
            return low
        if not low <= value <= high:
            self.problem(
                name, f"{value} is {'below' if value < low else 'above'} its limit {low if value < low else high}"
            )
        return value

    def amount(self, name: str, default: Any = _MISSING, decimals: int = 6) -> int:
        """A decimal number that is not negative, as an integer with `decimals` decimals."""
        value = self._take(name, default)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            self.problem(name, f"a number is needed, not {value!r}")
            return 0
        try:
            result = raw(value) if decimals == 6 else _scaled(value, decimals)
        except ValueError as error:
            self.problem(name, str(error))
            return 0
        if result < 0:
            self.problem(name, f"{value} is below its limit 0")
        return result

    def address(self, name: str, default: Any = _MISSING, words: tuple[str, ...] = ()) -> str:
        """An address, checksummed; or one of `words` as it stands."""
        return self._address(name, self._take(name, default), words)

    def addresses(self, name: str, words: tuple[str, ...] = ()) -> list[str]:
        """A list of addresses, or of `words`."""
        values = self._take(name, [])
        if not isinstance(values, list):
            self.problem(name, "a list of addresses is needed")
            return []
        found = [self._address(f"{name}[{index}]", value, words) for index, value in enumerate(values)]
        if len(set(found)) != len(found):
            self.problem(name, "has an address twice")
        return found

    def identifier(self, name: str) -> str:
        """32 bytes that are not zero, in lower-case hex."""
        value = self._take(name, _MISSING)
        if value is None:
            return ""
        text = value.removeprefix("0x").lower() if isinstance(value, str) else ""
        if len(text) != 64 or set(text) - set("0123456789abcdef") or not text.strip("0"):
            self.problem(name, f"32 bytes in hex that are not zero are needed, not {value!r}")
            return ""
        return "0x" + text

    def finish(self) -> None:
        """Notes fields that nobody asked for: a name that is misspelt must not pass as one that is left out."""
        for name in self._values:
            self.problem(name, "is not a field that is known here")
        self._values = {}

    def _take(self, name: str, default: Any) -> Any:
        if name in self._values:
            return self._values.pop(name)
        if default is _MISSING:
            self.problem(name, "is missing")
            return None
        return default

    def _address(self, name: str, value: Any, words: tuple[str, ...]) -> str:
        if value is None or value in words:
            return value or ZERO
        if not isinstance(value, str) or not is_address(value):
            self.problem(name, f"an address is needed{' or ' if words else ''}{' or '.join(words)}, not {value!r}")
            return ZERO
        if value.lower() != value and not is_checksum_address(value):
            self.problem(name, f"the checksum of {value} is wrong: is it mistyped?")
        if int(value, 16) == 0:
            self.problem(name, "the zero address")
        return str(to_checksum_address(value))

    def _name(self, name: str) -> str:
        return ".".join(part for part in (self.path, name) if part) or "file"


def _scaled(value: str | int | Decimal, decimals: int) -> int:
    try:
        scaled = Decimal(value).scaleb(decimals)
    except ArithmeticError as error:
        raise ValueError(f"{value!r} is not a number") from error
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"{value!r} has more than {decimals} decimals")
    return int(scaled)
