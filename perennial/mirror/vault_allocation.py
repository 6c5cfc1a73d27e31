"""How large a vault's position in a market should be, and what to order (contracts/vault/Allocation.sol, §12.2).

An epoch orders towards the target, and no more than its own net flow needs: whoever enters or leaves pays for that.
Only where a market is off by more than the tolerance is the rest made good as well, at the expense of all; after such
an order nothing is opened so for a day.
"""

from dataclasses import dataclass

from perennial.mirror.fixed import UNIT, ceil_div
from perennial.mirror.parameters import RiskParameter
from perennial.mirror.vault_markets import Observation
from perennial.mirror.vault_state import SAFETY, WORTH, VaultMarket


@dataclass(slots=True)
class Leg:
    """What a vault wants of a market: 6 decimals.

    `leverage` is the configured one or what margins allow, `least` the least collateral of a position, `target` the
    size that the market should have, `flow` what the epoch's net deposits (or redemptions) alone would open (or
    close), `delta` what is ordered, `charge` what the epoch's requests pay of its fees, USD. `big`: the market is off
    by more than the tolerance; `done`: it needs no tokens.
    """

    entry: VaultMarket
    seen: Observation
    leverage: int
    least: int
    target: int = 0
    flow: int = 0
    delta: int = 0
    big: bool = False
    done: bool = False
    charge: int = 0

    def size_of(self, collateral: int) -> int:
        """Size that collateral carries at the leverage, rounded down."""
        return collateral * self.leverage // self.seen.price

    def keep(self, size: int) -> int:
        """Collateral that a size needs at the leverage, rounded up."""
        return max(ceil_div(size * self.seen.price, self.leverage), self.least) if size else 0

    def afford(self, available: int) -> None:
        """Reduces an increase to what collateral, that of the market included, carries."""
        most = 0 if available < self.least else self.size_of(available) - self.seen.size
        if self.delta > most:
            self.delta = max(0, most)
            self.drop_unless_worth()

    def is_for_all(self) -> bool:
        """Whether the order closes or opens more than those who leave or enter pay for."""
        return self.big and not min(self.flow, 0) <= self.delta <= max(self.flow, 0)

    def drop_unless_worth(self) -> None:
        """Drops an order whose settlement fee would be out of proportion.

        Unless it winds the market down, or those who have left wait for it.
        """
        moved = abs(self.delta) * self.seen.price // self.leverage
        if self.target == 0 or (self.entry.pocket and self.delta < 0):
            return
        if moved < WORTH * self.seen.market.parameter.settlement_fee:
            self.delta = 0


def terms(leverage: int, risk: RiskParameter) -> tuple[int, int]:
    """Leverage that is used, the configured one or what margins allow, and the least collateral of a position."""
    most = 10**18 // (risk.margin * SAFETY) if risk.margin else leverage
    return min(leverage, most), ceil_div(risk.min_margin * SAFETY, UNIT)


def plan(entry: VaultMarket, seen: Observation, share: int, change: int, sign: int, tolerance: int, now: int) -> Leg:
    """What to order where a market's weight gives it `share` of the collateral and `change` of the net flow."""
    leg = Leg(entry, seen, *terms(entry.leverage, seen.market.risk))
    if seen.price == 0:
        return leg
    leg.flow = sign * leg.size_of(change)
    leg.target = 0 if share < leg.least else leg.size_of(share)
    if not seen.orderable:
        return leg
    gap = _accepted(seen, leg.target - seen.size)
    rests = gap > 0 and now < entry.rests_until
    tolerated = tolerance * max(leg.target, seen.size)
    leg.big = not rests and abs(gap) * UNIT > tolerated
    own = min(gap, max(leg.flow, 0)) if gap > 0 else max(gap, min(leg.flow, 0))
    # Of an increase, what those who enter leave missing must itself be worth the market's rest.
    for_all = leg.big and (gap < 0 or (gap - own) * UNIT > tolerated)
    leg.delta = gap if for_all else own
    leg.drop_unless_worth()
    return leg


def _accepted(seen: Observation, gap: int) -> int:
    """What the market accepts of a change (docs/protocol.md §7.5, §10.4)."""
    parameter, book = seen.market.parameter, seen.book
    if gap > 0:
        return 0 if parameter.closed else min(gap, max(0, seen.market.risk.maker_limit - 1 - book.maker))
    if parameter.maker_close_always:
        return gap
    return -min(-gap, max(0, book.maker + book.minor - book.major))
