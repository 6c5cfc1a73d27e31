"""Settlement of an account, up to where the market is settled (docs/protocol.md §5.6, §10.5)."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from perennial.mirror.accumulators import NO_PARTS, Accumulators, Parts, VersionRecord
from perennial.mirror.fixed import UNIT, UNIT12
from perennial.mirror.ledger import Ledger
from perennial.mirror.margin import position_fee
from perennial.mirror.orders import NOBODY, Order
from perennial.mirror.position import Side

if TYPE_CHECKING:
    from perennial.mirror.market import Market

MAX_COLLATERAL = (1 << 63) - 1
"""Collateral has 64 bits on chain and saturates: settlement never reverts."""


@dataclass(slots=True, frozen=True)
class Liquidation:
    """What a locked account waits for: who earns the fee (USD, 6 decimals), at which version it settles."""

    liquidator: str
    fee: int
    timestamp: int


@dataclass(slots=True)
class Account:
    """An account as of its last settlement.

    `collateral` USD, `size` of `side`, sums over pending orders (`opens`, `closes`, `settlement`: 6 decimals;
    `units`: 12), `accumulator` and `reward_accumulator` of its side when it was last settled (12 decimals), `rewards`
    accrued (6 decimals). `parts` and `ledger` are for reports.
    """

    collateral: int = 0
    size: int = 0
    side: Side = Side.NONE
    accumulator: int = 0
    reward_accumulator: int = 0
    rewards: int = 0
    orders: list[Order] = field(default_factory=list)
    opens: int = 0
    closes: int = 0
    units: int = 0
    settlement: int = 0
    liquidation: Liquidation | None = None
    parts: Parts = NO_PARTS
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def locked(self) -> bool:
        """Whether a liquidation waits for its version."""
        return self.liquidation is not None

    @property
    def current_side(self) -> Side:
        """The side that it is on: none without a size and without pending opens."""
        return self.side if self.size or self.opens else Side.NONE

    @property
    def closable(self) -> int:
        """Settled size less the closes already pending."""
        return self.size - self.closes

    @property
    def worst(self) -> int:
        """The largest size that it can come to have (docs/protocol.md §10.2)."""
        return self.size + self.opens

    def effective(self, price: int) -> int:
        """Effective collateral at a price: collateral less the fees of pending orders (docs/protocol.md §10.2)."""
        return self.collateral - position_fee(self.units, price) - self.settlement

    def copy(self) -> "Account":
        """An account of its own."""
        return replace(self, orders=[replace(order) for order in self.orders], ledger=replace(self.ledger))


def settle(market: "Market", name: str) -> None:
    """Brings an account to the market's version: pending orders oldest first, then what its size has gained since."""
    account = market.accounts[name]
    if not (account.orders or account.size or account.liquidation):
        return
    before = account.collateral
    while account.orders and account.orders[0].timestamp <= market.timestamp:
        _settle_order(market, name, account, account.orders.pop(0))
    if account.size:
        side = account.side
        moved = market.accumulators.of(side) != account.accumulator
        accrued = _accrue(market, account, market.accumulators, market.reward_accumulators, market.parts)
        if moved:
            market.emit("AccountSettled", name, market.timestamp, accrued, 0, 0, 0, account.collateral, account.size)
    if account.liquidation and account.liquidation.timestamp <= market.timestamp:
        account.liquidation = None
    store_collateral(market, account, before)


def store_collateral(market: "Market", account: Account, before: int) -> None:
    """Bounds the collateral to its storage and keeps the shortfall, from the collateral that it had before."""
    bounded = max(-MAX_COLLATERAL, min(account.collateral, MAX_COLLATERAL))
    if bounded != account.collateral:
        market.saturated = True
        account.ledger.rounding += (bounded - account.collateral) * UNIT
        account.collateral = bounded
    market.shortfall += max(0, -bounded) - max(0, -before)


def _settle_order(market: "Market", name: str, account: Account, order: Order) -> None:
    """One order at its version. Charged in turn: what accrued, position, settlement and liquidation fee."""
    units = order.units
    account.opens -= order.opened
    account.closes -= order.closed
    account.units -= units
    account.settlement -= order.settlement_fee
    version = market.versions.get(order.timestamp)
    if version is None:
        market.emit("OrderCancelled", name, order.timestamp)
        return
    accrued = 0
    if account.size:
        accrued = _accrue(market, account, version.accumulators, version.rewards, version.parts)
    fee = _charge(market, name, account, order, version)
    account.size += order.opened - order.closed
    liquidation_fee = _pay_liquidator(market, name, account, order.timestamp)
    account.accumulator = version.accumulators.of(account.side)
    account.reward_accumulator = version.rewards.of(account.side)
    account.parts = version.parts[account.side - 1]
    market.emit(
        "AccountSettled",
        name,
        order.timestamp,
        accrued,
        fee,
        order.settlement_fee,
        liquidation_fee,
        account.collateral,
        account.size,
    )


def _accrue(
    market: "Market",
    account: Account,
    accumulators: Accumulators,
    rewards: Accumulators,
    parts: tuple[Parts, Parts, Parts],
) -> int:
    """What the size gained, rounded down, with the account's accumulators moved."""
    side = account.side
    accumulator, reward = accumulators.of(side), rewards.of(side)
    accrued = account.size * (accumulator - account.accumulator) // UNIT12
    account.collateral += accrued
    account.accumulator = accumulator
    account.rewards += account.size * (reward - account.reward_accumulator) // UNIT12
    account.reward_accumulator = reward
    gained = parts[side - 1]
    account.ledger.accrue(account.size, gained, account.parts, accrued)
    account.parts = gained
    market.dust_bound += UNIT12
    return accrued


def _charge(market: "Market", name: str, account: Account, order: Order, version: VersionRecord) -> int:
    """Position fee and settlement fee of an order; the referrer is credited."""
    fee = position_fee(order.units, version.price)
    account.collateral -= fee + order.settlement_fee
    account.ledger.position_fees -= fee * UNIT
    account.ledger.settlement_fees -= order.settlement_fee * UNIT
    market.dust_bound += 2 * UNIT12
    if order.referrer != NOBODY:
        market.credit(order.referrer, name, order.referral_units * abs(version.price) // UNIT12, 0)
    return fee


def _pay_liquidator(market: "Market", name: str, account: Account, timestamp: int) -> int:
    """The liquidation fee, if it is due; returns what the account paid, the donation pays the rest."""
    liquidation = account.liquidation
    if liquidation is None or liquidation.timestamp != timestamp or liquidation.fee == 0:
        return 0
    from_account = min(liquidation.fee, max(0, account.collateral))
    account.collateral -= from_account
    account.ledger.liquidation_fee -= from_account * UNIT
    from_donation = 0
    if from_account < liquidation.fee:
        from_donation = market.fees.take_donation(liquidation.fee - from_account, market.parameter)
    market.credit(liquidation.liquidator, name, from_account + from_donation, from_donation)
    return from_account
