"""What vaults answer: typed, printed well, turned into dicts. Assets are units of the token, as Decimal; so are shares.

The price of a share is in the token, with 18 decimals, rounded down. Parts and rates are 1 for 100 %. Times are Unix
seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from perennial.client.records import Record

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Allocation(Record):
    """A vault in one market, as if settled now. Sizes are units of the market, leverage is notional by collateral."""

    market: str
    weight: int
    part: Decimal
    """Of all weights."""
    collateral: Decimal
    target_collateral: Decimal
    """Its part of the assets, of redemptions in the open epoch less their worth and with deposits that enter."""
    size: Decimal
    pending_size: Decimal
    target_size: Decimal
    """Size that the target's collateral carries at the leverage and at the latest price."""
    leverage: Decimal | None
    """Now; None where there is no collateral."""
    target_leverage: Decimal
    """As configured, or what margins allow."""
    price: Decimal
    tradable: bool
    note: str | None
    """What to know: stuck, waiting, off its target."""


@dataclass(frozen=True, slots=True)
class VaultInfo(Record):
    """A vault, as if its markets were settled now."""

    name: str
    address: str
    token: str
    shares: str
    """Symbol of the shares."""
    coordinator: str
    share_price: Decimal
    total_assets: Decimal
    """Of all shares: what is idle and what markets hold, without deposits that have no shares yet."""
    total_shares: Decimal
    idle: Decimal
    """Tokens in the vault that are in no market, deposits of a closed epoch included."""
    claimable: Decimal
    """Tokens that are set aside for those who left."""
    open_epoch: int
    waiting_deposits: Decimal
    """Of the epoch that is open for deposits."""
    waiting_redemptions: Decimal
    """Shares, of the open epoch."""
    closed_epoch: str | None
    """What the epoch that is closed and has not settled waits for."""
    entering: Decimal
    """Deposits of closed epochs that have no shares yet, less what entering cost."""
    insolvent: bool
    min_deposit: Decimal
    deposit_cap: Decimal
    profit_share: Decimal
    high_water_mark: Decimal
    """Price of a share above which profit is shared."""
    tolerance: Decimal
    """Part of its target by which a market may be off before anyone may rebalance."""
    markets: tuple[Allocation, ...]
    as_of: int

    def without_markets(self) -> VaultInfo:
        """What is not in a table of its markets."""
        return replace(self, markets=())


@dataclass(frozen=True, slots=True)
class RequestStatus(Record):
    """One request, or everything of a kind that can be claimed."""

    kind: str
    """deposit, redemption, shares, assets or returned."""
    epoch: int | None
    """None for what can be claimed, of whatever epochs."""
    amount: Decimal
    """Deposits and assets in the token, redemptions and shares in shares."""
    claimable: bool
    status: str
    """In plain words."""

    hidden: ClassVar[frozenset[str]] = frozenset({"claimable"})


@dataclass(frozen=True, slots=True)
class Requests(Record):
    """What an account has in a vault."""

    vault: str
    account: str
    shares: Decimal
    """Held, and in nobody's request."""
    worth: Decimal
    """Of these, at the price as if markets were settled now; leaving costs fees."""
    requests: tuple[RequestStatus, ...]
    as_of: int

    def without_requests(self) -> Requests:
        """What is not in a table of the requests."""
        return replace(self, requests=())


@dataclass(frozen=True, slots=True)
class Holding(Record):
    """What an account has in a vault, in sums."""

    vault: str
    account: str
    shares: Decimal
    worth: Decimal
    """Of the shares, at the price as if markets were settled now; an epoch's price may be another one."""
    waiting_deposits: Decimal
    """Assets in epochs that have not settled."""
    claimable_shares: Decimal
    waiting_redemptions: Decimal
    """Shares in epochs that have not settled."""
    claimable_assets: Decimal

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        waits = self.waiting_deposits or self.waiting_redemptions
        return not (self.shares or waits or self.claimable_shares or self.claimable_assets)


@dataclass(frozen=True, slots=True)
class Requested(Record):
    """A request that has joined an epoch."""

    vault: str
    account: str
    kind: str
    amount: Decimal
    epoch: int
    status: str
    approved: Decimal
    """Exactly what the vault was approved to take, in the same go; 0 where that was not needed."""
    transaction: str
    block: int


@dataclass(frozen=True, slots=True)
class VaultClaimed(Record):
    """What was claimed: shares of deposits, assets of redemptions and of stuck markets that returned."""

    vault: str
    account: str
    shares: Decimal
    assets: Decimal
    returned: Decimal
    transactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recalled(Record):
    """A deposit that was taken back before its epoch was closed."""

    vault: str
    account: str
    epoch: int
    assets: Decimal
    transaction: str
    block: int


@dataclass(frozen=True, slots=True)
class Placed(Record):
    """What closing an epoch did in one market."""

    market: str
    version: int
    delta: Decimal
    """Change of the maker size."""
    collateral: Decimal
    """USD in, negative: out."""
    charge: Decimal
    """What the epoch's requests pay of the order's fees."""


@dataclass(frozen=True, slots=True)
class Closed(Record):
    """An epoch that was closed."""

    vault: str
    epoch: int
    deposits: Decimal
    redemptions: Decimal
    orders: tuple[Placed, ...]
    refused: tuple[str, ...]
    """Markets that refused, and why."""
    status: str
    transaction: str
    block: int


@dataclass(frozen=True, slots=True)
class Settled(Record):
    """An epoch that has settled: its requests can be claimed."""

    vault: str
    epoch: int
    share_price: Decimal
    assets: Decimal
    """Of all shares before those of this epoch were minted and burnt."""
    minted: Decimal
    paid: Decimal
    unfilled: Decimal
    """Shares of redemptions that could not be paid, and go back."""
    time: int
    block: int
    transaction: str


@dataclass(frozen=True, slots=True)
class Apy(Record):
    """How the price of a share grew between two settled epochs. Past growth says nothing of what comes."""

    vault: str
    from_epoch: int
    from_time: int
    from_price: Decimal
    to_epoch: int
    to_time: int
    to_price: Decimal
    growth: Decimal
    """Of the price over the window, exact to 18 decimals, rounded down."""
    days: Decimal
    apr: Decimal
    """The growth times a year by the window, rounded down."""
    apy: Decimal
    """The growth repeated over a year of 365 days, compounded, rounded down."""
    meaning: str


@dataclass(frozen=True, slots=True)
class DepositOutcome(Record):
    """What a deposit would get if the open epoch were closed now and settled at the latest prices."""

    vault: str
    assets: Decimal
    shares: Decimal
    share_price: Decimal
    worth: Decimal
    """Of the shares at the epoch's price."""
    cost: Decimal
    """What entering costs in fees: the assets less their worth."""
    orders: tuple[Placed, ...]
    note: str | None


@dataclass(frozen=True, slots=True)
class PriceOutcome(Record):
    """What a move of prices does to the vault: its markets settle at the moved price, and nothing else happens."""

    vault: str
    change: Decimal
    """Part of the price: -0.1 for a fall of 10 %."""
    markets: tuple[str, ...]
    share_price: Decimal
    share_price_then: Decimal
    share_change: Decimal
    """Part of the price of a share, rounded down."""
    assets: Decimal
    assets_then: Decimal
    liquidatable: tuple[str, ...]
    """Markets in which the vault's position could then be liquidated."""


@dataclass(frozen=True, slots=True)
class Created(Record):
    """A vault that was made, with the markets that were registered."""

    address: str
    name: str
    symbol: str
    coordinator: str
    markets: tuple[str, ...]
    transactions: tuple[str, ...]
    block: int
