"""One market, for people and their programs: what it is, what one has in it, and the verbs to trade in it."""

from __future__ import annotations

import time
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from perennial.amounts import decimal
from perennial.chain import Chain, Contract
from perennial.client import quotes
from perennial.client.errors import InputError, NotMinedError, Refused, UnreachableError, address
from perennial.client.history import Place, history
from perennial.client.intents import Intents
from perennial.client.numbers import ALL, Number, amount, first_block, instant
from perennial.client.orders import OrderBook
from perennial.client.quotes import NOBODY, Terms
from perennial.client.results import (
    Claimed,
    History,
    MarketInfo,
    Moved,
    Order,
    OrderState,
    Placed,
    Position,
    Quote,
    Sent,
)
from perennial.client.signers import address_of
from perennial.client.state import Makeup, Snapshot, makeup, read
from perennial.client.tokens import Spender

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from perennial.client.protocol import Protocol
    from perennial.client.sending import Mined

POLL = 0.5
"""Seconds between looks at an order that is waited for."""


class Market:
    """A market. Methods raise InputError, Refused, UnreachableError and other ClientErrors.

    `account` is who signs: an account of Ape or a LocalAccount of eth-account; for questions its address is enough.
    Where the signer is an operator, `of` names the account that it acts for.
    """

    def __init__(self, protocol: Protocol, name: str, address: str, start_block: int = 0) -> None:
        self.protocol, self.name, self.address, self.start_block = protocol, name, address, start_block

    def __repr__(self) -> str:
        return f"<Market {self.name} at {self.address}>"

    # -- Questions ---------------------------------------------------------------------------------------------------

    def info(self) -> MarketInfo:
        """What the market is and how it stands, as if settled now."""
        snapshot = self.snapshot()
        present = snapshot.present()
        latest, current = snapshot.oracle.status()
        reason = _not_tradable(snapshot)
        virtual = present.risk.virtual_taker
        return MarketInfo(
            name=self.name,
            address=self.address,
            token=self.symbol,
            price=decimal(present.price),
            latest=latest.timestamp,
            current=current,
            tradable=reason is None,
            reason=reason,
            maker=decimal(present.book.maker),
            long=decimal(present.book.long),
            short=decimal(present.book.short),
            pending_maker=decimal(present.pending.maker),
            pending_long=decimal(present.pending.long),
            pending_short=decimal(present.pending.short),
            versions_waiting=len(present.queue),
            skew=decimal(present.book.skew(virtual)),
            utilization=decimal(present.book.utilization(10**6)),
            funding_rate=decimal(present.funding_rate()),
            interest_rate=decimal(quotes.yearly_interest(present)),
            taker_fee=decimal(present.risk.taker_fee),
            maker_fee=decimal(present.risk.maker_fee),
            settlement_fee=decimal(present.parameter.settlement_fee),
            margin=decimal(present.risk.margin),
            maintenance=decimal(present.risk.maintenance),
            min_margin=decimal(present.risk.min_margin),
            maker_limit=decimal(present.risk.maker_limit),
            shortfall=decimal(present.shortfall),
        )

    def position(self, account: Any) -> Position:
        """What an account has here, as if settled now."""
        who = address_of(account)
        rewards = self.protocol.guard(lambda: self.contract.read("rewards", who))
        return quotes.position(self.name, self.snapshot(who), who.lower(), who, rewards)

    def quote(
        self,
        side: str,
        size: Number | None = None,
        *,
        usd: Number | None = None,
        collateral: Number | None = None,
        account: Any = None,
        close: bool = False,
        until: str | int | datetime = "1d",
        referrer: Any = None,
    ) -> Quote:
        """What an order would do and cost: fee, skew before and after, liquidation prices, funding and interest.

        The last two are until a date or for a span from now ("2026-12-24", "7d"). `collateral` is deposited with the
        order. With `close` it closes a part of the account's position, all of it without a size. Raises Refused where
        the market would refuse it.
        """
        who = None if account is None else address_of(account).lower()
        snapshot = self.snapshot(*([who] if who else []))
        present = snapshot.present(*([who] if who else []))
        terms = (
            quotes.closing(present, who or NOBODY, size, usd)
            if close
            else quotes.opening(present, who or NOBODY, side, size, usd)
        )
        return quotes.quote(
            self.name,
            snapshot,
            who,
            terms,
            collateral=amount("collateral", collateral) if collateral is not None else 0,
            until=instant("until", until, snapshot.oracle.current),
            referrer=_referrer(referrer),
        )

    def orders(self, account: Any, since: int | None = None) -> tuple[Order, ...]:
        """An account's orders and what became of them, oldest first, from the block `since` on."""
        who, first = address_of(account), first_block(since)
        snapshot = self.snapshot()
        start = self.start_block if first is None else first
        return tuple(self.protocol.guard(lambda: self._book(who).orders(snapshot, start)))

    def history(self, account: Any, since: int | None = None) -> History:
        """Every change of an account's collateral and what made it; entries from the block `since` on.

        All events of the market are read, in bounded ranges of blocks.
        """
        place = Place(self.protocol.rpc, self.name, self.address, self.protocol.verifier, self.start_block)
        who, last, first = address_of(account), self.protocol.block(), first_block(since)
        return self.protocol.guard(lambda: history(place, who, last, first, self.protocol.span))

    def snapshot(self, *accounts: str) -> Snapshot:
        """The market with these accounts at the newest block, for the mirror's questions."""
        return self.protocol.guard(lambda: read(self.protocol.rpc, self.makeup, accounts))

    # -- Trading -----------------------------------------------------------------------------------------------------

    def open(
        self,
        account: Any,
        side: str,
        size: Number | None = None,
        *,
        usd: Number | None = None,
        collateral: Number | None = None,
        referrer: Any = None,
        of: Any = None,
    ) -> Placed:
        """Opens, or adds to, a long, a short or a maker position; deposits `collateral` with it.

        `size` in units, or `usd`: then the size is an estimate in units at the latest price, and the result says so.
        """
        who, present = self._present(account, of)
        terms = quotes.opening(present, who.lower(), side, size, usd)
        deposit = amount("collateral", collateral) if collateral is not None else 0
        return self._place(account, who, present, terms, deposit, _referrer(referrer))

    def close(self, account: Any, *, referrer: Any = None, of: Any = None) -> Placed:
        """Closes all of a position that may be closed."""
        who, present = self._present(account, of)
        return self._place(
            account, who, present, quotes.closing(present, who.lower(), None, None), 0, _referrer(referrer)
        )

    def reduce(
        self,
        account: Any,
        size: Number | None = None,
        *,
        usd: Number | None = None,
        referrer: Any = None,
        of: Any = None,
    ) -> Placed:
        """Closes a part of a position, `size` in units, or an estimate in units of `usd`."""
        if size is None and usd is None:
            raise InputError("give the size in units or in USD, or close all")
        who, present = self._present(account, of)
        return self._place(
            account, who, present, quotes.closing(present, who.lower(), size, usd), 0, _referrer(referrer)
        )

    def deposit(self, account: Any, collateral: Number, *, of: Any = None) -> Moved:
        """Deposits collateral from the signer's tokens, for its own account or another one."""
        raw = amount("collateral", collateral)
        who = address_of(account if of is None else of)
        approved = self.protocol.allow(account, self.spender, raw)
        mined = self._send(account, "update", who, 0, 0, raw, NOBODY)
        return self._moved(who, mined, approved)

    def withdraw(self, account: Any, collateral: Number = "all", *, of: Any = None) -> Moved:
        """Withdraws collateral to the signer: an amount, or "all", the most that the market accepts (maybe nothing)."""
        raw = ALL if collateral == "all" else -amount("collateral", collateral)
        who = address_of(account if of is None else of)
        return self._moved(who, self._send(account, "update", who, 0, 0, raw, NOBODY), 0)

    def claim(self, account: Any, *, of: Any = None, receiver: Any = None) -> Claimed:
        """Claims credits of referrals, intents and liquidations, and rewards; to the signer where no receiver is named.

        What is zero is not claimed, and costs no gas.
        """
        who = address_of(account if of is None else of)
        to = address("receiver", account if receiver is None else receiver)
        paid, transactions = {"claim": 0, "claimReward": 0}, []
        for verb, view, event in (("claim", "claimable", "Claimed"), ("claimReward", "rewards", "RewardClaimed")):
            if not self.protocol.guard(partial(self.contract.read, view, who)):
                continue
            mined = self._send(account, verb, who, to)
            paid[verb] = sum(values["amount"] for values in self.events(mined, event))
            transactions.append(mined.receipt.hash)
        return Claimed(self.name, who, decimal(paid["claim"]), decimal(paid["claimReward"]), tuple(transactions))

    def settle(self, account: Any, *, of: Any = None) -> Sent:
        """Settles an account on chain, which anyone may do for anyone."""
        who = address_of(account if of is None else of)
        mined = self._send(account, "settle", who)
        return Sent(f"settled {who} in {self.name}", mined.receipt.hash, mined.block)

    def liquidate(self, account: Any, whom: Any) -> Sent:
        """Liquidates an account that is below its maintenance; the signer earns the fee when it settles."""
        who = address("whom", whom)
        mined = self._send(account, "liquidate", who)
        return Sent(f"liquidated {who} in {self.name}", mined.receipt.hash, mined.block)

    def wait(
        self,
        placed: Placed,
        *,
        timeout: float = 300,
        settle: Any = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Order:
        """Waits until an order's price has come, or its version turned out invalid; returns what became of it.

        With `settle`, an account, it is then settled on chain, if nobody else has. Raises UnreachableError where
        nothing has come within `timeout` seconds, or the node has not said so: the order is still there.
        """
        deadline = time.monotonic() + timeout
        while True:
            trouble: UnreachableError | None = None
            try:
                order = self._order(placed)
                if order.state != OrderState.WAITING:
                    break
            except UnreachableError as error:
                # A node that drops out, or is behind the one that has mined it, says nothing of the order.
                trouble = error
            if time.monotonic() > deadline:
                why = trouble or "the order still waits for it"
                raise UnreachableError(
                    f"no price has come for version {placed.version} in {timeout:g} s (the order is placed, by "
                    f"transaction {placed.transaction}): {why}",
                    placed.transaction,
                ) from trouble
            sleep(POLL)
        if order.state == OrderState.PRICED and settle is not None:
            self.settle(settle, of=placed.account)
            order = self._order(placed)
        return order

    # -- Intents -----------------------------------------------------------------------------------------------------

    @cached_property
    def intents(self) -> Intents:
        """Signed orders: build, sign, post, fill, cancel."""
        return Intents(self)

    # -- Contracts ---------------------------------------------------------------------------------------------------

    @cached_property
    def makeup(self) -> Makeup:
        """What the market is made of."""
        return self.protocol.guard(lambda: makeup(self.protocol.rpc, self.address))

    @cached_property
    def spender(self) -> Spender:
        """Who takes the tokens of deposits."""
        return Spender(self.name, self.address, self.makeup.token, self.makeup.scale)

    @cached_property
    def symbol(self) -> str:
        """The settlement token's."""
        token = Contract(Chain(self.protocol.rpc), "MockToken", self.makeup.token)
        return str(self.protocol.guard(lambda: token.read("symbol")))

    @cached_property
    def contract(self) -> Contract:
        """The market's contract."""
        return Contract(Chain(self.protocol.rpc), "IMarket", self.address)

    def events(self, mined: Mined, name: str) -> list[dict[str, Any]]:
        """The events of this name that the market emitted in a transaction."""
        known = {event.name: event for event in self.contract.interface.events.values()}
        return [
            dict(zip(known[event].parameters, values, strict=True))
            for event, values in self.contract.events(mined.receipt)
            if event == name
        ]

    # -- Steps -------------------------------------------------------------------------------------------------------

    def _present(self, account: Any, of: Any) -> tuple[str, Any]:
        who = address_of(account if of is None else of)
        return who, self.snapshot(who.lower()).present(who.lower())

    def _place(self, account: Any, who: str, present: Any, terms: Terms, deposit: int, referrer: str) -> Placed:
        fee: int | None = None
        try:
            quoted = quotes.order_quote(present, who.lower(), terms, deposit, referrer)
            fee = quoted.fee
        except Refused:
            # The chain has the last word: it may have moved on. But nothing is approved for what looks hopeless.
            if self.protocol.lacks_allowance(account, self.spender, deposit):
                raise
        approved = self.protocol.allow(account, self.spender, deposit)
        mined = self._send(account, "update", who, terms.maker_delta, terms.taker_delta, deposit, referrer)
        placed = self.events(mined, "OrderPlaced")
        if not placed:
            raise InputError("there was nothing left to close: a close or a liquidation came first")
        order = placed[-1]
        return Placed(
            market=self.name,
            account=who,
            side=terms.side.name.lower(),
            opened=decimal(order["opened"]),
            closed=decimal(order["closed"]),
            note=terms.note,
            version=order["version"],
            price=decimal(present.price),
            fee=None if fee is None else decimal(fee),
            settlement_fee=decimal(order["settlementFee"]),
            deposited=decimal(deposit),
            approved=decimal(approved),
            transaction=mined.receipt.hash,
            block=mined.block,
        )

    def _moved(self, who: str, mined: Mined, approved: int) -> Moved:
        came = sum(values["amount"] for values in self.events(mined, "Deposited"))
        went = sum(values["amount"] for values in self.events(mined, "Withdrawn"))
        return Moved(
            market=self.name,
            account=who,
            amount=decimal(came - went),
            collateral=decimal(self.protocol.after(mined, lambda: self.contract.read("collateral", who))),
            approved=decimal(approved),
            transaction=mined.receipt.hash,
            block=mined.block,
        )

    def _order(self, placed: Placed) -> Order:
        snapshot, book = self.snapshot(), self._book(placed.account)
        found = self.protocol.guard(lambda: book.orders(snapshot, placed.block, only=placed.version))
        orders = [order for order in found if placed.transaction in order.transactions]
        if not orders:
            raise NotMinedError(placed.transaction, 0)
        return orders[0]

    def _book(self, who: str) -> OrderBook:
        return OrderBook(self.protocol.rpc, self.name, self.address, self.makeup.oracle, who, self.protocol.span)

    def _send(self, account: Any, name: str, *arguments: Any) -> Mined:
        return self.protocol.sender.send(account, self.contract.query(name, *arguments))


def _referrer(referrer: Any) -> str:
    return NOBODY if referrer is None else address("referrer", referrer)


def _not_tradable(snapshot: Snapshot) -> str | None:
    """Why no size can change here now; None where one can."""
    mirror, (latest, current) = snapshot.mirror, snapshot.oracle.status()
    if mirror.factory.paused:
        return "the protocol is paused"
    if latest.timestamp == 0:
        return "there is no price yet"
    if not latest.valid:
        return "the latest version is invalid"
    if current - latest.timestamp > mirror.risk.stale_after:
        return f"the latest price is {current - latest.timestamp} s old, more than {mirror.risk.stale_after}"
    return "the market is closed: positions may only shrink" if mirror.parameter.closed else None
