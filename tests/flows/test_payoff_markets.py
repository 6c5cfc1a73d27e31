"""Markets on powers of a price and on a ratio of two (docs/protocol.md §11.2, §12.1), from the first price to the end.

Each runs through Market, Oracle and PythOracle in the EVM in process with the mirror beside it: every number is
compared after every step and the invariants hold. What comes out is checked against exact rationals, too.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import pytest

from perennial.amounts import raw
from perennial.mirror.fixed import MIN_INT256
from perennial.mirror.parameters import MarketParameter, ProtocolParameter, RiskParameter
from perennial.testing.differential import Setup, address_of
from perennial.testing.market import PARAMETER, PROTOCOL, RISK, changed
from perennial.testing.oracles import START
from perennial.testing.priced import ONE_FEED, RATIO, PricedBench

ONE = 10**18
MAKER, LONG, SHORT = "alice", "bob", "carol"
FEE = Fraction(1, 1000)
"""Of what takers trade."""
SETTLEMENT = raw("1.5")
DUST = 3
"""Micro-dollars that a maker's share of fees may lose on its way through units with 12 decimals, in a version."""


def _values(struct):
    """A struct as the chain returns it."""
    return tuple(_values(value) if isinstance(value, dict) else value for value in struct.values())


@dataclass(frozen=True)
class Kind:
    """A market: its feeds, its payoff, four prices of the oracle and what the payoff makes of them, decimal text.

    `unit` is what the short holds: the long twice, the maker five times as much.
    """

    feeds: tuple[str, ...]
    payoff: tuple[int, int, bool] | None
    prices: tuple[str, str, str, str]
    payoffs: tuple[str, str, str, str]
    unit: str


ETHER = ("3000", "3300", "2700", "3000")
KINDS = {
    "squeeth": Kind(ONE_FEED, (4, ONE, False), ETHER, ("9000000", "10890000", "7290000", "9000000"), "0.01"),
    "micro-squeeth": Kind(ONE_FEED, (4, 10**12, False), ETHER, ("9", "10.89", "7.29", "9"), "1000"),
    "inverse": Kind(ONE_FEED, (-2, ONE, False), ETHER, ("0.000333", "0.000303", "0.00037", "0.000333"), "20000000"),
    "mega-inverse": Kind(
        ONE_FEED, (-2, 10**24, False), ETHER, ("333.333333", "303.030303", "370.37037", "333.333333"), "100"
    ),
    "square root": Kind(ONE_FEED, (1, ONE, False), ETHER, ("54.772255", "57.445626", "51.961524", "54.772255"), "1000"),
    "ETH/BTC": Kind(
        RATIO, None, ("0.05", "0.055", "0.045678", "0.05"), ("0.05", "0.055", "0.045678", "0.05"), "1000000"
    ),
    "squared ETH/BTC": Kind(
        RATIO, (4, 10**24, False), ("0.05", "0.055", "0.045", "0.05"), ("2500", "3025", "2025", "2500"), "10"
    ),
    "negative micro-squeeth": Kind(ONE_FEED, (4, 10**12, True), ETHER, ("-9", "-10.89", "-7.29", "-9"), "1000"),
    "short ETH/BTC": Kind(
        RATIO, (2, 10**21, True), ("0.05", "0.055", "0.045678", "0.05"), ("-50", "-55", "-45.678", "-50"), "1000"
    ),
}


class Run:
    """A market of a kind at its first price, with a fee for takers and a settlement fee."""

    def __init__(self, twin, kind):
        self.twin, self.kind = twin, kind
        self.version = START
        self.prices = [Fraction(price) for price in kind.payoffs]
        self.unit = raw(kind.unit)

    @classmethod
    @contextmanager
    def of(cls, bench, kind):
        bench.feeds = kind.feeds
        risk = {"takerFee": "0.001", "makerLimit": "280000000", "minMargin": 0, "minMaintenance": 0}
        setup = Setup(
            ProtocolParameter.from_abi(_values(PROTOCOL)),
            RiskParameter.from_abi(_values(changed(RISK, risk | {"minLiquidationFee": 0}))),
            MarketParameter.from_abi(_values(changed(PARAMETER, {"settlementFee": SETTLEMENT}))),
            has_reward=False,
            payoff=kind.payoff,
        )
        with bench.open(setup) as twin:
            run = cls(twin, kind)
            run.commit(0)
            yield run

    def commit(self, index):
        """The next version has the price of this index; everybody settles."""
        self.twin.act("commit", self.version, raw(self.kind.prices[index]), self.version + 10)
        self.version += 10
        for name in (MAKER, LONG, SHORT):
            self.twin.act("settle", name, name)
        assert self.twin.market.value("price") == raw(self.kind.payoffs[index])

    def update(self, name, *, maker=0, taker=0, collateral=0):
        return self.twin.act("update", name, maker, taker, collateral, None, name)

    def collateral(self, name):
        return self.twin.market.value("collateral", address_of(name))

    def size(self, name):
        _, *sizes = self.twin.market.read("positions", address_of(name))
        return sizes

    def fee(self, size, index):
        """A taker's: of its notional, whatever the sign of the price, rounded up."""
        return ceil(FEE * size * abs(self.prices[index])) + SETTLEMENT

    def move(self, size, first, last):
        """What a long of a size makes between two prices, exactly."""
        return size * (self.prices[last] - self.prices[first])


@pytest.fixture(scope="module")
def priced():
    return PricedBench()


@pytest.fixture(params=KINDS.values(), ids=list(KINDS))
def market(priced, request):
    with Run.of(priced, request.param) as run:
        yield run


def test_from_first_price_to_last_withdrawal(market):
    """Open at the first price, live through two moves, close at the last, withdraw everything."""
    stake, unit = raw(10**6), market.unit
    assert market.update(MAKER, maker=5 * unit, collateral=stake) is None
    market.commit(0)
    assert market.update(LONG, taker=2 * unit, collateral=stake) is None
    assert market.update(SHORT, taker=-unit, collateral=stake) is None
    market.commit(0)

    # Fees of takers go to the maker, whose side has something before.
    fees = market.fee(2 * unit, 0) + market.fee(unit, 0) - 2 * SETTLEMENT
    opened = {
        MAKER: stake - SETTLEMENT + fees,
        LONG: stake - market.fee(2 * unit, 0),
        SHORT: stake - market.fee(unit, 0),
    }
    assert (market.collateral(LONG), market.collateral(SHORT)) == (opened[LONG], opened[SHORT])
    assert 0 <= opened[MAKER] - market.collateral(MAKER) <= DUST
    assert [market.size(name) for name in opened] == [[5 * unit, 0, 0], [0, 2 * unit, 0], [0, 0, unit]]

    expected = {name: market.collateral(name) for name in opened}
    for first, last in ((0, 1), (1, 2)):
        market.commit(last)
        # The net of the takers is long by one unit: the maker has the other side of that.
        moves = {MAKER: -market.move(unit, first, last), LONG: market.move(2 * unit, first, last)}
        moves[SHORT] = -market.move(unit, first, last)
        # Rounded down at every version, as sizes and prices of 6 decimals come out.
        expected = {name: expected[name] + floor(moves[name]) for name in expected}
        assert {name: market.collateral(name) for name in expected} == expected

    for name, side in ((LONG, "taker"), (SHORT, "taker"), (MAKER, "maker")):
        assert market.update(name, **{side: MIN_INT256}) is None
    market.commit(3)
    # The maker earns the fees of closing, too.
    closing = [market.fee(2 * unit, 3), market.fee(unit, 3)]
    moves = {MAKER: -market.move(unit, 2, 3), LONG: market.move(2 * unit, 2, 3), SHORT: -market.move(unit, 2, 3)}
    expected[LONG] += floor(moves[LONG]) - closing[0]
    expected[SHORT] += floor(moves[SHORT]) - closing[1]
    expected[MAKER] += floor(moves[MAKER]) + sum(closing) - 3 * SETTLEMENT
    assert (market.collateral(LONG), market.collateral(SHORT)) == (expected[LONG], expected[SHORT])
    assert 0 <= expected[MAKER] - market.collateral(MAKER) <= DUST

    for name in (MAKER, LONG, SHORT):
        assert market.size(name) == [0, 0, 0]
        assert market.update(name, collateral=MIN_INT256) is None
        assert market.collateral(name) == 0
    assert market.twin.act("claim_oracle_fee") is None
    # Nothing but the dust of roundings stays.
    assert 0 <= market.twin.token.value("balanceOf", market.twin.market.address) // market.twin.scale <= 5 * DUST


def test_who_is_on_the_wrong_side_is_liquidated(market):
    """The payoff's move decides, not that of the oracle's price: with a negative one, longs fall when prices rise."""
    unit = market.unit
    rises = market.prices[1] > market.prices[0]
    side = -1 if rises else 1
    assert market.update(MAKER, maker=10 * unit, collateral=raw(10**8)) is None
    market.commit(0)
    margin = ceil(unit * abs(market.prices[0]) * Fraction(2, 100)) + 10 * SETTLEMENT
    loser, winner = (SHORT, LONG) if rises else (LONG, SHORT)
    for name, taker in ((loser, side * unit), (winner, -side * unit)):
        assert market.update(name, taker=taker, collateral=margin) is None
    market.commit(0)
    market.commit(1)

    market.twin.act("commit", market.version, raw(market.kind.prices[1]), market.version + 10)
    assert market.twin.act("liquidate", winner, "dave") == "NotLiquidatable"
    assert market.twin.act("liquidate", loser, "dave") is None
    market.version += 10
    market.commit(1)
    assert market.size(loser) == [0, 0, 0]
    # What it lost beyond its collateral it owes.
    assert market.twin.market.value("shortfall") == -market.collateral(loser) > 0


def test_a_price_that_the_payoff_refuses_makes_the_version_invalid(priced):
    """A square that rounds to 0: the order at it never was, and the market goes on at the next price."""
    kind = KINDS["micro-squeeth"]
    with Run.of(priced, kind) as market:
        assert market.update(MAKER, maker=market.unit, collateral=raw(10**6)) is None
        market.twin.act("commit", market.version, raw("0.5"), market.version + 10)
        market.version += 10
        market.twin.act("settle", MAKER, MAKER)

        assert market.size(MAKER) == [0, 0, 0]
        assert market.collateral(MAKER) == raw(10**6)
        assert market.twin.market.value("price") == raw("9")
        assert market.update(MAKER, maker=market.unit) == "StalePrice"
        market.commit(1)
        assert market.update(MAKER, maker=market.unit) is None
        market.commit(2)
        assert market.size(MAKER) == [market.unit, 0, 0]
