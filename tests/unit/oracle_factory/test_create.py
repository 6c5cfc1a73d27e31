"""OracleFactory.create and register: where oracles come from (docs/protocol.md §11.2)."""

import pytest
from ape import reverts

from perennial.testing.oracles import feed_id, feeds

NOBODY = "0x" + "0" * 40


def test_is_open_to_anyone(bench, taker):
    oracle = bench.create("ETH", "/BTC", sender=taker)

    assert bench.factory.creatorOf(oracle) == taker
    assert bench.factory.marketOf(oracle) == NOBODY
    assert oracle.factory() == bench.factory
    assert oracle.adapter() == bench.adapter
    assert oracle.granularity() == 10
    assert oracle.market() == NOBODY


def test_makes_a_new_one_each_time(bench, taker):
    assert bench.create("BTC", sender=taker) != bench.create("BTC", sender=taker)


def test_tells_the_feeds(bench, taker):
    receipt = bench.factory.create(bench.adapter, feeds("ETH", "/BTC"), sender=taker)

    [log] = receipt.decode_logs(bench.factory.OracleCreated)
    assert (log.oracle, log.creator, log.adapter) == (receipt.return_value, taker, bench.adapter)
    assert [tuple(feed) for feed in log.feeds] == [(feed_id("ETH"), 1), (feed_id("BTC"), -1)]


def test_needs_an_adapter_that_the_owner_admitted(bench, operator, taker):
    with reverts(bench.factory.AdapterUnknown, error_inputs={"adapter": taker.address}):
        bench.create("BTC", adapter=taker, sender=taker)

    receipt = bench.factory.updateAdapter(bench.adapter, False, sender=operator)
    assert receipt.decode_logs(bench.factory.AdapterUpdated) == [
        bench.factory.AdapterUpdated(adapter=bench.adapter.address, admitted=False)
    ]
    with reverts(bench.factory.AdapterUnknown):
        bench.create("BTC", sender=taker)


def test_registers_any_provider(bench, project, operator):
    provider = operator.deploy(project.MockOracle)

    receipt = bench.factory.register(provider, sender=operator)

    assert receipt.decode_logs(bench.factory.OracleRegistered) == [
        bench.factory.OracleRegistered(oracle=provider.address)
    ]
    assert bench.factory.creatorOf(provider) == NOBODY


def test_registers_once(bench, project, operator):
    provider = operator.deploy(project.MockOracle)
    bench.factory.register(provider, sender=operator)

    for known in (provider, bench.oracle, bench.create("BTC")):
        with reverts(bench.factory.OracleKnown, error_inputs={"oracle": known.address}):
            bench.factory.register(known, sender=operator)


def test_registers_contracts_only(bench, operator, taker):
    with reverts(bench.factory.NotContract, error_inputs={"account": taker.address}):
        bench.factory.register(taker, sender=operator)
    with reverts(bench.factory.NotContract, error_inputs={"account": taker.address}):
        bench.factory.updateAdapter(taker, True, sender=operator)


@pytest.fixture
def owners_calls(bench, taker):
    """Every call that is the owner's."""
    return {
        "register": (bench.oracle,),
        "updateMarketFactory": (bench.market,),
        "updateAdapter": (bench.adapter, True),
        "updateProvider": (bench.oracle, bench.adapter, feeds("BTC")),
        "updateGranularity": (bench.oracle, 20),
        "claimOracleFee": (bench.market, taker),
    }


def test_the_owners_calls_are_the_owners(bench, owners_calls, taker):
    for name, arguments in owners_calls.items():
        with reverts(bench.factory.OwnableUnauthorizedAccount, error_inputs={"account": taker.address}):
            getattr(bench.factory, name)(*arguments, sender=taker)


def test_names_the_market_factory_once(bench, project, operator, taker):
    with reverts(bench.factory.MarketFactorySet, error_inputs={"marketFactory": bench.market.address}):
        bench.factory.updateMarketFactory(bench.market, sender=operator)

    fresh = operator.deploy(project.OracleFactory, operator)
    with reverts(fresh.NotContract, error_inputs={"account": taker.address}):
        fresh.updateMarketFactory(taker, sender=operator)
    receipt = fresh.updateMarketFactory(bench.market, sender=operator)
    assert fresh.marketFactory() == bench.market
    assert len(receipt.decode_logs(fresh.MarketFactoryUpdated)) == 1


def test_changes_the_granularity_of_its_own_oracles(bench, project, operator):
    receipt = bench.factory.updateGranularity(bench.oracle, 60, sender=operator)

    [log] = receipt.decode_logs(bench.factory.GranularityUpdated)
    assert (log.oracle, log.granularity) == (bench.oracle, 60)
    assert bench.oracle.granularity() == 60

    provider = operator.deploy(project.MockOracle)
    bench.factory.register(provider, sender=operator)
    with reverts(bench.factory.OracleNotOwn, error_inputs={"oracle": provider.address}):
        bench.factory.updateGranularity(provider, 60, sender=operator)
