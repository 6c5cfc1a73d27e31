"""ChainlinkOracle with missing rounds and several phases: at any time there is one round that it takes (§11.4)."""

import random

import pytest
from ape import reverts
from ape.exceptions import ContractLogicError

from perennial.testing.oracles import START


@pytest.mark.parametrize("reverting", [False, True])
@pytest.mark.parametrize("missing", [1, 31])
def test_missing_rounds_are_passed_over(stage, keeper, reverting, missing):
    stage.feed.setReverting(reverting, sender=keeper)
    stage.publish(1, 0)
    stage.publish(2 + missing, 10)

    stage.commit(keeper, 5, [2 + missing])

    assert stage.latest().valid


def test_a_round_behind_missing_ones_is_found(stage, keeper, error_round):
    stage.publish(1, 7)
    stage.publish(6, 10)

    inputs = {"id": stage.feed_id, "round": error_round(6), "earlier": error_round(1)}
    with reverts(stage.adapter.RoundNotFirst, error_inputs=inputs):
        stage.commit(keeper, 5, [6])


def test_too_many_missing_rounds_prove_nothing(stage, keeper, error_round):
    stage.publish(1, 0)
    stage.publish(34, 10)

    with reverts(stage.adapter.RoundNotProven, error_inputs={"id": stage.feed_id, "round": error_round(34)}):
        stage.commit(keeper, 5, [34])


def test_the_first_round_of_a_phase_follows_the_phase_before(stage, keeper, operator):
    stage.publish(1, 0)
    stage.feed.startPhase(sender=operator)
    stage.publish(1, 10, phase=2)

    stage.commit(keeper, 5, [(2, 1)])

    assert stage.latest().valid


@pytest.mark.parametrize(("last", "first"), [(8, 10), (5, 10), (8, 8)])
def test_a_round_of_the_phase_before_comes_first(stage, keeper, operator, error_round, last, first):
    """As early as at the version itself, and as late as the first of the phase after it."""
    stage.publish(1, 0)
    stage.publish(2, last)
    stage.feed.startPhase(sender=operator)
    stage.publish(1, first, phase=2)

    inputs = {"id": stage.feed_id, "round": error_round((2, 1)), "earlier": error_round(2)}
    with reverts(stage.adapter.RoundNotFirst, error_inputs=inputs):
        stage.commit(keeper, 5, [(2, 1)])
    stage.commit(keeper, 5, [2], time=66)
    assert stage.latest().valid


def test_a_retired_aggregator_that_goes_on_does_not_count(stage, keeper, operator, error_round):
    stage.publish(1, 0)
    stage.feed.startPhase(sender=operator)
    stage.publish(1, 1, phase=2)
    stage.publish(2, 7)
    stage.publish(2, 10, phase=2)

    with reverts(stage.adapter.RoundNotFirst, error_inputs={
        "id": stage.feed_id, "round": error_round(2), "earlier": error_round((2, 1)),
    }):  # fmt: skip
        stage.commit(keeper, 5, [2])
    stage.commit(keeper, 5, [(2, 2)], time=66)
    assert stage.latest().valid


def test_a_phase_that_begins_between_is_asked_for_its_first_round(stage, keeper, operator):
    """The retired aggregator published after the new one had begun: the new one's first round is earlier."""
    stage.publish(1, 0)
    stage.feed.startPhase(sender=operator)
    stage.publish(1, 8, phase=2)
    for number in range(2, 12):
        stage.publish(number, 7 + number)

    with reverts(stage.adapter.RoundNotFirst):
        stage.commit(keeper, 5, [2])
    stage.commit(keeper, 5, [(2, 1)], time=66)
    assert stage.latest().valid


def test_a_retired_aggregator_that_goes_on_for_too_long_proves_nothing(stage, keeper, operator):
    stage.publish(1, 0)
    stage.feed.startPhase(sender=operator)
    stage.publish(1, 8, phase=2)
    for number in range(2, 36):
        stage.publish(number, 8 + number)

    with reverts(stage.adapter.RoundNotProven):
        stage.commit(keeper, 5, [(2, 1)])


def test_phases_without_rounds_are_passed_over(stage, keeper, operator):
    stage.publish(1, 0)
    for _ in range(2):
        stage.feed.startPhase(sender=operator)
    stage.publish(3, 10, phase=3)

    stage.commit(keeper, 5, [(3, 3)])

    assert stage.latest().valid


def test_a_phase_that_is_not_known_proves_nothing(stage, keeper, operator, error_round):
    stage.publish(1, 0)
    stage.feed.startPhase(sender=operator)
    stage.publish(1, 10, phase=2)
    stage.feed.forgetPhase(1, sender=operator)

    inputs = {"id": stage.feed_id, "round": error_round((2, 1))}
    with reverts(stage.adapter.RoundNotProven, error_inputs=inputs):
        stage.commit(keeper, 5, [(2, 1)])


@pytest.mark.parametrize("seed", range(6))
def test_one_round_at_most(stage, keeper, operator, seed):
    """Random phases that overlap, with gaps and equal times: of all rounds, the right one is taken, and no other."""
    chance = random.Random(seed)
    rounds, begin = {}, 0
    for phase in range(1, 4):
        if phase > 1:
            stage.feed.startPhase(sender=operator)
        second = begin
        for number in sorted(chance.sample(range(1, 12), chance.randint(1, 6))):
            rounds[phase, number] = second
            stage.publish(number, second, phase=phase)
            second += chance.randint(0, 15)
        begin += chance.randint(5, 40)
    version = chance.randint(1, max(rounds.values()))

    taken = []
    stage.base.warp(START + 300)
    for each in rounds:
        try:
            arguments = [stage.oracle], START + version, [each[0] << 64 | each[1]]
            stage.adapter.commit.estimate_gas_cost(*arguments, sender=keeper)
        except ContractLogicError:
            continue
        taken.append(each)
    assert taken == expected(rounds, version)


def expected(rounds, version):
    """The rule, in words: see contracts/oracle/ChainlinkRounds.sol."""
    first = {phase: min(number for other, number in rounds if other == phase) for phase, _ in rounds}
    begun = [phase for phase, number in first.items() if rounds[phase, number] < version]
    active = max(begun, default=0)
    candidates = [
        (second, each)
        for each, second in rounds.items()
        if second >= version and (each[0] == active or (each[0] > active and each[1] == first[each[0]]))
    ]
    return [min(candidates)[1]] if candidates else []
