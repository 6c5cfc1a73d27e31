"""200 intents of 30 accounts through relay and solver, both killed on the way (docs/protocol.md §9).

Relay and solver are processes of their own; blocks are made when the test says so. Each intent must end filled exactly
as far as it was signed for, or not at all where nobody takes its price; none twice; and the money must add up to the
last micro-dollar that rounding leaves.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from eth_account import Account

from perennial.amounts import raw
from perennial.anvil import anvil
from perennial.chain import Chain, Contract, Rpc
from perennial.intents import Domain, Intent, message_hash, sign
from perennial.mirror.parameters import MarketParameter
from perennial.relay.client import RelayClient, RelayError
from perennial.sending.journal import Journal, State
from perennial.testing.books import check_books
from perennial.testing.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PRICE = raw(60_000)
INTENTS, ACCOUNTS = 200, 30
HOPELESS = 25
"""Every so many intents there is one at a price that nobody takes."""
STAKE, RESERVES = raw(100_000), raw(5_000_000)
SOLVER = Account.from_key(bytes([99] * 32))
TRADERS = [Account.from_key(number.to_bytes(32)) for number in range(1000, 1000 + ACCOUNTS)]
PATIENCE = 180.0
"""Seconds until something that should happen has not."""


@dataclass
class World:
    """Chain, contracts and the two processes."""

    chain: Chain
    market: Contract
    oracle: Contract
    token: Contract
    verifier: Contract
    owner: str
    maker: str
    version: int
    relay: Process
    solver: Process
    client: RelayClient

    def journal(self) -> Journal:
        """What the solver has written down."""
        return Journal(self.solver.log.with_suffix(".db"))

    @property
    def domain(self) -> Domain:
        return Domain(int(self.chain.rpc.call("eth_chainId"), 16), self.verifier.address)

    def mine(self) -> None:
        self.chain.rpc.call("evm_mine")

    def commit(self, price: int) -> None:
        """The oracle's current version gets a price, and the next one becomes current."""
        version, self.version = self.version, self.version + 10
        self.oracle.submit("setCurrent", self.version, sender=self.owner)
        self.oracle.submit("commit", version, price, sender=self.owner)
        self.mine()

    def pending(self) -> int:
        """Transactions of the solver's in the pool."""
        pool = self.chain.rpc.call("txpool_content")["pending"]
        return sum(len(batch) for sender, batch in pool.items() if sender.lower() == SOLVER.address.lower())

    def until(self, what: Callable[[], Any], *, mining: bool = True) -> None:
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < deadline, self.logs()
            if mining:
                self.mine()
            time.sleep(0.05)

    def logs(self) -> str:
        return "\n".join(process.log.read_text()[-3_000:] for process in (self.relay, self.solver))


@contextmanager
def deployed(uri: str) -> Iterator[dict[str, Any]]:
    """The protocol with a market whose maker covers everything, and an account with collateral for each trader."""
    from perennial.local import FREE, NOBODY, LocalMarket, attached

    with attached(uri):
        local = LocalMarket.deploy(PRICE)
        local.token.mint(local.owner, 10**9 * 10**18, sender=local.owner, **FREE)
        local.token.approve(local.market, 2**256 - 1, sender=local.owner, **FREE)
        local.market.update(local.maker, raw(100), 0, raw(2_000_000), NOBODY, sender=local.maker, **FREE)
        for account, stake in [*((trader.address, STAKE) for trader in TRADERS), (SOLVER.address, RESERVES)]:
            local.market.update(account, 0, 0, stake, NOBODY, sender=local.owner, **FREE)
        terms = MarketParameter.from_abi(local.market.parameter())
        shared = replace(terms, referral_fee=100_000)
        local.market.updateParameter(shared.to_abi(), sender=local.owner, **FREE)
        local.commit(PRICE)
        yield {
            "market": local.market.address,
            "oracle": local.oracle.address,
            "token": local.token.address,
            "verifier": local.protocol.verifier.address,
            "owner": local.owner.address,
            "maker": local.maker.address,
            "version": local.current,
        }


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        uri = stack.enter_context(anvil())
        rpc = stack.enter_context(Rpc(uri))
        with deployed(uri) as addresses:
            pass
        chain = Chain(rpc)
        rpc.call("evm_setAutomine", False)
        port = str(free_port())
        market, relay_url = addresses["market"], f"http://127.0.0.1:{port}"
        relay = Process(
            [
                *("relay", "--node", uri, "--market", market, "--database", f"sqlite:///{tmp_path / 'relay.db'}"),
                *("--port", port, "--follow", "0.1", "--writes", "1000", "--reads", "1000", "--burst", "1000"),
            ],
            tmp_path / "relay.log",
        )
        solver = Process(
            [
                *("solver", "--relay", relay_url, "--node", uri, "--market", market, "--interval", "0.1"),
                *("--journal", str(tmp_path / "solver.db"), "--tip", "0", "--patience", "600"),
                *("--max-inventory", "50", "--skew", "0"),
            ],
            tmp_path / "solver.log",
            {"PERENNIAL_SOLVER_KEY": "0x" + bytes(SOLVER.key).hex()},
        )
        for process in (relay, solver):
            stack.callback(process.kill)
        client = stack.enter_context(RelayClient(relay_url))
        kinds = {"market": "IMarket", "oracle": "MockOracle", "token": "MockToken", "verifier": "IVerifier"}
        known: dict[str, Any] = {name: Contract(chain, kind, addresses[name]) for name, kind in kinds.items()}
        known.update((name, addresses[name]) for name in ("owner", "maker", "version"))
        yield World(chain=chain, relay=relay, solver=solver, client=client, **known)


def make_intents(world: World) -> list[tuple[Intent, bytes]]:
    """Intents that anybody would fill, some by each other, the rest from inventory; and some that nobody would."""
    dice, expiry = random.Random(7), int(time.time()) + 3_600
    signed = []
    for number in range(INTENTS):
        trader = TRADERS[number % ACCOUNTS]
        size, side = dice.randint(1_000, 200_000), dice.choice([-1, 1])
        price = PRICE + side * (dice.randint(raw(60), raw(600)) if number % HOPELESS else -raw(601))
        common = {"market": world.market.address, "account": trader.address, "nonce": number, "expiry": expiry}
        shares = {"originator": world.owner, "solver": SOLVER.address, "fee": "0.4"}
        intent = Intent.build(amount=_text(side * size), price=_text(price), **common, **shares)
        signed.append((intent, sign(intent, world.domain, trader)))
    return signed


def post(world: World, intent: Intent, signature: bytes) -> None:
    """Until the relay has said that it has it: an answer may get lost, the intent must not."""

    def posted() -> bool:
        try:
            world.client.post(intent, signature)
        except RelayError:
            return False
        return True

    world.until(posted, mining=False)


def relay_is_up(world: World) -> bool:
    try:
        world.client.open_orders(world.market.address)
    except RelayError:
        return False
    return True


def test_nothing_lost_nothing_twice(world: World) -> None:
    intents = make_intents(world)
    world.relay.start()
    world.until(lambda: relay_is_up(world), mining=False)
    world.solver.start()

    for number, (intent, signature) in enumerate(intents):
        if number == INTENTS // 2:
            world.relay.kill()
            world.relay.start()
        post(world, intent, signature)
        if number == 40:
            kill_solver_in_flight(world, mined=False)
        if number == 140:
            kill_solver_in_flight(world, mined=True)
        if number % 5 == 4:
            world.mine()
        if number % 50 == 49:
            world.commit(PRICE)

    hashes = ["0x" + message_hash(intent, world.domain).hex() for intent, _ in intents]
    hopeless = [digest for number, digest in enumerate(hashes) if number % HOPELESS == 0]
    world.until(lambda: [order.hash for order in world.client.open_orders(world.market.address)] == hopeless)
    world.until(lambda: world.pending() == 0)
    world.until(lambda: not world.journal().in_flight())
    world.solver.kill()
    check_batches(world)
    sizes = [intent.size if number % HOPELESS else 0 for number, (intent, _) in enumerate(intents)]
    check_intents(world, intents, hashes, sizes)
    check_money(world, intents, sizes)


def kill_solver_in_flight(world: World, *, mined: bool) -> None:
    """Kills the solver while a batch is in the pool; it is mined before or after the next solver starts."""
    world.until(lambda: world.pending() > 0, mining=False)
    world.solver.kill()
    assert world.pending() == 1
    if mined:
        world.mine()
        assert world.pending() == 0
    [entry] = world.journal().in_flight()
    before = len(world.solver.log.read_text())
    world.solver.start()
    # One batch at a time, and the new solver knows of it.
    news = f"batch {entry.attempts[0].hash} is mined" if mined else "the fate of the batch before is not known yet"
    world.until(lambda: news in world.solver.log.read_text()[before:], mining=False)
    assert world.pending() <= 1


def check_batches(world: World) -> None:
    """What the solver has signed is what the chain has mined: each batch once."""
    states = world.journal().states()
    assert set(states) == {State.MINED}
    assert int(world.chain.rpc.call("eth_getTransactionCount", SOLVER.address, "latest"), 16) == len(states)


def check_intents(world: World, intents: list[tuple[Intent, bytes]], hashes: list[str], sizes: list[int]) -> None:
    """Filled as far as they should, on chain and on the relay, by fills that add up, at prices that were signed for."""
    for (intent, _), digest, size in zip(intents, hashes, sizes, strict=True):
        assert world.verifier.read("filled", bytes.fromhex(digest[2:])) == size
        order = world.client.order(digest)
        assert (order.status.value, order.remaining) == ("filled" if size else "open", intent.size - size)

    fills = defaultdict(list)
    for each in all_fills(world):
        fills[each["hash"]].append(each)
    places = [(each["transaction"], each["logIndex"]) for found in fills.values() for each in found]
    assert len(places) == len(set(places))
    for (intent, _), digest, size in zip(intents, hashes, sizes, strict=True):
        assert sum(int(each["size"]) for each in fills[digest]) == size
        assert all(intent.accepts(int(each["price"])) for each in fills[digest])

    partners = {each["counterparty"] for found in fills.values() for each in found}
    assert SOLVER.address in partners
    assert partners & {trader.address for trader in TRADERS}


def all_fills(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["number"] if found else 0
        page = world.client._ask("GET", "/v1/fills", params={"after": after, "limit": 500})
        found += page
        if len(page) < 500:
            return found


def check_money(world: World, intents: list[tuple[Intent, bytes]], sizes: list[int]) -> None:
    """Sizes are what was signed, and the market holds every token that somebody is owed, and hardly any more."""
    world.commit(PRICE)
    world.mine()
    accounts = [*(trader.address for trader in TRADERS), SOLVER.address, world.maker, world.owner]
    for account in accounts:
        world.market.submit("settle", account, sender=world.owner)
        world.mine()

    bought: dict[str, int] = defaultdict(int)
    for (intent, _), size in zip(intents, sizes, strict=True):
        bought[intent.common.account] += size if intent.amount > 0 else -size
    bought[SOLVER.address] = -sum(bought.values())
    for account, size in bought.items():
        _, maker, long, short = world.market.read("positions", account)
        assert (maker, long - short) == (0, size)

    def read(name: str, *arguments: Any) -> Sequence[Any]:
        answer = world.market.read(name, *arguments)
        return answer if isinstance(answer, tuple) else (answer,)

    # Rounding is the market's gain: less than a micro-dollar for each settlement of an account (§1.4).
    held = world.token.read("balanceOf", world.market.address) // 10**12
    assert 0 <= check_books(read, accounts, held) < 1_000
    assert world.market.read("shortfall") == 0
    # The price was the same throughout, so the solver has won what traders paid beyond it, and its share of their fees.
    assert world.market.read("collateral", SOLVER.address) > RESERVES
    assert world.market.read("claimable", SOLVER.address) > 0
    assert world.market.read("claimable", world.owner) > 0


def _text(amount: int) -> str:
    return f"{amount // 10**6}.{amount % 10**6:06}" if amount >= 0 else "-" + _text(-amount)
