"""A connection to a node for processes that run for weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennial.chain import NodeError, Rpc, RpcError

if TYPE_CHECKING:
    from collections.abc import Sequence


class LastingRpc(Rpc):
    """Asks once more where the node does not answer: it may have closed a connection that was idle for long.

    For requests that may be made twice: reads, and transactions that are signed.
    """

    def call(self, method: str, *params: Any) -> Any:
        """The result of one request. Raises NodeError, or Reverted where a call did."""
        try:
            return super().call(method, *params)
        except RpcError:
            raise
        except NodeError:
            self.close()
            return super().call(method, *params)

    def batch(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """The results of reads that are sent at once, in their order."""
        try:
            return super().batch(requests)
        except RpcError:
            raise
        except NodeError:
            self.close()
            return super().batch(requests)
