"""Market.update: what an order costs (docs/protocol.md §6). Rates have 12 decimals."""

import pytest

from perennial.amounts import raw
from perennial.testing.anvil import NOBODY
from perennial.testing.market import FEES, START, STEP, event, refused


def rate(receipt):
    return receipt.named("OrderPlaced")[0]["rate"]


def paid(bench, account):
    """Fee of the account's last settlement."""
    return bench.market.settle(account, sender=bench.keeper).named("AccountSettled")[0]["fee"]


@pytest.mark.parametrize(
    ("virtual", "order", "expected_rate", "fee"),
    [
        pytest.param("0", {"long": "1"}, 400_000_000, "0.04", id="long 1: skew 0.4 to 0.5"),
        pytest.param("0", {"short": "2"}, 200_000_000, "0.04", id="short 2: skew 0.4 to 0"),
        # Skews have 6 decimals: 0.0002 + (0.187500 - 0.133333)·(0.001 + 0.001).
        pytest.param("10", {"long": "1"}, 308_334_000, 30_834, id="virtual taker 10: skew 2/15 to 3/16"),
    ],
)
def test_taker_rate(book, referrer, virtual, order, expected_rate, fee):
    book.change_risk(virtualTaker=virtual)

    receipt = book.open(referrer, **order, collateral="100")

    assert rate(receipt) == expected_rate
    book.commit("100")
    assert paid(book, referrer) == (raw(fee) if isinstance(fee, str) else fee)
    book.check()


def test_fee_is_charged_at_the_price_of_the_version(book, referrer):
    book.open(referrer, long="1", collateral="100")
    book.commit("110")
    assert paid(book, referrer) == raw("0.044")
    book.check()


def test_maker_rate(book, maker):
    # Utilization 5/13 → 5/8, with 6 decimals.
    assert rate(book.close(maker, "5")) == 340_385_000
    book.commit("100")
    # 5 · 100 · 0.000340385
    assert paid(book, maker) == 170_193
    book.check()


def test_maker_rate_falls_to_zero_where_utilization_falls(book, maker):
    # Utilization 5/13 → 5/103: 0.0001 - 0.336·0.001 would be negative.
    assert rate(book.open(maker, maker="90")) == 0
    book.commit("100")
    book.settle(maker)
    book.check()


def test_taker_rate_is_never_negative(create_market, hedger):
    bench = create_market()
    bench.fill(maker="10", long="5")
    bench.change_risk(takerImpactFee="0.001")

    # Skew 1 → 0.2: the impact part alone would be -0.0008.
    assert rate(bench.open(hedger, short="4", collateral="100")) == 0


def test_rate_of_the_first_taker(create_market, taker):
    bench = create_market(**FEES)
    bench.fill(maker="10")

    # Skew 0 → 1.
    assert rate(bench.open(taker, long="0.000001", collateral="100")) == 2_200_000_000


def test_rate_of_takers_without_makers_pending(create_market, maker):
    bench = create_market(**FEES)
    bench.fill(maker="10", long="5")

    # Utilization 0.5 → 1: no cover is left.
    assert rate(bench.close(maker, "10")) == 600_000_000


def test_rate_is_fixed_when_the_order_is_placed(book, referrer):
    receipt = book.open(referrer, long="1", collateral="100")
    book.change_risk(takerFee="0.05", takerSkewFee="0.1", takerImpactFee="0.1")
    book.commit("100")

    assert rate(receipt) == 400_000_000
    assert paid(book, referrer) == raw("0.04")
    book.check()


def test_rate_counts_pending_orders_of_others(book, referrer, delegate):
    book.open(delegate, long="1", collateral="100")
    # Skew 0.5 → 4/7 = 0.571428.
    assert rate(book.open(referrer, long="1", collateral="100")) == 342_856_000


def test_rate_is_capped(create_market, taker):
    bench = create_market()
    bench.change_protocol(maxFee=2**24 - 1)
    bench.fill(maker="10")
    bench.change_risk(takerFee=2**24 - 1, takerSkewFee=2**24 - 1, takerImpactFee=2**24 - 1)

    # 219.9 % of notional is the most that anybody ever pays.
    assert rate(bench.open(taker, long="1", collateral="1000")) == 2**41 - 1
    bench.commit("100")
    assert paid(bench, taker) == 219_902_326
    bench.check()


# -- Several orders of one version -------------------------------------------------------------------------------------


def test_orders_of_one_version_are_charged_as_one(book, referrer):
    assert rate(book.open(referrer, long="1", collateral="100")) == 400_000_000
    # Skew 0.4 → 0.5 → 0.571428: 0.0002 + 0.171428·0.002 on 2.
    assert rate(book.open(referrer, long="1")) == 542_856_000

    book.commit("100")
    assert paid(book, referrer) == 108_572
    book.check()


def test_splitting_an_order_gains_nothing(book, delegate):
    snapshot = book.anvil.rpc("evm_snapshot")
    book.open(delegate, long="2", collateral="100")
    book.commit("100")
    whole = paid(book, delegate)
    book.anvil.rpc("evm_revert", snapshot)

    for _ in range(4):
        book.open(delegate, long="0.5", collateral="100")
    book.commit("100")
    assert paid(book, delegate) >= whole
    book.check()


def test_charge_of_a_version_never_falls(book, taker):
    # A long of 1 costs 0.04; the close after it brings the skew back, which takes nothing off.
    book.open(taker, long="1")
    receipt = book.close(taker, "1")

    # Skew sums to 0: 0.0002 on 2 is what is charged already.
    assert rate(receipt) == 200_000_000
    book.commit("100")
    assert paid(book, taker) == raw("0.04")
    book.check()


def test_charge_of_a_version_stays_where_the_fee_falls(book, taker):
    book.open(taker, long="1")
    book.change_risk(takerFee="0", takerSkewFee="0", takerImpactFee="0")

    # 0.0004 on 1 is 0.0002 on 2.
    assert rate(book.open(taker, long="1")) == 200_000_000
    book.commit("100")
    assert paid(book, taker) == raw("0.04")
    book.check()


def test_orders_of_different_versions_are_charged_apart(book, referrer):
    book.open(referrer, long="1", collateral="100")
    first = book.skip()
    assert rate(book.open(referrer, long="1")) == 342_856_000

    book.oracle.setVersion(first, raw("100"), True, sender=book.keeper)
    book.commit("100")
    settled = book.market.settle(referrer, sender=book.keeper).named("AccountSettled")
    assert [each["fee"] for each in settled] == [raw("0.04"), 34_286]
    book.check()


def test_fees_are_rounded_up(create_market, taker):
    bench = create_market(takerFee="0.000001")
    bench.fill(maker="10")
    bench.open(taker, long="0.000001", collateral="100")

    # 10^-6 · 10^-6 · 100 is far less than the last digit.
    bench.commit("100")
    assert paid(bench, taker) == 1
    bench.check()


# -- Who gets the fee --------------------------------------------------------------------------------------------------


def test_position_fee_is_shared_between_market_and_makers(create_market, maker, hedger, taker):
    bench = create_market(takerFee="0.01", positionFee="0.1")
    bench.open(maker, maker="3", collateral="1000")
    bench.open(hedger, maker="1", collateral="1000")
    bench.commit("100")

    bench.open(taker, long="2", collateral="100")
    version = bench.commit("100")
    receipt = bench.market.settle(taker, sender=bench.keeper)

    # 2 is paid, 0.2 kept, 1.8 divided 3 : 1.
    settled = receipt.named("MarketSettled")[0]
    assert (settled["version"], settled["fee"], settled["maker"]) == (version, raw("0.2"), 45 * 10**10)
    bench.settle(maker, hedger)
    assert bench.market.collateral(maker) == raw("1001.35")
    assert bench.market.collateral(hedger) == raw("1000.45")
    assert bench.market.collateral(taker) == raw("98")
    assert bench.market.fees().donation == raw("0.2")
    bench.check(dust=0)


def test_makers_who_enter_at_a_version_do_not_share_its_fees(create_market, maker, hedger, taker):
    bench = create_market(takerFee="0.01")
    bench.fill(maker="1", collateral="1000")
    bench.open(hedger, maker="99", collateral="1000")
    bench.open(taker, long="1", collateral="100")
    bench.commit("100")
    bench.settle()

    assert bench.market.collateral(maker) == raw("1001")
    assert bench.market.collateral(hedger) == raw("1000")
    bench.check()


def test_makers_who_leave_at_a_version_share_its_fees(create_market, maker, taker):
    bench = create_market(takerFee="0.01")
    bench.fill(maker="1", collateral="1000")
    bench.open(taker, long="0.5", collateral="100")
    bench.close(maker)
    bench.commit("100")
    bench.settle()

    assert bench.market.collateral(maker) == raw("1000.5")
    bench.check()


@pytest.mark.parametrize("makers", [None, 999], ids=["empty", "dust"])
def test_position_fees_go_to_the_market_where_no_maker_side_is_there(create_market, maker, taker, hedger, makers):
    bench = create_market(takerFee="0.01", positionFee="0.1")
    if makers:
        bench.fill(maker=makers, collateral="1000")
    bench.open(hedger, maker="10", collateral="1000")
    bench.open(taker, long="1", collateral="100")
    bench.commit("100")
    bench.settle()

    assert bench.market.fees().donation == raw("1")
    assert bench.market.collateral(hedger) == raw("1000")
    assert bench.market.collateral(maker) == (raw("1000") if makers else 0)
    bench.check()


def test_makers_of_exactly_the_dust_bound_share_fees(create_market, maker, taker, hedger):
    bench = create_market(takerFee="0.01", positionFee="0.1")
    bench.fill(maker=1000, collateral="1000")
    bench.open(hedger, maker="10", collateral="1000")
    bench.open(taker, long="1", collateral="100")
    bench.commit("100")
    bench.settle()

    assert bench.market.collateral(maker) == raw("1000.9")
    assert bench.market.fees().donation == raw("0.1")
    bench.check()


@pytest.mark.parametrize(("size", "fits"), [(11_805_916_207_174, True), (11_805_916_207_175, False)])
def test_position_fees_of_more_than_a_unit_may_gain_go_to_the_market(create_market, maker, taker, size, fits):
    """A tenth of the size at a price of 1, for 0.001 units of maker: 2^70 of 12 decimals a unit is too much (§1.6)."""
    bench = create_market(takerFee="0.1", price="1", makerLimit="100000000")
    bench.open(maker, maker=1000, collateral="1000000")
    bench.commit("1")
    bench.open(taker, long=size, collateral="2000000")
    bench.commit("1")
    settled = bench.market.settle(taker, sender=bench.keeper).named("MarketSettled")[-1]

    per_unit = size * 10**8
    assert (per_unit < 2**70) is fits
    assert (settled["maker"], settled["fee"]) == ((per_unit, 0) if fits else (0, size // 10))
    bench.check()


# -- Settlement fee ----------------------------------------------------------------------------------------------------


def test_settlement_fee_is_charged_once_per_account_and_version(create_market, maker, taker, hedger):
    bench = create_market(settlementFee="1.5")
    bench.open(maker, maker="100", collateral="10000")
    bench.commit()
    first = bench.open(taker, long="1", collateral="100")
    second = bench.open(taker, long="1")
    third = bench.open(hedger, short="1", collateral="100")

    fees = [receipt.named("OrderPlaced")[0]["settlementFee"] for receipt in (first, second, third)]
    assert fees == [raw("1.5"), 0, raw("1.5")]

    version = bench.commit()
    receipt = bench.market.settle(taker, sender=bench.keeper)
    assert receipt.named("MarketSettled")[0]["settlementFee"] == raw("3")
    assert receipt.named("AccountSettled")[0]["settlementFee"] == raw("1.5")
    assert bench.market.collateral(taker) == raw("98.5")
    assert bench.market.settlementFees(version) == raw("3")
    assert bench.market.fees().oracle == raw("4.5")
    bench.check(dust=0)


def test_settlement_fee_is_that_of_the_first_order_at_the_version(create_market, taker):
    bench = create_market(settlementFee="1.5")
    bench.fill(maker="100")
    bench.open(taker, long="1", collateral="100")
    bench.change(settlementFee="20")
    bench.open(taker, long="1")

    bench.commit()
    bench.settle(taker)
    assert bench.market.collateral(taker) == raw("98.5")
    bench.check()


def test_settlement_fees_of_an_account_have_44_bits(create_market, taker):
    bench = create_market(decimals=6)
    bench.change_protocol(maxFeeAbsolute=2**48 - 1)
    bench.fill(maker="100")
    bench.change(settlementFee=2**44)

    with refused("CollateralOverflow", 2**44):
        bench.open(taker, long="1", collateral="10000000")
    bench.change(settlementFee=2**44 - 1)
    bench.open(taker, long="1", collateral="20000000")
    first = bench.skip()
    with refused("CollateralOverflow", 2**44 - 1):
        bench.open(taker, long="1")
    bench.oracle.setVersion(first, raw("100"), True, sender=bench.keeper)
    bench.commit()
    bench.settle(taker)
    assert bench.market.collateral(taker) == raw("20000000") - (2**44 - 1)
    bench.check()


# -- Referrers ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def referring(create_market):
    """Takers pay 1 %, referrers get 20 % of it, the market 10 % of the rest."""
    bench = create_market(takerFee="0.01", referralFee="0.2", positionFee="0.1")
    bench.fill(maker="10", collateral="10000")
    return bench


def test_referrer_gets_its_share_first(referring, taker, maker, referrer):
    placed = referring.open(taker, long="2", collateral="100", referrer=referrer)
    assert placed.named("OrderPlaced")[0]["referrer"] == referrer.address
    version = referring.commit("100")

    receipt = referring.market.settle(taker, sender=referring.keeper)

    # 2 is paid: 0.4 to the referrer, 0.16 of the rest kept, 1.44 to makers.
    assert event("Credited", account=referrer, source=taker, amount="0.4", fromDonation=0) in receipt.events
    assert receipt.named("MarketSettled")[0]["fee"] == raw("0.16")
    assert referring.market.claimable(referrer) == raw("0.4")
    assert referring.market.collateral(taker) == raw("98")
    referring.settle(maker)
    assert referring.market.collateral(maker) == raw("10001.44")
    assert version == START + 2 * STEP
    referring.check(dust=0)


def test_referral_share_is_that_of_when_the_order_was_placed(referring, taker, referrer):
    referring.open(taker, long="2", collateral="100", referrer=referrer)
    referring.change(referralFee="1")
    referring.commit("100")
    referring.settle(taker)

    assert referring.market.claimable(referrer) == raw("0.4")
    referring.check()


def test_referral_share_is_of_what_its_orders_added(referring, taker, referrer):
    referring.open(taker, long="1", collateral="100")
    referring.open(taker, long="1", referrer=referrer)
    referring.change(referralFee="0.5")
    referring.open(taker, long="2", referrer=referrer)
    referring.open(taker, long="1")
    referring.commit("100")
    referring.settle(taker)

    # 0 of 1, 0.2 of 1, 0.5 of 2, 0 of 1: the share of all is kept with 12 decimals.
    assert referring.market.claimable(referrer) == raw("1.2")
    referring.check()


def test_second_referrer_at_a_version(referring, taker, referrer, delegate):
    referring.open(taker, long="1", collateral="100", referrer=referrer)

    with refused("ReferrerMismatch", referrer, delegate):
        referring.open(taker, long="1", referrer=delegate)
    referring.open(taker, long="1", referrer=referrer)
    referring.open(taker, long="1")

    referring.skip()
    referring.open(taker, long="1", referrer=delegate)


def test_referrer_can_be_named_by_a_later_order_of_the_version(referring, taker, referrer):
    referring.open(taker, long="1", collateral="100")
    referring.open(taker, long="1", referrer=referrer)
    referring.commit("100")
    referring.settle(taker)
    assert referring.market.claimable(referrer) == raw("0.2")
    referring.check()


def test_referrer_is_not_inherited_by_later_versions(referring, taker, referrer):
    referring.open(taker, long="1", collateral="100", referrer=referrer)
    referring.commit("100")
    referring.open(taker, long="1")
    referring.commit("100")
    referring.settle(taker)
    assert referring.market.claimable(referrer) == raw("0.2")
    referring.check()


def test_referrer_gets_nothing_at_an_invalid_version(referring, taker, referrer):
    referring.open(taker, long="1", collateral="100", referrer=referrer)
    referring.expire()
    referring.settle(taker)
    assert referring.market.claimable(referrer) == 0
    assert referring.market.collateral(taker) == raw("100")
    referring.check()


def test_referrer_of_a_deposit_means_nothing(referring, taker, referrer):
    receipt = referring.update(taker, collateral="100", referrer=referrer)
    assert receipt.events == [event("Deposited", account=taker, sender=taker, amount="100")]


@pytest.mark.parametrize("side", ["long", "short", "maker"])
def test_account_may_refer_itself(referring, taker, side):
    referring.change_risk(makerFee="0.01")
    referring.open(taker, **{side: "2"}, collateral="100", referrer=taker)
    referring.commit("100")
    referring.settle(taker)

    assert referring.market.collateral(taker) == raw("98")
    assert referring.market.claimable(taker) == raw("0.4")
    referring.check()


def test_order_without_referrer_joins_one_with(referring, taker, maker, referrer):
    # The averaged share is rounded down: what the referrer gets falls by one of 12 decimals as the second order joins.
    referring.open(taker, long="0.500001", collateral="100", referrer=referrer)
    referring.open(taker, long=1)

    referring.commit("100")
    referring.settle(taker, maker)
    assert referring.market.claimable(referrer) == 100_000
    referring.check()


def test_order_without_a_referrer(referring, taker):
    receipt = referring.open(taker, long="1", collateral="100", referrer=NOBODY)
    assert receipt.named("OrderPlaced")[0]["referrer"] == NOBODY
