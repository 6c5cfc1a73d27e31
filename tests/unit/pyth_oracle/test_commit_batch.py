"""PythOracle.commit of many oracles: those that refuse are skipped, and cost nothing (docs/protocol.md §11.3)."""

import pytest
from ape import reverts

from perennial.testing.oracles import PYTH_FEE, START, update


@pytest.fixture
def both(bench, second):
    return [bench.oracle, second[0]]


def test_one_set_of_updates_serves_many_oracles_for_one_fee(bench, both, second, keeper):
    version = bench.order(START + 5)
    assert bench.order(START + 6, second[1]) == version
    before = keeper.balance

    bench.price(keeper, version, 10**8, oracles=both, value=10**18)

    assert [tuple(oracle.at(version)) for oracle in both] == [(version, 1_000_000, True)] * 2
    assert before - keeper.balance == PYTH_FEE


def test_feeds_may_differ(bench, ether, keeper):
    updates = [update("ETH", 2 * 10**8, START + 5, previous=START + 3), update("BTC", 3 * 10**8, START + 4)]
    bench.commit(keeper, START, updates, oracles=[bench.oracle, ether[0]])

    assert [oracle.at(START).price for oracle in (bench.oracle, ether[0])] == [3_000_000, 2_000_000]


def test_skips_what_refuses_the_version(bench, both, second, keeper, skipped, selector):
    """The second oracle waits for an earlier version."""
    earlier = bench.order(START + 5, second[1])
    version = bench.order(START + 15)

    receipt = bench.price(keeper, version, 10**8, oracles=both)

    assert skipped(receipt) == [(second[0].address, selector("VersionOutOfOrder(uint256,uint256)"))]
    assert bench.oracle.at(version).valid
    assert second[0].next() == earlier


def test_a_missing_update_stops_only_the_oracle_that_needs_it(bench, ether, keeper, skipped, selector):
    before = keeper.balance

    receipt = bench.price(keeper, START, 10**8, oracles=[ether[0], bench.oracle], value=10**18)

    assert skipped(receipt) == [(ether[0].address, selector("PriceFeedNotFoundWithinRange()"))]
    assert bench.oracle.at(START).valid
    assert before - keeper.balance == PYTH_FEE


def test_a_bad_price_stops_only_its_oracle(bench, ether, keeper, skipped, selector):
    updates = [update("BTC", 10**8, START + 4), update("ETH", -1, START + 4)]

    receipt = bench.commit(keeper, START, updates, oracles=[bench.oracle, ether[0]])

    assert skipped(receipt) == [(ether[0].address, selector("PriceNotPositive(bytes32,int256)"))]
    assert bench.oracle.at(START).valid
    assert not ether[0].at(START).valid


def test_each_apart_pays_for_those_that_were_committed(bench, second, ether, keeper, skipped):
    """Where updates are missing, oracles are tried apart: two fees for two, none for the one without."""
    before = keeper.balance
    oracles = [bench.oracle, ether[0], second[0]]

    receipt = bench.price(keeper, START, 10**8, oracles=oracles, value=10**18)

    assert [oracle.at(START).valid for oracle in oracles] == [True, False, True]
    assert len(skipped(receipt)) == 1
    assert before - keeper.balance == 2 * PYTH_FEE


def test_each_apart_needs_its_fee(bench, second, ether, keeper, skipped, selector):
    oracles = [bench.oracle, ether[0], second[0]]

    receipt = bench.price(keeper, START, 10**8, oracles=oracles, value=PYTH_FEE)

    assert [oracle.at(START).valid for oracle in oracles] == [True, False, False]
    assert skipped(receipt)[1] == (second[0].address, selector("FeeNotCovered(uint256,uint256)"))


def test_twice_the_same_oracle_is_once(bench, keeper, skipped, selector):
    receipt = bench.price(keeper, START, 10**8, oracles=[bench.oracle, bench.oracle])

    assert skipped(receipt) == [(bench.oracle.address, selector("VersionNotNewer(uint256,uint256)"))]
    assert bench.oracle.at(START).valid


def test_skips_strangers(bench, keeper, taker, skipped, selector):
    receipt = bench.price(keeper, START, 10**8, oracles=[taker, bench.oracle])

    assert skipped(receipt) == [(taker.address, selector("OracleNotServed(address)"))]
    assert bench.oracle.at(START).valid


def test_where_all_refuse_it_fails_with_the_last_reason_and_charges_nothing(bench, both, second, keeper):
    bench.price(keeper, START, 10**8, oracles=both)
    before = keeper.balance

    with reverts(second[0].VersionNotNewer):
        bench.price(keeper, START, 10**8, oracles=both, time=START + 11)
    assert keeper.balance == before


def test_strangers_alone_fail(bench, keeper, taker, maker):
    with reverts(bench.adapter.OracleNotServed):
        bench.price(keeper, START, 10**8, oracles=[taker, maker])


def test_refuses_an_empty_batch(bench, keeper):
    with reverts(bench.adapter.BatchEmpty):
        bench.adapter.commit([], START, [], sender=keeper)
    with reverts(bench.adapter.BatchEmpty):
        bench.expire(keeper, START, oracles=())
