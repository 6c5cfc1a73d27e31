"""A node that is asked again where it did not answer: public nodes refuse now and then, and a deployment is long."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from perennial.chain import Chain, NodeError, Rpc, RpcError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAUSES = (0.05, 0.2, 1.0)

_FINAL = (-32601, -32600)
"""Codes of what a node will never answer: no such method, no such request."""


class Node(Rpc):
    """Reads are repeated after a fault. What is sent is not: its sender finds out what became of it."""

    def call(self, method: str, *params: Any) -> Any:
        """See Rpc."""
        for pause in _PAUSES:
            try:
                return super().call(method, *params)
            except NodeError as error:
                if method.startswith("eth_send") or (isinstance(error, RpcError) and error.code in _FINAL):
                    raise
            time.sleep(pause)
        return super().call(method, *params)


@contextmanager
def connected(node: str | Rpc) -> Iterator[Chain]:
    """The chain behind an address, for as long as the block lasts; a node that is connected already stays so."""
    if isinstance(node, Rpc):
        yield Chain(node)
        return
    with Node(node) as rpc:
        yield Chain(rpc)
