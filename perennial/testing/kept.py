"""The stage of a devnet with a keeper in this process, and a clock that only the test moves."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial.amounts import raw
from perennial.anvil import anvil
from perennial.chain import GAS, Chain, Rpc
from perennial.deployment.create2 import creation
from perennial.devnet import stage as setup
from perennial.devnet.accounts import COUNT, Cast
from perennial.devnet.markets import BTC, ETH, feed_ids
from perennial.keeper.commits import Freshening
from perennial.keeper.keeper import Options
from perennial.keeper.setup import Settings, open_keeper
from perennial.publisher.app import create_app
from perennial.publisher.publisher import Feed, Publisher
from perennial.publisher.sources import Moved, Walk
from perennial.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from perennial.chain import Contract
    from perennial.devnet.stage import Stage
    from perennial.keeper.keeper import Keeper
    from perennial.keeper.work import Work

GENESIS = 1_900_000_000
"""When the chain begins, Unix seconds; its markets open some 1,000 seconds later."""

PRICES = {BTC: raw(10_000), ETH: raw(1_000)}
"""Of feeds, until somebody moves them."""


@dataclass
class Kept:
    """A stage with its prices; times are Unix seconds, amounts have 6 decimals."""

    stage: Stage
    publisher: Publisher
    node: str
    hermes: str

    @contextmanager
    def keeper(self, *markets: tuple[str, str], **changes: Any) -> Iterator[Keeper]:
        """A keeper of the stage's markets, or of these. `changes` are of its Settings."""
        settings: dict[str, Any] = {
            "node": self.node,
            "markets": markets or list(self.stage.markets.items()),
            "vaults": list(self.stage.vaults.items()),
            "hermes": self.hermes,
            "tip": 0,
            "freshening": Freshening(max_age=20, look=5),
            "options": Options(claim_every=10**10),
        }
        with open_keeper(Settings(**settings | changes), self.stage.cast.keeper) as keeper:
            yield keeper

    def mine(self, seconds: int = 1) -> None:
        """A block, with everything that waits."""
        setup.go(self.stage, self.stage.now() + seconds)

    def work(self, keeper: Keeper, rounds: int = 20) -> list[Work]:
        """Rounds of a keeper's, a block of a second after each; what it has sent."""
        sent: list[Work] = []
        for _ in range(rounds):
            report = keeper.cycle()
            sent += [work for work, _ in report.sent]
            self.mine()
        return sent

    def move(self, feed: str, price: int) -> None:
        """A price from the next second on."""
        self.publisher.move(self.publisher.feed(feed), price)

    def create(self, name: str, *arguments: Any) -> Contract:
        """One more contract."""
        data = "0x" + creation(name, arguments).hex()
        call = {"from": self.stage.cast.operator, "data": data, "gas": hex(GAS), "gasPrice": "0x0"}
        digest = self.stage.chain.rpc.call("eth_sendTransaction", call)
        self.mine()
        receipt = self.stage.chain.rpc.call("eth_getTransactionReceipt", digest)
        return self.stage.contract(name, receipt["contractAddress"])

    def do_all(self, contract: Contract, calls: Sequence[tuple[Any, ...]]) -> None:
        """Calls of the operator's, each a name and arguments, in one block."""
        queries = [contract.query(name, *arguments) for name, *arguments in calls]
        operator = self.stage.cast.operator
        self.stage.transact((operator, query.to, query.data, 0) for query in queries)


@contextmanager
def keep(folder: Path) -> Iterator[Kept]:
    """The protocol, markets and vault of a devnet, with a maker in each market, prices that stand still, no keeper."""
    cast = Cast.assemble()
    with ExitStack() as stack:
        uri = stack.enter_context(anvil(GENESIS, ["--accounts", str(COUNT)], history=True))
        rpc, clock = stack.enter_context(Rpc(uri)), stack.enter_context(Rpc(uri))
        stage = setup.Stage(Chain(rpc), cast)
        setup.deploy(stage, folder)
        setup.add_multicall(stage)
        # The same times in every run, however long it took so far.
        setup.go(stage, GENESIS + 900)
        setup.create_markets(stage)
        setup.create_vault(stage)
        setup.go(stage, GENESIS + 1_000)
        ids, begin = feed_ids(), GENESIS + 1_000
        feeds = [
            Feed(ids[name][2:], name, Moved(Walk(name, price, begin, 0, swing=0))) for name, price in PRICES.items()
        ]
        publisher = Publisher.of(feeds, setup.Stage(Chain(clock), cast).now)
        setup.first_prices(stage, publisher)
        setup.provide_liquidity(stage, publisher)
        yield Kept(stage, publisher, uri, stack.enter_context(serving(create_app(publisher))))
