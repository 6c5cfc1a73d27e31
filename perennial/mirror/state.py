"""What a market stores, and what its rooms do with it (contracts/market/MarketStorage.sol)."""

from copy import copy
from typing import TYPE_CHECKING, Any, Self

from perennial.mirror.accumulators import NO_PARTS, ZERO, Parts, VersionRecord
from perennial.mirror.errors import MarketError
from perennial.mirror.factory import Factory
from perennial.mirror.fees import Fees
from perennial.mirror.oracle import OracleProvider, OracleVersion
from perennial.mirror.orders import NOBODY, PendingVersion
from perennial.mirror.parameters import MarketParameter, RiskParameter, validate_market, validate_risk
from perennial.mirror.payoff import Payoff
from perennial.mirror.position import Book

if TYPE_CHECKING:
    from perennial.mirror.account_state import Account

PRICE_LIMIT = 10**17
"""|price| from here on makes a version invalid (docs/protocol.md §1.5)."""

Event = tuple[str, tuple[Any, ...]]


class MarketState:
    """The market's storage. Amounts, sizes, prices and rates have 6 decimals unless stated.

    `book` and `pending` are the settled sizes and those with every pending order, `timestamp` the version that the
    market is settled to, `price` the last valid one, `valid` whether that version had one, `funding_rate12` and the
    accumulators have 12 decimals. `balance` and `reward_balance` are the tokens that it holds.

    Beside what the contract stores: `events`, where set to a list, collects what it would emit as `(name, values)`;
    `deposited`, `withdrawn` and `received` say where its tokens came from and went; `dust_bound` (USD, 18 decimals)
    bounds what rounding can have left in the market, `saturated` says that an amount hit the bounds of its storage.
    """

    def __init__(
        self,
        factory: Factory,
        oracle: OracleProvider,
        risk: RiskParameter,
        parameter: MarketParameter,
        *,
        coordinator: str = "coordinator",
        beneficiary: str = "beneficiary",
        payoff: Payoff | None = None,
        token: str = "token",
        reward: str = NOBODY,
        address: str = "market",
    ) -> None:
        """Opens a market as the factory does; raises ParameterOutOfBounds."""
        validate_risk(risk, factory.parameter)
        validate_market(parameter, factory.parameter, reward != NOBODY)
        self.factory, self.oracle, self.payoff = factory, oracle, payoff
        self.risk, self.parameter = risk, parameter
        self.coordinator, self.beneficiary = coordinator, beneficiary
        self.token, self.reward, self.address = token, reward, address

        self.book, self.pending = Book(), Book()
        self.timestamp = self.price = self.funding_rate12 = 0
        self.valid = False
        self.accumulators = self.reward_accumulators = ZERO
        self.parts: tuple[Parts, Parts, Parts] = (NO_PARTS, NO_PARTS, NO_PARTS)
        self.fees = Fees(protocol_fee=factory.parameter.protocol_fee)
        self.shortfall = 0
        self.queue: list[PendingVersion] = []
        self.versions: dict[int, VersionRecord] = {}
        self.settlement_fees_at: dict[int, int] = {}
        self.accounts: dict[str, Account] = {}
        self.credits: dict[str, int] = {}
        self.balance = self.reward_balance = 0

        self.deposited = self.withdrawn = self.received = self.dust_bound = 0
        self.saturated = False
        self.events: list[Event] | None = None

    def price_of(self, version: OracleVersion) -> int | None:
        """The price of a version, payoff applied; None where it is invalid (docs/protocol.md §1.5, §5.5)."""
        if not version.valid:
            return None
        price = version.price
        if self.payoff is not None:
            try:
                price = self.payoff.payoff(price)
            except MarketError:
                return None
        return price if abs(price) < PRICE_LIMIT else None

    def credit(self, account: str, source: str, amount: int, from_donation: int) -> None:
        """Credits a referrer or a liquidator."""
        if amount:
            self.credits[account] = self.credits.get(account, 0) + amount
            self.emit("Credited", account, source, amount, from_donation)

    def add_parts(self, gained: tuple[Parts, Parts, Parts]) -> None:
        """Adds what a unit of each side gained, by origin."""
        maker, long, short = (
            Parts(a.pnl + b.pnl, a.funding + b.funding, a.interest + b.interest, a.maker_fees + b.maker_fees)
            for a, b in zip(self.parts, gained, strict=True)
        )
        self.parts = (maker, long, short)

    def emit(self, name: str, *values: Any) -> None:
        """Collects an event, if anybody wants them."""
        if self.events is not None:
            self.events.append((name, values))

    def receive(self, amount: int, rewards: int = 0) -> None:
        """Takes in tokens, or reward tokens, that somebody transferred to the market directly."""
        self.balance += amount
        self.received += amount
        self.reward_balance += rewards

    def copy(self) -> Self:
        """A market of its own over the same oracle and factory, for what-if questions."""
        other = copy(self)
        other.book, other.pending, other.fees = self.book.copy(), self.pending.copy(), copy(self.fees)
        other.queue = [pending.copy() for pending in self.queue]
        other.versions, other.settlement_fees_at = dict(self.versions), dict(self.settlement_fees_at)
        other.accounts = {name: account.copy() for name, account in self.accounts.items()}
        other.credits = dict(self.credits)
        other.events = None
        return other
