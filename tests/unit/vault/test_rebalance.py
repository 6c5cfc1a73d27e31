"""Vault.rebalance."""

from contextlib import suppress

import pytest

from perennial.abi import Reverted
from perennial.amounts import raw
from perennial.testing.differential import address_of
from perennial.testing.market import refused
from perennial.testing.vault import DAY, opened

UNIT = 10**6


def test_on_target_there_is_nothing_to_do(bench):
    with refused("NothingToRebalance"):
        bench.rebalance()
    bench.enter("alice", "1000")
    with refused("NothingToRebalance"):
        bench.rebalance()


@pytest.mark.parametrize(("leverage", "off"), [("4.2", False), ("4.22", True), ("3.8", False), ("3.79", True)])
def test_beyond_the_tolerance_it_orders_what_is_missing(bench, leverage, off):
    bench.enter("alice", "1000")
    for venue in bench.venues:
        bench.vault.send("updateMarket", venue.address, 1, raw(leverage), sender=bench.coordinator)
    if not off:
        with refused("NothingToRebalance"):
            bench.rebalance()
        return

    bench.rebalance()

    assert [venue.pending() for venue in bench.venues] == [raw(leverage) * 5] * 2
    bench.commit()
    bench.settle()
    with refused("NothingToRebalance"):
        bench.rebalance()
    bench.check()


def test_a_new_weight_moves_position_and_collateral_in_two_steps(bench):
    bench.enter("alice", "1000")
    first, second = bench.venues
    bench.vault.send("updateMarket", first.address, 0, raw("4"), sender=bench.coordinator)

    bench.rebalance()
    assert (first.pending(), second.pending()) == (0, raw("20"))
    bench.commit()
    bench.settle()
    bench.rebalance()

    assert (first.collateral(), second.pending()) == (0, raw("40"))
    bench.commit()
    bench.settle()
    assert bench.assets() == 1_000 * UNIT
    bench.check()


def test_without_weight_a_position_is_closed_whatever_that_costs(bench):
    """Else it would be there for ever: 500 are less than ten times the fee."""
    bench.enter("alice", "1000")
    first, _ = bench.venues
    first.change(settlementFee="60")
    bench.vault.send("updateMarket", first.address, 0, raw("4"), sender=bench.coordinator)

    bench.rebalance()

    assert first.pending() == 0


def test_without_weight_collateral_stays_as_long_as_the_position(protocol):
    with opened(protocol, 2, makerCloseAlways=False) as bench:
        bench.enter("alice", "1000")
        first, _ = bench.venues
        first.update("bob", taker="20", collateral="10000")
        first.commit()
        bench.vault.send("updateMarket", first.address, 0, raw("4"), sender=bench.coordinator)

        with refused("NothingToRebalance"):
            bench.rebalance()

        assert (first.size(), first.collateral()) == (raw("20"), raw("500"))


def test_holders_pay_once_for_what_was_off(costly):
    costly.enter("alice", "1000")
    for venue in costly.venues:
        costly.vault.send("updateMarket", venue.address, 1, raw("3"), sender=costly.coordinator)
    before = costly.assets()
    costly.rebalance()
    costly.commit()
    costly.settle()

    assert 2 * UNIT < before - costly.assets() < 4 * UNIT
    with refused("NothingToRebalance"):
        costly.rebalance()


def moved(bench, price):
    """What the price of all markets costs the holders where anybody may rebalance; what it does to the sizes."""
    bench.commit(*[price] * len(bench.venues))
    assets, sizes = bench.assets(), [venue.size() for venue in bench.venues]
    with suppress(Reverted):
        bench.rebalance()
        bench.commit()
        bench.settle()
    return assets - bench.assets(), [venue.size() - size for venue, size in zip(bench.venues, sizes, strict=True)]


def test_a_price_that_swings_costs_one_cycle_a_day(costly):
    """By 6 % up and down again: what was closed at the expense of all is not opened so before a day has passed."""
    costly.enter("alice", "1000")
    cost, changes = moved(costly, "106")
    # 1 a market, and 0.1 % of what is closed; a part of that is what fees had left too much of.
    assert cost == pytest.approx(2 * UNIT + -sum(changes) * 106 // 1_000, abs=2)
    assert [market.rests_until for market in costly.registered()] == [costly.time + DAY] * 2
    for price in ("100", "106", "100", "106", "100"):
        assert moved(costly, price) == (0, [0, 0])

    costly.pass_time(DAY - 1)
    assert moved(costly, "100") == (0, [0, 0])
    costly.pass_time(1)
    cost, changes = moved(costly, "100")
    assert cost > 2 * UNIT
    assert min(changes) > 0
    # Closing is never held up: too much leverage is put right at once.
    assert max(moved(costly, "106")[1]) < 0
    costly.check()


def test_while_a_market_rests_deposits_open_what_they_pay_for(costly):
    costly.enter("alice", "1000")
    assert max(moved(costly, "106")[1]) < 0
    costly.commit("100", "100")
    sizes = [venue.size() for venue in costly.venues]
    before = costly.vault.value("convertToAssets", costly.shares("alice"))
    costly.request("bob", "1000")
    costly.turn()

    # 500 in each market at leverage 4; what is missing of Alice's stays so.
    assert [venue.size() for venue in costly.venues] == [size + raw("20") for size in sizes]
    assert costly.vault.value("convertToAssets", costly.shares("alice")) >= before
    bobs = costly.claim("bob")
    assert costly.vault.value("convertToAssets", bobs) == pytest.approx(994 * UNIT, abs=2)
    costly.check()


def test_nobody_can_have_the_holders_pay_by_coming_and_going(protocol):
    """A small market is used or not by a hair: Bob tips it over and back, and pays for a hair of what that costs."""
    with opened(protocol, 0) as bench:
        bench.register(bench.open(), weight=99)
        small = bench.open(settlementFee="1.5", minMargin="10", makerFee="0.0002", positionFee="1")
        bench.register(small, weight=1)
        bench.enter("alice", "1499")
        start, sizes = bench.assets(), []
        for _ in range(5):
            bench.request("bob", max(2 * UNIT, 1_501 * UNIT - bench.assets()))
            bench.turn()
            sizes.append(small.size())
            bench.claim("bob")
            bench.leave("bob")
            bench.turn()
            bench.cash("bob")

        # Once in and once out: 1.5 each time, and 0.02 % of the notional.
        assert sizes == [600_400, 0, 0, 0, 0]
        assert start - bench.assets() < 2 * 1_520_000
        bench.check()


def test_nobody_can_have_the_holders_pay_for_deposits_that_a_full_market_did_not_take(protocol):
    """Bob enters while his friend's makers leave the market no room, so that no order is placed which he would pay for.

    His friend then makes room, so that all pay for what Bob's deposit opens; he leaves in parts, and they begin anew.
    """
    with opened(protocol, 1, makerFee="0.001", positionFee="1", makerLimit="4000.000001") as bench:
        (venue,) = bench.venues
        bench.enter("alice", "10000")
        venue.update("dave", maker="3600", collateral="100000")
        bench.commit()
        start, opened_for_all = bench.assets(), []
        for _ in range(3):
            before = venue.size()
            bench.request("bob", "1000")
            bench.turn()
            assert venue.size() == before
            shares = bench.claim("bob")
            venue.update("dave", maker="-40")
            bench.commit()
            with suppress(Reverted):
                bench.rebalance()
                bench.commit()
                bench.settle()
            opened_for_all.append(venue.size() - before)
            for part in (shares // 3, shares // 3, None):
                bench.leave("bob", part)
                bench.turn()
            bench.cash("bob")
            venue.update("dave", maker=raw("4000") - int(venue.market.read("pendingPosition")[1]))
            bench.commit()

        assert opened_for_all[0] > raw("35")
        assert opened_for_all[1:] == [0, 0]
        # 0.1 % of what was opened once for all, and nothing else.
        assert start - bench.assets() <= opened_for_all[0] * 100 // 1_000
        bench.check()


def test_what_is_missing_by_less_than_the_tolerance_is_not_opened_with_a_deposit(costly):
    """It would be at the expense of all, and the market would rest for it: who enters pays for all that is opened."""
    costly.enter("alice", "1000")
    costly.commit("98", "98")
    sizes = [venue.size() for venue in costly.venues]
    costly.request("bob", "980")
    costly.turn()

    assert [venue.size() - size for venue, size in zip(costly.venues, sizes, strict=True)] == [raw("20")] * 2
    assert [market.rests_until for market in costly.registered()] == [0, 0]
    costly.check()


def test_it_closes_what_is_requested_too(bench):
    bench.enter("alice", "1000")
    bench.request("bob", "1000")
    bench.rebalance()
    bench.commit()
    bench.settle()

    assert bench.claim("bob") == 1_000 * 10**12


def test_it_waits_for_the_epoch_before(bench):
    bench.request("alice", "1000")
    bench.close()

    with refused("EpochPending", 1):
        bench.rebalance()


def test_paused(bench):
    bench.protocol.factory.send("pause", sender=address_of("pauser"))

    with refused("ProtocolPaused"):
        bench.rebalance()
