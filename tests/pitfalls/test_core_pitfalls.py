"""Failures of protocols of this kind that touch the market, its accounts, margin, liquidation, fees and roles.

Each test carries the id of the scenario (docs/pitfalls.md): what went wrong elsewhere must come out right here.
"""

from copy import copy
from itertools import permutations
from random import Random

import pytest

from perennial.amounts import raw
from perennial.artifacts import load
from perennial.chain import GAS
from perennial.testing.anvil import NOBODY
from perennial.testing.market import ALL, LONG, event, refused


@pytest.fixture(scope="module")
def roomy(create_market):
    """A maker of 1000 at 100, no fees."""
    bench = create_market()
    bench.fill(maker="1000", collateral="1000000")
    return bench


def replayed(bench, plays):
    """What each of several plays ends with, all from the same start."""
    outcomes = []
    for play in plays:
        snapshot = bench.anvil.rpc("evm_snapshot")
        outcomes.append(play())
        bench.anvil.rpc("evm_revert", snapshot)
    return outcomes


# -- Versions ----------------------------------------------------------------------------------------------------------


def test_s_v2_h1_order_waits_for_the_version_that_is_requested(roomy, taker, hedger):
    roomy.open(taker, long="1", collateral="100")
    roomy.open(hedger, short="1", collateral="100")
    version = roomy.market.pendingPositions(taker).timestamp
    assert version == roomy.market.pendingPositions(hedger).timestamp == roomy.oracle.requested()

    # Whoever fulfils exactly what was requested makes both settleable, one request for both.
    roomy.oracle.commit(version, raw("100"), sender=roomy.keeper)
    roomy.settle()
    assert roomy.market.positions(taker).long == roomy.market.positions(hedger).short == raw("1")
    roomy.check()


def test_s_v2_h1_variant_two_windows_and_a_commit_in_between(roomy, taker, maker):
    roomy.open(taker, long="1", collateral="100")
    roomy.commit("100")
    roomy.close(taker)
    roomy.freshen("107")
    roomy.settle(maker)
    roomy.check()
    roomy.commit("103")
    roomy.settle(maker)
    roomy.settle(taker)
    assert roomy.market.collateral(taker) == raw("103")
    roomy.check()


def test_s_v2_h2_skipped_version_is_the_same_for_the_market_and_all_accounts(create_market, taker):
    bench = create_market()
    bench.fill(maker="2", collateral="100")
    maker = bench.actors["maker"]

    def play(first, second):
        bench.open(taker, long="1", collateral="100")
        bench.skip()
        bench.close(taker, ALL)
        bench.commit("100")
        bench.settle(*first)
        bench.commit("90")
        bench.settle(*second)
        bench.settle()
        books = bench.check()
        assert sum(actor.collateral for actor in books.actors.values()) == raw("200")
        return [bench.market.collateral(account) for account in (maker, taker)]

    both = (maker, taker)
    schedules = [(first, second) for first in ((), (maker,), (taker,), both) for second in permutations(both)]
    outcomes = replayed(bench, [lambda each=each: play(*each) for each in schedules])
    assert outcomes == [[raw("100"), raw("100")]] * 8


def test_s_v2_m9_latest_version_that_moves_back_changes_nothing(roomy, taker):
    roomy.open(taker, long="1", collateral="100")
    roomy.commit("100")
    version = roomy.commit("110")
    roomy.settle(taker)
    before = roomy.market.collateral(taker), roomy.market.positions(taker), roomy.market.price()

    # A provider that forgets: its latest version is one that the market never settled.
    roomy.oracle.set(version - 5, raw("50"), True, version + 10, sender=roomy.keeper)
    receipt = roomy.market.settle(taker, sender=roomy.keeper)

    assert receipt.events == []
    assert (roomy.market.collateral(taker), roomy.market.positions(taker), roomy.market.price()) == before
    roomy.commit("120")
    roomy.settle(taker)
    assert roomy.market.collateral(taker) == raw("120")
    roomy.check()


def test_s_v21_m4_every_account_of_a_version_settles(roomy, taker, hedger, referrer):
    for account in (taker, hedger, referrer):
        roomy.open(account, long="1", collateral="100")
    roomy.commit("100")
    roomy.settle(taker, hedger, referrer)
    assert [roomy.market.positions(each).long for each in (taker, hedger, referrer)] == [raw("1")] * 3
    roomy.check()


def test_s_v22_h1_empty_updates_are_no_points_of_settlement(create_market, maker, taker):
    bench = create_market(
        utilizationCurve={"minRate": "0.1", "targetRate": "0.5", "maxRate": "1"}, pController={"max": "2"}
    )
    bench.fill(maker="10", long="5", collateral="1000000")

    def play(empty):
        for _ in range(4):
            if empty:
                bench.update(taker)
                bench.update(maker, taker=ALL) if bench.market.positions(maker).long else bench.update(maker)
            bench.skip(3600)
        bench.commit("101")
        bench.settle()
        bench.check()
        return [bench.market.collateral(account) for account in (maker, taker)], bench.market.fundingRate()

    with_empty, without = replayed(bench, [lambda: play(True), lambda: play(False)])
    assert with_empty == without
    assert bench.market.pendingCount() == 0


@pytest.mark.parametrize("price", [0, -5_000_000])
def test_s_v22_h2_price_of_zero_or_below_is_a_price(create_market, taker, price):
    bench = create_market()
    bench.fill(maker="10", long="1")
    bench.close(taker)
    bench.commit(price)
    receipt = bench.market.settle(taker, sender=bench.keeper)

    assert receipt.named("OrderCancelled") == []
    assert bench.market.positions(taker).long == 0
    assert bench.market.collateral(taker) == raw("10000") - raw("100") + price
    bench.check()


def test_s_v22_h2_expired_request_is_not_valid_whatever_price_is_carried(create_market, taker):
    bench = create_market(takerFee="0.001", settlementFee="1.5")
    bench.fill(maker="10")
    bench.open(taker, long="1", collateral="100")
    bench.expire()
    receipt = bench.market.settle(taker, sender=bench.keeper)

    settled = receipt.named("MarketSettled")[0]
    assert (settled["valid"], settled["price"]) == (False, raw("100"))
    assert bench.market.collateral(taker) == raw("100")
    bench.check()


def test_s_fr_m5_liquidation_closes_what_an_invalid_version_left_open(roomy, taker):
    roomy.open(taker, long="10", collateral="20")
    roomy.commit("100")
    roomy.close(taker)
    roomy.expire()
    roomy.commit("98.9")

    receipt = roomy.liquidate(taker)

    assert receipt.named("Liquidated")[0]["closed"] == raw("10")
    roomy.commit("98.9")
    roomy.settle(taker)
    assert roomy.market.positions(taker).long == 0
    roomy.check()


def test_s_fr_m7_previews_use_the_price_that_the_market_uses(create_market, protocol, anvil, operator, taker, maker):
    factory = anvil.contract("PayoffFactory", protocol.payoff_factory)
    factory.create(4, 10**16, False, sender=operator)
    bench = create_market(payoff=factory.addressOf(4, 10**16, False))
    bench.fill(maker="1000", collateral="1000000")
    bench.open(taker, long="20", collateral="100")
    bench.commit("100")
    # 0.01 · 99² = 98.01; an invalid version after it carries that over.
    bench.commit("99")
    bench.open(maker, maker="1")
    bench.expire()
    bench.settle(taker)

    assert bench.market.price() == raw("98.01")
    effective, _, maintenance = bench.market.requirement(taker)
    assert (effective, maintenance) == (raw("60.2"), raw("15.6816"))
    assert not bench.market.liquidatable(taker)

    bench.commit("97.5")
    bench.settle(taker)
    assert bench.market.liquidatable(taker)
    effective, _, maintenance = bench.market.requirement(taker)
    fee = bench.liquidate(taker).named("Liquidated")[0]["fee"]
    assert bench.market.price() == raw("95.0625")
    assert (effective, maintenance, fee) == (raw("1.25"), raw("15.21"), raw("5"))
    bench.check()


def test_s_v21_m8_invalid_latest_version_means_no_price_not_zero(roomy, taker, maker, keeper):
    roomy.open(taker, long="10", collateral="20")
    roomy.commit("100")
    roomy.commit("98.9")
    roomy.open(maker, maker="1")
    version = roomy.expire()

    # Nothing is done at such a moment; a moment later the liquidation pays as ever.
    with refused("StalePrice", version, roomy.version):
        roomy.liquidate(taker)
    roomy.settle(taker)
    assert roomy.market.price() == raw("98.9")
    roomy.commit("98.9")
    assert roomy.liquidate(taker).named("Liquidated")[0]["fee"] == raw("5")
    roomy.commit("98.9")
    roomy.settle(taker)
    assert roomy.market.claimable(keeper) == raw("5")
    roomy.check()


# -- Fees --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decimals", [6, 18])
def test_s_v2_h3_every_fee_bucket_reaches_a_wallet(create_market, taker, referrer, keeper, stranger, decimals):
    bench = create_market(
        decimals=decimals,
        takerFee="0.1",
        positionFee="0.5",
        oracleFee="0.2",
        riskFee="0.5",
        referralFee="0.1",
        settlementFee="1.5",
    )
    bench.change_protocol(protocolFee="0.1")
    bench.fill(maker="1000", collateral="1000000")
    bench.open(taker, long="10", collateral="1000", referrer=referrer)
    bench.commit("100")
    bench.settle()
    owed = bench.market.fees()
    assert all(owed)
    credit = bench.market.claimable(referrer)
    assert credit == raw("10")

    before = bench.held(stranger)
    for role in (bench.operator, bench.coordinator, bench.beneficiary):
        bench.market.claimFee(stranger, sender=role)
    bench.oracle_factory.claimOracleFee(bench.market, stranger, sender=bench.operator)
    bench.market.claim(referrer, stranger, sender=referrer)

    assert bench.held(stranger) - before == sum(owed) + credit
    assert bench.market.fees() == (0, 0, 0, 0)
    # Nothing rests on the way.
    assert bench.token.balanceOf(bench.factory) == bench.token.balanceOf(bench.oracle_factory) == 0
    assert bench.held(keeper) == raw("1000000000")
    bench.check()


def test_s_v2_h5_nobodys_account_is_an_account_like_any_other(create_market, taker, stranger):
    bench = create_market(takerFee="0.001", settlementFee="1.5")
    bench.fill(maker="100", long="1")
    bench.open(taker, long="1")
    bench.commit("110")

    def play(settles):
        if settles:
            assert bench.market.settle(NOBODY, sender=stranger).named("AccountSettled") == []
        bench.settle()
        return bench.check()

    assert play_both(bench, play)
    assert bench.market.collateral(NOBODY) == 0


def play_both(bench, play):
    with_it, without = replayed(bench, [lambda: play(True), lambda: play(False)])
    return with_it == without


@pytest.mark.parametrize("decimals", [6, 18])
def test_s_v21_m12_amounts_beyond_40_bits_read_back(create_market, decimals):
    """Also S-V23-M7: what is validated is what is stored."""
    bench = create_market(decimals=decimals)
    bench.change_protocol(maxFeeAbsolute=2**48 - 1)
    for fee in (2**40 - 1, 2**40, 2**40 + 1, 2**48 - 1):
        bench.change(settlementFee=fee)
        bench.change_risk(maxLiquidationFee=fee)
        assert bench.market.parameter().settlementFee == fee
        assert bench.market.riskParameter().maxLiquidationFee == fee
    with refused("ParameterOutOfBounds", "settlementFee", 2**48, 2**48 - 1):
        bench.change(settlementFee=2**48)
    with refused("ParameterOutOfBounds", "maxLiquidationFee", 2**48, 2**48 - 1):
        bench.change_risk(maxLiquidationFee=2**48)


@pytest.mark.parametrize("field", ["makerLimit", "virtualTaker", "efficiencyLimit"])
def test_s_v23_m7_fractions_are_stored_as_they_are_validated(create_market, field):
    bench = create_market()
    bench.change_risk(**{field: "3.999999"})
    assert getattr(bench.market.riskParameter(), field) == raw("3.999999")


def test_s_v22_m5_credits_survive_where_roles_fall_together(create_market, taker):
    """One account pays, refers itself, liquidates itself, coordinates, benefits and calls."""
    bench = create_market(takerFee="0.01", referralFee="0.2", riskFee="0.5", positionFee="0.5")
    bench.fill(maker="100", collateral="100000")
    bench.market.updateCoordinator(taker, sender=bench.coordinator)
    bench.market.updateBeneficiary(taker, sender=bench.operator)
    bench.update(taker, taker="10", collateral="40", referrer=taker, sender=taker)
    bench.commit("100")
    bench.market.settle(taker, sender=taker)
    # 10 of 40 are paid, 2 of that come back.
    assert bench.market.claimable(taker) == raw("2")
    assert bench.market.collateral(taker) == raw("30")

    bench.commit("97.9")
    bench.market.liquidate(taker, sender=taker)
    version = bench.commit("98.9")
    receipt = bench.market.settle(taker, sender=taker)
    # 30 - 11 - 9.89 for the close, then 5 to itself.
    assert event("Credited", account=taker, source=taker, amount="5", fromDonation=0) in receipt.events
    assert receipt.named("AccountSettled")[0]["version"] == version
    assert bench.market.claimable(taker) == raw("7")
    assert bench.market.collateral(taker) == raw("4.11")

    before = bench.held(taker)
    bench.market.claim(taker, taker, sender=taker)
    bench.market.claimFee(taker, sender=taker)
    bench.withdraw(taker, ALL)
    # Of the fees of 8 and 9.89 that are no referrer's, makers and market share equally.
    assert bench.held(taker) - before == raw("7") + raw("4.11") + raw("8.945")
    bench.check()


@pytest.mark.parametrize("settled", ["coordinator", "beneficiary", "referrer", "keeper", "operator"])
def test_s_v24_m1_settling_a_role_loses_nothing_of_its(create_market, actors, taker, referrer, keeper, settled):
    bench = create_market(takerFee="0.01", referralFee="0.2", riskFee="0.5", positionFee="0.5")
    bench.fill(maker="100", collateral="100000")
    bench.open(actors[settled], long="1", collateral="100")
    bench.open(taker, long="10", collateral="40", referrer=referrer)
    bench.commit("100")
    bench.market.settle(actors[settled], sender=keeper)
    bench.settle(taker)
    bench.market.settle(actors[settled], sender=keeper)
    assert bench.market.claimable(referrer) == raw("2")
    bench.commit("97.9")
    bench.liquidate(taker)
    bench.commit("97.9")
    bench.market.settle(actors[settled], sender=keeper)
    bench.settle(taker)
    # 30 - 21 - 9.79 leave nothing: what pays the liquidator is the donation, 0.25 + 2 + 2.4475.
    assert bench.market.claimable(keeper) == raw("4.6975")
    bench.check()


def test_s_v22_m7_liquidator_cannot_name_a_referrer(create_market, taker, referrer, keeper):
    bench = create_market(takerFee="0.001", referralFee="0.5")
    bench.fill(maker="100", collateral="100000")
    bench.open(taker, long="10", collateral="21")
    bench.commit("100")
    bench.commit("98.9")
    assert [value["name"] for value in _function("liquidate")["inputs"]] == ["account"]
    assert bench.liquidate(taker).named("OrderPlaced")[0]["referrer"] == NOBODY
    bench.commit("98.9")
    bench.settle(taker)
    fee = bench.market.claimable(keeper)

    bench.open(taker, long="1", collateral="100", referrer=referrer)
    bench.commit("98.9")
    bench.settle(taker)
    assert bench.market.claimable(referrer) == raw("0.0989") // 2
    assert bench.market.claimable(keeper) == fee == raw("5")
    bench.check()


def _function(name):
    return next(entry for entry in load("IMarket").abi if entry["type"] == "function" and entry["name"] == name)


@pytest.mark.parametrize("raised", [True, False])
def test_s_v23_h1_fee_terms_that_change_between_open_and_close_pay_nobody_out_of_the_pot(
    create_market, coordinator, taker, raised
):
    low = dict.fromkeys(("takerFee", "takerSkewFee", "takerImpactFee", "makerFee", "makerImpactFee"), "0")
    high = dict.fromkeys(low, "0.1")
    bench = create_market(**(low if raised else high))
    bench.open(coordinator, maker="100", collateral="100000")
    bench.commit("100")
    bench.open(taker, long="50", collateral="10000")
    bench.commit("100")
    bench.settle()
    bench.check()
    bench.change_risk(**(high if raised else low))
    books = bench.check()
    bench.close(taker)
    bench.commit("100")
    bench.close(coordinator)
    bench.commit("100")
    bench.settle()
    after = bench.check()
    # Fees only ever go down the way to market and makers: together nobody has gained.
    assert sum(actor.collateral for actor in after.actors.values()) <= sum(
        actor.collateral for actor in books.actors.values()
    )
    for account in (taker, coordinator):
        bench.withdraw(account, ALL)
        assert bench.market.collateral(account) == 0
    bench.check()


def test_s_v23_h3_fee_of_a_pending_order_does_not_depend_on_later_terms(create_market, taker):
    bench = create_market(takerFee="0.0002", takerSkewFee="0.001")
    bench.fill(maker="1000", collateral="1000000")
    bench.open(taker, long="1000", collateral="10000")
    bench.change_risk(
        makerLimit=1, efficiencyLimit="10", virtualTaker="0", takerFee="0.1", takerSkewFee="0.1", takerImpactFee="0.1"
    )
    bench.commit("100")
    bench.settle(taker)
    # 0.0012 of 100,000.
    assert bench.market.collateral(taker) == raw("9880")
    bench.check()


def test_s_v23_h3_fee_has_a_hard_cap(create_market, taker):
    """Under the largest terms that any protocol could allow an order pays 219.9 % of its notional at the most."""
    bench = create_market()
    bench.change_protocol(maxFee=2**24 - 1)
    bench.fill(maker="1000", collateral="1000000")
    bench.change_risk(takerFee=2**24 - 1, takerSkewFee=2**24 - 1, takerImpactFee=2**24 - 1)
    with refused("InsufficientMargin", raw("219") - 219_902_326, "10"):
        bench.open(taker, long="1", collateral="219")
    bench.open(taker, long="1", collateral="230")
    bench.commit("100")
    bench.settle(taker)
    assert bench.market.collateral(taker) == raw("230") - 219_902_326
    bench.check()


@pytest.mark.parametrize(
    ("margin", "maintenance", "price", "debt"),
    [("0.005", "0.004", "99.89", "209.34"), ("0.0075", "0.006", "99.849", "0.094")],
)
def test_s_v23_h3_dear_close_of_a_liquidation(create_market, maker, taker, hedger, margin, maintenance, price, debt):
    """A close from little skew to all of it costs 0.6 %: what maintenance covers is no debt (docs/protocol.md §16)."""
    bench = create_market(
        margin=margin, maintenance=maintenance, takerFee="0.002", takerSkewFee="0.002", takerImpactFee="0.002"
    )
    bench.open(maker, maker="1000", collateral="100000")
    bench.open(hedger, short="900", collateral="10000")
    bench.commit("100")
    bench.open(taker, long="1000", collateral="5000")
    bench.commit("100")
    bench.withdraw(taker)
    bench.freshen(price)
    bench.liquidate(taker)
    bench.commit(price)
    bench.settle()
    assert bench.market.shortfall() == raw(debt)
    bench.check()


def test_s_v24_h3_fees_of_pending_orders_are_reserved(create_market, taker, referrer):
    bench = create_market(
        takerFee="0.003", referralFee="0.5", settlementFee="1", minMargin="0", minMaintenance="0", minLiquidationFee="0"
    )
    bench.fill(maker="1000", collateral="1000000")
    bench.open(taker, long="10", collateral="500", referrer=referrer)
    bench.commit("100")
    # Closing costs 3 and 1: as long as it is pending, margin of the size stays as well.
    bench.close(taker, referrer=referrer)
    bench.withdraw(taker, ALL)
    assert bench.market.requirement(taker) == (raw("9.5"), raw("9.5"), raw("8"))
    with refused("InsufficientMargin", 9_500_000 - 1, "9.5"):
        bench.withdraw(taker, 1)
    bench.commit("100")
    bench.settle(taker)
    assert bench.market.collateral(taker) == raw("9.5")
    bench.market.claim(referrer, referrer, sender=referrer)
    bench.withdraw(taker, ALL)
    assert bench.market.shortfall() == 0
    bench.check()


# -- Liquidation -------------------------------------------------------------------------------------------------------


def test_s_v2_m5_liquidations_of_many_versions_settle_in_one_transaction(create_market):
    bench = create_market(maxPendingGlobal=5, maxPendingLocal=5, settlementFee="0.1")
    bench.fill(maker="1000", collateral="1000000")
    crowd = bench.crowd(50)
    for account in crowd:
        bench.open(account, long="10", collateral="20")
    bench.commit("100")
    bench.settle(*crowd)
    versions = []
    # Ordinary orders have filled the queue: that stops no liquidation.
    for account in crowd[:4]:
        bench.deposit(account, "0.1")
    for index, account in enumerate(crowd):
        if index == 0:
            bench.freshen("98.9")
        bench.liquidate(account)
        versions.append(bench.skip())
    assert bench.market.pendingCount() == 50
    with refused("TooManyPending", 50, 5):
        bench.open(bench.actors["taker"], long="1", collateral="100")

    for version in versions:
        bench.oracle.setVersion(version, raw("98.9"), True, sender=bench.keeper)
    bench.commit("98.9")
    # What fits in one transaction, and what anybody may do in pieces.
    receipt = bench.market.settle(bench.keeper, sender=bench.keeper)
    assert len(receipt.named("MarketSettled")) == 51
    assert receipt.gas < GAS
    bench.settle(*crowd)
    assert bench.market.position().long == 0
    bench.check(dust=500)


def test_s_v2_m5_variant_a_full_queue_does_not_stop_a_liquidation(create_market, taker, hedger):
    bench = create_market(maxPendingGlobal=2, maxPendingLocal=2)
    bench.fill(maker="1000", collateral="1000000")
    bench.open(taker, long="10", collateral="20")
    bench.commit("100")
    for _ in range(2):
        bench.open(hedger, short="1", collateral="100")
        bench.close(taker, "1")
        bench.skip()
    bench.freshen("98.5")
    with refused("TooManyPending", 2, 2):
        bench.close(taker, "1")
    assert bench.liquidate(taker).named("Liquidated")[0]["closed"] == raw("8")
    bench.check()


@pytest.mark.parametrize("drop", ["1.1", "2", "48"])
def test_z_v2_h1_liquidation_fee_never_exceeds_what_is_there(create_market, taker, hedger, stranger, drop):
    """A pair on both sides with an accomplice who liquidates: together they never come out ahead."""
    bench = create_market(liquidationFee="1", maxLiquidationFee="1000", minLiquidationFee="10")
    bench.fill(maker="1000", collateral="1000000")
    pair = (taker, hedger)
    for account, side in zip(pair, ("long", "short"), strict=True):
        bench.open(account, **{side: "10"}, collateral="20")
    bench.commit("100")
    price = raw("100") - raw(drop)
    bench.commit(price)
    bench.liquidate(taker, sender=stranger)
    bench.close(hedger)
    bench.commit(price)
    bench.settle()
    books = bench.check()

    gained = sum(bench.market.collateral(account) for account in pair) + bench.market.claimable(stranger)
    assert gained <= raw("40")
    # The fee came from the account alone, as far as it had: it made no debt.
    equity = max(0, raw("20") - 10 * raw(drop))
    assert bench.market.claimable(stranger) == min(raw("10"), equity) or equity == 0
    assert books.shortfall == max(0, 10 * raw(drop) - raw("20"))


@pytest.mark.parametrize("settles", [True, False])
def test_s_v21_h1_protected_order_never_increases(roomy, taker, settles):
    """Also S-V24-H4: with a full close pending a liquidation closes nothing, and has no way to say anything else."""
    roomy.open(taker, long="10", collateral="20")
    roomy.commit("100")
    roomy.close(taker)
    roomy.freshen("98.9")
    pending = roomy.market.pendingPosition()

    receipt = roomy.liquidate(taker)

    assert receipt.named("OrderPlaced") == []
    assert roomy.market.pendingPosition()[1:] == pending[1:]
    for order in ({"taker": 2**62}, {"taker": "1"}, {"taker": "-1"}, {"maker": "1"}):
        error = ("OverClose", "1", 0) if order == {"taker": "-1"} else ("AccountLocked", taker, roomy.version)
        error = ("WrongSide", LONG, 1) if "maker" in order else error
        with refused(*error):
            roomy.update(taker, **order)
    if settles:
        roomy.commit("98.9")
        roomy.settle(taker)
        assert roomy.market.positions(taker).long == 0
    roomy.check()


def test_s_v24_h4_liquidate_takes_an_account_and_nothing_else(roomy):
    assert [value["type"] for value in _function("liquidate")["inputs"]] == ["address"]
    assert roomy.market.pendingCount() == 0


def test_s_v24_m3_unhealthy_account_is_liquidated_whatever_it_has_pending(create_market):
    """Random orders over several versions, some of them invalid; then the price falls."""
    for seed in range(8):
        random = Random(seed)
        bench = create_market(settlementFee="0.5", takerFee="0.001", maxPendingGlobal=100, maxPendingLocal=100)
        bench.fill(maker="1000", collateral="1000000")
        taker = bench.actors["taker"]
        bench.open(taker, long="10", collateral="30")
        bench.commit("100")
        bench.settle(taker)
        for _ in range(6):
            for _ in range(random.randrange(3)):
                if random.random() < 0.5:
                    bench.open(taker, long=random.randrange(1, 10**6), collateral="3")
                else:
                    closable = bench.market.pendingPositions(taker).long
                    bench.update(taker, taker=-random.randrange(1, 10**6), collateral="3") if closable > raw("3") else 0
            bench.skip()
        bench.freshen("80")

        receipt = bench.liquidate(taker)

        assert bench.market.locked(taker)
        assert receipt.named("Liquidated")[0]["closed"] <= raw("10")
        assert all(order["opened"] == 0 for order in receipt.named("OrderPlaced"))
        with refused("AccountLocked", taker, bench.version):
            bench.open(taker, long="1", collateral="1000")
        bench.commit("80")
        bench.settle()
        assert not bench.market.locked(taker)
        bench.check()


def test_s_v21_m2_no_step_to_the_edge_and_a_liquidation_of_oneself(create_market, taker, stranger):
    bench = create_market(
        margin="0.012", maintenance="0.01", minMargin="0", minMaintenance="0", minLiquidationFee="0", liquidationFee="1"
    )
    bench.fill(maker="1000", collateral="1000000")
    bench.open(taker, long="12", collateral="1000")
    bench.commit("100")
    bench.close(taker, "2")
    bench.withdraw(taker, ALL)
    # The margin of all 12 is left, not that of 10.
    assert bench.market.requirement(taker) == (raw("14.4"), raw("14.4"), raw("12"))
    bench.freshen("99.99")
    with refused("NotLiquidatable", "14.28", "11.9988"):
        bench.liquidate(taker, sender=stranger)
    bench.check()


@pytest.mark.parametrize("fees", ["0", "0.001"])
@pytest.mark.parametrize(
    ("size", "share", "price"),
    # What is opened, what the liquidator gets of maintenance, and a price just below what that needs.
    [("10", "0.05", "99.9"), ("10", "1", "99.9"), ("1000", "1", "99.848"), (1, "1", "1")],
)
def test_s_v23_m13_liquidation_yields_no_more_than_was_paid_in(
    create_market, taker, hedger, stranger, size, share, price, fees
):
    """The least that may be opened, or more, with an accomplice who liquidates and a donation to be had."""
    bench = create_market(
        minLiquidationFee="10", maxLiquidationFee="1000", liquidationFee=share, takerFee="0.05", positionFee="1"
    )
    bench.fill(maker="10000", collateral="1000000")
    bench.open(hedger, short="100", collateral="10000")
    bench.commit("100")
    bench.settle()
    assert bench.market.fees().donation == raw("500")
    bench.change_risk(takerFee=fees)
    bench.change(settlementFee="0" if fees == "0" else "1.5")

    before = bench.held(taker)
    bench.open(taker, long=size, collateral="2000")
    bench.commit("100")
    bench.withdraw(taker, ALL)
    paid_in = before - bench.held(taker)
    bench.commit(price)
    bench.liquidate(taker, sender=stranger)
    bench.commit(price)
    bench.settle()

    assert bench.market.claimable(stranger) + max(0, bench.market.collateral(taker)) <= paid_in
    bench.check()


def test_s_v23_m13_least_liquidation_fee_is_at_most_the_least_maintenance(roomy):
    with refused("ParameterOutOfBounds", "minLiquidationFee", 10_000_001, "10"):
        roomy.change_risk(minLiquidationFee=10_000_001)


@pytest.mark.parametrize(("least", "fee", "gain"), [("0", "0", "1.4925"), ("6.5", "5", "0")])
def test_s_v23_m13_settlement_fees_of_small_accounts(create_market, taker, hedger, keeper, least, fee, gain):
    """One party opens both sides, liquidates the loser and commits the versions (docs/protocol.md §16).

    It earns what others pay, unless the least maintenance covers the settlement fee and the least liquidation fee.
    """
    bench = create_market(minMargin=least, minMaintenance=least, minLiquidationFee=fee, settlementFee="1.5")
    bench.fill(maker="1000", collateral="100000")
    before = bench.held(taker) + bench.held(hedger)
    for account, side in ((taker, "long"), (hedger, "short")):
        bench.open(account, **{side: "0.01"}, collateral="10")
        bench.withdraw(account)
    opened = bench.commit("100")
    bench.freshen("100.2")
    bench.liquidate(hedger)
    closed = bench.commit("100.2")
    bench.settle()

    out = before - bench.held(taker) - bench.held(hedger)
    earned = bench.market.claimable(keeper) + sum(bench.market.settlementFees(each) for each in (opened, closed))
    assert earned + sum(max(0, bench.market.collateral(each)) for each in (taker, hedger)) - out == raw(gain)
    assert bench.market.shortfall() == raw(gain)
    bench.check()


def test_s_v24_h2_withdrawal_against_pending_size(create_market, taker):
    bench = create_market(margin="0.012", maintenance="0.01", takerFee="0.003", price="1000")
    bench.fill(maker="1000", price="1000", collateral="10000000")
    bench.open(taker, long="10", collateral="230")
    bench.commit("1000")
    bench.settle(taker)
    assert bench.market.collateral(taker) == raw("200")

    # Of 200: 15 for the close, 120 for the margin of 10.
    with refused("InsufficientMargin", "90", "120"):
        bench.close(taker, "5", collateral="-95")
    bench.close(taker, "5", collateral="-65")
    with refused("NotLiquidatable", "120", "100"):
        bench.liquidate(taker)
    bench.check()


def test_s_v24_h2_variant_nothing_can_be_stolen_through_an_empty_account(create_market, taker, stranger):
    bench = create_market(margin="0.012", maintenance="0.01", price="1000")
    bench.fill(maker="1000", price="1000", collateral="10000000")
    bench.open(taker, long="10", collateral="200")
    bench.commit("1000")
    bench.close(taker)
    bench.withdraw(taker, ALL)
    assert bench.market.collateral(taker) == raw("120")
    with refused("NotLiquidatable", "120", "100"):
        bench.liquidate(taker, sender=stranger)
    # Not even when the close comes to nothing.
    bench.expire()
    bench.commit("1000")
    with refused("NotLiquidatable", "120", "100"):
        bench.liquidate(taker, sender=stranger)
    bench.check()


# -- Roles and parameters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["margin", "maintenance"])
def test_s_v23_h2_margins_have_a_ceiling(create_market, taker, field):
    bench = create_market()
    bench.fill(maker="10", long="1", collateral="200")
    with refused(
        "ParameterOutOfBounds",
        *{"margin": ("margin", "10", "1"), "maintenance": ("maintenance", "10", "0.0095")}[field],
    ):
        bench.change_risk(**{field: "10"})
    for minimum in ("minMargin", "maxLiquidationFee"):
        with refused("ParameterOutOfBounds", minimum, "1000.000001", "1000"):
            bench.change_risk(**{minimum: "1000.000001"})
    assert not bench.market.liquidatable(taker)


def test_s_v23_h5_nobody_makes_himself_an_operator_of_others(create_market, maker, stranger):
    """Whoever may call what is in the access tables; here the way that was found open elsewhere."""
    bench = create_market()
    bench.deposit(maker, "1000")
    bench.factory.updateOperator(stranger, True, sender=stranger)
    bench.factory.updateSigner(stranger, True, sender=stranger)
    with refused("NotOperator", maker, stranger):
        bench.withdraw(maker, ALL, sender=stranger)
    # There is no list of operators for all: every one is an account's own.
    setters = [
        entry["name"]
        for entry in load("MarketFactory").abi
        if entry["type"] == "function" and entry["name"].startswith("update") and "perator" in entry["name"]
    ]
    assert setters == ["updateOperator", "updateOperatorBatchWithSignatures", "updateOperatorWithSignature"]


def test_s_v23_h6_old_prices_free_no_collateral(create_market, taker, hedger):
    bench = create_market(staleAfter=60)
    bench.fill(maker="1000", collateral="1000000")
    for account, side in ((taker, "long"), (hedger, "short")):
        bench.open(account, **{side: "10"}, collateral="100")
    latest = bench.commit("100", wait=61)
    for account in (taker, hedger):
        with refused("StalePrice", latest, latest + 61):
            bench.withdraw(account, "1")
        assert bench.withdraw(account, ALL).named("Withdrawn") == []
        assert bench.market.collateral(account) == raw("100")
    bench.check()


# -- Invariants --------------------------------------------------------------------------------------------------------


def test_i5_coalition_takes_out_no_more_than_it_put_in_at_a_constant_price(create_market):
    for seed in range(4):
        random = Random(seed)
        bench = create_market(
            takerFee="0.0002",
            takerSkewFee="0.001",
            takerImpactFee="0.001",
            makerFee="0.0001",
            makerImpactFee="0.001",
            settlementFee="0.5",
            referralFee="0.5",
            positionFee="0.1",
        )
        coalition = [bench.actors[role] for role in ("maker", "taker", "hedger", "referrer")]
        bench.open(coalition[0], maker="50", collateral="10000")
        bench.commit("100")
        for account in coalition[1:]:
            bench.deposit(account, "10000")
        for _ in range(6):
            for account in coalition:
                _, _, long, short = bench.market.pendingPositions(account)
                size = random.randrange(1, 3 * 10**6)
                if account is coalition[0]:
                    order = {"maker": size}
                elif random.random() < 0.5:
                    order = {"taker": ALL if short else size}
                else:
                    order = {"taker": ALL if long else -size}
                bench.update(account, **order, referrer=random.choice(coalition))
            bench.commit("100", wait=1)
            if random.random() < 0.5:
                bench.settle(random.choice(coalition))
        for account in coalition[1:] + coalition[:1]:
            bench.close(account)
            bench.commit("100", wait=1)
        bench.settle()
        bench.check()
        worth = sum(bench.market.collateral(each) + bench.market.claimable(each) for each in coalition)
        assert worth <= 40_000_000_000
        assert bench.market.fees().donation + bench.market.fees().oracle + worth <= 40_000_000_000


def test_i9_everybody_at_once(create_market, operator):
    """One address owns, coordinates, benefits, makes, takes nothing, refers and claims: the books balance."""
    bench = create_market(takerFee="0.01", makerFee="0.01", referralFee="0.3", riskFee="0.3", positionFee="0.5")
    bench.change_protocol(protocolFee="0.2")
    bench = copy(bench)
    bench.market.updateCoordinator(operator, sender=bench.coordinator)
    bench.market.updateBeneficiary(operator, sender=operator)
    bench.open(operator, maker="10", collateral="1000", referrer=operator)
    bench.commit("100")
    bench.close(operator, "5", referrer=operator)
    bench.commit("100")
    bench.close(operator, referrer=operator)
    bench.commit("100")
    before = bench.held(operator)
    bench.withdraw(operator, ALL)
    bench.market.claim(operator, operator, sender=operator)
    bench.market.claimFee(operator, sender=operator)
    # Everything it has paid was its own.
    assert bench.held(operator) - before == raw("1000")
    assert bench.tokens == 0
    bench.check()


def test_i14_parameter_change_is_neutral_for_positions(create_market):
    bench = create_market()
    bench.fill(maker="10", long="5", short="3")
    bench.commit("107")
    bench.settle()
    before = bench.books()
    bench.change_risk(
        takerFee="0.1",
        makerFee="0.1",
        margin="0.5",
        maintenance="0.4",
        pController={"k": "1", "max": "50"},
        utilizationCurve={"minRate": "50", "targetRate": "50", "maxRate": "50", "targetUtilization": "0"},
        virtualTaker="1000",
        makerReceiveOnly=True,
    )
    bench.change(fundingFee="1", interestFee="1", positionFee="1", oracleFee="1", closed=True)
    assert bench.check() == before
