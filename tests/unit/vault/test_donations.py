"""What is given away to a vault buys nobody anything."""

import pytest

from perennial.amounts import raw
from perennial.testing.differential import address_of

UNIT = 10**6
BOB = address_of("bob")


def test_tokens_sent_to_the_vault_are_ignored(bench):
    bench.enter("alice", "1000")
    bench.token.send("transfer", bench.vault.address, 500 * UNIT, sender=BOB)

    assert bench.assets() == 1_000 * UNIT
    assert bench.enter("carol", "1000") == 1_000 * 10**12
    bench.check()


@pytest.mark.parametrize("way", ["token", "market"])
@pytest.mark.parametrize("donated", ["0", "1000", "1000000"])
def test_the_first_depositor_cannot_inflate_the_price(bench, way, donated):
    """The attacker deposits the least, donates, and the next depositor loses no more than dust."""
    before = bench.tokens("bob")
    bench.enter("bob", 1)
    if way == "token":
        bench.token.send("transfer", bench.vault.address, bench.units(donated), sender=BOB)
    else:
        numbers = (0, 0, raw(donated))
        bench.venues[0].market.send("update", bench.vault.address, *numbers, "0x" + "0" * 40, sender=BOB)
    bench.enter("alice", "1000")
    worth = bench.vault.value("convertToAssets", bench.shares("alice"))
    bench.leave("bob")
    bench.turn()
    bench.cash("bob")

    # A share is worth half of what was donated at most: a part in 2 · 10^6 of it is rounded away.
    assert 1_000 * UNIT - worth <= 1 + bench.units(donated) // 10**6
    assert bench.tokens("bob") <= before + 1_000 * UNIT // 10**6
    bench.check()


def test_a_donation_between_order_and_settlement_serves_holders(bench):
    bench.enter("alice", "1000")
    bench.request("carol", "1000")
    bench.close()
    bench.venues[0].market.send("update", bench.vault.address, 0, 0, raw("100"), "0x" + "0" * 40, sender=BOB)
    bench.commit()
    bench.settle()
    carols = bench.claim("carol")

    assert bench.vault.value("convertToAssets", carols) == pytest.approx(1_000 * UNIT, abs=2)
    assert bench.vault.value("convertToAssets", bench.shares("alice")) == pytest.approx(1_100 * UNIT, abs=2)


def test_after_everyone_has_left_the_next_starts_afresh(bench):
    bench.enter("alice", "1000")
    bench.leave("alice")
    bench.turn()
    bench.cash("alice")
    bench.venues[0].market.send("update", bench.vault.address, 0, 0, raw("10"), "0x" + "0" * 40, sender=BOB)

    bench.enter("carol", "1000")

    assert bench.vault.value("convertToAssets", bench.shares("carol")) >= 1_000 * UNIT - 20
    bench.check()
