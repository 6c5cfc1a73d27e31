"""Market.update: closing a size (docs/protocol.md §5.2, §5.3, §10.4). The tree of cases is test_update.tree."""

import pytest

from perennial.amounts import raw
from perennial.testing.anvil import NOBODY
from perennial.testing.market import ALL, LONG, MAKER, SHORT, STEP, event, refused

HELD = {"maker": (MAKER, "10"), "taker": (LONG, "5"), "hedger": (SHORT, "3")}
"""What `crowd` holds: side and size."""


@pytest.fixture
def crowd(bench):
    bench.fill(maker="10", long="5", short="3")
    return bench


@pytest.mark.parametrize("role", HELD)
def test_close_is_pending_until_its_version(crowd, actors, role):
    account, (side, size) = actors[role], HELD[role]
    version = crowd.version

    receipt = crowd.close(account, "1")

    placed = {"account": account, "version": version, "side": side, "opened": 0, "closed": "1", "rate": 0}
    assert receipt.events == [event("OrderPlaced", **placed, settlementFee=0, referrer=NOBODY)]
    assert crowd.market.positions(account)[side] == raw(size)
    assert crowd.market.pendingPositions(account)[side] == raw(size) - raw("1")
    assert crowd.market.position()[side] == raw(size)
    assert crowd.market.pendingPosition()[side] == raw(size) - raw("1")
    assert crowd.oracle.requested() == version

    crowd.commit()
    crowd.settle(account)
    assert crowd.market.positions(account)[side] == crowd.market.position()[side] == raw(size) - raw("1")
    crowd.check()


@pytest.mark.parametrize("role", HELD)
def test_close_of_all(crowd, actors, role):
    account, (side, size) = actors[role], HELD[role]

    receipt = crowd.close(account, ALL)

    assert receipt.named("OrderPlaced")[0]["closed"] == raw(size)
    crowd.commit()
    crowd.settle(account)
    assert crowd.market.positions(account)[1:] == (0, 0, 0)
    assert crowd.market.position()[side] == 0
    crowd.check()


@pytest.mark.parametrize("role", HELD)
def test_close_of_all_that_is_left(crowd, actors, role):
    account, (side, size) = actors[role], HELD[role]
    crowd.close(account, "1")

    receipt = crowd.close(account, ALL)

    assert receipt.named("OrderPlaced")[0]["closed"] == raw(size) - raw("1")
    assert crowd.market.pendingPositions(account)[side] == 0
    crowd.check()


@pytest.mark.parametrize("role", HELD)
def test_close_of_all_may_be_nothing(crowd, actors, role):
    account = actors[role]
    crowd.close(account, ALL)
    requests = crowd.oracle.requests()
    crowd.skip()

    receipt = crowd.close(account, ALL)

    assert receipt.events == []
    assert crowd.oracle.requests() == requests
    assert (crowd.market.pendingCount(), crowd.market.pendingCounts(account)) == (1, 1)
    crowd.check()


def test_close_of_all_on_a_side_that_is_not_held(crowd, taker, stranger):
    for account, kind in ((taker, "maker"), (stranger, "maker"), (stranger, "taker")):
        assert crowd.update(account, **{kind: ALL}).events == []


def test_close_of_all_does_not_count_pending_opens(crowd, taker):
    crowd.open(taker, long="2")

    receipt = crowd.close(taker, ALL)

    assert receipt.named("OrderPlaced")[0]["closed"] == raw("5")
    assert crowd.market.pendingPositions(taker).long == raw("2")
    crowd.commit()
    crowd.settle(taker)
    assert crowd.market.positions(taker).long == raw("2")
    crowd.check()


@pytest.mark.parametrize("role", HELD)
def test_close_of_more_than_the_size(crowd, actors, role):
    account, (_, size) = actors[role], HELD[role]
    over = raw(size) + 1

    with refused("OverClose", over, size):
        crowd.close(account, over)
    crowd.close(account, size)
    with refused("OverClose", 1, 0):
        crowd.close(account, 1)


def test_close_counts_closes_of_all_versions(crowd, taker):
    crowd.close(taker, "2")
    crowd.skip()
    crowd.close(taker, "2")

    with refused("OverClose", "2", "1"):
        crowd.close(taker, "2")
    crowd.close(taker, "1")
    assert crowd.market.pendingPositions(taker).long == 0
    crowd.check()


def test_close_does_not_count_pending_opens(crowd, taker):
    crowd.open(taker, long="10", collateral="1000")

    with refused("OverClose", "6", "5"):
        crowd.close(taker, "6")


def test_close_never_flips(crowd, taker, hedger):
    with refused("OverClose", "5.000001", "5"):
        crowd.open(taker, short="5.000001")
    with refused("OverClose", "4", "3"):
        crowd.open(hedger, long="4")


def test_opens_and_closes_of_one_version_are_not_netted(create_market, taker):
    bench = create_market()
    bench.fill(maker="10", long="5")
    bench.change_risk(takerFee="0.0002")

    bench.close(taker, "2")
    bench.open(taker, long="2")
    bench.commit()
    bench.settle(taker)

    # 4 units at 100 are charged, though the size stays.
    assert bench.market.positions(taker).long == raw("5")
    assert bench.market.collateral(taker) == raw("10000") - raw("0.08")
    bench.check()


def test_close_at_an_invalid_version_is_as_if_never_placed(crowd, taker):
    crowd.close(taker)
    version = crowd.expire()
    receipt = crowd.market.settle(taker, sender=crowd.keeper)

    assert event("OrderCancelled", account=taker, version=version) in receipt.events
    assert crowd.market.positions(taker) == crowd.market.pendingPositions(taker) == (version, 0, raw("5"), 0)
    assert crowd.market.position()[1:] == crowd.market.pendingPosition()[1:] == (raw("10"), raw("5"), raw("3"))
    crowd.check()

    crowd.commit()
    crowd.close(taker)
    crowd.commit()
    crowd.settle(taker)
    assert crowd.market.positions(taker).long == 0
    crowd.check()


def test_close_in_a_closed_market(crowd, taker):
    crowd.change(closed=True)

    crowd.close(taker, "5")
    crowd.commit("120")
    crowd.settle(taker)

    assert crowd.market.positions(taker).long == 0
    assert crowd.market.collateral(taker) == raw("10000")
    crowd.check()


def test_close_on_a_stale_price(crowd, taker):
    crowd.skip(7200)
    latest = crowd.oracle.status().latest.timestamp

    with refused("StalePrice", latest, crowd.version):
        crowd.close(taker)


def test_close_by_a_stranger(crowd, taker, stranger):
    with refused("NotOperator", taker, stranger):
        crowd.close(taker, sender=stranger)
    with refused("NotOperator", taker, stranger):
        crowd.close(taker, "1", sender=stranger)


# -- Cover -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tight(create_market):
    """Maker 2, long 6, short 4: every taker is covered, no maker to spare. No close is always allowed."""
    bench = create_market(takerCloseAlways=False, makerCloseAlways=False)
    bench.fill(maker="2", long="6", short="4")
    return bench


def test_close_of_a_maker_that_leaves_takers_without_cover(tight, maker):
    with refused("UncoveredClose", "6", 6_000_000 - 1):
        tight.close(maker, 1)


def test_close_of_a_taker_that_leaves_takers_without_cover(tight, hedger):
    with refused("UncoveredClose", "6", "5.5"):
        tight.close(hedger, "0.5")


def test_close_that_adds_cover(tight, taker, hedger):
    tight.close(taker, "1")
    tight.close(hedger, "1")
    with refused("UncoveredClose", "5", 5_000_000 - 1):
        tight.close(hedger, 1)


def test_close_counts_pending_opens_as_cover(tight, maker, hedger):
    tight.open(maker, maker="1")
    tight.close(hedger, "1")
    with refused("UncoveredClose", "6", 6_000_000 - 1):
        tight.close(hedger, 1)


def test_close_that_does_not_make_cover_worse(create_market, maker, taker, hedger):
    bench = create_market(makerCloseAlways=True, takerCloseAlways=False)
    bench.fill(maker="2", long="6", short="4")
    bench.close(maker, "2")
    bench.commit()
    # 2 longs are uncovered now; a long may leave, a short may not.
    bench.close(taker, "1")
    with refused("UncoveredClose", "5", "3"):
        bench.close(hedger, "1")


@pytest.mark.parametrize(("flag", "allowed", "other"), [("makerCloseAlways", 0, 1), ("takerCloseAlways", 1, 0)])
def test_close_without_cover_where_its_side_may_always_close(tight, maker, hedger, flag, allowed, other):
    tight.change(**{flag: True})
    closes = [(maker, "1"), (hedger, "1")]

    with refused("UncoveredClose", "6", "5"):
        tight.close(*closes[other])
    tight.close(*closes[allowed])
    tight.commit()
    tight.check()


# -- Maintenance -------------------------------------------------------------------------------------------------------


def test_close_needs_the_maintenance_of_the_settled_size(create_market, taker):
    # A position of 1000 needs 100 to be kept, 200 to be opened.
    bench = create_market(margin="0.2", maintenance="0.1")
    bench.fill(maker="100")
    bench.open(taker, long="10", collateral="200")
    bench.commit("100")
    bench.commit("88.888888")
    with refused("InsufficientMaintenance", "88.88888", "88.888888"):
        bench.close(taker, "1")

    bench.commit("88.888889")
    bench.close(taker, "1")
    bench.commit("88.888889")
    bench.check()


def test_close_of_all_needs_no_margin(create_market, taker):
    bench = create_market(margin="0.2", maintenance="0.1")
    bench.fill(maker="100")
    bench.open(taker, long="10", collateral="200")
    bench.commit("100")
    bench.commit("95")

    with refused("InsufficientMargin", "150", "199.5"):
        bench.open(taker, long="0.5")
    bench.close(taker)
    bench.commit("95")
    bench.settle(taker)
    assert bench.market.collateral(taker) == raw("150")
    bench.check()


def test_close_and_withdrawal_in_one_call(crowd, taker):
    # The close has not settled: what it needs is still margin (§10.2).
    crowd.close(taker, collateral="-9990")
    with refused("InsufficientMargin", 10_000_000 - 1, "10"):
        crowd.close(taker, collateral=-1)
    crowd.commit()
    crowd.withdraw(taker)
    assert crowd.market.collateral(taker) == 0
    crowd.check()


def test_close_settles_at_its_own_version_whatever_comes_later(crowd, taker):
    crowd.close(taker)
    version = crowd.commit("110")
    crowd.commit("200")
    receipt = crowd.market.settle(taker, sender=crowd.keeper)

    settled = receipt.named("AccountSettled")
    assert [(each["version"], each["collateral"], each["size"]) for each in settled] == [(version, raw("10050"), 0)]
    assert crowd.market.positions(taker).timestamp == version + STEP
    crowd.check()
