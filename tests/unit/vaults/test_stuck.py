"""A market that stays unsettled for a day: who leaves is paid the rest, and keeps a part of what it returns (§12.3)."""

from decimal import Decimal

import pytest

from perennial.client import InputError
from perennial.local import FREE, STEP

DAY = 86_400


@pytest.fixture
def only_btc(world):
    """BTC-USD gets its version; ETH-USD none."""

    def only_btc():
        owner, oracle = world.local.owner, world.oracles["BTC-USD"]
        price = oracle.status()[0][1]
        oracle.set(world.current, price, True, world.current + STEP, sender=owner, **FREE)

    return only_btc


def pairs(vault, account):
    return [(each.kind, each.status) for each in vault.requests(account).requests]


def test_a_stuck_market(vault, world, chain, depositor, keeper, turn, only_btc):
    other = world.local.long
    vault.deposit(depositor, "1000")
    vault.deposit(other, "1000")
    turn()
    vault.claim(depositor)
    held = vault.redeem(depositor).amount
    vault.close_epoch(keeper)
    only_btc()
    chain.provider.set_timestamp(chain.blocks.head.timestamp + DAY)
    chain.mine()
    paid = vault.settle(keeper).paid

    # What this epoch paid for a share is not what a share was worth.
    assert vault.prices()[1].share_price < Decimal("0.8")
    with pytest.raises(InputError, match="two settled epochs"):
        vault.apy()
    assert [each.note for each in vault.info().markets][1] == "stuck: an epoch settled without it"
    (kind, _), (part, stuck) = pairs(vault, depositor)
    assert (kind, part) == ("assets", "returned")
    assert stuck.startswith("stuck market: ETH-USD; the part of ")
    claimed = vault.claim(depositor)
    assert (claimed.assets, claimed.returned) == (paid, 0)
    assert 0 < paid < held
    assert [part for part, _ in pairs(vault, depositor)] == ["returned"]

    vault.deposit(depositor, "500")
    assert pairs(vault, depositor)[0] == (
        "deposit",
        "stuck market: ETH-USD; epoch 3 takes deposits in once it has settled; it can be taken back",
    )

    # The market comes back: what it holds is counted when the next epoch settles.
    world.oracles["ETH-USD"].set(
        world.current, world.oracles["ETH-USD"].status()[0][1], True, world.current + STEP, sender=keeper, **FREE
    )
    world.commit()
    vault.close_epoch(keeper)
    world.commit()
    vault.settle(keeper)
    (status,) = [each for each in vault.requests(depositor).requests if each.kind == "returned"]
    assert status.claimable
    assert status.status.startswith("claimable: ")
    assert status.status.endswith(" mUSD that ETH-USD returned")
    before = world.local.token.balanceOf(depositor)
    back = vault.claim(depositor).returned
    assert back == status.amount > 0
    assert world.local.token.balanceOf(depositor) - before == int(back.scaleb(18))
    # Together about what was paid in: two orders of the vault and their fees less.
    assert Decimal(980) < paid + back < Decimal(1000)
    assert [part for part, _ in pairs(vault, depositor)] == ["deposit"]
    growth = vault.apy()
    assert (growth.from_epoch, growth.to_epoch) == (1, 3)
    assert abs(growth.growth) < Decimal("0.02")
