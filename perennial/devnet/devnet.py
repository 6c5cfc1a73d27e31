"""A devnet from its start to its end: one process, and Anvil below it."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from eth_utils.address import to_checksum_address

from perennial import manifest
from perennial.amounts import raw
from perennial.anvil import anvil
from perennial.chain import Chain, Rpc
from perennial.devnet import stage as setup
from perennial.devnet.accounts import COUNT, SOLVER, Cast
from perennial.devnet.markets import MARKETS, VAULT, feed_ids
from perennial.devnet.prices import START, replayed, walking
from perennial.devnet.services import Services, save, services_path
from perennial.keeper.commits import Freshening
from perennial.keeper.keeper import Options as KeeperOptions
from perennial.keeper.setup import Settings, open_keeper
from perennial.publisher.app import create_app
from perennial.serving import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perennial.devnet.stage import Stage
    from perennial.publisher.publisher import Publisher

logger = logging.getLogger(__name__)

INVENTORY = raw(5)
"""Largest size of the solver's."""

STAKE = raw(500_000)
"""Its collateral in the first market."""

FRESH = 20
"""Seconds after which a price is renewed unasked: markets call one stale after a minute."""


@dataclass(frozen=True)
class Options:
    """How a devnet is made. Times are seconds; ports of 0 are any that are free."""

    port: int = 0
    block_time: int = 1
    hour: int = 60
    """In which an hour of the past goes by."""
    start: int = START
    seed: int | None = None
    """Of a walk at random, in the place of the past."""
    keeper: bool = True
    relay: bool = True
    solver: bool = True


@dataclass(frozen=True)
class Devnet:
    """One that is up: addresses of its services, and what is on it."""

    node: str
    prices: str
    relay: str | None
    stage: Stage
    publisher: Publisher
    manifest: manifest.Manifest
    file: Path
    folder: Path

    @property
    def port(self) -> int:
        """Of the node."""
        return urlsplit(self.node).port or 0


@contextmanager
def open_devnet(options: Options) -> Iterator[Devnet]:
    """Starts everything; ends everything, and removes every file, however the block is left."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="perennial-devnet-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        cast = Cast.assemble()
        node = stack.enter_context(
            anvil(
                int(time.time()) - setup.EVE,
                ["--accounts", str(COUNT), "--balance", "10000"],
                port=options.port,
                history=True,
            )
        )
        rpc, clock = stack.enter_context(Rpc(node)), stack.enter_context(Rpc(node))
        stage = setup.Stage(Chain(rpc), cast)
        found = setup.deploy(stage, folder)
        publisher = _prepare(stage, options, setup.Stage(Chain(clock), cast).now)
        prices = stack.enter_context(serving(create_app(publisher)))
        stop = Event()
        # Left in the opposite order: those who work end before what they work with.
        relay = stack.enter_context(_relay(node, stage, folder)) if options.relay else None
        stack.callback(stop.set)
        if options.keeper:
            stack.enter_context(_thread("keeper", stop, lambda: _keep(stage, node, prices, options, folder, stop)))
        if relay and options.solver:
            stack.enter_context(_thread("solver", stop, lambda: _solve(stage, node, relay, folder, stop)))
        describe(stage, node, found)
        found.relay = relay
        file = manifest.devnet_path(urlsplit(node).port or 0)
        stack.callback(_remove_if_empty, file.parent)
        # The last one is of an upgrade that nobody has finished.
        for path in (file, services_path(file), file.with_name(f"{file.stem}.upgrade.journal.json")):
            stack.callback(path.unlink, missing_ok=True)
        save(file, Services(prices, str(cast.keeper.address)))
        # Last: who finds the manifest finds all else.
        found.save(file)
        yield Devnet(node, prices, relay, stage, publisher, found, file, folder)


def describe(stage: Stage, node: str, found: manifest.Manifest) -> None:
    """Adds to the manifest of a deployment what the devnet has besides: its node, markets and vaults."""
    address, ids = to_checksum_address, feed_ids()
    found.rpc = node
    adapter = found.address("PythOracle")
    for plan in MARKETS:
        feeds = [manifest.Feed(ids[name], power) for name, power in plan.feeds]
        oracle, payoff = address(stage.oracles[plan.name]), None
        found.oracles[plan.name] = manifest.Oracle(oracle, adapter, feeds)
        if plan.payoff is not None:
            payoff = address(stage.payoffs[plan.name])
            found.payoffs[plan.name] = manifest.Payoff(payoff, plan.payoff.half_power, plan.payoff.scale, False)
        market, token_address = address(stage.markets[plan.name]), address(stage.tokens[plan.token])
        block = stage.blocks[plan.name]
        found.markets[plan.name] = manifest.Market(market, token_address, oracle, payoff, stage.cast.operator, block)
    for symbol, at in stage.vaults.items():
        markets = [str(address(stage.markets[name])) for name in VAULT.markets]
        token_address = address(stage.tokens[VAULT.token])
        found.vaults[symbol] = manifest.Vault(address(at), token_address, markets, stage.blocks[symbol])


# -- Steps -----------------------------------------------------------------------------------------------------------


def _prepare(stage: Stage, options: Options, clock: Callable[[], int]) -> Publisher:
    """Contracts, prices, liquidity: all that is there when the devnet opens."""
    setup.add_multicall(stage)
    setup.create_markets(stage)
    setup.create_vault(stage)
    begin = stage.now()
    if options.seed is None:
        publisher = replayed(begin, options.start, options.hour, clock)
    else:
        publisher = walking(begin, options.seed, clock)
    setup.first_prices(stage, publisher)
    setup.provide_liquidity(stage, publisher)
    solver, first = stage.cast.solver, stage.contract("IMarket", stage.markets[MARKETS[0].name])
    stage.do(solver, first, "update", solver, 0, 0, STAKE, setup.NOBODY)
    setup.open_to_all(stage, publisher, int(time.time()), options.block_time)
    return publisher


def _keep(stage: Stage, node: str, prices: str, options: Options, folder: Path, stop: Event) -> None:
    settings = Settings(
        node=node,
        markets=list(stage.markets.items()),
        hermes=prices,
        vaults=list(stage.vaults.items()),
        file=folder / "keeper.db",
        tip=0,
        block_time=options.block_time,
        freshening=Freshening(max_age=FRESH, look=5),
        options=KeeperOptions(claim_every=60),
    )
    with open_keeper(settings, stage.cast.keeper) as keeper:
        keeper.run(stop, options.block_time / 2)


@contextmanager
def _relay(node: str, stage: Stage, folder: Path) -> Iterator[str]:
    from perennial.relay.app import create_app as create_relay
    from perennial.relay.intake import Intake
    from perennial.relay.store import Store
    from perennial.relay.view import NodeView
    from perennial.relay.watcher import Watcher

    view, store = NodeView(node, list(stage.markets.values())), Store(f"sqlite:///{folder / 'relay.db'}")
    try:
        app = create_relay(Intake(view.domain, view.markets, view, store), Watcher(store, view))
        with serving(app, ws="websockets-sansio", ws_max_size=1024, proxy_headers=False) as url:
            yield url
    finally:
        view.close()
        store.close()


def _solve(stage: Stage, node: str, relay: str, folder: Path, stop: Event) -> None:
    from perennial.relay.client import RelayClient
    from perennial.sending.journal import Journal
    from perennial.sending.sender import Sender
    from perennial.solver.inventory import Limits
    from perennial.solver.node import SolverNode
    from perennial.solver.solver import Options as SolverOptions
    from perennial.solver.solver import Solver

    key = stage.cast.keys[SOLVER]
    view = SolverNode(node, stage.markets[MARKETS[0].name], key.address, key.address)
    journal = Journal(folder / "solver.db")
    try:
        sender = Sender(key, view.chain_id, view, journal, tip=0)
        with RelayClient(relay) as client:
            # Where nobody orders no price is committed: here an old one is good enough, as long as the market takes it.
            limits = Limits(max_inventory=INVENTORY, max_age=2**32)
            Solver(client, view, sender, SolverOptions(limits=limits)).run(stop)
    finally:
        journal.close()


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _thread(name: str, stop: Event, work: Callable[[], None]) -> Iterator[None]:
    def run() -> None:
        try:
            work()
        except Exception:
            logger.exception("the %s has ended", name)

    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
