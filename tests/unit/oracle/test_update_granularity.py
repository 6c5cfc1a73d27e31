"""Oracle.updateGranularity: other spacing from the next version on; the current version never moves back."""

import pytest
from ape import reverts

from perennial.testing.oracles import START


@pytest.fixture
def oracle(project, operator):
    """An oracle whose factory and market is the operator."""
    oracle = operator.deploy(project.Oracle, operator, operator, 10)
    oracle.bind(operator, sender=operator)
    return oracle


@pytest.fixture
def current(stage, oracle):
    def current(second):
        stage.warp(START + second)
        return oracle.status()[1] - START

    return current


@pytest.fixture
def update(stage, oracle, operator):
    def update(second, granularity):
        stage.at(START + second)
        return oracle.updateGranularity(granularity, sender=operator)

    return update


def test_applies_after_the_current_version(update, current, oracle):
    update(13, 50)

    assert [current(second) for second in (14, 19, 20, 49, 50, 99, 100)] == [20, 20, 50, 50, 100, 100, 150]
    assert oracle.granularity() == 50


def test_to_a_finer_grid(update, current):
    update(13, 1)

    assert [current(second) for second in (14, 19, 20, 21, 22)] == [20, 20, 21, 22, 23]


def test_a_point_that_is_too_close_is_left_out(update, current):
    # 1,900,000,020 is 4 modulo 8: the next point of the new grid is 4 seconds on, closer than either spacing.
    update(13, 8)

    assert (START + 24) % 8 == 0
    assert [current(second) for second in (19, 20, 24, 31, 32, 40)] == [20, 32, 32, 32, 40, 48]


def test_twice_within_one_version(update, current):
    update(13, 100)
    update(15, 30)

    assert (START + 20) % 30 == 0
    assert [current(second) for second in (16, 20, 49, 50)] == [20, 50, 50, 80]


@pytest.mark.parametrize("granularities", [(7, 60, 3), (3600, 1, 3600), (59, 61, 10), (10, 10, 10)])
def test_current_never_moves_back(update, current, granularities):
    second, last = 10, 0
    for granularity in granularities:
        update(second + 1, granularity)
        for _ in range(4):
            second += 9
            now = current(second)
            assert now > second
            assert now >= last
            last = now


def test_requests_and_orders_agree_while_it_changes(stage, update, oracle, operator):
    update(13, 50)
    stamps = []
    for second in (15, 25, 55):
        stage.at(START + second)
        oracle.request(operator, sender=operator)
        stamps.append(oracle.status()[1])

    for stamp in stamps:
        assert oracle.next() == stamp
        stage.at(stamp + 1000)
        oracle.commitInvalid(stamp, sender=operator)


@pytest.mark.parametrize("granularity", [0, 3601])
def test_bounds(update, oracle, granularity):
    with reverts(oracle.GranularityOutOfRange, error_inputs={"granularity": granularity}):
        update(13, granularity)


@pytest.mark.parametrize("granularity", [1, 3600])
def test_bounds_are_allowed(update, oracle, granularity):
    update(13, granularity)

    assert oracle.granularity() == granularity


def test_only_the_factory(oracle, taker):
    with reverts(oracle.OracleNotFactory, error_inputs={"caller": taker.address}):
        oracle.updateGranularity(20, sender=taker)
