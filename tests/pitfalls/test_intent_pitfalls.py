"""Pitfalls of signed intents, on fills and crosses."""

import pytest

from perennial.amounts import raw
from perennial.intents import Domain
from perennial.testing.desk import Desk
from perennial.testing.market import refused

LARGEST = f"{(2**255 - 1) // 10**6}.{(2**255 - 1) % 10**6:06}"
"""The largest price that can be signed."""


@pytest.fixture
def desk(bench, protocol, chain, taker, hedger):
    """A maker of 100 at a price of 100; taker and hedger have 1,000 each."""
    bench.fill(maker="100", collateral="100000")
    for account in (taker, hedger):
        bench.deposit(account, "1000")
    return Desk(bench, Domain(chain.chain_id, protocol.verifier.address))


class TestSV23H4:
    """S-V23-H4: two accounts match at an absurd price, and the loser has nothing to pay with."""

    @pytest.mark.parametrize("price", ["1250000000000", "0", "-100", "110.000001", "89.999999", LARGEST, f"-{LARGEST}"])
    def test_far_from_the_latest_price(self, desk, taker, hedger, price):
        for size in ("5", "-5"):
            with refused("PriceTooFar", price, "100", "0.1"):
                desk.fill(taker, hedger, size, price)

    @pytest.mark.parametrize("size", ["100", "-100"])
    def test_the_loss_is_collateralized(self, desk, taker, hedger, size):
        """At the bound the loser, signer or not, has lost 1,000 before the fill settles."""
        price = "110" if size == "100" else "90"
        with refused("InsufficientMargin", 0, "95"):
            desk.fill(taker, hedger, size, price)
        with refused("InsufficientMargin", 0, "95"):
            desk.fill(hedger, taker, f"-{size}".replace("--", ""), price)


@pytest.mark.parametrize("spread", [False, True])
def test_s_v24_h1_earlier_guarantees_count(desk, taker, hedger, spread):
    """S-V24-H1: the loss of every pending fill is counted, at one version or over several."""
    bench = desk.bench
    bench.change(maxPriceDeviation="0.2")
    bench.withdraw(taker)
    bench.deposit(taker, "51")
    for _ in range(2):
        desk.fill(taker, hedger, "1", "120")
        if spread:
            bench.skip()
    with refused("InsufficientMargin", "-9", "10"):
        desk.fill(taker, hedger, "1", "120")
    bench.commit("100")
    bench.settle()
    assert bench.market.collateral(taker) == raw("11")
    assert bench.market.shortfall() == 0
    bench.check()


def test_s_v24_h1_guarantees_of_fills_that_leave_no_size(desk, taker, hedger):
    """S-V24-H1: bought dear and sold cheap, at one version: no size is left that needs margin, the losses are."""
    bench = desk.bench
    bench.change(maxPriceDeviation="0.2")
    bench.withdraw(taker)
    bench.deposit(taker, "75")
    desk.fill(taker, hedger, "1", "120")
    desk.fill(taker, hedger, "-1", "80")

    assert bench.market.pendingPositions(taker)[1:] == (0, 0, 0)
    assert bench.market.requirement(taker)[0] == raw("35")
    with refused("InsufficientCollateral", "75", "75.000001"):
        bench.update(taker, collateral="-75.000001")
    with refused("InsufficientMargin", raw("-1"), 0):
        bench.update(taker, collateral="-36")
    bench.update(taker, collateral="-10")
    desk.fill(taker, hedger, "1", "109")
    with refused("InsufficientMaintenance", "-4", 0):
        desk.fill(taker, hedger, "-1", "80")
    bench.commit("500")
    bench.settle()
    assert bench.market.collateral(taker) == raw("25") - raw("109") + raw("500")
    bench.check()


def test_s_v24_h3_fees_are_paid_before_anything_leaves(desk, taker, hedger, referrer):
    """S-V24-H3: fill back and forth, withdraw everything: the fees stay, and the originator's claim is funded."""
    bench = desk.bench
    bench.change_risk(takerFee="0.003")
    bench.change(referralFee="0.5", positionFee="1")
    desk.cross(taker, hedger, "0.3", originator=referrer.address)
    desk.cross(taker, hedger, "-0.3", originator=referrer.address)
    for account in (taker, hedger):
        bench.withdraw(account)
    bench.commit("100")
    bench.settle()

    for account in (taker, hedger):
        assert bench.market.collateral(account) == 0
    assert bench.market.claimable(referrer) == raw("0.18")
    bench.market.claim(referrer, referrer, sender=referrer)
    bench.check()


class TestSV24M3:
    """S-V24-M3, S-V24-H4, S-V21-H1: an unhealthy account can be liquidated, and only ever gets smaller by it."""

    def test_pending_closes(self, desk, taker, hedger):
        bench = desk.bench
        bench.open(taker, long="50", collateral="-900")
        bench.commit("100")
        for size in ("-50", "50", "-5"):
            desk.fill(taker, hedger, size)
            bench.skip()
        bench.freshen("98.5")

        bench.liquidate(taker)

        assert bench.market.locked(taker)
        assert bench.market.pendingPositions(taker)[1:] == (0, raw("45"), 0)
        with refused("AccountLocked", taker, bench.version):
            desk.fill(taker, hedger, "1", "98.5")
        with refused("AccountLocked", taker, bench.version):
            bench.update(taker, taker="1")
        bench.commit("98.5")
        bench.settle()
        assert not bench.market.locked(taker)
        bench.check()

    def test_through_zero(self, desk, taker, hedger, keeper):
        """A fill through zero is pending: nothing can be closed, the account is locked until it has settled."""
        bench = desk.bench
        bench.open(taker, long="50", collateral="-900")
        bench.commit("100")
        desk.fill(taker, hedger, "-60")
        # 50 gain what 60 lose more of.
        bench.freshen("106")
        requested = bench.oracle.requested()

        bench.liquidate(taker)

        assert bench.market.locked(taker)
        assert bench.oracle.requested() == requested
        assert bench.market.pendingPositions(taker)[1:] == (0, 0, raw("10"))
        bench.commit("100")
        bench.settle()
        assert bench.market.positions(taker)[1:] == (0, 0, raw("10"))
        assert bench.market.claimable(keeper) == 0
        bench.check()


@pytest.mark.parametrize(
    ("way", "price", "gain"),
    [
        ("fill", "100.95", "-243.59"),
        ("fill", "102", "804.1"),
        ("withdraw", "100.95", "-466.59"),
        ("withdraw", "102", "581.1"),
    ],
)
def test_s_v23_h6_what_a_gap_is_worth(create_market, protocol, chain, taker, hedger, way, price, gain):
    """S-V23-H6: one party has both sides at a latest price that it knows to be old (docs/protocol.md §16).

    A size of 1,000 at 100 with production's margins and fees, against makers of as much. What gains is the part of the
    move that the loser's margin does not cover: by a fill at the old price, or by freeing what two positions had.
    """
    fees = {"takerFee": "0.0002", "takerSkewFee": "0.001", "takerImpactFee": "0.001", "settlementFee": "1.5"}
    bench = create_market(staleAfter=60, **fees)
    bench.fill(maker="1000", collateral="100000")
    party = {taker: "1000", hedger: "-1000"}
    before = sum(map(bench.held, party))
    for account, size in party.items():
        bench.update(account, taker=size if way == "withdraw" else 0, collateral="5000")
    if way == "withdraw":
        bench.commit("100")
        bench.settle()
    else:
        Desk(bench, Domain(chain.chain_id, protocol.verifier.address)).fill(taker, hedger, "1000")
    for account in party:
        bench.withdraw(account)

    for _ in range(2):
        bench.commit(price)
        bench.settle()
        for account in party:
            if bench.market.liquidatable(account):
                bench.liquidate(account)
            else:
                bench.close(account)
    for account in party:
        bench.withdraw(account)

    assert sum(map(bench.held, party)) + bench.market.claimable(bench.keeper) - before == raw(gain)
    bench.check()
