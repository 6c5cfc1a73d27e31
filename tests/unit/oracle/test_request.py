"""Oracle.request: which version an order asks for, and how versions queue up."""

import pytest
from ape import reverts

from perennial.testing.oracles import START


def test_stamps_the_request_with_the_current_version(bench):
    version = bench.order(START + 13)

    assert version == START + 20
    assert bench.oracle.next() == version


def test_at_a_version_asks_for_the_next_one(bench):
    assert bench.order(START + 20) == START + 30
    assert bench.oracle.next() == START + 30


def test_orders_of_one_version_are_one_request(bench, keeper):
    bench.at(START + 11)
    receipt = bench.market.order(3, sender=bench.owner)
    bench.order(START + 19)

    assert len(receipt.decode_logs(bench.oracle.VersionRequested)) == 1
    bench.price(keeper, START + 20, 10**8)
    assert bench.oracle.next() == 0


def test_versions_wait_in_the_order_of_their_time(bench, keeper):
    versions = [bench.order(START + second) for second in (5, 25, 35)]

    for second, version in enumerate(versions, START + 45):
        assert bench.oracle.next() == version
        bench.price(keeper, version, 10**8, time=second)
    assert versions == [START + 10, START + 30, START + 40]
    assert bench.oracle.next() == 0


def test_a_queue_that_was_emptied_fills_again(bench, keeper):
    bench.price(keeper, bench.order(START + 5), 10**8)

    again = bench.order(START + 25)

    assert bench.oracle.next() == again == START + 30


@pytest.mark.parametrize("requested_before", [False, True])
def test_only_its_market_may_request(bench, taker, requested_before):
    if requested_before:
        bench.order(START + 5)
    bench.at(START + 6)

    with reverts(bench.oracle.OracleNotMarket, error_inputs={"caller": taker.address}):
        bench.oracle.request(taker, sender=taker)


def test_nobody_may_request_before_a_market_is_bound(bench):
    oracle = bench.create("BTC")

    with reverts(oracle.OracleNotMarket):
        oracle.request(bench.owner, sender=bench.owner)
