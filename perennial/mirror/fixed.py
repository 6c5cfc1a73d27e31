"""Whole-number arithmetic that says which way it rounds (docs/protocol.md §1.4), and the units of the protocol.

Amounts, sizes, prices and rates are integers with 6 decimals; accumulators, fee units and the stored funding rate
have 12. Python's `//` rounds toward minus infinity: what is received shrinks, what is paid grows.
"""

from decimal import Decimal

UNIT = 10**6
"""One, with 6 decimals: 1 USD, 1 unit of a payoff, 100 %."""

UNIT12 = 10**12
"""One, with 12 decimals."""

YEAR = 365 * 86_400
"""Seconds of the year that rates are per (docs/protocol.md §1.2)."""

DUST = 1000
"""A side smaller than this receives no distributions (docs/protocol.md §1.6); 0.001 units."""

MIN_INT256 = -(1 << 255)
"""As a size: close all that may be closed; as collateral: withdraw the most accepted (docs/protocol.md §5.8)."""


def ceil_div(a: int, b: int) -> int:
    """The quotient rounded up; `b` is positive."""
    return -(-a // b)


def trunc_div(a: int, b: int) -> int:
    """The quotient rounded toward zero; `b` is positive."""
    return a // b if a >= 0 else -(-a // b)


def clamp(a: int, bound: int) -> int:
    """`a` brought into [-bound, bound]."""
    return -bound if a < -bound else min(a, bound)


def parse(value: str | int | Decimal, decimals: int = 6) -> int:
    """The raw integer of a decimal number.

    Raises ValueError where it has more decimals than that: nothing is rounded in silence.
    """
    raw = Decimal(value).scaleb(decimals)
    if raw != raw.to_integral_value():
        raise ValueError(f"{value} has more than {decimals} decimals")
    return int(raw)
