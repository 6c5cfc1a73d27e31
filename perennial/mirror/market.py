"""The market: makers, longs and shorts against one price, to the last digit of contracts/Market.sol (docs/protocol.md).

Amounts, sizes, prices and rates have 6 decimals unless stated; accounts are any strings (addresses, where a chain is
mirrored). A call that is refused raises a `MarketError` and changes nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict
from typing import Any

from perennial.mirror import accounts as rooms
from perennial.mirror.accounts import MAX_COLLATERAL, Account, Liquidation
from perennial.mirror.accumulators import NO_PARTS, ZERO, Parts, VersionRecord
from perennial.mirror.errors import (
    AccountLocked,
    BothSides,
    CollateralOverflow,
    InsufficientCollateral,
    InsufficientMaintenance,
    InsufficientMargin,
    InsufficientTokens,
    MarketClosed,
    MarketError,
    MarketPaused,
    NotCoordinator,
    NotFeeRole,
    NotLiquidatable,
    NotOperator,
    NotOwner,
    OverClose,
    ReferrerMismatch,
    RewardAlreadySet,
    SizeOverflow,
    StalePrice,
    TooManyPending,
    WrongSide,
    ZeroBeneficiary,
)
from perennial.mirror.factory import Factory
from perennial.mirror.fees import Fees
from perennial.mirror.fixed import MIN_INT256, UNIT, trunc_div
from perennial.mirror.margin import liquidation_fee, maintenance, margin
from perennial.mirror.oracle import OracleProvider, OracleVersion
from perennial.mirror.orders import NOBODY, Change, Order, PendingVersion, charge, check_limits
from perennial.mirror.parameters import (
    MarketParameter,
    RiskParameter,
    validate_market,
    validate_risk,
)
from perennial.mirror.position import Book, Position, Side
from perennial.mirror.settlement import sync

PRICE_LIMIT = 10**17
"""|price| from here on makes a version invalid (docs/protocol.md §1.5)."""

SIZE_LIMIT = 1 << 63
"""Sizes are below this (docs/protocol.md §1.5)."""

MAX_SETTLEMENT = (1 << 44) - 1
"""Pending settlement fees of an account have 44 bits on chain."""

Event = tuple[str, tuple[Any, ...]]


class Market:
    """A market. Public attributes are what the contract stores; methods carry the names of its functions.

    `balance` and `reward_balance` are the tokens that it holds. `events`, where set to a list, collects what the
    contract would emit as `(name, values)`. `dust_bound` (USD, 18 decimals) bounds what rounding can have left in the
    market so far, `saturated` says that an amount hit the bounds of its storage.
    """

    def __init__(
        self,
        factory: Factory,
        oracle: OracleProvider,
        risk: RiskParameter,
        parameter: MarketParameter,
        *,
        coordinator: str = "coordinator",
        beneficiary: str = "beneficiary",
        payoff: Callable[[int], int] | None = None,
        reward: bool = False,
    ) -> None:
        """Opens a market as the factory does; raises ParameterOutOfBounds.

        `payoff` raises ArithmeticError or ValueError where the contract would revert.
        """
        validate_risk(risk, factory.parameter)
        validate_market(parameter, factory.parameter, reward)
        self.factory, self.oracle, self.payoff = factory, oracle, payoff
        self.risk, self.parameter = risk, parameter
        self.coordinator, self.beneficiary, self.reward = coordinator, beneficiary, reward

        self.book, self.pending = Book(), Book()
        self.timestamp = self.newest = self.price = self.funding_rate12 = 0
        self.valid = False
        self.accumulators = self.reward_accumulators = ZERO
        self.parts: tuple[Parts, Parts, Parts] = (NO_PARTS, NO_PARTS, NO_PARTS)
        self.fees = Fees(protocol_fee=factory.parameter.protocol_fee)
        self.shortfall = 0
        self.queue: list[PendingVersion] = []
        self.versions: dict[int, VersionRecord] = {}
        self.settlement_fees_at: dict[int, int] = {}
        self.accounts: dict[str, Account] = {}
        self.credits: dict[str, int] = {}
        self.balance = self.reward_balance = 0

        self.deposited = self.withdrawn = self.dust_bound = 0
        self.saturated = False
        self.events: list[Event] | None = None

    # -- Trading -------------------------------------------------------------------------------------------------------

    def update(
        self,
        account: str,
        maker_delta: int = 0,
        taker_delta: int = 0,
        collateral_delta: int = 0,
        referrer: str = NOBODY,
        *,
        caller: str | None = None,
    ) -> None:
        """Changes an account's size at the current version and its collateral at once.

        The caller is the account where none is given.
        """
        with self._atomic(account):
            self._check_open()
            caller = caller or account
            if maker_delta and taker_delta:
                raise BothSides(maker_delta, taker_delta)
            if maker_delta or taker_delta or collateral_delta < 0:
                self._check_operator(account, caller)
            latest, current = self.oracle.status()
            self._settle(account, latest)
            state = self.accounts[account]
            change = self._resolve(state, maker_delta, taker_delta)
            if state.liquidation and (maker_delta or taker_delta or collateral_delta < 0):
                if collateral_delta != MIN_INT256 or maker_delta or taker_delta:
                    raise AccountLocked(account, state.liquidation.timestamp)
                collateral_delta = 0
            if change:
                self._check_fresh(latest, current)
                if change.opened and self.parameter.closed:
                    raise MarketClosed
                self._place(account, state, change, current, referrer, forced=False)
            moved = self._move_collateral(account, state, collateral_delta, latest, current, caller)
            self._check_margin(state, change, moved)
            if change:
                self.oracle.request(account)

    def settle(self, account: str) -> None:
        """Settles the market and the account up to the oracle's latest version."""
        with self._atomic(account):
            self._check_open()
            self._settle(account, self.oracle.status()[0])

    def advance(self, maximum: int) -> None:
        """Settles at most `maximum` pending versions of the market."""
        with self._atomic(None):
            self._check_open()
            sync(self, self.oracle.status()[0], maximum)

    def liquidate(self, account: str, *, caller: str) -> None:
        """Closes what is left of an unhealthy account at the current version and locks it until then."""
        with self._atomic(account):
            self._check_open()
            latest, current = self.oracle.status()
            self._settle(account, latest)
            state = self.accounts[account]
            if state.liquidation:
                raise AccountLocked(account, state.liquidation.timestamp)
            self._check_fresh(latest, current)
            effective = state.effective(self.price)
            required = maintenance(state.size, self.price, self.risk)
            if not (state.size or state.orders) or effective >= required:
                raise NotLiquidatable(effective, required)
            closed = state.closable
            fee = liquidation_fee(closed, self.price, self.risk)
            if closed:
                self._place(account, state, Change(state.side, closed=closed), current, NOBODY, forced=True)
            state.liquidation = Liquidation(caller, fee, current)
            self.emit("Liquidated", account, caller, current, closed, fee)
            if closed:
                self.oracle.request(account)

    # -- Claims --------------------------------------------------------------------------------------------------------

    def claim_fee(self, *, caller: str) -> int:
        """Pays out whatever fees the caller's roles give it; returns the amount."""
        with self._atomic(None):
            roles = {
                "protocol": self.factory.owner,
                "oracle": self.factory.oracle_factory,
                "risk": self.coordinator,
                "donation": self.beneficiary,
            }
            mine = [bucket for bucket, holder in roles.items() if holder == caller]
            if not mine:
                raise NotFeeRole(caller)
            self.fees.split(self.parameter)
            amount: int = sum(getattr(self.fees, bucket) for bucket in mine)
            for bucket in mine:
                setattr(self.fees, bucket, 0)
            self._pay(amount)
            self.emit("FeeClaimed", caller, amount)
            return amount

    def claim(self, account: str, *, caller: str | None = None) -> int:
        """Pays out referral and liquidation credits; returns the amount."""
        with self._atomic(None):
            self._check_open()
            self._check_operator(account, caller or account)
            amount = self.credits.pop(account, 0)
            self._pay(amount)
            self.emit("Claimed", account, amount)
            return amount

    def claim_reward(self, account: str, *, caller: str | None = None) -> int:
        """Pays out accrued rewards as far as the market has reward tokens; returns the amount."""
        with self._atomic(account):
            self._check_open()
            self._check_operator(account, caller or account)
            state = self._account(account)
            amount = min(state.rewards, self.reward_balance)
            state.rewards -= amount
            self.reward_balance -= amount
            self.emit("RewardClaimed", account, amount)
            return amount

    # -- Parameters and roles ------------------------------------------------------------------------------------------

    def update_risk_parameter(self, risk: RiskParameter, *, caller: str | None = None) -> None:
        """Sets the risk parameters after settling the market; the caller is the coordinator by default."""
        with self._atomic(None):
            self._check_coordinator(caller)
            validate_risk(risk, self.factory.parameter)
            sync(self, self.oracle.status()[0])
            self.risk = risk

    def update_parameter(self, parameter: MarketParameter, *, caller: str | None = None) -> None:
        """Sets the market parameters after settling the market; the caller is the owner by default."""
        with self._atomic(None):
            self._check_owner(caller)
            validate_market(parameter, self.factory.parameter, self.reward)
            sync(self, self.oracle.status()[0])
            self.fees.split(self.parameter)
            self.parameter = parameter

    def update_coordinator(self, coordinator: str, *, caller: str | None = None) -> None:
        """Hands the market's coordination over."""
        self._check_coordinator(caller)
        self.coordinator = coordinator

    def update_beneficiary(self, beneficiary: str, *, caller: str | None = None) -> None:
        """Names the beneficiary."""
        self._check_owner(caller)
        if beneficiary == NOBODY:
            raise ZeroBeneficiary
        self.beneficiary = beneficiary

    def update_reward(self, *, caller: str | None = None) -> None:
        """Sets the reward token, once."""
        self._check_owner(caller)
        if self.reward:
            raise RewardAlreadySet
        self.reward = True

    # -- Views: as of the last settlement ------------------------------------------------------------------------------

    def position(self) -> Position:
        """The market's settled sizes."""
        return Position(self.timestamp, self.book.maker, self.book.long, self.book.short)

    def positions(self, account: str) -> Position:
        """The account's settled size.

        `timestamp` is the market's version, or the account's oldest pending one where the market has settled that
        already.
        """
        state = self._account(account)
        timestamp = min(self.timestamp, state.orders[0].timestamp) if state.orders else self.timestamp
        return _sized(timestamp, state.side, state.size)

    def pending_position(self) -> Position:
        """The market's sizes with every pending order; `timestamp` is the newest pending version."""
        return Position(self.newest, self.pending.maker, self.pending.long, self.pending.short)

    def pending_positions(self, account: str) -> Position:
        """The account's size with every pending order; `timestamp` is its newest pending version."""
        state = self._account(account)
        timestamp = state.orders[-1].timestamp if state.orders else self.timestamp
        return _sized(timestamp, state.side, state.size + state.opens - state.closes)

    def collateral(self, account: str) -> int:
        """Collateral of the account; negative where it owes the market."""
        return self._account(account).collateral

    def requirement(self, account: str) -> tuple[int, int, int]:
        """Effective collateral, margin requirement of the worst size, maintenance requirement of the settled size."""
        state = self._account(account)
        return (
            state.effective(self.price),
            margin(state.worst, self.price, self.risk),
            maintenance(state.size, self.price, self.risk),
        )

    def claimable(self, account: str) -> int:
        """Referral and liquidation credits."""
        return self.credits.get(account, 0)

    def rewards(self, account: str) -> int:
        """Accrued rewards, reward tokens with 6 decimals."""
        return self._account(account).rewards

    def claimable_fees(self) -> tuple[int, int, int, int]:
        """Fees to be claimed by protocol, oracle, risk and donation (the contract's `fees()`), as if split now."""
        return self.fees.after_split(self.parameter)

    def settlement_fees(self, version: int) -> int:
        """Settlement fees charged at a version once it is settled; 0 where it was invalid."""
        return self.settlement_fees_at.get(version, 0)

    def settlement_fees_total(self) -> int:
        """All settlement fees charged up to the last split of fees."""
        return self.fees.settlement_total

    def funding_rate(self) -> int:
        """Rate of funding per year; positive: longs pay."""
        return trunc_div(self.funding_rate12, UNIT)

    def liquidatable(self, account: str) -> bool:
        """Whether the account has a position or pending orders and less than its maintenance requirement."""
        state = self._account(account)
        effective = state.effective(self.price)
        return bool(state.size or state.orders) and effective < maintenance(state.size, self.price, self.risk)

    def locked(self, account: str) -> bool:
        """Whether a liquidation of the account waits for its version."""
        return self._account(account).locked

    def pending_count(self) -> int:
        """How many versions of the market wait for settlement."""
        return len(self.queue)

    def pending_counts(self, account: str) -> int:
        """How many versions of the account wait for settlement."""
        return len(self._account(account).orders)

    def snapshot(self) -> dict[str, Any]:
        """Every number of the market and of all accounts, for comparison: integers and booleans in nested dicts."""
        protocol, oracle, risk, donation = self.claimable_fees()
        return {
            "position": asdict(self.position()),
            "pending_position": asdict(self.pending_position()),
            "price": self.price,
            "funding_rate": self.funding_rate(),
            "funding_rate12": self.funding_rate12,
            "accumulators": self.accumulators._asdict(),
            "reward_accumulators": self.reward_accumulators._asdict(),
            "fees": {"protocol": protocol, "oracle": oracle, "risk": risk, "donation": donation},
            "undistributed": self.fees.undistributed,
            "settlement_fees_total": self.fees.settlement_total,
            "shortfall": self.shortfall,
            "pending_count": len(self.queue),
            "balance": self.balance,
            "accounts": {name: self._snapshot_account(name) for name in self.accounts.keys() | self.credits.keys()},
        }

    def _snapshot_account(self, account: str) -> dict[str, Any]:
        effective, required_margin, required_maintenance = self.requirement(account)
        return {
            "collateral": self.collateral(account),
            "position": asdict(self.positions(account)),
            "pending_position": asdict(self.pending_positions(account)),
            "effective": effective,
            "margin": required_margin,
            "maintenance": required_maintenance,
            "claimable": self.claimable(account),
            "rewards": self.rewards(account),
            "locked": self.locked(account),
            "liquidatable": self.liquidatable(account),
            "pending_count": self.pending_counts(account),
        }

    # -- What the rooms use --------------------------------------------------------------------------------------------

    def price_of(self, version: OracleVersion) -> int | None:
        """The price of a version, payoff applied; None where it is invalid (docs/protocol.md §1.5, §5.5)."""
        if not version.valid:
            return None
        price = version.price
        if self.payoff is not None:
            try:
                price = self.payoff(price)
            except (ArithmeticError, ValueError):
                return None
        return price if abs(price) < PRICE_LIMIT else None

    def credit(self, account: str, source: str, amount: int, from_donation: int) -> None:
        """Credits a referrer or a liquidator."""
        if amount:
            self.credits[account] = self.credits.get(account, 0) + amount
            self.emit("Credited", account, source, amount, from_donation)

    def add_parts(self, gained: tuple[Parts, Parts, Parts]) -> None:
        """Adds what a unit of each side gained, by origin."""
        maker, long, short = (
            Parts(a.pnl + b.pnl, a.funding + b.funding, a.interest + b.interest, a.maker_fees + b.maker_fees)
            for a, b in zip(self.parts, gained, strict=True)
        )
        self.parts = (maker, long, short)

    def emit(self, name: str, *values: Any) -> None:
        """Collects an event, if anybody wants them."""
        if self.events is not None:
            self.events.append((name, values))

    def receive(self, amount: int, rewards: int = 0) -> None:
        """Takes in tokens, or reward tokens, that somebody transferred to the market directly."""
        self.balance += amount
        self.deposited += amount
        self.reward_balance += rewards

    def copy(self) -> "Market":
        """A market of its own over the same oracle and factory, for what-if questions."""
        other = copy(self)
        other.book, other.pending, other.fees = self.book.copy(), self.pending.copy(), copy(self.fees)
        other.queue = [pending.copy() for pending in self.queue]
        other.versions, other.settlement_fees_at = dict(self.versions), dict(self.settlement_fees_at)
        other.accounts = {name: account.copy() for name, account in self.accounts.items()}
        other.credits = dict(self.credits)
        other.events = None
        return other

    # -- Steps of a call -----------------------------------------------------------------------------------------------

    @contextmanager
    def _atomic(self, account: str | None) -> Iterator[None]:
        """Takes back what a refused call changed: of the accounts only `account` can have."""
        existed = account in self.accounts
        before = copy(self.__dict__)
        state = self.accounts[account].copy() if account is not None and existed else None
        before |= {"book": self.book.copy(), "pending": self.pending.copy(), "fees": copy(self.fees)}
        before |= {"queue": [pending.copy() for pending in self.queue], "credits": dict(self.credits)}
        versions, events = len(self.versions), len(self.events or ())
        try:
            if account is not None and not existed:
                self.accounts[account] = Account()
            yield
        except MarketError:
            self.__dict__.update(before)
            while len(self.versions) > versions:
                self.settlement_fees_at.pop(self.versions.popitem()[0], None)
            if self.events is not None:
                del self.events[events:]
            if account is not None:
                if state is None:
                    del self.accounts[account]
                else:
                    self.accounts[account] = state
            raise

    def _account(self, account: str) -> Account:
        return self.accounts.get(account) or Account()

    def _settle(self, account: str, latest: OracleVersion) -> None:
        sync(self, latest)
        rooms.settle(self, account)

    def _check_open(self) -> None:
        if self.factory.paused:
            raise MarketPaused

    def _check_operator(self, account: str, caller: str) -> None:
        if caller != account and not self.factory.operators(account, caller):
            raise NotOperator(account, caller)

    def _check_owner(self, caller: str | None) -> None:
        if caller not in (None, self.factory.owner):
            raise NotOwner(caller)

    def _check_coordinator(self, caller: str | None) -> None:
        if caller not in (None, self.coordinator, self.factory.owner):
            raise NotCoordinator(caller)

    def _is_stale(self, latest: OracleVersion, current: int) -> bool:
        """Whether sizes are frozen (docs/protocol.md §10.3)."""
        return not self.valid or current - latest.timestamp > self.risk.stale_after

    def _check_fresh(self, latest: OracleVersion, current: int) -> None:
        if self._is_stale(latest, current):
            raise StalePrice(latest.timestamp, current)

    def _resolve(self, state: Account, maker_delta: int, taker_delta: int) -> Change | None:
        """What an order means: an open or a close of one side; None where nothing is asked or may be closed."""
        delta, is_maker = (maker_delta, True) if maker_delta else (taker_delta, False)
        if delta == 0:
            return None
        side, closable = state.current_side, state.closable
        own = (side == Side.MAKER) if is_maker else side in (Side.LONG, Side.SHORT)
        if delta == MIN_INT256:
            return Change(side, closed=closable) if own and closable else None
        direction = Side.MAKER if is_maker else Side.LONG if delta > 0 else Side.SHORT
        closes = own and (delta < 0 if is_maker else side != direction)
        if closes:
            if abs(delta) > closable:
                raise OverClose(abs(delta), closable)
            return Change(side, closed=abs(delta))
        if is_maker and delta < 0:
            raise OverClose(-delta, 0)
        if side not in (Side.NONE, direction):
            raise WrongSide(int(side), int(direction))
        return Change(direction, opened=abs(delta))

    def _place(
        self, account: str, state: Account, change: Change, current: int, referrer: str, *, forced: bool
    ) -> None:
        """Puts an order into the two queues, with its fee rate fixed. A liquidation's knows no caps and no limits."""
        joins = bool(self.queue) and self.queue[-1].timestamp == current
        if not joins and not forced and len(self.queue) >= self.parameter.max_pending_global:
            raise TooManyPending(len(self.queue), self.parameter.max_pending_global)

        before = self.pending.copy()
        self.pending.add(change.side, change.delta)
        state.opens += change.opened
        state.closes += change.closed
        if change.opened:
            state.side = change.side
            self._check_sizes(state.worst)
        if not forced:
            check_limits(change, before, self.pending, self.risk, self.parameter)
        self.newest = current

        order, settlement = self._open_order(state, current, forced)
        units, referral_units = order.units, order.referral_units
        if referrer != NOBODY:
            if order.referrer not in (NOBODY, referrer):
                raise ReferrerMismatch(order.referrer, referrer)
            order.referrer = referrer
        share = self.parameter.referral_fee if referrer != NOBODY else 0
        charge(order, change, before, self.pending, self.risk, share)
        state.units += order.units - units

        if not joins:
            self.queue.append(PendingVersion(current, Book()))
        pending = self.queue[-1]
        pending.sizes.add(change.side, change.delta)
        pending.units += order.units - units
        pending.referral_units += order.referral_units - referral_units
        pending.settlement += settlement
        self.emit(
            "OrderPlaced",
            account,
            current,
            int(change.side),
            change.opened,
            change.closed,
            order.rate,
            settlement,
            referrer,
        )

    def _check_sizes(self, worst: int) -> None:
        """Bounds sizes to 63 bits (docs/protocol.md §1.5), settled ones too: closes of theirs may be cancelled."""
        largest = max(self.pending.major, self.pending.maker, self.book.major, self.book.maker, worst)
        if largest >= SIZE_LIMIT:
            raise SizeOverflow(largest)

    def _open_order(self, state: Account, current: int, forced: bool) -> tuple[Order, int]:
        """The account's order at the current version, new or joined, and the settlement fee that it adds."""
        if state.orders and state.orders[-1].timestamp == current:
            return state.orders[-1], 0
        if not forced and len(state.orders) >= self.parameter.max_pending_local:
            raise TooManyPending(len(state.orders), self.parameter.max_pending_local)
        fee, room = self.parameter.settlement_fee, MAX_SETTLEMENT - state.settlement
        if fee > room:
            if not forced:
                raise CollateralOverflow(fee)
            fee = room
        state.orders.append(Order(current, settlement_fee=fee))
        state.settlement += fee
        return state.orders[-1], fee

    def _move_collateral(
        self, account: str, state: Account, delta: int, latest: OracleVersion, current: int, caller: str
    ) -> int:
        """Deposits or withdraws; returns by how much the collateral moved."""
        if delta == 0:
            return 0
        before = state.collateral
        if delta == MIN_INT256:
            delta = -self._withdrawable(state, latest, current)
        elif delta < 0:
            if state.size or state.orders:
                self._check_fresh(latest, current)
            if state.collateral + delta < 0:
                raise InsufficientCollateral(state.collateral, -delta)
        if delta < 0:
            self._pay(-delta)
            state.ledger.withdrawals += delta * UNIT
            self.emit("Withdrawn", account, caller, -delta)
        elif delta > 0:
            if state.collateral + delta > MAX_COLLATERAL:
                raise CollateralOverflow(delta)
            self.balance += delta
            self.deposited += delta
            state.ledger.deposits += delta * UNIT
            self.emit("Deposited", account, caller, delta)
        state.collateral += delta
        rooms.store_collateral(self, state, before)
        return delta

    def _withdrawable(self, state: Account, latest: OracleVersion, current: int) -> int:
        """The most that an account may withdraw now (docs/protocol.md §5.8)."""
        if (state.size or state.orders) and self._is_stale(latest, current):
            return 0
        free = state.effective(self.price) - margin(state.worst, self.price, self.risk)
        return max(0, min(free, state.collateral, self.balance))

    def _check_margin(self, state: Account, change: Change | None, moved: int) -> None:
        """Margin after an increase or a withdrawal, maintenance after a pure reduction (docs/protocol.md §10.2)."""
        effective = state.effective(self.price)
        if (change and change.opened) or moved < 0:
            required = margin(state.worst, self.price, self.risk)
            if effective < required:
                raise InsufficientMargin(effective, required)
        elif change:
            required = maintenance(state.worst, self.price, self.risk)
            if effective < required:
                raise InsufficientMaintenance(effective, required)

    def _pay(self, amount: int) -> None:
        if amount > self.balance:
            raise InsufficientTokens(self.balance, amount)
        self.balance -= amount
        self.withdrawn += amount


def _sized(timestamp: int, side: Side, size: int) -> Position:
    return Position(
        timestamp,
        size if side == Side.MAKER else 0,
        size if side == Side.LONG else 0,
        size if side == Side.SHORT else 0,
    )
