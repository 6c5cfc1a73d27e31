"""MarketFactory.updateParameter and the constructor's parameters (docs/protocol.md §4.3)."""

import pytest

from perennial.testing.bounds import PROTOCOL_BOUNDS, label
from perennial.testing.market import PROTOCOL, changed, event, refused

VALUES = {
    "protocolFee": 1,
    "maxFee": 2,
    "maxFeeAbsolute": 3,
    "maxCut": 4,
    "maxRate": 5,
    "minMaintenance": 6,
    "minEfficiency": 7,
}


def test_update(factory, operator):
    receipt = factory.updateParameter(VALUES, sender=operator)

    assert factory.parameter() == tuple(VALUES.values())
    assert receipt.events == [event("ProtocolParameterUpdated", parameter=tuple(VALUES.values()))]
    assert factory.status() == (1, False)


@pytest.mark.parametrize("bound", PROTOCOL_BOUNDS, ids=label)
def test_bound(factory, operator, bound):
    def parameter(value):
        return changed(PROTOCOL, bound.changes(value))

    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        factory.updateParameter(parameter(bound.refused), sender=operator)
    with refused("ParameterOutOfBounds", bound.field, 2**256 - 1, bound.bound):
        factory.updateParameter(parameter(2**256 - 1), sender=operator)
    factory.updateParameter(parameter(bound.accepted), sender=operator)
    assert getattr(factory.parameter(), bound.field) == bound.accepted


@pytest.mark.parametrize("bound", PROTOCOL_BOUNDS, ids=label)
def test_bound_at_deployment(anvil, protocol, operator, bound):
    def deploy(value):
        parameter = changed(PROTOCOL, bound.changes(value))
        registries = protocol.oracle_factory, protocol.payoff_factory
        return anvil.deploy("MarketFactory", operator, *registries, parameter, sender=operator)

    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        deploy(bound.refused)
    assert getattr(deploy(bound.accepted).parameter(), bound.field) == bound.accepted


@pytest.mark.parametrize("role", ["coordinator", "keeper", "stranger"])
def test_update_by_others(factory, actors, role):
    with refused("OwnableUnauthorizedAccount", actors[role]):
        factory.updateParameter(PROTOCOL, sender=actors[role])


def test_update_keeps_pause_and_implementation(factory, operator, keeper):
    factory.updatePauser(keeper, sender=operator)
    factory.pause(sender=keeper)
    implementation = factory.implementation()

    factory.updateParameter(VALUES, sender=operator)

    assert factory.implementation() == implementation
    assert factory.status() == (1, True)


def test_registries(factory, protocol, operator):
    assert factory.owner() == operator.address
    assert factory.oracleFactory() == protocol.oracle_factory.address
    assert factory.payoffFactory() == protocol.payoff_factory.address
    assert factory.verifier() != factory.address
