"""Oracle.status: the latest version, and the current one that is always later."""

import pytest

from perennial.testing.oracles import START


def test_before_the_first_version_there_is_no_price(stage):
    stage.warp(START + 3)

    latest, current = stage.oracle.status()

    assert tuple(latest) == (0, 0, False)
    assert current == START + 10


def test_tells_the_newest_commit(stage, keeper):
    stage.price(keeper, START + 1, 123_45678901)

    assert tuple(stage.oracle.status()[0]) == (START + 1, 123_456789, True)


def test_an_expired_version_is_the_latest_without_a_price(stage, keeper):
    stage.price(keeper, START + 1, 10**8)
    version = stage.order(START + 15)
    stage.expire(keeper, version)

    assert tuple(stage.oracle.status()[0]) == (version, 0, False)


@pytest.mark.parametrize(("second", "expected"), [(0, 10), (1, 10), (9, 10), (10, 20), (19, 20), (20, 30)])
def test_current_is_the_next_point_of_the_grid(stage, second, expected):
    stage.warp(START + 100 + second)

    assert stage.oracle.status()[1] == START + 100 + expected


def test_current_is_later_than_a_version_committed_this_second(stage, keeper):
    stage.price(keeper, START + 6, 10**8, time=START + 10)

    assert stage.latest().timestamp == START + 6
    assert stage.oracle.status()[1] == START + 20
