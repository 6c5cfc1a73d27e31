"""OracleFactory.create and register: where oracles come from (docs/protocol.md §11.2)."""

import pytest
from ape import reverts

from perennial.testing.oracles import feed_id, feeds

NOBODY = "0x" + "0" * 40


def test_is_open_to_anyone(stage, taker):
    oracle = stage.create("ETH", "/BTC", sender=taker)

    assert stage.factory.creatorOf(oracle) == taker
    assert stage.factory.marketOf(oracle) == NOBODY
    assert oracle.factory() == stage.factory
    assert oracle.adapter() == stage.adapter
    assert oracle.granularity() == 10
    assert oracle.market() == NOBODY


def test_makes_a_new_one_each_time(stage, taker):
    assert stage.create("BTC", sender=taker) != stage.create("BTC", sender=taker)


def test_tells_the_feeds(stage, taker):
    receipt = stage.factory.create(stage.adapter, feeds("ETH", "/BTC"), sender=taker)

    [log] = receipt.decode_logs(stage.factory.OracleCreated)
    assert (log.oracle, log.creator, log.adapter) == (receipt.return_value, taker, stage.adapter)
    assert [tuple(feed) for feed in log.feeds] == [(feed_id("ETH"), 1), (feed_id("BTC"), -1)]


def test_needs_an_adapter_that_the_owner_admitted(stage, operator, taker):
    with reverts(stage.factory.AdapterUnknown, error_inputs={"adapter": taker.address}):
        stage.create("BTC", adapter=taker, sender=taker)

    receipt = stage.factory.updateAdapter(stage.adapter, False, sender=operator)
    assert receipt.decode_logs(stage.factory.AdapterUpdated) == [
        stage.factory.AdapterUpdated(adapter=stage.adapter.address, admitted=False)
    ]
    with reverts(stage.factory.AdapterUnknown):
        stage.create("BTC", sender=taker)


def test_registers_any_provider(stage, project, operator):
    provider = operator.deploy(project.MockOracle)

    receipt = stage.factory.register(provider, sender=operator)

    assert receipt.decode_logs(stage.factory.OracleRegistered) == [
        stage.factory.OracleRegistered(oracle=provider.address)
    ]
    assert stage.factory.creatorOf(provider) == NOBODY


def test_registers_once(stage, project, operator):
    provider = operator.deploy(project.MockOracle)
    stage.factory.register(provider, sender=operator)

    for known in (provider, stage.oracle, stage.create("BTC")):
        with reverts(stage.factory.OracleKnown, error_inputs={"oracle": known.address}):
            stage.factory.register(known, sender=operator)


def test_registers_contracts_only(stage, operator, taker):
    with reverts(stage.factory.NotContract, error_inputs={"account": taker.address}):
        stage.factory.register(taker, sender=operator)
    with reverts(stage.factory.NotContract, error_inputs={"account": taker.address}):
        stage.factory.updateAdapter(taker, True, sender=operator)


@pytest.fixture
def owners_calls(stage, taker):
    """Every call that is the owner's."""
    return {
        "register": (stage.oracle,),
        "updateMarketFactory": (stage.market,),
        "updateAdapter": (stage.adapter, True),
        "updateProvider": (stage.oracle, stage.adapter, feeds("BTC")),
        "updateGranularity": (stage.oracle, 20),
        "claimOracleFee": (stage.market, taker),
    }


def test_the_owners_calls_are_the_owners(stage, owners_calls, taker):
    for name, arguments in owners_calls.items():
        with reverts(stage.factory.OwnableUnauthorizedAccount, error_inputs={"account": taker.address}):
            getattr(stage.factory, name)(*arguments, sender=taker)


def test_there_is_always_an_owner(stage, operator, taker):
    for contract in (stage.factory, stage.adapter):
        with reverts(contract.OwnableUnauthorizedAccount, error_inputs={"account": taker.address}):
            contract.renounceOwnership(sender=taker)
        with reverts(contract.OwnerRequired):
            contract.renounceOwnership(sender=operator)
        assert contract.owner() == operator


def test_names_the_market_factory_once(stage, project, operator, taker):
    with reverts(stage.factory.MarketFactorySet, error_inputs={"marketFactory": stage.market.address}):
        stage.factory.updateMarketFactory(stage.market, sender=operator)

    fresh = operator.deploy(project.OracleFactory, operator)
    with reverts(fresh.NotContract, error_inputs={"account": taker.address}):
        fresh.updateMarketFactory(taker, sender=operator)
    receipt = fresh.updateMarketFactory(stage.market, sender=operator)
    assert fresh.marketFactory() == stage.market
    assert len(receipt.decode_logs(fresh.MarketFactoryUpdated)) == 1


def test_changes_the_granularity_of_its_own_oracles(stage, project, operator):
    receipt = stage.factory.updateGranularity(stage.oracle, 60, sender=operator)

    [log] = receipt.decode_logs(stage.factory.GranularityUpdated)
    assert (log.oracle, log.granularity) == (stage.oracle, 60)
    assert stage.oracle.granularity() == 60

    provider = operator.deploy(project.MockOracle)
    stage.factory.register(provider, sender=operator)
    with reverts(stage.factory.OracleNotOwn, error_inputs={"oracle": provider.address}):
        stage.factory.updateGranularity(provider, 60, sender=operator)
