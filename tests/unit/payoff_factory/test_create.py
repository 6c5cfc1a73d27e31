"""PayoffFactory.create: each payoff once, for anyone (docs/protocol.md §12.1)."""

import pytest
from ape import reverts

ONE = 10**18


@pytest.fixture
def factory(project, operator):
    return operator.deploy(project.PayoffFactory)


def test_makes_the_payoff_that_was_asked_for(factory, project, taker):
    receipt = factory.create(4, 10**12, True, sender=taker)

    payoff = project.PowerPayoff.at(receipt.return_value)
    assert (payoff.halfPower(), payoff.scale(), payoff.negative()) == (4, 10**12, True)
    assert factory.isPayoff(payoff)
    assert payoff == factory.addressOf(4, 10**12, True)
    assert receipt.decode_logs(factory.PayoffCreated) == [
        factory.PayoffCreated(payoff=payoff.address, halfPower=4, scale=10**12, negative=True)
    ]


def test_the_second_time_it_is_the_same(factory, taker, maker):
    first = factory.create(2, ONE, False, sender=taker)
    second = factory.create(2, ONE, False, sender=maker)

    assert first.return_value == second.return_value
    assert second.decode_logs(factory.PayoffCreated) == []


def test_other_parameters_are_another_payoff(factory, taker):
    kinds = [(2, ONE, False), (2, ONE, True), (2, ONE + 1, False), (-2, ONE, False)]

    assert len({factory.create(*kind, sender=taker).return_value for kind in kinds}) == len(kinds)


def test_knows_no_other(factory, taker, project, operator):
    stranger = operator.deploy(project.PowerPayoff, 2, ONE, False)

    assert not factory.isPayoff(stranger)
    assert not factory.isPayoff(taker)
    assert not factory.isPayoff(factory.addressOf(2, ONE, False))


@pytest.mark.parametrize("half_power", [0, 5, -5, 2**255 - 1, -(2**255)])
def test_refuses_other_powers(factory, taker, half_power):
    with reverts(factory.HalfPowerOutOfRange, error_inputs={"halfPower": half_power}):
        factory.create(half_power, ONE, False, sender=taker)


@pytest.mark.parametrize("scale", [0, 10**36 + 1, 2**256 - 1])
def test_refuses_scales_out_of_range(factory, taker, scale):
    with reverts(factory.ScaleOutOfRange, error_inputs={"scale": scale}):
        factory.create(1, scale, False, sender=taker)


@pytest.mark.parametrize("half_power", [-4, -3, -2, -1, 1, 2, 3, 4])
@pytest.mark.parametrize("scale", [1, 10**36])
def test_takes_what_is_in_range(factory, taker, half_power, scale):
    assert factory.isPayoff(factory.create(half_power, scale, False, sender=taker).return_value)
