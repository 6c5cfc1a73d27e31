"""Settlement of an account, up to where the market is settled (docs/protocol.md §5.6, §10.5)."""

from perennial.mirror.account_state import MAX_COLLATERAL, Account
from perennial.mirror.accumulators import Accumulators, Parts, VersionRecord
from perennial.mirror.fills import signed_size
from perennial.mirror.fixed import UNIT, UNIT12
from perennial.mirror.margin import position_fee
from perennial.mirror.orders import NOBODY, Order
from perennial.mirror.position import Side
from perennial.mirror.state import MarketState


def settle(market: MarketState, name: str) -> None:
    """Brings an account to the market's version: pending orders oldest first, then what its size has gained since.

    The caller stores it.
    """
    account = market.accounts[name]
    if not (account.orders or account.size or account.liquidation):
        return
    while account.orders and account.orders[0].timestamp <= market.timestamp:
        _settle_order(market, name, account, account.orders.pop(0))
    if account.size:
        side = account.side
        moved = market.accumulators.of(side) != account.accumulator
        accrued = _accrue(market, account, market.accumulators, market.reward_accumulators, market.parts)
        if moved:
            market.emit("AccountSettled", name, market.timestamp, accrued, 0, 0, account.collateral, account.size)
    if account.liquidation and account.liquidation.timestamp <= market.timestamp:
        account.liquidation = None
    _bound(market, account)


def _bound(market: MarketState, account: Account) -> None:
    """Brings the collateral into what its storage can hold; what that takes or gives is in the ledger's rounding."""
    bounded = max(-MAX_COLLATERAL, min(account.collateral, MAX_COLLATERAL))
    if bounded != account.collateral:
        market.saturated = True
        account.ledger.rounding += (bounded - account.collateral) * UNIT
        account.collateral = bounded


def store(market: MarketState, account: Account, before: int) -> None:
    """Keeps the shortfall; `before` is the collateral that was stored."""
    market.shortfall += max(0, -account.collateral) - max(0, -before)


def _settle_order(market: MarketState, name: str, account: Account, order: Order) -> None:
    """One order at its version. Charged in turn: what accrued, position, settlement and liquidation fee."""
    units = order.units
    account.opens -= order.opened
    account.closes -= order.closed
    account.units -= units
    account.settlement -= order.settlement_fee
    version = market.versions.get(order.timestamp)
    valid = version is not None and version.valid
    if order.has_orders and not valid:
        market.emit("OrderCancelled", name, order.timestamp)
    if version is None or not (valid or order.has_fills):
        return
    accrued = fee = settlement = 0
    if account.size:
        accrued = _accrue(market, account, version.accumulators, version.rewards, version.parts)
    if order.has_fills:
        accrued += _guarantee(market, account, order, version.price)
    if valid:
        settlement = order.settlement_fee
        fee = _charge(market, name, account, order, version)
        account.size += order.opened - order.closed
        _pay_liquidator(market, name, account, order.timestamp)
    if order.fill_size:
        signed = signed_size(account.side, account.size) + order.fill_size
        account.size = abs(signed)
        if signed:
            account.side = Side.LONG if signed > 0 else Side.SHORT
    account.accumulator = version.accumulators.of(account.side)
    account.reward_accumulator = version.rewards.of(account.side)
    account.parts = version.parts[account.side - 1]
    market.emit(
        "AccountSettled",
        name,
        order.timestamp,
        accrued,
        fee,
        settlement,
        account.collateral,
        account.size,
    )


def _accrue(
    market: MarketState,
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


def _guarantee(market: MarketState, account: Account, order: Order, price: int) -> int:
    """What the version's price makes of the prices agreed on, gained or lost at once (§9.3)."""
    guarantee = (order.fill_size * price - order.fill_notional) // UNIT
    account.collateral += guarantee
    account.ledger.guarantees += guarantee * UNIT
    market.dust_bound += UNIT12
    return guarantee


def _charge(market: MarketState, name: str, account: Account, order: Order, version: VersionRecord) -> int:
    """Position fee and settlement fee of an order; the referrer is credited."""
    fee = position_fee(order.units, version.price)
    account.collateral -= fee + order.settlement_fee
    account.ledger.position_fees -= fee * UNIT
    account.ledger.settlement_fees -= order.settlement_fee * UNIT
    market.dust_bound += 2 * UNIT12
    if order.referrer != NOBODY:
        market.credit(order.referrer, name, order.referral_units * abs(version.price) // UNIT12, 0)
    return fee


def _pay_liquidator(market: MarketState, name: str, account: Account, timestamp: int) -> None:
    """The liquidation fee, if it is due: the account pays as far as it can, the donation as far as that can."""
    liquidation = account.liquidation
    if liquidation is None or liquidation.timestamp != timestamp or liquidation.fee == 0:
        return
    from_account = min(liquidation.fee, max(0, account.collateral))
    account.collateral -= from_account
    account.ledger.liquidation_fee -= from_account * UNIT
    from_donation = 0
    if from_account < liquidation.fee:
        from_donation = market.fees.take_donation(liquidation.fee - from_account, market.parameter)
    market.credit(liquidation.liquidator, name, from_account + from_donation, from_donation)
