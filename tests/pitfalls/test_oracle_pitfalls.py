"""Pitfalls of oracles, requests, commits, provider switches and keepers; a test's name carries the id.

What a keeper's transaction costs (S-V2-H6, S-V22-M3) concerns no contract here: the pay is the settlement fee, a
parameter of the market. The keeper's quote is tested for both, in tests/unit/keeper.

Without a test of their own, because the part does not exist here:

- S-V2-M1, S-V23-M1, S-V23-M5: there is no wrapped collateral.
"""

import pytest
from ape import reverts

from perennial.amounts import raw
from perennial.parameters import live_market
from perennial.testing.oracles import START, feeds, update
from perennial.testing.stage import ALL, Stage

DAY = 86_400


@pytest.fixture(scope="module")
def stage(chain, project, create_token, operator, maker, taker, keeper):
    return Stage.deploy(chain, project, create_token(), operator, keeper, [operator, maker, taker, keeper])


# -- Requests ----------------------------------------------------------------------------------------------------------


def test_s_v2_h1_fulfilling_the_request_settles_the_order(stage, maker, taker):
    stage.open(maker, taker, granularity=100)
    stage.order(20, maker, maker=10, collateral=10_000)
    version = stage.order(101, taker, collateral=1_000)
    assert version == 200
    assert stage.oracle.next() == START + 100

    stage.commit(100, 100)
    version = stage.order(120, taker, taker=1)
    asked = stage.oracle.next() - START
    assert asked == version == 200
    stage.commit(asked, 110)
    stage.settle(taker)

    assert tuple(stage.oracle.at(START + version)) == (START + version, raw(110), True)
    assert stage.market.positions(taker).long == raw(1)


def test_s_v2_h1_variant_two_windows_and_a_commit_between(stage, maker, taker):
    stage.open(maker, taker, granularity=100)
    stage.order(20, maker, maker=10, collateral=10_000)
    assert stage.order(99, taker, taker=1, collateral=1_000) == 100
    stage.commit(100, 100)
    assert stage.order(111, taker, taker=-1) == 200
    stage.commit(150, 120)
    stage.settle(maker)
    stage.commit(200, 110)
    stage.settle(taker, maker)

    assert sum(stage.collateral(maker, taker)) == stage.held() == raw(11_000)
    assert stage.collateral(taker) == [raw(1_010)]


def test_s_v2_h2_an_expired_version_cancels_for_all_alike(stage, chain, maker, taker):
    """Whoever is settled when, balances come out the same, and nothing is paid that nobody paid."""
    stage.open(maker, taker)
    first = stage.order(11, maker, maker=2, collateral=1_000)
    stage.commit(first, 100)
    lost = stage.order(31, taker, taker=1, collateral=1_000)
    later = stage.order(61, maker, maker=1)
    stage.expire(lost)
    outcomes = set()
    for middle in ([], [maker], [taker], [taker, maker]):
        with chain.isolate():
            stage.commit(later - 10, 100, time=lost + 60)
            stage.settle(*middle)
            stage.commit(later, 90, time=lost + 65)
            stage.settle(taker, maker)
            outcomes.add(tuple(stage.collateral(maker, taker)))

    assert outcomes == {(raw(1_000), raw(1_000))}


def test_s_v21_m4_every_market_and_account_of_a_version_settles(stage, operator, maker, taker, keeper):
    """Two markets, three accounts, one commit."""
    first = stage.open(operator, maker, taker, keeper)
    oracle = stage.oracle
    second = stage.open(operator, maker, taker, keeper)
    version = stage.order(21, maker, maker=5, collateral=1_000, market=first)
    assert stage.order(22, taker, maker=5, collateral=1_000, market=first) == version
    assert stage.order(23, operator, maker=5, collateral=1_000, market=second) == version

    stage.commit(version, 100, oracles=[oracle, stage.oracle])
    for market, account in ((first, maker), (first, taker), (second, operator)):
        market.settle(account, sender=keeper)
        assert market.positions(account).maker == raw(5)


def test_s_v22_h1_empty_orders_request_nothing(stage, maker, taker):
    stage.open(maker, taker)
    version = stage.order(11, maker, maker=5, collateral=1_000)
    stage.order(12, taker, taker=2, collateral=1_000)
    stage.commit(version, 100)
    for second in (35, 55, 75):
        stage.order(second, taker)
        stage.at(second + 1)
        stage.settle(maker)
        assert stage.oracle.next() == 0

    stage.commit(100, 110)
    stage.settle(maker, taker)
    assert stage.collateral(maker, taker) == [raw(980), raw(1_020)]


# -- Validity ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "exponent", "stored"),
    [(5, -5, 50), (5, -6, 5), (12345, 0, 12_345_000_000), (7, 2, 700_000_000), (1_234_567_890_123, -8, 12_345_678_901)],
)
def test_s_v2_h4_exponents_of_either_sign(stage, keeper, price, exponent, stored):
    oracle = stage.create_oracle()
    stage.at(10)
    data = [update("BTC", price, START + 4, exponent=exponent)]
    stage.adapter.commit([oracle], START, data, sender=keeper, value=1)

    assert oracle.at(START).price == stored


def test_s_v2_h4_variant_what_underflows_is_refused(stage, keeper):
    oracle = stage.create_oracle()
    stage.at(10)

    with reverts(stage.adapter.PriceNotRepresentable):
        stage.adapter.commit([oracle], START, [update("BTC", 1, START + 4, exponent=-9)], sender=keeper, value=1)
    assert oracle.status()[0][0] == 0


def test_s_v22_h2_an_expired_version_is_invalid_and_its_orders_never_were(stage, maker, taker):
    stage.open(maker, taker, settlementFee=raw(1))
    version = stage.order(11, maker, maker=5, collateral=1_000)
    stage.expire(version)
    stage.settle(maker)

    assert tuple(stage.oracle.at(START + version)) == (START + version, 0, False)
    assert stage.market.positions(maker).maker == 0
    assert stage.collateral(maker) == [raw(1_000)]
    assert stage.market.settlementFees(START + version) == 0
    assert stage.market.price() == raw(100)


def test_s_v21_m8_an_invalid_latest_version_is_not_a_price_of_zero(stage, maker, taker, keeper):
    stage.open(maker, taker)
    version = stage.order(11, maker, maker=5, collateral=1_000)
    stage.order(12, taker, taker=2, collateral=300)
    stage.commit(version, 100)
    expired = stage.order(35, maker, maker=1)
    stage.expire(expired)
    stage.settle(maker, taker)

    assert stage.market.price() == raw(100)
    assert not stage.market.liquidatable(taker)
    with reverts(stage.market.StalePrice):
        stage.market.liquidate(taker, sender=keeper)
    assert stage.collateral(taker) == [raw(300)]


def test_s_v2_m11_an_expired_request_does_not_block_newer_prices(stage, maker, taker, keeper):
    stage.open(maker, taker)
    version = stage.order(11, maker, maker=5, collateral=1_000)
    stage.order(12, taker, taker=-5, collateral=300)
    stage.commit(version, 100)
    dead = stage.order(35, maker, maker=1)

    stage.expire(dead)
    stage.commit(dead + 30, 160, time=dead + 41)
    assert stage.latest() == (dead + 30, 160, True)
    stage.market.liquidate(taker, sender=keeper)
    assert stage.market.locked(taker)
    with reverts(stage.adapter.VersionNotNewer):
        stage.commit(dead, 100, time=dead + 42)
    assert stage.latest() == (dead + 30, 160, True)


# -- Replacing a provider ----------------------------------------------------------------------------------------------


def test_s_v2_m3_a_switch_does_not_wait_for_the_last_request(stage, maker):
    stage.open(maker)
    dead = stage.order(61, maker, maker=5, collateral=1_000)
    adapter = stage.successor()
    stage.replace(80, adapter)

    stage.expire(dead)
    stage.commit(121, 100, time=200, adapter=adapter)
    stage.settle(maker)

    assert stage.latest() == (121, 100, True)
    assert stage.market.positions(maker).maker == 0
    stage.order(201, maker, collateral=ALL)
    assert stage.held() == 0


def test_s_fr_m1_nor_for_an_adapter_that_is_dead_for_good(stage, chain, maker, taker):
    """Not even its code answers."""
    stage.open(maker, taker)
    version = stage.order(11, maker, maker=5, collateral=1_000)
    stage.commit(version, 100)
    dead = stage.order(35, maker, maker=1)
    adapter = stage.successor()
    chain.provider.set_code(stage.adapter.address, "0xfe")
    stage.replace(50, adapter)

    stage.at(dead + DAY + 10)
    stage.oracle.expire(10, sender=taker)
    stage.commit(dead + DAY + 5, 105, time=dead + DAY + 20, adapter=adapter)
    stage.settle(maker)

    assert stage.latest()[1:] == (105, True)
    assert stage.market.positions(maker).maker == raw(5)
    stage.order(dead + DAY + 22, maker, collateral=-100)
    assert stage.collateral(maker) == [raw(900)]


def test_s_v2_m7_the_owner_switches_through_the_factory_and_nobody_else(stage, operator, taker):
    stage.open(taker)
    adapter = stage.successor()

    for caller in (taker, operator):
        with reverts(stage.oracle.OracleNotFactory):
            stage.oracle.replaceAdapter(adapter, sender=caller)
    with reverts(stage.protocol.oracle_factory.OwnableUnauthorizedAccount):
        stage.protocol.oracle_factory.updateProvider(stage.oracle, adapter, feeds("BTC"), sender=taker)
    stage.replace(20, adapter)

    assert stage.oracle.adapter() == adapter
    stage.commit(25, 101, adapter=adapter)
    assert stage.latest() == (25, 101, True)


def test_s_v2_m9_the_latest_version_never_moves_back_at_a_switch(stage, maker, taker):
    """The old source committed past its last request; what the new one has is older."""
    stage.open(maker, taker)
    requested = stage.order(315, maker, maker=5, collateral=1_000)
    stage.commit(requested, 100)
    stage.commit(330, 103, time=341)
    adapter = stage.successor()
    stage.replace(342, adapter)
    stage.settle(maker)
    before = stage.collateral(maker)

    for older in (325, 330):
        with reverts(adapter.OracleNotAdapter):
            stage.commit(older, 101, time=older + 60, adapter=adapter)
    assert stage.latest() == (330, 103, True)
    stage.settle(maker)
    assert stage.collateral(maker) == before
    stage.commit(331, 104, time=500, adapter=adapter)
    assert stage.latest() == (331, 104, True)


# -- Keepers -----------------------------------------------------------------------------------------------------------


def test_s_v2_h3_every_oracle_fee_has_a_way_out(stage, maker, taker, keeper, operator):
    """Settlement fees to the keeper, the rest to the factory's owner; nothing stays behind."""
    stage.open(maker, taker, settlementFee=raw(2), oracleFee=raw("0.5"), riskFee=0, positionFee=raw("0.1"))
    factory = stage.protocol.oracle_factory
    risk, _ = live_market()
    risk |= {"makerLimit": raw(10**6), "staleAfter": 7200, "makerFee": raw("0.002")}
    stage.market.updateRiskParameter(risk, sender=operator)
    version = stage.order(15, maker, maker=5, collateral=1_000)
    stage.commit(version, 100)
    stage.settle(maker)

    before = stage.token.balanceOf(keeper)
    assert stage.market.settlementFees(START + version) == raw(2)
    factory.claim(stage.market, [START + version], keeper, sender=keeper)
    assert stage.token.balanceOf(keeper) - before == 2 * 10**18
    oracle_fee = factory.claimOracleFee(stage.market, taker, sender=operator).return_value
    assert oracle_fee > 0
    assert stage.token.balanceOf(factory) == 0


def test_s_v21_h4_no_work_no_pay(stage, maker, keeper):
    """An empty list, versions of nobody, versions that nothing was charged at, the same version twice."""
    stage.open(maker, settlementFee=raw(2))
    factory = stage.protocol.oracle_factory
    version = stage.order(15, maker, maker=5, collateral=1_000)
    stage.commit(version, 100)
    stage.commit(version + 15, 100)

    def claim(*versions):
        return factory.claim(stage.market, versions, keeper, sender=keeper).return_value

    assert [claim(), claim(START), claim(START + version + 15), claim(START + 12_345)] == [0] * 4
    assert claim(START + version) == 0  # not settled yet
    stage.settle(maker)
    assert claim(*[START + version] * 3) == raw(2)
    assert claim(START + version) == 0
