"""OracleFactory.bind: each oracle has one market, of its creator's (docs/protocol.md §3.2)."""

import pytest
from ape import reverts

NOBODY = "0x" + "0" * 40


@pytest.fixture
def market(stage, project, operator):
    """Another market."""
    return operator.deploy(project.MockMarketFees, stage.token)


@pytest.fixture
def bind(stage, market):
    """Binds an oracle to the other market for a creator."""

    def bind(oracle, creator):
        return stage.market.takeFor(stage.factory, oracle, creator, market, sender=creator)

    return bind


def test_gives_the_oracle_to_the_market(stage, bind, market, taker):
    oracle = stage.create("BTC", sender=taker)

    receipt = bind(oracle, taker)

    assert stage.factory.marketOf(oracle) == oracle.market() == market
    assert stage.factory.creatorOf(oracle) == NOBODY
    [log] = receipt.decode_logs(stage.factory.OracleBound)
    assert (log.oracle, log.market) == (oracle, market)
    market.order(1, sender=taker)
    assert oracle.next() != 0


def test_creates_no_slot(stage, bind, taker):
    """The transaction and the mock's own new slot take 43,100; another new slot would be 22,100."""
    oracle = stage.create("BTC", sender=taker)

    assert bind(oracle, taker).gas_used < 43_100 + 32_000


def test_only_its_creator_may_have_it(stage, bind, taker, maker):
    oracle = stage.create("BTC", sender=taker)

    inputs = {"oracle": oracle.address, "creator": taker.address, "caller": maker.address}
    with reverts(stage.factory.OracleOfAnother, error_inputs=inputs):
        bind(oracle, maker)


def test_once(stage, bind, operator):
    inputs = {"oracle": stage.oracle.address, "market": stage.market.address}
    with reverts(stage.factory.OracleTaken, error_inputs=inputs):
        bind(stage.oracle, operator)


def test_an_unknown_oracle_is_refused(stage, bind, project, operator):
    provider = operator.deploy(project.MockOracle)

    with reverts(stage.factory.OracleUnknown, error_inputs={"oracle": provider.address}):
        bind(provider, operator)


def test_a_registered_provider_is_anyones_once(stage, bind, market, project, operator, taker):
    provider = operator.deploy(project.MockOracle)
    stage.factory.register(provider, sender=operator)

    bind(provider, taker)

    assert stage.factory.marketOf(provider) == market
    with reverts(stage.factory.OracleTaken):
        bind(provider, operator)


def test_only_the_market_factory_binds(stage, taker):
    oracle = stage.create("BTC", sender=taker)

    with reverts(stage.factory.NotMarketFactory, error_inputs={"caller": taker.address}):
        stage.factory.bind(oracle, taker, taker, sender=taker)
