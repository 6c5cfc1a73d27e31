"""The books of a market as its views show them: the one check of all tests that move money (docs/protocol.md §14)."""

from collections.abc import Callable, Sequence
from typing import Any

Read = Callable[..., Sequence[Any]]
"""Calls a view of the market by name and returns its values, those of a struct one after the other."""


def check_books(read: Read, accounts: Sequence[Any], balance: int) -> int:
    """Asserts that a market owes no more than it has, and that its accounts add up to it; returns what is left over.

    `accounts` are all accounts that ever had to do with the market, settled to its latest version; `balance` are its
    tokens, USD with 6 decimals. What is left over is rounding, and what somebody may have sent to the market.
    """
    collaterals = [read("collateral", account)[0] for account in accounts]
    owed = sum(-collateral for collateral in collaterals if collateral < 0)
    shortfall = read("shortfall")[0]
    assert shortfall == owed, f"shortfall {shortfall}, accounts owe {owed}"

    claimable = sum(read("claimable", account)[0] for account in accounts)
    claims = sum(collaterals) + claimable + sum(read("fees"))
    assert balance >= claims, f"the market owes {claims} and has {balance}"

    for market, account in (("position", "positions"), ("pendingPosition", "pendingPositions")):
        sizes = list(zip(*(read(account, name)[1:] for name in accounts), strict=True))
        sums = tuple(sum(side) for side in sizes)
        expected = tuple(read(market)[1:])
        assert sums == expected, f"{account} add up to {sums}, {market} is {expected}"
    return int(balance - claims)
