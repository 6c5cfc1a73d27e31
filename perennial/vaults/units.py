"""Prices of shares and parts, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.client.numbers import shown

if TYPE_CHECKING:
    from decimal import Decimal

    from perennial.mirror.vault import Vault as Mirror

SHARE_DECIMALS = 6
"""That shares have beyond the token's."""

SHARE_UNIT = 10**6
PRICE = 10**18
"""Decimals of prices of shares, of parts and of rates."""


def part(numerator: int, denominator: int) -> Decimal:
    """A part or a rate with 18 decimals, rounded down."""
    return shown(numerator * PRICE // denominator, 18)


def price_of(assets: int, shares: int) -> Decimal:
    """The price of a share in the token: raw assets (and one) by raw shares (and the virtual ones), rounded down."""
    return part(assets * SHARE_UNIT, shares)


def raw_price(mirror: Mirror) -> int:
    """The price of a share at what the markets' mirrors say, as an integer of 18 decimals."""
    assets: int = mirror.total_assets() + 1
    return assets * SHARE_UNIT * PRICE // mirror.virtual_supply


def share_price(mirror: Mirror) -> Decimal:
    """The same for people."""
    return shown(raw_price(mirror), 18)
