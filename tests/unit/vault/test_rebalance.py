"""Vault.rebalance."""

import pytest

from perennial.amounts import raw
from perennial.testing.differential import address_of
from perennial.testing.market import refused
from perennial.testing.vault import opened

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
