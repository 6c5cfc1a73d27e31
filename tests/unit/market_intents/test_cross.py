"""Market.cross (docs/protocol.md §9)."""

import pytest

from perennial.amounts import decimal, raw
from perennial.testing.market import refused


def test_anyone_crosses_opposite_intents(desk, taker, hedger, maker):
    """§9.3: buyer and seller change size at once; the pool's makers are not touched."""
    bench = desk.bench
    before = bench.market.collateral(maker)

    desk.cross(taker, hedger, "2", "101")

    assert bench.market.pendingPositions(taker)[1:] == (0, raw("2"), 0)
    assert bench.market.pendingPositions(hedger)[1:] == (0, 0, raw("2"))
    bench.commit("104")
    bench.settle()
    assert bench.market.collateral(taker) == raw("1006")
    assert bench.market.collateral(hedger) == raw("994")
    assert bench.market.collateral(maker) == before
    bench.check()


def test_both_signers_pay(desk, taker, hedger, referrer, delegate):
    """§9.4: both signed, so both pay, and both name whom the shares belong to."""
    bench = desk.bench
    bench.change_risk(takerFee="0.001")
    bench.change(referralFee="0.2", positionFee="1")

    desk.cross(taker, hedger, "2", originator=referrer.address, solver=delegate.address, fee="0.25")

    assert bench.market.collateral(taker) == bench.market.collateral(hedger) == raw("999.8")
    assert bench.market.claimable(referrer) == raw("0.06")
    assert bench.market.claimable(delegate) == raw("0.02")
    bench.commit("100")
    bench.settle()
    assert sum(bench.market.fees()) == raw("0.32")
    bench.check()


def test_sizes_that_only_change_hands(desk, taker, hedger):
    """A long sells to one who becomes long: the market's sizes stay."""
    bench = desk.bench
    bench.open(taker, long="3")
    bench.commit("100")

    desk.cross(hedger, taker, "2")

    assert bench.market.pendingPosition()[1:] == (raw("100"), raw("3"), 0)
    bench.commit("101")
    bench.settle()
    assert bench.market.positions(taker)[1:] == (0, raw("1"), 0)
    assert bench.market.positions(hedger)[1:] == (0, raw("2"), 0)
    bench.check()


def test_amount_has_the_first_intents_sign(desk, taker, hedger, keeper):
    a, b = desk.signed(taker, "2"), desk.signed(hedger, "-2")
    cross = desk.bench.market.cross
    with refused("InvalidFillAmount", "-2", "2"):
        cross(*a, *b, raw("-2"), raw("100"), sender=keeper)
    cross(*b, *a, raw("-2"), raw("100"), sender=keeper)
    assert desk.bench.market.pendingPositions(taker)[1:] == (0, raw("2"), 0)


def test_both_of_one_sign(desk, taker, hedger, keeper):
    a, b = desk.signed(taker, "2"), desk.signed(hedger, "2")
    with refused("InvalidFillAmount", "-2", "2"):
        desk.bench.market.cross(*a, *b, raw("2"), raw("100"), sender=keeper)


def test_the_integer_without_an_opposite(desk, taker, hedger, keeper):
    """-2^255 cannot be negated: it is refused as any other amount is, not by a panic."""
    least = -(2**255)
    a, b = desk.signed(taker, decimal(least)), desk.signed(hedger, decimal(least))
    buy = desk.signed(hedger, "2")
    with refused("InvalidFillAmount", least, raw("2")):
        desk.bench.market.cross(*a, *buy, least, raw("100"), sender=keeper)
    with refused("SizeOverflow", 2**255):
        desk.bench.market.cross(*a, *b, least, raw("100"), sender=keeper)


@pytest.mark.parametrize(("price", "signed"), [("98.999999", "99"), ("101.000001", "101")])
def test_a_price_that_one_does_not_accept(desk, taker, hedger, keeper, price, signed):
    a, b = desk.signed(taker, "2", "101"), desk.signed(hedger, "-2", "99")
    with refused("WorsePrice", price, signed):
        desk.bench.market.cross(*a, *b, raw("2"), raw(price), sender=keeper)


def test_one_account(desk, taker):
    with refused("SelfFill", taker):
        desk.cross(taker, taker, "2")


def test_either_side_needs_margin(desk, taker, hedger):
    desk.bench.withdraw(hedger)
    desk.bench.deposit(hedger, "9.999999")
    with refused("InsufficientMargin", "9.999999", "10"):
        desk.cross(taker, hedger, "1")
    with refused("InsufficientMargin", "9.999999", "10"):
        desk.cross(hedger, taker, "1")


def test_each_side_may_ask_for_more(desk, taker, hedger):
    with refused("InsufficientCollateralization", "1000", "1000.001"):
        desk.cross(taker, hedger, "10", collateralization="1.000001")


def test_locked(desk, taker, hedger):
    bench = desk.bench
    bench.open(taker, long="50", collateral="-950")
    bench.commit("100")
    bench.freshen("99")
    bench.liquidate(taker)
    with refused("AccountLocked", taker, bench.version):
        desk.cross(taker, hedger, "1", "99")
    with refused("AccountLocked", taker, bench.version):
        desk.cross(hedger, taker, "1", "99")
