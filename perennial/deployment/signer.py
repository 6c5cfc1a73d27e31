"""Who signs: an account of Ape's, or one of eth-account's. Keys stay where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from eth_account.signers.base import BaseAccount
from eth_utils.address import to_checksum_address

if TYPE_CHECKING:
    from collections.abc import Mapping


class RefusedToSignError(RuntimeError):
    """The account's holder said no."""


class Signer(Protocol):
    """Signs transactions of one address."""

    @property
    def address(self) -> str:
        """Checksummed."""
        ...

    def sign(self, transaction: Mapping[str, Any]) -> bytes:
        """The raw transaction. Takes the fields of one of type 2 under their names in JSON-RPC, numbers as integers."""
        ...


def signer_of(account: Any) -> Signer:
    """The signer behind an account of Ape's or of eth-account's; a signer stays what it is."""
    if hasattr(account, "sign"):
        return account  # type: ignore[no-any-return]
    if isinstance(account, BaseAccount):
        return KeySigner(account)
    return ApeSigner(account)


class KeySigner:
    """An account of eth-account's."""

    def __init__(self, account: Any) -> None:
        self._account = account
        self.address = to_checksum_address(account.address)

    def sign(self, transaction: Mapping[str, Any]) -> bytes:
        """See Signer."""
        return bytes(self._account.sign_transaction(dict(transaction)).raw_transaction)


class ApeSigner:
    """An account of Ape's: a key file, a hardware wallet, a test account. It may ask its holder."""

    def __init__(self, account: Any) -> None:
        self._account = account
        self.address = to_checksum_address(str(account.address))

    def sign(self, transaction: Mapping[str, Any]) -> bytes:
        """See Signer."""
        from ape_ethereum.transactions import DynamicFeeTransaction

        unsigned = DynamicFeeTransaction.model_validate({**transaction, "from": self.address})
        signed = self._account.sign_transaction(unsigned)
        if signed is None:
            raise RefusedToSignError(f"{self.address} did not sign")
        return bytes(signed.serialize_transaction())
