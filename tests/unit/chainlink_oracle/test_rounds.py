"""ChainlinkOracle with missing rounds and several phases: at any time there is one round that it takes (§11.4)."""

import random

import pytest
from ape import reverts
from ape.exceptions import ContractLogicError

from perennial.testing.oracles import START


@pytest.mark.parametrize("reverting", [False, True])
@pytest.mark.parametrize("missing", [1, 31])
def test_missing_rounds_are_passed_over(bench, keeper, reverting, missing):
    bench.feed.setReverting(reverting, sender=keeper)
    bench.publish(1, 0)
    bench.publish(2 + missing, 10)

    bench.commit(keeper, 5, [2 + missing])

    assert bench.latest().valid


def test_a_round_behind_missing_ones_is_found(bench, keeper, error_round):
    bench.publish(1, 7)
    bench.publish(6, 10)

    inputs = {"id": bench.feed_id, "round": error_round(6), "earlier": error_round(1)}
    with reverts(bench.adapter.RoundNotFirst, error_inputs=inputs):
        bench.commit(keeper, 5, [6])


def test_too_many_missing_rounds_prove_nothing(bench, keeper, error_round):
    bench.publish(1, 0)
    bench.publish(34, 10)

    with reverts(bench.adapter.RoundNotProven, error_inputs={"id": bench.feed_id, "round": error_round(34)}):
        bench.commit(keeper, 5, [34])


def test_the_first_round_of_a_phase_follows_the_phase_before(bench, keeper, operator):
    bench.publish(1, 0)
    bench.feed.startPhase(sender=operator)
    bench.publish(1, 10, phase=2)

    bench.commit(keeper, 5, [(2, 1)])

    assert bench.latest().valid


def test_a_round_of_the_phase_before_comes_first(bench, keeper, operator, error_round):
    bench.publish(1, 0)
    bench.publish(2, 8)
    bench.feed.startPhase(sender=operator)
    bench.publish(1, 10, phase=2)

    inputs = {"id": bench.feed_id, "round": error_round((2, 1)), "earlier": error_round(2)}
    with reverts(bench.adapter.RoundNotFirst, error_inputs=inputs):
        bench.commit(keeper, 5, [(2, 1)])
    bench.commit(keeper, 5, [2], time=66)
    assert bench.latest().valid


def test_a_retired_aggregator_that_goes_on_does_not_count(bench, keeper, operator, error_round):
    bench.publish(1, 0)
    bench.feed.startPhase(sender=operator)
    bench.publish(1, 1, phase=2)
    bench.publish(2, 7)
    bench.publish(2, 10, phase=2)

    with reverts(bench.adapter.RoundNotFirst, error_inputs={
        "id": bench.feed_id, "round": error_round(2), "earlier": error_round((2, 1)),
    }):  # fmt: skip
        bench.commit(keeper, 5, [2])
    bench.commit(keeper, 5, [(2, 2)], time=66)
    assert bench.latest().valid


def test_a_phase_that_begins_between_is_asked_for_its_first_round(bench, keeper, operator):
    """The retired aggregator published after the new one had begun: the new one's first round is earlier."""
    bench.publish(1, 0)
    bench.feed.startPhase(sender=operator)
    bench.publish(1, 8, phase=2)
    for number in range(2, 12):
        bench.publish(number, 7 + number)

    with reverts(bench.adapter.RoundNotFirst):
        bench.commit(keeper, 5, [2])
    bench.commit(keeper, 5, [(2, 1)], time=66)
    assert bench.latest().valid


def test_a_retired_aggregator_that_goes_on_for_too_long_proves_nothing(bench, keeper, operator):
    bench.publish(1, 0)
    bench.feed.startPhase(sender=operator)
    bench.publish(1, 8, phase=2)
    for number in range(2, 36):
        bench.publish(number, 8 + number)

    with reverts(bench.adapter.RoundNotProven):
        bench.commit(keeper, 5, [(2, 1)])


def test_phases_without_rounds_are_passed_over(bench, keeper, operator):
    bench.publish(1, 0)
    for _ in range(2):
        bench.feed.startPhase(sender=operator)
    bench.publish(3, 10, phase=3)

    bench.commit(keeper, 5, [(3, 3)])

    assert bench.latest().valid


def test_a_phase_that_is_not_known_proves_nothing(bench, keeper, operator, error_round):
    bench.publish(1, 0)
    bench.feed.startPhase(sender=operator)
    bench.publish(1, 10, phase=2)
    bench.feed.forgetPhase(1, sender=operator)

    inputs = {"id": bench.feed_id, "round": error_round((2, 1))}
    with reverts(bench.adapter.RoundNotProven, error_inputs=inputs):
        bench.commit(keeper, 5, [(2, 1)])


@pytest.mark.parametrize("seed", range(6))
def test_one_round_at_most(bench, keeper, operator, seed):
    """Random phases that overlap, with gaps and equal times: of all rounds, the right one is taken, and no other."""
    chance = random.Random(seed)
    rounds, begin = {}, 0
    for phase in range(1, 4):
        if phase > 1:
            bench.feed.startPhase(sender=operator)
        second = begin
        for number in sorted(chance.sample(range(1, 12), chance.randint(1, 6))):
            rounds[phase, number] = second
            bench.publish(number, second, phase=phase)
            second += chance.randint(0, 15)
        begin += chance.randint(5, 40)
    version = chance.randint(1, max(rounds.values()))

    taken = []
    bench.base.warp(START + 300)
    for each in rounds:
        try:
            arguments = [bench.oracle], START + version, [each[0] << 64 | each[1]]
            bench.adapter.commit.estimate_gas_cost(*arguments, sender=keeper)
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
