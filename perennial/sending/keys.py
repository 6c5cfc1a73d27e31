"""The key of a process that sends by itself: of a keystore, or of the environment, never of the command line.

Environment variables are not seen by who lists processes, as an option would be.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from eth_account.signers.local import LocalAccount


def load_key(keystore: Path | None, key: str, password: str) -> LocalAccount:
    """The key of a keystore (as Ape and others write them), or in the environment as `key`.

    The keystore's password is in the environment as `password`, or asked for. Raises click.UsageError.
    """
    # Here, since it takes half a second to import.
    from eth_account import Account

    if keystore is None:
        if key not in os.environ:
            raise click.UsageError(f"no key: give --keystore, or set {key}")
        try:
            account: LocalAccount = Account.from_key(os.environ[key])
        except ValueError:
            # Not with its message, which may quote the key.
            raise click.UsageError(f"{key} is not a private key") from None
        return account
    try:
        content = json.loads(keystore.read_text())
    except OSError as error:
        raise click.UsageError(f"{keystore} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise click.UsageError(f"{keystore} is no keystore: {error}") from error
    secret = os.environ.get(password) or _asked(password)
    try:
        account = Account.from_key(Account.decrypt(content, secret))
    except (KeyError, TypeError) as error:
        raise click.UsageError(
            f"{keystore} is no keystore: give the file of an encrypted key, as Ape keeps it"
        ) from error
    except ValueError as error:
        wrong = f"the password is another: set {password}, or type it" if "MAC" in str(error) else error
        raise click.UsageError(f"{keystore}: {wrong}") from error
    return account


def _asked(password: str) -> str:
    """The password, of the person at the terminal. Raises click.UsageError where there is none."""
    try:
        return str(click.prompt("Password", hide_input=True))
    except click.Abort as error:
        if sys.stdin.isatty():
            raise
        raise click.UsageError(f"nobody is there to be asked for the keystore's password: set {password}") from error
