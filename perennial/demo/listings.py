"""The markets that can be replayed: whose prices and parameters, how far apart versions are, what is not as live."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from perennial.mirror.payoff import PowerPayoff
from perennial.prices import DAY, HOUR, Prices, load_prices


def _time(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Listing:
    """One market.

    `live` is the market of production whose parameters it has, `feeds` are markets of production whose Pyth feeds make
    its price, each to its power. Versions are `step` seconds apart, in words a `period`; a price is stale after
    `stale_after` seconds. `start` and `end` are replayed where nothing else is asked for. What is aimed at in leverage
    is divided by `caution`. `unit` is what sizes count.
    """

    live: str
    feeds: tuple[tuple[str, int], ...]
    unit: str
    start: int = _time(2017, 12, 10)
    end: int = _time(2018, 2, 10)
    step: int = HOUR
    stale_after: int = 2 * HOUR
    payoff: PowerPayoff | None = None
    caution: int = 1

    @property
    def period(self) -> str:
        """From one version to the next, in words."""
        return "day" if self.step == DAY else "hour"

    @property
    def changed(self) -> tuple[str, ...]:
        """What is not as in production, in words."""
        changed = [
            f"staleAfter {self.stale_after:,} s instead of 60 s, because prices come every {self.period}",
            "riskFee 0.9 instead of 1, so that there is a donation",
        ]
        if self.payoff is not None:
            changed.insert(0, f"payoff of {self.payoff.scale // 10**18:,} USD times the ratio, instead of the price")
        return tuple(changed)

    def prices(self, market: str) -> Prices:
        """All prices that there are. Raises PriceError."""
        return load_prices(market)

    def payoffs(self, prices: Prices) -> Prices:
        """What the market makes of the oracle's prices."""
        if self.payoff is None:
            return prices
        source = f"{self.payoff.scale // 10**18:,} times the {prices.source}"
        return replace(prices.mapped(self.payoff.payoff), source=source)


BITCOIN = Listing("BTC-USD", (("BTC-USD", 1),), "BTC")

RATIO = Listing(
    live="ETH-USD",
    feeds=(("ETH-USD", 1), ("BTC-USD", -1)),
    unit="units",
    # The year in which the ratio falls from 0.13 to 0.03 and comes back; it moves by a quarter in its worst days.
    start=_time(2017, 6, 15),
    end=_time(2018, 6, 15),
    step=DAY,
    stale_after=2 * DAY,
    # The ratio is in BTC, collateral and parameters in USD: a unit is worth 1,000 USD for each BTC that an ETH is.
    payoff=PowerPayoff(2, 10**21),
    caution=2,
)

_LISTINGS = {"ETH-BTC": RATIO}


def listing(market: str) -> Listing:
    """The listing of a market; one without an entry here is taken for a market of production, hour by hour."""
    if market in _LISTINGS:
        return _LISTINGS[market]
    return Listing(market, ((market, 1),), market.split("-")[0])
