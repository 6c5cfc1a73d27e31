"""Verifier.hash: what is signed, in Solidity, in perennial.intents and by hand (docs/protocol.md §9.1)."""

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from perennial.intents import message_hash

from .conftest import changed

COMMON = "Common(address account,address signer,address domain,uint256 nonce,uint256 group,uint256 expiry)"
INTENT = (
    "Intent(int256 amount,int256 price,uint256 fee,address originator,address solver,"
    "uint256 collateralization,Common common)"
)
DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def by_hand(intent, domain):
    """The hash as docs/protocol.md §9.1 has the types, by EIP-712's rules."""
    address = "address"
    common = keccak(keccak(text=COMMON) + encode([address, address, address, *["uint256"] * 3], intent.common.to_abi()))
    kinds = ["int256", "int256", "uint256", address, address, "uint256", "bytes32"]
    struct = keccak(keccak(text=INTENT + COMMON) + encode(kinds, (*intent.to_abi()[:-1], common)))
    names = [keccak(text="Perennial"), keccak(text="1")]
    separator = keccak(
        keccak(text=DOMAIN)
        + encode(["bytes32", "bytes32", "uint256", address], [*names, domain.chain_id, domain.verifier])
    )
    return keccak(b"\x19\x01" + separator + struct)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"amount": -1, "price": -(2**255), "fee": 2**256 - 1, "collateralization": 3},
        {"originator": "0x" + "11" * 20, "solver": "0x" + "22" * 20, "nonce": 2**256 - 1, "group": 9, "expiry": 0},
    ],
)
def test_hash(verifier, trader, domain, change):
    intent = changed(trader.intent(), **change)

    assert verifier.hash(intent.to_abi()) == message_hash(intent, domain) == by_hand(intent, domain)


def test_domain(verifier, chain):
    """ERC-5267: wallets and tools can ask for the domain."""
    fields, name, version, chain_id, contract, salt, extensions = verifier.eip712Domain()

    assert (bytes(fields), name, version, bytes(salt), list(extensions)) == (b"\x0f", "Perennial", "1", bytes(32), [])
    assert (chain_id, contract) == (chain.chain_id, verifier.address)


def test_hash_does_not_look_at_the_intent(verifier, trader, domain):
    nobody = "0x" + "0" * 40
    nothing = changed(trader.intent(), amount=0, price=0, account=nobody, signer=nobody, domain=nobody, expiry=0)

    assert verifier.hash(nothing.to_abi()) == message_hash(nothing, domain)
