"""The vault on chain and its mirror: every action goes to both, and every number is compared."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from perennial.chain import Contract
from perennial.demo.courier import Courier, Teller
from perennial.demo.stage import Stage, VaultPlan
from perennial.demo.twin import UNLIMITED, Twin, Watched
from perennial.mirror.errors import MarketError
from perennial.mirror.vault import Vault


class VaultTwin:
    """A vault over the markets of some twins."""

    def __init__(self, contract: Contract, stage: Stage, plan: VaultPlan, twins: Sequence[Twin], courier: Courier):
        self.contract, self.token, self.twins, self.courier = contract, stage.token, twins, courier
        self.mirror = Vault(
            twins[0].mirror.factory,
            plan.parameter,
            asset=stage.token.address,
            coordinator=stage.coordinator,
            owner=stage.owner,
            address=contract.address,
            known=[twin.mirror for twin in twins],
            now=courier.now,
        )
        for twin, terms in zip(twins, plan.markets, strict=True):
            self.mirror.register(twin.mirror, *terms)
            twin.accounts.append(contract.address)
        self.holders = [stage.coordinator]
        self._views: list[Watched] = []

    def at(self, timestamp: int) -> None:
        """What is done from now on is in the block of this time."""
        self.mirror.now = timestamp

    # -- Actions -------------------------------------------------------------------------------------------------------

    def fund(self, account: str, amount: int) -> None:
        """Gives an account tokens (6 decimals) and lets the vault take them; `compare` will follow it."""
        for function, arguments in (("mint", (account, amount)), ("approve", (self.contract.address, UNLIMITED))):
            self.courier.act(self.token, function, *arguments, sender=account, mirror=lambda: None, tells=[])
        self.courier.wallets[account] = amount
        self.holders.append(account)

    def deposit(self, account: str, assets: int) -> MarketError | None:
        """Requests a deposit."""
        mirror = partial(self.mirror.request_deposit, assets, account, account)
        return self._do("requestDeposit", assets, account, account, sender=account, mirror=mirror)

    def redeem(self, account: str, shares: int) -> MarketError | None:
        """Requests a redemption."""
        mirror = partial(self.mirror.request_redeem, shares, account, account)
        return self._do("requestRedeem", shares, account, account, sender=account, mirror=mirror)

    def claim(self, account: str) -> None:
        """Claims whatever can be claimed."""
        entered, left = self.mirror.max_deposit(account), self.mirror.max_redeem(account)
        if entered:
            mirror: Callable[[], Any] = partial(self.mirror.deposit, entered, account, account, caller=account)
            self._do("deposit", entered, account, account, sender=account, mirror=mirror)
        if left:
            mirror = partial(self.mirror.redeem, left, account, account, caller=account)
            self._do("redeem", left, account, account, sender=account, mirror=mirror)

    def close_epoch(self, keeper: str) -> MarketError | None:
        """Closes the open epoch."""
        return self._do("closeEpoch", sender=keeper, mirror=self.mirror.close_epoch)

    def settle(self, keeper: str) -> None:
        """Settles the closed epoch, if it can be."""
        self._do("settle", sender=keeper, mirror=self.mirror.settle)

    def rebalance(self, keeper: str) -> None:
        """Rebalances."""
        self._do("rebalance", sender=keeper, mirror=self.mirror.rebalance)

    # -- Comparison ----------------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """Compares every number of the vault and of who has a part of it; differences are noted, not raised."""
        if not self._views:
            self._views = list(self._watched())
        answers = self.courier.chain.ask_all([query for query, _ in self._views])
        for (query, mirror), answer in zip(self._views, answers, strict=True):
            self.courier.agreement.compare(query.function.name, answer, mirror())

    def epochs(self) -> tuple[int, ...]:
        """The mirror's `epochs`."""
        mirror = self.mirror
        now = mirror.pending, mirror.entering, mirror.closed_at, mirror.open_pockets
        return mirror.epoch, mirror.deposit_epoch, *now

    def books(self) -> tuple[int, ...]:
        """The mirror's `books`."""
        mirror = self.mirror
        requests = mirror.open_deposits, mirror.open_redeems, mirror.entering_net, mirror.pending_redeems
        return mirror.idle, mirror.reserved, *requests, mirror.last_assets, mirror.mark, mirror.insolvent

    def _watched(self) -> Iterable[Watched]:
        vault, mirror = self.contract, self.mirror
        yield vault.query("epochs"), self.epochs
        yield vault.query("books"), self.books
        yield vault.query("totalAssets"), mirror.total_assets
        yield vault.query("totalSupply"), mirror.total_supply
        yield self.token.query("balanceOf", vault.address), lambda: mirror.tokens
        views: dict[str, Callable[[str], int]] = {
            "balanceOf": mirror.balance_of,
            "maxDeposit": mirror.max_deposit,
            "maxMint": mirror.max_mint,
            "maxWithdraw": mirror.max_withdraw,
            "maxRedeem": mirror.max_redeem,
        }
        for holder in self.holders:
            for name, view in views.items():
                yield vault.query(name, holder), partial(view, holder)
            yield self.token.query("balanceOf", holder), partial(self.courier.wallets.__getitem__, holder)

    # -- Inside --------------------------------------------------------------------------------------------------------

    def _do(self, function: str, *arguments: Any, sender: str, mirror: Callable[[], Any]) -> MarketError | None:
        before = self.mirror.wallets.get(sender, 0)
        tells: list[tuple[Contract, Teller]] = [(self.contract, self.mirror)]
        tells += [(twin.stage.market, twin.mirror) for twin in self.twins]
        refused = self.courier.act(self.contract, function, *arguments, sender=sender, mirror=mirror, tells=tells)
        if sender in self.courier.wallets:
            self.courier.wallets[sender] += self.mirror.wallets.get(sender, 0) - before
        return refused
