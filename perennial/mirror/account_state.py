"""An account as of its last settlement, and the liquidation that it may wait for (docs/protocol.md §10)."""

from dataclasses import dataclass, field, replace

from perennial.mirror.accumulators import NO_PARTS, Parts
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
