"""An adversary against an honest keeper: oracles on the chain beside their mirror, driven by chance.

Anyone may order, commit any version with any updates that Pyth published, in any order, at any time, and expire what
has expired; the owner switches adapters and granularities. The honest keeper commits what it can, now at once, now
seconds late, but in time: it looks more often than versions come. Whatever is published, the adversary may act on it
first. After each step chain and mirror must agree, and the promises of docs/protocol.md §11 must hold.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from eth_utils.crypto import keccak

from perennial.mirror import versions as mirror
from perennial.mirror.errors import MarketError
from perennial.testing.evm import Contract, Evm, Reverted
from perennial.testing.oracles import START, feed_id, feeds, update

OWNER, HONEST, ADVERSARY = (f"0x{0xC0000 + number:040x}" for number in range(3))
WINDOW = mirror.Window()
SIDES = (("BTC",), ("ETH", "/BTC"), ("BTC", "ETH"))
"""The feeds of each oracle."""

GRANULARITIES = (7, 10, 13, 30)

PATIENCE = min(GRANULARITIES) - 1
"""Seconds between two turns of the honest keeper at most. Versions are committed in order: behind one without a price,
which blocks the way until its grace is over, the next can be committed for as long as the two are apart."""

NOT_FOUND = keccak(text="PriceFeedNotFoundWithinRange()")[:4].hex()
ADAPTERS = ("first", "second")


class Broken(AssertionError):  # noqa: N818 -- a finding, not an error
    """Chain and mirror differ, or a promise does not hold."""


@dataclass
class Traded:
    """One oracle on the chain, its mirror, and the orders that wait for it: version by time of the order."""

    sides: list[mirror.Feed]
    contract: Contract
    market: Contract
    versions: mirror.Versions
    orders: list[tuple[int, int]] = field(default_factory=list)
    served: set[str] = field(default_factory=lambda: {"first"})
    published: int = 0


class Stage:
    """The contracts, deployed once; `duel` starts from there again and again."""

    def __init__(self) -> None:
        self.world = Evm()
        self.world.warp(START)
        deploy = self.world.deploy
        token = deploy("MockToken", "Mock Dollar", "mUSD", 18, sender=OWNER)
        pyth = deploy("MockPyth", 60, 0, sender=OWNER)
        self.factory = deploy("OracleFactory", OWNER, sender=OWNER)
        window = (WINDOW.valid_from, WINDOW.valid_to, WINDOW.grace, WINDOW.confidence)
        self.adapters = {
            name: deploy("PythOracle", pyth.address, self.factory.address, OWNER, window, sender=OWNER)
            for name in ADAPTERS
        }
        for adapter in self.adapters.values():
            self.factory.send("updateAdapter", adapter.address, True, sender=OWNER)
        self.markets = [deploy("MockMarketFees", token.address, sender=OWNER) for _ in SIDES]
        self.factory.send("updateMarketFactory", self.markets[0].address, sender=OWNER)
        self.oracles = [self._create(names, market) for names, market in zip(SIDES, self.markets, strict=True)]

    def _create(self, names: tuple[str, ...], market: Contract) -> Contract:
        (oracle,) = self.factory.send("create", self.adapters["first"].address, feeds(*names), sender=OWNER)
        arguments = (self.factory.address, oracle, OWNER, market.address)
        self.markets[0].send("takeFor", *arguments, sender=OWNER)
        return self.world.contract("Oracle", oracle)


class Duel:
    """One game. `outcomes` counts what happened, so that a test can tell that something did."""

    def __init__(self, stage: Stage, chance: Random) -> None:
        self.stage, self.chance = stage, chance
        self.now = START
        self.outcomes: Counter[str] = Counter()
        self.rate = chance.choice([0.15, 0.5, 0.9])
        """How likely a feed publishes in a second."""
        self.stream: dict[str, list[mirror.Update]] = {
            name: [mirror.Update(10**8, 0, -8, START - 1, START - 2)] for name in ("BTC", "ETH")
        }
        self.traded = [
            Traded(
                [mirror.Feed(name.removeprefix("/"), -1 if name.startswith("/") else 1) for name in names],
                contract,
                market,
                mirror.Versions(START, adapter="first"),
            )
            for names, contract, market in zip(SIDES, stage.oracles, stage.markets, strict=True)
        ]

    def play(self, steps: int) -> None:
        """Plays a game. Raises Broken."""
        diligence = self.chance.choice([0.1, 0.5, 1])
        idle = 0
        for _ in range(steps):
            passed = self.chance.randint(1, 4)
            self._pass(passed)
            idle += passed
            for _ in range(self.chance.randint(0, 4)):
                self._adversary()
            if idle + 4 > PATIENCE or self.chance.random() < diligence:
                idle = 0
                for each in self.traded:
                    self._honest(each)
                    self._check_bounded(each)
            for each in self.traded:
                self._check(each)

    # -- Time and prices -----------------------------------------------------------------------------------------

    def _pass(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            for updates in self.stream.values():
                if self.chance.random() < self.rate:
                    updates.append(self._publish(updates[-1].published))
        if self.chance.random() < 0.01:
            self.rate = self.chance.choice([0, 0.15, 0.9])
        self.stage.world.warp(self.now)
        for each in self.traded:
            each.versions.now = self.now

    def _publish(self, previous: int) -> mirror.Update:
        price = self.chance.choice([self.chance.randint(1, 10**12), self.chance.randint(10**9, 10**10)])
        if self.chance.random() < 0.01:
            price = self.chance.choice([0, -price])
        confidence = max(price, 0) // self.chance.choice([49, 50, 51, 100, 1000])
        return mirror.Update(price, confidence, self.chance.choice([-8, -8, -8, -5]), self.now, previous)

    # -- Players -------------------------------------------------------------------------------------------------

    def _adversary(self) -> None:
        move = self.chance.random()
        each = self.chance.choice(self.traded)
        if move < 0.3:
            self._order(each)
        elif move < 0.8:
            version = self._version(each)
            self._commit(self._some(), version, self._updates(version), self._adapter(each), ADVERSARY)
        elif move < 0.95:
            self._invalidate(self._some(), self._version(each), self._adapter(each))
        elif move < 0.98:
            self._switch(each)
        else:
            self._respace(each)

    def _honest(self, each: Traded) -> None:
        """Commits every requested version whose price is there, and ends those that have expired."""
        while (version := each.versions.next) and version + WINDOW.valid_from <= self.now:
            adapter = each.versions.adapter_of(version)
            if self.now >= WINDOW.expiry(version):
                self._invalidate([each], version, adapter)
            elif self._priced(each, version):
                firsts = {feed.id: [mirror.first_update(self.stream[feed.id], version, WINDOW)] for feed in each.sides}
                self._commit([each], version, firsts, adapter, HONEST)
            if each.versions.next == version:
                return

    def _priced(self, each: Traded, version: int) -> bool:
        """Whether every feed has published in the window, something that the contract takes."""
        try:
            return _usable(
                [mirror.first_update(self.stream[feed.id], version, WINDOW) for feed in each.sides], each.sides
            )
        except mirror.PriceFeedNotFoundWithinRange:
            return False

    def _some(self) -> list[Traded]:
        return self.chance.sample(self.traded, self.chance.randint(1, len(self.traded)))

    def _version(self, each: Traded) -> int:
        """Mostly one that may work."""
        near = [each.versions.next or self.now, self.now, each.versions.latest.timestamp + 1]
        return max(0, self.chance.choice(near) + self.chance.choice([0, 0, 0, -1, -3, 1, -7, 5, -30]))

    def _updates(self, version: int) -> dict[str, list[mirror.Update]]:
        """Any updates of the last minute, in any order; or those that the version has to have, as far as there are."""
        picked = {}
        right = self.chance.random() < 0.5
        for name, updates in self.stream.items():
            recent = updates[-60:]
            if right:
                after = version + WINDOW.valid_from
                picked[name] = [one for one in recent if one.previous < after <= one.published]
            else:
                picked[name] = self.chance.sample(recent, min(self.chance.choice([0, 1, 3, 20]), len(recent)))
        return picked

    def _adapter(self, each: Traded) -> str:
        return self.chance.choice([each.versions.adapter, each.versions.adapter, *ADAPTERS])

    # -- Moves, on both sides ------------------------------------------------------------------------------------

    def _order(self, each: Traded) -> None:
        each.market.send("order", 1, sender=ADVERSARY)
        each.versions.request(ADVERSARY)
        each.orders.append((self.now, each.versions.current))

    def _commit(
        self,
        batch: list[Traded],
        version: int,
        updates: Mapping[str, Sequence[mirror.Update]],
        adapter: str,
        keeper: str,
    ) -> bool:
        """Commits on both sides; returns whether anything was."""
        wanted = {feed.id for each in batch for feed in each.sides}
        data = [_encode(name, one) for name in sorted(wanted) for one in updates.get(name, ())]
        error = self._mirror_commit(batch, version, updates, adapter, keeper)
        arguments = ([each.contract.address for each in batch], version, data)
        self._both("commit", error, adapter, *arguments, sender=keeper)
        return error is None

    def _mirror_commit(
        self,
        batch: list[Traded],
        version: int,
        updates: Mapping[str, Sequence[mirror.Update]],
        adapter: str,
        keeper: str,
    ) -> str | None:
        """The name of the error with which the whole batch fails, if it does."""
        failed: str | None = None
        done = False
        for each in batch:
            if adapter not in each.served:
                failed = "OracleNotServed"
                continue
            try:
                price, published = mirror.price_of(each.versions, version, each.sides, updates, WINDOW, adapter)
                each.versions.commit(version, price, published, keeper, adapter)
            except MarketError as error:
                failed = type(error).__name__
                continue
            done = True
            if published <= each.published:
                raise Broken(f"version {version}: published {published}, after {each.published}")
            each.published = published
        return None if done else failed

    def _invalidate(self, batch: list[Traded], version: int, adapter: str) -> None:
        failed: str | None = None
        done = False
        for each in batch:
            if adapter not in each.served and self.now >= WINDOW.expiry(version):
                failed = "OracleNotServed"
                continue
            try:
                each.versions.commit_invalid(version, WINDOW, adapter)
            except MarketError as error:
                failed = type(error).__name__
                continue
            done = True
        arguments = ([each.contract.address for each in batch], version)
        self._both("commitInvalid", None if done else failed, adapter, *arguments, sender=ADVERSARY)

    def _switch(self, each: Traded) -> None:
        adapter = self.chance.choice(ADAPTERS)
        expected = _outcome(lambda: each.versions.replace_adapter(adapter))
        if expected is None:
            each.served.add(adapter)
        sides = [(feed_id(feed.id), feed.power) for feed in each.sides]
        arguments = (each.contract.address, self.stage.adapters[adapter].address, sides)
        self._owner("updateProvider", expected, *arguments)

    def _respace(self, each: Traded) -> None:
        granularity = self.chance.choice(GRANULARITIES)
        expected = _outcome(lambda: each.versions.update_granularity(granularity))
        self._owner("updateGranularity", expected, each.contract.address, granularity)

    def _both(self, name: str, expected: str | None, adapter: str, *arguments: object, sender: str) -> None:
        self._compare(name, expected, self.stage.adapters[adapter], *arguments, sender=sender)

    def _owner(self, name: str, expected: str | None, *arguments: object) -> None:
        self._compare(name, expected, self.stage.factory, *arguments, sender=OWNER)

    def _compare(self, name: str, expected: str | None, contract: Contract, *arguments: object, sender: str) -> None:
        try:
            contract.send(name, *arguments, sender=sender)
            actual = None
        except Reverted as error:
            actual = "PriceFeedNotFoundWithinRange" if error.name == NOT_FOUND else error.name
        if actual != expected:
            raise Broken(f"{name}{arguments}: the chain says {actual or 'done'}, the mirror {expected or 'done'}")
        self.outcomes[f"{name}: {actual or 'done'}"] += 1

    # -- What must hold ------------------------------------------------------------------------------------------

    def _check(self, each: Traded) -> None:
        latest, current = each.versions.status()
        status = each.contract.read("status")
        if status != (latest.timestamp, latest.price, latest.valid, current):
            raise Broken(f"status: the chain says {status}, the mirror {latest} and {current}")
        if each.contract.value("next") != each.versions.next:
            raise Broken("the chain waits for another version than the mirror")
        if current <= latest.timestamp:
            raise Broken(f"current {current} is not later than the latest version {latest.timestamp}")
        waiting = []
        for order in each.orders:
            if order[1] > latest.timestamp:
                waiting.append(order)
            else:
                self._check_order(each, *order)
        each.orders = waiting

    def _check_bounded(self, each: Traded) -> None:
        """After the honest keeper's turn no version waits whose time is over."""
        waiting = each.versions.next
        if waiting and self.now >= WINDOW.expiry(waiting):
            raise Broken(f"version {waiting} still waits")

    def _check_order(self, each: Traded, placed: int, version: int) -> None:
        """The order got no price that was public when it was placed, and a price if there was one."""
        timestamp, price, valid = each.contract.read("at", version)
        if (timestamp, price, valid) != (version, (found := each.versions.at(version)).price, found.valid):
            raise Broken(f"version {version}: the chain says {price}, the mirror {found}")
        self.outcomes["order settled" if valid else "order cancelled"] += 1
        if valid != self._priced(each, version):
            raise Broken(f"version {version} is {'valid' if valid else 'invalid'}")
        if not valid and self.now < WINDOW.expiry(version):
            raise Broken(f"version {version} is given up before its time is over")
        if not valid:
            return
        chosen = [mirror.first_update(self.stream[feed.id], version, WINDOW) for feed in each.sides]
        if min(one.published for one in chosen) <= placed:
            raise Broken(f"an order at {placed} got a price of {[one.published for one in chosen]}")
        if price != mirror.product(chosen, each.sides):
            raise Broken(f"version {version} has another price than the first in its window")


def _usable(chosen: list[mirror.Update], sides: list[mirror.Feed]) -> bool:
    """Whether the contract takes these prices."""
    for one in chosen:
        if one.price <= 0 or one.confidence * mirror.UNIT > WINDOW.confidence * one.price:
            return False
    return _outcome(lambda: mirror.product(chosen, sides)) is None and mirror.product(chosen, sides) <= mirror.MAX_PRICE


def _encode(name: str, one: mirror.Update) -> bytes:
    options = {"previous": one.previous, "confidence": one.confidence, "exponent": one.exponent}
    return update(name, one.price, one.published, **options)


def _outcome(call: Callable[[], object]) -> str | None:
    """The name of the error that a call of the mirror raises, if it does."""
    try:
        call()
    except MarketError as error:
        return type(error).__name__
    return None
