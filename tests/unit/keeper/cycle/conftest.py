"""A keeper without a chain: markets, prices and a node in Python."""

# ruff: noqa: ARG002 -- fakes take what the real ones take

from dataclasses import dataclass, field
from typing import Any

import pytest
from eth_account import Account

from perennial.abi import Reverted
from perennial.chain import Contract
from perennial.keeper.commits import Commits, Freshening
from perennial.keeper.hermes import UnknownFeedError, Updates
from perennial.keeper.keeper import Keeper, Options
from perennial.keeper.state import State
from perennial.keeper.view import ENDLESS, Adapter, Head, MarketInfo, MarketState
from perennial.mirror.versions import Window
from perennial.sending.journal import Journal
from perennial.sending.sender import Mined, Sender

NOW = 1_900_000_000
KEY = Account.from_key(bytes([7] * 32))
BTC, ETH = "0x" + "e6" * 32, "0x" + "ff" * 32
ALICE, BOB = "0x" + "a1" * 20, "0x" + "b0" * 20
PYTH_ORACLE, PYTH = "0x" + "ad" * 20, "0x" + "dd" * 20
INFOS = (
    MarketInfo("BTC-USD", "0x" + "01" * 20, "0x" + "11" * 20, "0x" + "fa" * 20),
    MarketInfo("ETH-BTC", "0x" + "02" * 20, "0x" + "12" * 20, "0x" + "fa" * 20),
)
ADAPTERS = (Adapter(PYTH_ORACLE, PYTH, (BTC,)), Adapter(PYTH_ORACLE, PYTH, (BTC, ETH)))


def market(index=0, **changes):
    """A market where nothing waits, its latest version a few seconds old."""
    values: dict[str, Any] = {
        "info": INFOS[index],
        "latest": NOW - 5,
        "is_valid": True,
        "next": 0,
        "settled": NOW - 5,
        "pending": 0,
        "stale_at": NOW + 60,
        "adapter": ADAPTERS[index],
        "window": Window(),
        "last": ENDLESS,
        "expires": False,
    }
    return MarketState(**(values | changes))


@dataclass
class FakePrices:
    """An update each second until `now`, without those in `missing`."""

    now: int = NOW
    missing: dict[str, set[int]] = field(default_factory=dict)
    asked: list[tuple[tuple[str, ...], int]] = field(default_factory=list)

    def first(self, ids, timestamp):
        self.asked.append((tuple(ids), timestamp))
        published = {}
        for each in ids:
            there = (second for second in range(timestamp, self.now + 1) if second not in self.missing.get(each, ()))
            second = next(there, None)
            if second is None:
                return None
            published[each] = second
        data = tuple(f"{each}@{published[each]}".encode() for each in ids)
        return Updates(data, published, {each: self._before(each, timestamp) for each in ids})

    def latest(self, ids):
        self.asked.append((tuple(ids), self.now))
        published = {}
        for each in ids:
            there = (second for second in range(self.now, NOW - 1_000, -1) if second not in self.missing.get(each, ()))
            second = next(there, None)
            if second is None:
                raise UnknownFeedError(each)
            published[each] = second
        data = tuple(f"{each}@{published[each]}".encode() for each in ids)
        return Updates(data, published, {each: second - 1 for each, second in published.items()})

    def _before(self, each, timestamp):
        return next(second for second in range(timestamp - 1, 0, -1) if second not in self.missing.get(each, ()))


@dataclass
class FakeView:
    """Chain and node in one. Calls that are in `refused` revert; `mine` makes a block of what was sent."""

    account: str = KEY.address.lower()
    chain_id: int = 31337
    now: int = NOW
    number: int = 100
    markets: tuple[MarketInfo, ...] = INFOS
    states_: list[MarketState] = field(default_factory=list)
    unhealthy: list[str] = field(default_factory=list)
    unhealthy_then: list[str] | None = field(default_factory=list)
    waiting: dict[str, tuple[int, bool]] = field(default_factory=dict)
    fees: dict[int, tuple[int, bool]] = field(default_factory=dict)
    credit: int = 0
    refused: set[bytes] = field(default_factory=set)
    nonces: int = 0
    pool: list[bytes] = field(default_factory=list)
    receipts: dict[str, Mined] = field(default_factory=dict)

    def head(self):
        return Head(self.number, self.now, 0)

    def states(self, head):
        return self.states_

    def contract(self, kind, address):
        chain: Any = None
        return Contract(chain, kind, address)

    def market(self, info):
        return self.contract("IMarket", info.address)

    def unsettled(self, info, accounts):
        return [self.waiting.get(account, (0, False)) for account in accounts]

    def liquidatable(self, info, accounts):
        return [account for account in accounts if account in self.unhealthy]

    def liquidatable_at(self, info, accounts, commit):
        if self.unhealthy_then is None:
            return None
        return [account for account in accounts if account in self.unhealthy_then]

    def pay(self, info, versions):
        return [self.fees.get(version, (0, False)) for version in versions]

    def credits(self):
        return [self.credit for _ in self.markets]

    def update_fee(self, adapter, data):
        return len(data)

    def gas(self, to, data, value):
        if data in self.refused:
            raise Reverted("NotYet")
        return 100_000

    def nonce(self, address):
        return self.nonces

    def base_fee(self):
        return 0

    def receipt(self, digest):
        return self.receipts.get(digest)

    def send_raw(self, raw):
        if raw not in self.pool:
            self.pool.append(raw)

    def mine(self, *, succeeded=True):
        """A block of everything that waits."""
        from eth_utils.crypto import keccak

        self.number, self.now = self.number + 1, self.now + 2
        for raw in self.pool:
            self.receipts["0x" + keccak(raw).hex()] = Mined(succeeded, 90_000, block=self.number)
            self.nonces += 1
        self.pool = []


class StillFollower:
    """A follower whose state the test writes."""

    def __init__(self, state):
        self.state = state

    def follow(self, head):
        pass


@pytest.fixture
def view():
    return FakeView()


@pytest.fixture
def prices():
    return FakePrices()


@pytest.fixture
def state():
    with State(":memory:", "me") as state:
        yield state


@pytest.fixture
def commits(view, prices):
    return Commits(view, prices, Freshening(look=10))


@pytest.fixture
def make_keeper(view, prices, state, tmp_path):
    """A keeper; another call is what is started after a kill."""
    journals = []

    def make(*, freshening=None, profit=None, sends=True, **options):
        options = {"claim_every": 10**10, **options}
        plan = Commits(view, prices, freshening or Freshening(look=0))
        sender = None
        if sends:
            journals.append(Journal(tmp_path / "keeper.db", 16))
            sender = Sender(KEY, view.chain_id, view, journals[-1], tip=0, patience=30, clock=lambda: view.now)
        follower: Any = StillFollower(state)
        return Keeper(view, follower, plan, sender, Options(**options), profit)

    yield make
    for journal in journals:
        journal.close()
