"""What a keeper remembers, and how events get there."""

import pytest

from perennial.keeper.events import Follower, Happened
from perennial.keeper.state import Earning, State, StateError

from .conftest import ALICE, BOB, INFOS, KEY

MARKET, ORACLE, FACTORY = INFOS[0].address, INFOS[0].oracle, INFOS[0].factory
ME = KEY.address.lower()


class FakeReader:
    """Hands over what the test wrote, by block."""

    def __init__(self):
        self.contracts, self.events, self.asked = [MARKET, ORACLE, FACTORY], [], []

    def read(self, first, last, take):
        self.asked.append((first, last))
        take([event for event in self.events if first <= event.block <= last], last)


@pytest.fixture
def reader():
    return FakeReader()


@pytest.fixture
def follow(state, reader):
    follower = Follower(state, reader, INFOS, ME, start=5)

    def follow(*events, head=100):
        for contract, name, values in events:
            reader.events.append(Happened(contract, name, values, head, "0x01", len(reader.events)))
        follower.follow(head)

    return follow


def placed(account, version):
    return MARKET, "OrderPlaced", (account, version, 2, 1, 0, 0, 0, "0x0")


def settled(account, version, size):
    return MARKET, "AccountSettled", (account, version, 0, 0, 0, 0, size)


def committed(version, keeper=ME):
    return ORACLE, "VersionCommitted", (version, 1, True, keeper)


def test_who_waits(state, follow):
    follow(placed(ALICE, 10), placed(ALICE, 20), placed(BOB, 20))

    assert state.waiting(MARKET, 9) == {}
    assert state.waiting(MARKET, 10) == {ALICE: 1}
    assert state.waiting(MARKET, 20) == {ALICE: 0, BOB: 0}
    assert state.holders(MARKET) == [ALICE, BOB]


def test_settled(state, follow):
    follow(placed(ALICE, 10), placed(ALICE, 20), settled(ALICE, 10, 5))

    assert state.waiting(MARKET, 20) == {ALICE: 0}
    follow(settled(ALICE, 20, 0), head=101)
    assert state.holders(MARKET) == []


def test_cancelled(state, follow):
    follow(placed(ALICE, 10), (MARKET, "OrderCancelled", (ALICE, 10)))

    assert state.holders(MARKET) == []


def test_both_sides_of_a_fill_wait(state, follow):
    follow((MARKET, "IntentFilled", (ALICE, BOB, 10, 1, 1, 0)))

    assert state.waiting(MARKET, 10) == {ALICE: 0, BOB: 0}
    assert state.versions(MARKET, 0) == [10]


def test_a_lock_alone_is_no_order(state, follow):
    follow((MARKET, "Liquidated", (ALICE, ME, 20, 0, 0)), placed(ALICE, 10))

    assert state.waiting(MARKET, 10) == {ALICE: 0}


def test_versions(state, follow):
    follow((ORACLE, "VersionRequested", (10,)), (ORACLE, "VersionRequested", (20,)), committed(10))

    assert state.requested(MARKET, 0) == [20]


def test_pay(state, follow):
    follow(
        committed(10),
        committed(20, BOB),
        (FACTORY, "KeeperPaid", (MARKET, ME, ME, 7)),
        (FACTORY, "KeeperPaid", (MARKET, BOB, BOB, 9)),
        (MARKET, "Claimed", (ME, ME, 3)),
        (MARKET, "Claimed", (BOB, BOB, 4)),
    )

    assert state.unpaid(MARKET, 100) == [10]
    assert state.earned(MARKET) == {"settlement": 7, "liquidation": 3}


def test_read_on_with_an_overlap(state, follow, reader):
    """In case the chain has changed its mind; what is read twice counts once."""
    follow(placed(ALICE, 10), settled(ALICE, 10, 5), (MARKET, "Claimed", (ME, ME, 3)), head=52)
    follow(head=52)
    follow(head=60)

    assert reader.asked == [(5, 52), (45, 60)]
    assert state.waiting(MARKET, 100) == {}
    assert state.earned(MARKET) == {"liquidation": 3}


def test_another_market_begins_at_the_start(state, follow, reader):
    follow(placed(ALICE, 10))
    reader.contracts = [*reader.contracts, INFOS[1].address]
    Follower(state, reader, INFOS, ME, start=5).follow(100)

    assert reader.asked == [(5, 100), (5, 100)]


def test_half_a_block_is_none(state, follow, monkeypatch):
    monkeypatch.setattr(state, "settle", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        follow(placed(ALICE, 10), settled(ALICE, 10, 5))

    assert state.block() is None
    assert state.holders(MARKET) == []


class TestFile:
    def test_kept(self, tmp_path):
        with State(tmp_path / "keeper.db", "me") as state:
            state.earn(Earning("0x01", 1, MARKET, "settlement", 2**70))
            state.go_to(7)

        with State(tmp_path / "keeper.db", "me") as state:
            assert (state.block(), state.earned(MARKET)) == (7, {"settlement": 2**70})

    def test_of_another(self, tmp_path):
        State(tmp_path / "keeper.db", "me").close()

        with pytest.raises(StateError, match="is of me, not of you"):
            State(tmp_path / "keeper.db", "you")

    def test_in_use(self, tmp_path):
        with State(tmp_path / "keeper.db", "me"), pytest.raises(StateError, match="another keeper"):
            State(tmp_path / "keeper.db", "me")
