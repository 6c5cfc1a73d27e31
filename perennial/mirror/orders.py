"""Orders: what they cost and what they may do (docs/protocol.md §5.2, §5.3, §6, §10.4)."""

from dataclasses import dataclass, replace

from perennial.mirror.errors import EfficiencyTooLow, MakerLimitExceeded, UncoveredClose
from perennial.mirror.fixed import UNIT, UNIT12, ceil_div, clamp
from perennial.mirror.parameters import MarketParameter, RiskParameter
from perennial.mirror.position import Book, Side

MAX_RATE = (1 << 41) - 1
"""The hard cap of a fee: 219.9 % of notional, 12 decimals."""

MAX_CHANGE = (1 << 25) - 1
"""Where the sums of changes of skew and utilization stop, 6 decimals."""

NOBODY = "0x" + "0" * 40
"""The zero address: no referrer."""


@dataclass(slots=True)
class Order:
    """An account's orders at one version, charged as one (docs/protocol.md §6.2).

    `opened` and `closed` are sizes (6 decimals), `rate` the fee rate on both (12), `change` and `absolute_change` the
    sums of the changes of skew and |skew| (takers) or of utilization (makers) (6), `referral_share` the referrer's
    share of the fee units (12). `has_fills`: the account has fills of intents at the version, of net `fill_size` (6),
    positive where it bought, and `fill_notional`, the sum of sizes times agreed prices (12).
    """

    timestamp: int
    opened: int = 0
    closed: int = 0
    rate: int = 0
    change: int = 0
    absolute_change: int = 0
    referrer: str = NOBODY
    settlement_fee: int = 0
    referral_share: int = 0
    has_fills: bool = False
    fill_size: int = 0
    fill_notional: int = 0

    @property
    def has_orders(self) -> bool:
        """Whether there are orders at the version, not just fills."""
        return bool(self.opened or self.closed)

    @property
    def units(self) -> int:
        """Fee units: size times rate, 12 decimals, rounded up."""
        return self.units_at(self.rate)

    def units_at(self, rate: int) -> int:
        """Fee units at another rate of 12 decimals."""
        return ceil_div((self.opened + self.closed) * rate, UNIT)

    @property
    def referral_units(self) -> int:
        """Fee units that the referrer gets, 12 decimals, rounded down."""
        return self.units * self.referral_share // UNIT12


@dataclass(slots=True)
class PendingVersion:
    """A version that waits for its price: net changes of sizes (6 decimals), fee units (12), settlement fees (6).

    `has_fills`: intents are filled at it, which change longs and shorts alike by `exchanged` and have paid `fill_fees`.
    """

    timestamp: int
    sizes: Book
    units: int = 0
    referral_units: int = 0
    settlement: int = 0
    has_fills: bool = False
    exchanged: int = 0
    fill_fees: int = 0

    def copy(self) -> "PendingVersion":
        """A pending version of its own."""
        return replace(self, sizes=self.sizes.copy())


@dataclass(slots=True, frozen=True)
class Change:
    """An order of one account: `opened` or `closed` (6 decimals) on a side; the other one is 0."""

    side: Side
    opened: int = 0
    closed: int = 0

    @property
    def delta(self) -> int:
        """Change of the side's size."""
        return self.opened - self.closed


def charge(order: Order, change: Change, before: Book, after: Book, risk: RiskParameter, share: int) -> None:
    """Adds a change to the account's order at its version and raises the fee to the new total, if that is higher.

    `before` and `after` are the market's books with every pending order, `share` is the referrer's share of what this
    adds (6 decimals). What the orders so far were charged stays charged (docs/protocol.md §6.2), and a change of terms
    does not reach back to them (§4.4): they count for what they would cost on the terms of today, if that is more.
    """
    units, referral, magnitude = order.units, order.referral_share, order.opened + order.closed
    today = order.units_at(_rate(order, change.side, risk)) if magnitude else 0

    if change.side == Side.MAKER:
        order.change = _saturated(order.change + after.utilization(UNIT) - before.utilization(UNIT))
    else:
        skew, skew_after = before.skew(risk.virtual_taker), after.skew(risk.virtual_taker)
        order.change = _saturated(order.change + skew_after - skew)
        order.absolute_change = _saturated(order.absolute_change + abs(skew_after) - abs(skew))
    order.opened += change.opened
    order.closed += change.closed
    order.rate = _rate(order, change.side, risk)
    if magnitude:
        increase = max(0, order.units - max(units, today))
        order.rate = min(ceil_div((units + increase) * UNIT, order.opened + order.closed), MAX_RATE)
    new_units = order.units
    if new_units:
        order.referral_share = (referral * units + share * UNIT * (new_units - units)) // new_units


def _rate(order: Order, side: Side, risk: RiskParameter) -> int:
    """The fee rate of an account's orders at a version on these terms, 12 decimals (docs/protocol.md §6.1)."""
    if side == Side.MAKER:
        rate = risk.maker_fee * UNIT + order.change * risk.maker_impact_fee
    else:
        rate = risk.taker_fee * UNIT + abs(order.change) * risk.taker_skew_fee
        rate += order.absolute_change * risk.taker_impact_fee
    return max(0, min(rate, MAX_RATE))


def check_limits(change: Change, before: Book, after: Book, risk: RiskParameter, parameter: MarketParameter) -> None:
    """Refuses what docs/protocol.md §10.4 refuses; both books have every pending order."""
    if change.opened and change.side == Side.MAKER:
        if after.maker >= risk.maker_limit:
            raise MakerLimitExceeded(after.maker, risk.maker_limit)
    elif change.opened:
        if after.maker * UNIT <= risk.efficiency_limit * after.major:
            raise EfficiencyTooLow(after.maker, after.major, risk.efficiency_limit)
    elif change.closed:
        always = parameter.maker_close_always if change.side == Side.MAKER else parameter.taker_close_always
        if not always and after.deficit > before.deficit:
            raise UncoveredClose(after.major, after.cover)


def _saturated(value: int) -> int:
    return clamp(value, MAX_CHANGE)
