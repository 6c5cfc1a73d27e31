"""A keeper that is killed 20 times while prices of December 2017 go by and people trade in three markets.

The keeper is a process of its own; blocks are made when the test says so. In the end no version is left behind, each
was committed once and with the price that it had to have, nothing was paid for twice, and the books balance.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from perennial.amounts import raw
from perennial.anvil import anvil
from perennial.chain import GAS, Chain, Rpc
from perennial.devnet import stage as setup
from perennial.devnet.accounts import COUNT, Cast
from perennial.devnet.markets import BTC, ETH, MARKETS, TOKENS, feed_ids
from perennial.mirror.versions import Window
from perennial.prices import load_prices
from perennial.publisher.app import create_app
from perennial.publisher.publisher import Feed, Publisher
from perennial.publisher.sources import Moved, Replay
from perennial.serving import serving
from perennial.testing.process import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from perennial.devnet.stage import Stage

KILLS = 20
SEED = 17
GENESIS = 1_900_000_000
CRASH = 1_513_900_800
"""22 December 2017, midnight UTC: the price of bitcoin fell by a quarter in the 16 hours from then on."""
SPEED = 120
"""Seconds of prices in a second of the chain."""
OUTAGES = 4
LENGTH = 25
"""Seconds of an outage: longer than the window of a version."""
PATIENT = 3_600
"""Seconds that may pass where nothing waits."""
PATIENCE = 180.0
"""Seconds until something that should happen has not."""
NOBODY = "0x" + "0" * 40


@dataclass
class World:
    """The stage, its publisher, the keeper, and the dice."""

    stage: Stage
    publisher: Publisher
    keeper: Process
    file: Path
    dice: Random = field(default_factory=lambda: Random(SEED))

    @property
    def rpc(self) -> Rpc:
        return self.stage.chain.rpc

    def mine(self, seconds: int = 1) -> None:
        self.rpc.call("evm_setNextBlockTimestamp", self.stage.now() + seconds)
        self.rpc.call("evm_mine")

    def pool(self) -> int:
        """Transactions of the keeper's that wait."""
        pending = self.rpc.call("txpool_content")["pending"]
        address = self.stage.cast.keeper.address.lower()
        return sum(len(found) for sender, found in pending.items() if sender.lower() == address)

    def until(self, what: Callable[[], Any]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < deadline, self.keeper.log.read_text()[-5_000:]
            time.sleep(0.01)

    def waiting(self) -> list[int]:
        """Requested versions that are not committed: the next one of each oracle."""
        oracles = [self.stage.contract("IOracle", oracle) for oracle in self.stage.oracles.values()]
        return [
            version for version in self.stage.chain.ask_all([oracle.query("next") for oracle in oracles]) if version
        ]

    def has_price(self, market: str, version: int) -> bool:
        """Whether there is an update of each of a market's feeds in a version's window."""
        window, plan = Window(), next(plan for plan in MARKETS if plan.name == market)
        updates = [
            self.publisher.first(self.publisher.feed(name), version + window.valid_from) for name, _ in plan.feeds
        ]
        return all(update is not None and update.published <= version + window.valid_to for update in updates)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    cast = Cast.assemble()
    with ExitStack() as stack:
        uri = stack.enter_context(anvil(GENESIS, ["--accounts", str(COUNT)], history=True))
        rpc, clock = stack.enter_context(Rpc(uri)), stack.enter_context(Rpc(uri))
        stage = setup.Stage(Chain(rpc), cast)
        setup.deploy(stage, tmp_path)
        setup.add_multicall(stage)
        # The same times in every run, however long it took so far.
        rpc.call("evm_setNextBlockTimestamp", GENESIS + 900)
        setup.create_markets(stage)
        begin, ids = GENESIS + 1_000, feed_ids()
        rpc.call("evm_setNextBlockTimestamp", begin)
        feeds = [
            Feed(ids[name][2:], name, Moved(Replay(load_prices(name), CRASH, begin, SPEED))) for name in (BTC, ETH)
        ]
        publisher = Publisher.of(feeds, setup.Stage(Chain(clock), cast).now)
        setup.first_prices(stage, publisher)
        setup.provide_liquidity(stage, publisher)
        publisher.outages += [
            (begin + 60 + 90 * number, begin + 60 + 90 * number + LENGTH) for number in range(OUTAGES)
        ]
        hermes = stack.enter_context(serving(create_app(publisher)))
        markets = [f"--market={name}={address}" for name, address in stage.markets.items()]
        keeper = Process(
            [
                *("keeper", "--node", uri, "--hermes", hermes, *markets, "--state", str(tmp_path / "keeper.db")),
                *("--interval", "0.02", "--tip", "0", "--patience", "600", "--claim-every", "60", "--block-time", "7"),
                *("--max-age", "40", "--look", "5"),
            ],
            tmp_path / "keeper.log",
            {"PERENNIAL_KEEPER_KEY": "0x" + bytes(cast.keeper.key).hex()},
        )
        stack.callback(keeper.kill)
        yield World(stage, publisher, keeper, tmp_path / "keeper.db")


def test_killed_at_any_moment(world: World) -> None:
    world.keeper.start()
    for _ in range(KILLS):
        for _ in range(world.dice.randint(1, 4)):
            trade(world)
            pass_time(world)
        kill(world)
    catch_up(world)
    # One that was started just now is still loading, and ends as programs do that have not said how.
    assert world.keeper.stop() in (0, -signal.SIGINT)
    finish(world)

    versions = check_versions(world)
    check_work(world, versions)
    check_pay(world)
    check_books(world)


# -- What happens ----------------------------------------------------------------------------------------------------


def trade(world: World) -> None:
    """Somebody opens something with little margin, closes it, or adds to it."""
    dice, stage = world.dice, world.stage
    account = dice.choice(stage.cast.users[1:6])
    plan = dice.choice(MARKETS)
    market = stage.contract("IMarket", stage.markets[plan.name])
    price = market.read("price")
    _, _, long, short = market.read("pendingPositions", account)
    if long or short:
        delta = -long or short
        stake = 0
    else:
        notional = raw(dice.randint(2_000, 50_000)) if plan.token == "mUSD" else raw(dice.randint(1, 5)) // 2
        delta = notional * raw(1) // price * dice.choice([1, 1, -1])
        stake = notional // dice.randint(20, 60) + (raw(20) if plan.token == "mUSD" else raw(1) // 500)
    data = market.query("update", account, 0, delta, stake, NOBODY).data
    call = {"from": account, "to": market.address, "data": "0x" + data.hex(), "gas": hex(GAS), "gasPrice": "0x0"}
    # Some are refused: locked, or under margin.
    world.rpc.call("eth_sendTransaction", call)


def pass_time(world: World) -> None:
    """A block or two; but what can be committed is not let expire while nobody is there to do it."""
    world.mine()

    def has_time() -> bool:
        if world.pool():
            world.mine()
        return time_left(world) > 0

    world.until(has_time)
    world.mine(min(world.dice.randint(1, 6), time_left(world)))


def time_left(world: World) -> int:
    """Seconds that may pass before a version that has a price is committed."""
    window, now = Window(), world.stage.now()
    left = [
        window.expiry(version) - 10 - now
        for name, oracle in world.stage.oracles.items()
        for version in requested(world, oracle)
        if version > world.stage.contract("IOracle", oracle).read("status")[0][0] and world.has_price(name, version)
    ]
    return min(left, default=PATIENT)


def requested(world: World, oracle: str) -> list[int]:
    return [version for (version,) in events(world, "IOracle", oracle, "VersionRequested")]


def kill(world: World) -> None:
    """Kills the keeper at whatever it does, and starts another; what it had sent is mined before or after that."""
    how = world.dice.choice(["anywhere", "anywhere", "in flight", "mined meanwhile"])
    if how == "anywhere":
        time.sleep(world.dice.random() / 3)
    else:
        deadline = time.monotonic() + 2
        while not world.pool() and time.monotonic() < deadline:
            time.sleep(0.005)
    world.keeper.kill()
    if how == "mined meanwhile":
        world.mine()
    world.keeper.start()


def catch_up(world: World) -> None:
    """Until nothing waits: no version, no account, nothing of the keeper's in flight."""

    def is_quiet() -> bool:
        go_on(world)
        return not world.waiting() and not pending(world) and not world.pool()

    world.until(is_quiet)


def go_on(world: World) -> None:
    """A block, unless what can be committed would expire by that."""
    if world.pool() or time_left(world) > 0:
        world.mine()


def finish(world: World) -> None:
    """Once more by hand: what was earned since is claimed, what was in flight is known.

    The keeper before may have had the last word: then somebody waits for a version since, and it is done once more.
    """
    world.keeper.command.append("--once")
    is_quiet = False
    while not is_quiet:
        world.keeper.start()
        world.until(lambda: is_over(world))
        assert world.keeper.running is not None
        assert world.keeper.running.returncode == 0
        is_quiet = not world.waiting() and not pending(world)


def is_over(world: World) -> bool:
    """Whether the keeper has ended by itself; time does not fly while it starts."""
    go_on(world)
    return world.keeper.running is not None and world.keeper.running.poll() is not None


def pending(world: World) -> int:
    accounts = [*world.stage.cast.users, world.stage.cast.maker]
    markets = [world.stage.contract("IMarket", address) for address in world.stage.markets.values()]
    queries = [market.query("pendingCounts", account) for market in markets for account in accounts]
    return sum(world.stage.chain.ask_all(queries))


# -- What came of it -------------------------------------------------------------------------------------------------


def logs(world: World, kind: str, address: str, name: str) -> list[dict[str, Any]]:
    interface = world.stage.contract(kind, address).interface
    topic, event = next((topic, event) for topic, event in interface.events.items() if event.name == name)
    query = {"fromBlock": "0x0", "toBlock": "latest", "address": address, "topics": ["0x" + topic.hex()]}
    found: list[dict[str, Any]] = world.rpc.call("eth_getLogs", query)
    for log in found:
        topics = [bytes.fromhex(each[2:]) for each in log["topics"]]
        log["values"] = event.decode(topics, bytes.fromhex(log["data"][2:]))
    return found


def events(world: World, kind: str, address: str, name: str) -> list[tuple[Any, ...]]:
    return [log["values"] for log in logs(world, kind, address, name)]


def check_versions(world: World) -> dict[str, dict[int, bool]]:
    """Each requested version is committed once, and valid where there were prices; versions never go back."""
    found = {}
    for name, oracle in world.stage.oracles.items():
        asked = requested(world, oracle)
        committed = events(world, "IOracle", oracle, "VersionCommitted")
        versions = [version for version, *_ in committed]
        assert versions == sorted(set(versions))
        assert set(asked) <= set(versions)
        valid = {version: is_valid for version, _, is_valid, _ in committed}
        assert {version: valid[version] for version in asked} == {
            version: world.has_price(name, version) for version in asked
        }
        found[name] = {version: valid[version] for version in asked}
    assert sum(map(len, found.values())) > KILLS
    # The outages were felt, and recovered from.
    assert any(not is_valid for versions in found.values() for is_valid in versions.values())
    return found


def check_work(world: World, versions: dict[str, dict[int, bool]]) -> None:
    """What was signed was mined, nothing of it failed but for what came late, and no work was done twice."""
    failed = [receipt["transactionHash"] for receipt in sent_by_keeper(world) if receipt["status"] != "0x1"]
    reasons = [world.stage.chain.why(digest).name for digest in failed]
    # Time jumps here, however long the keeper takes to send what it has just looked at: of a liquidation the price may
    # be too old by then. That costs nobody but the keeper, and only gas.
    assert set(reasons) <= {"StalePrice"}
    assert len(reasons) <= KILLS // 4
    database = sqlite3.connect(world.file)
    calls = [(json.loads(items), state) for items, state in database.execute("SELECT items, state FROM calls")]
    database.close()
    states = Counter(state for _, state in calls)
    assert states == Counter(mined=len(calls) - len(failed), failed=len(failed))
    keeper = world.stage.cast.keeper.address
    assert len(calls) == int(world.rpc.call("eth_getTransactionCount", keeper, "latest"), 16)

    done = Counter(tuple(item) for items, _ in calls for item in items)
    assert {times for item, times in done.items() if item[0] in ("commit", "invalid")} == {1}
    # The first versions were committed before the keeper began.
    wanted = {
        ("commit" if is_valid else "invalid", world.stage.oracles[name], str(version))
        for name, found in versions.items()
        for version, is_valid in found.items()
    }
    assert {item for item in done if item[0] in ("commit", "invalid")} <= wanted
    assert len(wanted) - len({item for item in done if item[0] in ("commit", "invalid")}) == len(MARKETS)

    liquidations = sum(len(events(world, "IMarket", market, "Liquidated")) for market in world.stage.markets.values())
    sent = sum(times for item, times in done.items() if item[0] == "liquidate")
    assert liquidations == sent - len(failed) > 0


def sent_by_keeper(world: World) -> list[dict[str, Any]]:
    keeper = world.stage.cast.keeper.address.lower()
    last = int(world.rpc.call("eth_blockNumber"), 16)
    blocks = world.rpc.batch([("eth_getBlockReceipts", [hex(number)]) for number in range(last + 1)])
    return [receipt for receipts in blocks for receipt in receipts if receipt["from"].lower() == keeper]


def check_pay(world: World) -> None:
    """The keeper has what its versions paid, once; and has spent Pyth's fee for each commit, once."""
    stage, keeper = world.stage, world.stage.cast.keeper.address
    paid = events(world, "IOracleFactory", stage.contracts["OracleFactory"], "KeeperPaid")
    total = 0
    for name, market in stage.markets.items():
        contract = stage.contract("IMarket", market)
        oracle = stage.contract("IOracle", stage.oracles[name])
        own = [
            version
            for version, *_, who in events(world, "IOracle", oracle.address, "VersionCommitted")
            if who == keeper.lower()
        ]
        fees = stage.chain.ask_all([contract.query("settlementFees", version) for version in own])
        earned = sum(amount for where, who, _, amount in paid if (where, who) == (market, keeper.lower()))
        unpaid = sum(
            fee for version, fee in zip(own, fees, strict=True) if oracle.read("keeperOf", version) == keeper.lower()
        )
        assert sum(fees) == earned + unpaid
        total += earned
    assert total > 0

    assert events(world, "IPythOracle", stage.contracts["PythOracle"], "CommitSkipped") == []
    # One wei for an update of each feed that a commit needs; each version was committed once.
    groups: dict[tuple[str, int], set[str]] = defaultdict(set)
    for plan in MARKETS:
        for log in logs(world, "IOracle", stage.oracles[plan.name], "VersionCommitted"):
            version, _, is_valid, who = log["values"]
            if is_valid and who == keeper.lower():
                groups[log["transactionHash"], version] |= {name for name, _ in plan.feeds}
    spent = 10**22 - int(world.rpc.call("eth_getBalance", keeper, "latest"), 16)
    assert spent == sum(map(len, groups.values()))


def check_books(world: World) -> None:
    """With all accounts settled each market has what it owes, and sizes add up (docs/protocol.md §14)."""
    stage = world.stage
    accounts = [*stage.cast.users, stage.cast.maker]
    decimals = {plan.symbol: plan.decimals for plan in TOKENS}
    for plan in MARKETS:
        market = stage.contract("IMarket", stage.markets[plan.name])
        stage.transact((stage.cast.operator, market.address, market.query("settle", each).data, 0) for each in accounts)
        collateral = [market.read("collateral", account) for account in accounts]
        claimable = sum(market.read("claimable", account) for account in (*accounts, stage.cast.keeper.address))
        balance = stage.contract("MockToken", stage.tokens[plan.token]).read("balanceOf", market.address)
        owed = sum(max(0, each) for each in collateral) + claimable + sum(market.read("fees"))
        assert market.read("shortfall") == -sum(min(0, each) for each in collateral)
        dust = balance // 10 ** (decimals[plan.token] - 6) - owed + market.read("shortfall")
        # Rounding is the market's gain: less than a micro-dollar for each settlement of an account (§1.4).
        assert 0 <= dust < 5_000
        sizes = [market.read("positions", account)[1:] for account in accounts]
        assert tuple(map(sum, zip(*sizes, strict=True))) == market.read("position")[1:]
