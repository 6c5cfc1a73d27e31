"""Fills and crosses: two accounts exchange size at an agreed price (docs/protocol.md §9, contracts/market).

Longs and shorts change alike, so the makers are not touched and no price needs to be requested.
"""

from dataclasses import dataclass

from perennial.mirror import accounts as rooms
from perennial.mirror import errors
from perennial.mirror.account_state import Account
from perennial.mirror.fills import signed_size
from perennial.mirror.fixed import UNIT, UNIT12, ceil_div
from perennial.mirror.margin import maintenance, margin
from perennial.mirror.orders import NOBODY, Order, PendingVersion
from perennial.mirror.position import Book, Side
from perennial.mirror.state import MarketState
from perennial.mirror.verifier import Intent

SIZE_LIMIT = 1 << 63
"""Sizes are below this (docs/protocol.md §1.5)."""

PRICE_LIMIT = 1 << 62
"""Agreed prices are below this."""

NOTIONAL_LIMIT = 1 << 127
"""Sums of sizes times agreed prices are below this, 12 decimals."""

MAX_UINT256 = (1 << 256) - 1


@dataclass(slots=True)
class Party:
    """One side of a fill or cross: its settled account, what it signed (None: it fills), the collateral as stored."""

    name: str
    account: Account
    intent: Intent | None
    before: int
    reduces: bool = False


def party(market: MarketState, name: str, intent: Intent | None = None) -> Party:
    """Settles an account that takes part."""
    account = market.accounts[name]
    before = account.collateral
    rooms.settle(market, name)
    return Party(name, account, intent, before)


def check_price(market: MarketState, amount: int, price: int) -> None:
    """Refuses a price too far from the latest, and sizes beyond all bounds (§9.5)."""
    deviation = market.parameter.max_price_deviation
    if abs(price) >= PRICE_LIMIT or abs(price - market.price) * UNIT > deviation * abs(market.price):
        raise errors.PriceTooFar(price, market.price, deviation)
    if abs(amount) >= SIZE_LIMIT:
        raise errors.SizeOverflow(abs(amount))


def exchange(market: MarketState, a: Party, b: Party, amount: int, price: int, current: int) -> None:
    """Exchanges `amount` at `price`: `a` buys where it is positive. Freshness and price are checked."""
    exchanged = _join(market, a, amount, amount * price, current) + _join(market, b, -amount, -amount * price, current)
    fees = _charge(market, a, amount) + _charge(market, b, amount)
    _enqueue(market, exchanged, fees, current, reduces=a.reduces and b.reduces)
    for one in (a, b):
        _check_margin(market, one)
    for one in (a, b):
        rooms.store(market, one.account, one.before)
    market.emit("IntentFilled", a.name, b.name, current, amount, price, fees)


def _join(market: MarketState, one: Party, size: int, notional: int, current: int) -> int:
    """Adds a fill to an account's entry at the current version; returns what it changes of its long size."""
    account = one.account
    if account.liquidation:
        raise errors.AccountLocked(one.name, account.liquidation.timestamp)
    longs, one.reduces = _weigh(one, size)
    if not account.orders or account.orders[-1].timestamp != current:
        limit = market.parameter.max_pending_local
        if len(account.orders) >= limit:
            raise errors.TooManyPending(len(account.orders), limit)
        account.orders.append(Order(current))
    order = account.orders[-1]
    order.has_fills = True
    order.fill_size += size
    order.fill_notional += notional
    if abs(order.fill_size) >= SIZE_LIMIT or abs(order.fill_notional) >= NOTIONAL_LIMIT:
        raise errors.SizeOverflow(abs(size))
    if max(account.fills.worst, account.held) >= SIZE_LIMIT:
        raise errors.SizeOverflow(abs(size))
    return longs


def _weigh(one: Party, size: int) -> tuple[int, bool]:
    """What a fill changes of the account's long size, and whether it just makes it smaller (§5.3)."""
    account = one.account
    if account.side == Side.MAKER and (account.size or account.opens):
        raise errors.MakerCannotFill(one.name)
    if account.has_orders:
        is_long = account.side == Side.LONG
        reduces = is_long != (size > 0)
        if reduces and abs(size) > account.closable:
            raise errors.OverClose(abs(size), account.closable)
        return size if is_long else 0, reduces
    before = signed_size(account.side, account.size) + account.fills.size
    after = before + size
    crosses = after != 0 and (after > 0) != (before > 0)
    return max(after, 0) - max(before, 0), not crosses and abs(after) < abs(before)


def _charge(market: MarketState, one: Party, amount: int) -> int:
    """The fee of a signer, paid at once (§9.4); returns what of it joins the position fees of the version."""
    intent = one.intent
    if intent is None:
        return 0
    fee = ceil_div(abs(amount) * market.risk.taker_fee * abs(market.price), UNIT12)
    one.account.collateral -= fee
    one.account.ledger.position_fees -= fee * UNIT
    if intent.originator == NOBODY:
        return fee
    referral = fee * market.parameter.referral_fee // UNIT
    solving = 0 if intent.solver == NOBODY else referral * intent.fee // UNIT
    market.credit(intent.originator, one.name, referral - solving, 0)
    market.credit(intent.solver, one.name, solving, 0)
    return fee - referral


def _enqueue(market: MarketState, exchanged: int, fees: int, current: int, *, reduces: bool) -> None:
    """The market's side: longs and shorts change alike at the current version."""
    sizes = market.pending
    if exchanged > 0 and max(market.book.major, sizes.major) + exchanged >= SIZE_LIMIT:
        raise errors.SizeOverflow(exchanged)
    sizes.long += exchanged
    sizes.short += exchanged
    if not reduces:
        if market.parameter.closed:
            raise errors.MarketClosed
        if sizes.maker * UNIT <= market.risk.efficiency_limit * sizes.major:
            raise errors.EfficiencyTooLow(sizes.maker, sizes.major, market.risk.efficiency_limit)
    if not market.queue or market.queue[-1].timestamp != current:
        limit = market.parameter.max_pending_global
        if len(market.queue) >= limit:
            raise errors.TooManyPending(len(market.queue), limit)
        market.queue.append(PendingVersion(current, Book()))
    pending = market.queue[-1]
    pending.has_fills = True
    pending.exchanged += exchanged
    pending.fill_fees += fees


def _check_margin(market: MarketState, one: Party) -> None:
    """Margin after an increase, maintenance after a reduction; a signer may ask for more (§9.5)."""
    effective, worst = one.account.effective(market.price), one.account.worst
    if one.reduces:
        required = maintenance(worst, market.price, market.risk)
        if effective < required:
            raise errors.InsufficientMaintenance(effective, required)
    else:
        required = margin(worst, market.price, market.risk)
        if effective < required:
            raise errors.InsufficientMargin(effective, required)
    if one.intent is not None:
        required = ceil_div(min(worst * abs(market.price) * one.intent.collateralization, MAX_UINT256), UNIT12)
        if effective < required:
            raise errors.InsufficientCollateralization(effective, required)
