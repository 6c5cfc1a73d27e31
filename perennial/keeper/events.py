"""The chain's events into a keeper's state: who has a position, who waits for what, what was earned."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from perennial.abi import interface
from perennial.chain import RpcError
from perennial.keeper.state import Earning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perennial.abi import Event
    from perennial.chain import Rpc
    from perennial.keeper.state import State
    from perennial.keeper.view import MarketInfo

logger = logging.getLogger(__name__)

OVERLAP = 8
"""Blocks that are read again each time, in case the chain has changed its mind about them."""

_KINDS = {
    "IMarket": (
        "OrderPlaced",
        "OrderCancelled",
        "AccountSettled",
        "IntentFilled",
        "Liquidated",
        "Claimed",
    ),
    "IOracle": ("VersionRequested", "VersionCommitted"),
    "IOracleFactory": ("KeeperPaid",),
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One event: the contract and the transaction that it comes from, its values in the order of the declaration."""

    contract: str
    name: str
    values: tuple[Any, ...]
    block: int
    transaction: str
    log_index: int


class EventReader:
    """Reads events of a set of contracts, in pieces that the node accepts."""

    def __init__(self, rpc: Rpc, contracts: Iterable[str], span: int = 2_000) -> None:
        self._rpc, self.contracts, self._span, self._most = rpc, sorted(contracts), span, span
        self._events = _events()

    def read(self, first: int, last: int, take: Callable[[list[Happened], int], None]) -> None:
        """Hands over what happened in these blocks, both included, piece by piece, with the last block of each."""
        while first <= last:
            until = min(last, first + self._span - 1)
            try:
                logs = self._logs(first, until)
            except RpcError:
                # Nodes limit blocks or answers, each in words of its own.
                if self._span == 1:
                    raise
                self._span = max(1, self._span // 2)
                continue
            take([self._happened(log) for log in logs], until)
            self._span = min(self._most, self._span * 2)
            first = until + 1

    def _logs(self, first: int, last: int) -> list[dict[str, Any]]:
        query = {
            "fromBlock": hex(first),
            "toBlock": hex(last),
            "address": self.contracts,
            "topics": [["0x" + topic.hex() for topic in self._events]],
        }
        logs: list[dict[str, Any]] = self._rpc.call("eth_getLogs", query)
        return logs

    def _happened(self, log: dict[str, Any]) -> Happened:
        topics = [_bytes(topic) for topic in log["topics"]]
        event = self._events[topics[0]]
        return Happened(
            contract=log["address"].lower(),
            name=event.name,
            values=event.decode(topics, _bytes(log["data"])),
            block=int(log["blockNumber"], 16),
            transaction=log["transactionHash"],
            log_index=int(log["logIndex"], 16),
        )


def contracts_of(markets: Iterable[MarketInfo]) -> set[str]:
    """Whose events a keeper of these markets follows."""
    return {address for market in markets for address in (market.address, market.oracle, market.factory) if address}


@dataclass
class Follower:
    """Brings a state up to the chain. `keeper` is whose pay is counted; `start` the block at which it all began."""

    state: State
    reader: EventReader
    markets: tuple[MarketInfo, ...]
    keeper: str
    start: int = 0
    _by_oracle: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._by_oracle = {market.oracle: market.address for market in self.markets}
        self.state.watch(self.reader.contracts)

    def follow(self, head: int) -> None:
        """Reads on up to a block."""
        block = self.state.block()
        if block is not None and head <= block:
            return
        first = self.start if block is None else max(self.start, block + 1 - OVERLAP)
        if head - first > 10 * OVERLAP:
            logger.info("reading events of %s blocks from %s on", head - first + 1, first)
        self.reader.read(first, head, self._take)

    def _take(self, happened: list[Happened], until: int) -> None:
        with self.state.at_once():
            for each in happened:
                self._book(each)
            self.state.go_to(until)

    def _book(self, each: Happened) -> None:
        state, values = self.state, each.values
        if each.contract in self._by_oracle:
            self._book_version(self._by_oracle[each.contract], each)
        elif each.name == "KeeperPaid":
            if values[1] == self.keeper:
                state.earn(Earning(each.transaction, each.log_index, values[0], "settlement", values[3]))
        elif each.name == "Claimed":
            if values[0] == self.keeper:
                state.earn(Earning(each.transaction, each.log_index, each.contract, "liquidation", values[2]))
        else:
            self._book_account(each)

    def _book_version(self, market: str, each: Happened) -> None:
        version = each.values[0]
        if each.name == "VersionRequested":
            self.state.request(market, version)
            return
        self.state.commit(market, version)
        if each.values[3] == self.keeper:
            self.state.add_unpaid(market, version)

    def _book_account(self, each: Happened) -> None:
        state, market, values = self.state, each.contract, each.values
        match each.name:
            case "OrderPlaced":
                state.add_pending(market, values[0], values[1])
            case "IntentFilled":
                for account in values[:2]:
                    state.add_pending(market, account, values[2])
            case "Liquidated":
                # One that closes nothing has no order of its own, and locks all the same.
                state.add_pending(market, values[0], values[2], is_lock=values[3] == 0)
            case "OrderCancelled":
                state.settle(market, values[0], values[1])
            case "AccountSettled":
                state.settle(market, values[0], values[1], values[6])


def _events() -> dict[bytes, Event]:
    return {
        topic: event
        for contract, names in _KINDS.items()
        for topic, event in interface(contract).events.items()
        if event.name in names
    }


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
