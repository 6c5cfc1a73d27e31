"""Oracle.request: which version an order asks for, and how versions queue up."""

import pytest
from ape import reverts

from perennial.testing.oracles import START


def test_stamps_the_request_with_the_current_version(stage):
    version = stage.order(START + 13)

    assert version == START + 20
    assert stage.oracle.next() == version


def test_at_a_version_asks_for_the_next_one(stage):
    assert stage.order(START + 20) == START + 30
    assert stage.oracle.next() == START + 30


def test_orders_of_one_version_are_one_request(stage, keeper):
    stage.at(START + 11)
    receipt = stage.market.order(3, sender=stage.owner)
    stage.order(START + 19)

    assert len(receipt.decode_logs(stage.oracle.VersionRequested)) == 1
    stage.price(keeper, START + 20, 10**8)
    assert stage.oracle.next() == 0


def test_versions_wait_in_the_order_of_their_time(stage, keeper):
    versions = [stage.order(START + second) for second in (5, 25, 35)]

    for second, version in enumerate(versions, START + 45):
        assert stage.oracle.next() == version
        stage.price(keeper, version, 10**8, time=second)
    assert versions == [START + 10, START + 30, START + 40]
    assert stage.oracle.next() == 0


def test_a_queue_that_was_emptied_fills_again(stage, keeper):
    stage.price(keeper, stage.order(START + 5), 10**8)

    again = stage.order(START + 25)

    assert stage.oracle.next() == again == START + 30


@pytest.mark.parametrize("requested_before", [False, True])
def test_only_its_market_may_request(stage, taker, requested_before):
    if requested_before:
        stage.order(START + 5)
    stage.at(START + 6)

    with reverts(stage.oracle.OracleNotMarket, error_inputs={"caller": taker.address}):
        stage.oracle.request(taker, sender=taker)


def test_nobody_may_request_before_a_market_is_bound(stage):
    oracle = stage.create("BTC")

    with reverts(oracle.OracleNotMarket):
        oracle.request(stage.owner, sender=stage.owner)
