"""What can go wrong, as a person needs to hear it: what happened, with which numbers, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth_utils.address import to_checksum_address

from perennial.abi import Reverted, decode_error
from perennial.client.records import text
from perennial.client.remedies import known, parameters, shown

if TYPE_CHECKING:
    from perennial.chain import RpcError


class ClientError(Exception):
    """What every error of the client is."""


class InputError(ClientError, ValueError):
    """What was asked for cannot be meant: nothing was sent."""


class UnreachableError(ClientError):
    """A node, a relay or a manifest is not there, or does not answer in time.

    `transaction` is the hash of what was sent before that, and must not be sent again unseen; None if nothing was.
    """

    def __init__(self, message: str, transaction: str | None = None) -> None:
        super().__init__(message)
        self.transaction = transaction


class NotMinedError(UnreachableError):
    """A transaction was sent and is in no block yet, as far as the node says. It may still get there.

    `trouble` is why the node did not answer last, if it did not.
    """

    def __init__(self, transaction: str, seconds: float, trouble: Exception | None = None) -> None:
        known = f" that is known of ({trouble})" if trouble else ""
        super().__init__(
            f"transaction {transaction} is in no block{known} after {seconds:g} s: it may still get there, so look for "
            "it before you repeat it",
            transaction,
        )


class Refused(ClientError):  # noqa: N818 -- the contracts refused, nothing is wrong here
    """The contracts refuse: `name` and `values` of their error (decimals where these are known), and what to do.

    `transaction` is the hash where it was sent and failed; without one nothing was sent, and nothing has changed.
    """

    def __init__(self, error: Reverted, transaction: str | None = None) -> None:
        self.name, self.raw, self.transaction = error.name, error.values, transaction
        self.values: dict[str, Any] = _values(error)
        remedy = known(error.name, len(error.values))
        self.meaning, self.remedy = (remedy.meaning, remedy.remedy) if remedy else ("The call reverted.", "")
        super().__init__(str(self))

    def __str__(self) -> str:
        values = ", ".join(f"{name}: {text(value)}" for name, value in self.values.items())
        head = f"{self.name}{f' ({values})' if values else ''}: {self.meaning}"
        sent = f" The transaction {self.transaction} failed." if self.transaction else ""
        return f"{head}{' ' + self.remedy if self.remedy else ''}{sent}"

    def to_dict(self) -> dict[str, Any]:
        """For machines: numbers as text."""
        return {
            "error": self.name,
            "values": {name: _plain(value) for name, value in self.values.items()},
            "meaning": self.meaning,
            "remedy": self.remedy,
            "transaction": self.transaction,
        }


def reverted(error: RpcError) -> Reverted | None:
    """The contract's error in what a node says in its own way; None where no contract refused."""
    if isinstance(error.data, str) and error.data.startswith("0x") and len(error.data) >= 10:
        return decode_error(bytes.fromhex(error.data[2:]))
    return Reverted("revert") if "revert" in error.message.lower() else None


def _values(error: Reverted) -> dict[str, Any]:
    """The values of an error by the names of its parameters, in the numbers of a person."""
    names = parameters(error.name, len(error.values))
    if names is None:
        return {f"value{index}": value for index, value in enumerate(error.values)}
    return {name: shown(error.name, name, kind, value) for (name, kind), value in zip(names, error.values, strict=True)}


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value)


def address(name: str, value: Any) -> str:
    """The checksummed address of an account, a contract or text; InputError names the argument."""
    found = getattr(value, "address", value)
    if isinstance(found, str) and found.startswith("0x") and len(found) == 42:
        try:
            checksummed = str(to_checksum_address(found))
        except ValueError:
            checksummed = ""
        plain = found[2:]
        if checksummed and (plain in (plain.lower(), plain.upper()) or found == checksummed):
            return checksummed
        if checksummed:
            raise InputError(f"{name}: {found} is no address as it is written: its capitals do not fit, copy it again")
    raise InputError(f"{name}: {value!r} is no address, and no account that has one")
