"""Which intents of contract wallets are tried in a cycle: a node runs their code many times for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from perennial.solver.orders import Open

LATER = "others of its contract wallet have their turn"

APART = "of the contract wallets that would meet, one may have burnt gas: they are kept apart for a while"


class Turns:
    """So many intents of one contract wallet, the signer, have a place in a cycle.

    A place is taken by what would be tried, not by what nobody could fill. While others of the wallet find none, those
    that had one wait: whatever the market refuses each time, or does not pay, keeps no place for good.
    """

    def __init__(self, places: int) -> None:
        """`places` is how many, for each wallet."""
        self.places = places
        self._apart: AbstractSet[str] = frozenset()
        self._taken: dict[str, set[str]] = {}
        self._had: dict[str, set[str]] = {}
        """By signer, since everyone who wanted a place last had one."""
        self._crowded: set[str] = set()

    def begin(self, orders: Sequence[Open], apart: AbstractSet[str] = frozenset()) -> None:
        """A new cycle with these intents. Signers `apart` (in small letters) do not meet other contract wallets."""
        here = {order.hash for order in orders}
        self._had = {
            signer: (self._had.get(signer, set()) | self._taken.get(signer, set())) & here for signer in self._crowded
        }
        self._taken, self._crowded, self._apart = {}, set(), apart

    def refusal(self, *orders: Open) -> str | None:
        """Why a deal of these intents is not tried in this cycle; else None, and they have their places."""
        wanted: dict[str, set[str]] = {}
        for order in orders:
            if not order.by_key:
                wanted.setdefault(order.intent.common.signer.lower(), set()).add(order.hash)
        if len(wanted) > 1 and not self._apart.isdisjoint(wanted):
            return APART
        if any(self._waits(signer, hashes) for signer, hashes in wanted.items()):
            return LATER
        crowded = {signer for signer, hashes in wanted.items() if len(self._with(signer, hashes)) > self.places}
        if crowded:
            self._crowded |= crowded
            return LATER
        self._taken.update({signer: self._with(signer, hashes) for signer, hashes in wanted.items()})
        return None

    def _waits(self, signer: str, hashes: set[str]) -> bool:
        return not hashes.isdisjoint(self._had.get(signer, set()))

    def _with(self, signer: str, hashes: set[str]) -> set[str]:
        return self._taken.get(signer, set()) | hashes
