"""ChainlinkOracle.commit: a version's price is the first round at or after it (docs/protocol.md §11.4, §11.5)."""

import pytest
from ape import reverts

from perennial.testing.oracles import CHAINLINK_WINDOW, START

VALID_TO = CHAINLINK_WINDOW[1]


@pytest.mark.parametrize("second", [10, 11, 10 + VALID_TO])
def test_takes_the_first_round_in_the_window(stage, keeper, second):
    version = stage.order(5)
    stage.publish(1, 9)
    stage.publish(2, second, 123_45678901)

    stage.commit(keeper, version, [2], time=second + 1)

    assert tuple(stage.oracle.at(START + version)) == (START + version, 123_456_789, True)
    assert stage.oracle.keeperOf(START + version) == keeper


@pytest.mark.parametrize("second", [9, 11 + VALID_TO])
def test_refuses_rounds_out_of_the_window(stage, keeper, second):
    version = stage.order(5)
    stage.publish(1, second)

    inputs = {"id": stage.feed_id, "published": START + second, "from": START + 10, "to": START + 10 + VALID_TO}
    with reverts(stage.adapter.RoundOutOfWindow, error_inputs=inputs):
        stage.commit(keeper, version, [1], time=3620)


def test_refuses_a_round_after_the_first(stage, keeper, error_round):
    version = stage.order(5)
    stage.publish(1, 10)
    stage.publish(2, 11)

    inputs = {"id": stage.feed_id, "round": error_round(2), "earlier": error_round(1)}
    with reverts(stage.adapter.RoundNotFirst, error_inputs=inputs):
        stage.commit(keeper, version, [2])


def test_the_first_round_ever_is_the_first(stage, keeper):
    stage.publish(1, 10)
    stage.commit(keeper, 5, [1])

    assert stage.latest().valid


def test_refuses_rounds_that_do_not_exist(stage, keeper, error_round):
    stage.publish(1, 10)

    with reverts(stage.adapter.RoundMissing, error_inputs={"id": stage.feed_id, "round": error_round(2)}):
        stage.commit(keeper, 5, [2])
    stage.feed.setReverting(True, sender=keeper)
    with reverts(stage.adapter.RoundMissing):
        stage.commit(keeper, 5, [2], time=66)


def test_versions_close_together_share_a_round(stage, keeper):
    stage.publish(1, 0)
    first, second = stage.order(5), stage.order(15)
    stage.publish(2, 100)

    stage.commit(keeper, first, [2], time=101)
    stage.commit(keeper, second, [2], time=102)

    assert [stage.oracle.at(START + at).price for at in (first, second)] == [5_000_000] * 2


def test_an_unrequested_version_does_not_take_the_price_of_a_request(stage, keeper):
    stage.publish(1, 0)
    version = stage.order(5)
    stage.publish(2, 10)

    inputs = {"id": stage.feed_id, "published": START + 10, "limit": START + version}
    with reverts(stage.adapter.PriceOfNextVersion, error_inputs=inputs):
        stage.commit(keeper, 8, [2])
    stage.commit(keeper, -3, [1], time=70)
    stage.commit(keeper, version, [2], time=71)
    assert stage.latest().timestamp == START + version


def test_a_keeper_has_until_the_grace_is_over(stage, keeper):
    version = stage.order(5)
    stage.publish(1, 10)
    expiry = 10 + VALID_TO + 30

    with reverts(stage.adapter.VersionNotExpired):
        stage.expire(keeper, version, time=expiry - 1)
    with reverts(stage.adapter.VersionExpired, error_inputs={"version": START + 10, "expiry": START + expiry}):
        stage.commit(keeper, version, [1], time=expiry)
    stage.expire(keeper, version, time=expiry + 1)
    assert not stage.latest().valid


def test_refuses_rounds_of_the_future(stage, keeper):
    stage.publish(1, 100)

    with reverts(stage.adapter.PriceInFuture, error_inputs={"id": stage.feed_id, "published": START + 100}):
        stage.commit(keeper, 50, [1], time=99)


@pytest.mark.parametrize("price", [0, -1])
def test_refuses_prices_that_are_not_positive(stage, keeper, price):
    stage.publish(1, 10, price)

    with reverts(stage.adapter.PriceNotPositive, error_inputs={"id": stage.feed_id, "price": price}):
        stage.commit(keeper, 5, [1])


@pytest.mark.parametrize(
    ("decimals", "answer", "stored"),
    [(0, 12345, 12_345_000_000), (6, 7, 7), (8, 199, 1), (18, 3 * 10**18 + 10**12 - 1, 3_000_000), (27, 10**28, 10**7)],
)
def test_decimals_convert_exactly(stage, keeper, decimals, answer, stored):
    feed = stage.create_feed(decimals)
    oracle, _ = stage.create((feed, 1))
    stage.publish(1, 10, answer, feed=feed)

    stage.commit(keeper, 5, [1], oracles=[oracle])

    assert oracle.at(START + 5).price == stored


@pytest.mark.parametrize(("decimals", "answer"), [(8, 99), (0, 2**96), (18, 2**255 - 1), (90, 10**28)])
def test_refuses_what_cannot_be_represented(stage, keeper, decimals, answer):
    feed = stage.create_feed(decimals)
    oracle, _ = stage.create((feed, 1))
    stage.publish(1, 10, answer, feed=feed)

    with reverts(stage.adapter.PriceNotRepresentable):
        stage.commit(keeper, 5, [1], oracles=[oracle])


def test_several_feeds(stage, keeper):
    """ETH/BTC of feeds with other decimals, each with its own round."""
    ether, bitcoin = stage.create_feed(18), stage.create_feed(8)
    oracle, _ = stage.create((ether, 1), (bitcoin, -1))
    stage.publish(1, 1, 3_000 * 10**18, feed=ether)
    stage.publish(2, 20, 3_500 * 10**18, feed=ether)
    stage.publish(1, 15, 70_000 * 10**8, feed=bitcoin)

    stage.commit(keeper, 10, [2, 1], oracles=[oracle])

    assert oracle.at(START + 10).price == 50_000
    # What comes next must be newer than the newest of them.
    assert oracle.admit(START + 11, sender=stage.adapter) == (0, START + 20)


def test_batches_take_the_rounds_in_turn(stage, keeper, taker):
    ether = stage.create_feed()
    ratio, _ = stage.create((ether, 1), (stage.feed, -1))
    stage.publish(1, 1)
    stage.publish(2, 10)
    stage.publish(7, 10, 10**8, feed=ether)

    receipt = stage.commit(keeper, 5, [2, 7, 2], oracles=[stage.oracle, ratio])
    assert [oracle.at(START + 5).price for oracle in (stage.oracle, ratio)] == [5_000_000, 200_000]
    assert receipt.decode_logs(stage.adapter.CommitSkipped) == []

    receipt = stage.commit(keeper, 6, [1, 7, 2], oracles=[stage.oracle, ratio, taker])
    assert [log.oracle for log in receipt.decode_logs(stage.adapter.CommitSkipped)] == [stage.oracle, taker]
    assert ratio.at(START + 6).valid


@pytest.mark.parametrize("rounds", [[], [1, 1]])
def test_needs_a_round_a_feed(stage, keeper, rounds):
    stage.publish(1, 10)
    inputs = {"given": len(rounds), "needed": 1}

    with reverts(stage.adapter.RoundCountWrong, error_inputs=inputs):
        stage.commit(keeper, 5, rounds)
    with reverts(stage.adapter.RoundCountWrong, error_inputs={"given": len(rounds) + 1, "needed": 2}):
        stage.commit(keeper, 5, [*rounds, 1], time=66, oracles=[stage.oracle, stage.oracle])


def test_refuses_an_empty_batch_and_strangers(stage, keeper, taker):
    with reverts(stage.adapter.BatchEmpty):
        stage.commit(keeper, 5, [], oracles=[])
    with reverts(stage.adapter.OracleNotServed, error_inputs={"oracle": taker.address}):
        stage.commit(keeper, 5, [], time=66, oracles=[taker])
    with reverts(stage.adapter.AdapterNotSelf):
        stage.adapter.commitAlone(keeper, stage.oracle, START, [], sender=keeper)


def test_a_contract_may_commit_for_a_keeper(stage, keeper, taker, error_round):
    stage.publish(1, 10)
    stage.base.at(START + 20)
    stage.adapter.commitFor(keeper, [stage.oracle], START + 5, [error_round(1)], sender=taker)

    assert stage.oracle.keeperOf(START + 5) == keeper


@pytest.mark.parametrize("id_", [b"\0" * 32, b"\1" * 32, b"\0" * 31 + b"\7"])
def test_feeds_are_contracts(stage, id_):
    with reverts(stage.base.factory.FeedIdInvalid, error_inputs={"index": 0, "id": id_}):
        stage.base.factory.create(stage.adapter, [(id_, 1)], sender=stage.base.owner)
