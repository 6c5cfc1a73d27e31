"""Market.advance: a backlog worked off in pieces (docs/protocol.md §5.7)."""

import pytest

from perennial.amounts import raw
from perennial.testing.market import refused

BACKLOG = 5


@pytest.fixture
def late(create_market, taker, hedger):
    """Five pending versions of two accounts, all committed."""
    bench = create_market(settlementFee="1.5", takerFee="0.0002", positionFee="0.1")
    bench.fill(maker="100", collateral="100000")
    versions = []
    for _ in range(BACKLOG):
        bench.open(taker, long="1", collateral="100")
        bench.open(hedger, short="0.5", collateral="100")
        versions.append(bench.skip())
    for step, version in enumerate(versions):
        bench.oracle.setVersion(version, raw("100") + step * raw("1"), True, sender=bench.keeper)
    latest = bench.commit("110")
    return bench, versions, latest


def advance(bench, most):
    receipt = bench.market.advance(most, sender=bench.keeper)
    return [each["version"] for each in receipt.named("MarketSettled")]


def test_advance_settles_at_most_as_many_versions(late):
    bench, versions, latest = late

    assert advance(bench, 2) == versions[:2]
    assert bench.market.pendingCount() == 3
    assert bench.market.position().timestamp == versions[1]
    assert advance(bench, 2) == versions[2:4]
    # The last piece goes on to the latest version.
    assert advance(bench, 2) == [versions[4], latest]
    assert bench.market.pendingCount() == 0
    assert advance(bench, 2) == []
    bench.check()


def test_advance_by_exactly_the_backlog(late):
    bench, versions, latest = late
    assert advance(bench, BACKLOG) == [*versions, latest]


def test_advance_by_one_less_than_the_backlog(late):
    bench, versions, latest = late
    assert advance(bench, BACKLOG - 1) == versions[:-1]
    assert advance(bench, 1) == [versions[-1], latest]


def test_advance_by_nothing(late):
    bench, _, _ = late
    assert advance(bench, 0) == []
    assert bench.market.pendingCount() == BACKLOG


def test_advance_by_more_than_there_is(late):
    bench, versions, latest = late
    assert advance(bench, 2**256 - 1) == [*versions, latest]


def test_advance_without_a_backlog_brings_the_market_to_the_latest_version(pool):
    version = pool.commit("120")
    assert advance(pool, 1) == [version]
    assert pool.market.price() == raw("120")
    assert advance(pool, 1) == []


def test_advance_before_the_first_version(create_market):
    assert advance(create_market(price=None), 10) == []


def test_advance_goes_no_further_than_the_latest_version(pool, taker):
    pool.open(taker, long="1", collateral="100")
    first = pool.skip()
    pool.open(taker, long="1")
    pool.oracle.set(first, raw("100"), True, pool.version, sender=pool.keeper)

    assert advance(pool, 10) == [first]
    assert pool.market.pendingCount() == 1


def test_advance_leaves_accounts_alone(late, taker):
    bench, _, _ = late
    before = bench.market.collateral(taker)

    receipt = bench.market.advance(100, sender=bench.keeper)

    assert {each.name for each in receipt.events} == {"MarketSettled"}
    assert (bench.market.collateral(taker), bench.market.pendingCounts(taker)) == (before, BACKLOG)
    bench.check()


def test_advance_in_pieces_ends_as_settling_at_once(late, taker, hedger, maker):
    bench, _, _ = late
    snapshot = bench.anvil.rpc("evm_snapshot")
    outcomes = []
    for pieces in ([100], [1] * 6, [2, 3, 1]):
        for piece in pieces:
            advance(bench, piece)
        bench.settle()
        bench.check()
        outcomes.append(
            [bench.market.collateral(account) for account in (maker, taker, hedger)]
            + [bench.market.position(), bench.market.fees()]
        )
        bench.anvil.rpc("evm_revert", snapshot)
        snapshot = bench.anvil.rpc("evm_snapshot")
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_order_with_a_backlog_settles_it(late, taker):
    bench, versions, latest = late
    receipt = bench.open(taker, long="1", collateral="100")
    assert [each["version"] for each in receipt.named("MarketSettled")] == [*versions, latest]
    assert bench.market.pendingCounts(taker) == 1
    bench.check()


def test_advance_in_a_pause(late, operator, keeper, stranger):
    bench, versions, _ = late
    bench.factory.updatePauser(keeper, sender=operator)
    bench.factory.pause(sender=keeper)

    with refused("MarketPaused"):
        bench.market.advance(1, sender=stranger)
    receipt = bench.market.advance(1, sender=operator)
    assert [each["version"] for each in receipt.named("MarketSettled")] == versions[:1]


def test_queue_that_is_never_empty_walks_on(create_market, taker):
    """Where it comes to its last place: tests/properties/test_edges.py."""
    bench = create_market(maxPendingGlobal=3, maxPendingLocal=3)
    bench.fill(maker="1000", collateral="100000")
    bench.open(taker, long="1", collateral="10000")
    for _ in range(8):
        # Never empty: an order is placed before the one before it settles.
        version = bench.skip()
        bench.open(taker, long="1")
        bench.oracle.set(version, raw("100"), True, bench.version, sender=bench.keeper)
        bench.settle(taker)
        assert (bench.market.pendingCount(), bench.market.pendingCounts(taker)) == (1, 1)
    bench.commit()
    bench.settle(taker)
    assert bench.market.positions(taker).long == raw("9")
    bench.check()
