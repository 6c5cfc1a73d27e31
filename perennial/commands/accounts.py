"""Who a command acts for: an account of Ape by its alias, a funded account of a devnet by its number, an address."""

from __future__ import annotations

import os
from typing import Any

from perennial.client.errors import InputError
from perennial.client.signers import address_of
from perennial.devnet.accounts import MAKER, MNEMONIC, USERS

NAMES = {"operator": 0, "maker": MAKER}
"""Accounts of a devnet that have a name too: who owns the protocol, and who provides liquidity."""

_KEY = 66
"""Letters of a private key in hex."""

LOCAL = ("devnet", "local")
"""Networks on which such accounts are worth something to nobody."""


def signer(name: str | None, network: str) -> Any:
    """An account that signs. InputError where there is none of this name; keys are not taken."""
    if name is None:
        raise InputError(f"who signs? Give --account: {_kinds(network)}")
    if name.startswith("0x"):
        what = "a private key is never given on a command line" if len(name) == _KEY else "an address cannot sign"
        raise InputError(f"--account: {what}: import the key into Ape (`ape accounts import ALIAS`), give the alias")
    if name.isdigit():
        return _of_devnet(int(name), network)
    if network in LOCAL and name in NAMES:
        return _of_devnet(NAMES[name], network)
    return _of_ape(name, network)


def address(name: str | None, network: str) -> str:
    """The address of an account by its name, or itself. InputError as in `signer`."""
    if name is None:
        raise InputError(f"whose? Give --account: an address, {_kinds(network)}")
    if name.startswith("0x") and len(name) != _KEY:
        return address_of(name)
    return address_of(signer(name, network))


def _kinds(network: str) -> str:
    """What signs on a network, in words."""
    number = f"a number from 0 to {USERS - 1}, or " if network in LOCAL else ""
    return f"{number}the alias of an account of Ape (see `ape accounts list`)"


def _of_devnet(index: int, network: str) -> Any:
    if network not in LOCAL:
        raise InputError(f"--account {index}: {network} has no accounts by number; give an alias of Ape")
    if index >= USERS and index not in NAMES.values():
        raise InputError(f"--account {index}: a devnet has the accounts 0 to {USERS - 1}")
    from eth_account import Account

    Account.enable_unaudited_hdwallet_features()
    return Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")


def _of_ape(alias: str, network: str) -> Any:
    # Here, since Ape takes seconds to import.
    from ape import accounts

    if alias not in accounts.aliases:
        known = ", ".join(sorted(accounts.aliases)) or "none"
        raise InputError(f"--account {alias}: Ape has no account of this alias; it has {known}. Give {_kinds(network)}")
    account = accounts.load(alias)
    if f"APE_ACCOUNTS_{alias}_PASSPHRASE" in os.environ:
        # Nobody is there to be asked.
        account.set_autosign(True)
    return account
