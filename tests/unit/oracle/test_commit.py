"""Oracle.commit: which version may come next, and who may say so. The adapter is played by the operator."""

import pytest
from ape import reverts

from perennial.testing.oracles import START

LARGEST = 2**63 - 1


@pytest.fixture
def oracle(project, operator, market):
    oracle = operator.deploy(project.Oracle, operator, operator, 10)
    oracle.bind(market, sender=operator)
    return oracle


@pytest.fixture
def market(taker):
    return taker


@pytest.fixture
def commit(stage, oracle, operator, keeper):
    """Commits a version at a time (both in seconds after START), with a price published 4 seconds after the version."""

    def commit(version, *, time, price=5_000_000, sender=operator):
        stage.at(START + time)
        return oracle.commit(START + version, price, START + version + 4, keeper, sender=sender)

    return commit


@pytest.fixture
def request_at(stage, oracle, market):
    def request(time):
        stage.at(START + time)
        oracle.request(market, sender=market)
        return oracle.next()

    return request


def test_stores_price_keeper_and_publish_time(oracle, commit, operator, keeper):
    receipt = commit(3, time=8)

    assert tuple(oracle.at(START + 3)) == (START + 3, 5_000_000, True)
    assert tuple(oracle.admit(START + 8, sender=operator)) == (0, START + 7)
    assert oracle.keeperOf(START + 3) == keeper
    assert receipt.decode_logs(oracle.VersionCommitted) == [
        oracle.VersionCommitted(version=START + 3, price=5_000_000, valid=True, keeper=keeper.address)
    ]


def test_a_requested_version_frees_the_queue(oracle, commit, request_at):
    request_at(5)
    commit(10, time=15)

    assert oracle.next() == 0


def test_between_the_latest_and_a_request_there_is_room(stage, oracle, commit, request_at):
    request_at(5)
    commit(9, time=15)

    assert oracle.next() == START + 10
    assert stage.latest(oracle).timestamp == START + 9


@pytest.mark.parametrize("version", [4, 5])
def test_versions_are_committed_once_and_forwards(oracle, commit, version):
    commit(5, time=10)

    with reverts(oracle.VersionNotNewer, error_inputs={"version": START + version, "latest": START + 5}):
        commit(version, time=20)


def test_the_present_second_is_the_newest_version(stage, oracle, commit):
    with reverts(oracle.VersionInFuture, error_inputs={"version": START + 21}):
        commit(21, time=20)

    commit(20, time=20)
    assert stage.latest(oracle).timestamp == START + 20


def test_no_requested_version_is_skipped(oracle, commit, request_at):
    request_at(5)

    with reverts(oracle.VersionOutOfOrder, error_inputs={"version": START + 11, "next": START + 10}):
        commit(11, time=30)


@pytest.mark.parametrize("price", [0, LARGEST + 1, 2**256 - 1])
def test_refuses_prices_out_of_range(oracle, commit, price):
    with reverts(oracle.PriceOutOfRange, error_inputs={"price": price}):
        commit(3, time=8, price=price)


@pytest.mark.parametrize("price", [1, LARGEST])
def test_takes_prices_in_range_exactly(stage, oracle, commit, price):
    commit(3, time=8, price=price)

    assert oracle.at(START + 3).price == stage.latest(oracle).price == price


def test_tells_beforehand_what_it_would_refuse(stage, oracle, commit, request_at, operator, keeper):
    commit(5, time=10)
    request_at(15)
    stage.warp(START + 25)

    assert tuple(oracle.admit(START + 20, sender=operator)) == (START + 20, START + 9)
    with reverts(oracle.VersionNotNewer):
        oracle.admit(START + 5, sender=operator)
    with reverts(oracle.VersionOutOfOrder):
        oracle.admit(START + 21, sender=operator)
    with reverts(oracle.VersionInFuture):
        oracle.admit(START + 100, sender=operator)
    with reverts(oracle.OracleNotAdapter):
        oracle.admit(START + 20, sender=keeper)


def test_only_the_adapter_commits(oracle, commit, keeper, operator):
    inputs = {"caller": keeper.address, "adapter": operator.address}
    with reverts(oracle.OracleNotAdapter, error_inputs=inputs):
        commit(3, time=8, sender=keeper)
    with reverts(oracle.OracleNotAdapter, error_inputs=inputs):
        oracle.commitInvalid(START + 3, sender=keeper)


@pytest.mark.parametrize("version", [9, 11])
def test_only_the_waiting_version_can_be_invalid(oracle, request_at, operator, version):
    request_at(5)

    with reverts(oracle.VersionNotNext, error_inputs={"version": START + version, "next": START + 10}):
        oracle.commitInvalid(START + version, sender=operator)


def test_where_none_waits_none_can_be_invalid(oracle, operator):
    with reverts(oracle.VersionNotNext, error_inputs={"version": START, "next": 0}):
        oracle.commitInvalid(START, sender=operator)


def test_an_invalid_version_has_no_keeper_and_no_price(stage, oracle, commit, request_at, operator):
    commit(3, time=8)
    request_at(9)
    stage.at(START + 60)
    receipt = oracle.commitInvalid(START + 10, sender=operator)

    assert oracle.keeperOf(START + 10) == "0x" + "0" * 40
    assert tuple(oracle.status()[0]) == (START + 10, 0, False)
    assert tuple(oracle.admit(START + 11, sender=operator)) == (0, START + 10)
    assert [(log.version, log.price, log.valid) for log in receipt.decode_logs(oracle.VersionCommitted)] == [
        (START + 10, 0, False)
    ]
