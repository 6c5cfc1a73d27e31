"""Market.update: caps on pending versions, limits of makers and takers (docs/protocol.md §5.7, §10.4)."""

import pytest

from perennial.amounts import raw
from perennial.testing.market import refused


def test_pending_versions_of_the_market_at_the_cap(create_market, maker, taker, hedger):
    bench = create_market(maxPendingGlobal=3, maxPendingLocal=10)
    bench.fill(maker="100")
    for _ in range(3):
        bench.open(taker, long="1", collateral="100")
        bench.skip()

    with refused("TooManyPending", 3, 3):
        bench.open(taker, long="1")
    with refused("TooManyPending", 3, 3):
        bench.close(maker, "1")
    # Deposits and calls without effect on sizes go on.
    bench.deposit(hedger, "100")
    bench.withdraw(taker, "1")

    bench.commit()
    bench.open(hedger, short="1", collateral="100")
    bench.check()


def test_order_at_a_version_that_is_pending_already_at_the_cap(create_market, taker, hedger):
    bench = create_market(maxPendingGlobal=1, maxPendingLocal=1)
    bench.open(taker, maker="1", collateral="100")

    bench.open(taker, maker="1")
    bench.open(hedger, maker="1", collateral="100")
    bench.skip()
    with refused("TooManyPending", 1, 1):
        bench.open(taker, maker="1")
    bench.check()


def test_pending_versions_of_an_account_at_the_cap(create_market, taker, hedger):
    bench = create_market(maxPendingLocal=2)
    bench.fill(maker="100")
    for _ in range(2):
        bench.open(taker, long="1", collateral="100")
        bench.skip()

    with refused("TooManyPending", 2, 2):
        bench.open(taker, long="1")
    bench.open(hedger, short="1", collateral="100")
    bench.check()


def test_cap_that_is_lowered_below_what_is_pending(create_market, taker):
    bench = create_market()
    bench.fill(maker="100")
    for _ in range(3):
        bench.open(taker, long="1", collateral="100")
        bench.skip()
    bench.change(maxPendingGlobal=1)

    with refused("TooManyPending", 3, 1):
        bench.open(taker, long="1")
    bench.commit()
    bench.open(taker, long="1")
    bench.check()


def test_maker_limit(create_market, maker, hedger):
    bench = create_market(makerLimit="10")
    bench.open(maker, maker="9", collateral="1000")

    with refused("MakerLimitExceeded", "10", "10"):
        bench.open(hedger, maker="1", collateral="1000")
    bench.open(hedger, maker="0.999999", collateral="1000")
    with refused("MakerLimitExceeded", "10", "10"):
        bench.open(maker, maker=1)
    bench.check()


def test_maker_limit_counts_pending_closes(create_market, maker, hedger):
    bench = create_market(makerLimit="10")
    bench.fill(maker="9")
    bench.close(maker, "5")

    bench.open(hedger, maker="5.999999", collateral="1000")
    with refused("MakerLimitExceeded", "10", "10"):
        bench.open(hedger, maker=1)


def test_maker_limit_does_not_stop_closes(create_market, maker):
    bench = create_market()
    bench.fill(maker="9")
    bench.change_risk(makerLimit="1")

    bench.close(maker, "1")
    with refused("MakerLimitExceeded", 8_000_001, "1"):
        bench.open(maker, maker=1)


@pytest.mark.parametrize("side", ["long", "short"])
def test_efficiency_limit(create_market, taker, side):
    bench = create_market(efficiencyLimit="0.5")
    bench.fill(maker="10")

    with refused("EfficiencyTooLow", "10", "20", "0.5"):
        bench.open(taker, **{side: "20"}, collateral="1000")
    bench.open(taker, **{side: "19.999999"}, collateral="1000")
    with refused("EfficiencyTooLow", "10", "20", "0.5"):
        bench.open(taker, **{side: 1})
    bench.check()


def test_efficiency_limit_is_of_the_larger_side(create_market, hedger):
    bench = create_market(efficiencyLimit="0.5")
    bench.fill(maker="10", long="19.999999")

    bench.open(hedger, short="19.999999", collateral="1000")
    with refused("EfficiencyTooLow", "10", "20", "0.5"):
        bench.open(hedger, short=1)


def test_efficiency_limit_counts_pending_orders(create_market, maker, taker):
    bench = create_market(efficiencyLimit="0.5")
    bench.fill(maker="10")
    bench.close(maker, "5")

    with refused("EfficiencyTooLow", "5", "10", "0.5"):
        bench.open(taker, long="10", collateral="1000")
    bench.open(maker, maker="1")
    bench.open(taker, long="11.999999", collateral="1000")


def test_efficiency_limit_without_makers(create_market, taker):
    # Even a limit of zero asks for some makers.
    bench = create_market(efficiencyLimit="0")
    with refused("EfficiencyTooLow", 0, 1, 0):
        bench.open(taker, long=1, collateral="100")


def test_efficiency_limit_does_not_stop_closes_and_makers(create_market, maker, taker):
    bench = create_market()
    bench.fill(maker="10", long="10")
    bench.change_risk(efficiencyLimit="5")

    bench.close(taker, "1")
    bench.close(maker, "0.5")
    bench.open(maker, maker="0.1")
    with refused("EfficiencyTooLow", "9.6", 9_000_001, "5"):
        bench.open(taker, long=1)
    bench.check()


def test_pending_closes_make_room_for_makers(create_market, maker, hedger):
    # Pending orders count as placed: a maker's close that may still turn out invalid makes room.
    bench = create_market(makerLimit="10")
    bench.fill(maker="9")
    bench.close(maker)
    bench.open(hedger, maker="9", collateral="1000")
    bench.skip()

    bench.commit()
    assert bench.market.position().maker == raw("9")
    bench.check()
