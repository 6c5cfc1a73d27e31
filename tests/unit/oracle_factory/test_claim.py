"""OracleFactory.claim and claimOracleFee: keepers get exactly what was charged, the owner the rest (§8, §11.6)."""

import pytest
from ape import reverts

from perennial.testing.oracles import START, OracleBench


@pytest.fixture(scope="module", params=[6, 8, 18])
def stage(request, chain, project, operator, maker, taker, keeper):  # noqa: ARG001 -- see conftest
    return OracleBench.deploy(chain, project, operator, decimals=request.param)


@pytest.fixture
def committed(stage, keeper, maker):
    """Versions by keeper: two of the keeper's, one of the maker's; the fees are not charged yet."""
    for version, who in ((START, keeper), (START + 20, maker), (START + 40, keeper)):
        stage.price(who, version, 10**8)
    return START, START + 20, START + 40


@pytest.fixture
def paid(stage):
    """Tokens of an account in micro-dollars; nothing is ever rounded."""

    def paid(account):
        balance, scale = stage.token.balanceOf(account), 10 ** (stage.token.decimals() - 6)
        assert balance % scale == 0
        return balance // scale

    return paid


def claim(stage, keeper, versions, market=None, receiver=None):
    receipt = stage.factory.claim(market or stage.market, versions, receiver or keeper, sender=keeper)
    return receipt.return_value


def test_pays_what_was_charged_to_the_micro_dollar(stage, committed, keeper, paid, operator):
    stage.market.charge(committed[0], 1_234_567, sender=operator)
    stage.market.charge(committed[2], 1, sender=operator)

    assert claim(stage, keeper, [committed[0], committed[2]]) == 1_234_568
    assert paid(keeper) == 1_234_568
    assert paid(stage.factory) == 0


def test_tells_whom_it_paid(stage, committed, keeper, taker, paid, operator):
    stage.market.charge(committed[0], 5, sender=operator)

    receipt = stage.factory.claim(stage.market, [committed[0]], taker, sender=keeper)

    assert paid(taker) == 5
    assert receipt.decode_logs(stage.factory.KeeperPaid) == [
        stage.factory.KeeperPaid(market=stage.market.address, keeper=keeper.address, receiver=taker.address, amount=5)
    ]


def test_each_version_pays_once(stage, committed, keeper, operator):
    stage.market.charge(committed[0], 100, sender=operator)
    stage.market.charge(committed[2], 7, sender=operator)

    assert claim(stage, keeper, [committed[0], committed[0]]) == 100
    assert claim(stage, keeper, [committed[0]]) == 0
    assert claim(stage, keeper, list(committed)) == 7


def test_pays_only_who_committed(stage, committed, keeper, maker, taker, operator):
    for version in committed:
        stage.market.charge(version, 100, sender=operator)

    assert claim(stage, taker, list(committed)) == 0
    assert claim(stage, maker, list(committed)) == 100
    assert claim(stage, keeper, list(committed)) == 200


def test_no_work_no_pay(stage, committed, keeper, operator):
    stage.market.charge(START + 1, 100, sender=operator)

    assert claim(stage, keeper, []) == 0
    assert claim(stage, keeper, [START + 1]) == 0
    assert claim(stage, keeper, list(committed)) == 0


def test_an_invalid_version_pays_nobody(stage, keeper, operator):
    version = stage.order(START + 5)
    stage.expire(keeper, version)
    stage.market.charge(version, 100, sender=operator)

    assert claim(stage, keeper, [version]) == 0


def test_a_version_that_is_not_settled_can_be_claimed_later(stage, committed, keeper, operator):
    assert claim(stage, keeper, [committed[0]]) == 0

    stage.market.charge(committed[0], 100, sender=operator)
    assert claim(stage, keeper, [committed[0]]) == 100


def test_keepers_fees_wait_for_them_however_late(stage, committed, keeper, maker, operator, taker, paid):
    stage.market.charge(committed[0], 100, sender=operator)
    stage.market.charge(committed[1], 30, sender=operator)
    stage.market.chargeOther(7, sender=operator)
    assert stage.factory.claimOracleFee(stage.market, taker, sender=operator).return_value == 7
    assert tuple(stage.factory.balances(stage.market)) == (130, 0)

    stage.market.chargeOther(5, sender=operator)
    assert claim(stage, keeper, list(committed)) == 100
    assert stage.factory.claimOracleFee(stage.market, taker, sender=operator).return_value == 5
    assert claim(stage, maker, list(committed)) == 30
    assert paid(taker) == 12
    assert paid(stage.factory) == 0


def test_a_keepers_claim_leaves_the_owner_its_share(stage, committed, keeper, operator, taker, paid):
    stage.market.charge(committed[0], 100, sender=operator)
    stage.market.chargeOther(50, sender=operator)

    assert claim(stage, keeper, [committed[0]]) == 100
    assert tuple(stage.factory.balances(stage.market)) == (0, 50)
    receipt = stage.factory.claimOracleFee(stage.market, taker, sender=operator)
    assert receipt.decode_logs(stage.factory.OracleFeePaid) == [
        stage.factory.OracleFeePaid(market=stage.market.address, receiver=taker.address, amount=50)
    ]
    assert paid(taker) == 50


def test_the_fees_of_one_market_do_not_pay_for_another(stage, committed, keeper, operator, paid):
    """The other market's books promise more than it hands over."""
    stage.market.charge(committed[0], 100, sender=operator)
    stage.factory.claimOracleFee(stage.market, operator, sender=operator)
    oracle, other = stage.bind_new("BTC")
    stage.price(keeper, START + 60, 10**8, oracles=[oracle])
    other.charge(START + 60, 100, sender=operator)
    other.withhold(1, sender=operator)

    inputs = {"market": other.address, "received": 99, "settlement": 100}
    with reverts(stage.factory.MarketBooksWrong, error_inputs=inputs):
        claim(stage, keeper, [START + 60], market=other)
    assert paid(stage.factory) == 100
    assert claim(stage, keeper, [committed[0]]) == 100


def test_only_genuine_markets(stage, project, keeper, operator):
    """A contract that says that it is the market of an oracle, and one without a known oracle."""
    fake = operator.deploy(project.MockMarketFees, stage.token)
    for oracle in (stage.oracle, stage.create("BTC")):
        fake.pretend(oracle, sender=operator)

        with reverts(stage.factory.MarketUnknown, error_inputs={"market": fake.address}):
            claim(stage, keeper, [START], market=fake)
        with reverts(stage.factory.MarketUnknown):
            stage.factory.claimOracleFee(fake, operator, sender=operator)


def test_of_a_registered_provider_all_is_the_owners(stage, project, keeper, operator, taker):
    provider = operator.deploy(project.MockOracle)
    stage.factory.register(provider, sender=operator)
    market = operator.deploy(project.MockMarketFees, stage.token)
    stage.market.takeFor(stage.factory, provider, operator, market, sender=operator)
    market.charge(START, 100, sender=operator)
    market.chargeOther(5, sender=operator)

    assert claim(stage, keeper, [START], market=market) == 0
    assert stage.factory.claimOracleFee(market, taker, sender=operator).return_value == 105
