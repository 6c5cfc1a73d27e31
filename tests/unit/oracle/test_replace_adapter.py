"""Oracle.replaceAdapter and expire: a hand-over that loses no version and ends in bounded time (§11.7)."""

import pytest
from ape import reverts

from perennial.testing.oracles import START

DAY = 86_400


@pytest.fixture
def oracle(project, operator, keeper):
    """An oracle whose factory and market is the operator; its first adapter is the keeper."""
    oracle = operator.deploy(project.Oracle, operator, keeper, 10)
    oracle.bind(operator, sender=operator)
    return oracle


@pytest.fixture
def request_at(stage, oracle, operator):
    def request(second):
        stage.at(START + second)
        oracle.request(operator, sender=operator)

    return request


@pytest.fixture
def commit(stage, oracle):
    def commit(version, time, sender):
        stage.at(START + time)
        return oracle.commit(START + version, 1_000_000, START + version + 4, sender, sender=sender)

    return commit


@pytest.fixture
def replace(stage, oracle, operator):
    def replace(second, adapter):
        stage.at(START + second)
        oracle.replaceAdapter(adapter, sender=operator)

    return replace


def test_without_requests_the_new_adapter_serves_all_that_follows(stage, oracle, commit, replace, keeper, maker):
    commit(5, 10, keeper)
    replace(12, maker)

    with reverts(oracle.OracleNotAdapter, error_inputs={"caller": keeper.address, "adapter": maker.address}):
        commit(6, 13, keeper)
    commit(6, 13, maker)
    assert stage.latest(oracle).timestamp == START + 6


def test_before_the_first_version(stage, oracle, commit, replace, maker):
    replace(1, maker)
    commit(1, 5, maker)

    assert stage.latest(oracle).timestamp == START + 1


def test_what_is_requested_stays_with_the_old_adapter(oracle, request_at, commit, replace, keeper, maker):
    request_at(5)
    request_at(15)
    replace(16, maker)
    request_at(25)

    assert oracle.adapterOf(START + 20) == keeper
    assert oracle.adapterOf(START + 21) == maker
    with reverts(oracle.OracleNotAdapter):
        commit(10, 40, maker)
    commit(10, 40, keeper)
    commit(20, 41, keeper)
    with reverts(oracle.OracleNotAdapter):
        commit(30, 42, keeper)
    commit(30, 42, maker)
    assert oracle.next() == 0


def test_a_request_of_the_same_version_after_the_replacement_is_the_same_request(
    oracle, request_at, commit, replace, keeper, maker
):
    request_at(5)
    replace(6, maker)
    request_at(7)

    commit(10, 20, keeper)
    assert oracle.next() == 0


def test_freshening_before_an_old_request_is_the_old_adapters(
    stage, oracle, request_at, commit, replace, keeper, maker
):
    request_at(5)
    replace(6, maker)

    with reverts(oracle.OracleNotAdapter):
        commit(8, 20, maker)
    commit(8, 20, keeper)
    assert stage.latest(oracle).timestamp == START + 8


def test_tells_the_handover(oracle, request_at, replace, keeper, maker):
    request_at(5)
    replace(6, maker)

    assert tuple(oracle.handover()) == (keeper, START + 10, START + 10 + DAY)
    assert oracle.adapter() == maker


def test_another_replacement_waits_for_the_handover(oracle, request_at, commit, replace, keeper, maker, taker):
    request_at(5)
    replace(6, maker)
    request_at(15)

    with reverts(oracle.HandoverPending, error_inputs={"next": START + 10, "boundary": START + 10}):
        replace(17, taker)
    commit(10, 20, keeper)
    replace(21, taker)

    assert oracle.adapterOf(START + 20) == maker
    assert oracle.adapterOf(START + 21) == taker


def test_version_zero_is_no_version(oracle, replace, keeper, maker):
    replace(1, maker)

    with reverts(oracle.VersionNotNext, error_inputs={"version": 0, "next": 0}):
        oracle.commitInvalid(0, sender=keeper)


def test_the_adapter_in_service_cannot_replace_itself(oracle, replace, keeper):
    with reverts(oracle.AdapterInService, error_inputs={"adapter": keeper.address}):
        replace(1, keeper)


def test_only_the_factory_replaces(oracle, taker):
    with reverts(oracle.OracleNotFactory):
        oracle.replaceAdapter(taker, sender=taker)


def test_a_silent_adapter_ends_at_the_deadline(stage, oracle, request_at, commit, replace, maker, taker):
    request_at(5)
    request_at(15)
    replace(16, maker)
    request_at(25)
    deadline = 20 + DAY

    inputs = {"next": START + 10, "boundary": START + 20, "deadline": START + deadline}
    stage.at(START + deadline - 1)
    with reverts(oracle.HandoverNotOverdue, error_inputs=inputs):
        oracle.expire(10, sender=taker)
    stage.at(START + deadline)
    oracle.expire(10, sender=taker)

    assert tuple(oracle.status()[0]) == (START + 20, 0, False)
    assert oracle.next() == START + 30
    with reverts(oracle.OracleNotAdapter):
        commit(20, deadline + 1, maker)
    commit(30, deadline + 2, maker)


def test_expires_in_pieces(stage, oracle, request_at, replace, maker, taker):
    request_at(5)
    request_at(15)
    replace(16, maker)
    stage.at(START + 20 + DAY)
    oracle.expire(1, sender=taker)

    assert oracle.next() == START + 20
    oracle.expire(1, sender=taker)
    assert oracle.next() == 0
    with reverts(oracle.HandoverNotOverdue):
        oracle.expire(1, sender=taker)


def test_expires_no_more_than_what_waits(stage, oracle, request_at, replace, maker, taker):
    request_at(5)
    replace(6, maker)
    stage.at(START + 10 + DAY)
    oracle.expire(10, sender=taker)

    assert tuple(oracle.status()[0]) == (START + 10, 0, False)
    assert oracle.next() == 0


def test_the_old_adapter_cannot_make_version_0_invalid(oracle, replace, keeper, maker):
    """It is how it is said that none waits, and lies before the boundary."""
    replace(6, maker)

    with reverts(oracle.VersionNotNext, error_inputs={"version": 0, "next": 0}):
        oracle.commitInvalid(0, sender=keeper)


def test_without_a_replacement_nothing_expires_here(stage, oracle, request_at, taker):
    request_at(5)
    stage.at(START + 10 * DAY)

    with reverts(oracle.HandoverNotOverdue):
        oracle.expire(1, sender=taker)
