"""Crosses opposite intents by price, then time, as a continuous order book would have done (docs/protocol.md §9.2)."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from perennial.solver.orders import Band, Cross, Open

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from perennial.solver.turns import Turns


class Matching:
    """Takes intents in order of time. Each meets those that wait on the other side, the best price first.

    A deal is at the price of who waited, so the later one gets the better price; where that is outside the band, at the
    nearest price inside that both accept. Afterwards `remaining` has what is left of each, `reasons` why a pair that
    could have met did not.
    """

    def __init__(
        self, band: Band, barred: AbstractSet[frozenset[str]] = frozenset(), turns: Turns | None = None
    ) -> None:
        """`barred` are pairs of hashes that the market has refused to cross; `turns` bounds contract wallets."""
        self.band, self.barred, self.turns = band, barred, turns
        self.crosses: list[Cross] = []
        self.remaining: dict[str, int] = {}
        self.reasons: dict[str, str] = {}
        self._buys: list[Open] = []
        self._sells: list[Open] = []

    def run(self, orders: Sequence[Open]) -> list[Cross]:
        """The crosses among these intents, in the order in which they are made."""
        for order in sorted(orders, key=lambda order: order.sequence):
            self._meet(order)
        return self.crosses

    def _meet(self, order: Open) -> None:
        self.remaining[order.hash] = order.remaining
        waiting = self._sells if order.buys else self._buys
        for other in list(waiting):
            if not order.intent.accepts(other.intent.price):
                # Further ones are worse.
                break
            self._cross(order, other)
            if self.remaining[order.hash] == 0:
                break
        waiting[:] = [other for other in waiting if self.remaining[other.hash] > 0]
        if self.remaining[order.hash] > 0:
            self._wait(order)

    def _cross(self, order: Open, other: Open) -> None:
        size, reason = self._size(order, other)
        price = self._price(order, other)
        if reason is None and price is None:
            reason = f"both accept no price within the band of {self.band}"
        if reason is None and self.turns is not None:
            # Last: only what would be tried takes a place.
            reason = self.turns.refusal(order, other)
        if reason is not None or price is None:
            self.reasons[order.hash] = f"not with {other.hash}: {reason}"
            self.reasons[other.hash] = f"not with {order.hash}: {reason}"
            return
        self.crosses.append(Cross(order, other, size, price))
        self.remaining[order.hash] -= size
        self.remaining[other.hash] -= size

    def _size(self, order: Open, other: Open) -> tuple[int, str | None]:
        if order.account == other.account:
            return 0, "both are of one account"
        if frozenset({order.hash, other.hash}) in self.barred:
            return 0, "the market has refused it"
        left = [self.remaining[each.hash] for each in (order, other)]
        size = min(left)
        if any(size < each.smallest(remaining) for each, remaining in zip((order, other), left, strict=True)):
            return 0, "it would be less than a tenth of the larger"
        return size, None

    def _price(self, order: Open, other: Open) -> int | None:
        buy, sell = (order, other) if order.buys else (other, order)
        low, high = max(sell.intent.price, self.band.low), min(buy.intent.price, self.band.high)
        return None if low > high else min(max(other.intent.price, low), high)

    def _wait(self, order: Open) -> None:
        if order.buys:
            insort(self._buys, order, key=lambda each: (-each.intent.price, each.sequence))
        else:
            insort(self._sells, order, key=lambda each: (each.intent.price, each.sequence))
