"""ChainlinkOracle.commit: a version's price is the first round at or after it (docs/protocol.md §11.4, §11.5)."""

import pytest
from ape import reverts

from perennial.testing.oracles import CHAINLINK_WINDOW, START

VALID_TO = CHAINLINK_WINDOW[1]


@pytest.mark.parametrize("second", [10, 11, 10 + VALID_TO])
def test_takes_the_first_round_in_the_window(bench, keeper, second):
    version = bench.order(5)
    bench.publish(1, 9)
    bench.publish(2, second, 123_45678901)

    bench.commit(keeper, version, [2], time=second + 1)

    assert tuple(bench.oracle.at(START + version)) == (START + version, 123_456_789, True)
    assert bench.oracle.keeperOf(START + version) == keeper


@pytest.mark.parametrize("second", [9, 11 + VALID_TO])
def test_refuses_rounds_out_of_the_window(bench, keeper, second):
    version = bench.order(5)
    bench.publish(1, second)

    inputs = {"id": bench.feed_id, "published": START + second, "from": START + 10, "to": START + 10 + VALID_TO}
    with reverts(bench.adapter.RoundOutOfWindow, error_inputs=inputs):
        bench.commit(keeper, version, [1], time=3620)


def test_refuses_a_round_after_the_first(bench, keeper, error_round):
    version = bench.order(5)
    bench.publish(1, 10)
    bench.publish(2, 11)

    inputs = {"id": bench.feed_id, "round": error_round(2), "earlier": error_round(1)}
    with reverts(bench.adapter.RoundNotFirst, error_inputs=inputs):
        bench.commit(keeper, version, [2])


def test_the_first_round_ever_is_the_first(bench, keeper):
    bench.publish(1, 10)
    bench.commit(keeper, 5, [1])

    assert bench.latest().valid


def test_refuses_rounds_that_do_not_exist(bench, keeper, error_round):
    bench.publish(1, 10)

    with reverts(bench.adapter.RoundMissing, error_inputs={"id": bench.feed_id, "round": error_round(2)}):
        bench.commit(keeper, 5, [2])
    bench.feed.setReverting(True, sender=keeper)
    with reverts(bench.adapter.RoundMissing):
        bench.commit(keeper, 5, [2], time=66)


def test_versions_close_together_share_a_round(bench, keeper):
    bench.publish(1, 0)
    first, second = bench.order(5), bench.order(15)
    bench.publish(2, 100)

    bench.commit(keeper, first, [2], time=101)
    bench.commit(keeper, second, [2], time=102)

    assert [bench.oracle.at(START + at).price for at in (first, second)] == [5_000_000] * 2


def test_an_unrequested_version_does_not_take_the_price_of_a_request(bench, keeper):
    bench.publish(1, 0)
    version = bench.order(5)
    bench.publish(2, 10)

    inputs = {"id": bench.feed_id, "published": START + 10, "limit": START + version}
    with reverts(bench.adapter.PriceOfNextVersion, error_inputs=inputs):
        bench.commit(keeper, 8, [2])
    bench.commit(keeper, -3, [1], time=70)
    bench.commit(keeper, version, [2], time=71)
    assert bench.latest().timestamp == START + version


def test_a_keeper_has_until_the_grace_is_over(bench, keeper):
    version = bench.order(5)
    bench.publish(1, 10)
    expiry = 10 + VALID_TO + 30

    with reverts(bench.adapter.VersionNotExpired):
        bench.expire(keeper, version, time=expiry - 1)
    with reverts(bench.adapter.VersionExpired, error_inputs={"version": START + 10, "expiry": START + expiry}):
        bench.commit(keeper, version, [1], time=expiry)
    bench.expire(keeper, version, time=expiry + 1)
    assert not bench.latest().valid


def test_refuses_rounds_of_the_future(bench, keeper):
    bench.publish(1, 100)

    with reverts(bench.adapter.PriceInFuture, error_inputs={"id": bench.feed_id, "published": START + 100}):
        bench.commit(keeper, 50, [1], time=99)


@pytest.mark.parametrize("price", [0, -1])
def test_refuses_prices_that_are_not_positive(bench, keeper, price):
    bench.publish(1, 10, price)

    with reverts(bench.adapter.PriceNotPositive, error_inputs={"id": bench.feed_id, "price": price}):
        bench.commit(keeper, 5, [1])


@pytest.mark.parametrize(
    ("decimals", "answer", "stored"),
    [(0, 12345, 12_345_000_000), (6, 7, 7), (8, 199, 1), (18, 3 * 10**18 + 10**12 - 1, 3_000_000), (27, 10**28, 10**7)],
)
def test_decimals_convert_exactly(bench, keeper, decimals, answer, stored):
    feed = bench.create_feed(decimals)
    oracle, _ = bench.create((feed, 1))
    bench.publish(1, 10, answer, feed=feed)

    bench.commit(keeper, 5, [1], oracles=[oracle])

    assert oracle.at(START + 5).price == stored


@pytest.mark.parametrize(("decimals", "answer"), [(8, 99), (0, 2**96), (18, 2**255 - 1), (90, 10**28)])
def test_refuses_what_cannot_be_represented(bench, keeper, decimals, answer):
    feed = bench.create_feed(decimals)
    oracle, _ = bench.create((feed, 1))
    bench.publish(1, 10, answer, feed=feed)

    with reverts(bench.adapter.PriceNotRepresentable):
        bench.commit(keeper, 5, [1], oracles=[oracle])


def test_several_feeds(bench, keeper):
    """ETH/BTC of feeds with other decimals, each with its own round."""
    ether, bitcoin = bench.create_feed(18), bench.create_feed(8)
    oracle, _ = bench.create((ether, 1), (bitcoin, -1))
    bench.publish(1, 1, 3_000 * 10**18, feed=ether)
    bench.publish(2, 20, 3_500 * 10**18, feed=ether)
    bench.publish(1, 15, 70_000 * 10**8, feed=bitcoin)

    bench.commit(keeper, 10, [2, 1], oracles=[oracle])

    assert oracle.at(START + 10).price == 50_000


def test_batches_take_the_rounds_in_turn(bench, keeper, taker):
    ether = bench.create_feed()
    ratio, _ = bench.create((ether, 1), (bench.feed, -1))
    bench.publish(1, 1)
    bench.publish(2, 10)
    bench.publish(7, 10, 10**8, feed=ether)

    receipt = bench.commit(keeper, 5, [2, 7, 2], oracles=[bench.oracle, ratio])
    assert [oracle.at(START + 5).price for oracle in (bench.oracle, ratio)] == [5_000_000, 200_000]
    assert receipt.decode_logs(bench.adapter.CommitSkipped) == []

    receipt = bench.commit(keeper, 6, [1, 7, 2], oracles=[bench.oracle, ratio, taker])
    assert [log.oracle for log in receipt.decode_logs(bench.adapter.CommitSkipped)] == [bench.oracle, taker]
    assert ratio.at(START + 6).valid


@pytest.mark.parametrize("rounds", [[], [1, 1]])
def test_needs_a_round_a_feed(bench, keeper, rounds):
    bench.publish(1, 10)
    inputs = {"given": len(rounds), "needed": 1}

    with reverts(bench.adapter.RoundCountWrong, error_inputs=inputs):
        bench.commit(keeper, 5, rounds)
    with reverts(bench.adapter.RoundCountWrong, error_inputs={"given": len(rounds) + 1, "needed": 2}):
        bench.commit(keeper, 5, [*rounds, 1], time=66, oracles=[bench.oracle, bench.oracle])


def test_refuses_an_empty_batch_and_strangers(bench, keeper, taker):
    with reverts(bench.adapter.BatchEmpty):
        bench.commit(keeper, 5, [], oracles=[])
    with reverts(bench.adapter.OracleNotServed, error_inputs={"oracle": taker.address}):
        bench.commit(keeper, 5, [], time=66, oracles=[taker])
    with reverts(bench.adapter.AdapterNotSelf):
        bench.adapter.commitAlone(keeper, bench.oracle, START, [], sender=keeper)


def test_a_contract_may_commit_for_a_keeper(bench, keeper, taker, error_round):
    bench.publish(1, 10)
    bench.base.at(START + 20)
    bench.adapter.commitFor(keeper, [bench.oracle], START + 5, [error_round(1)], sender=taker)

    assert bench.oracle.keeperOf(START + 5) == keeper


@pytest.mark.parametrize("id_", [b"\0" * 32, b"\1" * 32, b"\0" * 31 + b"\7"])
def test_feeds_are_contracts(bench, id_):
    with reverts(bench.adapter.FeedIdInvalid, error_inputs={"index": 0, "id": id_}):
        bench.base.factory.create(bench.adapter, [(id_, 1)], sender=bench.base.owner)
