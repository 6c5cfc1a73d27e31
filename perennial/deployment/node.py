"""A node that is asked again where it did not answer: public nodes refuse now and then, and a deployment is long."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from perennial.chain import Chain, NodeError, Rpc, RpcError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAUSES = (0.05, 0.2, 1.0)

_BUSY = (429, -32005, -32016)
"""Codes of a node that is asked too often."""

_BEHIND = ("header not found", "BlockOutOfRange")
"""What a node says that has just moved on, or has not got there yet."""


class Node(Rpc):
    """Reads are repeated after a fault. What is sent is not: its sender finds out what became of it."""

    def call(self, method: str, *params: Any) -> Any:
        """See Rpc."""
        for pause in _PAUSES:
            try:
                return super().call(method, *params)
            except NodeError as error:
                if method.startswith("eth_send") or not _passes(error):
                    raise
            time.sleep(pause)
        return super().call(method, *params)


def _passes(error: NodeError) -> bool:
    """Whether the same question may have an answer a moment later."""
    if not isinstance(error, RpcError):
        return True
    return error.code in _BUSY or any(text in error.message for text in _BEHIND)


@contextmanager
def connected(node: str | Rpc) -> Iterator[Chain]:
    """The chain behind an address, for as long as the block lasts; a node that is connected already stays so."""
    if isinstance(node, Rpc):
        yield Chain(node)
        return
    with Node(node) as rpc:
        yield Chain(rpc)
