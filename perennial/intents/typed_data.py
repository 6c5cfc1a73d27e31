"""Messages as EIP-712 typed data, which is what a wallet shows, and their hashes (docs/protocol.md §9.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from perennial.intents.messages import Common

if TYPE_CHECKING:
    from eip712.messages import EIP712Message

    from perennial.intents.messages import Message, Signable

NAME, VERSION = "Perennial", "1"

_DOMAIN_TYPE = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]


@dataclass(frozen=True)
class Domain:
    """Where signatures count: one Verifier on one chain."""

    chain_id: int
    verifier: str

    def to_dict(self) -> dict[str, Any]:
        """The domain of the typed data."""
        return {
            "name": NAME,
            "version": VERSION,
            "chainId": self.chain_id,
            "verifyingContract": to_checksum_address(self.verifier),
        }


def typed_data(message: Signable, domain: Domain) -> dict[str, Any]:
    """The typed data of a message, as `eth_signTypedData_v4` takes it."""
    return {
        "types": {"EIP712Domain": _DOMAIN_TYPE, message.name: _type(type(message)), Common.name: _type(Common)},
        "primaryType": message.name,
        "domain": domain.to_dict(),
        "message": message.to_dict(),
    }


def signable(message: Signable, domain: Domain) -> SignableMessage:
    """The message as eth-account and Ape sign it."""
    return encode_typed_data(full_message=typed_data(message, domain))


def ape_message(message: Signable, domain: Domain) -> EIP712Message:
    """The message as accounts of Ape can show it, field by field, to whom they ask. Needs Ape's package eip712."""
    from eip712.messages import EIP712Domain, EIP712Message
    from eth_pydantic_types import abi
    from pydantic import BaseModel, create_model

    def model(kind: type[Message], base: type[BaseModel]) -> type[BaseModel]:
        fields: dict[str, Any] = {
            name: (common if solidity == Common.name else getattr(abi, solidity), ...)
            for name, solidity in kind.solidity()
        }
        return create_model(kind.name, __base__=base, **fields)

    common = model(Common, BaseModel)
    content = message.to_dict() | {"common": common(**message.common.to_dict())}
    shown = model(type(message), EIP712Message)(**content, eip712_domain=EIP712Domain(**domain.to_dict()))
    assert isinstance(shown, EIP712Message)
    return shown


def message_hash(message: Signable, domain: Domain) -> bytes:
    """What is signed, 32 bytes; of an intent, the same as the Verifier's `hash`."""
    encoded = signable(message, domain)
    return keccak(b"\x19" + encoded.version + encoded.header + encoded.body)


def _type(message: type[Message]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in message.solidity()]
