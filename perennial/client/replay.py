"""A market's past from its events: what a unit of each side gained in every interval, and by what.

MarketSettled says how much a unit has gained; the mirror's formulas say how much of it was PnL, funding and interest,
from the sizes and parameters of the time, which other events say. What the mirror does not explain of the makers' gain
are position fees.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perennial.amounts import ONE
from perennial.mirror.accrual import Interval, accrue
from perennial.mirror.accumulators import NO_PARTS, ZERO, Accumulators, Parts
from perennial.mirror.parameters import MarketParameter, RiskParameter
from perennial.mirror.position import Book, Side

if TYPE_CHECKING:
    from perennial.client.events import Happened

Three = tuple[Parts, Parts, Parts]

EVENTS = (
    "OrderPlaced",
    "IntentFilled",
    "MarketSettled",
    "RiskParameterUpdated",
    "ParameterUpdated",
)
"""What a replay needs of IMarketEvents."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A version that the market has settled: price (6 decimals), what a unit of each side had gained by then (12)."""

    price: int
    valid: bool
    parts: Three
    side: Side
    """That of the account that is followed, afterwards."""


@dataclass(slots=True)
class _Pending:
    """What accounts have ordered and filled at a version: makers' and takers' changes by account."""

    orders: list[tuple[str, int, int]] = field(default_factory=list)
    fills: list[tuple[str, int]] = field(default_factory=list)


class Replay:
    """Follows the events of one market, all of them from its first block on, in order, and the side of one account."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.versions: dict[int, Settled] = {}
        self.risk: RiskParameter | None = None
        self.parameter: MarketParameter | None = None
        self.price = self.timestamp = self.rate = 0
        self.accumulators, self.parts = ZERO, (NO_PARTS, NO_PARTS, NO_PARTS)
        self._makers: defaultdict[str, int] = defaultdict(int)
        self._takers: defaultdict[str, int] = defaultdict(int)
        self._pending: defaultdict[int, _Pending] = defaultdict(_Pending)

    def apply(self, event: Happened) -> None:
        """Takes the next event in; those that do not matter change nothing."""
        if event.name == "OrderPlaced":
            self._order(event)
        elif event.name == "IntentFilled":
            fills = self._pending[event["version"]].fills
            fills += [(event["account"], event["amount"]), (event["counterparty"], -event["amount"])]
        elif event.name == "MarketSettled":
            self._settle(event)
        elif event.name == "RiskParameterUpdated":
            self.risk = RiskParameter.from_abi(event["parameter"])
        elif event.name == "ParameterUpdated":
            self.parameter = MarketParameter.from_abi(event["parameter"])

    @property
    def side(self) -> Side:
        """The side of the account's settled size."""
        if self._makers[self.account]:
            return Side.MAKER
        taker = self._takers[self.account]
        return Side.LONG if taker > 0 else Side.SHORT if taker < 0 else Side.NONE

    @property
    def book(self) -> Book:
        """The market's settled sizes: the sums of the accounts'."""
        takers = self._takers.values()
        longs, shorts = sum(size for size in takers if size > 0), -sum(size for size in takers if size < 0)
        return Book(sum(self._makers.values()), longs, shorts)

    def _order(self, event: Happened) -> None:
        delta, side = event["opened"] - event["closed"], event["side"]
        change = (delta, 0) if side == Side.MAKER else (0, delta if side == Side.LONG else -delta)
        self._pending[event["version"]].orders.append((event["account"], *change))

    def _settle(self, event: Happened) -> None:
        """An interval up to a version, then the orders at it."""
        gained = self._gained(event)
        maker, long, short = (_sum(a, b) for a, b in zip(self.parts, gained, strict=True))
        self.parts = (maker, long, short)
        self.accumulators = Accumulators(event["maker"], event["long"], event["short"])
        self.timestamp, self.price, self.rate = event["version"], event["price"], event["fundingRate"]
        pending = self._pending.pop(self.timestamp, _Pending())
        for account, maker_delta, taker_delta in pending.orders if event["valid"] else ():
            self._makers[account] += maker_delta
            self._takers[account] += taker_delta
        for account, delta in pending.fills:
            self._takers[account] += delta
        self.versions[self.timestamp] = Settled(self.price, event["valid"], self.parts, self.side)

    def _gained(self, event: Happened) -> Three:
        """What a unit of each side gained since the version before; makers' position fees are what is left of theirs.

        For longs and shorts, what is left (nothing, unless the formulas have changed since) counts as PnL.
        """
        after = Accumulators(event["maker"], event["long"], event["short"])
        explained: Three = (NO_PARTS, NO_PARTS, NO_PARTS)
        if self.risk and self.parameter and not self.parameter.closed and self.timestamp:
            interval = Interval(self.book, self.price, event["price"], event["version"] - self.timestamp)
            accrued = accrue(interval, self.rate, self.accumulators, self.risk, self.parameter)
            explained, between = accrued.parts, accrued.accumulators
        else:
            between = self.accumulators
        left = [after[index] - between[index] for index in range(3)]
        maker = explained[0]._replace(maker_fees=left[0])
        return (
            maker,
            explained[1]._replace(pnl=explained[1].pnl + left[1]),
            explained[2]._replace(pnl=explained[2].pnl + left[2]),
        )


@dataclass(frozen=True, slots=True)
class Split:
    """What an account got at a settlement, by origin, 6 decimals; the sum is exact."""

    pnl: int
    guarantees: int
    funding: int
    interest: int
    maker_fees: int


def split(accrued: int, guarantees: int, size: int, before: Parts, after: Parts) -> Split:
    """Splits what accrued to `size` between two readings of its side's parts (all 6 decimals, parts 12).

    Each part is rounded to the nearest millionth; what is left of what accrued, a few millionths at most, goes to the
    last part that there is.
    """
    gained = {part: size * (getattr(after, part) - getattr(before, part)) for part in Parts._fields}
    parts = {part: (value + ONE**2 // 2) // ONE**2 for part, value in gained.items()}
    last = next((part for part in ("interest", "funding", "maker_fees") if gained[part]), "pnl")
    parts[last] += accrued - guarantees - sum(parts.values())
    return Split(guarantees=guarantees, **parts)


def _sum(a: Parts, b: Parts) -> Parts:
    return Parts(a.pnl + b.pnl, a.funding + b.funding, a.interest + b.interest, a.maker_fees + b.maker_fees)
