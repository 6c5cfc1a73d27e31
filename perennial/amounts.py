"""Decimal text to the integers of the contracts, which have 6 decimals (docs/protocol.md §1.1), and back."""

from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, localcontext

ONE = 10**6

_EXACT = Context(prec=100, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact])
"""Of numbers with more digits than any amount none is cut off in silence."""


def raw(value: str | int | Decimal) -> int:
    """The integer with 6 decimals behind a decimal number: `raw("1.5") == 1_500_000`.

    Raises ValueError for more than 6 decimals and for what is no number, TypeError for a float: money is never rounded
    in passing.
    """
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float: write it as text, {str(value)!r}, or as a Decimal")
    # As somebody has written it: a Decimal of 0.00000001 calls itself 1E-8.
    said = f"{value:f}" if isinstance(value, Decimal) else repr(value)
    try:
        with localcontext(_EXACT):
            scaled = Decimal(value) * ONE
    except Inexact as error:
        raise ValueError(f"{said} has more digits than any amount") from error
    except ArithmeticError as error:
        raise ValueError(f"{said} is not a number") from error
    if not scaled.is_finite():
        raise ValueError(f"{said} is not a number")
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{said} has more than 6 decimals")
    return int(scaled)


def decimal(amount: int) -> Decimal:
    """The number behind an integer with 6 decimals."""
    return _EXACT.scaleb(Decimal(amount), -6)
