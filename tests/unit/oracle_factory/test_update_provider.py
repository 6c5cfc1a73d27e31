"""OracleFactory.updateProvider: another source of prices, without losing a version (docs/protocol.md §11.7)."""

import pytest
from ape import reverts

from perennial.testing.oracles import PYTH_FEE, START, WINDOW, feed_id, feeds, update


@pytest.fixture
def successor(bench, project, operator):
    """Another PythOracle, admitted."""
    adapter = operator.deploy(project.PythOracle, bench.pyth, bench.factory, operator, WINDOW)
    bench.factory.updateAdapter(adapter, True, sender=operator)
    return adapter


@pytest.fixture
def replace(bench, successor, operator):
    def replace(time, *names):
        bench.at(time)
        return bench.factory.updateProvider(bench.oracle, successor, feeds(*names), sender=operator)

    return replace


@pytest.fixture
def commit_new(bench, successor, keeper):
    """Commits a version through the successor."""

    def commit(version, name, price, *, time=None):
        bench.at(time or version + 10)
        data = [update(name, price, version + 4)]
        return successor.commit([bench.oracle], version, data, sender=keeper, value=PYTH_FEE)

    return commit


def test_later_versions_come_from_the_new_source(bench, replace, commit_new, successor, keeper):
    bench.price(keeper, START, 1 * 10**8)
    receipt = replace(START + 15, "ETH")
    version = bench.order(START + 16)
    commit_new(version, "ETH", 2 * 10**8)

    assert tuple(bench.oracle.at(START)) == (START, 1_000_000, True)
    assert tuple(bench.oracle.at(version)) == (version, 2_000_000, True)
    assert bench.oracle.adapter() == successor
    [log] = receipt.decode_logs(bench.factory.ProviderUpdated)
    assert (log.oracle, log.adapter, log.boundary) == (bench.oracle, successor, START)
    assert [tuple(feed) for feed in log.feeds] == [(feed_id("ETH"), 1)]


def test_what_was_requested_is_served_by_the_old_source(bench, replace, commit_new, keeper):
    version = bench.order(START + 5)
    replace(START + 6, "ETH")

    with reverts(bench.oracle.OracleNotAdapter):
        commit_new(version, "ETH", 10**8)
    bench.price(keeper, version, 3 * 10**8, time=version + 11)
    assert bench.latest().price == 3_000_000


def test_what_was_requested_expires_without_the_new_source(bench, replace, commit_new, taker):
    old = bench.order(START + 5)
    replace(START + 6, "ETH")
    new = bench.order(START + 15)

    bench.expire(taker, old)
    commit_new(new, "ETH", 2 * 10**8, time=old + 45)

    assert tuple(bench.oracle.at(old)) == (old, 0, False)
    assert tuple(bench.oracle.at(new)) == (new, 2_000_000, True)


def test_the_old_source_is_out(bench, replace, keeper):
    bench.price(keeper, START, 10**8)
    replace(START + 15, "ETH")

    with reverts(bench.oracle.OracleNotAdapter):
        bench.price(keeper, START + 20, 10**8)


def test_there_and_back(bench, replace, commit_new, operator, keeper):
    replace(START + 5, "ETH")
    commit_new(START + 10, "ETH", 2 * 10**8)
    bench.at(START + 25)
    bench.factory.updateProvider(bench.oracle, bench.adapter, feeds("EUR"), sender=operator)
    bench.commit(keeper, START + 30, [update("EUR", 5 * 10**8, START + 34)])

    assert [bench.oracle.at(START + at).price for at in (10, 30)] == [2_000_000, 5_000_000]


def test_needs_an_admitted_adapter(bench, operator, taker):
    with reverts(bench.factory.AdapterUnknown, error_inputs={"adapter": taker.address}):
        bench.factory.updateProvider(bench.oracle, taker, feeds("BTC"), sender=operator)


def test_needs_an_oracle_of_its_own(bench, project, successor, operator):
    provider = operator.deploy(project.MockOracle)
    bench.factory.register(provider, sender=operator)

    for oracle in (provider, successor):
        with reverts(bench.factory.OracleNotOwn, error_inputs={"oracle": oracle.address}):
            bench.factory.updateProvider(oracle, successor, feeds("BTC"), sender=operator)


def test_the_feeds_are_checked(bench, successor, operator):
    with reverts(successor.FeedCountOutOfRange):
        bench.factory.updateProvider(bench.oracle, successor, [], sender=operator)


def test_the_granularity_must_fit(bench, project, operator):
    adapter = operator.deploy(project.PythOracle, bench.pyth, bench.factory, operator, (4, 14, 30, 20_000))
    bench.factory.updateAdapter(adapter, True, sender=operator)

    with reverts(adapter.GranularityTooSmall, error_inputs={"granularity": 10, "minimum": 11}):
        bench.factory.updateProvider(bench.oracle, adapter, feeds("BTC"), sender=operator)
