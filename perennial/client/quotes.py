"""Orders as people mean them, and what they would do: questions to the mirror (docs/protocol.md §5, §6, §10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.abi import Reverted
from perennial.amounts import ONE, decimal
from perennial.client.errors import InputError, Refused
from perennial.client.numbers import ALL, Number, amount, units_for
from perennial.client.results import ESTIMATE, Position, Quote
from perennial.mirror import quote as mirror_quote
from perennial.mirror.account_state import MAX_COLLATERAL
from perennial.mirror.errors import MarketError
from perennial.mirror.fixed import UNIT12
from perennial.mirror.interest import rate as interest_rate
from perennial.mirror.margin import maintenance, margin
from perennial.mirror.oracle import Oracle
from perennial.mirror.position import Side

if TYPE_CHECKING:
    from decimal import Decimal

    from perennial.client.state import Snapshot
    from perennial.mirror.market import Market as Mirror
    from perennial.mirror.quote import OrderQuote

SIDES = {"maker": Side.MAKER, "long": Side.LONG, "short": Side.SHORT}

NOBODY = "0x" + "0" * 40
"""No referrer; as an account, somebody without a position."""


@dataclass(frozen=True, slots=True)
class Terms:
    """An order as the market takes it: changes of maker and taker size (6 decimals), and what was meant."""

    side: Side
    size: int
    closes: bool
    maker_delta: int
    taker_delta: int
    note: str | None = None


def opening(present: Mirror, account: str, side: str, size: Number | None, usd: Number | None) -> Terms:
    """An order that opens. InputError for an unknown side, and where the account is on another one."""
    if not isinstance(side, str) or side not in SIDES:
        raise InputError(f"side: {side!r} is none of long, short, maker")
    wanted = SIDES[side]
    units, note = _units(present, size, usd)
    state = present.accounts.get(account)
    current = state.current_side if state else Side.NONE
    if current not in (Side.NONE, wanted):
        raise InputError(
            f"the account is {current.name.lower()} already, and opens nothing else before that is closed and settled: "
            "reduce or close it"
        )
    return _terms(wanted, units, closes=False, note=note)


def closing(present: Mirror, account: str, size: Number | None, usd: Number | None) -> Terms:
    """An order that closes a part, or all that may be closed where neither size nor USD is given."""
    state = present.accounts.get(account)
    side, closable = (state.current_side, state.closable) if state else (Side.NONE, 0)
    if closable == 0 or side == Side.NONE:
        waits = state is not None and bool(state.orders)
        raise InputError(
            "there is nothing to close"
            + (": orders wait for their version; close when they have settled" if waits else "")
        )
    if size is None and usd is None:
        delta = ALL
        maker, taker = (delta, 0) if side == Side.MAKER else (0, delta)
        return Terms(side, closable, True, maker, taker)
    units, note = _units(present, size, usd)
    return _terms(side, units, closes=True, note=note)


def order_quote(present: Mirror, account: str, terms: Terms, collateral: int, referrer: str) -> OrderQuote:
    """What the market would answer. Raises Refused with its error."""
    deltas = {"maker_delta": terms.maker_delta, "taker_delta": terms.taker_delta, "collateral_delta": collateral}
    try:
        return mirror_quote.quote_order(present, account, **deltas, referrer=referrer.lower())
    except MarketError as error:
        raise Refused(Reverted(type(error).__name__, error.args)) from None


def quote(
    name: str,
    snapshot: Snapshot,
    account: str | None,
    terms: Terms,
    *,
    collateral: int,
    until: int,
    referrer: str = NOBODY,
) -> Quote:
    """What an order would do and cost; without an account, to somebody with more collateral than needed."""
    who = account or NOBODY
    present = snapshot.present(who)
    given = collateral if account or collateral else MAX_COLLATERAL // 2
    found = order_quote(present, who, terms, given, referrer)
    then = _afterwards(present, who, terms, given, referrer)
    projected = mirror_quote.project(then, who, max(until, then.timestamp))
    is_known = bool(account or collateral)
    below, above = mirror_quote.liquidation_prices(then, who) if is_known else (None, None)
    return Quote(
        market=name,
        side=terms.side.name.lower(),
        size=decimal(terms.size),
        closes=terms.closes,
        note=terms.note,
        price=decimal(found.price),
        version=found.version,
        value=decimal(terms.size * abs(found.price) // ONE),
        fee_rate=decimal(found.rate).scaleb(-6),
        fee=decimal(found.fee),
        settlement_fee=decimal(found.settlement_fee),
        skew_before=decimal(found.skew[0]),
        skew_after=decimal(found.skew[1]),
        utilization_before=decimal(found.utilization[0]),
        utilization_after=decimal(found.utilization[1]),
        margin=decimal(found.margin),
        effective_collateral=decimal(found.effective_collateral) if is_known else None,
        liquidation_below=_price(below),
        liquidation_above=_price(above),
        funding_rate=decimal(present.funding_rate()),
        until=until,
        funding=decimal(projected.funding // ONE),
        interest=decimal(projected.interest // ONE),
        funding_rate_then=decimal(projected.rate // ONE),
    )


def position(name: str, snapshot: Snapshot, account: str, address: str, rewards: int) -> Position:
    """An account as if settled now."""
    present = snapshot.present(account)
    state = present.accounts[account]
    side, size = (state.side, state.size) if state.size else (Side.NONE, 0)
    pending_side, pending = state.pending
    value = size * abs(present.price) // ONE
    below, above = mirror_quote.liquidation_prices(present, account) if size else (None, None)
    effective = state.effective(present.price)
    return Position(
        market=name,
        account=address,
        side=side.name.lower(),
        size=decimal(size),
        pending_side=(pending_side if pending else Side.NONE).name.lower(),
        pending_size=decimal(pending),
        price=decimal(present.price),
        value=decimal(value),
        collateral=decimal(state.collateral),
        effective_collateral=decimal(effective),
        margin=decimal(margin(state.worst, present.price, present.risk)),
        maintenance=decimal(maintenance(size, present.price, present.risk)),
        leverage=decimal(value * ONE // state.collateral if state.collateral > 0 else 0),
        liquidation_below=_price(below),
        liquidation_above=_price(above),
        claimable=decimal(present.credits.get(account, 0)),
        rewards=decimal(rewards),
        locked=state.locked,
        as_of=present.timestamp,
    )


def yearly_interest(present: Mirror) -> int:
    """What takers pay for the makers' liquidity a year, 6 decimals."""
    return interest_rate(present.book.utilization(UNIT12), present.risk.utilization_curve) // ONE


def _units(present: Mirror, size: Number | None, usd: Number | None) -> tuple[int, str | None]:
    if (size is None) == (usd is None):
        raise InputError("give the size in units or in USD, one of the two")
    if size is not None:
        return amount("size", size), None
    assert usd is not None
    units = units_for(amount("usd", usd), present.price)
    return units, f"{ESTIMATE}: {decimal(units)} units at {decimal(present.price)}"


def _terms(side: Side, units: int, *, closes: bool, note: str | None) -> Terms:
    delta = -units if closes else units
    maker, taker = (delta, 0) if side == Side.MAKER else (0, delta if side == Side.LONG else -delta)
    return Terms(side, units, closes, maker, taker, note)


def _afterwards(present: Mirror, account: str, terms: Terms, collateral: int, referrer: str) -> Mirror:
    """The market once the order has settled at its version, at the latest price: from where funding is projected."""
    trial = present.copy()
    latest, current = present.oracle.status()
    oracle = Oracle(current)
    oracle.latest = latest
    trial.oracle = oracle
    trial.update(account, terms.maker_delta, terms.taker_delta, collateral, referrer.lower())
    for pending in list(trial.queue):
        oracle.commit(pending.timestamp, present.price, pending.timestamp + 1)
    trial.settle(account)
    return trial


def _price(raw: int | None) -> Decimal | None:
    return None if raw is None else decimal(raw)
