"""MarketFactory.upgradeTo: one beacon for all markets (docs/protocol.md §3.4)."""

import pytest

from perennial.amounts import raw
from perennial.testing.anvil import NOBODY
from perennial.testing.market import event, refused


@pytest.fixture
def create_code(anvil, operator):
    def create(factory):
        parts = [anvil.deploy(name, factory, sender=operator) for name in ("MarketExtension", "MarketIntents")]
        return anvil.deploy("Market", factory, *parts, sender=operator)

    return create


def test_upgrade_changes_the_code_of_all_markets_and_keeps_their_storage(create_market, create_code, operator, taker):
    markets = [create_market() for _ in range(2)]
    for bench in markets:
        bench.fill(maker="10", long="5")
    code = create_code(markets[0].factory)

    receipt = markets[0].factory.upgradeTo(code, sender=operator)

    assert receipt.events == [event("Upgraded", implementation=code)]
    assert markets[0].factory.implementation() == code.address
    for bench in markets:
        assert bench.market.positions(taker).long == raw("5")
        bench.commit("110")
        bench.settle()
        assert bench.market.collateral(taker) == raw("10050")
        bench.check()


@pytest.mark.parametrize("role", ["coordinator", "keeper", "stranger"])
def test_upgrade_by_others(factory, create_code, actors, role):
    code = create_code(factory)
    with refused("OwnableUnauthorizedAccount", actors[role]):
        factory.upgradeTo(code, sender=actors[role])


def test_upgrade_to_no_contract(factory, operator, stranger):
    for address in (NOBODY, stranger):
        with refused("InvalidImplementation", address):
            factory.upgradeTo(address, sender=operator)


def test_upgrade_to_code_of_another_factory(factory, create_code, anvil, protocol, operator):
    registries = protocol.oracle_factory, protocol.payoff_factory
    other = anvil.deploy("MarketFactory", operator, *registries, factory.parameter(), sender=operator)
    code = create_code(other)
    with refused("InvalidImplementation", code):
        factory.upgradeTo(code, sender=operator)


@pytest.mark.parametrize("foreign", ["MarketExtension", "MarketIntents"])
def test_code_with_a_part_of_another_factory(factory, anvil, protocol, operator, foreign):
    registries = protocol.oracle_factory, protocol.payoff_factory
    other = anvil.deploy("MarketFactory", operator, *registries, factory.parameter(), sender=operator)
    parts = [
        anvil.deploy(name, other if name == foreign else factory, sender=operator)
        for name in ("MarketExtension", "MarketIntents")
    ]
    code = next(part for name, part in zip(("MarketExtension", "MarketIntents"), parts, strict=True) if name == foreign)
    with refused("ForeignCode", code, other):
        anvil.deploy("Market", factory, *parts, sender=operator)


def test_code_itself_is_no_market(factory, create_code, operator, taker, bench):
    """The implementation behind the beacon has no oracle: nobody can do anything with it."""
    code = bench.anvil.contract("IMarket", create_code(factory).address)
    with refused("NotFactory", operator):
        code.initialize(bench.definition(), operator, *_structs(bench), sender=operator)
    with refused("revert"):
        code.update(taker, 0, 0, 0, NOBODY, sender=taker)


def _structs(bench):
    return bench.market.riskParameter(), bench.market.parameter()
