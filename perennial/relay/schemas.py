"""What goes over the wire, as OpenAPI has it.

Integers are text, with 6 decimals where they are amounts; requests may have them as JSON integers as well.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

Integer = StrictInt | Annotated[StrictStr, Field(pattern=r"^-?[0-9]{1,78}$")]
Address = Annotated[StrictStr, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
Hex = Annotated[StrictStr, Field(pattern=r"^0x([0-9a-fA-F]{2})*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CommonBody(_Strict):
    """For whom a message counts, by whom, where and until when (docs/protocol.md §9.1)."""

    account: Address
    signer: Address
    domain: Address
    nonce: Integer
    group: Integer
    expiry: Integer


class IntentBody(_Strict):
    """A signed order: the message of the EIP-712 typed data, as the wallet has signed it."""

    amount: Integer
    price: Integer
    fee: Integer
    originator: Address
    solver: Address
    collateralization: Integer
    common: CommonBody


class SignedIntent(_Strict):
    """An intent and its signature: 65 bytes (r, s, v) of a key, or what a contract wallet takes."""

    intent: IntentBody
    signature: Hex


class NonceCancellationBody(_Strict):
    """Cancels the nonce in `common`, whose domain is the Verifier."""

    common: CommonBody


class GroupCancellationBody(_Strict):
    """Cancels a group. The domain in `common` is the Verifier, its nonce is used up."""

    group: Integer
    common: CommonBody


class SignedCancellation(_Strict):
    """A cancellation and its signature."""

    kind: Literal["NonceCancellation", "GroupCancellation"]
    cancellation: GroupCancellationBody | NonceCancellationBody
    signature: Hex


class OrderAnswer(BaseModel):
    """An intent on the relay. `sequence` is its place in time; `remaining` what can still be filled.

    An open one of which nothing remains is filled on the chain, and will say so once that is booked.
    """

    hash: str
    sequence: int
    status: Literal["open", "filled", "cancelled", "expired"]
    remaining: str
    received: int
    intent: IntentBody
    signature: str


class FillAnswer(BaseModel):
    """A fill on chain. Pass the last `number` as `after` to get those that follow."""

    number: int
    hash: str
    block: int
    transaction: str
    logIndex: int  # noqa: N815 -- JSON
    size: str
    price: str
    counterparty: str


class LevelAnswer(BaseModel):
    """What waits at one price."""

    price: str
    size: str
    count: int


class BookAnswer(BaseModel):
    """Best prices first. `event` is the number of the last event that the book may know of: stream from there on."""

    market: str
    event: int
    buys: list[LevelAnswer]
    sells: list[LevelAnswer]


class CancellationAnswer(BaseModel):
    """The cancellation's hash, and those of the intents that it took off the book."""

    hash: str
    intents: list[str]


class WaitingCancellation(BaseModel):
    """A signed cancellation that anyone may bring to the Verifier. Pass the last `number` as `after` to get more."""

    number: int
    hash: str
    kind: str
    cancellation: GroupCancellationBody | NonceCancellationBody
    signature: str


class InfoAnswer(BaseModel):
    """What to sign for. `domain` is that of the typed data."""

    domain: dict[str, Any]
    markets: list[str]
    maxOpenIntents: int  # noqa: N815 -- JSON
    maxLifetime: int  # noqa: N815 -- JSON


class ErrorBody(BaseModel):
    """Why a request was refused: a code for programs, the field at fault if there is one, a text for people."""

    code: str
    field: str | None
    message: str


class ErrorAnswer(BaseModel):
    """A refused request."""

    error: ErrorBody
