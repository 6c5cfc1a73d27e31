"""Epochs of vaults (docs/protocol.md §12.2): closed where requests wait, settled, brought back to their targets.

Whoever does it gains nothing: what is due is done for those who wait.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from perennial.keeper.view import UNANSWERED
from perennial.keeper.work import Kind, Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perennial.chain import Contract
    from perennial.keeper.view import Epoch, Head
    from perennial.keeper.work import Item

logger = logging.getLogger(__name__)

REBALANCE = "rebalance"
"""The function of a vault."""

CALM = 60
"""Seconds at least between two rebalances of a vault: prices that swing around the tolerance cost whoever sends."""


class View(Protocol):
    """What is asked of the chain."""

    def epoch(self, vault: str) -> Epoch:
        """What could be done for a vault now."""
        ...

    def contract(self, kind: str, address: str) -> Contract:
        """Any contract, to make calldata."""
        ...


@dataclass
class Vaults:
    """Plans what vaults need. `vaults` are names and addresses."""

    view: View
    vaults: Sequence[tuple[str, str]]
    _rebalanced: dict[str, int] = field(default_factory=dict)

    def plan(self, head: Head) -> Iterable[Work]:
        """What is due: one call a vault at most, and none while another of its calls is in flight."""
        for name, vault in self.vaults:
            try:
                epoch = self.view.epoch(vault)
            except UNANSWERED as error:
                # What ails a vault must not keep back the markets, whose accounts are to be liquidated.
                logger.warning("vault %s does not answer: %s", name, error)
                continue
            # Closing and rebalancing settle the epoch before first.
            if epoch.closes:
                yield self._call(name, vault, "closeEpoch", "its epoch is closed")
            elif epoch.rebalances and head.timestamp >= self._rebalanced.get(vault, 0) + CALM:
                yield self._call(name, vault, REBALANCE, "its markets are brought back to their targets")
            elif epoch.settles:
                yield self._call(name, vault, "settle", f"epoch {epoch.pending} is settled")

    def sent(self, work: Work, head: Head) -> None:
        """A call is on its way."""
        for item in work.items:
            if item[0] == Kind.EPOCH and item[2:] == (REBALANCE,):
                self._rebalanced[item[1]] = head.timestamp

    def _call(self, name: str, vault: str, function: str, says: str) -> Work:
        query = self.view.contract("IVault", vault).query(function)
        items: list[Item] = [(Kind.EPOCH, vault)]
        if function == REBALANCE:
            items.append((Kind.EPOCH, vault, REBALANCE))
        return Work(Kind.EPOCH, tuple(items), query.to, query.data, f"vault {name}: {says}")
