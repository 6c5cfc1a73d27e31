"""Payoffs ± scale · price^(half_power / 2) (docs/protocol.md §12.1), as contracts/payoff/PowerPayoff.sol."""

from dataclasses import dataclass
from math import isqrt
from typing import Protocol

from perennial.mirror.errors import MarketError

# ruff: noqa: N818, D101 -- the names of errors are those of the contracts, where the documentation is

MAX_HALF_POWER = 4
MAX_SCALE = 10**36
"""A factor of 10^18; scales have 18 decimals."""

MAX_PRICE = 1 << 72
MAX_PAYOFF = 10**38


class HalfPowerOutOfRange(MarketError): ...


class ScaleOutOfRange(MarketError): ...


class PriceNotPositive(MarketError): ...


class PayoffOverflow(MarketError): ...


class PayoffZero(MarketError): ...


class Payoff(Protocol):
    """The interface of a payoff (contracts/interfaces/IPayoffProvider.sol)."""

    def payoff(self, price: int) -> int:
        """The market's price at the oracle's, both with 6 decimals."""


@dataclass(slots=True, frozen=True)
class PowerPayoff:
    """± scale · price^(half_power / 2): `scale` has 18 decimals, `half_power` is -4 … 4 but not 0.

    Raises HalfPowerOutOfRange, ScaleOutOfRange.
    """

    half_power: int
    scale: int
    negative: bool = False

    def __post_init__(self) -> None:
        if self.half_power == 0 or abs(self.half_power) > MAX_HALF_POWER:
            raise HalfPowerOutOfRange(self.half_power)
        if not 0 < self.scale <= MAX_SCALE:
            raise ScaleOutOfRange(self.scale)

    def payoff(self, price: int) -> int:
        """The market's price at the oracle's, both with 6 decimals, rounded toward zero.

        Raises PriceNotPositive, PayoffOverflow, PayoffZero.
        """
        if price <= 0:
            raise PriceNotPositive(price)
        if price >= MAX_PRICE:
            raise PayoffOverflow(price)
        result = self._magnitude(price)
        if result == 0:
            raise PayoffZero(price)
        if result >= MAX_PAYOFF:
            raise PayoffOverflow(price)
        return -result if self.negative else result

    def _magnitude(self, price: int) -> int:
        """The result without sign: for an odd half power the root of its square."""
        root = self.half_power % 2 != 0
        power = self.half_power if root else self.half_power // 2
        factor = self.scale**2 if root else self.scale
        divisor = 10 ** ((24 if root else 12) + 6 * power)
        square = factor // (price**-power * divisor) if power < 0 else factor * price**power // divisor
        return isqrt(square) if root else square
