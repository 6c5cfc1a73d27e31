"""The market on chain and its mirror: every action goes to both, and every number is compared.

What an action emits, or is refused with, the courier compares; after every step each view must give the mirror's
number.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from perennial.chain import Contract, Query
from perennial.demo.courier import Courier
from perennial.demo.keeper_fees import KeeperFees
from perennial.demo.stage import Stage
from perennial.mirror.errors import MarketError
from perennial.mirror.factory import Factory
from perennial.mirror.market import Market
from perennial.mirror.orders import NOBODY
from perennial.mirror.versions import Update, Versions, price_of
from perennial.prices import encode_update

UNLIMITED = 2**256 - 1


Watched = tuple[Query, Callable[[], Any]]
"""A question to the chain, and who knows the mirror's answer."""


class Twin:
    """A market and its mirror on the courier's clock."""

    def __init__(self, stage: Stage, courier: Courier) -> None:
        self.stage, self.courier = stage, courier
        self.versions = Versions(courier.now)
        factory = Factory(stage.protocol, owner=stage.owner, oracle_factory=stage.oracle_factory.address)
        self.mirror = Market(
            factory,
            self.versions,
            stage.risk,
            stage.parameter,
            coordinator=stage.coordinator,
            beneficiary=stage.beneficiary,
            payoff=stage.payoff,
            token=stage.token.address,
            address=stage.market.address,
        )
        self.keeper_fees = KeeperFees(self.mirror, self.versions)
        self.accounts: list[str] = []
        self.holders: list[str] = []
        self._views: list[Watched] = []

    # -- Time ----------------------------------------------------------------------------------------------------------

    def at(self, timestamp: int) -> None:
        """What is done from now on is in the block of this time."""
        self.courier.now = self.versions.now = timestamp

    # -- Actions -------------------------------------------------------------------------------------------------------

    def set_granularity(self, seconds: int) -> None:
        """Spaces the versions; the owner of the OracleFactory may."""
        stage = self.stage
        arguments = (stage.oracle.address, seconds)
        owner = stage.owner
        self._do(
            stage.oracle_factory,
            "updateGranularity",
            *arguments,
            sender=owner,
            mirror=lambda: self.versions.update_granularity(seconds),
        )

    def fund(self, account: str, amount: int) -> None:
        """Gives an account tokens (6 decimals) and lets the market take them; `compare` will follow it."""
        token, market = self.stage.token, self.stage.market
        self._do(token, "mint", account, amount, sender=account, mirror=_nothing)
        self._do(token, "approve", market.address, UNLIMITED, sender=account, mirror=_nothing)
        self.follow(account, amount)
        self.accounts.append(account)

    def follow(self, holder: str, amount: int = 0) -> None:
        """Compares from now on what a holder of tokens has, and what the market owes it."""
        self.holders.append(holder)
        self.courier.wallets.setdefault(holder, amount)

    def commit(self, version: int, updates: Sequence[Update], keeper: str) -> None:
        """Commits a version with Pyth's updates, one of each feed."""
        stage = self.stage
        by_feed = {feed.id: [update] for feed, update in zip(stage.feeds, updates, strict=True)}

        def mirror() -> None:
            price, published = price_of(self.versions, version, stage.feeds, by_feed, stage.window)
            self.versions.commit(version, price, published, keeper)

        data = [encode_update(feed, update) for feed, (update,) in by_feed.items()]
        arguments = ([stage.oracle.address], version, data)
        self._do(stage.adapter, "commit", *arguments, sender=keeper, value=stage.pyth_fee, mirror=mirror)

    def update(self, account: str, maker: int = 0, taker: int = 0, collateral: int = 0) -> MarketError | None:
        """Trades for an account, as itself; what both refuse it with, if they do."""
        before = self.mirror.balance
        refused = self._do(
            self.stage.market,
            "update",
            *(account, maker, taker, collateral, NOBODY),
            sender=account,
            mirror=lambda: self.mirror.update(account, maker, taker, collateral),
        )
        self.courier.wallets[account] -= self.mirror.balance - before
        return refused

    def settle(self, account: str, keeper: str) -> None:
        """Settles an account."""
        self._do(
            self.stage.market,
            "settle",
            account,
            sender=keeper,
            mirror=lambda: self.mirror.settle(account, caller=keeper),
        )

    def liquidate(self, account: str, keeper: str) -> None:
        """Liquidates an account."""
        self._do(
            self.stage.market,
            "liquidate",
            account,
            sender=keeper,
            mirror=lambda: self.mirror.liquidate(account, caller=keeper),
        )

    def claim(self, account: str) -> int:
        """Pays an account its credits; returns the amount."""
        return self._paid(
            self.stage.market,
            "claim",
            *(account, account),
            sender=account,
            mirror=lambda: self.mirror.claim(account, caller=account),
        )

    def claim_fee(self, role: str) -> int:
        """Pays a role its fees; returns the amount, 0 where the market cannot pay it."""
        return self._paid(
            self.stage.market, "claimFee", role, sender=role, mirror=lambda: self.mirror.claim_fee(caller=role)
        )

    def claim_settlement_fees(self, versions: Sequence[int], keeper: str) -> int:
        """Pays a keeper the settlement fees of versions that it committed; returns the amount."""
        return self._paid(
            self.stage.oracle_factory,
            "claim",
            *(self.stage.market.address, versions, keeper),
            sender=keeper,
            mirror=lambda: self.keeper_fees.claim(versions, keeper),
        )

    # -- Comparison ----------------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """Compares every number of the market, its oracle and its accounts; differences are noted, not raised."""
        if not self._views:
            self._views = [*self._market_views(), *self._account_views()]
        answers = self.courier.chain.ask_all([query for query, _ in self._views])
        for (query, mirror), answer in zip(self._views, answers, strict=True):
            self.courier.agreement.compare(query.function.name, answer, mirror())

    def _market_views(self) -> Iterable[Watched]:
        stage, mirror, market = self.stage, self.mirror, self.stage.market
        yield market.query("position"), mirror.position
        yield market.query("pendingPosition"), mirror.pending_position
        yield market.query("price"), lambda: mirror.price
        yield market.query("fundingRate"), mirror.funding_rate
        yield market.query("fees"), mirror.claimable_fees
        yield market.query("settlementFeesTotal"), mirror.settlement_fees_total
        yield market.query("shortfall"), lambda: mirror.shortfall
        yield market.query("pendingCount"), mirror.pending_count
        yield stage.oracle.query("status"), self.versions.status
        yield stage.oracle.query("next"), lambda: self.versions.next
        yield stage.token.query("balanceOf", market.address), lambda: mirror.balance
        fees = self.keeper_fees
        yield stage.oracle_factory.query("balances", market.address), lambda: (fees.keepers, fees.owner)

    def _account_views(self) -> Iterable[Watched]:
        mirror, market = self.mirror, self.stage.market
        views: dict[str, Callable[[str], Any]] = {
            "collateral": mirror.collateral,
            "positions": mirror.positions,
            "pendingPositions": mirror.pending_positions,
            "requirement": mirror.requirement,
            "liquidatable": mirror.liquidatable,
            "locked": mirror.locked,
            "pendingCounts": mirror.pending_counts,
        }
        for account in self.accounts:
            for name, view in views.items():
                yield market.query(name, account), partial(view, account)
        for holder in self.holders:
            yield market.query("claimable", holder), partial(mirror.claimable, holder)
            yield self.stage.token.query("balanceOf", holder), partial(self.courier.wallets.__getitem__, holder)

    # -- Inside --------------------------------------------------------------------------------------------------------

    def _paid(self, contract: Contract, function: str, *arguments: Any, sender: str, mirror: Callable[[], int]) -> int:
        amount = 0

        def pay() -> None:
            nonlocal amount
            amount = mirror()

        self._do(contract, function, *arguments, sender=sender, mirror=pay)
        self.courier.wallets[sender] += amount
        return amount

    def _do(
        self,
        contract: Contract,
        function: str,
        *arguments: Any,
        sender: str,
        mirror: Callable[[], Any],
        value: int = 0,
    ) -> MarketError | None:
        """Does an action in both; what the mirror refuses it with, if it does."""
        tells = [(self.stage.market, self.mirror)]
        return self.courier.act(contract, function, *arguments, sender=sender, mirror=mirror, tells=tells, value=value)


def _nothing() -> None:
    """The mirror has no wallets: the courier counts them."""
