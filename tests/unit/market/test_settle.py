"""Market.settle: versions and orders (docs/protocol.md §5.5, §5.6). The tree of cases is test_settle.tree."""

from functools import partial
from itertools import permutations

import pytest

from perennial.amounts import raw
from perennial.testing.anvil import NOBODY
from perennial.testing.market import ALL, START, STEP, STORAGE, event, refused


def versions(receipt):
    return [(each["version"], each["valid"]) for each in receipt.named("MarketSettled")]


def test_settle_before_the_first_version(create_market, taker):
    bench = create_market(price=None)

    receipt = bench.market.settle(taker, sender=bench.keeper)

    assert receipt.events == []
    assert bench.market.position() == bench.market.pendingPosition() == (0, 0, 0, 0)
    assert bench.market.price() == 0


def test_settle_to_the_first_version(create_market, taker):
    bench = create_market(price="100")

    receipt = bench.market.settle(taker, sender=bench.keeper)

    zeros = dict.fromkeys(("maker", "long", "short", "fundingRate", "fee", "settlementFee"), 0)
    assert receipt.events == [event("MarketSettled", version=START, price="100", valid=True, **zeros)]
    assert bench.market.position() == (START, 0, 0, 0)
    assert bench.market.price() == raw("100")


def test_settle_by_anyone(pool, maker, stranger):
    version = pool.commit("110")
    receipt = pool.market.settle(maker, sender=stranger)
    assert versions(receipt) == [(version, True)]


def test_settle_without_anything_new(pool, maker):
    pool.commit("110")
    pool.settle(maker)
    before = [pool.anvil.storage(pool.market.address, STORAGE + slot) for slot in range(24)]

    receipt = pool.market.settle(maker, sender=pool.keeper)

    assert receipt.events == []
    assert [pool.anvil.storage(pool.market.address, STORAGE + slot) for slot in range(24)] == before


def test_settle_of_an_account_that_never_was(pool, stranger):
    pool.commit("110")
    receipt = pool.market.settle(stranger, sender=stranger)
    assert receipt.named("AccountSettled") == []
    assert pool.market.settle(NOBODY, sender=stranger).events == []
    assert pool.market.collateral(NOBODY) == 0
    pool.check()


def test_settle_moves_the_price_without_orders(bench, taker):
    bench.fill(maker="10", long="4")
    version = bench.commit("112.5")

    receipt = bench.market.settle(taker, sender=bench.keeper)

    moved = {"version": version, "price": "112.5", "valid": True, "fundingRate": 0, "fee": 0, "settlementFee": 0}
    account = {"account": taker, "version": version, "accrued": "50", "collateral": "10050", "size": "4"}
    # 12.5 a long; 4 of 10 makers' units lose that.
    assert receipt.events == [
        event("MarketSettled", **moved, maker=-5 * 10**12, long=125 * 10**11, short=0),
        event("AccountSettled", **account, fee=0, settlementFee=0),
    ]
    assert bench.market.price() == raw("112.5")
    bench.check()


def test_settle_of_an_order_shows_all_its_charges(create_market, taker):
    bench = create_market(takerFee="0.01", settlementFee="1.5")
    bench.fill(maker="10", long="1", collateral="1000")
    bench.open(taker, long="1")
    version = bench.commit("110")

    receipt = bench.market.settle(taker, sender=bench.keeper)

    # 1000 - 1 - 1.5 before; the unit gains 10; the new one costs 1.1 and 1.5.
    charged = {"accrued": "10", "fee": "1.1", "settlementFee": "1.5"}
    assert receipt.events[-1] == event(
        "AccountSettled", account=taker, version=version, **charged, collateral="1004.9", size="2"
    )
    bench.check()


def test_settle_walks_pending_versions_oldest_first(pool, taker, hedger):
    orders = []
    for size in ("1", "2", "3"):
        pool.open(taker, long=size, collateral="100")
        pool.open(hedger, short="1", collateral="100")
        orders.append(pool.skip())
    for version, price in zip(orders, ("100", "110", "120"), strict=True):
        pool.oracle.setVersion(version, raw(price), True, sender=pool.keeper)
    latest = pool.commit("130")

    receipt = pool.market.settle(taker, sender=pool.keeper)

    assert versions(receipt) == [(version, True) for version in (*orders, latest)]
    settled = receipt.named("AccountSettled")
    assert [each["version"] for each in settled] == [*orders, latest]
    assert [each["size"] for each in settled] == [raw("1"), raw("3"), raw("6"), raw("6")]
    # 1 from 100 to 110, 3 to 120, 6 to 130.
    assert [each["accrued"] for each in settled] == [0, raw("10"), raw("30"), raw("60")]
    pool.check()


def test_settle_goes_no_further_than_the_latest_version(pool, taker):
    pool.open(taker, long="1", collateral="100")
    first = pool.skip()
    pool.open(taker, long="1")
    second = pool.version
    pool.oracle.set(first, raw("100"), True, second, sender=pool.keeper)

    receipt = pool.market.settle(taker, sender=pool.keeper)

    assert versions(receipt) == [(first, True)]
    assert pool.market.positions(taker) == (first, 0, raw("1"), 0)
    assert pool.market.pendingPositions(taker) == (second, 0, raw("2"), 0)
    assert (pool.market.pendingCount(), pool.market.pendingCounts(taker)) == (1, 1)
    pool.check()


def test_settle_of_an_account_that_comes_late(bench, maker, taker):
    bench.fill(maker="10", long="4")
    bench.close(taker, "1")
    order = bench.commit("110")
    bench.settle(maker)
    bench.commit("130")
    bench.settle(maker)
    latest = bench.commit("120")

    receipt = bench.market.settle(taker, sender=bench.keeper)

    settled = receipt.named("AccountSettled")
    assert [(each["version"], each["accrued"], each["size"]) for each in settled] == [
        (order, raw("40"), raw("3")),
        (latest, raw("30"), raw("3")),
    ]
    bench.check()


def test_views_of_an_account_that_is_late(bench, maker, taker):
    bench.fill(maker="10", long="4")
    bench.close(taker, "1")
    order = bench.commit("110")
    bench.commit("130")
    bench.settle(maker)

    # As of its last settlement: the account still has its order at a version that the market has settled.
    assert bench.market.positions(taker) == (order, 0, raw("4"), 0)
    assert bench.market.pendingPositions(taker) == (order, 0, raw("3"), 0)
    assert bench.market.position().long == raw("3")


# -- Invalid versions --------------------------------------------------------------------------------------------------


def test_settle_at_an_invalid_version_carries_the_price_over(bench, taker):
    bench.fill(maker="10", long="4")
    bench.close(taker, "1")
    version = bench.expire()

    receipt = bench.market.settle(taker, sender=bench.keeper)

    settled = receipt.named("MarketSettled")[0]
    assert (settled["version"], settled["valid"], settled["price"]) == (version, False, raw("100"))
    assert bench.market.price() == raw("100")
    assert bench.market.position() == (version, raw("10"), raw("4"), 0)
    bench.check()


def test_settle_over_an_invalid_version_accrues_from_price_to_price(bench, taker):
    bench.fill(maker="10", long="4")
    bench.close(taker, "1")
    bench.expire()
    bench.settle(taker)
    bench.commit("110")
    bench.settle(taker)

    # All 4 gain 10: the close came to nothing.
    assert bench.market.collateral(taker) == raw("10040")
    bench.check()


def test_settle_over_an_invalid_version_between_two_valid_ones(pool, taker):
    pool.open(taker, long="1", collateral="100")
    first = pool.skip()
    pool.open(taker, long="2")
    second = pool.skip()
    pool.open(taker, long="4")
    pool.oracle.setVersion(first, raw("100"), True, sender=pool.keeper)
    third = pool.commit("110")

    receipt = pool.market.settle(taker, sender=pool.keeper)

    assert versions(receipt) == [(first, True), (second, False), (third, True)]
    assert receipt.named("OrderCancelled") == [{"account": taker.address, "version": second}]
    assert pool.market.positions(taker) == (third, 0, raw("5"), 0)
    assert pool.market.collateral(taker) == raw("110")
    pool.check()


def test_settle_at_an_invalid_version_cancels_for_all_accounts(pool, taker, hedger):
    pool.open(taker, long="1", collateral="100")
    pool.open(hedger, short="2", collateral="100")
    version = pool.expire()

    for account in (taker, hedger):
        receipt = pool.market.settle(account, sender=pool.keeper)
        assert receipt.named("OrderCancelled") == [{"account": account.address, "version": version}]
    assert pool.market.position()[1:] == pool.market.pendingPosition()[1:] == (raw("100"), 0, 0)
    pool.check()


def test_cancelled_order_stays_cancelled_whenever_the_account_comes(pool, taker, hedger):
    pool.open(taker, long="1", collateral="100")
    version = pool.expire()
    pool.commit("110")
    # A price that turns up too late changes nothing.
    pool.settle(hedger)
    pool.oracle.setVersion(version, raw("50"), True, sender=pool.keeper)
    pool.commit("120")
    pool.settle(taker)

    assert pool.market.positions(taker)[1:] == (0, 0, 0)
    assert pool.market.collateral(taker) == raw("100")
    pool.check()


@pytest.mark.parametrize("raw_price", [10**17, -(10**17)])
def test_price_beyond_its_bound_makes_a_version_invalid(pool, taker, raw_price):
    pool.open(taker, long="1", collateral="100")
    version = pool.commit(raw_price)

    receipt = pool.market.settle(taker, sender=pool.keeper)

    assert versions(receipt) == [(version, False)]
    assert pool.market.positions(taker)[1:] == (0, 0, 0)
    assert pool.market.price() == raw("100")
    pool.check()


@pytest.mark.parametrize("raw_price", [10**17 - 1, -(10**17) + 1])
def test_price_at_its_bound_is_valid(pool, taker, raw_price):
    version = pool.commit(raw_price)

    receipt = pool.market.settle(taker, sender=pool.keeper)

    assert versions(receipt) == [(version, True)]
    assert pool.market.price() == raw_price
    pool.check()


def test_price_of_zero_is_valid(bench, taker):
    bench.fill(maker="10", long="4")
    version = bench.commit(0)

    receipt = bench.market.settle(taker, sender=bench.keeper)

    assert versions(receipt) == [(version, True)]
    assert bench.market.price() == 0
    assert bench.market.collateral(taker) == raw("9600")
    bench.check()


def test_payoff_that_reverts_makes_a_version_invalid(create_market, protocol, operator, taker, anvil):
    factory = anvil.contract("PayoffFactory", protocol.payoff_factory)
    factory.create(-2, 10**18, False, sender=operator)
    bench = create_market(
        payoff=factory.addressOf(-2, 10**18, False),
        price="0.01",
        minMargin="1",
        minMaintenance="1",
        minLiquidationFee="1",
        maxLiquidationFee="1",
    )
    bench.fill(maker="10", price="0.01")
    assert bench.market.price() == raw("100")

    bench.open(taker, long="1", collateral="100")
    # 1 / 0 does not exist.
    version = bench.commit(0)
    receipt = bench.market.settle(taker, sender=bench.keeper)

    assert versions(receipt) == [(version, False)]
    assert bench.market.price() == raw("100")
    bench.commit("0.02")
    bench.settle(taker)
    assert bench.market.price() == raw("50")
    bench.check()


def test_version_that_time_cannot_have(pool, taker):
    # Only the owner of the OracleFactory can let such a provider in.
    far = pool.anvil.deploy("MockFarOracle", sender=pool.operator)
    pool.oracle_factory.register(far, sender=pool.operator)
    market = pool.create(oracle=far)

    with refused("InvalidVersion", 2**32):
        market.settle(taker, sender=taker)


# -- Path independence -------------------------------------------------------------------------------------------------

PRICES = ("104.5", None, "97.3", "101.1")


def play(bench, actors, settle):
    """Orders of three accounts over four versions, one of them invalid, `settle(step)` in between."""
    maker, taker, hedger = (actors[role] for role in ("maker", "taker", "hedger"))
    moves = (
        lambda: (bench.open(taker, long="1.3"), bench.close(hedger, "0.7")),
        lambda: (bench.close(taker, "2"), bench.open(maker, maker="3")),
        lambda: (bench.close(maker, "1"), bench.open(hedger, short="0.1")),
        lambda: bench.close(taker, "1.1"),
    )
    for step, (move, price) in enumerate(zip(moves, PRICES, strict=True)):
        move()
        if price is None:
            bench.expire()
            bench.freshen("99")
        else:
            bench.commit(price, wait=3600)
        settle(step)
    bench.settle()
    collaterals = [bench.market.collateral(account) for account in (maker, taker, hedger)]
    sizes = [bench.market.positions(account) for account in (maker, taker, hedger)]
    return collaterals, [sizes, bench.market.position(), bench.market.fees(), bench.market.fundingRate()]


def settle_in_order(bench, order, _):
    bench.settle(*order)


@pytest.fixture
def busy(create_market):
    """Everything costs something."""
    bench = create_market(
        takerFee="0.0002",
        takerSkewFee="0.001",
        takerImpactFee="0.001",
        makerFee="0.0001",
        makerImpactFee="0.001",
        settlementFee="1.5",
        fundingFee="0.05",
        interestFee="0.05",
        positionFee="0.05",
        riskFee="0.5",
        pController={"k": "20000", "max": "2.5"},
        utilizationCurve={"minRate": "0.01", "targetRate": "0.055", "maxRate": "0.155"},
    )
    bench.fill(maker="10", long="5", short="3")
    return bench


def test_order_of_settlement_does_not_matter(busy, actors):
    """§5.6: accounts may settle in any order and at any later time."""
    maker, taker, hedger = (actors[role] for role in ("maker", "taker", "hedger"))
    schedules = [
        lambda _: busy.market.advance(100, sender=busy.keeper),
        lambda step: busy.settle([maker, taker, hedger][step % 3]),
        *(partial(settle_in_order, busy, order) for order in permutations((maker, taker, hedger))),
    ]

    outcomes = []
    for schedule in schedules:
        snapshot = busy.anvil.rpc("evm_snapshot")
        outcomes.append(play(busy, actors, schedule))
        busy.check()
        busy.anvil.rpc("evm_revert", snapshot)
    assert len(outcomes) == 8
    late = outcomes[0]
    for collaterals, rest in outcomes[1:]:
        assert rest == late[1]
        # Each settlement rounds down once, against the account.
        assert all(0 <= most - least <= len(PRICES) for most, least in zip(late[0], collaterals, strict=True))


# -- Settlement never reverts ------------------------------------------------------------------------------------------


def test_settle_of_an_account_below_zero(pool, taker):
    pool.open(taker, long="1", collateral="10")
    pool.commit()
    pool.commit("50")

    pool.settle(taker)
    assert pool.market.collateral(taker) == raw("-40")
    assert pool.market.shortfall() == raw("40")
    pool.check()

    # The market's gains bring it back.
    pool.commit("95")
    pool.settle(taker)
    assert (pool.market.collateral(taker), pool.market.shortfall()) == (raw("5"), 0)
    pool.check()


def test_settle_on_a_stale_price_and_in_a_closed_market(pool, taker):
    pool.open(taker, long="1", collateral="100")
    pool.change(closed=True)
    pool.commit("110", wait=100_000)
    pool.settle(taker)
    assert pool.market.positions(taker).long == raw("1")
    pool.check()


def test_collateral_saturates_at_63_bits(create_market, taker):
    bench = create_market(decimals=6)
    largest = 2**63 - 1
    bench.token.mint(taker, largest, sender=taker)
    bench.fill(maker="10")
    bench.open(taker, long="1", collateral=largest)
    bench.commit()
    bench.commit("110")

    bench.settle(taker)

    # The gain has no room. Its tokens stay in the market.
    assert bench.market.collateral(taker) == largest
    bench.check(dust=raw("10"))

    # It can still leave: the saturated collateral refuses nothing.
    bench.commit("120")
    bench.close(taker)
    bench.commit("120")
    bench.withdraw(taker, ALL)
    assert bench.market.collateral(taker) == 0
    bench.check(dust=raw("20"))


def test_settle_at_the_bounds_of_price_and_size(create_market, maker, taker):
    # Almost nine million units at a price that swings between its bounds: accounts saturate, nothing reverts.
    bench = create_market(
        margin="0.000001",
        maintenance="0",
        makerLimit=2**48 - 1,
        minMargin="0",
        minMaintenance="0",
        minLiquidationFee="0",
        price="0.000001",
    )
    bench.open(maker, maker=2**48 - 2, collateral="1000")
    bench.commit("0.000001")
    bench.open(taker, long=2**43, collateral="1000")
    bench.commit("0.000001")
    bench.settle()
    for price in (10**17 - 1, -(10**17) + 1, 10**17 - 1):
        bench.commit(price)
        bench.settle()
        assert bench.market.price() == price
        assert bench.market.shortfall() == sum(max(0, -bench.market.collateral(each)) for each in (maker, taker))


def test_settle_refuses_nobody_but_in_a_pause(pool, maker, operator, keeper):
    pool.factory.updatePauser(keeper, sender=operator)
    pool.factory.pause(sender=keeper)

    with refused("MarketPaused"):
        pool.market.settle(maker, sender=maker)
    pool.market.settle(maker, sender=operator)


def test_version_of_orders_and_latest_version_may_be_the_same(pool, taker):
    pool.open(taker, long="1", collateral="100")
    version = pool.commit("105")

    receipt = pool.market.settle(taker, sender=pool.keeper)

    assert versions(receipt) == [(version, True)]
    assert version == START + 2 * STEP
