"""Market.settle: what accrues between two versions (docs/protocol.md §7).

Accumulators, and the funding rate of the event, have 12 decimals: expected values are worked out beside them.
"""

import pytest

from perennial.amounts import raw
from perennial.testing.market import CURVE, amount, refused

HOUR, DAY, YEAR = 3_600, 86_400, 31_536_000

CONTROLLER = {"k": "20000", "max": "2.5"}


def accrue(bench, seconds, price="100"):
    """Commits a price after some time and settles all; returns the MarketSettled of that interval."""
    bench.settle(bench.keeper)
    latest = bench.oracle.status().latest.timestamp
    assert bench.market.pendingCount() == 0 or bench.version == latest + seconds
    bench.oracle.setCurrent(latest + seconds, sender=bench.keeper)
    bench.commit(price)
    settled = bench.market.settle(bench.keeper, sender=bench.keeper).named("MarketSettled")
    assert len(settled) == 1
    bench.settle()
    bench.check()
    return settled[0]


def gained(settled):
    return settled["maker"], settled["long"], settled["short"]


# -- PnL ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "price", "gains"),
    [
        # Per unit; all takers are covered.
        pytest.param(("10", "6", "3"), "110", (-3 * 10**12, 10**13, -(10**13)), id="up"),
        pytest.param(("10", "6", "3"), "90", (3 * 10**12, -(10**13), 10**13), id="down"),
        # 5 of 6 longs are covered: 50 / 6 a unit, rounded down; shorts and makers pay in full.
        pytest.param(("2", "6", "3"), "110", (-(10**13), 8_333_333_333_333, -(10**13)), id="uncovered longs up"),
        pytest.param(("2", "6", "3"), "90", (10**13, -8_333_333_333_334, 10**13), id="uncovered longs down"),
        pytest.param(("2", "3", "6"), "90", (-(10**13), -(10**13), 8_333_333_333_333), id="uncovered shorts down"),
        pytest.param(("10", "4", "4"), "110", (0, 10**13, -(10**13)), id="balanced"),
        pytest.param(("10", "0", "0"), "110", (0, 0, 0), id="no takers"),
    ],
)
def test_profit_and_loss(bench, sizes, price, gains):
    maker, long, short = sizes
    bench.fill(maker="100", long=long, short=short)
    bench.close(bench.actors["maker"], raw("100") - amount(maker))
    bench.commit("100")
    assert gained(accrue(bench, 10, price)) == gains


def test_profit_and_loss_without_makers(bench, maker):
    bench.fill(maker="10", long="5", short="3")
    bench.close(maker)
    bench.commit()
    settled = accrue(bench, 10, "110")

    # 3 of 5 longs earn from the shorts: 30 / 5.
    assert gained(settled) == (0, 6 * 10**12, -(10**13))
    assert bench.market.collateral(maker) == raw("10000")


def test_profit_and_loss_of_takers_alone_on_one_side(bench, maker, taker):
    bench.fill(maker="10", long="5")
    bench.close(maker)
    bench.commit()
    accrue(bench, 10, "200")

    # Nobody is there to win from.
    assert bench.market.collateral(taker) == raw("10000")


# -- Funding -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def funded(create_market, maker, taker, hedger):
    """Long 6, short 3, makers and funding rate as given, at a price of 100; nothing has accrued so far."""

    def create(makers="10", rate="0", **changes):
        bench = create_market()
        first = {"short": "3"} if rate.startswith("-") else {"long": "6"}
        bench.fill(maker="10", **first, collateral="1000000")
        bench.close(maker)
        bench.commit()
        # Takers alone move the rate to its bound, and pay nobody.
        bench.change_risk(pController={"k": 1, "max": rate.removeprefix("-")})
        second = {"long": "6"} if rate.startswith("-") else {"short": "3"}
        bench.open(maker, maker="10", collateral=0)
        bench.open(taker if "long" in second else hedger, **second, collateral="1000000")
        bench.commit()
        if makers != "10":
            bench.change_risk(pController={"max": "0"}) if rate == "0" else None
            bench.close(maker, raw("10") - raw(makers))
            bench.commit()
        bench.change_risk(pController=CONTROLLER, **{k: v for k, v in changes.items() if k != "fundingFee"})
        bench.change(fundingFee=changes.get("fundingFee", "0"))
        bench.settle()
        assert bench.market.fundingRate() == raw(rate)
        return bench

    return create


def test_funding(funded):
    bench = funded()
    settled = accrue(bench, HOUR)

    # The rate runs to 0.5·3600/20000 = 0.09; 600 · 0.045 · 3600 / year = 0.00308219178 changes hands.
    assert settled["fundingRate"] == 90_000_000_000
    assert gained(settled) == (154_109_589, -513_698_630, 513_698_630)
    assert settled["fee"] == 0
    assert bench.market.fundingRate() == raw("0.09")


def test_funding_fee(funded):
    bench = funded(fundingFee="0.05")
    settled = accrue(bench, HOUR)

    # Longs pay 0.003159246574, 0.003005136986 is received, half of it by the shorts: 0.000154109588 are kept.
    assert gained(settled) == (150_256_849, -526_541_096, 500_856_164)
    assert settled["fee"] == 154


def test_funding_with_a_rate_that_rises_to_zero(funded):
    bench = funded(rate="-0.09", fundingFee="0.05")
    settled = accrue(bench, HOUR)

    assert settled["fundingRate"] == 0
    # Longs receive 0.003005136986; makers and shorts pay 0.003159246574 in halves.
    assert gained(settled) == (-157_962_329, 500_856_164, -526_541_096)
    assert settled["fee"] == 154


def test_funding_where_the_rate_runs_into_its_bound(funded):
    bench = funded(rate="1")
    settled = accrue(bench, DAY)

    # 1 → 2.5 in 60,000 s, then 26,400 s at 2.5: 171,000 s · 600 / year = 3.253424657534.
    assert settled["fundingRate"] == 25 * 10**11
    assert gained(settled) == (162_671_232_876, -542_237_442_923, 542_237_442_922)


@pytest.mark.parametrize(("rate", "side"), [("2.5", 1), ("-2.5", -1)])
def test_funding_rate_stays_within_its_bound(funded, rate, side):
    bench = funded(rate=rate)
    if side < 0:
        # Skew against it: 0.5·DAY/20000 = 2.16.
        assert accrue(bench, DAY)["fundingRate"] == -34 * 10**10
    else:
        assert accrue(bench, DAY)["fundingRate"] == 25 * 10**11


def test_funding_does_not_depend_on_the_versions_in_between(funded):
    bench = funded(rate="1", fundingFee="0.05")
    snapshot = bench.anvil.rpc("evm_snapshot")
    once = accrue(bench, 80_000)
    bench.anvil.rpc("evm_revert", snapshot)

    # The last piece crosses the point at which the rate reaches its bound.
    accrue(bench, 40_000)
    accrue(bench, 10_000)
    pieces = accrue(bench, 30_000)

    assert pieces["fundingRate"] == once["fundingRate"]
    assert all(abs(a - b) <= 10 for a, b in zip(gained(pieces), gained(once), strict=True))


def test_funding_at_skew_zero(create_market):
    bench = create_market()
    bench.fill(maker="10", long="5", short="3")
    bench.change_risk(pController={"k": 1, "max": "1"})
    bench.open(bench.actors["hedger"], short="2")
    bench.commit()
    bench.settle()
    before = bench.market.settle(bench.keeper, sender=bench.keeper)
    assert before.events == []
    paid = [bench.market.collateral(bench.actors[role]) for role in ("maker", "taker", "hedger")]

    settled = accrue(bench, HOUR)

    # The rate stays at 1: longs pay shorts 500 · 3600 / year, makers have no part in it.
    assert settled["fundingRate"] == 10**12
    now = [bench.market.collateral(bench.actors[role]) for role in ("maker", "taker", "hedger")]
    assert [new - old for new, old in zip(now, paid, strict=True)] == [0, -57_078, 57_077]


def test_funding_with_a_virtual_taker(funded):
    bench = funded(virtualTaker="6")
    settled = accrue(bench, HOUR)

    # Skew 3/12: half the rate, half the funding.
    assert settled["fundingRate"] == 45_000_000_000
    assert gained(settled) == (77_054_794, -256_849_315, 256_849_315)


def test_funding_of_takers_that_are_not_covered(funded):
    bench = funded(makers="2", rate="1")
    before = accrue(bench, 1)
    bench.change_risk(pController={"max": "1"})
    settled = accrue(bench, HOUR)

    # 5 of 6 are covered: 500 · 3600 / year; shorts get 3/5 of it, makers 2/5.
    paid = 500 * HOUR * 10**12 // YEAR
    gains = [new - old for new, old in zip(gained(settled), gained(before), strict=True)]
    for gain, exact in zip(gains, (paid * 2 // 5 // 2, -paid // 6, paid * 3 // 5 // 3), strict=True):
        assert abs(gain - exact) <= 1


def test_funding_with_a_negative_price_is_of_its_magnitude(create_market, protocol, anvil, operator):
    factory = anvil.contract("PayoffFactory", protocol.payoff_factory)
    factory.create(2, 10**18, True, sender=operator)
    bench = create_market(payoff=factory.addressOf(2, 10**18, True))
    bench.fill(maker="10", long="6", short="3", collateral="1000000")
    bench.change_risk(pController=CONTROLLER)

    assert gained(accrue(bench, HOUR)) == (154_109_589, -513_698_630, 513_698_630)


@pytest.mark.parametrize(
    ("rate", "gains"),
    [
        # As without: the rate has the sign of the skew.
        pytest.param("0", (154_109_589, -513_698_630, 513_698_630), id="from zero"),
        # |r| integrated is the same as from 0 to 0.09, and longs still pay though the rate is negative.
        pytest.param("-0.09", (154_109_589, -513_698_630, 513_698_630), id="rate against the skew"),
        # From -0.045 to 0.045: both halves count.
        pytest.param("-0.045", (77_054_794, -256_849_315, 256_849_315), id="rate through zero"),
    ],
)
def test_makers_receive_only(funded, rate, gains):
    bench = funded(rate=rate, makerReceiveOnly=True)
    settled = accrue(bench, HOUR)
    assert gained(settled) == gains
    assert settled["fundingRate"] == raw(rate) * 10**6 + 90_000_000_000


def test_makers_receive_only_with_more_shorts(create_market):
    bench = create_market()
    bench.fill(maker="10", long="3", short="6", collateral="1000000")
    bench.change_risk(pController=CONTROLLER, makerReceiveOnly=True)
    settled = accrue(bench, HOUR)
    assert gained(settled) == (154_109_589, 513_698_630, -513_698_630)
    assert settled["fundingRate"] == -90_000_000_000


def test_rate_beyond_a_lowered_bound(funded):
    bench = funded(rate="2")
    bench.change_risk(pController={"max": "1"})
    settled = accrue(bench, HOUR)

    # The bound holds from the start: 600 · 1 · 3600 / year.
    assert settled["fundingRate"] == 10**12
    assert gained(settled)[1] == -11_415_525_114


def test_rate_moves_without_cover(bench, maker):
    bench.fill(maker="10", long="5")
    bench.close(maker)
    bench.commit()
    bench.change_risk(pController=CONTROLLER)
    settled = accrue(bench, HOUR)

    assert settled["fundingRate"] == 180_000_000_000
    assert gained(settled) == (0, 0, 0)


# -- Interest ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lent(create_market):
    """A book at a price of 100, then the curve of the worked examples."""

    def create(maker="10", long="6", short="3", **changes):
        bench = create_market()
        bench.fill(maker="100", long=long, short=short, collateral="1000000")
        bench.close(bench.actors["maker"], raw("100") - amount(maker))
        bench.commit()
        bench.settle()
        interest_fee = changes.pop("interestFee", "0")
        bench.change_risk(utilizationCurve=CURVE | changes)
        bench.change(interestFee=interest_fee)
        return bench

    return create


def test_interest(lent):
    settled = accrue(lent(), DAY)

    # u = 6/13, rate 0.042307692307: 900 of it a day are 0.104320337195; a unit of taker pays a ninth, rounded up.
    assert gained(settled) == (10_432_033_719, -11_591_148_578, -11_591_148_578)


def test_interest_fee(lent):
    settled = accrue(lent(interestFee="0.05"), DAY)

    # 0.099104320336 of 0.104320337195 go to makers.
    assert gained(settled) == (9_910_432_033, -11_591_148_578, -11_591_148_578)
    assert settled["fee"] == 5_216


def test_interest_with_all_makers_used(lent):
    settled = accrue(lent(maker="2"), DAY)

    # u is capped at 1; 200 · 0.155 / 365 = 0.084931507, by 9 units.
    assert gained(settled) == (42_465_753_424, -9_436_834_095, -9_436_834_095)


def test_interest_without_takers(lent):
    assert gained(accrue(lent(long="0", short="0"), DAY)) == (0, 0, 0)


def test_interest_without_makers(lent):
    assert gained(accrue(lent(maker="0"), DAY)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("target", "makers", "rate"),
    [
        # Utilization is 6 / (makers + 3).
        pytest.param("0.6", "7", "0.055", id="at the target"),
        pytest.param("0.6", "5", "0.0925", id="above the target"),
        pytest.param("0", "9", "0.105", id="target 0 has the upper branch alone"),
        pytest.param("1", "9", "0.0275", id="target 1 has the lower branch alone"),
        pytest.param("1", "3", "0.055", id="target 1 at full utilization"),
        pytest.param("0", "3", "0.155", id="target 0 at full utilization"),
    ],
)
def test_interest_curve(lent, target, makers, rate):
    settled = accrue(lent(maker=makers, targetUtilization=target), DAY)

    paid = min(raw(makers), raw("9")) * raw("100") * raw(rate) // 10**6 // 365
    assert abs(settled["maker"] - paid * 10**6 // raw(makers)) <= 1


def test_interest_from_the_least_rate(lent):
    # Utilization 0.1 of 0.6: 0.02 + (0.055 - 0.02)/6 = 0.025833333333, of 100, a day.
    bench = lent(maker="10", long="1", short="0", minRate="0.02")
    settled = accrue(bench, DAY)
    assert settled["long"] == -7_077_625_570


# -- Dust sides --------------------------------------------------------------------------------------------------------


def test_dust_side_pays_funding_but_receives_none(create_market):
    bench = create_market()
    bench.fill(maker=999, long="6", short="3", collateral="1000000")
    bench.change_risk(pController={"k": 1, "max": "1"})
    settled = accrue(bench, DAY)

    # 3.000999 of 6 longs are covered and pay; the shorts get 3 of that, the dust's part is the market's.
    assert settled["maker"] == 0
    assert settled["fee"] == 999 * 100 * 1 // 365


def test_dust_side_pays_interest(lent):
    bench = lent(long="0", short=999)
    settled = accrue(bench, DAY)
    assert settled["short"] < 0
    assert settled["maker"] > 0


def test_dust_makers_receive_no_interest(lent):
    bench = lent(maker=999)
    settled = accrue(bench, YEAR)

    # 0.000999 · 100 · 0.155, all of it the market's.
    assert settled["maker"] == 0
    assert settled["fee"] == 15_484
    assert settled["long"] < 0


def test_makers_of_exactly_the_dust_bound_receive_interest(lent):
    bench = lent(maker=1000)
    settled = accrue(bench, YEAR)
    assert settled["maker"] == 15_500_000_000_000
    assert settled["fee"] == 0


def test_profit_of_a_dust_side_is_booked(bench):
    bench.fill(maker="10", long=1)
    settled = accrue(bench, 10, "110")
    assert settled["long"] == 10**13


# -- What does not fit -------------------------------------------------------------------------------------------------


def test_distributions_that_do_not_fit_are_not_made(create_market, maker, taker):
    # A price of almost 10^11 with a rate of 50: interest of years on a unit of maker does not fit its accumulator.
    bench = create_market(margin="0.000001", maintenance="0", minMargin="0", minMaintenance="0", minLiquidationFee="0")
    bench.open(maker, maker="0.001", collateral="1000000")
    bench.commit("100")
    bench.open(taker, long="1", collateral="1000000")
    bench.commit(10**17 - 1)
    bench.settle()
    bench.change_risk(utilizationCurve={"minRate": "50", "targetRate": "50", "maxRate": "50"})
    before = [bench.market.collateral(account) for account in (maker, taker)]

    settled = accrue(bench, YEAR, 10**17 - 1)

    assert gained(settled) == (0, 0, 0)
    assert settled["fee"] == 0
    assert [bench.market.collateral(account) for account in (maker, taker)] == before


def test_profit_is_booked_where_distributions_do_not_fit(create_market, maker, taker):
    bench = create_market(margin="0.000001", maintenance="0", minMargin="0", minMaintenance="0", minLiquidationFee="0")
    bench.open(maker, maker="0.001", collateral="1000000")
    bench.commit("100")
    bench.open(taker, long="0.001", collateral="1000000")
    bench.commit(10**17 - 1)
    bench.settle()
    bench.change_risk(utilizationCurve={"minRate": "50", "targetRate": "50", "maxRate": "50"})

    settled = accrue(bench, YEAR, 10**17 - 1 - raw("1000"))

    # Interest of 50 times the price would not fit beside it: 1000 a unit is all.
    assert gained(settled) == (1000 * 10**12, -1000 * 10**12, 0)


# -- Closed markets ----------------------------------------------------------------------------------------------------


def test_closed_market_accrues_nothing(funded):
    bench = funded(rate="1", utilizationCurve=CURVE)
    bench.change(closed=True)
    settled = accrue(bench, DAY, "150")

    assert gained(settled) == (0, 0, 0)
    assert (settled["fee"], settled["fundingRate"], settled["price"]) == (0, 10**12, raw("150"))
    assert bench.market.price() == raw("150")


def test_reopened_market_accrues_from_the_version_of_the_change(funded):
    bench = funded()
    bench.change_risk(pController={"max": "0"})
    bench.change(closed=True)
    bench.commit("150")
    bench.change(closed=False)
    settled = accrue(bench, 10, "160")

    # The move to 150 is never made good.
    assert gained(settled) == (-3 * 10**12, 10**13, -(10**13))


def test_position_fees_go_on_in_a_closed_market(create_market, taker):
    bench = create_market(settlementFee="1.5")
    bench.fill(maker="10", long="1")
    bench.change_risk(takerFee="0.01")
    bench.change(closed=True, positionFee="0.1")
    bench.close(taker)
    settled = accrue(bench, 10, "200")

    assert (settled["fee"], settled["settlementFee"]) == (raw("0.2"), raw("1.5"))
    assert settled["maker"] == raw("1.8") * 10**6 // 10
    assert bench.market.positions(taker).long == 0


def test_margin_follows_the_price_in_a_closed_market(create_market, taker):
    bench = create_market()
    bench.fill(maker="10")
    bench.open(taker, long="1", collateral="10")
    bench.commit()
    bench.change(closed=True)
    accrue(bench, 10, "2000")

    # Nothing is lost, but 10 is less than 0.008 · 2000 from now on.
    assert bench.market.collateral(taker) == raw("10")
    assert bench.market.liquidatable(taker)
    bench.liquidate(taker)
    bench.commit("2000")
    bench.settle(taker)
    assert bench.market.positions(taker).long == 0
    bench.check()


# -- Rewards -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def rewarded(create_market):
    """Makers get 2 reward tokens a second, longs 1, shorts 0.5."""
    return create_market(reward=18, makerRewardRate="2", longRewardRate="1", shortRewardRate="0.5")


def rewards(bench, *roles):
    return [bench.market.rewards(bench.actors[role]) for role in roles]


def test_rewards_accrue_on_three_sides(rewarded, referrer):
    rewarded.open(referrer, maker="30", collateral="10000")
    rewarded.fill(maker="10", long="5", short="3")
    accrue(rewarded, 100)

    assert rewards(rewarded, "maker", "referrer") == [raw("50"), raw("150")]
    # A third of 50 a unit, rounded down.
    assert rewards(rewarded, "taker", "hedger") == [raw("100"), 49_999_999]


def test_rewards_do_not_touch_collateral(rewarded):
    rewarded.fill(maker="10", long="5", short="3")
    before = [rewarded.market.collateral(actor) for actor in rewarded.actors.values()]
    accrue(rewarded, 100)
    assert [rewarded.market.collateral(actor) for actor in rewarded.actors.values()] == before


def test_rewards_of_an_account_that_comes_late(rewarded, taker):
    rewarded.fill(maker="10", long="5")
    rewarded.close(taker, "4")
    rewarded.commit(wait=100)
    rewarded.market.advance(10, sender=rewarded.keeper)
    rewarded.commit(wait=100)
    rewarded.settle(taker)

    # 10 s with all 5, 100 s with the last one; it is the only long.
    assert rewards(rewarded, "taker") == [raw("110")]
    rewarded.check()


def test_rewards_start_with_the_position(rewarded, taker):
    rewarded.fill(maker="10")
    accrue(rewarded, 1000)
    rewarded.open(taker, long="5", collateral="1000")
    rewarded.commit()
    rewarded.settle(taker)
    assert rewards(rewarded, "taker") == [0]
    accrue(rewarded, 7)
    assert rewards(rewarded, "taker") == [raw("7")]


def test_rewards_end_with_the_position(rewarded, taker):
    rewarded.fill(maker="10", long="5")
    rewarded.close(taker)
    rewarded.commit()
    rewarded.settle(taker)
    assert rewards(rewarded, "taker") == [raw("10")]
    rewarded.open(taker, short="1")
    rewarded.commit()
    rewarded.close(taker)
    rewarded.commit()
    rewarded.settle(taker)
    assert rewards(rewarded, "taker") == [raw("15")]
    accrue(rewarded, 1000)
    assert rewards(rewarded, "taker") == [raw("15")]


def test_rewards_of_a_dust_side_do_not_accrue(rewarded, taker):
    rewarded.fill(maker="10", long=999)
    accrue(rewarded, 1000)
    assert rewards(rewarded, "maker", "taker") == [raw("2000"), 0]

    rewarded.open(taker, long=1)
    rewarded.commit()
    accrue(rewarded, 10)
    assert rewards(rewarded, "taker") == [raw("10")]


def test_rewards_do_not_accrue_in_a_closed_market(rewarded):
    rewarded.fill(maker="10")
    rewarded.change(closed=True)
    accrue(rewarded, 1000)
    assert rewards(rewarded, "maker") == [0]


def test_rewards_accrue_over_invalid_versions(rewarded, taker):
    rewarded.fill(maker="10", long="5")
    rewarded.close(taker)
    rewarded.expire(wait=90)
    rewarded.settle(taker)
    accrue(rewarded, 90)
    assert rewards(rewarded, "taker") == [raw("100")]


def test_rewards_that_do_not_fit_are_not_distributed(create_market):
    bench = create_market(reward=6, makerRewardRate=2**40 - 1)
    bench.fill(maker=1000)
    # A million a second over 0.001 units: some hours are more than an accumulator holds.
    accrue(bench, 100_000)
    assert rewards(bench, "maker") == [0]
    accrue(bench, 1_000)
    assert rewards(bench, "maker") == [(2**40 - 1) * 1_000]


def test_reward_rate_that_is_set_later(create_market, maker):
    bench = create_market(reward=18)
    bench.fill(maker="10")
    accrue(bench, 100)
    bench.change(makerRewardRate="2")
    accrue(bench, 100)
    assert rewards(bench, "maker") == [raw("200")]
    bench.change(makerRewardRate="0")
    accrue(bench, 100)
    assert rewards(bench, "maker") == [raw("200")]
    with refused("OverClose", "11", "10"):
        bench.close(maker, "11")
