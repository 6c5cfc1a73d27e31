"""A keeper put together: from a node, markets, a key and files."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perennial.keeper.commits import Commits, Freshening
from perennial.keeper.events import EventReader, Follower, contracts_of
from perennial.keeper.hermes import Hermes
from perennial.keeper.keeper import IN_FLIGHT, Keeper, Options
from perennial.keeper.profit import LeastProfit
from perennial.keeper.state import State
from perennial.keeper.vaults import Vaults
from perennial.keeper.view import KeeperView
from perennial.relay.rpc import LastingRpc
from perennial.sending.journal import Journal
from perennial.sending.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from eth_account.signers.local import LocalAccount

    from perennial.keeper.keeper import Profit

NOBODY = "0x" + "0" * 40

ONLOOKER = "0x" + "10" * 20
"""In the place of a keeper without a key: nothing is ever owed to the address zero."""


@dataclass(frozen=True)
class Settings:
    """Where a keeper works, and how. `start` is the block at which the markets began; fees are wei."""

    node: str
    markets: Sequence[tuple[str, str]]
    """Names and addresses."""
    hermes: str
    hermes_key: str | None = None
    start: int = 0
    vaults: Sequence[tuple[str, str]] = ()
    """Names and addresses of those whose epochs it closes and settles."""
    file: Path | str = ":memory:"
    """What it remembers and has signed. In memory only for who looks on."""
    tip: int = 1_000_000
    most: int | None = None
    patience: int = 10
    block_time: int = 2
    freshening: Freshening = field(default_factory=Freshening)
    options: Options = field(default_factory=Options)
    least_profit: int | None = None
    """USD with 6 decimals that a commit must earn after gas; None to commit whatever is requested."""
    ether_price: int = 0
    """USD for an ether, with 6 decimals."""


@contextmanager
def open_keeper(settings: Settings, key: LocalAccount | None) -> Iterator[Keeper]:
    """A keeper; without a key one that looks on. Raises NodeError, StateError."""
    rpc = LastingRpc(settings.node)
    account = key.address if key else ONLOOKER
    with rpc, Hermes(settings.hermes, settings.hermes_key) as hermes:
        view = KeeperView(rpc, settings.markets, account)
        genesis = rpc.call("eth_getBlockByNumber", "0x0", False)["hash"]
        with State(settings.file, f"{account} on chain {view.chain_id} with genesis {genesis}") as state:
            reader = EventReader(rpc, contracts_of(view.markets))
            follower = Follower(state, reader, view.markets, account.lower(), settings.start)
            profit: Profit | None = None
            if settings.least_profit is not None:
                profit = LeastProfit(rpc, account, settings.least_profit, settings.ether_price, settings.tip)
            commits = Commits(view, hermes, settings.freshening, settings.block_time)
            vaults = Vaults(view, [(name, address.lower()) for name, address in settings.vaults])
            if key is None:
                yield Keeper(view, follower, commits, None, settings.options, profit, vaults=vaults)
                return
            journal = Journal(settings.file, IN_FLIGHT)
            try:
                sender = Sender(key, view.chain_id, view, journal, settings.tip, settings.patience, settings.most)
                yield Keeper(view, follower, commits, sender, settings.options, profit, vaults=vaults)
            finally:
                journal.close()
