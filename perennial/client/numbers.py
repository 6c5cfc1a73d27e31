"""What a person writes to what the contracts take, exactly: sizes, dollars, shares, times."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, localcontext

from perennial.amounts import ONE, decimal, raw
from perennial.client.errors import InputError

Number = str | int | Decimal
"""A decimal number without rounding errors: text, an integer or a Decimal, never a float."""

ALL = -(2**255)
"""As a size or as collateral in `Market.update`: closes or withdraws all there is (docs/protocol.md §5.8)."""

_TOO_LARGE = 2**128
"""What no market and no vault can hold, in raw numbers."""

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")

_SPAN = re.compile(r"([0-9]{1,18})\s*(s|m|h|d|w)")
_UNIX = re.compile(r"[0-9]{10,18}")
_LAST = 2**32 - 1
"""The last timestamp of the contracts (docs/protocol.md §1.2)."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def amount(name: str, value: Number) -> int:
    """A positive number with 6 decimals, as the integer of the contracts. InputError names what it is for."""
    result = signed(name, value)
    if result <= 0:
        raise InputError(f"{name}: {value} is not more than 0")
    return result


def signed(name: str, value: Number) -> int:
    """A number with 6 decimals of either sign. InputError for a float, for more decimals, for what is no number."""
    if isinstance(value, float):
        raise InputError(
            f"{name}: {value!r} is a float, which rounds in passing: write it as text, {str(value)!r}, or as a Decimal"
        )
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise InputError(f"{name}: {value!r} is no number: write it as text, such as '0.5', or as a Decimal")
    plain = _plain(name, value) if isinstance(value, str) else value
    try:
        found = raw(plain)
    except ValueError as error:
        raise InputError(f"{name}: {error}") from error
    if abs(found) >= _TOO_LARGE:
        raise InputError(f"{name}: {value} is larger than anything there is")
    return found


def units(name: str, value: Number, decimals: int) -> int:
    """A positive number as an integer of so many decimals. InputError names what it is for."""
    if isinstance(value, float):
        raise InputError(f"{name}: {value!r} is a float, which rounds in passing: write it as text, or as a Decimal")
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise InputError(f"{name}: {value!r} is no number: write it as text, such as '0.5', or as a Decimal")
    try:
        found = Decimal(_plain(name, value) if isinstance(value, str) else value)
        with localcontext(prec=100):
            scaled = found.scaleb(decimals)
    except ArithmeticError as error:
        raise InputError(f"{name}: {value!r} is not a number") from error
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise InputError(f"{name}: {value} has more than {decimals} decimals")
    if scaled <= 0:
        raise InputError(f"{name}: {value} is not more than 0")
    if scaled >= _TOO_LARGE:
        raise InputError(f"{name}: {value} is larger than anything there is")
    return int(scaled)


def _plain(name: str, value: str) -> str:
    """Without separators. A comma that may be meant for a point is refused: "0,5" must not become 5."""
    text = value.strip().replace("_", "")
    if "," in text and not _THOUSANDS.fullmatch(text):
        raise InputError(
            f"{name}: {value!r}: decimals follow a point, as in 0.5; commas are between thousands, as 1,000"
        )
    return text.replace(",", "")


def shown(amount: int, decimals: int) -> Decimal:
    """The number behind an integer of so many decimals."""
    # Not by scaleb, which rounds to the precision of the context.
    sign, digits, _ = Decimal(amount).as_tuple()
    return Decimal((sign, digits, -decimals))


def units_for(usd: int, price: int) -> int:
    """How many units `usd` dollars are at a price, rounded down: an estimate, since an order settles at a later price.

    All with 6 decimals. InputError without a price, and where it is less than a millionth of a unit.
    """
    if price == 0:
        raise InputError("the market has no price yet: give the size in units")
    units = usd * ONE // abs(price)
    if units == 0:
        raise InputError(f"{decimal(usd)} USD are less than a millionth of a unit at a price of {decimal(price)}")
    return units


def first_block(since: int | None) -> int | None:
    """The number of a block from which on somebody wants to know; InputError for what is none."""
    if since is not None and (isinstance(since, bool) or not isinstance(since, int) or since < 0):
        raise InputError(f"since: {since!r} is no number of a block")
    return since


def instant(name: str, value: str | int | datetime, now: int) -> int:
    """Unix seconds of a date ("2026-12-24", "2026-12-24T18:00", in UTC), a span from now ("36h", "7d") or a datetime.

    InputError for what is none of them, for what is not after `now`, and for what no timestamp can say.
    """
    seconds = _instant(name, value, now)
    if seconds <= now:
        raise InputError(f"{name}: {value} is not after now, {datetime.fromtimestamp(now, UTC).isoformat()}")
    if seconds > _LAST:
        raise InputError(
            f"{name}: {value} is after {datetime.fromtimestamp(_LAST, UTC):%Y-%m-%d}, where timestamps end"
        )
    return seconds


def _instant(name: str, value: str | int | datetime, now: int) -> int:
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        if span := _SPAN.fullmatch(value.strip()):
            return now + int(span[1]) * _SECONDS[span[2]]
        if _UNIX.fullmatch(value.strip()):
            return int(value)
        try:
            return _instant(name, datetime.fromisoformat(value.strip()), now)
        except ValueError:
            pass
    raise InputError(f"{name}: {value!r} is neither a date (2026-12-24) nor a span (36h, 7d) nor Unix seconds")
