"""An account's orders in a market and what became of them, from events and the oracle (docs/protocol.md §5)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perennial.amounts import ONE, decimal
from perennial.chain import Chain, Contract
from perennial.client.events import SPAN, Happened, Topics, events, merged, topic, word
from perennial.client.records import moment
from perennial.client.results import Order, OrderState
from perennial.mirror.margin import position_fee
from perennial.mirror.position import Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perennial.chain import Rpc
    from perennial.client.state import Snapshot

_CHUNK = 100
"""Versions in one request."""


@dataclass(slots=True)
class _Group:
    """What an account ordered at one version."""

    events: list[Happened] = field(default_factory=list)
    liquidated: bool = False


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of a version: whether it has come, has a price, is settled by the market."""

    come: bool = False
    price: int = 0
    valid: bool = False
    settled: bool = False
    answered: bool = False
    """Whether the oracle has a price, which the payoff may not take."""


class OrderBook:
    """The orders of one account, looked up in the events of its market."""

    def __init__(self, rpc: Rpc, name: str, market: str, oracle: str, account: str, span: int = SPAN) -> None:
        self._rpc, self._name, self._account, self._span = rpc, name, account, span
        self._market, self._oracle = market, Contract(Chain(rpc), "IOracleProvider", oracle)

    def orders(self, snapshot: Snapshot, first: int, only: int | None = None) -> list[Order]:
        """All orders placed from the block `first` on, or those of the version `only`, oldest first."""
        found = self._events(first, snapshot.block.number, only)
        groups: defaultdict[int, _Group] = defaultdict(_Group)
        fills = [event for event in found if event.name == "IntentFilled"]
        charged: dict[int, Happened] = {}
        for event in found:
            if event.name == "OrderPlaced":
                groups[event["version"]].events.append(event)
            elif event.name == "Liquidated":
                groups[event["version"]].liquidated = True
            elif event.name == "AccountSettled":
                charged[event["version"]] = event
        fates = self._fates({*groups, *(fill["version"] for fill in fills)}, snapshot, first)
        orders = [
            self._order(version, group, fates[version], charged.get(version))
            for version, group in groups.items()
            if group.events
        ]
        orders += [self._fill(fill, fates[fill["version"]]) for fill in fills]
        return sorted(orders, key=lambda order: order.version)

    # -- Events ------------------------------------------------------------------------------------------------------

    def _events(self, first: int, last: int, only: int | None) -> list[Happened]:
        own, market = word(self._account), {self._market: "IMarketEvents"}
        version = None if only is None else word(only)
        placed: Topics = [topic("IMarketEvents", "OrderPlaced", "AccountSettled"), own, version]
        liquidated: Topics = [topic("IMarketEvents", "Liquidated"), own]
        signed: Topics = [topic("IMarketEvents", "IntentFilled"), own, None, version]
        taken: Topics = [topic("IMarketEvents", "IntentFilled"), None, own, version]
        streams = (
            events(self._rpc, market, topics, first, last, self._span) for topics in (placed, liquidated, signed, taken)
        )
        return merged(*streams)

    def _fates(self, versions: Iterable[int], snapshot: Snapshot, first: int) -> dict[int, _Fate]:
        """What became of versions: from the market's events where it has settled them, else from the oracle."""
        wanted = sorted(versions)
        settled: dict[int, Happened] = {}
        for start in range(0, len(wanted), _CHUNK):
            keys: Topics = [topic("IMarketEvents", "MarketSettled"), [word(v) for v in wanted[start : start + _CHUNK]]]
            market = {self._market: "IMarketEvents"}
            for event in events(self._rpc, market, keys, first, snapshot.block.number, self._span):
                settled[event["version"]] = event
        latest = snapshot.oracle.latest.timestamp
        due = [version for version in wanted if version <= latest]
        answers = self._oracle.chain.ask_all([self._oracle.query("at", version) for version in due])
        valid = {version: answer[2] for version, answer in zip(due, answers, strict=True)}
        fates = dict.fromkeys(wanted, _Fate())
        for version in due:
            if version in settled:
                price, is_valid = settled[version]["price"], settled[version]["valid"]
                fates[version] = _Fate(True, price, is_valid, True, valid[version])
            else:
                own = snapshot.oracle.at(version)
                fates[version] = _Fate(True, own.price, own.valid, False, valid[version])
        return fates

    # -- Results -----------------------------------------------------------------------------------------------------

    def _order(self, version: int, group: _Group, fate: _Fate, charged: Happened | None) -> Order:
        last = group.events[-1]
        opened, closed = (sum(event[name] for event in group.events) for name in ("opened", "closed"))
        settlement = sum(event["settlementFee"] for event in group.events)
        state, reason = _state(fate, version)
        fee = None
        if state in (OrderState.SETTLED, OrderState.PRICED):
            units = -(-(opened + closed) * last["rate"] // ONE)
            fee = decimal(charged["fee"] if charged else position_fee(units, fate.price))
        cancelled = state == OrderState.CANCELLED
        return Order(
            market=self._name,
            account=self._account,
            kind="liquidation" if group.liquidated else "order",
            side=Side(last["side"]).name.lower(),
            opened=decimal(opened),
            closed=decimal(closed),
            version=version,
            state=state,
            reason=reason,
            price=decimal(fate.price) if fee is not None else None,
            fee_rate=decimal(last["rate"]).scaleb(-6),
            fee=decimal(0) if cancelled else fee,
            settlement_fee=decimal(0 if cancelled else settlement),
            transactions=tuple(dict.fromkeys(event.transaction for event in group.events)),
        )

    def _fill(self, fill: Happened, fate: _Fate) -> Order:
        """A fill stands whatever its version turns out to be."""
        buys = (fill["amount"] > 0) == (fill["account"] == self._account.lower())
        state = OrderState.SETTLED if fate.settled else OrderState.PRICED if fate.come else OrderState.WAITING
        return Order(
            market=self._name,
            account=self._account,
            kind="fill",
            side="long" if buys else "short",
            opened=decimal(abs(fill["amount"])),
            closed=decimal(0),
            version=fill["version"],
            state=state,
            reason=None if fate.come else _waits(fill["version"]),
            price=decimal(fill["price"]),
            fee_rate=decimal(0),
            fee=None,
            settlement_fee=decimal(0),
            transactions=(fill.transaction,),
        )


def _state(fate: _Fate, version: int) -> tuple[OrderState, str | None]:
    if not fate.come:
        return OrderState.WAITING, _waits(version)
    if fate.valid:
        return (OrderState.SETTLED, None) if fate.settled else (OrderState.PRICED, "settles with the next call")
    if fate.answered:
        return OrderState.CANCELLED, "invalid version: the market's payoff has no value at the oracle's price"
    return OrderState.CANCELLED, f"invalid version: no price came for {moment(version)} in time"


def _waits(version: int) -> str:
    return f"waits for the price of {moment(version)}"
