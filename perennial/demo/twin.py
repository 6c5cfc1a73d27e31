"""The market on chain and its mirror: every action goes to both, and every number is compared.

An action that the mirror refuses must revert on chain with the same error and the same values; what it emits must be
the same event by event; and after every step each view must give the mirror's number.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from perennial.chain import Contract, Query, Receipt
from perennial.demo.keeper_fees import KeeperFees
from perennial.demo.options import DemoError
from perennial.demo.stage import Stage
from perennial.mirror.errors import MarketError
from perennial.mirror.factory import Factory
from perennial.mirror.market import Market
from perennial.mirror.orders import NOBODY
from perennial.mirror.state import Event
from perennial.mirror.versions import Update, Versions, price_of
from perennial.prices import encode_update

UNLIMITED = 2**256 - 1


Watched = tuple[Query, Callable[[], Any]]
"""A question to the chain, and who knows the mirror's answer."""


class MismatchError(DemoError):
    """Chain and mirror differ in what they accept or tell."""


@dataclass(slots=True)
class Agreement:
    """How far chain and mirror agree: numbers and events compared, refusals that were the same."""

    numbers: int = 0
    events: int = 0
    refusals: int = 0
    largest_difference: int = 0
    differing: list[str] = field(default_factory=list)

    def compare(self, name: str, chain: Any, mirror: Any) -> None:
        """Compares two values, or two structs of them: integers by their difference, anything else by equality."""
        left, right = tuple(_flat(chain)), tuple(_flat(mirror))
        self.numbers += len(left)
        if left == right:
            return
        self.differing.append(f"{name}: chain {left}, mirror {right}")
        gaps = (
            abs(a - b) if isinstance(a, int) and isinstance(b, int) else 1 for a, b in zip(left, right, strict=False)
        )
        self.largest_difference = max(self.largest_difference, 1, *gaps)


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction that waits for its block, with what the mirror made of it."""

    hash: str
    function: str
    arguments: tuple[Any, ...]
    sender: str
    refused: MarketError | None
    events: list[Event]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(str(argument) for argument in self.arguments)}) of {self.sender}"


class Twin:
    """A market and its mirror on one clock. Actions wait for `mine`, which makes the block of their time."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.chain = stage, stage.chain
        self.now = stage.genesis
        self.versions = Versions(self.now)
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
        )
        self.keeper_fees = KeeperFees(self.mirror, self.versions)
        self.agreement = Agreement()
        self.transactions: Counter[str] = Counter()
        self.gas = 0
        self.accounts: list[str] = []
        self.wallets: dict[str, int] = {}
        self._sent: list[Sent] = []
        self._views: list[Watched] = []

    # -- Time ----------------------------------------------------------------------------------------------------------

    def at(self, timestamp: int) -> None:
        """What is done from now on is in the block of this time."""
        self.now = self.versions.now = timestamp

    def mine(self) -> list[Event]:
        """Makes the block; returns what the market emitted in it. Raises MismatchError."""
        receipts = self.chain.mine(self.now)
        sent, self._sent = self._sent, []
        if [receipt.hash for receipt in receipts] != [each.hash for each in sent]:
            raise DemoError(f"{len(sent)} transactions were sent, the block at {self.now} has {len(receipts)}")
        return [event for pair in zip(receipts, sent, strict=True) for event in self._check(*pair)]

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
        self.accounts.append(account)
        self.wallets[account] = amount

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
        self.wallets[account] -= self.mirror.balance - before
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
        answers = self.chain.ask_all([query for query, _ in self._views])
        for (query, mirror), answer in zip(self._views, answers, strict=True):
            self.agreement.compare(query.function.name, answer, mirror())

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
        for holder in self.wallets:
            yield market.query("claimable", holder), partial(mirror.claimable, holder)
            yield self.stage.token.query("balanceOf", holder), partial(self.wallets.__getitem__, holder)

    # -- Inside --------------------------------------------------------------------------------------------------------

    def _paid(self, contract: Contract, function: str, *arguments: Any, sender: str, mirror: Callable[[], int]) -> int:
        amount = 0

        def pay() -> None:
            nonlocal amount
            amount = mirror()

        self._do(contract, function, *arguments, sender=sender, mirror=pay)
        self.wallets[sender] += amount
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
        """Does an action in the mirror and puts it into the next block; what the mirror refuses it with, if it does."""
        events = self.mirror.events = []
        refused = None
        try:
            mirror()
        except MarketError as error:
            refused = error
        transaction = contract.submit(function, *arguments, sender=sender, value=value)
        self._sent.append(Sent(transaction, function, arguments, sender, refused, events))
        self.transactions[function] += 1
        return refused

    def _check(self, receipt: Receipt, sent: Sent) -> list[Event]:
        """Compares what became of a transaction; returns what the market emitted."""
        self.gas += receipt.gas_used
        if not receipt.succeeded:
            reverted = self.chain.why(sent.hash)
            refused = sent.refused
            if refused is None or (type(refused).__name__, refused.args) != (reverted.name, reverted.values):
                raise MismatchError(f"{sent}: chain {reverted}, mirror {refused or 'accepts'}")
            self.agreement.refusals += 1
            return []
        if sent.refused is not None:
            raise MismatchError(f"{sent}: chain accepts, mirror {sent.refused}")
        events = self.stage.market.events(receipt)
        if [name for name, _ in events] != [name for name, _ in sent.events]:
            raise MismatchError(f"{sent}: chain emits {events}, mirror {sent.events}")
        for (name, values), (_, expected) in zip(events, sent.events, strict=True):
            self.agreement.compare(f"{name} of {sent}", values, expected)
        self.agreement.events += len(events)
        return events


def _nothing() -> None:
    """The mirror has no wallets: the twin counts them."""


def _flat(value: Any) -> Iterable[Any]:
    """The values of a struct, of the chain (tuples) or of the mirror (dataclasses), one after the other."""
    if isinstance(value, (tuple, list)):
        for part in value:
            yield from _flat(part)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from _flat(getattr(value, name))
    else:
        yield value
