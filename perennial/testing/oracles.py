"""A bench for oracles: factory, adapters and mock sources of prices, beside a mock of the market's side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from eth_abi.abi import encode

from perennial.mirror.oracle import OracleVersion

START = 1_900_000_000
"""When tests begin, Unix seconds: later than any real clock, at a version of every granularity that divides 100."""

_SET_UP = 10_000
"""Seconds before START at which contracts are deployed: the clock of a node runs on while it works."""

WINDOW = (4, 10, 30, 20_000)
"""The windows that PythOracle is deployed with: validFrom, validTo, grace (seconds), confidence (6 decimals)."""

CHAINLINK_WINDOW = (0, 3600, 30, 1_000_000)
"""The windows that ChainlinkOracle is deployed with."""

PYTH_FEE = 7
"""What the mock of Pyth asks for an update, wei."""

_PRICE_FEED = "(bytes32,(int64,uint64,int32,uint256),(int64,uint64,int32,uint256))"


def feed_id(name: str) -> bytes:
    """A Pyth price id that can be read."""
    return name.encode().ljust(32, b"\0")


def feeds(*names: str) -> list[tuple[bytes, int]]:
    """Feeds of an oracle: "BTC" multiplies, "/ETH" divides."""
    return [(feed_id(name.removeprefix("/")), -1 if name.startswith("/") else 1) for name in names]


def update(
    name: str,
    price: int,
    published: int,
    *,
    previous: int | None = None,
    confidence: int = 0,
    exponent: int = -8,
) -> bytes:
    """An update as MockPyth takes it: `price` times 10^exponent; `previous` defaults to one second earlier."""
    value = (price, confidence, exponent, published)
    previous = published - 1 if previous is None else previous
    return encode([_PRICE_FEED, "uint64"], [(feed_id(name), value, value), previous])


def approach(chain: Any) -> None:
    """Brings the clock of a node near START, where another bench has not done so already."""
    if chain.pending_timestamp < START - _SET_UP:
        chain.mine(timestamp=START - _SET_UP)


@dataclass
class OracleBench:
    """The contracts of a test; `chain` is Ape's. Times are Unix seconds, prices given have Pyth's usual 8 decimals."""

    chain: Any
    project: Any
    owner: Any
    token: Any
    pyth: Any
    factory: Any
    adapter: Any
    market: Any
    oracle: Any = None

    @classmethod
    def deploy(cls, chain: Any, project: Any, owner: Any, decimals: int = 18) -> Self:
        """Deploys everything, with one BTC oracle that is bound to the mock market, some time before START."""
        approach(chain)
        token = owner.deploy(project.MockToken, "Mock Dollar", "mUSD", decimals)
        pyth = owner.deploy(project.MockPyth, 60, PYTH_FEE)
        factory = owner.deploy(project.OracleFactory, owner)
        adapter = owner.deploy(project.PythOracle, pyth, factory, owner, WINDOW)
        factory.updateAdapter(adapter, True, sender=owner)
        market = owner.deploy(project.MockMarketFees, token)
        factory.updateMarketFactory(market, sender=owner)
        bench = cls(chain, project, owner, token, pyth, factory, adapter, market)
        bench.oracle = bench.create("BTC")
        market.take(factory, bench.oracle, owner, sender=owner)
        return bench

    def create(self, *names: str, sender: Any = None, adapter: Any = None) -> Any:
        """A new oracle over these feeds, bound to no market."""
        receipt = self.factory.create(adapter or self.adapter, feeds(*names), sender=sender or self.owner)
        return self.project.Oracle.at(receipt.return_value)

    def bind_new(self, *names: str) -> tuple[Any, Any]:
        """A new oracle over these feeds and its own mock market."""
        oracle = self.create(*names)
        market = self.owner.deploy(self.project.MockMarketFees, self.token)
        self.market.takeFor(self.factory, oracle, self.owner, market, sender=self.owner)
        return oracle, market

    def at(self, time: int) -> None:
        """The next transaction happens at `time`."""
        self.chain.pending_timestamp = time

    def warp(self, time: int) -> None:
        """Views see `time` from now on."""
        self.chain.mine(timestamp=time)

    def order(self, time: int, market: Any = None) -> int:
        """An order at `time`; returns the version that it waits for."""
        self.at(time)
        (market or self.market).order(1, sender=self.owner)
        return int(self.oracle_of(market).status()[1])

    def oracle_of(self, market: Any = None) -> Any:
        """The oracle of a market, the bench's own without one."""
        return self.oracle if market is None else self.project.Oracle.at(market.oracle())

    def latest(self, oracle: Any = None) -> OracleVersion:
        """The latest version of an oracle, the bench's own without one."""
        return OracleVersion(*(oracle or self.oracle).status()[0])

    def commit(
        self,
        sender: Any,
        version: int,
        updates: Sequence[bytes],
        *,
        time: int | None = None,
        oracles: Sequence[Any] | None = None,
        value: int | None = None,
    ) -> Any:
        """Commits a version, by default of the bench's oracle, at the end of its window, with Pyth's exact fee."""
        self.at(version + WINDOW[1] if time is None else time)
        value = PYTH_FEE * len(updates) if value is None else value
        return self.adapter.commit(
            [self.oracle] if oracles is None else list(oracles), version, list(updates), sender=sender, value=value
        )

    def price(self, sender: Any, version: int, price: int, **options: Any) -> Any:
        """Commits a version of the BTC oracle at `price`, published as early as its window allows."""
        return self.commit(sender, version, [update("BTC", price, version + WINDOW[0])], **options)

    def expire(
        self, sender: Any, version: int, *, time: int | None = None, oracles: Sequence[Any] | None = None
    ) -> Any:
        """Commits a version as invalid, by default as early as its grace allows."""
        self.at(version + WINDOW[1] + WINDOW[2] if time is None else time)
        return self.adapter.commitInvalid([self.oracle] if oracles is None else list(oracles), version, sender=sender)
