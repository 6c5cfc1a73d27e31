"""What the relay keeps and tells. Sizes and prices have 6 decimals, times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perennial.intents import GroupCancellation, Intent, NonceCancellation


class Status(StrEnum):
    """What has become of an intent."""

    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Order:
    """An intent as the relay knows it. `sequence` is its place in time, `remaining` what can still be filled."""

    sequence: int
    hash: str
    intent: Intent
    signature: bytes
    status: Status
    remaining: int
    received: int

    def to_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "hash": self.hash,
            "sequence": self.sequence,
            "status": self.status.value,
            "remaining": str(self.remaining),
            "received": self.received,
            "intent": self.intent.to_json(),
            "signature": "0x" + self.signature.hex(),
        }


@dataclass(frozen=True, slots=True)
class Fill:
    """A fill that the chain has made. Place: block, transaction, index of its log. `size` has no sign."""

    hash: str
    block: int
    transaction: str
    log_index: int
    size: int
    remaining: int
    price: int
    counterparty: str

    def to_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "hash": self.hash,
            "block": self.block,
            "transaction": self.transaction,
            "logIndex": self.log_index,
            "size": str(self.size),
            "price": str(self.price),
            "counterparty": self.counterparty,
        }


@dataclass(frozen=True, slots=True)
class SignedCancellation:
    """A signed cancellation that waits for somebody to bring it to the chain; numbers count up, with gaps."""

    number: int
    hash: str
    message: NonceCancellation | GroupCancellation
    signature: bytes

    def to_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "number": self.number,
            "hash": self.hash,
            "kind": self.message.name,
            "cancellation": self.message.to_json(),
            "signature": "0x" + self.signature.hex(),
        }


@dataclass(frozen=True, slots=True)
class Level:
    """What waits at one price: the sum of what remains, and of how many intents."""

    price: int
    size: int
    count: int

    def to_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return {"price": str(self.price), "size": str(self.size), "count": self.count}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in the order in which it did: `number` counts up, with gaps."""

    number: int
    market: str
    kind: str
    content: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As the stream gives it."""
        return {"number": self.number, "market": self.market, "kind": self.kind, **self.content}


class Refusal(ValueError):  # noqa: N818 -- an answer, not a failure of the relay's
    """The relay does not take what it was given.

    `code` is for programs, `message` for people; `field` is named where one is at fault. `status` is HTTP's.
    """

    def __init__(self, code: str, message: str, field: str | None = None, status: int = 422) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.field, self.status = code, message, field, status
