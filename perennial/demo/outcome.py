"""What came of a run: what the tables and the picture show.

USD with 6 decimals, ledgers with 12; times are Unix seconds.
"""

from collections import Counter
from dataclasses import dataclass

from perennial.demo.courier import Agreement
from perennial.demo.options import Options
from perennial.mirror.fixed import UNIT
from perennial.mirror.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Sample:
    """The market at one version: price, settled sizes, rates per year (6 decimals).

    `equities` is what each maker has, `results` what it has made since it began.
    """

    timestamp: int
    price: int
    maker: int
    long: int
    short: int
    skew: int
    funding_rate: int
    utilization: int
    interest_rate: int
    equities: tuple[int, ...]
    results: tuple[int, ...]


@dataclass(slots=True)
class Liquidation:
    """One liquidation: when and at which price it was called, what it closed, and how it ended at its version.

    `fee` is what the liquidator earned, `from_donation` the part of it that the account could not pay; `left` is the
    account's collateral afterwards, negative where it came to owe the market.
    """

    timestamp: int
    version: int
    price: int
    account: str
    side: str
    closed: int
    fee: int = 0
    from_donation: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class ActorResult:
    """One actor's account: its ledger says where the money went; `left` is what it has in the market, or owes it."""

    name: str
    kind: str
    leverage: int
    ledger: Ledger
    left: int

    @property
    def deposits(self) -> int:
        """What it paid in."""
        return self.ledger.deposits // UNIT

    @property
    def withdrawals(self) -> int:
        """What it took out."""
        return -self.ledger.withdrawals // UNIT

    @property
    def final(self) -> int:
        """What it ended with: taken out, and left in the market or owed to it."""
        return self.withdrawals + self.left

    @property
    def net(self) -> int:
        """What it made or lost."""
        return self.final - self.deposits


@dataclass(slots=True)
class KeeperResult:
    """What a keeper did and was paid."""

    name: str
    address: str
    commits: int = 0
    settlements: int = 0
    liquidations: int = 0
    settlement_fees: int = 0
    liquidation_fees: int = 0

    @property
    def earned(self) -> int:
        """Everything it was paid."""
        return self.settlement_fees + self.liquidation_fees


@dataclass(frozen=True, slots=True)
class Fee:
    """The fees of one role: what it was paid, and what the market still owes it."""

    role: str
    paid: int
    owed: int


@dataclass(frozen=True, slots=True)
class Books:
    """Where the money is at the end, from the chain's tokens and events.

    `rounding` is what stays in the market because every rounding is against the account; the mirror knows that it is at
    most `rounding_bound`. `by_ledger` is the same from the other end: minus the sum of all gains and losses.
    `by_events` is how far accounts rebuilt from events are from the chain's. `credits` are owed to keepers, and in
    `owed_to_accounts`.
    """

    deposited: int
    withdrawn: int
    paid_to_keepers: int
    paid_to_roles: int
    balance: int
    credits: int
    owed_to_accounts: int
    owed_to_roles: int
    shortfall: int
    rounding: int
    rounding_bound: int
    by_ledger: int
    by_events: int

    @property
    def difference(self) -> int:
        """What is missing or too much: 0."""
        tokens = self.deposited - self.withdrawn - self.paid_to_keepers - self.paid_to_roles - self.balance
        return max(abs(tokens), abs(self.rounding - self.by_ledger), abs(self.by_events))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything.

    `changed` are the parameters that are not those of production, in words; `pairs` the chain's numbers beside the
    mirror's at the last version, by name; `orders` counts opens and closes by side; `volume` is what they came to;
    `seconds` is how long it took.
    """

    options: Options
    price_source: str
    changed: tuple[str, ...]
    samples: list[Sample]
    liquidations: list[Liquidation]
    actors: list[ActorResult]
    keepers: list[KeeperResult]
    fees: list[Fee]
    books: Books
    pairs: list[tuple[str, int, int]]
    orders: Counter[str]
    volume: int
    transactions: Counter[str]
    gas: int
    agreement: Agreement
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether chain and mirror agree in every number, and the books balance."""
        return self.agreement.largest_difference == 0 and self.books.difference == 0
