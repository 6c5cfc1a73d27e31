"""Events of contracts from a node, in bounded ranges of blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial.abi import interface
from perennial.chain import RpcError, parse_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from perennial.abi import Event
    from perennial.chain import Rpc

SPAN = 10_000
"""Blocks in one request: what public nodes give at once. Where it is too many, less is asked for."""

Topics = list[str | list[str] | None]


@dataclass(frozen=True, slots=True)
class Happened:
    """An event: its name, its values by the names of its parameters, and where it is."""

    address: str
    name: str
    values: dict[str, Any]
    block: int
    transaction: str
    index: int

    def __getitem__(self, parameter: str) -> Any:
        return self.values[parameter]


def topic(contract: str, *names: str) -> list[str]:
    """First topics of a contract's events, by their names. Raises LookupError for one that it has not."""
    found = {event.name: "0x" + key.hex() for key, event in interface(contract).events.items()}
    missing = set(names) - found.keys()
    if missing:
        raise LookupError(f"{contract} has no event {', '.join(sorted(missing))}")
    return [found[name] for name in names]


def word(value: str | int) -> str:
    """A topic of an indexed address or number."""
    return f"0x{int(value, 16) if isinstance(value, str) else value:064x}"


def events(
    rpc: Rpc,
    contracts: dict[str, str],
    topics: Topics,
    first: int,
    last: int,
    span: int = SPAN,
) -> Iterator[Happened]:
    """Events of contracts (addresses to names of their ABIs) in the blocks `first` to `last`, oldest first.

    At most `span` blocks are asked for at once, and fewer where the node refuses so many. Raises NodeError.
    """
    known = {address.lower(): interface(name).events for address, name in contracts.items()}
    while first <= last:
        until = min(last, first + span - 1)
        query = {"address": list(known), "topics": topics, "fromBlock": hex(first), "toBlock": hex(until)}
        try:
            logs = rpc.call("eth_getLogs", query)
        except RpcError:
            if span == 1:
                raise
            span = max(1, span // 4)
            continue
        yield from _parsed(logs, known)
        first = until + 1


def merged(*streams: Iterable[Happened]) -> list[Happened]:
    """Events of several streams in the order of the chain, each once."""
    unique = {(event.block, event.index): event for stream in streams for event in stream}
    return [unique[place] for place in sorted(unique)]


def _parsed(logs: Sequence[Any], known: dict[str, dict[bytes, Event]]) -> Iterator[Happened]:
    for raw in logs:
        log = parse_log(raw)
        event = known[log.address].get(log.topics[0]) if log.topics else None
        if event is not None:
            values = dict(zip(event.parameters, event.decode(log.topics, log.data), strict=True))
            place = int(raw["blockNumber"], 16), raw["transactionHash"], int(raw["logIndex"], 16)
            yield Happened(log.address, event.name, values, *place)
