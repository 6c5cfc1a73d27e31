"""Vault.requestRedeem."""

import pytest

from perennial.testing.differential import address_of
from perennial.testing.market import refused

ALICE, BOB = map(address_of, ("alice", "bob"))
ALL = 1_000 * 10**12


@pytest.fixture
def entered(bench):
    """Alice has 1,000 USD in the vault."""
    assert bench.enter("alice", "1000") == ALL
    return bench


def test_shares_wait_in_the_open_epoch(entered):
    assert entered.leave("alice", ALL // 4) == 2

    assert entered.vault.events()[-1] == ("RedeemRequest", (ALICE, ALICE, 2, ALICE, ALL // 4))
    assert entered.shares("alice") == ALL * 3 // 4
    assert entered.vault.value("pendingRedeemRequest", 2, ALICE) == ALL // 4
    assert entered.vault.value("claimableRedeemRequest", 2, ALICE) == 0
    assert entered.vault.value("totalSupply") == ALL
    entered.check()


def test_requests_of_one_epoch_add_up_and_later_ones_join_the_next(entered):
    entered.leave("alice", ALL // 4)
    entered.leave("alice", ALL // 4)
    entered.close()
    assert entered.leave("alice", ALL // 2) == 3

    assert entered.vault.value("pendingRedeemRequest", 2, ALICE) == ALL // 2
    assert entered.vault.value("pendingRedeemRequest", 3, ALICE) == ALL // 2
    entered.check()


def test_what_was_settled_two_epochs_ago_stays_claimable(entered):
    entered.leave("alice", ALL // 4)
    entered.turn()
    entered.enter("bob", "10")

    entered.leave("alice", ALL // 4)

    assert entered.vault.value("maxWithdraw", ALICE) == 250 * 10**6
    assert entered.vault.value("maxRedeem", ALICE) == ALL // 4
    entered.turn()
    assert entered.cash("alice") == 500 * 10**6
    entered.check()


def test_an_allowance_is_spent(entered):
    with refused("ERC20InsufficientAllowance", BOB, 0, ALL):
        entered.vault.send("requestRedeem", ALL, BOB, ALICE, sender=BOB)
    entered.vault.send("approve", BOB, ALL, sender=ALICE)

    entered.vault.send("requestRedeem", ALL, BOB, ALICE, sender=BOB)

    assert entered.vault.value("allowance", ALICE, BOB) == 0
    entered.turn()
    assert entered.cash("bob") == 1_000 * 10**6


def test_an_operator_needs_no_allowance(entered):
    entered.vault.send("setOperator", BOB, True, sender=ALICE)

    entered.vault.send("requestRedeem", ALL, ALICE, ALICE, sender=BOB)

    assert entered.vault.value("pendingRedeemRequest", 2, ALICE) == ALL


def test_nothing_is_no_request(entered):
    with refused("ZeroShares"):
        entered.vault.send("requestRedeem", 0, ALICE, ALICE, sender=ALICE)


def test_the_controller_cannot_be_zero(entered):
    with refused("ZeroAddress", "controller"):
        entered.vault.send("requestRedeem", 1, "0x" + "0" * 40, ALICE, sender=ALICE)


def test_nobody_redeems_more_than_it_has(entered):
    with refused("ERC20InsufficientBalance", ALICE, ALL, ALL + 1):
        entered.vault.send("requestRedeem", ALL + 1, ALICE, ALICE, sender=ALICE)
