"""Signs messages with whatever signs for a person, and verifies signatures as the Verifier does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from perennial.intents.typed_data import Domain, ape_message, message_hash, signable, typed_data

if TYPE_CHECKING:
    from perennial.intents.messages import Signable

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""Order of the curve: (r, s) and (r, -s) sign the same."""

ContractCheck = Callable[[str, bytes, bytes], bool]
"""Asks a contract wallet (ERC-1271): its address, hash, signature. False where there is no contract, too."""


class SigningError(RuntimeError):
    """A signer refused, or gave no signature of the message's signer."""


class SignatureError(ValueError):
    """A signature does not count."""


class WrongSignature(SignatureError):  # noqa: N818 -- named as the Verifier's error
    """It is not the signer's, or not for this message, chain and Verifier."""


class MalleableSignature(SignatureError):  # noqa: N818 -- likewise
    """It is the mirror image of another one that says the same."""


def sign(message: Signable, domain: Domain, signer: Any, *, contract_wallet: bool = False) -> bytes:
    """The signature of a message, 65 bytes (r, s, v) with v 27 or 28 and s in the lower half.

    `signer` is an eth-account LocalAccount, an account of Ape (hardware wallets are), or any object with eth-account's
    `sign_typed_data(full_message=…)` or `sign_message(…)`. SigningError where it refuses or fails, or where what it
    gives is no signature of `message.common.signer`. With `contract_wallet` that is a contract, and all is taken as it
    is.
    """
    given = _ask(message, domain, signer)
    if given is None:
        raise SigningError(f"{signer!r} did not sign")
    signature = _bytes(given)
    if contract_wallet:
        return signature
    signature = _canonical(signature)
    try:
        verify(message, signature, domain)
    except SignatureError as error:
        raise SigningError(f"{signer!r} did not sign for {message.common.signer}") from error
    return signature


def _ask(message: Signable, domain: Domain, signer: Any) -> Any:
    """What a signer gives for a message, in the form in which it can show it."""
    if hasattr(signer, "sign_typed_data"):
        sign_it, form = signer.sign_typed_data, {"full_message": typed_data(message, domain)}
    elif hasattr(signer, "sign_message"):
        shown = ape_message(message, domain) if _is_of_ape(signer) else signable(message, domain)
        sign_it, form = partial(signer.sign_message, shown), {}
    else:
        raise SigningError(f"{signer!r} has neither sign_typed_data nor sign_message")
    try:
        return sign_it(**form)
    except Exception as error:
        # Each device has errors of its own: unplugged, locked, "no" on its screen.
        raise SigningError(f"{signer!r} did not sign: {error}") from error


def _is_of_ape(signer: Any) -> bool:
    # Whoever has such an account has imported Ape; nobody else needs it.
    accounts = sys.modules.get("ape.api.accounts")
    return accounts is not None and isinstance(signer, accounts.AccountAPI)


def verify(message: Signable, signature: bytes, domain: Domain, contract_check: ContractCheck | None = None) -> None:
    """Passes for a signature of `message.common.signer`, raises WrongSignature or MalleableSignature for others.

    In the Verifier's order: a key's signature first, then what a contract wallet says, if `contract_check` can ask it.
    Whether the signer may sign for the account is another question (MarketFactory's `signers`).
    """
    digest, signer = message_hash(message, domain), message.common.signer
    high = len(signature) == 65 and int.from_bytes(signature[32:64]) > ORDER // 2
    if not high and _recovered(digest, signature) == signer:
        return
    if contract_check is not None and contract_check(signer, digest, signature):
        return
    if high:
        raise MalleableSignature("s is in the upper half")
    raise WrongSignature(f"not a signature of {signer}")


def _recovered(digest: bytes, signature: bytes) -> str | None:
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    try:
        parsed = Signature(signature[:64] + bytes([signature[64] - 27]))
        return parsed.recover_public_key_from_msg_hash(digest).to_checksum_address()
    except (BadSignature, ValidationError):
        return None


def _canonical(signature: bytes) -> bytes:
    """The same signature in the form that contracts take: some devices give v as 0 or 1, or the larger s."""
    if len(signature) != 65:
        raise SigningError(f"a key's signature has 65 bytes, not {len(signature)}")
    s, v = int.from_bytes(signature[32:64]), signature[64]
    v += 27 if v < 27 else 0
    if ORDER // 2 < s < ORDER:
        s, v = ORDER - s, 55 - v
    if v not in (27, 28):
        raise SigningError(f"a key's signature ends with 27 or 28, not {v}")
    return signature[:32] + s.to_bytes(32) + bytes([v])


def _bytes(given: Any) -> bytes:
    """The bytes (r, s, v) of what libraries call a signature."""
    if hasattr(given, "encode_rsv"):  # Ape
        return bytes(given.encode_rsv())
    if hasattr(given, "signature"):  # eth-account
        return bytes(given.signature)
    if isinstance(given, str):
        return bytes.fromhex(given.removeprefix("0x"))
    return bytes(given)
