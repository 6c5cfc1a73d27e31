"""Where a vault stores."""

from eth_utils.crypto import keccak

from perennial.artifacts import ROOT
from perennial.testing.differential import address_of


def test_the_namespace_is_erc_7201():
    inner = int.from_bytes(keccak(text="perennial.storage.Vault")) - 1
    slot = int.from_bytes(keccak(inner.to_bytes(32))) & ~0xFF

    assert f"VAULT_STORAGE = 0x{slot:064x};" in (ROOT / "contracts/vault/VaultStorage.sol").read_text()


def test_shares_are_stored_alike_in_both_contracts(bench):
    """VaultEpochs mints and burns, Vault transfers: over the same slots."""
    bench.enter("alice", "1000")
    held = bench.shares("alice")
    bench.vault.send("transfer", bench.coordinator, 1, sender=address_of("alice"))

    assert bench.shares("alice") == held - 1
    bench.leave("alice")
    bench.turn()
    assert bench.vault.value("totalSupply") == 1
