"""A keeper closes and settles the epochs of a vault, and brings its markets back to their targets (§12.2)."""

from __future__ import annotations

import pytest

from perennial.amounts import raw
from perennial.devnet.markets import BTC, VAULT
from perennial.keeper.work import Kind
from perennial.testing.kept import PRICES, keep

ASSETS = raw(50_000)
"""The vault's token has 6 decimals as well."""

BALANCED = "its markets are brought back to their targets"


@pytest.fixture
def kept(tmp_path):
    with keep(tmp_path) as kept:
        yield kept


@pytest.fixture
def vault(kept):
    return kept.stage.contract("IVault", kept.stage.vaults[VAULT.symbol])


@pytest.fixture
def token(kept):
    return kept.stage.contract("MockToken", kept.stage.tokens[VAULT.token])


def epochs(sent):
    return [work.says.partition(": ")[2] for work in sent if work.kind is Kind.EPOCH]


def test_in_and_out(kept, vault, token):
    """One call closes an epoch, one settles it; nothing is done where nobody has asked."""
    alice = kept.stage.cast.users[1]
    before = token.read("balanceOf", alice)
    with kept.keeper() as keeper:
        assert epochs(kept.work(keeper, 5)) == []

        kept.stage.do(alice, vault, "requestDeposit", ASSETS, alice, alice)
        assert epochs(kept.work(keeper)) == ["its epoch is closed", "epoch 1 is settled"]
        kept.stage.do(alice, vault, "deposit", vault.read("maxDeposit", alice), alice, alice)
        shares = vault.read("balanceOf", alice)
        assert ASSETS * 99 // 100 < vault.read("convertToAssets", shares) <= ASSETS

        kept.stage.do(alice, vault, "requestRedeem", shares, alice, alice)
        sent = kept.work(keeper)
        # Once all is closed, the collateral of the markets is not needed there any more.
        assert epochs(sent) == ["its epoch is closed", BALANCED, "epoch 3 is settled"]
        kept.stage.do(alice, vault, "redeem", vault.read("maxRedeem", alice), alice, alice)
    # Back is what it was, less the fees of two orders in each market.
    assert ASSETS * 98 // 100 < token.read("balanceOf", alice) - (before - ASSETS) < ASSETS
    assert vault.read("balanceOf", alice) == 0


def test_off_target(kept, vault):
    """A market whose price has doubled is twice what it should be: it is put right once, not at each swing."""
    bob = kept.stage.cast.users[2]
    with kept.keeper() as keeper:
        kept.stage.do(bob, vault, "requestDeposit", ASSETS, bob, bob)
        kept.work(keeper)
        kept.move(BTC, 2 * PRICES[BTC])
        sent = epochs(kept.work(keeper, 40))
        assert sent == [BALANCED, "epoch 2 is settled"]
        kept.move(BTC, PRICES[BTC])
        assert epochs(kept.work(keeper, 8)) == []
        kept.work(keeper, 2)
        kept.mine(60)
        assert epochs(kept.work(keeper))[0] == BALANCED


def test_left_alone(kept, vault):
    carol = kept.stage.cast.users[3]
    kept.stage.do(carol, vault, "requestDeposit", ASSETS, carol, carol)
    with kept.keeper(vaults=()) as keeper:
        assert epochs(kept.work(keeper, 5)) == []
    assert vault.read("maxDeposit", carol) == 0
