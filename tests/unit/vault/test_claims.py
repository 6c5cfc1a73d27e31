"""Vault.deposit, mint, withdraw and redeem: claims of settled requests."""

import pytest

from perennial.testing.differential import address_of
from perennial.testing.market import refused

UNIT = 10**6
ALICE, BOB, CAROL = map(address_of, ("alice", "bob", "carol"))
SHARES = 1_000 * 10**12
ASSETS = 1_000 * UNIT


@pytest.fixture
def entered(bench):
    """Alice's deposit of 1,000 has settled, and is not claimed."""
    bench.request("alice", "1000")
    bench.turn()
    return bench


@pytest.fixture
def left(entered):
    """All of it has been redeemed, and is not claimed."""
    entered.claim("alice")
    entered.leave("alice")
    entered.turn()
    return entered


@pytest.mark.parametrize(
    ("name", "amount", "other"), [("deposit", ASSETS, SHARES), ("mint", SHARES, ASSETS), ("deposit", 1, UNIT)]
)
def test_shares_are_claimed(entered, name, amount, other):
    assert entered.vault.send(name, amount, BOB, ALICE, sender=ALICE)[0] == other

    assets, shares = (amount, other) if name == "deposit" else (other, amount)
    assert ("Deposit", (ALICE, BOB, assets, shares)) in entered.vault.events()
    assert entered.shares("bob") == shares
    assert entered.vault.value("maxDeposit", ALICE) == ASSETS - assets
    assert entered.vault.value("maxMint", ALICE) == SHARES - shares
    assert entered.vault.value("claimableDepositRequest", 1, ALICE) == 0
    entered.check()


@pytest.mark.parametrize(("name", "amount", "other"), [("withdraw", ASSETS, SHARES), ("redeem", SHARES, ASSETS)])
def test_assets_are_claimed(left, name, amount, other):
    before = left.tokens("bob")
    assert left.vault.value("claimableRedeemRequest", 2, ALICE) == SHARES
    assert left.vault.send(name, amount, BOB, ALICE, sender=ALICE)[0] == other

    assert ("Withdraw", (ALICE, BOB, ALICE, ASSETS, SHARES)) in left.vault.events()
    assert left.tokens("bob") - before == ASSETS
    assert left.vault.value("maxWithdraw", ALICE) == left.vault.value("maxRedeem", ALICE) == 0
    assert left.books.reserved == 0
    left.check()


@pytest.mark.parametrize("name", ["deposit", "mint"])
def test_two_arguments_claim_for_the_caller(entered, name):
    entered.vault.send(name, 1_000_000, BOB, sender=ALICE)

    assert entered.shares("bob") > 0
    with refused("ExceedsClaimable", 1, 0):
        entered.vault.send(name, 1, BOB, sender=BOB)


def test_a_part_rounds_against_the_claimant(entered):
    # A share's millionth part of a token unit: minting one share uses a whole unit up.
    assert entered.vault.send("mint", 1, ALICE, ALICE, sender=ALICE)[0] == 1
    assert entered.vault.value("maxDeposit", ALICE) == ASSETS - 1
    entered.vault.send("deposit", ASSETS - 1, ALICE, ALICE, sender=ALICE)
    assert entered.shares("alice") == SHARES
    assert entered.vault.value("maxMint", ALICE) == 0


def test_depositing_a_part_rounds_down(costly):
    assets = 1_000 * UNIT + 7
    costly.request("alice", assets)
    costly.turn()
    shares = costly.vault.value("maxMint", ALICE)
    assert shares % assets != 0

    assert costly.vault.send("deposit", 1, ALICE, ALICE, sender=ALICE)[0] == shares // assets
    assert costly.vault.value("maxMint", ALICE) == shares - shares // assets


def test_redeeming_a_part_rounds_down(left):
    assert left.vault.send("redeem", UNIT - 1, ALICE, ALICE, sender=ALICE)[0] == 0
    assert left.vault.send("withdraw", 1, ALICE, ALICE, sender=ALICE)[0] == UNIT
    assert left.cash("alice") == ASSETS - 1


@pytest.mark.parametrize(("name", "most"), [("deposit", ASSETS), ("mint", SHARES)])
def test_no_more_shares_than_are_claimable(entered, name, most):
    with refused("ExceedsClaimable", most + 1, most):
        entered.vault.send(name, most + 1, ALICE, ALICE, sender=ALICE)


@pytest.mark.parametrize(("name", "most"), [("withdraw", ASSETS), ("redeem", SHARES)])
def test_no_more_assets_than_are_claimable(left, name, most):
    with refused("ExceedsClaimable", most + 1, most):
        left.vault.send(name, most + 1, ALICE, ALICE, sender=ALICE)


@pytest.mark.parametrize("name", ["deposit", "mint", "withdraw", "redeem"])
def test_claims_are_the_controllers_or_its_operators(left, name):
    with refused("NotOperator", ALICE, BOB):
        left.vault.send(name, 0, BOB, ALICE, sender=BOB)
    left.vault.send("setOperator", BOB, True, sender=ALICE)
    left.vault.send(name, 0, BOB, ALICE, sender=BOB)
    left.vault.send("setOperator", BOB, False, sender=ALICE)
    with refused("NotOperator", ALICE, BOB):
        left.vault.send(name, 0, BOB, ALICE, sender=BOB)


def test_nobody_claims_twice(left):
    assert left.cash("alice") == ASSETS
    assert left.cash("alice") == 0
    with refused("ExceedsClaimable", 1, 0):
        left.vault.send("withdraw", 1, ALICE, ALICE, sender=ALICE)


def test_claims_work_while_the_protocol_is_paused(left):
    left.protocol.factory.send("pause", sender=address_of("pauser"))

    assert left.cash("alice") == ASSETS


def test_users_of_an_epoch_share_its_totals(bench):
    for name, assets in (("alice", 333_333_333), ("bob", 333_333_334), ("carol", 1)):
        bench.request(name, assets)
    bench.turn()
    bench.check()
    shares = [bench.claim(name) for name in ("alice", "bob", "carol")]

    assert shares == [333_333_333 * UNIT, 333_333_334 * UNIT, UNIT]
    for name in ("alice", "bob", "carol"):
        bench.leave(name)
    bench.turn()
    bench.check()
    assert [bench.cash(name) for name in ("alice", "bob", "carol")] == [333_333_333, 333_333_334, 1]
