"""Market.update: opening a size (docs/protocol.md §5.2 to §5.5). The tree of cases is test_update.tree."""

import pytest

from perennial.amounts import raw
from perennial.testing.anvil import NOBODY
from perennial.testing.market import ALL, LONG, MAKER, NONE, SHORT, START, STEP, event, refused

ORDER = START + 2 * STEP
"""The version that orders on top of `pool` settle at."""


@pytest.mark.parametrize(
    ("deltas", "side"),
    [
        pytest.param({"maker": "2.5"}, MAKER, id="maker"),
        pytest.param({"long": "2.5"}, LONG, id="long"),
        pytest.param({"short": "2.5"}, SHORT, id="short"),
    ],
)
def test_open_is_pending_until_its_version(pool, taker, deltas, side):
    before = pool.market.position()

    receipt = pool.open(taker, **deltas, collateral="100")

    placed = {
        "account": taker,
        "version": ORDER,
        "side": side,
        "opened": "2.5",
        "closed": 0,
        "rate": 0,
        "settlementFee": 0,
        "referrer": NOBODY,
    }
    assert receipt.events == [
        event("OrderPlaced", **placed),
        event("Deposited", account=taker, sender=taker, amount="100"),
    ]
    size = [raw("2.5") if index == side else 0 for index in (MAKER, LONG, SHORT)]
    assert pool.market.positions(taker) == (START + STEP, 0, 0, 0)
    assert pool.market.pendingPositions(taker) == (ORDER, *size)
    assert pool.market.position() == before
    assert pool.market.pendingPosition() == (ORDER, raw("100") + size[0], size[1], size[2])
    assert (pool.market.pendingCount(), pool.market.pendingCounts(taker)) == (1, 1)

    pool.commit("100")
    pool.settle(taker)

    assert pool.market.positions(taker) == (ORDER, *size)
    assert pool.market.position() == pool.market.pendingPosition() == (ORDER, raw("100") + size[0], size[1], size[2])
    assert (pool.market.pendingCount(), pool.market.pendingCounts(taker)) == (0, 0)
    pool.check()


def test_open_requests_its_version(pool, taker):
    requests = pool.oracle.requests()

    pool.open(taker, long="1", collateral="100")

    assert pool.oracle.requests() == requests + 1
    assert pool.oracle.requested() == ORDER


def test_size_changes_at_exactly_the_price_of_its_version(pool, taker):
    pool.open(taker, long="1", collateral="100")
    pool.commit("150")
    pool.settle(taker)
    assert pool.market.collateral(taker) == raw("100")

    pool.commit("151")
    pool.settle(taker)
    assert pool.market.collateral(taker) == raw("101")
    pool.check()


def test_opens_of_one_version_add_up(pool, taker):
    pool.open(taker, long="1", collateral="100")
    pool.open(taker, long="0.5")

    assert pool.market.pendingPositions(taker).long == raw("1.5")
    assert (pool.market.pendingCount(), pool.market.pendingCounts(taker)) == (1, 1)
    pool.check()


def test_opens_of_several_versions_settle_one_by_one(pool, taker):
    pool.open(taker, long="1", collateral="100")
    first = pool.skip()
    pool.open(taker, long="2")
    assert (pool.market.pendingCount(), pool.market.pendingCounts(taker)) == (2, 2)

    pool.oracle.setVersion(first, raw("100"), True, sender=pool.keeper)
    second = pool.commit("110")
    receipt = pool.market.settle(taker, sender=pool.keeper)

    assert [settled["version"] for settled in receipt.named("MarketSettled")] == [first, second]
    # 1 long from 100 to 110, the further 2 at 110.
    assert pool.market.collateral(taker) == raw("110")
    assert pool.market.positions(taker) == (second, 0, raw("3"), 0)
    pool.check()


def test_open_by_a_stranger(pool, taker, stranger):
    with refused("NotOperator", taker, stranger):
        pool.open(taker, long="1", collateral="100", sender=stranger)


def test_open_by_an_operator(pool, taker, delegate):
    pool.factory.updateOperator(delegate, True, sender=taker)

    pool.open(taker, long="1", collateral="100", sender=delegate)

    assert pool.market.pendingPositions(taker).long == raw("1")
    pool.factory.updateOperator(delegate, False, sender=taker)
    with refused("NotOperator", taker, delegate):
        pool.open(taker, long="1", sender=delegate)


def test_open_of_both_sides(pool, taker):
    with refused("BothSides", "1", "-2"):
        pool.update(taker, maker="1", taker="-2")
    with refused("BothSides", ALL, ALL):
        pool.update(taker, maker=ALL, taker=ALL)


SIDES = {MAKER: {"maker": "1"}, LONG: {"long": "1"}, SHORT: {"short": "1"}}


@pytest.mark.parametrize(("held", "wanted"), [(MAKER, LONG), (MAKER, SHORT), (LONG, MAKER), (SHORT, MAKER)])
@pytest.mark.parametrize("settled", [True, False], ids=["settled", "pending"])
def test_open_on_another_side(pool, taker, held, wanted, settled):
    pool.open(taker, **SIDES[held], collateral="100")
    if settled:
        pool.commit()

    with refused("WrongSide", held, wanted):
        pool.open(taker, **SIDES[wanted])


@pytest.mark.parametrize(("held", "wanted"), [(LONG, SHORT), (SHORT, LONG)])
def test_order_against_pending_opens_is_a_close(pool, taker, held, wanted):
    pool.open(taker, **SIDES[held], collateral="100")

    # Nothing is settled yet, so nothing can be closed: no order goes through zero.
    with refused("OverClose", "1", 0):
        pool.open(taker, **SIDES[wanted])


def test_open_on_another_side_while_the_size_closes(pool, taker):
    pool.open(taker, long="1", collateral="100")
    pool.commit()
    pool.close(taker)

    with refused("OverClose", "1", 0):
        pool.open(taker, short="1")
    with refused("WrongSide", LONG, MAKER):
        pool.open(taker, maker="1")


def test_open_on_another_side_after_a_close(pool, taker):
    pool.open(taker, long="1", collateral="100")
    pool.commit()
    pool.close(taker)
    pool.commit("110")

    pool.open(taker, short="2")
    pool.commit("110")
    pool.commit("105")
    pool.settle(taker)

    # +10 as a long, +2·5 as a short.
    assert pool.market.collateral(taker) == raw("120")
    assert pool.market.positions(taker).short == raw("2")
    pool.check()


def test_negative_maker_size_without_one(pool, taker):
    with refused("WrongSide", NONE, MAKER):
        pool.update(taker, maker="-1")


def test_size_of_63_bits(pool, taker):
    largest = 2**63 - 1

    # The size itself would be accepted: it is the margin that lacks.
    with refused("InsufficientMargin", 0, -(-largest * 95 // 100)):
        pool.update(taker, taker=largest)
    with refused("SizeOverflow", 2**63):
        pool.update(taker, taker=2**63)
    # The pool has 100 makers already.
    with refused("SizeOverflow", 2**63 - raw("100")):
        pool.update(taker, maker=2**63 - raw("100"))
    with refused("SizeOverflow", 2**255 - 1):
        pool.update(taker, taker=2**255 - 1)
    with refused("SizeOverflow", 2**255 - 1):
        pool.update(taker, taker=-(2**255 - 1))


def test_size_of_63_bits_of_all_accounts(create_market, taker, hedger):
    # At this price half of all sizes costs no more than the smallest margin.
    bench = create_market(price="0.000001", margin="0.000001", maintenance="0")
    bench.fill(maker="1", price="0.000001", collateral="100")
    half = 2**62

    bench.update(taker, taker=half, collateral="10000000")
    with refused("SizeOverflow", half):
        bench.update(hedger, taker=half, collateral="10000000")
    bench.update(hedger, taker=half - 1, collateral="10000000")
    assert bench.market.pendingPosition().long == 2**63 - 1


def test_open_before_the_first_version(create_market, taker):
    bench = create_market(price=None)

    with refused("StalePrice", 0, START):
        bench.open(taker, long="1", collateral="100")


def test_open_while_the_latest_version_is_invalid(pool, taker):
    pool.open(taker, long="1", collateral="100")
    version = pool.expire()

    with refused("StalePrice", version, version + STEP):
        pool.open(taker, long="1")

    pool.commit()
    pool.open(taker, long="1")


def test_open_while_the_latest_version_is_too_old(pool, taker):
    pool.change_risk(staleAfter=60)
    latest = pool.commit(wait=60)
    pool.open(taker, long="1", collateral="100")

    pool.skip(1)
    with refused("StalePrice", latest, latest + 61):
        pool.open(taker, long="1")


def test_open_while_the_market_is_closed(pool, taker):
    pool.change(closed=True)

    with refused("MarketClosed"):
        pool.open(taker, long="1", collateral="100")
    with refused("MarketClosed"):
        pool.open(taker, maker="1", collateral="100")


def test_open_that_was_accepted_settles_in_a_closed_market(pool, taker):
    pool.open(taker, long="1", collateral="100")
    pool.change(closed=True)
    pool.commit("110")
    pool.settle(taker)

    assert pool.market.positions(taker).long == raw("1")
    pool.check()


def test_open_at_an_invalid_version_is_as_if_never_placed(create_market, taker):
    bench = create_market(settlementFee="1.5", takerFee="0.0002")
    bench.fill(maker="10")
    before = bench.market.position()

    bench.open(taker, long="1", collateral="100")
    version = bench.expire()
    receipt = bench.market.settle(taker, sender=bench.keeper)

    assert receipt.events[1:] == [event("OrderCancelled", account=taker, version=version)]
    assert bench.market.collateral(taker) == raw("100")
    assert bench.market.positions(taker) == bench.market.pendingPositions(taker) == (version, 0, 0, 0)
    assert bench.market.position()[1:] == bench.market.pendingPosition()[1:] == before[1:]
    assert bench.market.settlementFees(version) == 0
    bench.check()


def test_open_joins_a_version_that_another_account_opened(pool, taker, hedger):
    requests = pool.oracle.requests()
    pool.open(taker, long="1", collateral="100")
    pool.open(hedger, short="2", collateral="100")

    assert pool.market.pendingCount() == 1
    assert pool.oracle.requests() == requests + 1
    assert pool.market.pendingPosition() == (ORDER, raw("100"), raw("1"), raw("2"))
    pool.check()


def test_open_settles_what_is_due_first(pool, taker):
    pool.open(taker, long="1", collateral="100")
    version = pool.commit("100")

    receipt = pool.open(taker, long="1")

    assert [each.name for each in receipt.events] == ["MarketSettled", "AccountSettled", "OrderPlaced"]
    assert pool.market.positions(taker) == (version, 0, raw("1"), 0)
    assert pool.market.pendingPositions(taker).long == raw("2")
    pool.check()
