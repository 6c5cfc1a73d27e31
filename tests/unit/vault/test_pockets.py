"""Stuck markets: what epochs leave behind, and Vault.claimReturned."""

import pytest

from perennial.testing.differential import address_of
from perennial.testing.market import refused
from perennial.testing.vault import DAY, opened

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
    bench.venues[1].commit()
    bench.settle()
    return bench


def test_those_who_leave_get_their_share_of_the_rest(stuck):
    assert stuck.epochs == (4, 4, 0, 0, stuck.time, 1)
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
