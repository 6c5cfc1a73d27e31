"""Whether a commit is worth its gas: the quote of it, against what its keeper wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.abi import Reverted
from perennial.amounts import decimal
from perennial.chain import RpcError
from perennial.keeper.quote import Commit, quote
from perennial.keeper.work import Kind

if TYPE_CHECKING:
    from perennial.chain import Rpc
    from perennial.keeper.view import Head
    from perennial.keeper.work import Work


@dataclass(frozen=True)
class LeastProfit:
    """Refuses commits of requested versions that earn less than `least` after gas.

    Money is USD with 6 decimals, `ether_price` is USD for an ether, `tip` wei for a unit of gas. What pays in another
    way or not at all is not judged: freshening, settling and giving up are what liquidations and later commits need.
    """

    rpc: Rpc
    keeper: str
    least: int
    ether_price: int
    tip: int

    def __call__(self, work: Work, gas: int, head: Head) -> str | None:  # noqa: ARG002 -- the quote reckons itself
        """Why not to do it, in words; None to do it."""
        versions = {int(item[2]) for item in work.items if item[0] == Kind.COMMIT}
        if work.kind is not Kind.COMMIT or len(versions) != 1 or work.is_backlog:
            return None
        oracles = tuple(item[1] for item in work.items)
        commit = Commit(work.to, oracles, versions.pop(), work.data, work.value)
        try:
            found = quote(self.rpc, self.keeper, commit, self.ether_price, tip=self.tip)
        except (Reverted, RpcError) as error:
            return f"no quote: {error}"
        if found.profit >= self.least:
            return None
        return f"it earns {decimal(found.earned)} and costs {decimal(found.spent)}"
