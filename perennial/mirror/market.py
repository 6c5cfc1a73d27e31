"""The market: makers, longs and shorts against one price, to the last digit of contracts/Market.sol (docs/protocol.md).

Amounts, sizes, prices and rates have 6 decimals unless stated; accounts are any strings (addresses, where a chain is
mirrored). A call that is refused raises a `MarketError` and changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import partial

from perennial.mirror import accounts as rooms
from perennial.mirror import errors
from perennial.mirror.account_state import MAX_COLLATERAL, Account, Liquidation
from perennial.mirror.errors import MarketError
from perennial.mirror.fixed import MIN_INT256, UNIT
from perennial.mirror.margin import liquidation_fee, maintenance, margin
from perennial.mirror.market_views import MarketViews
from perennial.mirror.matching import Party, check_price, exchange, party
from perennial.mirror.oracle import OracleVersion
from perennial.mirror.orders import NOBODY, Change, Order, PendingVersion, charge, check_limits
from perennial.mirror.parameters import MarketParameter, RiskParameter, bits, validate_market, validate_risk
from perennial.mirror.position import Book, Side
from perennial.mirror.settlement import sync
from perennial.mirror.verifier import Intent

SIZE_LIMIT = 1 << 63
"""Sizes are below this (docs/protocol.md §1.5)."""

MAX_SETTLEMENT = (1 << 44) - 1
"""Pending settlement fees of an account have 44 bits on chain."""


class Market(MarketViews):
    """A market: public attributes are what the contract stores, methods carry the names of its functions."""

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
            caller = caller or account
            if maker_delta or taker_delta or collateral_delta < 0:
                self._check_operator(account, caller)
            latest, current = self._open(caller)
            state = self.accounts[account]
            before = state.collateral
            rooms.settle(self, account)
            change = self._resolve(account, state, maker_delta, taker_delta)
            if change:
                self._check_unlocked(account, state)
                self._check_fresh(latest, current)
                if change.opened and self.parameter.closed:
                    raise errors.MarketClosed
                self._place(account, state, change, current, referrer, forced=False)
            moved = collateral_delta
            if moved < 0:
                moved = self._withdrawal(account, state, moved, latest, current)
            elif moved > MAX_COLLATERAL - state.collateral and moved:
                raise errors.CollateralOverflow(moved)
            state.collateral += moved
            self._check_margin(state, change, moved)
            self._transfer(account, state, moved, caller)
            rooms.store(self, state, before)
            if change:
                self.oracle.request(account)

    def settle(self, account: str, *, caller: str = "") -> None:
        """Settles the market and the account up to the oracle's latest version."""
        with self._atomic(account):
            self._open(caller)
            state = self.accounts[account]
            before = state.collateral
            rooms.settle(self, account)
            rooms.store(self, state, before)

    def advance(self, maximum: int, *, caller: str = "") -> None:
        """Settles at most `maximum` pending versions of the market."""
        with self._atomic():
            self._open(caller, maximum)

    def liquidate(self, account: str, *, caller: str) -> None:
        """Closes what is left of an unhealthy account at the current version and locks it until then."""
        with self._atomic(account):
            latest, current = self._open(caller)
            state = self.accounts[account]
            before = state.collateral
            rooms.settle(self, account)
            self._check_unlocked(account, state)
            self._check_fresh(latest, current)
            effective = state.effective(self.price)
            required = maintenance(state.size, self.price, self.risk)
            if not (state.size or state.orders) or effective >= required:
                raise errors.NotLiquidatable(effective, required)
            closed = state.closable
            fee = liquidation_fee(closed, self.price, self.risk)
            if closed:
                self._place(account, state, Change(state.side, closed=closed), current, NOBODY, forced=True)
            state.liquidation = Liquidation(caller, fee, current)
            if closed:
                self.oracle.request(account)
            rooms.store(self, state, before)
            self.emit("Liquidated", account, caller, current, closed, fee)

    # -- Intents -------------------------------------------------------------------------------------------------------

    def fill(
        self, intent: Intent, signature: str, amount: int, price: int, account: str, *, caller: str | None = None
    ) -> None:
        """The account takes the other side of a signed intent (docs/protocol.md §9.2).

        `amount` has the intent's sign, `signature` is the name of who signed.
        """
        with self._atomic(*{intent.account, account}):
            caller = caller or account
            self._check_operator(account, caller)
            self._check_sides(intent.account, account)
            latest, current = self._open(caller)
            signer = self._sign(intent, signature, amount, price)
            filler = party(self, account)
            self._exchange(signer, filler, amount, price, latest, current)

    def cross(
        self, a: Intent, signature_a: str, b: Intent, signature_b: str, amount: int, price: int, *, caller: str = ""
    ) -> None:
        """Anyone brings two opposite intents together; `amount` has the sign of `a` (docs/protocol.md §9.2)."""
        with self._atomic(*{a.account, b.account}):
            self._check_sides(a.account, b.account)
            latest, current = self._open(caller)
            first = self._sign(a, signature_a, amount, price)
            # In 256 bits -2^255 is its own opposite.
            second = self._sign(b, signature_b, amount if amount == MIN_INT256 else -amount, price)
            self._exchange(first, second, amount, price, latest, current)

    def fill_batch(self, fills: Sequence[tuple[Intent, str, int, int, str]], skip: bool, *, caller: str) -> None:
        """Many fills: all or none, or without those that are refused."""
        accounts = {name for fill in fills for name in (fill[0].account, fill[4])}
        self._batch([partial(self.fill, *fill, caller=caller) for fill in fills], accounts, skip, caller)

    def cross_batch(
        self, crosses: Sequence[tuple[Intent, str, Intent, str, int, int]], skip: bool, *, caller: str = ""
    ) -> None:
        """Many crosses: all or none, or without those that are refused."""
        accounts = {name for cross in crosses for name in (cross[0].account, cross[2].account)}
        self._batch([partial(self.cross, *cross, caller=caller) for cross in crosses], accounts, skip, caller)

    # -- Claims --------------------------------------------------------------------------------------------------------

    def claim_fee(self, receiver: str = "", *, caller: str) -> int:
        """Pays out whatever fees the caller's roles give it; returns the amount."""
        with self._atomic():
            self._check_running(caller)
            roles = {
                "protocol": self.factory.owner,
                "oracle": self.factory.oracle_factory,
                "risk": self.coordinator,
                "donation": self.beneficiary,
            }
            mine = [bucket for bucket, holder in roles.items() if holder == caller]
            if not mine:
                raise errors.NotFeeRole(caller)
            self.fees.split(self.parameter)
            amount: int = sum(getattr(self.fees, bucket) for bucket in mine)
            for bucket in mine:
                setattr(self.fees, bucket, 0)
            self._pay(amount)
            self.emit("FeeClaimed", caller, receiver or caller, amount)
            return amount

    def claim(self, account: str, receiver: str = "", *, caller: str | None = None) -> int:
        """Pays out referral and liquidation credits; returns the amount."""
        with self._atomic():
            self._check_running(caller or account)
            self._check_operator(account, caller or account)
            amount = self.credits.pop(account, 0)
            self._pay(amount)
            self.emit("Claimed", account, receiver or account, amount)
            return amount

    def claim_reward(self, account: str, receiver: str = "", *, caller: str | None = None) -> int:
        """Pays out accrued rewards as far as the market has reward tokens; returns the amount."""
        with self._atomic(account):
            self._check_running(caller or account)
            self._check_operator(account, caller or account)
            if self.reward == NOBODY:
                return 0
            state = self.accounts[account]
            amount = min(state.rewards, self.reward_balance)
            state.rewards -= amount
            self.reward_balance -= amount
            self.emit("RewardClaimed", account, receiver or account, amount)
            return amount

    # -- Parameters and roles ------------------------------------------------------------------------------------------

    def update_risk_parameter(self, risk: RiskParameter, *, caller: str | None = None) -> None:
        """Sets the risk parameters after settling the market; the caller is the coordinator by default."""
        with self._atomic():
            caller = caller or self.coordinator
            self._check_coordinator(caller)
            self._open(caller)
            validate_risk(risk, self.factory.parameter)
            self.risk = risk
            self.emit("RiskParameterUpdated", self.timestamp, risk.to_abi())

    def update_parameter(self, parameter: MarketParameter, *, caller: str | None = None) -> None:
        """Sets the market parameters after settling the market; the caller is the owner by default."""
        with self._atomic():
            caller = caller or self.factory.owner
            self._check_owner(caller)
            self._open(caller)
            validate_market(parameter, self.factory.parameter, self.reward != NOBODY)
            self.fees.split(self.parameter)
            self.parameter = parameter
            self.emit("ParameterUpdated", self.timestamp, parameter.to_abi())

    def update_coordinator(self, coordinator: str, *, caller: str | None = None) -> None:
        """Hands the market's coordination over; the caller is the coordinator by default."""
        caller = caller or self.coordinator
        self._check_running(caller)
        self._check_coordinator(caller)
        self.coordinator = coordinator
        self.emit("CoordinatorUpdated", coordinator)

    def update_beneficiary(self, beneficiary: str, *, caller: str | None = None) -> None:
        """Names the beneficiary; the caller is the owner by default."""
        self._check_owner(caller or self.factory.owner)
        if beneficiary == NOBODY:
            raise errors.ZeroBeneficiary
        self.beneficiary = beneficiary
        self.emit("BeneficiaryUpdated", beneficiary)

    def update_reward(self, reward: str, *, caller: str | None = None) -> None:
        """Sets the reward token, once; the caller is the owner by default."""
        self._check_owner(caller or self.factory.owner)
        if self.reward != NOBODY:
            raise errors.RewardAlreadySet(self.reward)
        if reward == self.token:
            raise errors.RewardIsToken(reward)
        self.reward = reward
        self.emit("RewardUpdated", reward)

    # -- Steps of a fill -----------------------------------------------------------------------------------------------

    def _batch(self, items: Sequence[Callable[[], None]], accounts: set[str], skip: bool, caller: str) -> None:
        with self._atomic(*accounts):
            self._open(caller)
            for index, item in enumerate(items):
                try:
                    item()
                except MarketError as error:
                    if not skip:
                        raise
                    self.emit("FillSkipped", index, (type(error).__name__, *error.args))

    def _check_sides(self, a: str, b: str) -> None:
        if a == b:
            raise errors.SelfFill(a)

    def _sign(self, intent: Intent, signature: str, amount: int, price: int) -> Party:
        """Checks an intent's terms and signature, and uses `amount` of it up."""
        if amount == 0 or (amount > 0) != (intent.amount > 0):
            raise errors.InvalidFillAmount(amount, intent.amount)
        if price > intent.price if amount > 0 else price < intent.price:
            raise errors.WorsePrice(price, intent.price)
        self.factory.verifier.consume(intent, signature, abs(amount), self.address)
        return party(self, intent.account, intent)

    def _exchange(self, a: Party, b: Party, amount: int, price: int, latest: OracleVersion, current: int) -> None:
        self._check_fresh(latest, current)
        check_price(self, amount, price)
        exchange(self, a, b, amount, price, current)

    # -- Steps of a call -----------------------------------------------------------------------------------------------

    @contextmanager
    def _atomic(self, *accounts: str) -> Iterator[None]:
        """Takes back what a refused call changed: of the accounts only these can have."""
        states = {name: self.accounts[name].copy() if name in self.accounts else None for name in accounts}
        filled = dict(self.factory.verifier.filled)
        before = copy(self.__dict__)
        before |= {"book": self.book.copy(), "pending": self.pending.copy(), "fees": copy(self.fees)}
        before |= {"queue": [pending.copy() for pending in self.queue], "credits": dict(self.credits)}
        versions, events = len(self.versions), len(self.events or ())
        try:
            for name in accounts:
                self.accounts.setdefault(name, Account())
            yield
        except MarketError:
            self.__dict__.update(before)
            while len(self.versions) > versions:
                self.settlement_fees_at.pop(self.versions.popitem()[0], None)
            if self.events is not None:
                del self.events[events:]
            self.factory.verifier.filled = filled
            for name, state in states.items():
                if state is None:
                    del self.accounts[name]
                else:
                    self.accounts[name] = state
            raise

    def _open(self, caller: str, maximum: int | None = None) -> tuple[OracleVersion, int]:
        """Refuses while paused, asks the oracle, settles the market; returns the latest version and the current one."""
        self._check_running(caller)
        latest, current = self.oracle.status()
        sync(self, latest, maximum)
        return latest, current

    def _check_running(self, caller: str) -> None:
        if self.factory.paused and caller != self.factory.owner:
            raise errors.MarketPaused

    def _check_unlocked(self, account: str, state: Account) -> None:
        if state.liquidation:
            raise errors.AccountLocked(account, state.liquidation.timestamp)

    def _check_operator(self, account: str, caller: str) -> None:
        if caller != account and not self.factory.operators(account, caller):
            raise errors.NotOperator(account, caller)

    def _check_owner(self, caller: str) -> None:
        if caller != self.factory.owner:
            raise errors.NotOwner(caller)

    def _check_coordinator(self, caller: str) -> None:
        if caller not in (self.coordinator, self.factory.owner):
            raise errors.NotCoordinator(caller)

    def _is_stale(self, latest: OracleVersion, current: int) -> bool:
        """Whether sizes are frozen (docs/protocol.md §10.3), also by a provider that breaks its promise (§5.1)."""
        return not (self.valid and 0 < current - latest.timestamp <= self.risk.stale_after)

    def _check_fresh(self, latest: OracleVersion, current: int) -> None:
        if self._is_stale(latest, current):
            raise errors.StalePrice(latest.timestamp, current)

    def _resolve(self, account: str, state: Account, maker_delta: int, taker_delta: int) -> Change | None:
        """What an order means: an open or a close of one side; None where nothing is asked or may be closed."""
        if maker_delta and taker_delta:
            raise errors.BothSides(maker_delta, taker_delta)
        delta, is_maker = (maker_delta, True) if maker_delta else (taker_delta, False)
        if delta == 0:
            return None
        side, fills, closable = state.current_side, state.fills, state.closable
        own = (side == Side.MAKER) if is_maker else side in (Side.LONG, Side.SHORT)
        if delta == MIN_INT256:
            return Change(side, closed=closable) if own and closable else None
        if fills.crosses:
            raise errors.FillCrosses(account)
        direction = Side.MAKER if is_maker else Side.LONG if delta > 0 else Side.SHORT
        if delta < 0 if is_maker else own and side != direction:
            if not own:
                raise errors.WrongSide(int(side), int(direction))
            if abs(delta) > closable:
                raise errors.OverClose(abs(delta), closable)
            return Change(side, closed=abs(delta))
        if side not in (Side.NONE, direction):
            raise errors.WrongSide(int(side), int(direction))
        return Change(direction, opened=abs(delta))

    def _place(
        self, account: str, state: Account, change: Change, current: int, referrer: str, *, forced: bool
    ) -> None:
        """Puts an order into the two queues, with its fee rate fixed. A liquidation's knows no caps and no limits."""
        joins = bool(self.queue) and self.queue[-1].timestamp == current
        if not joins:
            _check_count(len(self.queue), self.parameter.max_pending_global, forced)
        if self.queue and current < self.queue[-1].timestamp:
            raise errors.InvalidVersion(current)

        if change.opened:
            state.side = change.side
            self._check_sizes(state, change)
        before = self.pending.copy()
        self.pending.add(change.side, change.delta)
        state.opens += change.opened
        state.closes += change.closed
        if not forced:
            check_limits(change, before, self.pending, self.risk, self.parameter)

        order, settlement = self._open_order(state, current, forced)
        units, referral_units = order.units, order.referral_units
        if referrer != NOBODY:
            if order.referrer not in (NOBODY, referrer):
                raise errors.ReferrerMismatch(order.referrer, referrer)
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

    def _check_sizes(self, state: Account, change: Change) -> None:
        """Bounds sizes to 63 bits (docs/protocol.md §1.5), settled ones too: closes of theirs may be cancelled."""
        largest = max(self.pending.of(change.side), self.book.of(change.side), state.held)
        if largest + change.opened >= SIZE_LIMIT:
            raise errors.SizeOverflow(change.opened)

    def _open_order(self, state: Account, current: int, forced: bool) -> tuple[Order, int]:
        """The account's order at the current version, new or joined, and the settlement fee that it adds."""
        joins = bool(state.orders) and state.orders[-1].timestamp == current
        if joins and state.orders[-1].has_orders:
            return state.orders[-1], 0
        if not joins:
            _check_count(len(state.orders), self.parameter.max_pending_local, forced)
        fee, room = self.parameter.settlement_fee, MAX_SETTLEMENT - state.settlement
        if fee > room:
            if not forced:
                raise errors.CollateralOverflow(fee)
            fee = room
        if not joins:
            state.orders.append(Order(current))
        state.orders[-1].settlement_fee = fee
        state.settlement += fee
        return state.orders[-1], fee

    def _withdrawal(self, account: str, state: Account, delta: int, latest: OracleVersion, current: int) -> int:
        """What is withdrawn, as a change of collateral: as asked for, or the most that is accepted (§5.8)."""
        exposed = bool(state.size or state.orders)
        if delta == MIN_INT256:
            if state.liquidation or (exposed and self._is_stale(latest, current)):
                return 0
            free = state.effective(self.price) - margin(state.worst, self.price, self.risk)
            return -max(0, min(free, state.collateral, self.balance))
        self._check_unlocked(account, state)
        if exposed:
            self._check_fresh(latest, current)
        if state.collateral + delta < 0:
            raise errors.InsufficientCollateral(state.collateral, -delta)
        return delta

    def _transfer(self, account: str, state: Account, moved: int, caller: str) -> None:
        """Moves tokens, between the caller and the market."""
        if moved > 0:
            self.balance += moved
            self.deposited += moved
            state.ledger.deposits += moved * UNIT
            self.emit("Deposited", account, caller, moved)
        elif moved < 0:
            self._pay(-moved)
            state.ledger.withdrawals += moved * UNIT
            self.emit("Withdrawn", account, caller, -moved)

    def _check_margin(self, state: Account, change: Change | None, moved: int) -> None:
        """Margin after an increase or a withdrawal, maintenance after a pure reduction (docs/protocol.md §10.2)."""
        effective = state.effective(self.price)
        if (change and change.opened) or moved < 0:
            required = margin(state.worst, self.price, self.risk)
            if effective < required:
                raise errors.InsufficientMargin(effective, required)
        elif change:
            required = maintenance(state.worst, self.price, self.risk)
            if effective < required:
                raise errors.InsufficientMaintenance(effective, required)

    def _pay(self, amount: int) -> None:
        if amount > self.balance:
            raise errors.InsufficientTokens(self.balance, amount)
        self.balance -= amount
        self.withdrawn += amount


def _check_count(count: int, limit: int, forced: bool) -> None:
    """Caps on unsettled versions (docs/protocol.md §5.7); liquidations may have what 16 bits can count."""
    limit = bits(16) if forced else limit
    if count >= limit:
        raise errors.TooManyPending(count, limit)
