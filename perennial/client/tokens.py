"""Who takes tokens of an account: a market or a vault."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spender:
    """A contract that takes `token` (an address); `scale` is what a raw unit of 6 decimals is in it."""

    name: str
    address: str
    token: str
    scale: int
