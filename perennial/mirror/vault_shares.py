"""Shares of a vault as an ERC-20 (contracts/vault/Vault.sol): six more decimals than the token."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from perennial.mirror import vault_errors as errors
from perennial.mirror.orders import NOBODY

UNLIMITED = (1 << 256) - 1
"""An allowance that is not used up."""


class VaultShares:
    """Balances and allowances; accounts are any strings. A call that is refused raises and changes nothing."""

    def __init__(self) -> None:
        self.supply = 0
        self.balances: dict[str, int] = {}
        self.allowances: dict[tuple[str, str], int] = {}

    def total_supply(self) -> int:
        """All shares, those that the vault holds for claims and requests included."""
        return self.supply

    def balance_of(self, account: str) -> int:
        """Shares of an account."""
        return self.balances.get(account, 0)

    def allowance(self, owner: str, spender: str) -> int:
        """What the spender may transfer."""
        return self.allowances.get((owner, spender), 0)

    def approve(self, spender: str, value: int, *, caller: str) -> None:
        """Lets a spender transfer the caller's shares; raises ERC20InvalidSpender."""
        if spender == NOBODY:
            raise errors.ERC20InvalidSpender(spender)
        self.allowances[caller, spender] = value

    def transfer(self, to: str, value: int, *, caller: str) -> None:
        """Moves the caller's shares; raises ERC20InvalidReceiver, ERC20InsufficientBalance."""
        self._transfer(caller, to, value)

    def transfer_from(self, owner: str, to: str, value: int, *, caller: str) -> None:
        """Moves an owner's shares by allowance; raises ERC20InsufficientAllowance and what `transfer` does."""
        with self._atomic():
            self._spend(owner, caller, value)
            self._transfer(owner, to, value)

    def _spend(self, owner: str, spender: str, value: int) -> None:
        allowed = self.allowance(owner, spender)
        if allowed == UNLIMITED:
            return
        if allowed < value:
            raise errors.ERC20InsufficientAllowance(spender, allowed, value)
        self.allowances[owner, spender] = allowed - value

    def _transfer(self, owner: str, to: str, value: int) -> None:
        if to == NOBODY:
            raise errors.ERC20InvalidReceiver(to)
        held = self.balance_of(owner)
        if held < value:
            raise errors.ERC20InsufficientBalance(owner, held, value)
        self.balances[owner] = held - value
        self.balances[to] = self.balance_of(to) + value

    def _mint(self, to: str, value: int) -> None:
        self.supply += value
        self.balances[to] = self.balance_of(to) + value

    def _burn(self, owner: str, value: int) -> None:
        self.supply -= value
        self.balances[owner] -= value

    @contextmanager
    def _atomic(self) -> Iterator[None]:
        """Takes back what a refused call changed."""
        before = self._saved()
        try:
            yield
        except errors.MarketError:
            self.__dict__.update(before)
            raise

    def _saved(self) -> dict[str, Any]:
        return {name: deepcopy(value) for name, value in self.__dict__.items()}
