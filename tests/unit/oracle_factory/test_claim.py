"""OracleFactory.claim and claimOracleFee: keepers get exactly what was charged, the owner the rest (§8, §11.6)."""

import pytest
from ape import reverts

from perennial.testing.oracles import START, OracleBench


@pytest.fixture(scope="module", params=[6, 8, 18])
def bench(request, chain, project, operator, maker, taker, keeper):  # noqa: ARG001 -- see conftest
    return OracleBench.deploy(chain, project, operator, decimals=request.param)


@pytest.fixture
def committed(bench, keeper, maker):
    """Versions by keeper: two of the keeper's, one of the maker's; the fees are not charged yet."""
    for version, who in ((START, keeper), (START + 20, maker), (START + 40, keeper)):
        bench.price(who, version, 10**8)
    return START, START + 20, START + 40


@pytest.fixture
def paid(bench):
    """Tokens of an account in micro-dollars; nothing is ever rounded."""

    def paid(account):
        balance, scale = bench.token.balanceOf(account), 10 ** (bench.token.decimals() - 6)
        assert balance % scale == 0
        return balance // scale

    return paid


def claim(bench, keeper, versions, market=None, receiver=None):
    receipt = bench.factory.claim(market or bench.market, versions, receiver or keeper, sender=keeper)
    return receipt.return_value


def test_pays_what_was_charged_to_the_micro_dollar(bench, committed, keeper, paid, operator):
    bench.market.charge(committed[0], 1_234_567, sender=operator)
    bench.market.charge(committed[2], 1, sender=operator)

    assert claim(bench, keeper, [committed[0], committed[2]]) == 1_234_568
    assert paid(keeper) == 1_234_568
    assert paid(bench.factory) == 0


def test_tells_whom_it_paid(bench, committed, keeper, taker, paid, operator):
    bench.market.charge(committed[0], 5, sender=operator)

    receipt = bench.factory.claim(bench.market, [committed[0]], taker, sender=keeper)

    assert paid(taker) == 5
    assert receipt.decode_logs(bench.factory.KeeperPaid) == [
        bench.factory.KeeperPaid(market=bench.market.address, keeper=keeper.address, receiver=taker.address, amount=5)
    ]


def test_each_version_pays_once(bench, committed, keeper, operator):
    bench.market.charge(committed[0], 100, sender=operator)
    bench.market.charge(committed[2], 7, sender=operator)

    assert claim(bench, keeper, [committed[0], committed[0]]) == 100
    assert claim(bench, keeper, [committed[0]]) == 0
    assert claim(bench, keeper, list(committed)) == 7


def test_pays_only_who_committed(bench, committed, keeper, maker, taker, operator):
    for version in committed:
        bench.market.charge(version, 100, sender=operator)

    assert claim(bench, taker, list(committed)) == 0
    assert claim(bench, maker, list(committed)) == 100
    assert claim(bench, keeper, list(committed)) == 200


def test_no_work_no_pay(bench, committed, keeper, operator):
    bench.market.charge(START + 1, 100, sender=operator)

    assert claim(bench, keeper, []) == 0
    assert claim(bench, keeper, [START + 1]) == 0
    assert claim(bench, keeper, list(committed)) == 0


def test_an_invalid_version_pays_nobody(bench, keeper, operator):
    version = bench.order(START + 5)
    bench.expire(keeper, version)
    bench.market.charge(version, 100, sender=operator)

    assert claim(bench, keeper, [version]) == 0


def test_a_version_that_is_not_settled_can_be_claimed_later(bench, committed, keeper, operator):
    assert claim(bench, keeper, [committed[0]]) == 0

    bench.market.charge(committed[0], 100, sender=operator)
    assert claim(bench, keeper, [committed[0]]) == 100


def test_keepers_fees_wait_for_them_however_late(bench, committed, keeper, maker, operator, taker, paid):
    bench.market.charge(committed[0], 100, sender=operator)
    bench.market.charge(committed[1], 30, sender=operator)
    bench.market.chargeOther(7, sender=operator)
    assert bench.factory.claimOracleFee(bench.market, taker, sender=operator).return_value == 7
    assert tuple(bench.factory.balances(bench.market)) == (130, 0)

    bench.market.chargeOther(5, sender=operator)
    assert claim(bench, keeper, list(committed)) == 100
    assert bench.factory.claimOracleFee(bench.market, taker, sender=operator).return_value == 5
    assert claim(bench, maker, list(committed)) == 30
    assert paid(taker) == 12
    assert paid(bench.factory) == 0


def test_a_keepers_claim_leaves_the_owner_its_share(bench, committed, keeper, operator, taker, paid):
    bench.market.charge(committed[0], 100, sender=operator)
    bench.market.chargeOther(50, sender=operator)

    assert claim(bench, keeper, [committed[0]]) == 100
    assert tuple(bench.factory.balances(bench.market)) == (0, 50)
    receipt = bench.factory.claimOracleFee(bench.market, taker, sender=operator)
    assert receipt.decode_logs(bench.factory.OracleFeePaid) == [
        bench.factory.OracleFeePaid(market=bench.market.address, receiver=taker.address, amount=50)
    ]
    assert paid(taker) == 50


def test_the_fees_of_one_market_do_not_pay_for_another(bench, committed, keeper, operator, paid):
    """The other market's books promise more than it hands over."""
    bench.market.charge(committed[0], 100, sender=operator)
    bench.factory.claimOracleFee(bench.market, operator, sender=operator)
    oracle, other = bench.bind_new("BTC")
    bench.price(keeper, START + 60, 10**8, oracles=[oracle])
    other.charge(START + 60, 100, sender=operator)
    other.withhold(1, sender=operator)

    inputs = {"market": other.address, "received": 99, "settlement": 100}
    with reverts(bench.factory.MarketBooksWrong, error_inputs=inputs):
        claim(bench, keeper, [START + 60], market=other)
    assert paid(bench.factory) == 100
    assert claim(bench, keeper, [committed[0]]) == 100


def test_only_genuine_markets(bench, project, keeper, operator):
    """A contract that says that it is the market of an oracle, and one without a known oracle."""
    fake = operator.deploy(project.MockMarketFees, bench.token)
    for oracle in (bench.oracle, bench.create("BTC")):
        fake.pretend(oracle, sender=operator)

        with reverts(bench.factory.MarketUnknown, error_inputs={"market": fake.address}):
            claim(bench, keeper, [START], market=fake)
        with reverts(bench.factory.MarketUnknown):
            bench.factory.claimOracleFee(fake, operator, sender=operator)


def test_of_a_registered_provider_all_is_the_owners(bench, project, keeper, operator, taker):
    provider = operator.deploy(project.MockOracle)
    bench.factory.register(provider, sender=operator)
    market = operator.deploy(project.MockMarketFees, bench.token)
    bench.market.takeFor(bench.factory, provider, operator, market, sender=operator)
    market.charge(START, 100, sender=operator)
    market.chargeOther(5, sender=operator)

    assert claim(bench, keeper, [START], market=market) == 0
    assert bench.factory.claimOracleFee(market, taker, sender=operator).return_value == 105
