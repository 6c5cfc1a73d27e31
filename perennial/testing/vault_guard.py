"""What nobody may do to others in a vault, looked at around every action (docs/protocol.md §12.3, §14.8, §14.9).

Nobody else's action lowers what somebody has: shares (held, claimable, handed in) and tokens (claimable, handed in).
No call of the vault lowers the price of a share: what lowers it are the markets, and the coordinator's profit share.
No call takes collateral that a position needs at its leverage and tolerance.
"""

from typing import NamedTuple

from perennial.mirror.errors import MarketError
from perennial.mirror.fixed import UNIT
from perennial.mirror.vault import Vault
from perennial.mirror.vault_allocation import terms
from perennial.mirror.vault_state import VIRTUAL, Requests


class Holding(NamedTuple):
    """What an account has in a vault; `slots` are what it has handed in: kind, epoch, amount."""

    shares: int
    assets: int
    slots: tuple[tuple[str, int, int], ...]


class Price(NamedTuple):
    """Assets of all shares, and one, over all shares and the virtual ones; with every market settled."""

    assets: int
    shares: int

    def falls_to(self, later: "Price") -> bool:
        """Whether a share is worth less later."""
        return later.assets * self.shares < self.assets * later.shares


def holding(vault: Vault, account: str) -> Holding:
    """What an account has."""
    slots = []
    for kind, requests, settled in (
        ("deposit", vault.deposits, vault.deposit_rates.keys()),
        ("redeem", vault.redeems, vault.redeem_rates.keys()),
    ):
        waiting = requests.get(account, Requests()).slots
        slots += [(kind, slot.epoch, slot.amount) for slot in waiting if slot.amount and slot.epoch not in settled]
    shares = vault.balance_of(account) + vault.max_mint(account) + vault.returned_shares(account)
    assets = vault.max_withdraw(account) + sum(vault.returnable(pocket, account) for pocket in vault.pockets)
    return Holding(shares, assets, tuple(slots))


class Guard:
    """Looks at a vault before an action and after it; `check` raises AssertionError."""

    def __init__(self, vault: Vault, accounts: list[str], *, priced: bool) -> None:
        """`priced`: the price of a share is looked at as well."""
        self.vault, self.accounts = vault, accounts
        self.holdings = {account: holding(vault, account) for account in accounts}
        self.price: Price | None = None
        self.collaterals: dict[str, int] = {}
        # A pending epoch settles with what it was closed with.
        self.leverages = {entry.market.address: entry.settling_leverage for entry in vault.markets}
        if priced:
            settled = _settled(vault)
            self.collaterals = _collaterals(settled)
            if not vault.pending or _values_are_todays(settled):
                self.price = _price(settled)

    def check(self, parties: set[str]) -> None:
        """Raises AssertionError where somebody who is not among the parties has lost something."""
        vault = self.vault
        for account in self.accounts:
            if account not in parties:
                _check_holding(vault, account, self.holdings[account])
        if not self.collaterals:
            return
        settled = _settled(vault)
        self._check_leverage(settled)
        if self.price is None:
            return
        shared = any(name == "ProfitShared" for name, _ in vault.events or ())
        price = _price(settled)
        # The part of those who left is rounded in each pocket.
        rounded = Price(price.assets + len(vault.pockets), price.shares)
        # What is in a vault without holders is no price: it is for those who come.
        held = self.price.shares > VIRTUAL and self.price.assets > 1
        if held and not shared and price.assets > 1:
            assert not self.price.falls_to(rounded), f"a share falls from {self.price} to {price}"

    def _check_leverage(self, settled: Vault) -> None:
        for entry in settled.markets:
            market = entry.market
            held, size = market.collateral(settled.address), market.positions(settled.address).maker
            if size == 0 or held >= self.collaterals.get(market.address, 0):
                continue
            leverage = max(entry.leverage, self.leverages.get(market.address, 0))
            leverage, least = terms(leverage, market.risk)
            kept = max(size * abs(market.price) // leverage, least)
            kept = kept * (UNIT - settled.parameter.tolerance) // UNIT
            assert held >= kept, f"{market.address} is left with {held} for a size of {size}, which needs {kept}"


def _check_holding(vault: Vault, account: str, before: Holding) -> None:
    """Requests may have become claims; nothing else may have changed, but for a gift."""
    after = holding(vault, account)
    shares, assets = before.shares, before.assets
    for kind, epoch, amount in before.slots:
        if (kind, epoch, amount) in after.slots:
            continue
        # It has settled: everybody of the epoch gets the same.
        if kind == "deposit":
            rate = vault.deposit_rates[epoch]
            shares += amount * rate.shares // rate.assets
        else:
            rate = vault.redeem_rates[epoch]
            assets += amount * rate.assets // rate.shares
            unfilled = vault.shortages[epoch].unfilled if epoch in vault.shortages else 0
            shares += amount * unfilled // rate.shares
    assert after.shares >= shares, f"{account} has {after.shares} shares of {shares}"
    assert after.assets >= assets, f"{account} has a claim on {after.assets} tokens of {assets}"
    assert set(after.slots) <= set(before.slots), f"{account} is in other epochs: {after.slots}, was {before.slots}"


def _settled(vault: Vault) -> Vault:
    """A copy, its markets settled as far as they can be."""
    settled = vault.copy()
    for entry in settled.markets:
        try:
            entry.market.settle(settled.address, caller=settled.address)
        except MarketError:
            continue
    return settled


def _collaterals(settled: Vault) -> dict[str, int]:
    """What the vault has in its markets, by address: 6 decimals."""
    return {entry.market.address: entry.market.collateral(settled.address) for entry in settled.markets}


def _price(settled: Vault) -> Price:
    return Price(settled.total_assets() + 1, settled.supply + VIRTUAL)


def _values_are_todays(settled: Vault) -> bool:
    """Whether a settlement values markets as they are now: what a market did after the epoch's version is its own."""
    for entry in settled.markets:
        market, record = entry.market, entry.market.versions.get(entry.version)
        if entry.exposed and record is not None and record.accumulators.maker != market.accumulators.maker:
            return False
        if entry.exposed and market.collateral(settled.address) < 0:
            return False
    charges = settled.scale * sum(entry.charge for entry in settled.markets)
    # Fees beyond what those who come or go have are the others'.
    worth = settled.pending_redeems * (settled.total_assets() + 1) // settled.virtual_supply
    return charges <= (worth if settled.leaving else settled.entering_net)
