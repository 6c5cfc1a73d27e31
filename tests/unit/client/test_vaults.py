"""Vaults: in and out through epochs, with what the client says on the way."""

from decimal import Decimal

import pytest

from perennial.client import InputError, Refused
from perennial.local import NOBODY


@pytest.fixture
def address(world, anvil):
    """A vault over the bench's market, four times leveraged."""
    owner, registry = world.operator, world.factory.address
    factory = anvil.deploy("VaultFactory", owner, registry, sender=owner)
    epochs = anvil.deploy("VaultEpochs", registry, sender=owner)
    factory.upgradeTo(anvil.deploy("Vault", factory, registry, epochs, sender=owner), sender=owner)
    terms = {"minDeposit": 10**18, "depositCap": 10**27, "profitShare": 0, "tolerance": 50_000}
    receipt = factory.create(world.token, "LP", "LP", terms, sender=owner)
    (created,) = receipt.named("VaultCreated")
    anvil.contract("IVault", created["vault"]).register(world.market, 1, 4_000_000, sender=owner)
    return created["vault"]


@pytest.fixture
def vault(connect, address):
    return connect(vaults={"LP": address}).vault("lp")


@pytest.fixture
def turn(vault, world, keeper):
    """Closes the epoch, brings its price, settles it."""

    def turn(price="100"):
        vault.close_epoch(keeper)
        world.commit(price)
        vault.settle(keeper)

    return turn


def test_in_and_out(vault, world, taker, turn):
    before = world.held(taker)
    requested = vault.deposit(taker, "1000")
    assert (requested.kind, requested.amount, requested.epoch, requested.approved) == ("deposit", 1000, 1, 1000)
    holding = vault.holding(taker)
    assert (holding.waiting_deposits, holding.shares, holding.claimable_shares) == (1000, 0, 0)

    turn()
    holding = vault.holding(taker)
    assert holding.waiting_deposits == 0
    assert holding.claimable_shares > 0
    claimed = vault.claim(taker)
    assert (claimed.shares, claimed.assets) == (holding.claimable_shares, 0)
    assert vault.claim(taker).transactions == ()
    info = vault.info()
    (placement,) = info.placements
    assert (placement.market, placement.weight, placement.leverage, placement.stuck) == ("BTC-USD", 1, 4, False)
    assert placement.size > 0
    assert info.shares == vault.holding(taker).shares
    assert info.share_price <= 1

    left = vault.redeem(taker)
    assert (left.kind, left.amount) == ("redemption", claimed.shares)
    assert vault.holding(taker).waiting_redemptions == claimed.shares
    turn()
    due = vault.holding(taker).claimable_assets
    assert 990 < due < 1000
    assert vault.claim(taker).assets == due
    assert vault.holding(taker).is_empty
    assert Decimal(before - world.held(taker)).scaleb(-6) == pytest.approx(1000 - due, abs=Decimal("0.000001"))


def test_a_part(vault, taker, turn):
    vault.deposit(taker, "1000")
    turn()
    shares = vault.claim(taker).shares
    assert vault.redeem(taker, "0.5").amount == Decimal("0.5")
    assert vault.holding(taker).shares == shares - Decimal("0.5")


@pytest.mark.parametrize(
    ("verb", "value", "says"),
    [
        ("deposit", 1.5, "assets: 1.5 is a float"),
        ("deposit", "0", "assets: 0 is not more than 0"),
        ("redeem", 1.5, "shares: 1.5 is a float"),
        ("redeem", "none", "shares: 'none' is not a number"),
        ("redeem", "0", "shares: '0' is not a number above 0"),
        ("redeem", "0." + "0" * 24 + "1", "of at most 24 decimals"),
        ("redeem", "all", "has no shares in LP"),
    ],
)
def test_input(vault, taker, verb, value, says):
    with pytest.raises(InputError, match=says):
        getattr(vault, verb)(taker, value)


def test_refusals(vault, taker):
    with pytest.raises(Refused) as refused:
        vault.deposit(taker, "0.5")
    assert (refused.value.name, refused.value.values) == ("DepositTooSmall", {"assets": 5 * 10**17, "minimum": 10**18})
    with pytest.raises(Refused, match="NothingToClose"):
        vault.close_epoch(taker)
    with pytest.raises(Refused, match="NothingToRebalance"):
        vault.rebalance(taker)


def test_no_such_vault(connect):
    with pytest.raises(InputError, match="no vault 'LP' on this network: there are none"):
        connect().vault("LP")
    assert connect().vaults() == ()
    assert connect().vault(NOBODY).name == NOBODY
