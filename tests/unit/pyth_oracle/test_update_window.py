"""PythOracle.updateWindow: within bounds, for versions that nobody can have requested (docs/protocol.md §11.3)."""

import pytest
from ape import reverts

from perennial.testing.oracles import START, WINDOW, update

NOTICE = 7200


@pytest.fixture
def change(stage, operator):
    def change(second, window, sender=operator):
        stage.at(START + second)
        return stage.adapter.updateWindow(window, sender=sender)

    return change


def test_applies_two_hours_later(stage, change):
    receipt = change(0, (5, 11, 60, 10_000))

    assert tuple(stage.adapter.windowOf(START + NOTICE - 1)) == WINDOW
    assert tuple(stage.adapter.windowOf(START + NOTICE)) == (5, 11, 60, 10_000)
    [log] = receipt.decode_logs(stage.adapter.WindowUpdated)
    assert (getattr(log, "from"), tuple(log.window)) == (START + NOTICE, (5, 11, 60, 10_000))


def test_a_request_keeps_its_window_for_ever(stage, change, keeper, not_found):
    version = stage.order(START + 5)
    change(6, (8, 12, 3600, 20_000))

    with not_found():
        stage.commit(keeper, version, [update("BTC", 10**8, version + 12)], time=version + 20)
    with reverts(stage.adapter.VersionExpired):
        stage.price(keeper, version, 10**8, time=version + 2 * NOTICE)
    stage.expire(keeper, version, time=version + 2 * NOTICE + 1)
    assert not stage.latest().valid


def test_later_versions_have_the_new_one(stage, change, keeper, not_found):
    change(0, (8, 12, 3600, 20_000))
    version = stage.order(START + NOTICE + 5)

    with not_found():
        stage.price(keeper, version, 10**8, time=version + 20)
    stage.commit(keeper, version, [update("BTC", 10**8, version + 8)], time=version + 3611)
    assert stage.latest().valid


def test_one_at_a_time(change, stage):
    change(0, (5, 11, 60, 10_000))

    with reverts(stage.adapter.WindowPending, error_inputs={"from": START + NOTICE}):
        change(NOTICE - 1, (5, 11, 60, 20_000))
    change(NOTICE, (5, 11, 60, 20_000))
    assert stage.adapter.windowOf(2**48 - 1).confidence == 20_000


@pytest.mark.parametrize(
    "window",
    [
        (5, 4, 30, 20_000),
        (4, 10, 9, 20_000),
        (4, 10, 86_391, 20_000),
        (86_390, 86_391, 10, 20_000),
        (4, 10, 30, 0),
        (4, 10, 30, 1_000_001),
    ],
)
def test_bounds(change, stage, window):
    with reverts(stage.adapter.WindowOutOfRange):
        change(0, window)


@pytest.mark.parametrize("window", [(4, 4, 30, 20_000), (4, 10, 10, 1), (4, 10, 86_390, 1_000_000)])
def test_bounds_are_allowed(change, stage, window):
    change(0, window)

    assert tuple(stage.adapter.windowOf(START + NOTICE)) == window


@pytest.mark.parametrize(
    ("window", "minimum"),
    [
        ((4, 14, 30, 20_000), 11),  # its own windows overlap at a granularity of 10
        ((0, 6, 30, 20_000), 11),  # the last old one, to second 10, and the first new one, from second 10 on
    ],
)
def test_windows_of_neighbours_do_not_overlap(change, stage, window, minimum):
    with reverts(stage.adapter.GranularityTooSmall, error_inputs={"granularity": 10, "minimum": minimum}):
        change(0, window)


def test_the_next_best_window_is_allowed(change, stage):
    change(0, (1, 10, 30, 20_000))

    assert stage.adapter.windowOf(START + NOTICE).validFrom == 1


def test_a_new_granularity_must_fit_the_windows(stage, operator):
    with reverts(stage.factory.GranularityTooSmall, error_inputs={"granularity": 6, "minimum": 7}):
        stage.factory.updateGranularity(stage.oracle, 6, sender=operator)
    stage.factory.updateGranularity(stage.oracle, 7, sender=operator)
    assert stage.oracle.granularity() == 7


@pytest.mark.parametrize(
    ("window", "minimum"),
    [
        ((4, 12, 30, 20_000), 9),  # its own
        ((6, 10, 30, 20_000), 7),  # those in force until then
        ((1, 5, 30, 20_000), 10),  # the last old one, to second 10, and the first new one, from second 1 on
    ],
)
def test_a_new_granularity_must_fit_the_windows_to_come(stage, change, operator, window, minimum):
    change(0, window)

    inputs = {"granularity": minimum - 1, "minimum": minimum}
    with reverts(stage.factory.GranularityTooSmall, error_inputs=inputs):
        stage.factory.updateGranularity(stage.oracle, minimum - 1, sender=operator)
    stage.factory.updateGranularity(stage.oracle, minimum, sender=operator)


def test_windows_must_fit_a_granularity_that_is_finer_than_the_first(stage, change, operator):
    stage.factory.updateGranularity(stage.oracle, 7, sender=operator)

    with reverts(stage.adapter.GranularityTooSmall, error_inputs={"granularity": 7, "minimum": 8}):
        change(0, (4, 11, 30, 20_000))


def test_only_the_owner(change, stage, taker):
    with reverts(stage.adapter.OwnableUnauthorizedAccount):
        change(0, WINDOW, sender=taker)
