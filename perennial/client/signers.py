"""Who signs transactions: accounts of eth-account and of Ape, told apart by what they can do. Keys stay with them."""

from __future__ import annotations

import sys
from typing import Any

from perennial.client.errors import ClientError, InputError, address

Transaction = dict[str, Any]


class SigningRefusedError(ClientError):
    """The account did not sign."""


def address_of(account: Any) -> str:
    """The checksummed address of an account, or of text."""
    return address("account", account)


def sign(account: Any, transaction: Transaction, what: str) -> bytes:
    """The raw transaction, signed by an account, which may ask its owner about `what`.

    `transaction` has the fields of EIP-1559, numbers as integers. InputError for what cannot sign, SigningRefusedError
    where it did not.
    """
    if _is_ape(account):
        return _sign_with_ape(account, transaction, what)
    if not hasattr(account, "sign_transaction"):
        raise InputError(f"{account!r} cannot sign: give an account of Ape, or a LocalAccount of eth-account")
    return bytes(account.sign_transaction(transaction).raw_transaction)


def _is_ape(account: Any) -> bool:
    """Whether it is an account of Ape; Ape is not loaded to find out."""
    api = sys.modules.get("ape.api")
    return api is not None and isinstance(account, api.AccountAPI)


def _sign_with_ape(account: Any, transaction: Transaction, what: str) -> bytes:
    from ape.exceptions import ApeException
    from ape_ethereum.transactions import DynamicFeeTransaction

    class Shown(DynamicFeeTransaction):
        """A transaction that says what it does; Ape's own words need a connection of Ape's."""

        def __str__(self) -> str:
            return what

    fields = {name: value for name, value in transaction.items() if name != "type"}
    try:
        signed = account.sign_transaction(Shown.model_validate({**fields, "from": account.address}))
    except ApeException as error:
        raise SigningRefusedError(f"{account.address} did not sign: {error}") from error
    if signed is None:
        raise SigningRefusedError(f"{account.address} did not sign")
    return bytes(signed.serialize_transaction())
