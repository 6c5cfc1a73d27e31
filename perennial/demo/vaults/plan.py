"""What the vault of the demo is, over which markets, and who puts money into it."""

from dataclasses import dataclass, field

from perennial.demo.cast import address_of
from perennial.demo.listings import listing
from perennial.demo.stage import VaultPlan
from perennial.mirror.fixed import UNIT
from perennial.mirror.vault_state import VaultParameter

MARKETS = ("BTC-USD", "ETH-USD")
LISTINGS = tuple(listing(market) for market in MARKETS)
WEIGHTS = (2, 1)
LEVERAGES = (2 * UNIT, UNIT)

PLAN = VaultPlan(
    name="BTC and ETH liquidity",
    symbol="LP",
    parameter=VaultParameter(100 * UNIT, 10_000_000 * UNIT, UNIT // 10, UNIT // 10),
    markets=tuple(zip(WEIGHTS, LEVERAGES, strict=True)),
)
"""A tenth of new profit for the coordinator; a market may be off its target by a tenth."""

TURN = 12
"""Hours between two epochs, where there are requests."""

CHECK = 4
"""Hours between two looks whether to rebalance."""

QUIET = 4
"""Hours before the end from which on nobody requests anything any more."""

MAKERS, TAKERS = 25, 80
"""Percent of a market's maker limit: what other makers hold together, and takers."""

Visit = tuple[int, str, int]
"""When (a part in 1,000 of the run), "in" or "out", what percentage of the stake or of the shares."""


@dataclass
class Depositor:
    """Somebody with a stake (6 decimals) and plans. A nervous one leaves when a share has lost a fiftieth of its peak.

    `due` is what is left of the plans.
    """

    name: str
    stake: int
    visits: list[Visit]
    nervous: bool = False
    address: str = field(init=False)
    due: list[Visit] = field(init=False)
    peak: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.address, self.due = address_of(self.name), sorted(self.visits)

    def plan(self, now: int, price: int, shares: int) -> Visit | None:
        """What to do now, a part in 1,000 of the run; `price` is a share's, `shares` what it holds."""
        if self.nervous and shares:
            self.peak = max(self.peak, price)
            if price * 50 < self.peak * 49:
                self.peak = 0
                self.due = [(now, "out", 100), (now + BREAK, "in", 80)]
        return self.due[0] if self.due and self.due[0][0] <= now else None


BREAK = 150
"""How long a nervous one stays away: a part in 1,000 of the run."""


def depositors() -> list[Depositor]:
    """Everybody, before anything has happened."""
    thousand = 1000 * UNIT
    return [
        Depositor("founder", 300 * thousand, [(2, "in", 100)]),
        Depositor("saver", 30 * thousand, [(part, "in", 100) for part in range(40, 900, 95)]),
        Depositor("nervous", 150 * thousand, [(60, "in", 100)], nervous=True),
        Depositor("halver", 200 * thousand, [(100, "in", 100), (650, "out", 50)]),
        Depositor("visitor", 150 * thousand, [(150, "in", 100), (480, "out", 100)]),
        Depositor("latecomer", 200 * thousand, [(700, "in", 100)]),
    ]
