"""PythOracle.commit of many oracles: those that refuse are skipped, and cost nothing (docs/protocol.md §11.3)."""

import pytest
from ape import reverts

from perennial.testing.oracles import PYTH_FEE, START, update


@pytest.fixture
def both(stage, second):
    return [stage.oracle, second[0]]


def test_one_set_of_updates_serves_many_oracles_for_one_fee(stage, both, second, keeper):
    version = stage.order(START + 5)
    assert stage.order(START + 6, second[1]) == version
    before = keeper.balance

    stage.price(keeper, version, 10**8, oracles=both, value=10**18)

    assert [tuple(oracle.at(version)) for oracle in both] == [(version, 1_000_000, True)] * 2
    assert before - keeper.balance == PYTH_FEE


def test_feeds_may_differ(stage, ether, keeper):
    updates = [update("ETH", 2 * 10**8, START + 5, previous=START + 3), update("BTC", 3 * 10**8, START + 4)]
    stage.commit(keeper, START, updates, oracles=[stage.oracle, ether[0]])

    assert [oracle.at(START).price for oracle in (stage.oracle, ether[0])] == [3_000_000, 2_000_000]


def test_skips_what_refuses_the_version(stage, both, second, keeper, skipped, selector):
    """The second oracle waits for an earlier version."""
    earlier = stage.order(START + 5, second[1])
    version = stage.order(START + 15)

    receipt = stage.price(keeper, version, 10**8, oracles=both)

    assert skipped(receipt) == [(second[0].address, selector("VersionOutOfOrder(uint256,uint256)"))]
    assert stage.oracle.at(version).valid
    assert second[0].next() == earlier


def test_a_missing_update_stops_only_the_oracle_that_needs_it(stage, ether, keeper, skipped, selector):
    before = keeper.balance

    receipt = stage.price(keeper, START, 10**8, oracles=[ether[0], stage.oracle], value=10**18)

    assert skipped(receipt) == [(ether[0].address, selector("PriceFeedNotFoundWithinRange()"))]
    assert stage.oracle.at(START).valid
    assert before - keeper.balance == PYTH_FEE


def test_a_bad_price_stops_only_its_oracle(stage, ether, keeper, skipped, selector):
    updates = [update("BTC", 10**8, START + 4), update("ETH", -1, START + 4)]

    receipt = stage.commit(keeper, START, updates, oracles=[stage.oracle, ether[0]])

    assert skipped(receipt) == [(ether[0].address, selector("PriceNotPositive(bytes32,int256)"))]
    assert stage.oracle.at(START).valid
    assert not ether[0].at(START).valid


def test_each_apart_pays_for_those_that_were_committed(stage, second, ether, keeper, skipped):
    """Where updates are missing, oracles are tried apart: two fees for two, none for the one without."""
    before = keeper.balance
    oracles = [stage.oracle, ether[0], second[0]]

    receipt = stage.price(keeper, START, 10**8, oracles=oracles, value=10**18)

    assert [oracle.at(START).valid for oracle in oracles] == [True, False, True]
    assert len(skipped(receipt)) == 1
    assert before - keeper.balance == 2 * PYTH_FEE


def test_each_apart_needs_its_fee(stage, second, ether, keeper, skipped, selector):
    oracles = [stage.oracle, ether[0], second[0]]

    receipt = stage.price(keeper, START, 10**8, oracles=oracles, value=PYTH_FEE)

    assert [oracle.at(START).valid for oracle in oracles] == [True, False, False]
    assert skipped(receipt)[1] == (second[0].address, selector("FeeNotCovered(uint256,uint256)"))


def test_twice_the_same_oracle_is_once(stage, keeper, skipped, selector):
    receipt = stage.price(keeper, START, 10**8, oracles=[stage.oracle, stage.oracle])

    assert skipped(receipt) == [(stage.oracle.address, selector("VersionNotNewer(uint256,uint256)"))]
    assert stage.oracle.at(START).valid


def test_skips_strangers(stage, keeper, taker, skipped, selector):
    receipt = stage.price(keeper, START, 10**8, oracles=[taker, stage.oracle])

    assert skipped(receipt) == [(taker.address, selector("OracleNotServed(address)"))]
    assert stage.oracle.at(START).valid


def test_where_all_refuse_it_fails_with_the_last_reason_and_charges_nothing(stage, both, keeper):
    stage.price(keeper, START, 10**8, oracles=both)
    before = keeper.balance

    with reverts(stage.adapter.VersionNotNewer):
        stage.price(keeper, START, 10**8, oracles=both, time=START + 11)
    assert keeper.balance == before


def test_strangers_alone_fail(stage, keeper, taker, maker):
    with reverts(stage.adapter.OracleNotServed):
        stage.price(keeper, START, 10**8, oracles=[taker, maker])


def test_refuses_an_empty_batch(stage, keeper):
    with reverts(stage.adapter.BatchEmpty):
        stage.adapter.commit([], START, [], sender=keeper)
    with reverts(stage.adapter.BatchEmpty):
        stage.expire(keeper, START, oracles=())
