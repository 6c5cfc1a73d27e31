"""The bench that flows are measured on: a market in use on a local Anvil, the same to the byte in every run."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from perennial import parameters
from perennial.amounts import raw
from perennial.deploy import Protocol, deploy_protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ape.api import AccountAPI, ReceiptAPI
    from ape.contracts import ContractInstance

    from perennial.parameters import Struct

#: Unix seconds at which the bench begins: later than any real clock, so that versions are the same in every run.
START = 1_900_000_000

#: Seconds between versions.
STEP = 10

#: USD a Bitcoin at the beginning, raw with 6 decimals; it moves by MOVE with every version.
PRICE = raw(60_000)
MOVE = raw("12.5")

#: Keyword of a transaction that spares Ape to ask for its price; Anvil's base fee is zero.
FREE: dict[str, Any] = {"max_fee": 10**9, "max_priority_fee": 0}

#: A delta that closes, or withdraws, all there is.
ALL = -(2**255)

_ENDLESS = 2**256 - 1
_NOBODY = "0x" + "0" * 40
_PYTH_FEE = 1


@contextmanager
def connected() -> Iterator[None]:
    """An Anvil of its own on a free port, for as long as the block lasts."""
    import ape
    from ape.logging import LogLevel, logger

    from perennial import artifacts

    artifacts.refresh()
    # Without a line for every transaction.
    logger.set_level(LogLevel.WARNING)
    with ape.networks.parse_network_choice("ethereum:local:foundry"):
        yield


@dataclass(frozen=True)
class Sizes:
    """What an actor holds when a flow begins: side's delta signs as in `update`, raw with 6 decimals."""

    maker: int = 0
    taker: int = 0


@dataclass
class Bench:
    """A market with the live parameters of BTC-USD (settlement fee included) over an oracle that the flow steers.

    Its token has 18 decimals. A maker, a long and a short hold positions; every one of them has had as many orders
    pending as the caps allow, so that slots are overwritten, as in a market in use, not created.
    """

    protocol: Protocol
    token: ContractInstance
    oracle: ContractInstance
    market: ContractInstance
    owner: AccountAPI
    maker: AccountAPI
    long: AccountAPI
    short: AccountAPI
    newcomer: AccountAPI
    keeper: AccountAPI
    risk: Struct
    parameter: Struct
    version: int = START
    price: int = PRICE

    # -- set-up --------------------------------------------------------------------------------------------------

    @classmethod
    def deploy(cls) -> Self:
        """Deploys and brings into use; needs a connection (`connected`)."""
        import ape

        owner, maker, long, short, newcomer, keeper = ape.accounts.test_accounts[:6]
        protocol = deploy_protocol(owner, **FREE)
        token = owner.deploy(ape.project.MockToken, "Mock Dollar", "mUSD", 18, **FREE)
        oracle = _register(protocol)
        terms = cls.terms(protocol)
        market = protocol.create_market(token, oracle, **terms)
        actors = {"owner": owner, "maker": maker, "long": long, "short": short, "newcomer": newcomer, "keeper": keeper}
        bench = cls(protocol, token, oracle, market, **actors, risk=terms["risk"], parameter=terms["parameter"])
        bench._fund(market, maker, long, short, newcomer)
        bench._use()
        return bench

    @classmethod
    def terms(cls, protocol: Protocol) -> dict[str, Any]:  # noqa: ARG003 -- for benches with a payoff
        """What the market is created with, beside token and oracle, as keywords of `Protocol.create_market`."""
        risk, parameter = parameters.live_market()
        return {"risk": risk, "parameter": parameter}

    @contextmanager
    def copy(self) -> Iterator[Self]:
        """A bench of its own for a flow: what happens to it does not happen here."""
        import ape

        snapshot = ape.chain.snapshot()
        try:
            yield replace(self)
        finally:
            ape.chain.restore(snapshot)

    def _fund(self, market: ContractInstance, *actors: AccountAPI) -> None:
        for actor in actors:
            self.token.mint(actor, 10**6 * 10**18, sender=self.owner, **FREE)
            self.token.approve(market, _ENDLESS, sender=actor, **FREE)

    def _use(self) -> None:
        """Opens the positions, and fills every account's and the market's list of pending orders once."""
        self.oracle.set(START, PRICE, True, START + STEP, sender=self.owner, **FREE)
        for actor, sizes in self.positions.items():
            self.update(actor, maker=sizes.maker, taker=sizes.taker, collateral=raw(100_000))
        self.commit()
        signs = {actor: 1 if sizes.maker + sizes.taker > 0 else -1 for actor, sizes in self.positions.items()}
        for direction in (1, -1):
            versions = []
            for _ in range(self.backlog):
                for actor, sizes in self.positions.items():
                    delta = direction * signs[actor] * raw("0.01")
                    self.update(actor, **{"maker" if sizes.maker else "taker": delta})
                versions.append(self.next())
            self.commit_late(versions)
            for actor in self.positions:
                self.settle(actor)

    @property
    def positions(self) -> dict[AccountAPI, Sizes]:
        """Settled sizes when a flow begins."""
        return {
            self.maker: Sizes(maker=raw(10)),
            self.long: Sizes(taker=raw(4)),
            self.short: Sizes(taker=-raw(2)),
        }

    @property
    def backlog(self) -> int:
        """Most versions that an account may have pending."""
        return int(self.parameter["maxPendingLocal"])

    # -- the oracle ----------------------------------------------------------------------------------------------

    @property
    def current(self) -> int:
        """Version that an order placed now settles at."""
        return self.version + STEP

    def next(self) -> int:
        """The clock moves on one version, without a price for the one that it leaves; returns that one."""
        self.version = self.current
        self.oracle.setCurrent(self.current, sender=self.owner, **FREE)
        return self.version

    def commit(self, price: int | None = None) -> int:
        """The current version becomes the latest, at `price` or a little above the last; returns it."""
        version = self.next()
        self.commit_late([version], price)
        return version

    def commit_late(self, versions: list[int], price: int | None = None) -> None:
        """Versions that `next` left get their prices."""
        for version in versions:
            self.price = self.price + MOVE if price is None else price
            self.oracle.commit(version, self.price, sender=self.owner, **FREE)

    # -- the market ----------------------------------------------------------------------------------------------

    def update(self, actor: AccountAPI, *, maker: int = 0, taker: int = 0, collateral: int = 0) -> ReceiptAPI:
        """The actor's own `Market.update`, without a referrer."""
        return self.market.update(actor, maker, taker, collateral, _NOBODY, sender=actor, **FREE)

    def settle(self, actor: AccountAPI) -> ReceiptAPI:
        """A keeper settles the market and the actor's account."""
        return self.market.settle(actor, sender=self.keeper, **FREE)

    def order(self, actor: AccountAPI, size: str = "0.1") -> None:
        """The actor increases its position at the current version."""
        sizes = self.positions[actor]
        side = "maker" if sizes.maker else "taker"
        self.update(actor, **{side: raw(size) if sizes.maker + sizes.taker > 0 else -raw(size)})

    def expect(self, actor: AccountAPI, market: int, account: int) -> None:
        """Asserts how many versions are pending, so that a flow measures what its name says."""
        pending = self.market.pendingCount(), self.market.pendingCounts(actor)
        if pending != (market, account):
            raise AssertionError(f"pending in market and account: {pending}, not {(market, account)}")

    # -- other markets -------------------------------------------------------------------------------------------

    def register_oracle(self) -> ContractInstance:
        """One more mock oracle, on which a market can be opened."""
        return _register(self.protocol)

    def pyth_market(self) -> PythBench:
        """A second market, over a real oracle with prices from MockPyth, with the maker's position in it."""
        return PythBench.deploy(self)


@dataclass
class PythBench:
    """A market whose oracle has committed before. Versions follow Anvil's clock here."""

    bench: Bench
    oracle: ContractInstance
    market: ContractInstance
    feed: str

    @classmethod
    def deploy(cls, bench: Bench) -> Self:
        """Opens the market and has a first version requested, committed, settled."""
        import ape

        protocol = bench.protocol
        feed = parameters.pyth_id("BTC-USD")
        receipt = protocol.oracle_factory.create(protocol.pyth_oracle, [(feed, 1)], sender=bench.owner, **FREE)
        oracle = ape.project.Oracle.at(receipt.return_value)
        market = protocol.create_market(bench.token, oracle, risk=bench.risk, parameter=bench.parameter)
        bench._fund(market, bench.maker)
        self = cls(bench, oracle, market, feed)
        ape.chain.mine(timestamp=START - 10_000)
        # The first price is unrequested: without one nobody could order.
        ape.chain.pending_timestamp = START + 4
        self.commit(START - START % STEP, START + 5)
        version = self.request(START + 12, collateral=raw(100_000))
        self.commit(version, version + 6)
        return self

    def request(self, time: int, collateral: int = 0) -> int:
        """An order at `time`; returns the version that it waits for."""
        import ape

        ape.chain.pending_timestamp = time
        maker = self.bench.maker
        self.market.update(maker, raw("0.1"), 0, collateral, _NOBODY, sender=maker, **FREE)
        return int(self.oracle.next())

    def commit(self, version: int, time: int) -> ReceiptAPI:
        """A keeper commits a version at `time`, with one price that was published 4 seconds after it."""
        import ape

        protocol = self.bench.protocol
        update = protocol.pyth.createPriceFeedUpdateData(self.feed, 60_000 * 10**8, 10**8, -8, version + 4, version + 3)
        ape.chain.pending_timestamp = time
        return protocol.pyth_oracle.commit(
            [self.oracle], version, [update], sender=self.bench.keeper, value=_PYTH_FEE, **FREE
        )

    def earned(self, version: int) -> int:
        """What the keeper can claim for a version, raw with 6 decimals; settles the market first."""
        bench = self.bench
        self.market.settle(bench.maker, sender=bench.keeper, **FREE)
        factory = bench.protocol.oracle_factory
        return int(factory.claim.call(self.market, [version], bench.keeper, sender=bench.keeper))


def _register(protocol: Protocol) -> ContractInstance:
    import ape

    oracle = protocol.owner.deploy(ape.project.MockOracle, **FREE)
    protocol.oracle_factory.register(oracle, sender=protocol.owner, **FREE)
    return oracle
