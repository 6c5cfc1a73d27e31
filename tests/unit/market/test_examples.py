"""The worked numbers of docs/protocol.md on chain, each as a user would reach it.

The document gives exact values; here they stand with the rounding that §1.4 allows. Those of §7.2 that begin with a
funding rate are in test_settle_accrual.py, to 12 decimals.
"""

import pytest

from perennial.amounts import raw
from perennial.testing.market import CURVE, FEES, refused

HOUR, DAY = 3_600, 86_400
CONTROLLER = {"k": "20000", "max": "2.5"}


@pytest.fixture(params=[6, 8, 18], ids=lambda decimals: f"{decimals} decimals")
def example(request, create_market):
    """Creates markets; every number is the same whatever the decimals of the token."""

    def create(**changes):
        return create_market(decimals=request.param, **changes)

    return create


def cost(bench, account, price="100"):
    """What an order of the account costs it, in the version it is placed at."""
    before = bench.market.collateral(account)
    bench.commit(price)
    bench.settle(account)
    bench.check()
    return before - bench.market.collateral(account)


def opened(example, **changes):
    bench = example()
    bench.fill(maker="10", long="5", short="3")
    bench.change_risk(**FEES, **changes)
    return bench


@pytest.mark.parametrize(
    ("price", "fee"),
    [("100", "0.04"), ("110", "0.044")],
)
def test_6_1_long_1_on_the_book(example, referrer, price, fee):
    bench = opened(example)
    bench.open(referrer, long="1", collateral="100")
    assert cost(bench, referrer, price) == raw(fee)


def test_6_1_short_2_on_the_book(example, referrer):
    bench = opened(example)
    bench.open(referrer, short="2", collateral="100")
    assert cost(bench, referrer) == raw("0.04")


def test_6_1_with_a_virtual_taker(example, referrer):
    bench = opened(example, virtualTaker="10")
    bench.open(referrer, long="1", collateral="100")
    # 0.030833… by skews of 6 decimals, rounded up.
    assert cost(bench, referrer) == 30_834


def test_6_1_maker_closes_half(example, maker):
    bench = opened(example)
    bench.close(maker, "5")
    # 0.170192… by utilizations of 6 decimals, rounded up; the maker side of before gets it back, since it is alone.
    settled = (bench.commit("100"), bench.market.settle(maker, sender=bench.keeper))[1].named("AccountSettled")[0]
    assert settled["fee"] == 170_193
    bench.check()


def test_6_2_two_longs_of_1_in_one_version(example, referrer):
    bench = opened(example)
    bench.open(referrer, long="1", collateral="100")
    assert bench.market.requirement(referrer).effectiveCollateral == raw("100") - raw("0.04")
    bench.open(referrer, long="1")
    # 0.108571… with a skew of 6 decimals.
    assert bench.market.requirement(referrer).effectiveCollateral == raw("100") - 108_572
    assert cost(bench, referrer) == 108_572


def test_6_2_one_long_of_2(example, referrer):
    bench = opened(example)
    bench.open(referrer, long="2", collateral="100")
    assert cost(bench, referrer) == 108_572


@pytest.fixture
def carried(example, actors):
    """Runs long 6, short 3, maker 10 at 100 over some time; returns what each gained of collateral, and the fees."""

    def run(seconds, makers="10", price="100", fundingFee="0", interestFee="0", **changes):  # noqa: N803
        bench = example()
        # A million of each, and a thousandth of a dollar becomes a thousand.
        bench.fill(maker="100000" if makers != "10" else "10", long="6", short="3", collateral="1000000")
        if makers != "10":
            bench.close(actors["maker"], raw("100000") - raw(makers))
            bench.commit()
            bench.settle()
        bench.change_risk(**changes)
        bench.change(fundingFee=fundingFee, interestFee=interestFee)
        roles = [actors[role] for role in ("taker", "hedger", "maker")]
        before = [bench.market.collateral(account) for account in roles]
        bench.oracle.setCurrent(bench.oracle.status().latest.timestamp + seconds, sender=bench.keeper)
        bench.commit(price)
        bench.settle()
        bench.check()
        gains = [bench.market.collateral(account) - old for account, old in zip(roles, before, strict=True)]
        return (*gains, sum(bench.market.fees()), bench.market.fundingRate())

    return run


def test_7_2_funding_of_an_hour(carried):
    # 0.003082192: accounts to the micro-dollar, against them.
    assert carried(HOUR, pController=CONTROLLER) == (-3_083, 1_541, 1_541, 0, raw("0.09"))


def test_7_2_funding_fee(carried):
    # -0.003159247, 0.001502568, 0.001502568, 0.000154110.
    assert carried(HOUR, pController=CONTROLLER, fundingFee="0.05") == (-3_160, 1_502, 1_502, 154, raw("0.09"))


def test_7_3_interest_of_a_day(carried):
    # -0.069546891, -0.034773446, 0.104320337.
    assert carried(DAY, utilizationCurve=CURVE)[:4] == (-69_547, -34_774, 104_320, 0)


def test_7_3_interest_fee(carried):
    # 0.005216017 to the market, 0.099104320 to makers.
    assert carried(DAY, utilizationCurve=CURVE, interestFee="0.05")[:4] == (-69_547, -34_774, 99_104, 5_216)


def test_7_3_interest_with_utilization_above_1(carried):
    # 0.084931507 from 9 units: 0.056621005 and 0.028310502.
    assert carried(DAY, makers="2", utilizationCurve=CURVE)[:3] == (-56_622, -28_311, 84_931)


def test_7_1_socialized_profit(carried):
    # 8.333… a unit of long: +50, less a last digit; shorts -30, makers -20.
    assert carried(10, makers="2", price="110")[:3] == (49_999_999, raw("-30"), raw("-20"))


def test_8_split_of_fees(example, taker):
    bench = example(takerFee="0.1", positionFee="1", oracleFee="0.2", riskFee="0.5")
    bench.change_protocol(protocolFee="0.1")
    bench.fill(maker="100")
    bench.change(settlementFee="1.5")
    bench.open(taker, long="10", collateral="1000")
    bench.commit("100")
    bench.settle(taker)
    assert bench.market.fees() == (raw("10"), raw("19.5"), raw("45"), raw("27"))
    bench.check()


def test_10_1_size_5_at_100(example, taker):
    bench = example()
    bench.fill(maker="100")
    bench.open(taker, long="5", collateral="10")
    bench.commit("100")
    bench.settle(taker)
    assert bench.market.requirement(taker).maintenance == raw("10")
    bench.freshen("99.999999")
    assert bench.liquidate(taker).named("Liquidated")[0]["fee"] == raw("5")


@pytest.fixture
def large(example, taker, hedger):
    """A long of 200 at 3,000 that has 18 left when its liquidation settles; the donation has as much as given."""

    def create(donation):
        bench = example(price="3000")
        bench.fill(maker="500", price="3000", collateral="1000000")
        bench.open(taker, long="200", collateral="5700")
        bench.commit("3000")
        bench.settle()
        assert bench.market.requirement(taker).maintenance == raw("4800")
        bench.change_risk(takerFee="0.1")
        bench.change(positionFee="1")
        if raw(donation):
            bench.open(hedger, short=raw(donation) // 300, collateral="1000")
        bench.change_risk(takerFee="0")
        bench.commit("3000")
        bench.commit("2995.45")
        bench.settle()
        assert bench.market.fees().donation == raw(donation)
        bench.commit("2990")
        assert bench.liquidate(taker).named("Liquidated")[0]["fee"] == raw("25")
        bench.commit("2971.59")
        return bench

    return create


@pytest.mark.parametrize(("donation", "credited", "left"), [("9", "25", "2"), ("3", "21", "0")])
def test_10_5_donation_pays_up_to_7(large, taker, keeper, donation, credited, left):
    bench = large(donation)
    bench.settle(taker)
    assert bench.market.claimable(keeper) == raw(credited)
    assert bench.market.fees().donation == raw(left)
    assert bench.market.collateral(taker) == 0
    bench.check()


def test_1_3_decimals_are_those_of_the_token(example, taker):
    bench = example()
    with refused("InsufficientCollateral", 0, 1):
        bench.withdraw(taker, 1)
    assert bench.factory.tokenScale(bench.token) == bench.scale
