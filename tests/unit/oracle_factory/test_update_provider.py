"""OracleFactory.updateProvider: another source of prices, without losing a version (docs/protocol.md §11.7)."""

import pytest
from ape import reverts

from perennial.testing.oracles import PYTH_FEE, START, WINDOW, feed_id, feeds, update


@pytest.fixture
def successor(stage, project, operator):
    """Another PythOracle, admitted."""
    adapter = operator.deploy(project.PythOracle, stage.pyth, stage.factory, operator, WINDOW)
    stage.factory.updateAdapter(adapter, True, sender=operator)
    return adapter


@pytest.fixture
def replace(stage, successor, operator):
    def replace(time, *names):
        stage.at(time)
        return stage.factory.updateProvider(stage.oracle, successor, feeds(*names), sender=operator)

    return replace


@pytest.fixture
def commit_new(stage, successor, keeper):
    """Commits a version through the successor."""

    def commit(version, name, price, *, time=None):
        stage.at(time or version + 10)
        data = [update(name, price, version + 4)]
        return successor.commit([stage.oracle], version, data, sender=keeper, value=PYTH_FEE)

    return commit


def test_later_versions_come_from_the_new_source(stage, replace, commit_new, successor, keeper):
    stage.price(keeper, START, 1 * 10**8)
    receipt = replace(START + 15, "ETH")
    version = stage.order(START + 16)
    commit_new(version, "ETH", 2 * 10**8)

    assert tuple(stage.oracle.at(START)) == (START, 1_000_000, True)
    assert tuple(stage.oracle.at(version)) == (version, 2_000_000, True)
    assert stage.oracle.adapter() == successor
    [log] = receipt.decode_logs(stage.factory.ProviderUpdated)
    assert (log.oracle, log.adapter, log.boundary) == (stage.oracle, successor, START)
    assert [tuple(feed) for feed in log.feeds] == [(feed_id("ETH"), 1)]


def test_what_was_requested_is_served_by_the_old_source(stage, replace, successor, commit_new, keeper):
    version = stage.order(START + 5)
    replace(START + 6, "ETH")

    with reverts(successor.OracleNotAdapter):
        commit_new(version, "ETH", 10**8)
    stage.price(keeper, version, 3 * 10**8, time=version + 11)
    assert stage.latest().price == 3_000_000


def test_what_was_requested_expires_without_the_new_source(stage, replace, commit_new, taker):
    old = stage.order(START + 5)
    replace(START + 6, "ETH")
    new = stage.order(START + 15)

    stage.expire(taker, old)
    commit_new(new, "ETH", 2 * 10**8, time=old + 45)

    assert tuple(stage.oracle.at(old)) == (old, 0, False)
    assert tuple(stage.oracle.at(new)) == (new, 2_000_000, True)


def test_the_old_source_is_out(stage, replace, keeper):
    stage.price(keeper, START, 10**8)
    replace(START + 15, "ETH")

    with reverts(stage.adapter.OracleNotAdapter):
        stage.price(keeper, START + 20, 10**8)


def test_publish_times_never_go_back(stage, project, operator, keeper):
    """The old windows open late, the new ones early: what was published before the latest price is no price."""
    late, early = (
        operator.deploy(project.PythOracle, stage.pyth, stage.factory, operator, window)
        for window in ((50, 59, 30, 20_000), (0, 9, 200, 20_000))
    )
    for adapter in (late, early):
        stage.factory.updateAdapter(adapter, True, sender=operator)
    oracle = stage.create("BTC", adapter=late)
    market = operator.deploy(project.MockMarketFees, stage.token)
    stage.market.takeFor(stage.factory, oracle, operator, market, sender=operator)

    def commit(adapter, version, published, time):
        stage.at(time)
        data = [update("BTC", 10**8, published, previous=version - 1)]
        return adapter.commit([oracle], version, data, sender=keeper, value=PYTH_FEE)

    old = stage.order(START + 5, market)
    stage.at(START + 6)
    stage.factory.updateProvider(oracle, early, feeds("BTC"), sender=operator)
    new, last = (stage.order(START + second, market) for second in (15, 55))
    commit(late, old, old + 55, old + 56)

    inputs = {"id": feed_id("BTC"), "published": new + 1, "latest": old + 55}
    with reverts(early.PriceNotNewer, error_inputs=inputs):
        commit(early, new, new + 1, old + 57)
    stage.at(new + 209)
    early.commitInvalid([oracle], new, sender=keeper)
    commit(early, last, last + 6, new + 210)
    assert [oracle.at(version).valid for version in (old, new, last)] == [True, False, True]


def test_there_and_back(stage, replace, commit_new, operator, keeper):
    replace(START + 5, "ETH")
    commit_new(START + 10, "ETH", 2 * 10**8)
    stage.at(START + 25)
    stage.factory.updateProvider(stage.oracle, stage.adapter, feeds("EUR"), sender=operator)
    stage.commit(keeper, START + 30, [update("EUR", 5 * 10**8, START + 34)])

    assert [stage.oracle.at(START + at).price for at in (10, 30)] == [2_000_000, 5_000_000]


def test_needs_an_admitted_adapter(stage, operator, taker):
    with reverts(stage.factory.AdapterUnknown, error_inputs={"adapter": taker.address}):
        stage.factory.updateProvider(stage.oracle, taker, feeds("BTC"), sender=operator)


def test_needs_an_oracle_of_its_own(stage, project, successor, operator):
    provider = operator.deploy(project.MockOracle)
    stage.factory.register(provider, sender=operator)

    for oracle in (provider, successor):
        with reverts(stage.factory.OracleNotOwn, error_inputs={"oracle": oracle.address}):
            stage.factory.updateProvider(oracle, successor, feeds("BTC"), sender=operator)


def test_the_feeds_are_checked(stage, successor, operator):
    with reverts(stage.factory.FeedCountOutOfRange):
        stage.factory.updateProvider(stage.oracle, successor, [], sender=operator)


def test_the_granularity_must_fit(stage, project, operator):
    adapter = operator.deploy(project.PythOracle, stage.pyth, stage.factory, operator, (4, 14, 30, 20_000))
    stage.factory.updateAdapter(adapter, True, sender=operator)

    with reverts(stage.factory.GranularityTooSmall, error_inputs={"granularity": 10, "minimum": 11}):
        stage.factory.updateProvider(stage.oracle, adapter, feeds("BTC"), sender=operator)
