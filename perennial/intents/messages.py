"""The messages that accounts sign (docs/protocol.md §9.1): intents, cancellations, approvals.

Integers are those of the contracts: amounts, prices and shares have 6 decimals, times are Unix seconds, addresses are
checksummed. `Intent.build` and its like take numbers as a person writes them. A wrong field is a FieldError that names
it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self, get_args, get_type_hints

from eth_utils.address import is_address, to_checksum_address

from perennial.amounts import ONE, raw

Number = str | int | Decimal
"""A decimal number without rounding errors: text, an integer or a Decimal, never a float."""

ZERO_ADDRESS = "0x" + "0" * 40


class FieldError(ValueError):
    """A field of a message cannot be what was given; `field` names it, as in "common.expiry"."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


Address = Annotated[str, "address"]
Int256 = Annotated[int, "int256"]
Uint256 = Annotated[int, "uint256"]
Bool = Annotated[bool, "bool"]


_FIELDS: dict[str, tuple[tuple[str, str], ...]] = {}
"""Fields of each struct, read from the annotations once."""


class Message:
    """What all parts of messages can do; the fields of a subclass are those of the Solidity struct, in its order."""

    __slots__ = ()

    name: ClassVar[str]
    """Name of the Solidity struct."""

    def __post_init__(self) -> None:
        for name, kind in self.solidity():
            object.__setattr__(self, name, _checked(name, kind, getattr(self, name)))

    @classmethod
    def solidity(cls) -> tuple[tuple[str, str], ...]:
        """Name and Solidity type of each field, in order."""
        found = _FIELDS.get(cls.name)
        if found is None:
            hints = get_type_hints(cls, include_extras=True)
            del hints["name"]
            kinds = [(name, Common.name if hint is Common else get_args(hint)[1]) for name, hint in hints.items()]
            found = _FIELDS[cls.name] = tuple(kinds)
        return found

    def to_abi(self) -> tuple[Any, ...]:
        """The struct as nested tuples, as eth-abi and Ape take it."""
        values = (getattr(self, name) for name, _ in self.solidity())
        return tuple(value.to_abi() if isinstance(value, Message) else value for value in values)

    def to_dict(self) -> dict[str, Any]:
        """The struct by field names, with integers as integers."""
        values = {name: getattr(self, name) for name, _ in self.solidity()}
        return {name: value.to_dict() if isinstance(value, Message) else value for name, value in values.items()}

    def to_json(self) -> dict[str, Any]:
        """The struct by field names, with integers as text: JSON readers lose what does not fit a double."""
        values = {name: getattr(self, name) for name, _ in self.solidity()}
        return {name: _json(value) for name, value in values.items()}

    @classmethod
    def from_dict(cls, content: object, within: str = "") -> Self:
        """The message of a mapping by field names; integers may be text. Unknown and missing fields are FieldErrors."""
        if not isinstance(content, Mapping):
            raise FieldError(within.rstrip(".") or cls.name, "is no object")
        expected = dict(cls.solidity())
        for name in content:
            if name not in expected:
                raise FieldError(f"{within}{name}", f"is no field of {cls.name}")
        values: dict[str, Any] = {}
        for name, kind in expected.items():
            if name not in content:
                raise FieldError(f"{within}{name}", "is missing")
            value = content[name]
            if kind == Common.name:
                values[name] = Common.from_dict(value, f"{within}{name}.")
            else:
                values[name] = _checked(f"{within}{name}", kind, _integer(value) if "int" in kind else value)
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Common(Message):
    """For whom a message counts, by whom, where and until when."""

    name: ClassVar[str] = "Common"

    account: Address
    """Whose message it is."""
    signer: Address
    """Who signs: the account or a signer that it has approved."""
    domain: Address
    """The contract that may consume it: a market, the Verifier or the MarketFactory."""
    nonce: Uint256
    """Number by which the account can cancel it."""
    group: Uint256
    """Number by which the account can cancel many at once."""
    expiry: Uint256
    """First second at which it no longer counts."""


@dataclass(frozen=True, slots=True)
class Intent(Message):
    """A signed order: up to `amount` at `price` or better, with whoever takes the other side."""

    name: ClassVar[str] = "Intent"

    amount: Int256
    """Size, 6 decimals; positive buys, negative sells."""
    price: Int256
    """Worst price that the account accepts, 6 decimals."""
    fee: Uint256
    """Share of the referral fee that the solver gets, 6 decimals, at most 1."""
    originator: Address
    """Who is credited the referral fee; zero for nobody."""
    solver: Address
    """Who gets the share `fee` of it."""
    collateralization: Uint256
    """Least effective collateral after a fill, as a share of the notional, 6 decimals; 0 for none."""
    common: Common
    """Account, signer, market, nonce, group, expiry."""

    @classmethod
    def build(
        cls,
        *,
        market: str,
        account: str,
        amount: Number,
        price: Number,
        expiry: int,
        signer: str | None = None,
        nonce: int | None = None,
        group: int = 0,
        fee: Number = 0,
        originator: str = ZERO_ADDRESS,
        solver: str = ZERO_ADDRESS,
        collateralization: Number = 0,
    ) -> Self:
        """An intent of `account` in `market`; numbers as a person writes them: amount="-1.5", price="64000.25".

        Without `signer` the account signs itself; without `nonce` it gets one of its own, at random. FieldError for a
        float, more than 6 decimals, size 0, a share above 1, an address that is none.
        """
        intent = cls(
            amount=_raw("amount", amount),
            price=_raw("price", price),
            fee=_raw("fee", fee),
            originator=originator,
            solver=solver,
            collateralization=_raw("collateralization", collateralization),
            common=_common(account, signer, market, nonce, group, expiry),
        )
        if intent.amount == 0:
            raise FieldError("amount", "is 0")
        if intent.fee > ONE:
            raise FieldError("fee", "is more than 1, which is all of the referral fee")
        return intent

    @property
    def size(self) -> int:
        """The amount without its sign, 6 decimals."""
        return abs(self.amount)

    def accepts(self, price: int) -> bool:
        """Whether a price, 6 decimals, is the one signed for or better."""
        return price <= self.price if self.amount > 0 else price >= self.price


@dataclass(frozen=True, slots=True)
class NonceCancellation(Message):
    """Cancels the nonce in `common`; anyone may relay it to the Verifier."""

    name: ClassVar[str] = "NonceCancellation"

    common: Common
    """Account, signer, Verifier, the nonce to cancel, group, expiry."""

    @classmethod
    def build(
        cls, *, verifier: str, account: str, nonce: int, expiry: int, signer: str | None = None, group: int = 0
    ) -> Self:
        """A cancellation of `nonce`; the message itself is of `group`, which must not be cancelled."""
        return cls(_common(account, signer, verifier, nonce, group, expiry))


@dataclass(frozen=True, slots=True)
class GroupCancellation(Message):
    """Cancels a group; anyone may relay it to the Verifier."""

    name: ClassVar[str] = "GroupCancellation"

    group: Uint256
    """The group to cancel."""
    common: Common
    """Account, signer, Verifier, a nonce that the message uses up, its own group, expiry."""

    @classmethod
    def build(
        cls,
        *,
        verifier: str,
        account: str,
        group: int,
        expiry: int,
        signer: str | None = None,
        nonce: int | None = None,
        own_group: int = 0,
    ) -> Self:
        """A cancellation of `group`; the message itself is of `own_group`, which must not be cancelled."""
        return cls(group, _common(account, signer, verifier, nonce, own_group, expiry))


@dataclass(frozen=True, slots=True)
class OperatorUpdate(Message):
    """Approves an operator, or ends that; anyone may relay it to the MarketFactory. The account signs."""

    name: ClassVar[str] = "OperatorUpdate"

    operator: Address
    """Who may act for the account."""
    approved: Bool
    """Whether it may from now on."""
    common: Common
    """Account and signer in one, MarketFactory, a nonce that the message uses up, group, expiry."""

    @classmethod
    def build(
        cls,
        *,
        factory: str,
        account: str,
        operator: str,
        approved: bool,
        expiry: int,
        nonce: int | None = None,
        group: int = 0,
    ) -> Self:
        """An approval, or its end, for the MarketFactory `factory`."""
        return cls(operator, approved, _common(account, None, factory, nonce, group, expiry))


@dataclass(frozen=True, slots=True)
class SignerUpdate(Message):
    """Approves a signer of intents, or ends that; anyone may relay it to the MarketFactory. The account signs."""

    name: ClassVar[str] = "SignerUpdate"

    signer: Address
    """Who may sign intents for the account."""
    approved: Bool
    """Whether it may from now on."""
    common: Common
    """Account and signer in one, MarketFactory, a nonce that the message uses up, group, expiry."""

    @classmethod
    def build(
        cls,
        *,
        factory: str,
        account: str,
        signer: str,
        approved: bool,
        expiry: int,
        nonce: int | None = None,
        group: int = 0,
    ) -> Self:
        """An approval, or its end, for the MarketFactory `factory`."""
        return cls(signer, approved, _common(account, None, factory, nonce, group, expiry))


Signable = Intent | NonceCancellation | GroupCancellation | OperatorUpdate | SignerUpdate
"""A message of its own, not part of another."""


def _common(account: str, signer: str | None, domain: str, nonce: int | None, group: int, expiry: int) -> Common:
    own = secrets.randbits(64) if nonce is None else nonce
    try:
        return Common(account, account if signer is None else signer, domain, own, group, expiry)
    except FieldError as error:
        raise FieldError(f"common.{error.field}", error.reason) from None


def _raw(name: str, value: Number) -> int:
    try:
        return raw(value)
    except (TypeError, ValueError) as error:
        raise FieldError(name, str(error)) from error


def _json(value: object) -> object:
    if isinstance(value, Message):
        return value.to_json()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _integer(value: object) -> object:
    """An integer from its text, if it is one; anything else is left to be refused. Longer than 2^256 is none."""
    if isinstance(value, str) and len(value) <= 79 and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    return value


def _checked(name: str, kind: str, value: object) -> object:
    """The value as its Solidity type has it; FieldError if it cannot be of that type."""
    if kind == Common.name:
        if not isinstance(value, Common):
            raise FieldError(name, "is no Common")
        return value
    if kind == "address":
        return _address(name, value)
    if kind == "bool":
        if not isinstance(value, bool):
            raise FieldError(name, f"{value!r} is neither true nor false")
        return value
    # A bool is an int to Python, not to people.
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldError(name, f"{value!r} is no integer")
    low, high = (-(2**255), 2**255) if kind == "int256" else (0, 2**256)
    if not low <= value < high:
        raise FieldError(name, f"{value} does not fit {kind}")
    return value


def _address(name: str, value: object) -> str:
    # Contracts and accounts of Ape and web3 have their address as an attribute.
    text = getattr(value, "address", value)
    if not isinstance(text, str) or not text.startswith("0x") or not is_address(text):
        raise FieldError(name, f"{value!r} is no address")
    checksummed = to_checksum_address(text)
    # Mixed case is a checksum, which a typing error would break.
    if text[2:] not in (text[2:].lower(), text[2:].upper()) and text != checksummed:
        raise FieldError(name, f"{value!r} is no address: its checksum is wrong")
    return checksummed
