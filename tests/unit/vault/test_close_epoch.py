"""Vault.closeEpoch: what it orders, and where."""

import pytest

from perennial.amounts import raw
from perennial.testing.differential import address_of
from perennial.testing.market import refused
from perennial.testing.vault import opened

UNIT = 10**6


def sizes(bench):
    return [venue.pending() for venue in bench.venues]


def test_deposits_are_spread_by_weight_and_sized_by_leverage(bench):
    bench.vault.send("updateMarket", bench.venues[1].address, 3, raw("2"), sender=bench.coordinator)
    bench.request("alice", "1000")

    bench.close()

    # 250 at leverage 4 and 750 at leverage 2, at a price of 100.
    assert sizes(bench) == [raw("10"), raw("15")]
    assert [venue.collateral() for venue in bench.venues] == [raw("250"), raw("750")]
    assert bench.epochs == (2, 2, 1, 1, bench.time, 0)
    assert bench.books.idle == 0
    assert bench.books.entering == 1_000 * UNIT
    assert [market.version for market in bench.registered()] == [1_000_010, 1_000_010]
    bench.check()


def test_without_weights_everything_stays_idle(bench):
    for venue in bench.venues:
        bench.vault.send("updateMarket", venue.address, 0, raw("2"), sender=bench.coordinator)
    bench.request("alice", "1000")
    bench.close()

    assert sizes(bench) == [0, 0]
    assert bench.books.idle == 1_000 * UNIT
    bench.settle()
    assert bench.claim("alice") == 1_000 * 10**12


def test_a_vault_without_markets_works(protocol):
    with opened(protocol, 0) as bench:
        assert bench.enter("alice", "10") == 10 * 10**12
        bench.leave("alice")
        bench.turn()
        assert bench.cash("alice") == 10 * UNIT


def test_nothing_to_close(bench):
    with refused("NothingToClose"):
        bench.close()
    bench.enter("alice", "1000")
    with refused("NothingToClose"):
        bench.close()


def test_the_epoch_before_has_to_settle(bench):
    bench.request("alice", "1000")
    bench.close()
    bench.request("bob", "1000")

    with refused("EpochPending", 1):
        bench.close()

    # What can be settled is settled first.
    bench.commit()
    bench.close()
    assert bench.epochs.pending == 2
    assert bench.vault.value("maxDeposit", address_of("alice")) == 1_000 * UNIT


def test_paused(bench):
    bench.request("alice", "1000")
    bench.protocol.factory.send("pause", sender=address_of("pauser"))

    with refused("ProtocolPaused"):
        bench.close()


def test_leaving_closes_in_proportion_and_takes_collateral_at_settlement(bench):
    bench.enter("alice", "1000")
    bench.leave("alice", 250 * 10**12)

    bench.close()

    assert sizes(bench) == [raw("15"), raw("15")]
    assert [venue.collateral() for venue in bench.venues] == [raw("500"), raw("500")]
    bench.commit()
    bench.settle()
    assert [venue.collateral() for venue in bench.venues] == [raw("375"), raw("375")]
    assert bench.cash("alice") == 250 * UNIT
    bench.check()


def test_what_leaves_is_not_lent_to_a_market_meanwhile(bench):
    """The second market is to have all of the first, once that is free; until then what comes and stays."""
    bench.enter("alice", "1000")
    first, second = bench.venues
    bench.vault.send("updateMarket", first.address, 0, raw("4"), sender=bench.coordinator)
    bench.request("bob", "100")
    bench.leave("alice", 60 * 10**12)

    bench.close()

    assert second.collateral() == 540 * UNIT
    assert bench.books.idle == 60 * UNIT


def test_requests_that_cancel_out_order_nothing(costly):
    costly.enter("alice", "1000")
    costly.leave("alice", 100 * 10**12)
    alices = costly.vault.value("convertToAssets", 100 * 10**12)
    costly.vault.send("requestDeposit", alices, address_of("bob"), address_of("bob"), sender=address_of("bob"))
    before = sizes(costly)

    costly.turn()

    assert sizes(costly) == before
    assert costly.cash("alice") == alices
    assert abs(costly.claim("bob") - 100 * 10**12) <= 10**7
    costly.check()


def test_makers_are_limited(protocol):
    with opened(protocol, makerLimit=raw("3")) as bench:
        bench.request("alice", "1000")
        bench.close()

        # Strictly below the limit; the rest is idle.
        assert sizes(bench) == [raw("3") - 1, raw("3") - 1]
        assert bench.books.idle == 1_000 * UNIT - 2 * 75 * UNIT + 50
        bench.commit()
        bench.settle()
        # A full market does not freeze anybody.
        assert bench.claim("alice") == 1_000 * 10**12
        bench.leave("alice", 900 * 10**12)
        bench.turn()
        assert bench.cash("alice") == 900 * UNIT


def test_leverage_is_what_margin_allows(protocol):
    with opened(protocol, margin=raw("0.25"), maintenance=raw("0.2")) as bench:
        bench.request("alice", "1000")
        bench.close()

        # 1 / (0.25 · 1.5) instead of 4.
        assert sizes(bench) == [500 * 2_666_666 // 100] * 2


def test_too_little_for_the_least_margin_stays_idle(protocol):
    with opened(protocol, minMargin=raw("10")) as bench:
        bench.request("alice", 30 * UNIT - 2)
        bench.close()
        assert sizes(bench) == [0, 0]
        bench.settle()
        bench.request("alice", 2)
        bench.close()
        assert sizes(bench) == [600_000, 600_000]


def test_an_order_is_worth_ten_settlement_fees(protocol):
    with opened(protocol, settlementFee=raw("2")) as bench:
        bench.request("alice", 40 * UNIT - 2)
        bench.close()
        assert sizes(bench) == [0, 0]
        bench.settle()
        assert bench.claim("alice") == (40 * UNIT - 2) * UNIT
        bench.request("alice", 2)
        bench.close()
        assert sizes(bench) == [raw("0.8"), raw("0.8")]


@pytest.mark.parametrize("refusal", [{"closed": True}, {"maxPendingLocal": 1}])
def test_what_a_market_refuses_does_not_stop_the_others(bench, refusal):
    first, second = bench.venues
    if "closed" in refusal:
        first.change(**refusal)
    else:
        # One version of the vault is pending there already: nothing more is ordered, and what is there is waited for.
        bench.request("bob", "1000")
        bench.close()
        second.commit()
        assert bench.epochs.pending == 1
        first.commit()
        bench.settle()
    bench.request("alice", "1000")

    bench.close()

    assert second.pending() != 0
    bench.commit()
    bench.settle()
    assert bench.epochs.pending == 0
    bench.check()


def test_a_closed_market_still_reduces(bench):
    bench.enter("alice", "1000")
    bench.venues[0].change(closed=True)
    bench.leave("alice", 500 * 10**12)

    bench.turn()

    assert [venue.size() for venue in bench.venues] == [raw("10"), raw("10")]
    assert bench.cash("alice") == 500 * UNIT


def test_a_stale_market_gets_nothing(bench):
    first, second = bench.venues
    first.stale()
    bench.request("alice", "1000")

    bench.close()

    assert sizes(bench) == [0, raw("20")]
    assert bench.books.idle == 500 * UNIT
    # The vault has nothing there: nothing is waited for.
    second.commit()
    bench.settle()
    assert bench.claim("alice") == 1_000 * 10**12


def test_what_takers_need_for_cover_stays(protocol):
    with opened(protocol, 1, makerCloseAlways=False) as bench:
        bench.enter("alice", "1000")
        (venue,) = bench.venues
        venue.update("bob", taker="30", collateral="1000")
        venue.commit()
        bench.leave("alice")
        bench.close()

        assert venue.pending() == raw("30")
        venue.commit()
        bench.settle()
        # 30 at a price of 100 and leverage 4, less a tolerance of 5 %: the rest is paid, the shares come back.
        kept = 3_000 * UNIT // 4 * 95 // 100
        assert bench.cash("alice") == pytest.approx(1_000 * UNIT - kept, abs=2)
        assert bench.shares("alice") == pytest.approx(kept * UNIT, abs=2 * UNIT)
        bench.check()


def test_collateral_follows_profit_and_loss(bench):
    bench.enter("alice", "1000")
    first, second = bench.venues
    first.update("bob", taker="10", collateral="10000")
    second.update("bob", taker="-10", collateral="10000")
    bench.commit()
    bench.commit("90", "90")
    bench.commit()
    bench.request("carol", "1")
    bench.close()

    # The first market's makers have gained 100, the second's lost 100: it moves over, so that leverage is 4 in both.
    assert [venue.collateral() for venue in bench.venues] == [raw("500.49999")] * 2


def test_a_market_that_owes_gets_nothing(opposed):
    (venue,) = opposed.venues
    venue.commit("130")
    opposed.request("carol", "1000")
    opposed.close()

    # Makers of 40 have lost 1,200 of 1,000: no new tokens go after them.
    assert venue.collateral() == -raw("200")
    assert opposed.books.idle == 1_000 * UNIT


def test_the_epochs_closing_is_told(bench):
    bench.request("alice", "1000")
    bench.close()
    names = [name for name, _ in bench.vault.events()]

    assert names == ["Ordered", "Ordered", "EpochClosed"]
