"""Pending fills of an account, summed over its versions (docs/protocol.md §5.3, §9.3, §10.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from perennial.mirror.orders import Order
from perennial.mirror.position import Side


@dataclass(slots=True, frozen=True)
class PendingFills:
    """Sizes have 6 decimals, `notional` (sum of sizes times agreed prices) 12. Within a version fills are netted.

    `side` is what they are judged against: that of the settled size, else of the first fill. `opens` are sizes along
    it, `closes` against it, `worst` is the largest size, settled or after any version, `crosses` says that one goes
    through zero.
    """

    size: int
    notional: int
    side: Side
    opens: int
    closes: int
    worst: int
    crosses: bool


def pending_fills(side: Side, size: int, orders: Sequence[Order]) -> PendingFills:
    """Sums up what is pending, oldest version first, of an account with a settled size on a side."""
    own = side if size and any(order.has_fills for order in orders) else Side.NONE
    net = notional = opens = closes = 0
    worst, crosses = size, False
    signed = signed_size(side, size)
    for order in orders:
        net += order.fill_size
        notional += order.fill_notional
        if order.fill_size == 0:
            continue
        along = Side.LONG if order.fill_size > 0 else Side.SHORT
        if own == Side.NONE:
            own = along
        if along == own:
            opens += abs(order.fill_size)
        else:
            closes += abs(order.fill_size)
        after = signed + net
        worst = max(worst, abs(after))
        crosses |= after != 0 and (after > 0) != (own == Side.LONG)
    return PendingFills(net, notional, own, opens, closes, worst, crosses)


def signed_size(side: Side, size: int) -> int:
    """A taker's size, positive where long; 0 for makers."""
    return {Side.LONG: size, Side.SHORT: -size}.get(side, 0)
