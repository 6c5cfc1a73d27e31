"""What a keeper can do, as calls that have not been sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Kind(StrEnum):
    """What a piece of work is."""

    COMMIT = "commit"
    """A requested version gets its price; pays the settlement fees at it (docs/protocol.md §11.6)."""
    INVALID = "invalid"
    """A requested version without a price is given up."""
    EXPIRE = "expire"
    """What a replaced adapter has not served is given up."""
    FRESHEN = "freshen"
    """A version that nobody requested."""
    ADVANCE = "advance"
    """A market works off a backlog."""
    SETTLE = "settle"
    """Accounts whose versions have come are settled."""
    LIQUIDATE = "liquidate"
    """An unhealthy account is closed; pays the liquidation fee (§10.5)."""
    EPOCH = "epoch"
    """A vault's epoch is closed or settled, or its markets are brought back to their targets (§12.2); pays nothing."""
    CLAIM = "claim"
    """Settlement fees are collected."""
    COLLECT = "collect"
    """Liquidation fees are collected."""


Item = tuple[str, ...]
"""What is done, of which one may be in flight: the kind, and on what."""


@dataclass(frozen=True, slots=True)
class Work:
    """One call that does one thing or several. `value` is in wei."""

    kind: Kind
    items: tuple[Item, ...]
    to: str
    data: bytes
    says: str
    """What it is, in words."""
    value: int = 0
    split: Callable[[], tuple[Work, ...]] = field(default=tuple, compare=False)
    """Gives the same in smaller calls, for when this one is refused or too large; none where it cannot be divided."""
