"""Vault.requestDeposit."""

import pytest

from perennial.testing.differential import address_of
from perennial.testing.market import refused
from perennial.testing.vault import opened

ALICE, BOB, CAROL = map(address_of, ("alice", "bob", "carol"))
UNIT = 10**6


def test_assets_wait_in_the_open_epoch(bench):
    before = bench.tokens("alice")

    assert bench.request("alice", "1000") == 1

    assert bench.vault.events()[0] == ("DepositRequest", (ALICE, ALICE, 1, ALICE, 1_000 * UNIT))
    assert bench.tokens("alice") == before - 1_000 * UNIT
    assert bench.books.open_deposits == 1_000 * UNIT
    assert bench.vault.value("pendingDepositRequest", 1, ALICE) == 1_000 * UNIT
    assert bench.vault.value("claimableDepositRequest", 1, ALICE) == 0
    assert bench.vault.value("totalAssets") == 0
    bench.check()


def test_requests_of_one_epoch_add_up(bench):
    bench.request("alice", "1000")
    bench.request("alice", "500")

    assert bench.vault.value("pendingDepositRequest", 1, ALICE) == 1_500 * UNIT
    assert bench.vault.value("pendingDepositRequest", 3, ALICE) == 0


def test_a_request_while_the_epoch_before_is_pending_joins_the_next(bench):
    bench.request("alice", "1000")
    bench.close()

    assert bench.request("alice", "200") == 2

    assert bench.vault.value("pendingDepositRequest", 1, ALICE) == 1_000 * UNIT
    assert bench.vault.value("pendingDepositRequest", 2, ALICE) == 200 * UNIT
    assert bench.assets() == 0
    bench.check()


def test_what_was_settled_two_epochs_ago_stays_claimable(same_place):
    same_place.request("alice", "10")

    assert same_place.vault.value("maxDeposit", ALICE) == 1_000 * UNIT
    assert same_place.vault.value("claimableDepositRequest", 0, ALICE) == 1_000 * UNIT
    same_place.turn()
    assert same_place.claim("alice") == 1_010 * 10**12
    same_place.check()


def test_the_controller_may_be_somebody_else(bench):
    bench.request("alice", "1000", controller="bob")
    bench.turn()

    assert bench.vault.value("maxDeposit", ALICE) == 0
    assert bench.claim("bob") == 1_000 * 10**12


def test_an_operator_requests_with_the_owners_tokens(bench):
    bench.vault.send("setOperator", BOB, True, sender=ALICE)
    before = bench.tokens("alice")

    bench.vault.send("requestDeposit", 7 * UNIT, BOB, ALICE, sender=BOB)

    assert before - bench.tokens("alice") == 7 * UNIT
    assert bench.vault.value("pendingDepositRequest", 1, BOB) == 7 * UNIT


def test_nobody_else_uses_the_owners_tokens(bench):
    with refused("NotOperator", ALICE, BOB):
        bench.vault.send("requestDeposit", UNIT, BOB, ALICE, sender=BOB)


def test_the_controller_cannot_be_zero(bench):
    with refused("ZeroAddress", "controller"):
        bench.vault.send("requestDeposit", UNIT, "0x" + "0" * 40, ALICE, sender=ALICE)


@pytest.mark.parametrize(("minimum", "assets"), [(1, 0), (0, 0), (5 * UNIT, 5 * UNIT - 1)])
def test_less_than_the_minimum_is_refused(bench, minimum, assets):
    bench.create(minDeposit=minimum)

    with refused("DepositTooSmall", assets, minimum):
        bench.vault.send("requestDeposit", assets, ALICE, ALICE, sender=ALICE)

    bench.vault.send("requestDeposit", max(minimum, 1), ALICE, ALICE, sender=ALICE)


def test_the_cap_counts_what_is_there_what_is_closed_and_what_is_open(bench):
    bench.create(depositCap=100 * UNIT)
    bench.request("alice", "40")
    bench.turn()
    bench.request("bob", "30")
    bench.close()

    with refused("DepositCapExceeded", 100 * UNIT + 1, 100 * UNIT):
        bench.vault.send("requestDeposit", 30 * UNIT + 1, CAROL, CAROL, sender=CAROL)

    bench.request("carol", "30")
    with refused("DepositCapExceeded", 100 * UNIT + 1, 100 * UNIT):
        bench.vault.send("requestDeposit", 1, CAROL, CAROL, sender=CAROL)


@pytest.mark.parametrize("decimals", [6, 8, 18])
def test_shares_have_six_decimals_more_than_any_token(protocol, decimals):
    with opened(protocol, decimals=decimals) as bench:
        assert bench.enter("alice", "1000") == 1_000 * 10 ** (decimals + 6)
        assert bench.vault.value("decimals") == decimals + 6
        assert bench.assets() == 1_000 * 10**decimals
        bench.check()


def test_dust_below_six_decimals_stays_in_the_vault_and_with_its_depositor(protocol):
    with opened(protocol, decimals=18) as bench:
        assets = 10**21 + 123_456_789
        bench.vault.send("requestDeposit", assets, ALICE, ALICE, sender=ALICE)
        bench.turn()

        assert bench.claim("alice") == assets * UNIT
        assert bench.assets() == assets
        bench.leave("alice")
        bench.turn()
        assert bench.cash("alice") == assets
