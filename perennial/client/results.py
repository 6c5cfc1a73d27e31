"""What the client answers: typed, printed well, turned into dicts. Money is USD, sizes are units, both as Decimal.

Rates of funding and interest are per year; shares are 1 for 100 %. Times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from perennial.client.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

ESTIMATE = (
    "the size is an estimate: USD at the latest price in units; the order settles at a later price, so its value will "
    "differ"
)
"""What is said of a size that was given in USD."""


class OrderState(StrEnum):
    """What has become of an order."""

    WAITING = "waiting"
    """No price has come for its version yet."""
    PRICED = "priced"
    """Its price has come: it settles with the next call of anybody."""
    SETTLED = "settled"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class MarketInfo(Record):
    """A market, as if settled now."""

    name: str
    address: str
    token: str
    """Symbol of the settlement token."""
    price: Decimal
    latest: int
    """Version of that price."""
    current: int
    """Version that an order placed now settles at, at the earliest."""
    tradable: bool
    reason: str | None
    """Why not, where it is not."""
    maker: Decimal
    long: Decimal
    short: Decimal
    pending_maker: Decimal
    pending_long: Decimal
    pending_short: Decimal
    versions_waiting: int
    skew: Decimal
    utilization: Decimal
    funding_rate: Decimal
    """Positive: longs pay."""
    interest_rate: Decimal
    taker_fee: Decimal
    maker_fee: Decimal
    settlement_fee: Decimal
    margin: Decimal
    maintenance: Decimal
    min_margin: Decimal
    maker_limit: Decimal
    shortfall: Decimal


@dataclass(frozen=True, slots=True)
class Position(Record):
    """An account in a market, as if settled now. Prices of liquidation: None where there is none."""

    market: str
    account: str
    side: str
    """maker, long, short or none."""
    size: Decimal
    pending_side: str
    pending_size: Decimal
    """Size with every pending order."""
    price: Decimal
    value: Decimal
    """Size at the latest price."""
    collateral: Decimal
    effective_collateral: Decimal
    """Collateral less the fees of pending orders, plus what agreed prices are worth."""
    margin: Decimal
    maintenance: Decimal
    leverage: Decimal
    liquidation_below: Decimal | None
    liquidation_above: Decimal | None
    claimable: Decimal
    rewards: Decimal
    """As of the last settlement on chain."""
    locked: bool
    """Whether a liquidation waits for its version."""
    as_of: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not (self.size or self.pending_size or self.collateral or self.claimable or self.rewards)


@dataclass(frozen=True, slots=True)
class Quote(Record):
    """What an order would do and cost, at the latest price. Funding and interest are gains, negative where paid."""

    market: str
    side: str
    size: Decimal
    closes: bool
    note: str | None
    """What to know about the size."""
    price: Decimal
    version: int
    """At which it would settle, at the earliest."""
    value: Decimal
    fee_rate: Decimal
    """Share of the value, 12 decimals, of all the account's orders at that version."""
    fee: Decimal
    settlement_fee: Decimal
    skew_before: Decimal
    skew_after: Decimal
    utilization_before: Decimal
    utilization_after: Decimal
    margin: Decimal
    effective_collateral: Decimal | None
    """None where it is for nobody in particular."""
    liquidation_below: Decimal | None
    """Once the order has settled, at the latest price."""
    liquidation_above: Decimal | None
    funding_rate: Decimal
    """Now; per year."""
    until: int
    funding: Decimal
    """Of the position with this order, until then, if nothing else happens and the price stays."""
    interest: Decimal
    funding_rate_then: Decimal


@dataclass(frozen=True, slots=True)
class Placed(Record):
    """An order that is on chain and waits for its price. Fees are at the latest price: they settle at a later one."""

    market: str
    account: str
    side: str
    opened: Decimal
    closed: Decimal
    note: str | None
    version: int
    price: Decimal
    fee: Decimal | None
    """What it adds to the position fees, estimated; None where the order was refused by the estimate, not the chain."""
    settlement_fee: Decimal
    deposited: Decimal
    approved: Decimal
    """Exactly what the market was approved to take, in the same go; 0 where that was not needed."""
    transaction: str
    block: int


@dataclass(frozen=True, slots=True)
class Moved(Record):
    """Collateral that came in (positive) or went out."""

    market: str
    account: str
    amount: Decimal
    collateral: Decimal
    """Afterwards, on chain."""
    approved: Decimal
    transaction: str
    block: int


@dataclass(frozen=True, slots=True)
class Claimed(Record):
    """Credits and rewards that were paid out."""

    market: str
    account: str
    credits: Decimal
    rewards: Decimal
    transactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent(Record):
    """A transaction that did what it should."""

    what: str
    transaction: str
    block: int


@dataclass(frozen=True, slots=True)
class Order(Record):
    """The orders of an account at one version, which are charged as one, or one fill of an intent."""

    market: str
    account: str
    kind: str
    """order, liquidation or fill."""
    side: str
    opened: Decimal
    closed: Decimal
    version: int
    state: OrderState
    reason: str | None
    """Why it waits or was cancelled."""
    price: Decimal | None
    """That of its version, once it has come; of a fill, the one that was agreed on."""
    fee_rate: Decimal
    fee: Decimal | None
    """Charged, or at the price that it will be charged at; None while there is none."""
    settlement_fee: Decimal
    transactions: tuple[str, ...]

    hidden: ClassVar[frozenset[str]] = frozenset({"account"})


@dataclass(frozen=True, slots=True)
class Entry(Record):
    """One change of an account's collateral. Gains are positive, what is paid is negative."""

    time: int
    block: int
    kind: str
    """deposit, withdrawal, settlement, fill, or one without an amount: order, cancelled, liquidation, claim, reward."""
    amount: Decimal
    """Change of the collateral: the sum of what follows."""
    version: int | None
    pnl: Decimal
    guarantees: Decimal
    """What agreed prices of fills were worth at the version's price."""
    funding: Decimal
    interest: Decimal
    maker_fees: Decimal
    position_fee: Decimal
    settlement_fee: Decimal
    liquidation_fee: Decimal
    collateral: Decimal
    """Afterwards."""
    size: Decimal
    """Afterwards, without its side."""
    note: str
    transaction: str

    def rows(self) -> Iterator[tuple[str, str]]:
        """Without what is zero."""
        empty = {field.name.replace("_", " ") for field in fields(self) if getattr(self, field.name) == 0}
        return (row for row in Record.rows(self) if row[0] not in empty)


@dataclass(frozen=True, slots=True)
class Totals(Record):
    """What made an account's collateral: the sum of all is the collateral, exactly. What was paid is negative.

    What accrued is split into parts that are rounded one by one; interest takes what is left, a few millionths at most.
    """

    deposits: Decimal
    withdrawals: Decimal
    pnl: Decimal
    guarantees: Decimal
    funding: Decimal
    interest: Decimal
    maker_fees: Decimal
    position_fees: Decimal
    settlement_fees: Decimal
    liquidation_fees: Decimal
    collateral: Decimal


@dataclass(frozen=True, slots=True)
class History(Record):
    """What happened to an account in a market, from the market's events, as of its last settlement on chain."""

    market: str
    account: str
    entries: tuple[Entry, ...]
    totals: Totals
    first_block: int
    last_block: int
