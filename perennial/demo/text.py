"""Numbers and times as people read them. Rounded for the eye alone, half away from zero."""

from datetime import UTC, datetime

from perennial.mirror.fixed import UNIT


def fixed(amount: int, decimals: int = 2, scale: int = 6) -> str:
    """An integer with `scale` decimals as text with `decimals`, thousands apart: 1234567890 is "1,234.57"."""
    unit = 10 ** (scale - decimals) if scale > decimals else 1
    rounded = (abs(amount) + unit // 2) // unit
    whole, part = divmod(rounded, 10**decimals)
    sign = "-" if amount < 0 and rounded else ""
    return f"{sign}{whole:,}" + (f".{part:0{decimals}}" if decimals else "")


def percent(share: int, decimals: int = 1) -> str:
    """A share with 6 decimals in percent."""
    return f"{fixed(share * 100, decimals)} %"


def leverage(value: int) -> str:
    """A leverage with 6 decimals, with one decimal where it needs it."""
    return f"{fixed(value, 1 if value % UNIT else 0)}x"


def moment(timestamp: int) -> str:
    """Date and hour, UTC."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%d %b %Y %H:%M")


def day(timestamp: int) -> str:
    """Date, UTC."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%d %b %Y}".lstrip("0")


def count(number: int, noun: str) -> str:
    """A number of things: "1 account", "1,489 hours"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
