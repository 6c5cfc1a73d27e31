"""An account as of its last settlement, and the liquidation that it may wait for (docs/protocol.md §10)."""

from dataclasses import dataclass, field, replace

from perennial.mirror.accumulators import NO_PARTS, Parts
from perennial.mirror.fills import PendingFills, pending_fills, signed_size
from perennial.mirror.fixed import UNIT
from perennial.mirror.ledger import Ledger
from perennial.mirror.margin import position_fee
from perennial.mirror.orders import Order
from perennial.mirror.position import Side

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
    def fills(self) -> PendingFills:
        """Its pending fills, summed up."""
        return pending_fills(self.side, self.size, self.orders)

    @property
    def has_orders(self) -> bool:
        """Whether orders are pending, not just fills."""
        return bool(self.opens or self.closes)

    @property
    def current_side(self) -> Side:
        """The side that it is on: that of pending fills without a size and without pending opens, or none."""
        return self.side if self.size or self.opens else self.fills.side

    @property
    def closable(self) -> int:
        """Settled size less what is closing already; nothing while a fill takes it through zero (§5.3)."""
        fills = self.fills
        return 0 if fills.crosses else max(0, self.size - self.closes - fills.closes)

    @property
    def held(self) -> int:
        """Settled size with all that is opening."""
        return self.size + self.opens + self.fills.opens

    @property
    def worst(self) -> int:
        """The largest size that it can come to have (docs/protocol.md §10.2)."""
        return self.held if self.has_orders else self.fills.worst

    @property
    def pending(self) -> tuple[Side, int]:
        """Side and size with everything that is pending."""
        size, fills = self.size + self.opens - self.closes, self.fills
        if fills.side == Side.NONE:
            return self.side, size
        signed = signed_size(fills.side, size) + fills.size
        return Side.LONG if signed > 0 else Side.SHORT, abs(signed)

    def effective(self, price: int) -> int:
        """Effective collateral at a price: less the fees of pending orders, with the guarantees of fills (§10.2)."""
        fills = self.fills
        guarantees = (fills.size * price - fills.notional) // UNIT
        return self.collateral - position_fee(self.units, price) - self.settlement + guarantees

    def copy(self) -> "Account":
        """An account of its own."""
        return replace(self, orders=[replace(order) for order in self.orders], ledger=replace(self.ledger))
