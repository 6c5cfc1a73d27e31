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
        if work.kind is not Kind.COMMIT:
            return None
        commits = [item for item in work.items if item[0] == Kind.COMMIT]
        # Several oracles at one version, or several versions of one oracle: what is given up on the way earns nothing.
        oracles = tuple(dict.fromkeys(item[1] for item in commits))
        version, *later = sorted({int(item[2]) for item in commits})
        commit = Commit(work.to, oracles, version, work.data, work.value, tuple(later))
        try:
            found = quote(self.rpc, self.keeper, commit, self.ether_price, tip=self.tip)
        except (Reverted, RpcError) as error:
            return f"no quote: {error}"
        if found.profit >= self.least:
            return None
        return f"it earns {decimal(found.earned)} and costs {decimal(found.spent)}"
