"""The bench that flows are measured on: a market in use on a local Anvil, the same to the byte in every run."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from perennial import parameters
from perennial.amounts import decimal, raw
from perennial.intents import Domain, Intent, sign
from perennial.local import FREE, NOBODY, START, STEP, LocalMarket

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ape.api import AccountAPI, ReceiptAPI
    from ape.contracts import ContractInstance
    from eth_account.signers.local import LocalAccount

#: USD a Bitcoin at the beginning, raw with 6 decimals; it moves by MOVE with every version.
PRICE = raw(60_000)
MOVE = raw("12.5")

_PYTH_FEE = 1


@dataclass(frozen=True)
class Sizes:
    """What an actor holds when a flow begins: side's delta signs as in `update`, raw with 6 decimals."""

    maker: int = 0
    taker: int = 0


@dataclass
class Bench(LocalMarket):
    """A local market with a maker, a long and a short in it; the trader is new, the keeper settles.

    Each of the three has had as many orders pending as the caps allow, so that slots are overwritten, as in a market in
    use, not created; likewise with fills. `nonce` is the last intent's.
    """

    nonce: int = 0

    # -- set-up --------------------------------------------------------------------------------------------------

    @classmethod
    def deploy(cls, price: int = PRICE) -> Self:
        """Deploys and brings into use; needs a connection (`connected`)."""
        bench = super().deploy(price)
        for actor, sizes in bench.positions.items():
            bench.update(actor, maker=sizes.maker, taker=sizes.taker, collateral=raw(100_000))
        bench.move()
        for direction in (1, -1):
            bench._fill_rings(direction)
        bench.fill()
        bench.move()
        bench.settle(bench.long)
        bench.settle(bench.short)
        return bench

    def _fill_rings(self, direction: int) -> None:
        """Everybody has the most versions pending, increases or (-1) decreases, and settles them."""
        versions = []
        for _ in range(self.backlog):
            for actor in self.positions:
                self.order(actor, "0.01", direction)
            versions.append(self.next())
        self.move_late(versions)
        for actor in self.positions:
            self.settle(actor)

    @contextmanager
    def copy(self) -> Iterator[Self]:
        """A bench of its own for a flow: what happens to it does not happen here."""
        import ape

        snapshot = ape.chain.snapshot()
        try:
            yield replace(self)
        finally:
            ape.chain.restore(snapshot)

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

    def move(self) -> None:
        """The current version becomes the latest, at a price a little above the last."""
        self.commit(self.price + MOVE)

    def move_late(self, versions: list[int]) -> None:
        """Versions that `next` left get their prices, each a little above the last."""
        for version in versions:
            self.commit_late(version, self.price + MOVE)

    # -- the market ----------------------------------------------------------------------------------------------

    def update(self, actor: AccountAPI, *, maker: int = 0, taker: int = 0, collateral: int = 0) -> ReceiptAPI:
        """The actor's own `Market.update`, without a referrer."""
        return self.market.update(actor, maker, taker, collateral, NOBODY, sender=actor, **FREE)

    def settle(self, actor: AccountAPI) -> ReceiptAPI:
        """A keeper settles the market and the actor's account."""
        return self.market.settle(actor, sender=self.keeper, **FREE)

    def order(self, actor: AccountAPI, size: str = "0.1", direction: int = 1) -> None:
        """The actor increases (-1: decreases) its position at the current version."""
        sizes = self.positions[actor]
        delta = direction * raw(size) if sizes.maker + sizes.taker > 0 else -direction * raw(size)
        self.update(actor, **{"maker" if sizes.maker else "taker": delta})

    # -- intents -------------------------------------------------------------------------------------------------

    def sign(self, actor: AccountAPI | LocalAccount, size: str) -> tuple[tuple[Any, ...], bytes]:
        """A new intent of the actor at the latest price, for nobody's profit, and its signature."""
        import ape

        self.nonce += 1
        price = decimal(self.price)
        intent = Intent.build(
            market=str(self.market.address),
            account=str(actor.address),
            amount=size,
            price=price,
            expiry=2 * START,
            nonce=self.nonce,
        )
        domain = Domain(ape.chain.chain_id, str(self.protocol.verifier.address))
        return intent.to_abi(), sign(intent, domain, actor)

    def fill(self, size: str = "0.1", filler: AccountAPI | None = None) -> ReceiptAPI:
        """The filler, the short unless another is given, takes the other side of a new intent of the long's."""
        filler = filler or self.short
        intent = self.sign(self.long, size)
        return self.market.fill(*intent, raw(size), self.price, filler, sender=filler, **FREE)

    def fill_batch(self, signers: Sequence[AccountAPI | LocalAccount], size: str = "0.1") -> ReceiptAPI:
        """The short takes the other side of a new intent of each signer's, all or nothing."""
        fills = [(*self.sign(signer, size), raw(size), self.price, self.short) for signer in signers]
        return self.market.fillBatch(fills, False, sender=self.short, **FREE)

    def traders(self, count: int) -> list[LocalAccount]:
        """So many new accounts, with collateral that somebody else has paid in: they have no ether."""
        from eth_account import Account

        keys = [Account.from_key(number.to_bytes(32)) for number in range(1, count + 1)]
        for key in keys:
            self.market.update(key.address, 0, 0, raw(10_000), NOBODY, sender=self.trader, **FREE)
        return keys

    def cross(self, size: str = "0.1") -> ReceiptAPI:
        """A keeper crosses new intents of the long and the short."""
        intents = (*self.sign(self.long, size), *self.sign(self.short, f"-{size}"))
        return self.market.cross(*intents, raw(size), self.price, sender=self.keeper, **FREE)

    def expect(self, actor: AccountAPI | str, market: int, account: int) -> None:
        """Asserts how many versions are pending, so that a flow measures what its name says."""
        pending = self.market.pendingCount(), self.market.pendingCounts(actor)
        if pending != (market, account):
            raise AssertionError(f"pending in market and account: {pending}, not {(market, account)}")

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
        bench.fund(market, bench.maker)
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
        self.market.update(maker, raw("0.1"), 0, collateral, NOBODY, sender=maker, **FREE)
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
