"""Vault.recallDeposit: a deposit that waits need not wait for ever."""

import pytest

from perennial.testing.differential import address_of
from perennial.testing.market import refused
from perennial.testing.vault import DAY

UNIT = 10**6
ALICE, BOB, CAROL = map(address_of, ("alice", "bob", "carol"))


def recall(bench, name, receiver=None, caller=None):
    """Returns what an actor's deposit came back with."""
    controller = address_of(name)
    to = address_of(receiver or name)
    return bench.vault.send("recallDeposit", controller, to, sender=address_of(caller or name))[0]


def test_a_deposit_comes_back_from_the_open_epoch(bench):
    before = bench.tokens("alice")
    bench.request("alice", "1000")
    bench.request("alice", "500")
    bench.request("bob", "1")

    assert recall(bench, "alice") == 1_500 * UNIT
    assert bench.vault.events() == [("DepositRecalled", (ALICE, ALICE, 1, 1_500 * UNIT))]
    assert bench.tokens("alice") == before
    assert bench.vault.value("pendingDepositRequest", 1, ALICE) == 0
    assert bench.books.open_deposits == UNIT
    bench.check()


def test_deposits_that_wait_for_a_market_which_never_comes_back(bench):
    """Without it they would be locked: nobody can close them."""
    bench.enter("alice", "1000")
    bench.request("bob", "100")
    bench.venues[0].stale()
    with refused("NothingToClose"):
        bench.close()
    # Nor after what is stuck has a pocket.
    bench.leave("alice", 10**12)
    bench.close()
    bench.pass_time(DAY)
    bench.venues[1].commit()
    bench.settle()
    assert bench.epochs.open_pockets == 1
    with refused("NothingToClose"):
        bench.close()

    assert recall(bench, "bob") == 100 * UNIT
    bench.check()


def test_what_is_closed_cannot_be_taken_back(bench):
    bench.request("alice", "1000")
    bench.close()
    with refused("NothingToRecall", ALICE):
        recall(bench, "alice")
    bench.commit()
    bench.settle()
    with refused("NothingToRecall", ALICE):
        recall(bench, "alice")
    assert bench.claim("alice") == 1_000 * 10**12


def test_only_once(bench):
    bench.request("alice", "1000")
    bench.request("bob", "1000")
    recall(bench, "alice")
    with refused("NothingToRecall", ALICE):
        recall(bench, "alice")


def test_a_claim_of_an_older_epoch_stays(same_place):
    """The new request has moved the settled one of the same place to the claim."""
    same_place.request("alice", "10")
    assert same_place.epochs.deposits == 3

    assert recall(same_place, "alice") == 10 * UNIT
    assert same_place.claim("alice") == 1_000 * 10**12


def test_a_settled_deposit_of_the_same_place_is_not_taken_from_others(same_place):
    """Two epochs later it is where one of the open epoch would be, and others' deposits are there to pay it."""
    same_place.request("bob", "1000")
    assert same_place.epochs.deposits == 3

    with refused("NothingToRecall", ALICE):
        recall(same_place, "alice")
    assert same_place.claim("alice") == 1_000 * 10**12
    same_place.check()


@pytest.mark.parametrize("approved", [False, True])
def test_the_controller_or_its_operator(bench, approved):
    bench.request("alice", "1000", controller="carol")
    bench.vault.send("setOperator", BOB, approved, sender=CAROL)
    with refused("NotOperator", CAROL, ALICE):
        recall(bench, "carol", caller="alice")
    if not approved:
        with refused("NotOperator", CAROL, BOB):
            recall(bench, "carol", caller="bob")
        return
    before = bench.tokens("dave")
    recall(bench, "carol", receiver="dave", caller="bob")
    assert bench.tokens("dave") == before + 1_000 * UNIT
