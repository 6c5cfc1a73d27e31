"""What the standards ask of a vault: ERC-4626, ERC-7540, ERC-7575, ERC-165, ERC-20 with permits."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from perennial.testing.differential import address_of, key_of
from perennial.testing.market import refused

ALICE, BOB = map(address_of, ("alice", "bob"))
UNIT = 10**6


@pytest.mark.parametrize(
    ("name", "supported"),
    [
        ("01ffc9a7", True),
        ("2f0a18c5", True),
        ("e3bc4e65", True),
        ("ce3bbe50", True),
        ("620ee8e4", True),
        ("ffffffff", False),
    ],
)
def test_interfaces(bench, name, supported):
    assert bench.vault.value("supportsInterface", bytes.fromhex(name)) is supported


@pytest.mark.parametrize("name", ["previewDeposit", "previewMint", "previewWithdraw", "previewRedeem"])
def test_previews_revert(bench, name):
    with refused("Asynchronous"):
        bench.vault.value(name, 1)


def test_asset_and_share(bench):
    assert bench.vault.value("asset") == bench.token.address
    assert bench.vault.value("share") == bench.vault.address
    assert bench.vault.value("decimals") == 12
    assert bench.vault.value("factory") == bench.factory.address


def test_conversions_round_down_and_do_not_depend_on_the_caller(bench):
    assert bench.vault.value("convertToShares", 1) == UNIT
    assert bench.vault.value("convertToAssets", UNIT) == 1
    assert bench.vault.value("convertToAssets", UNIT - 1) == 0
    bench.enter("alice", "1000")
    assets = bench.vault.value("convertToAssets", 123_456_789_012)
    assert assets == 123_456
    assert bench.vault.value("convertToShares", assets) <= 123_456_789_012


def test_nothing_is_claimable_at_first(bench):
    for name in ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"):
        assert bench.vault.value(name, ALICE) == 0


def test_an_operator_is_somebody_else(bench):
    with refused("SelfOperator"):
        bench.vault.send("setOperator", ALICE, True, sender=ALICE)
    assert bench.vault.send("setOperator", BOB, True, sender=ALICE)[0] is True
    assert bench.vault.events() == [("OperatorSet", (ALICE, BOB, True))]
    assert bench.vault.value("isOperator", ALICE, BOB) is True
    assert bench.vault.value("isOperator", BOB, ALICE) is False


def test_permit(bench):
    bench.enter("alice", "1000")
    message = {"owner": ALICE, "spender": BOB, "value": 5, "nonce": 0, "deadline": 2**40}
    types = {"Permit": [{"name": name, "type": "uint256"} for name in message]}
    for field in types["Permit"][:2]:
        field["type"] = "address"
    domain = {
        "name": "Perennial Vault",
        "version": "1",
        "chainId": bench.evm.chain_id,
        "verifyingContract": bench.vault.address,
    }
    signed = Account.sign_message(encode_typed_data(domain, types, message), key_of("alice").key)
    signature = (signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32))

    bench.vault.send("permit", ALICE, BOB, 5, 2**40, *signature, sender=BOB)

    assert bench.vault.value("allowance", ALICE, BOB) == 5
    bench.vault.send("transferFrom", ALICE, BOB, 5, sender=BOB)
    assert bench.shares("bob") == 5
