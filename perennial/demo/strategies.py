"""Who trades, and why. None of it is advice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from perennial.demo.actors import ALL, Action, Actor, Careful, View, direction_of, leverage_of, size_of
from perennial.mirror.account_state import Account
from perennial.mirror.fixed import UNIT

Signal = Callable[["Taker", View, int], int]
"""Where a taker wants to be (1 long, -1 short, 0 out), given where it is."""


class Maker(Careful):
    """Provides liquidity: holds a size in proportion to its equity, takes profits out, puts collateral in."""

    def change(self, account: Account, delta: int, collateral: int = 0) -> Action:  # noqa: ARG002
        """Makers have one side."""
        return Action(maker=delta, collateral=collateral)

    def trade(self, view: View, account: Account) -> Sequence[Action]:
        """Goes back to the target when away from it, else now and then changes it a little."""
        self.wait(view, 12, 48)
        leverage = leverage_of(account, view.price)
        if not account.size or leverage is None:
            deposit = max(0, self.stake - account.collateral)
            return self._open(view, account, size_of(self.stake, self.leverage, view.price), deposit)
        equity = account.effective(view.price)
        target = size_of(equity, self.leverage, view.price)
        if leverage < self.leverage * 3 // 4:
            if self.chance(50):
                spare = equity - account.size * view.price // (self.leverage * 9 // 10)
                return [self.change(account, 0, -spare)] if spare > 0 else []
            return self._open(view, account, target - account.size)
        if leverage > self.leverage * 6 // 5:
            return [self.change(account, target - account.size)]
        if self.chance(20):
            deposit = self.part(self.stake, 5, 20)
            return self._open(view, account, size_of(deposit, self.leverage, view.price), deposit)
        return [self.change(account, -self.part(account.size, 5, 15))] if self.chance(25) else []

    def _open(self, view: View, account: Account, size: int, deposit: int = 0) -> Sequence[Action]:
        """As much as the market's limit leaves room for."""
        size = min(size, view.market.risk.maker_limit - view.market.pending.maker - 1)
        return [self.change(account, size, deposit)] if size > 0 else []


@dataclass
class Taker(Careful):
    """Goes long or short as its signal says, and flips by closing first.

    `pause` are the shortest and the longest time between two looks at the market, in hours.
    """

    signal: Signal = field(kw_only=True)
    pause: tuple[int, int] = field(kw_only=True)

    def change(self, account: Account, delta: int, collateral: int = 0) -> Action:
        """Sizes grow in the account's own direction."""
        signed = delta if delta == ALL else delta * (direction_of(account) or 1)
        return Action(taker=signed, collateral=collateral)

    def trade(self, view: View, account: Account) -> Sequence[Action]:
        """Opens, holds or closes."""
        self.wait(view, *self.pause)
        held = direction_of(account)
        wanted = self.signal(self, view, held)
        if not held:
            return self._enter(view, account, wanted) if wanted else self._leave(account)
        if wanted == held:
            return self._hold(view, account)
        self.next_hour = view.hour + 1
        return [self.change(account, ALL)]

    def _enter(self, view: View, account: Account, direction: int) -> Sequence[Action]:
        stake = self.part(self.stake, 60, 120)
        size = size_of(stake, self.leverage, view.price)
        deposit = max(0, stake - account.collateral)
        return [
            Action(taker=direction * size, collateral=deposit),
            Action(taker=direction * size // 3, collateral=deposit),
        ]

    def _leave(self, account: Account) -> Sequence[Action]:
        """Nothing to do here: takes some of the money home."""
        idle = account.collateral > 0 and self.chance(30)
        return [Action(collateral=-self.part(account.collateral, 30, 100))] if idle else []

    def _hold(self, view: View, account: Account) -> Sequence[Action]:
        """Adds, reduces, tops up, or takes profits, as leverage allows and chance decides."""
        equity, leverage = account.effective(view.price), leverage_of(account, view.price) or 0
        room = size_of(equity, self.leverage, view.price) - account.size
        draw = self.rng.randrange(100)
        if draw < 30 and leverage < self.leverage * 4 // 5:
            return [self.change(account, self.part(room, 50, 100))]
        if draw < 45:
            return [self.change(account, -self.part(account.size, 15, 50))]
        if draw < 55:
            return [Action(collateral=self.part(self.stake, 5, 25))]
        if draw < 75 and leverage < self.leverage * 3 // 5:
            spare = equity - account.size * view.price // (self.leverage * 4 // 5)
            return [Action(collateral=-spare)] if spare > 0 else []
        return []


class Reckless(Actor):
    """Bets all it has at a leverage that one hour can undo, comes back after a while, and walks away from big debts."""

    lives = 12

    def act(self, view: View) -> Sequence[Action]:
        """Holds until it has doubled its stake, or is liquidated."""
        account = view.account(self.address)
        if account.locked:
            return []
        if account.size:
            rich = account.effective(view.price) > 2 * self.stake
            return [self.close(account)] if rich or self.chance(4) else []
        if not self.next_hour:
            self.wait(view, 2, 96)
        if view.hour < self.next_hour:
            return []
        if account.collateral > self.stake:
            self.wait(view, 24, 72)
            return [Action(collateral=ALL)]
        return self._bet(view, account)

    def close(self, account: Account) -> Action:  # noqa: ARG002
        """Everything at once."""
        return Action(taker=ALL)

    def _bet(self, view: View, account: Account) -> Sequence[Action]:
        walks_away = account.collateral < -self.stake * 3 // 2
        if walks_away or self.lives == 0:
            return []
        self.lives -= 1
        self.wait(view, 12, 144)
        direction = 1 if self.chance(60) else -1
        size = size_of(self.stake, self.leverage, view.price)
        return [Action(taker=direction * size, collateral=self.stake - account.collateral)]


# -- Signals -----------------------------------------------------------------------------------------------------------


def trend(hours: int) -> Signal:
    """With the price: long above its mean of so many hours, short below."""
    return lambda _, view, held: _side_of_mean(view, hours, 10_000) or held


def contrarian(hours: int) -> Signal:
    """Against the price, once it is far from its mean."""
    return lambda _, view, held: -_side_of_mean(view, hours, 40_000) or held


def carry(taker: Taker, view: View, held: int) -> int:  # noqa: ARG001
    """Where funding is received, while it is worth it."""
    rate = view.market.funding_rate()
    if abs(rate) > UNIT // 4:
        return -1 if rate > 0 else 1
    return held if abs(rate) > UNIT // 20 else 0


def holder(taker: Taker, view: View, held: int) -> int:  # noqa: ARG001
    """Long, come what may."""
    return 1


def hedger(taker: Taker, view: View, held: int) -> int:  # noqa: ARG001
    """Short, against coins that it has."""
    return -1


def swing(taker: Taker, view: View, held: int) -> int:  # noqa: ARG001
    """As the dice fall."""
    return held if taker.chance(60) else taker.rng.choice((-1, 0, 1))


def _side_of_mean(view: View, hours: int, band: int) -> int:
    """1 or -1 where the price is above or below its mean by more than `band` (6 decimals), else 0."""
    recent = view.prices[-hours:]
    mean = sum(recent) // len(recent)
    away = (view.price - mean) * UNIT // mean
    return (away > band) - (away < -band)
