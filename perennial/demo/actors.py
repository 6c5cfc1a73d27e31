"""What everyone who trades has in common: what they see, what they can do, and how the careful ones stay safe.

Decisions are made in whole numbers, drawn from each actor's own seeded generator: a seed makes the same dice, whoever
else is there. Amounts, sizes and prices have 6 decimals; so has leverage.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from perennial.mirror import accounts as rooms
from perennial.mirror.account_state import Account
from perennial.mirror.fixed import MIN_INT256, UNIT
from perennial.mirror.market import Market
from perennial.mirror.position import Side
from perennial.mirror.settlement import sync

ALL = MIN_INT256
"""As a size: close everything; as collateral: withdraw everything."""

HIGHEST_LEVERAGE = 6 * UNIT
"""Where a careful actor adds collateral at once. An order takes an hour to settle, collateral none; in the worst hour
of the data the price moves by 12.4 %, which takes three quarters of what such an account has, and never all."""


@dataclass(frozen=True, slots=True)
class Action:
    """One call of `update`: changes of sizes and collateral."""

    maker: int = 0
    taker: int = 0
    collateral: int = 0


class View:
    """The market at one version, as everybody can work it out: settled, with every account brought up to date."""

    def __init__(self, market: Market, prices: Sequence[int], hour: int) -> None:
        """`market` is settled here, so it is a copy; `prices` are those of all versions so far, `hour` counts them."""
        sync(market, market.oracle.status()[0])
        for name in market.accounts:
            rooms.settle(market, name)
        self.market, self.prices, self.hour = market, prices, hour

    @property
    def price(self) -> int:
        """The latest price."""
        return self.market.price

    def account(self, address: str) -> Account:
        """An account, as settled; an empty one for a stranger."""
        return self.market.accounts.get(address) or Account()

    def equity(self, address: str) -> int:
        """What an account would have if it closed at the latest price without fees; negative where it owes."""
        return self.account(address).collateral

    def result(self, address: str) -> int:
        """What an account has made or lost since it began."""
        account = self.account(address)
        return account.collateral - (account.ledger.deposits + account.ledger.withdrawals) // UNIT


@dataclass
class Actor(ABC):
    """Somebody with an account. `stake` is what goes into it at first, `leverage` what is aimed at.

    `name` and `kind` are for people to read. `highest` is the leverage at which a careful one adds collateral at once.
    """

    name: str
    kind: str
    address: str
    stake: int
    leverage: int
    rng: Random
    next_hour: int = field(default=0, init=False)
    highest: int = field(default=HIGHEST_LEVERAGE, init=False)

    @abstractmethod
    def act(self, view: View) -> Sequence[Action]:
        """What to do now: the first of these that is accepted; nothing where it is empty."""

    @abstractmethod
    def close(self, account: Account) -> Action:
        """How to close everything."""

    def chance(self, percent: int) -> bool:
        """Whether something happens that does so in `percent` of 100 cases."""
        return self.rng.randrange(100) < percent

    def part(self, amount: int, low: int, high: int) -> int:
        """A random part of an amount, from `low` to `high` percent."""
        return amount * self.rng.randint(low, high) // 100

    def wait(self, view: View, low: int, high: int) -> None:
        """Rests for a random number of versions."""
        self.next_hour = view.hour + self.rng.randint(low, high)


class Careful(Actor):
    """Keeps its leverage: looks after its margin every hour, and trades every now and then."""

    def act(self, view: View) -> Sequence[Action]:
        """Safety first, then business."""
        account = view.account(self.address)
        if account.locked:
            return []
        if account.size:
            leverage = leverage_of(account, view.price)
            if leverage is None or leverage > min(self.leverage * 3 // 2, self.highest):
                return self.calm(view, account, leverage)
        return self.trade(view, account) if view.hour >= self.next_hour else []

    def calm(self, view: View, account: Account, leverage: int | None) -> Sequence[Action]:
        """Brings leverage back: with collateral where it is urgent, else by reducing, if that is accepted."""
        needed = account.size * view.price // self.leverage - account.effective(view.price)
        top_up = Action(collateral=max(needed, UNIT))
        if leverage is None or leverage > self.highest or self.chance(40):
            return [top_up]
        return [self.change(account, -account.size * (leverage - self.leverage) // leverage), top_up]

    @abstractmethod
    def trade(self, view: View, account: Account) -> Sequence[Action]:
        """What to do now in the way of business."""

    @abstractmethod
    def change(self, account: Account, delta: int, collateral: int = 0) -> Action:
        """An action that changes the size on the account's side, and its collateral."""

    def close(self, account: Account) -> Action:
        """Everything at once."""
        return self.change(account, ALL)


def leverage_of(account: Account, price: int) -> int | None:
    """Notional of the worst size over effective collateral; None where there is none left."""
    equity = account.effective(price)
    return account.worst * price // equity if equity > 0 else None


def size_of(equity: int, leverage: int, price: int) -> int:
    """The size that has this leverage."""
    return max(0, equity * leverage // price)


def direction_of(account: Account) -> int:
    """1 for a long, -1 for a short, 0 for neither."""
    return {Side.LONG: 1, Side.SHORT: -1}.get(account.current_side, 0)
