"""Questions to a market, answered without a chain: an order's cost, where an account is liquidated, what time costs.

A quote changes nothing: it plays the question through on a copy. Amounts have 6 decimals unless stated.
"""

from dataclasses import dataclass

from perennial.mirror import accounts as rooms
from perennial.mirror.account_state import Account
from perennial.mirror.accrual import Interval, accrue
from perennial.mirror.fixed import UNIT, UNIT12
from perennial.mirror.ledger import Ledger
from perennial.mirror.margin import maintenance, margin, position_fee
from perennial.mirror.market import Market
from perennial.mirror.oracle import OracleVersion
from perennial.mirror.orders import NOBODY
from perennial.mirror.settlement import sync
from perennial.mirror.state import PRICE_LIMIT


@dataclass(frozen=True, slots=True)
class OrderQuote:
    """What an order would do, at the latest price; it settles at `version`, at that version's price.

    `rate` is the fee rate of all the account's orders at the version (12 decimals), `fee` what this one adds to the
    position fee, `skew` and `utilization` are the market's with every pending order, before and after.
    """

    version: int
    price: int
    rate: int
    fee: int
    settlement_fee: int
    skew: tuple[int, int]
    utilization: tuple[int, int]
    effective_collateral: int
    margin: int
    liquidation_prices: tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Projection:
    """What an account gains until a date with the sizes of today: USD with 12 decimals; `rate` of funding then, too."""

    pnl: int
    funding: int
    interest: int
    rate: int


class _Frozen:
    """The oracle as it stands; requests of a quote go nowhere."""

    def __init__(self, market: Market) -> None:
        self._status = market.oracle.status()
        self.at = market.oracle.at

    def request(self, account: str) -> None:
        """Nothing."""

    def status(self) -> tuple[OracleVersion, int]:
        """As it stood."""
        return self._status


def quote_order(
    market: Market,
    account: str,
    *,
    maker_delta: int = 0,
    taker_delta: int = 0,
    collateral_delta: int = 0,
    referrer: str = NOBODY,
) -> OrderQuote:
    """What `market.update` would do with these arguments. Raises the MarketError that it would be refused with."""
    trial = market.copy()
    trial.oracle = _Frozen(market)
    trial.settle(account, caller=account)
    before, pending = trial.accounts[account].copy(), trial.pending.copy()
    trial.update(account, maker_delta, taker_delta, collateral_delta, referrer)
    after = trial.accounts[account]
    order = after.orders[-1] if after.orders else None
    virtual_taker = trial.risk.virtual_taker
    return OrderQuote(
        version=trial.oracle.status()[1],
        price=trial.price,
        rate=order.rate if order else 0,
        fee=position_fee(after.units, trial.price) - position_fee(before.units, trial.price),
        settlement_fee=after.settlement - before.settlement,
        skew=(pending.skew(virtual_taker), trial.pending.skew(virtual_taker)),
        utilization=(pending.utilization(UNIT), trial.pending.utilization(UNIT)),
        effective_collateral=after.effective(trial.price),
        margin=margin(after.worst, trial.price, trial.risk),
        liquidation_prices=_liquidation_prices(trial, after, 1),
    )


def liquidation_prices(market: Market, account: str, lowest: int = 1) -> tuple[int | None, int | None]:
    """Where the account could be liquidated if the price moved there now: nearest below and nearest above the latest.

    None where there is no such price between `lowest` and the largest valid one; both are the latest price where it can
    be liquidated as it is. Fees of pending orders count, their sizes do not yet.
    """
    trial = market.copy()
    rooms.settle(trial, account) if account in trial.accounts else None
    return _liquidation_prices(trial, trial.accounts.get(account, Account()), lowest)


def project(market: Market, account: str, timestamp: int, price: int | None = None) -> Projection:
    """PnL, funding and interest of the settled size until `timestamp`, at `price` then (the latest by default)."""
    trial = market.copy()
    rooms.settle(trial, account)
    state = trial.accounts[account]
    trial.queue, state.orders, state.ledger = [], [], Ledger()
    sync(trial, OracleVersion(timestamp, market.price if price is None else price, True))
    rooms.settle(trial, account)
    return Projection(state.ledger.pnl, state.ledger.funding, state.ledger.interest, trial.funding_rate12)


def _liquidation_prices(market: Market, account: Account, lowest: int) -> tuple[int | None, int | None]:
    if not (account.size or account.orders):
        return None, None
    if not _healthy(market, account, market.price):
        return market.price, market.price
    return (
        _boundary(market, account, market.price, min(lowest, market.price)),
        _boundary(market, account, market.price, PRICE_LIMIT - 1),
    )


def _boundary(market: Market, account: Account, healthy: int, end: int) -> int | None:
    """The unhealthy price nearest to a healthy one, toward `end`.

    What an account has is linear in the price, what it needs is convex: its healthy prices are one interval.
    """
    if _healthy(market, account, end):
        return None
    unhealthy = end
    while abs(unhealthy - healthy) > 1:
        middle = (healthy + unhealthy) // 2
        if _healthy(market, account, middle):
            healthy = middle
        else:
            unhealthy = middle
    return unhealthy


def _healthy(market: Market, account: Account, price: int) -> bool:
    """Whether an account that is settled to the market's version would not be liquidatable at a price now."""
    gained = 0
    if account.size and not market.parameter.closed:
        interval = Interval(market.book, market.price, price, 0)
        accrued = accrue(interval, market.funding_rate12, market.accumulators, market.risk, market.parameter)
        moved = accrued.accumulators.of(account.side) - account.accumulator
        gained = account.size * moved // UNIT12
    required = maintenance(account.size, price, market.risk)
    return gained + account.effective(price) >= required
