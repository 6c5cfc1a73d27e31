"""OracleFactory.bind: each oracle has one market, of its creator's (docs/protocol.md §3.2)."""

import pytest
from ape import reverts

NOBODY = "0x" + "0" * 40


@pytest.fixture
def market(bench, project, operator):
    """Another market."""
    return operator.deploy(project.MockMarketFees, bench.token)


@pytest.fixture
def bind(bench, market):
    """Binds an oracle to the other market for a creator."""

    def bind(oracle, creator):
        return bench.market.takeFor(bench.factory, oracle, creator, market, sender=creator)

    return bind


def test_gives_the_oracle_to_the_market(bench, bind, market, taker):
    oracle = bench.create("BTC", sender=taker)

    receipt = bind(oracle, taker)

    assert bench.factory.marketOf(oracle) == oracle.market() == market
    assert bench.factory.creatorOf(oracle) == NOBODY
    [log] = receipt.decode_logs(bench.factory.OracleBound)
    assert (log.oracle, log.market) == (oracle, market)
    market.order(1, sender=taker)
    assert oracle.next() != 0


def test_creates_no_slot(bench, bind, taker):
    """The transaction and the mock's own new slot take 43,100; another new slot would be 22,100."""
    oracle = bench.create("BTC", sender=taker)

    assert bind(oracle, taker).gas_used < 43_100 + 32_000


def test_only_its_creator_may_have_it(bench, bind, taker, maker):
    oracle = bench.create("BTC", sender=taker)

    inputs = {"oracle": oracle.address, "creator": taker.address, "caller": maker.address}
    with reverts(bench.factory.OracleOfAnother, error_inputs=inputs):
        bind(oracle, maker)


def test_once(bench, bind, operator):
    inputs = {"oracle": bench.oracle.address, "market": bench.market.address}
    with reverts(bench.factory.OracleTaken, error_inputs=inputs):
        bind(bench.oracle, operator)


def test_an_unknown_oracle_is_refused(bench, bind, project, operator):
    provider = operator.deploy(project.MockOracle)

    with reverts(bench.factory.OracleUnknown, error_inputs={"oracle": provider.address}):
        bind(provider, operator)


def test_a_registered_provider_is_anyones_once(bench, bind, market, project, operator, taker):
    provider = operator.deploy(project.MockOracle)
    bench.factory.register(provider, sender=operator)

    bind(provider, taker)

    assert bench.factory.marketOf(provider) == market
    with reverts(bench.factory.OracleTaken):
        bind(provider, operator)


def test_only_the_market_factory_binds(bench, taker):
    oracle = bench.create("BTC", sender=taker)

    with reverts(bench.factory.NotMarketFactory, error_inputs={"caller": taker.address}):
        bench.factory.bind(oracle, taker, taker, sender=taker)
