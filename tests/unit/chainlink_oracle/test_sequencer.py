"""ChainlinkOracle on a chain with a sequencer: prices during an outage and its grace time are refused (§11.4)."""

import pytest
from ape import reverts

from perennial.testing.oracles import CHAINLINK_WINDOW, START

GRACE = 600
DOWN, UP = 1_000, 1_500


@pytest.fixture
def outage(stage, operator):
    stage.sequencer.change(False, START + DOWN, sender=operator)
    stage.sequencer.change(True, START + UP, sender=operator)


def test_nothing_is_committed_while_it_is_down(stage, keeper, operator):
    stage.publish(1, 10)
    stage.sequencer.change(False, START + 20, sender=operator)

    with reverts(stage.adapter.SequencerDown, error_inputs={"since": START + 20}):
        stage.commit(keeper, 5, [1])


@pytest.mark.usefixtures("outage")
def test_nothing_is_committed_in_the_grace_time(stage, keeper):
    stage.publish(1, 10)

    with reverts(stage.adapter.SequencerDown, error_inputs={"since": START + UP}):
        stage.commit(keeper, 5, [1], time=UP + GRACE - 1)
    stage.commit(keeper, 5, [1], time=UP + GRACE)
    assert stage.latest().valid


@pytest.mark.usefixtures("outage")
@pytest.mark.parametrize(
    ("second", "refused"),
    [(DOWN - 1, False), (DOWN, True), (UP - 1, True), (UP, True), (UP + GRACE - 1, True), (UP + GRACE, False)],
)
def test_a_price_of_an_outage_is_refused_for_ever(stage, keeper, second, refused):
    stage.publish(1, second)

    if refused:
        with reverts(stage.adapter.PriceOfOutage, error_inputs={"id": stage.feed_id, "published": START + second}):
            stage.commit(keeper, second, [1], time=UP + GRACE + 100)
    else:
        stage.commit(keeper, second, [1], time=UP + GRACE + 100)
        assert stage.latest().valid


def test_older_outages_count(stage, keeper, operator):
    for start in range(0, 3000, 1000):
        stage.sequencer.change(False, START + start, sender=operator)
        stage.sequencer.change(True, START + start + 10, sender=operator)
    stage.publish(1, 5)
    stage.publish(2, 999)

    with reverts(stage.adapter.PriceOfOutage):
        stage.commit(keeper, 5, [1], time=3000)
    stage.commit(keeper, 6, [2], time=3001)
    assert stage.latest().valid


def test_a_feed_without_a_status_is_no_status(stage, project, operator, keeper):
    sequencer = operator.deploy(project.MockSequencerFeed)
    adapter = operator.deploy(project.ChainlinkOracle, sequencer, GRACE, stage.base.factory, operator, CHAINLINK_WINDOW)

    with reverts(adapter.SequencerDown, error_inputs={"since": 0}):
        adapter.commit([stage.oracle], START, [], sender=keeper)


def test_without_a_sequencer_prices_are_taken(stage, project, operator, keeper):
    zero = "0x" + "0" * 40
    adapter = operator.deploy(project.ChainlinkOracle, zero, 0, stage.base.factory, operator, CHAINLINK_WINDOW)
    stage.base.factory.updateAdapter(adapter, True, sender=operator)
    oracle = project.Oracle.at(stage.base.factory.create(adapter, [(stage.feed_id, 1)], sender=operator).return_value)
    stage.publish(1, 10)
    stage.base.at(START + 20)

    adapter.commit([oracle], START + 5, [1 << 64 | 1], sender=keeper)

    assert oracle.at(START + 5).valid
