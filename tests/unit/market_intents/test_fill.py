"""Market.fill (docs/protocol.md §9)."""

import pytest

from perennial.abi import Reverted
from perennial.amounts import raw
from perennial.testing.market import LONG, SHORT, refused


def side(position):
    """Maker, long and short of a position."""
    return position[1:]


def test_worked_example(desk, taker, hedger, maker):
    """§9.3: long 2 at 101, version price 104: +6 and -6; the pool is unchanged."""
    bench = desk.bench
    before = bench.market.collateral(maker)
    version = bench.version

    receipt = desk.fill(taker, hedger, "2", "101")

    assert receipt.events[-1].name == "IntentFilled"
    assert list(receipt.events[-1].values.values()) == [taker.address, hedger.address, version, raw("2"), raw("101"), 0]
    assert bench.oracle.requested() != version
    assert side(bench.market.pendingPositions(taker)) == (0, raw("2"), 0)
    assert side(bench.market.pendingPositions(hedger)) == (0, 0, raw("2"))
    assert side(bench.market.pendingPosition()) == (raw("100"), raw("2"), raw("2"))
    # 998 after the guarantee at the latest price.
    assert bench.market.requirement(taker)[0] == raw("998")

    bench.commit("104")
    bench.settle()
    assert bench.market.collateral(taker) == raw("1006")
    assert bench.market.collateral(hedger) == raw("994")
    assert side(bench.market.positions(taker)) == (0, raw("2"), 0)
    assert side(bench.market.positions(hedger)) == (0, 0, raw("2"))
    assert bench.market.collateral(maker) == before
    # From 104 on they are takers like others.
    bench.commit("105")
    bench.settle()
    assert bench.market.collateral(taker) == raw("1008")
    assert bench.market.collateral(hedger) == raw("992")
    assert bench.market.collateral(maker) == before
    bench.check()


def test_fee_and_shares(desk, taker, hedger, referrer, delegate):
    """§9.4: the signer alone pays, at once; originator and solver are credited, the rest is a position fee."""
    bench = desk.bench
    bench.change_risk(takerFee="0.001")
    bench.change(referralFee="0.2", positionFee="1", settlementFee="1.5")

    desk.fill(taker, hedger, "2", originator=referrer.address, solver=delegate.address, fee="0.25")

    assert bench.market.collateral(taker) == raw("999.8")
    assert bench.market.collateral(hedger) == raw("1000")
    assert bench.market.claimable(referrer) == raw("0.03")
    assert bench.market.claimable(delegate) == raw("0.01")
    assert sum(bench.market.fees()) == 0
    version = bench.commit("100")
    bench.settle()
    assert sum(bench.market.fees()) == raw("0.16")
    assert bench.market.settlementFees(version) == 0
    assert bench.market.collateral(taker) == raw("999.8")
    bench.check()


def test_fee_rounds_up_and_shares_down(desk, taker, hedger, referrer):
    bench = desk.bench
    bench.change_risk(takerFee="0.000001")
    bench.change(referralFee="0.5")

    desk.fill(taker, hedger, "0.000001", originator=referrer.address)

    assert bench.market.collateral(taker) == raw("1000") - 1
    assert bench.market.claimable(referrer) == 0


def test_fee_without_originator_is_not_shared(desk, taker, hedger, delegate):
    bench = desk.bench
    bench.change_risk(takerFee="0.001")
    bench.change(referralFee="0.2", positionFee="1")

    desk.fill(taker, hedger, "2", solver=delegate.address, fee="1")

    assert bench.market.claimable(delegate) == 0
    bench.commit("100")
    bench.settle()
    assert sum(bench.market.fees()) == raw("0.2")


def test_stands_at_an_invalid_version(desk, taker, hedger):
    """§5.5: AMM long 1 and a fill of +2 at an invalid version: size 2 at the last price; no order, no fees of it."""
    bench = desk.bench
    bench.change_risk(takerFee="0.001")
    bench.change(settlementFee="1.5", positionFee="1")
    desk.fill(hedger, taker, "-2", "101")
    bench.open(taker, long="1")

    bench.expire()
    bench.settle()

    assert side(bench.market.positions(taker)) == (0, raw("2"), 0)
    assert side(bench.market.positions(hedger)) == (0, 0, raw("2"))
    assert bench.market.collateral(taker) == raw("998")
    assert bench.market.collateral(hedger) == raw("1001.8")
    assert sum(bench.market.fees()) == raw("0.2")
    assert bench.market.price() == raw("100")
    bench.commit("110")
    bench.settle()
    assert bench.market.collateral(taker) == raw("1018")
    assert bench.market.collateral(hedger) == raw("981.8")
    bench.check()


def test_no_liquidation_fee_without_a_close(desk, taker, hedger, keeper):
    """§5.5: the close at an invalid version is cancelled, its fee too, though a fill at the version stands."""
    bench = desk.bench
    bench.open(taker, long="50", collateral="-900")
    bench.commit("100")
    desk.fill(taker, hedger, "1")
    bench.freshen("98.5")
    bench.liquidate(taker)

    bench.expire()
    bench.settle()

    assert bench.market.claimable(keeper) == 0
    assert not bench.market.locked(taker)
    assert side(bench.market.positions(taker)) == (0, raw("51"), 0)
    bench.check()


def test_a_maker_may_come_where_fills_net_to_nothing(desk, taker, hedger):
    """Both at one version: the maker's size is not what the fills leave."""
    bench = desk.bench
    desk.fill(taker, hedger, "2")
    desk.fill(taker, hedger, "-2")
    bench.open(taker, maker="5")

    bench.commit("100")
    bench.settle()

    assert side(bench.market.positions(taker)) == (raw("5"), 0, 0)
    bench.check()


def test_crosses_zero(desk, taker, hedger):
    """§5.3: without orders pending a fill may go through zero; until it settles orders are refused."""
    bench = desk.bench
    bench.open(taker, long="3")
    bench.commit("100")

    desk.fill(taker, hedger, "-5")

    assert side(bench.market.pendingPositions(taker)) == (0, 0, raw("2"))
    assert side(bench.market.pendingPosition()) == (raw("100"), raw("5"), raw("2"))
    with refused("FillCrosses", taker):
        bench.update(taker, taker="-1")
    with refused("FillCrosses", taker):
        bench.update(taker, taker="1")
    bench.commit("104")
    bench.settle()
    assert side(bench.market.positions(taker)) == (0, 0, raw("2"))
    # 3 gained 4 each until the version, then 5 were sold at 100.
    assert bench.market.collateral(taker) == raw("992")
    bench.update(taker, taker="-1")
    bench.check()


def test_with_orders_pending_a_fill_closes_what_is_closable(desk, taker, hedger):
    bench = desk.bench
    bench.open(taker, long="3")
    bench.commit("100")
    bench.close(taker, "1")

    with refused("OverClose", "3", "2"):
        desk.fill(taker, hedger, "-3")
    desk.fill(taker, hedger, "-2")
    assert side(bench.market.pendingPositions(taker)) == (0, 0, 0)
    with refused("OverClose", "1", 0):
        desk.fill(taker, hedger, "-1")


def test_orders_of_the_other_side_are_refused(desk, taker, hedger):
    bench = desk.bench
    desk.fill(taker, hedger, "2")

    with refused("OverClose", "1", 0):
        bench.update(taker, taker="-1")
    with refused("WrongSide", LONG, 1):
        bench.update(taker, maker="1")
    with refused("WrongSide", SHORT, 1):
        bench.update(hedger, maker="1")


def test_parts(desk, taker, hedger):
    """§9.2: parts add up to the intent, each a tenth of it or what remains."""
    bench = desk.bench
    intent, signature = desk.signed(taker, "10")
    fill = bench.market.fill

    with refused("FillTooSmall", "0.999999", "1"):
        fill(intent, signature, raw("0.999999"), raw("100"), hedger, sender=hedger)
    fill(intent, signature, raw("9.5"), raw("100"), hedger, sender=hedger)
    hashed = bench.anvil.contract("Verifier", bench.factory.verifier()).hash(intent)
    with refused("OverFilled", hashed, "1", "0.5"):
        fill(intent, signature, raw("1"), raw("100"), hedger, sender=hedger)
    fill(intent, signature, raw("0.5"), raw("100"), hedger, sender=hedger)
    assert side(bench.market.pendingPositions(taker)) == (0, raw("10"), 0)


def test_operator_fills_for_an_account(desk, taker, hedger, delegate):
    with refused("NotOperator", hedger, delegate):
        desk.fill(taker, hedger, "1", sender=delegate)
    desk.bench.factory.updateOperator(delegate, True, sender=hedger)
    desk.fill(taker, hedger, "1", sender=delegate)
    assert side(desk.bench.market.pendingPositions(hedger)) == (0, 0, raw("1"))


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_better_price_is_taken_a_worse_one_is_not(desk, taker, hedger, sign):
    better, worse = ("99", "101") if not sign else ("101", "99")
    desk.fill(taker, hedger, f"{sign}1", at=better)
    with refused("WorsePrice", worse, "100"):
        desk.fill(taker, hedger, f"{sign}1", at=worse)


def test_refused_terms(desk, taker, hedger, maker):
    bench = desk.bench
    fill = bench.market.fill
    intent, signature = desk.signed(taker, "1", "200")
    with refused("InvalidFillAmount", 0, "1"):
        fill(intent, signature, 0, raw("100"), hedger, sender=hedger)
    with refused("InvalidFillAmount", "-1", "1"):
        fill(intent, signature, raw("-1"), raw("100"), hedger, sender=hedger)
    with refused("PriceTooFar", raw("110") + 1, "100", "0.1"):
        fill(intent, signature, raw("1"), raw("110") + 1, hedger, sender=hedger)
    with refused("PriceTooFar", raw("90") - 1, "100", "0.1"):
        fill(intent, signature, raw("1"), raw("90") - 1, hedger, sender=hedger)
    with refused("SelfFill", taker):
        fill(intent, signature, raw("1"), raw("100"), taker, sender=taker)
    with refused("MakerCannotFill", maker):
        fill(intent, signature, raw("1"), raw("100"), maker, sender=maker)
    with refused("MakerCannotFill", maker):
        desk.fill(maker, hedger, "1")
    fill(intent, signature, raw("1"), raw("110"), hedger, sender=hedger)


def test_refused_messages(desk, taker, hedger, stranger):
    bench = desk.bench
    verifier = bench.anvil.contract("Verifier", bench.factory.verifier())
    with refused("WrongDomain", stranger, bench.market):
        desk.fill(taker, hedger, "1", market=stranger.address)
    with refused("SignerNotAuthorised", taker, stranger):
        desk.fill(taker, hedger, "1", signer=stranger.address, key=stranger)
    intent, signature = desk.signed(taker, "1", key=stranger)
    with refused("WrongSignature", taker, verifier.hash(intent)):
        bench.market.fill(intent, signature, raw("1"), raw("100"), hedger, sender=hedger)
    verifier.cancelNonce(7, sender=taker)
    verifier.cancelGroup(8, sender=taker)
    with refused("NonceAlreadyCancelled", taker, 7):
        desk.fill(taker, hedger, "1", nonce=7)
    with refused("GroupAlreadyCancelled", taker, 8):
        desk.fill(taker, hedger, "1", group=8)
    assert bench.market.pendingCounts(taker) == 0


def test_refused_while_stale_or_closed(desk, taker, hedger):
    bench = desk.bench
    latest, current = bench.oracle.status()
    bench.skip(10_000)
    with refused("StalePrice", latest.timestamp, current + 10_000):
        desk.fill(taker, hedger, "1")
    bench.commit("100")
    desk.fill(taker, hedger, "2")
    bench.change(closed=True)
    with refused("MarketClosed"):
        desk.fill(taker, hedger, "1")
    with refused("MarketClosed"):
        desk.fill(taker, hedger, "-3")
    # Both reduce, and nobody goes through zero.
    desk.fill(taker, hedger, "-2")


def test_margin_counts_the_guarantee(desk, taker, hedger):
    """§10.2: what the agreed price has lost at the latest one is not there to cover the margin."""
    bench = desk.bench
    # 100 at 105: 500 lost, margin 95; with 1,000 fine. 180 at 105: 900 lost, 171 needed.
    with refused("InsufficientMargin", "100", "171"):
        desk.fill(taker, hedger, "180", "105")
    desk.fill(taker, hedger, "90", "105")
    # All fills count, not just the newest.
    with refused("InsufficientMargin", "100", "171"):
        desk.fill(taker, hedger, "90", "105")
    assert bench.market.requirement(taker) == (raw("550"), raw("85.5"), 0)


def test_collateralization(desk, taker, hedger):
    with refused("InsufficientCollateralization", "1000", "1000.001"):
        desk.fill(taker, hedger, "10", collateralization="1.000001")
    desk.fill(taker, hedger, "10", collateralization="1")


def test_reduction_needs_maintenance_only(desk, taker, hedger):
    bench = desk.bench
    bench.open(taker, long="50", collateral="-950")
    bench.open(hedger, short="50")
    bench.commit("100")
    bench.freshen("99.9")
    # 45 is between maintenance, 39.96 and margin, 47.4525.
    with refused("InsufficientMargin", "45", "47.461991"):
        desk.fill(taker, hedger, "0.01", "99.9")
    desk.fill(taker, hedger, "-10", "99.9")


def test_efficiency_limit(desk, taker, hedger):
    bench = desk.bench
    bench.change_risk(efficiencyLimit="10")
    with refused("EfficiencyTooLow", "100", "10", "10"):
        desk.fill(taker, hedger, "10")
    desk.fill(taker, hedger, "9.999999")


def test_caps(desk, taker, hedger):
    bench = desk.bench
    bench.change(maxPendingLocal=1)
    desk.fill(taker, hedger, "1")
    desk.fill(taker, hedger, "1")
    bench.skip()
    with refused("TooManyPending", 1, 1):
        desk.fill(taker, hedger, "1")
    bench.change(maxPendingLocal=6, maxPendingGlobal=1)
    with refused("TooManyPending", 1, 1):
        desk.fill(taker, hedger, "1")


def test_refused_while_paused(desk, taker, hedger, operator):
    desk.bench.factory.updatePauser(operator, sender=operator)
    desk.bench.factory.pause(sender=operator)
    with refused("MarketPaused"):
        desk.fill(taker, hedger, "1")


def test_expired(desk, taker, hedger):
    with pytest.raises(Reverted, match="MessageExpired"):
        desk.fill(taker, hedger, "1", expiry=1)
