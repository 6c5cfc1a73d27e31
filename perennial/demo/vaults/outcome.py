"""What came of a run with a vault. USD with 6 decimals, prices of a share with 18; times are Unix seconds."""

from dataclasses import dataclass

from perennial.demo.courier import Agreement
from perennial.demo.options import Options
from perennial.demo.outcome import Outcome


@dataclass(frozen=True, slots=True)
class VaultSample:
    """The vault at one version, as everybody can work it out.

    By market: what it has there, size times price by that (6 decimals). `holdings` is what each depositor has: shares,
    and requests that wait. `parts` is what the vault has made so far, by origin.
    """

    timestamp: int
    share_price: int
    assets: int
    idle: int
    equities: tuple[int, ...]
    leverages: tuple[int, ...]
    holdings: tuple[int, ...]
    parts: tuple[int, ...]


PARTS = ("position fees of others", "interest", "funding", "PnL", "own fees")
"""Where a maker's result comes from, in the order of `VaultSample.parts`."""


@dataclass(slots=True)
class Epoch:
    """One epoch: when it was closed, what was requested; when it settled, at which price, and what came of it."""

    number: int
    closed: int
    deposits: int
    redeems: int
    rebalanced: bool
    settled: int = 0
    share_price: int = 0
    minted: int = 0
    paid: int = 0


@dataclass(frozen=True, slots=True)
class DepositorResult:
    """What became of one depositor's money: paid in, taken out, from the chain's tokens."""

    name: str
    paid_in: int
    taken_out: int

    @property
    def result(self) -> int:
        """Made or lost."""
        return self.taken_out - self.paid_in


@dataclass(frozen=True, slots=True)
class VaultBooks:
    """Where the vault's tokens are at the end, from the chain's tokens and events.

    `into_markets` and `out_of_markets` are the vault's deposits and withdrawals there, `left_in_markets` what it still
    has there. `by_ledger` is what the vault made in all markets, from the mirror's ledgers (12 decimals, rounded down).
    """

    paid_in: int
    paid_out: int
    into_markets: int
    out_of_markets: int
    balance: int
    left_in_markets: int
    by_ledger: int

    @property
    def made(self) -> int:
        """What the vault made, from tokens."""
        return self.out_of_markets + self.left_in_markets - self.into_markets

    @property
    def difference(self) -> int:
        """What is missing or too much: 0."""
        tokens = self.paid_in - self.paid_out - self.into_markets + self.out_of_markets - self.balance
        return max(abs(tokens), abs(self.made - self.by_ledger))


@dataclass(frozen=True, slots=True)
class VaultOutcome:
    """Everything. `markets` are what came of each market, the vault among its accounts."""

    options: Options
    names: tuple[str, ...]
    markets: list[Outcome]
    samples: list[VaultSample]
    epochs: list[Epoch]
    depositors: list[DepositorResult]
    coordinator: DepositorResult
    books: VaultBooks
    pairs: list[tuple[str, int, int]]
    agreement: Agreement
    transactions: int
    gas: int
    seconds: float

    @property
    def zero_sum(self) -> list[tuple[str, int]]:
        """All gains and losses, which come to nothing: exactly."""
        rows = []
        for name, market in zip(self.names, self.markets, strict=True):
            books = market.books
            traders = sum(actor.net for actor in market.actors if actor.kind != "vault")
            rows += [
                (f"{name}: traders and other makers", traders),
                (f"{name}: keepers", sum(keeper.earned for keeper in market.keepers) + books.credits),
                (f"{name}: protocol, oracle, risk, donation", sum(fee.paid + fee.owed for fee in market.fees)),
                (f"{name}: rounding that stays in the market", books.rounding),
            ]
        rows += [(f"vault: {each.name}", each.result) for each in (*self.depositors, self.coordinator)]
        rows.append(("vault: left to its virtual shares", self.books.balance + self.books.left_in_markets))
        return rows

    @property
    def difference(self) -> int:
        """What is missing or too much in any of the books, or in the sum of all gains: 0."""
        books = max(self.books.difference, *(market.books.difference for market in self.markets))
        return max(books, abs(sum(value for _, value in self.zero_sum)))

    @property
    def holds(self) -> bool:
        """Whether chain and mirror agree in every number, the books balance, and gains and losses sum to nothing."""
        return self.agreement.largest_difference == 0 and self.difference == 0
