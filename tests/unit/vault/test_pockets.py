"""Stuck markets: what epochs leave behind, and Vault.claimReturned."""

import pytest

from perennial.testing.differential import address_of
from perennial.testing.market import refused
from perennial.testing.vault import DAY, NOBODY, opened

UNIT = 10**6
ALICE, BOB, CAROL = map(address_of, ("alice", "bob", "carol"))


@pytest.fixture
def stuck(bench):
    """Alice and Bob have 500 each; half of it is in a market that became stale before Alice left with everything."""
    bench.enter("alice", "500")
    bench.enter("bob", "500")
    bench.venues[0].stale()
    bench.leave("alice")
    bench.close()
    bench.pass_time(DAY)
    bench.venues[1].commit()
    bench.settle()
    return bench


def test_a_market_that_is_stale_when_an_epoch_closes_is_waited_for(bench):
    """Else anyone could close in a quiet minute, and whoever leaves would get a pocket instead of tokens."""
    bench.enter("alice", "500")
    bench.enter("bob", "500")
    bench.venues[0].stale()
    bench.leave("alice")
    bench.close()
    bench.venues[1].commit()
    bench.pass_time(DAY - 1)
    bench.settle()
    assert bench.epochs.pending == 3

    bench.venues[0].commit()
    bench.settle()

    # Nothing was closed there, so that not all could be paid: the rest comes back as shares, for the next epoch.
    assert bench.epochs.open_pockets == 0
    assert bench.cash("alice") == 287_500_000
    bench.leave("alice")
    bench.turn()
    assert bench.cash("alice") == 212_500_000
    bench.check()


def test_those_who_leave_get_their_share_of_the_rest(stuck):
    assert stuck.epochs == (4, 4, 0, 0, stuck.time - DAY, 1)
    assert stuck.cash("alice") == 250 * UNIT
    pocket = stuck.pocket(1)
    assert pocket == (stuck.venues[0].address, False, 500 * 10**12, 0, 0)
    assert stuck.registered()[0].pocket == 1
    # Bob has half of what is in the pocket, and the rest of the other market.
    assert stuck.assets() == 500 * UNIT
    stuck.check()


def test_nothing_can_be_claimed_before_the_market_is_back(stuck):
    with refused("PocketOpen", 1):
        stuck.vault.send("claimReturned", 1, ALICE, ALICE, sender=ALICE)


def test_units_are_known_before_and_after_the_claim(stuck):
    assert stuck.vault.value("pocketUnits", 1, ALICE) == 500 * 10**12
    stuck.cash("alice")
    assert stuck.vault.value("pocketUnits", 1, ALICE) == 500 * 10**12
    assert stuck.vault.value("pocketUnits", 1, BOB) == 0


def test_deposits_wait_while_a_market_is_stuck(stuck):
    stuck.request("carol", "100")
    with refused("NothingToClose"):
        stuck.close()
    stuck.leave("bob", 10**12)
    stuck.close()
    stuck.venues[1].commit()
    stuck.settle()

    assert stuck.vault.value("pendingDepositRequest", 4, CAROL) == 100 * UNIT
    assert stuck.epochs.deposits == 4
    assert stuck.epochs.open == 5


def test_an_epoch_does_not_wait_for_what_is_stuck_already(stuck):
    stuck.leave("bob", 10**12)
    stuck.close()
    stuck.venues[1].commit()
    stuck.settle()

    assert (stuck.epochs.pending, stuck.epochs.open_pockets) == (0, 1)


@pytest.mark.parametrize(("fee", "payout"), [("0", 255_510_000), ("30", 240_480_000)])
def test_a_pocket_waits_until_its_market_can_do_without_it(stuck, fee, payout):
    """The market is back, but its position is as large as before: nothing is taken, nor for others who leave.

    It is made smaller whatever that costs, those who have left wait for it.
    """
    first, _ = stuck.venues
    stuck.leave("bob", 10**12)
    stuck.close()
    frank = address_of("frank")
    first.market.send("update", stuck.vault.address, 0, 0, 10 * UNIT, NOBODY, sender=frank)
    stuck.commit()
    stuck.settle()

    assert (stuck.epochs.pending, stuck.epochs.open_pockets) == (0, 1)
    assert first.collateral() == 510 * UNIT
    first.change(settlementFee=fee)
    stuck.turn()
    assert stuck.epochs.open_pockets == 0
    # Of 1,000 shares 501 have left.
    assert stuck.pocket(1).payout == pytest.approx(payout, abs=1)


def test_a_market_is_not_unregistered_while_those_who_left_have_a_part_in_it(stuck):
    """Without a weight and, once it is liquidated, without a position there is nothing else to keep it."""
    first, _ = stuck.venues
    stuck.vault.send("updateMarket", first.address, 0, 4 * UNIT, sender=stuck.coordinator)
    first.update("frank", collateral="10000")
    first.commit()
    first.update("frank", taker=first.size())
    first.commit()
    first.commit("124.5")
    first.market.send("liquidate", stuck.vault.address, sender=BOB)
    first.commit("124.5")
    first.market.send("settle", stuck.vault.address, sender=BOB)
    assert first.size() == 0
    assert first.collateral() > 0

    with refused("MarketInUse", first.address):
        stuck.vault.send("unregister", first.address, sender=stuck.coordinator)
    stuck.close()
    stuck.commit()
    stuck.settle()
    assert stuck.epochs.open_pockets == 0
    assert stuck.pocket(1).payout > 0


def test_the_market_returns_to_those_who_left(stuck):
    first, _ = stuck.venues
    stuck.request("carol", "100")
    first.commit()
    # The market is back: the epoch can be closed though nobody else asks for anything.
    stuck.close()
    stuck.commit()
    stuck.settle()

    assert stuck.epochs.open_pockets == 0
    pocket = stuck.pocket(1)
    assert (pocket.resolved, pocket.payout) == (True, pytest.approx(250 * UNIT, abs=1))
    assert stuck.vault.send("claimReturned", 1, ALICE, CAROL, sender=ALICE)[0] == pocket.payout
    assert stuck.vault.send("claimReturned", 1, ALICE, CAROL, sender=ALICE)[0] == 0
    assert stuck.vault.send("claimReturned", 1, BOB, BOB, sender=BOB)[0] == 0
    assert stuck.cash("alice") == 250 * UNIT
    assert stuck.assets() == pytest.approx(500 * UNIT, abs=1)
    # Then deposits go on.
    stuck.turn()
    assert stuck.claim("carol") == pytest.approx(100 * 10**12, rel=1e-6)
    stuck.check()


def test_a_claim_of_what_returned_is_the_controllers(stuck):
    stuck.venues[0].commit()
    stuck.turn()

    with refused("NotOperator", ALICE, BOB):
        stuck.vault.send("claimReturned", 1, ALICE, BOB, sender=BOB)
    stuck.vault.send("setOperator", BOB, True, sender=ALICE)
    assert stuck.vault.send("claimReturned", 1, ALICE, BOB, sender=BOB)[0] > 0


def test_the_stuck_market_bears_its_own_loss(stuck):
    """What the stuck market loses meanwhile is borne by all who have a part in it, and by nobody who came later."""
    first, _ = stuck.venues
    first.commit()
    first.update("dave", taker="10", collateral="10000")
    first.commit()
    first.commit("105")
    # Makers have lost 50 of 500.
    stuck.close()
    stuck.commit("105", "100")
    stuck.settle()

    assert stuck.pocket(1).payout == pytest.approx(225 * UNIT, abs=1)
    assert stuck.assets() == pytest.approx(475 * UNIT, abs=1)
    stuck.check()


def test_deposits_on_their_way_wait_at_their_value(bench):
    """The market gets stuck after the epoch was closed: the deposit has tokens in it already."""
    bench.enter("alice", "1000")
    bench.request("bob", "1000")
    bench.leave("alice", 500 * 10**12)
    bench.close()
    bench.venues[1].commit()
    bench.pass_time(DAY)
    bench.settle()

    assert bench.epochs.entering == 2
    assert bench.vault.value("pendingDepositRequest", 2, BOB) == 1_000 * UNIT
    # Half of everything is stuck: Alice gets half of her 500 now.
    paid = bench.cash("alice")
    bench.venues[0].commit()
    bench.close()
    bench.commit()
    bench.settle()
    returned = bench.vault.send("claimReturned", 1, ALICE, ALICE, sender=ALICE)[0]

    assert paid + returned == pytest.approx(500 * UNIT, abs=3)
    assert 0 < returned < 300 * UNIT
    assert bench.claim("bob") == pytest.approx(1_000 * 10**12, rel=1e-6)
    assert bench.assets() == pytest.approx(1_500 * UNIT, abs=3)
    bench.check()


def test_one_request_of_a_kind_in_two_unsettled_epochs_of_the_same_parity(bench):
    """Bob's deposit waits in epoch 2; deposits have gone on to epoch 4, whose place it takes."""
    bench.enter("alice", "1000")
    bench.request("bob", "1000")
    bench.close()
    bench.venues[1].commit()
    bench.pass_time(DAY)
    bench.settle()
    bench.leave("alice", 10**12)
    bench.venues[0].stale()
    bench.close()
    assert bench.epochs.deposits == 4

    with refused("RequestPending", BOB, 2):
        bench.request("bob", "1")
    bench.request("carol", "1")


def test_who_has_left_gets_nothing_of_what_is_added_later(protocol):
    """The market comes back with a loss; there are tokens to bring it to its leverage, but they are Bob's alone."""
    with opened(protocol, 2, makerLimit="5.000001") as bench:
        first, second = bench.venues
        bench.enter("alice", "500")
        bench.enter("bob", "500")
        assert bench.books.idle == 750 * UNIT
        first.update("dave", taker="-5", collateral="10000")
        bench.commit()
        first.stale()
        bench.leave("alice")
        bench.close()
        bench.pass_time(DAY)
        second.commit()
        bench.settle()
        assert bench.cash("alice") == 437_500_000
        # Makers lose 100 of 125.
        first.commit("80")
        bench.close()
        bench.commit("80", "100")
        bench.settle()

        assert bench.pocket(1).payout == pytest.approx(12_500_000, abs=1)
        assert bench.assets() == pytest.approx(450 * UNIT, abs=2)
        bench.check()


@pytest.mark.parametrize("part", [25, 8])
def test_a_pocket_is_resolved_at_the_leverage_that_margin_allows(protocol, part):
    """Whether what has left is less than the tolerance (2 %: nothing is closed for it) or more (6 %)."""
    with opened(protocol, 0) as bench:
        for _ in range(2):
            bench.register(bench.open(margin="0.1", maintenance="0.08"), leverage="100")
        bench.enter("alice", "500")
        bench.enter("bob", "500")
        bench.venues[0].stale()
        bench.leave("alice", bench.shares("alice") // part)
        bench.request("carol", "100")
        bench.close()
        bench.pass_time(DAY)
        bench.venues[1].commit()
        bench.settle()
        assert bench.epochs.open_pockets == 1

        bench.venues[0].commit()
        bench.turn()

        assert bench.epochs.open_pockets == 0
        assert bench.pocket(1).payout == pytest.approx(250 * UNIT // part, abs=1)
        bench.turn()
        assert bench.claim("carol") == pytest.approx(100 * 10**12, rel=1e-6)


def test_assets_of_a_pocket_with_deposits_on_their_way_are_told_as_they_will_be(bench):
    """What those who left get is a part of what is not the deposits'."""
    bench.enter("alice", "500")
    bench.enter("bob", "500")
    bench.request("carol", "1000")
    bench.leave("bob")
    bench.close()
    bench.venues[1].commit()
    bench.pass_time(DAY)
    bench.settle()
    assert bench.pocket(1).debt > 0
    assert bench.pocket(1).redeemed == 500 * 10**12
    # At unchanged prices Alice has what she had.
    assert bench.assets() == pytest.approx(500 * UNIT, abs=2)

    bench.commit()
    bench.turn()
    assert bench.epochs.open_pockets == 0
    assert bench.assets() == pytest.approx(1_500 * UNIT, abs=2)
    bench.check()


@pytest.mark.parametrize("first_back", [True, False])
def test_markets_that_get_stuck_one_after_the_other_while_deposits_wait(bench, first_back):
    """What deposits have in the first pocket is not in what gets stuck later: it is not deducted there once more."""
    one, other = bench.venues
    bench.enter("alice", "1000")
    bench.enter("carol", "1000")
    bench.request("bob", "1000")
    bench.close()
    other.commit()
    bench.pass_time(DAY)
    bench.settle()
    bench.leave("alice")
    bench.close()
    bench.pass_time(DAY)
    bench.settle()

    # A third of each market is Bob's, whose deposit had been spread over both.
    assert [bench.pocket(number).debt for number in (1, 2)] == [500 * UNIT, 500 * UNIT]
    assert bench.assets() == pytest.approx(1_000 * UNIT, abs=2)

    early = one if first_back else other
    early.commit()
    bench.close()
    early.commit()
    bench.pass_time(DAY)
    bench.settle()
    assert bench.epochs.open_pockets == 1
    bench.commit()
    bench.turn()
    returned = [bench.vault.send("claimReturned", number, ALICE, ALICE, sender=ALICE)[0] for number in (1, 2)]
    assert bench.cash("alice") + sum(returned) == pytest.approx(1_000 * UNIT, abs=3)
    assert bench.claim("bob") == pytest.approx(1_000 * 10**12, rel=1e-6)
    assert bench.assets() == pytest.approx(2_000 * UNIT, abs=3)
    bench.check()


def test_a_vault_whose_only_market_is_stuck_is_not_insolvent(protocol):
    """All that it has is in the pocket: nothing is lost, and who wants to enter waits."""
    with opened(protocol, 1) as bench:
        bench.enter("alice", "1000")
        bench.venues[0].stale()
        bench.leave("alice", 250 * 10**12)
        bench.close()
        bench.pass_time(DAY)
        bench.settle()

        assert bench.epochs.open_pockets == 1
        assert bench.assets() == 750 * UNIT
        assert not bench.books.insolvent
        bench.request("bob", "100")

        # Once the market is back, what it is worth decides.
        bench.commit()
        bench.turn()
        assert not bench.books.insolvent
        bench.turn()
        assert bench.claim("bob") == pytest.approx(100 * 10**12, rel=1e-6)
        bench.check()


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_stuck_counts_for_the_cap(protocol, count):
    """Else deposits that wait would take the vault beyond it once the market is back."""
    cap = 1_000 * UNIT
    with opened(protocol, count) as bench:
        bench.vault.send("updateParameter", (1, cap, 0, 50_000), sender=bench.coordinator)
        bench.enter("alice", "1000")
        bench.venues[0].stale()
        bench.leave("alice", 250 * 10**12)
        bench.close()
        bench.pass_time(DAY)
        for venue in bench.venues[1:]:
            venue.commit()
        bench.settle()
        assert bench.epochs.open_pockets == 1
        assert bench.books.last_assets == 750 * UNIT

        with refused("DepositCapExceeded", cap + 1, cap):
            bench.request("bob", 250 * UNIT + 1)
        bench.request("bob", "250")
        bench.commit()
        bench.turn()
        bench.turn()
        assert bench.assets() == pytest.approx(cap, abs=2)
        bench.check()
