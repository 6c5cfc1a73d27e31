"""Follows the chain: books fills, and takes off the book what was cancelled or has expired."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from perennial.chain import NodeError
from perennial.relay.intake import IntentState, status_of
from perennial.relay.records import Fill, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from perennial.intents import Intent
    from perennial.relay.store import Store
    from perennial.relay.view import Head

logger = logging.getLogger(__name__)


class Follower(Protocol):
    """What the watcher asks the chain."""

    def head(self) -> Head:
        """The newest block."""
        ...

    def fills(self, first: int, last: int) -> list[Fill]:
        """Every intent that was filled in these blocks, both included."""
        ...

    def states(self, intents: Sequence[Intent]) -> list[IntentState]:
        """What the Verifier says about intents now."""
        ...

    def used(self, nonces: Sequence[tuple[str, int]]) -> list[bool]:
        """Of nonces of accounts, whether each is cancelled."""
        ...


@dataclass
class Watcher:
    """Brings the store up to the chain, step by step. It stores how far it has come, so a restart loses nothing."""

    store: Store
    follower: Follower
    confirmations: int = 0
    """Blocks that must follow one before its fills are booked."""
    again: int = 16
    """Blocks that are read again at every step, since the chain may have others there by then."""
    span: int = 1_000
    """Blocks in one request."""
    page: int = 200
    """Intents in one request."""
    keep_events: int = 100_000
    """Events that readers of the stream can go back."""
    clock: Callable[[], float] = time.time
    _after: int = field(default=0, init=False)
    _after_cancellation: int = field(default=0, init=False)

    def step(self) -> None:
        """Books what has happened until now; looks at one page of open intents, the next one at the next step."""
        head = self.follower.head()
        self._book_fills(head.block - self.confirmations)
        now = max(head.timestamp, int(self.clock()))
        self._look_at_open(now)
        self._look_at_cancellations(now)
        self.store.forget_events(self.keep_events)

    def run(self, stop: Event, interval: float = 1.0) -> None:
        """Steps until told to stop. A node that fails is asked again."""
        while not stop.is_set():
            try:
                self.step()
            except NodeError as error:
                logger.warning("the chain could not be followed, trying again in %s s: %s", interval, error)
            except Exception:
                # Whatever it is, the relay goes on with what it has: fills are booked when the node answers again.
                logger.exception("the chain could not be followed, trying again in %s s", interval)
            stop.wait(interval)

    def _book_fills(self, last: int) -> None:
        if last < 0:
            return
        self.store.start_at(last)
        block = self.store.block()
        assert block is not None
        first = max(0, min(block, last) + 1 - self.again)
        while first <= last:
            until = min(last, first + self.span - 1)
            fresh, gone = self.store.apply_fills(self.follower.fills(first, until), first, until)
            for fill in gone:
                logger.warning("no longer filled: %s of %s in %s", fill.size, fill.hash, fill.transaction)
            for fill in fresh:
                logger.info("filled %s of %s at %s in %s", fill.size, fill.hash, fill.price, fill.transaction)
            first = until + 1

    def _look_at_open(self, now: int) -> None:
        # With time 0, so that those that have expired are found and closed.
        orders = self.store.orders(status=Status.OPEN, after=self._after, limit=self.page, now=0)
        self._after = orders[-1].sequence if len(orders) == self.page else 0
        if not orders:
            return
        states = self.follower.states([order.intent for order in orders])
        for order, state in zip(orders, states, strict=True):
            status = status_of(order.intent, state, now)
            # It is filled once its fill is booked: until then the chain may take the block back.
            self.store.apply_state(order, state.remaining, Status.OPEN if status is Status.FILLED else status)

    def _look_at_cancellations(self, now: int) -> None:
        """Those that are on chain, or have expired, wait no longer. One page, the next one at the next step."""
        waiting = self.store.cancellations(self._after_cancellation, self.page)
        self._after_cancellation = waiting[-1].number if len(waiting) == self.page else 0
        if not waiting:
            return
        used = self.follower.used([(each.message.common.account, each.message.common.nonce) for each in waiting])
        done = [
            each.hash
            for each, is_used in zip(waiting, used, strict=True)
            if is_used or each.message.common.expiry <= now
        ]
        if done:
            self.store.forget_cancellations(done)
