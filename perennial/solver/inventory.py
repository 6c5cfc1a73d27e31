"""Quotes what the solver fills itself, within limits."""

from __future__ import annotations

from dataclasses import dataclass

from perennial.amounts import ONE, decimal
from perennial.solver.orders import Band, Fill, Open


@dataclass(frozen=True, slots=True)
class Limits:
    """What the solver risks. Sizes have 6 decimals, so have shares."""

    max_inventory: int = 0
    """Largest size, long or short, that it comes to have; 0 to cross intents alone."""
    max_fill: int = 2**63 - 1
    """Largest size of one fill."""
    spread: int = 500
    """Share of the latest price that it earns."""
    skew: int = 1_000
    """Share of the latest price by which a full inventory moves its quotes, so that the next trade empties it."""
    band: int = 10_000
    """Largest distance of a quote from the latest price, as a share of it; the market has its own as well."""
    max_age: int = 60
    """Seconds between the latest price and the version that a fill settles at, beyond which nothing is offered."""


class Inventory:
    """The solver's position with everything that it has promised, and what it offers at that."""

    def __init__(self, limits: Limits, price: int, size: int, band: Band, age: int = 0) -> None:
        """`price` is the latest one, `age` its seconds, `size` the position (negative: short), `band` the market's."""
        own = Band.around(price, limits.band)
        self.limits, self.price, self.size, self.age = limits, price, size, age
        self.band = Band(max(band.low, own.low), min(band.high, own.high))

    def quote(self, *, sells: bool) -> int:
        """The price at which the solver sells or buys now, rounded in its own favour."""
        limits = self.limits
        lean = limits.skew * self.size // limits.max_inventory if limits.max_inventory else 0
        away = (limits.spread if sells else -limits.spread) - lean
        # A price may be negative: dearer is up all the same.
        product = self.price * ONE + abs(self.price) * away
        return -(-product // ONE) if sells else product // ONE

    def offer(self, order: Open, remaining: int) -> Fill | str:
        """A fill of what remains of an intent, as far as limits allow, or why there is none. It counts as made."""
        if self.age > self.limits.max_age:
            return f"the latest price is {self.age} seconds old"
        quote = self.quote(sells=order.buys)
        if not order.intent.accepts(quote):
            return f"it accepts {decimal(order.intent.price)}, the quote is {decimal(quote)}"
        if not self.band.low <= quote <= self.band.high:
            return f"the quote of {decimal(quote)} is outside the band of {self.band}"
        room = self.limits.max_inventory + (self.size if order.buys else -self.size)
        size = min(remaining, self.limits.max_fill, room)
        if size < order.smallest(remaining) or size <= 0:
            least, room = order.smallest(remaining), max(0, min(self.limits.max_fill, room))
            return f"the least fill is {decimal(least)}, the inventory has room for {decimal(room)}"
        self.size += -size if order.buys else size
        return Fill(order, size, quote)
