"""What happened to an account in a market, from events: every change of its collateral, and what made it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perennial.amounts import ONE, decimal
from perennial.client.errors import ClientError
from perennial.client.events import SPAN, Happened, Topics, events, merged, topic, word
from perennial.client.replay import EVENTS, Replay, split
from perennial.client.results import Entry, History, Totals
from perennial.mirror.accumulators import NO_PARTS, Parts
from perennial.mirror.position import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennial.chain import Rpc

_OWN = (
    "OrderCancelled",
    "AccountSettled",
    "Liquidated",
    "Deposited",
    "Withdrawn",
    "Claimed",
    "RewardClaimed",
)
"""Events of the account itself, which is their first indexed parameter."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a market's events are: node, addresses, its first block."""

    rpc: Rpc
    name: str
    market: str
    verifier: str
    start: int


def history(place: Place, account: str, last: int, since: int | None = None, span: int = SPAN) -> History:
    """The history of an account up to the block `last`; entries before the block `since` are left out.

    All events of the market are read from its first block on, in any case: its sizes at each version are sums over all
    that was ordered before. Raises NodeError, and ClientError where the events do not add up.
    """
    book = _Book(account.lower())
    for event in _read(place, account, last, span):
        book.apply(event)
    entries = _with_times(place.rpc, [entry for entry in book.entries if since is None or entry.block >= since])
    return History(place.name, account, tuple(entries), book.totals(), since or place.start, last)


def _read(place: Place, account: str, last: int, span: int) -> list[Happened]:
    market = {place.market: "IMarketEvents"}
    everything: Topics = [topic("IMarketEvents", *EVENTS)]
    own: Topics = [topic("IMarketEvents", *_OWN), word(account)]
    signed: Topics = [topic("IVerifier", "IntentConsumed"), None, word(account)]
    return merged(
        events(place.rpc, market, everything, place.start, last, span),
        events(place.rpc, market, own, place.start, last, span),
        events(place.rpc, {place.verifier: "IVerifier"}, signed, place.start, last, span),
    )


class _Book:
    """An account's collateral, kept from events."""

    def __init__(self, account: str) -> None:
        self.account, self.replay = account, Replay(account)
        self._handlers: dict[str, Callable[[Happened], None]] = {
            "Deposited": self._deposited,
            "Withdrawn": self._withdrawn,
            "OrderPlaced": self._placed,
            "OrderCancelled": self._cancelled,
            "Liquidated": self._liquidated,
            "Claimed": self._claimed,
            "RewardClaimed": self._rewarded,
            "IntentConsumed": self._signed,
            "IntentFilled": self._filled,
            "AccountSettled": self._settled,
        }
        self.entries: list[Entry] = []
        self.collateral = self.size = 0
        self._side = Side.NONE
        self._parts: Parts = NO_PARTS
        self._fills: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        self._consumed: list[Happened] = []
        self._sums: defaultdict[str, int] = defaultdict(int)

    def apply(self, event: Happened) -> None:
        """Takes the next event in."""
        self.replay.apply(event)
        if (handler := self._handlers.get(event.name)) is not None:
            handler(event)

    def totals(self) -> Totals:
        """The sums of all entries, those left out of a history included."""
        names = ("deposits", "withdrawals", "pnl", "guarantees", "funding", "interest", "maker_fees")
        sums = {name: decimal(self._sums[name]) for name in names}
        fees = {name + "s": decimal(self._sums[name]) for name in ("position_fee", "settlement_fee", "liquidation_fee")}
        return Totals(**sums, **fees, collateral=decimal(self.collateral))

    # -- Events ------------------------------------------------------------------------------------------------------

    def _deposited(self, event: Happened) -> None:
        self._add(event, "deposit", f"by {event['sender']}", deposits=event["amount"])

    def _withdrawn(self, event: Happened) -> None:
        self._add(event, "withdrawal", f"to {event['receiver']}", withdrawals=-event["amount"])

    def _placed(self, event: Happened) -> None:
        if event["account"] == self.account:
            side, verb = Side(event["side"]).name.lower(), "opens" if event["opened"] else "closes"
            size = decimal(event["opened"] or event["closed"])
            self._add(event, "order", f"{verb} {side} {size.normalize():f}", version=event["version"])

    def _cancelled(self, event: Happened) -> None:
        self._add(event, "cancelled", "no valid price came for its version", version=event["version"])

    def _liquidated(self, event: Happened) -> None:
        note = f"by {event['liquidator']}, closes {decimal(event['closed']).normalize():f}"
        self._add(event, "liquidation", note, version=event["version"])

    def _claimed(self, event: Happened) -> None:
        self._add(event, "claim", f"{decimal(event['amount'])} credits to {event['receiver']}")

    def _rewarded(self, event: Happened) -> None:
        self._add(event, "reward", f"{decimal(event['amount'])} reward tokens to {event['receiver']}")

    def _signed(self, event: Happened) -> None:
        self._consumed.append(event)

    def _filled(self, event: Happened) -> None:
        """A fill: who signed pays the taker fee at once, at the market's latest price."""
        size = abs(event["amount"])
        signed = any(own.transaction == event.transaction and own["size"] == size for own in self._consumed)
        self._consumed = []
        if self.account not in (event["account"], event["counterparty"]):
            return
        amount = event["amount"] if event["account"] == self.account else -event["amount"]
        self._fills[event["version"]].append((amount, event["price"]))
        fee = 0
        if signed:
            assert self.replay.risk is not None
            fee = -(-size * self.replay.risk.taker_fee * abs(self.replay.price) // ONE**2)
        verb = "buys" if amount > 0 else "sells"
        note = f"{verb} {decimal(size).normalize():f} at {decimal(event['price']).normalize():f}"
        self._add(event, "fill", note, version=event["version"], position_fee=-fee)

    def _settled(self, event: Happened) -> None:
        """What accrued since the last settlement, by origin, and what was charged."""
        version = self.replay.versions.get(event["version"])
        if version is None:
            raise ClientError("the node left events out: ask one that keeps them all")
        after = version.parts[self._side - 1] if self._side else NO_PARTS
        fills = self._fills.pop(event["version"], [])
        notional = sum(amount * price for amount, price in fills)
        guarantees = (sum(amount for amount, _ in fills) * version.price - notional) // ONE
        parts = split(event["accrued"], guarantees, self.size, self._parts, after)
        charged = event["accrued"] - event["fee"] - event["settlementFee"]
        self._add(
            event,
            "settlement",
            f"at {decimal(version.price).normalize():f}",
            version=event["version"],
            pnl=parts.pnl,
            guarantees=parts.guarantees,
            funding=parts.funding,
            interest=parts.interest,
            maker_fees=parts.maker_fees,
            position_fee=-event["fee"],
            settlement_fee=-event["settlementFee"],
            liquidation_fee=event["collateral"] - self.collateral - charged,
            size=event["size"],
        )
        self._side = version.side if self.size else Side.NONE
        self._parts = version.parts[self._side - 1] if self._side else NO_PARTS

    # -- Steps -------------------------------------------------------------------------------------------------------

    def _add(
        self,
        event: Happened,
        kind: str,
        note: str,
        *,
        version: int | None = None,
        size: int | None = None,
        **parts: int,
    ) -> None:
        """Books an entry; `parts` are changes of the collateral by origin, 6 decimals."""
        change = sum(parts.values())
        self.collateral += change
        self.size = self.size if size is None else size
        for name, value in parts.items():
            self._sums[name] += value
        columns = ("pnl", "guarantees", "funding", "interest", "maker_fees")
        fees = ("position_fee", "settlement_fee", "liquidation_fee")
        entry = Entry(
            time=0,
            block=event.block,
            kind=kind,
            amount=decimal(change),
            version=version,
            **{name: decimal(parts.get(name, 0)) for name in (*columns, *fees)},
            collateral=decimal(self.collateral),
            size=decimal(self.size),
            note=note,
            transaction=event.transaction,
        )
        self.entries.append(entry)


def _with_times(rpc: Rpc, entries: list[Entry]) -> list[Entry]:
    """The entries with the times of their blocks."""
    blocks = sorted({entry.block for entry in entries})
    found = rpc.batch([("eth_getBlockByNumber", (hex(block), False)) for block in blocks])
    times = {block: int(raw["timestamp"], 16) if raw else 0 for block, raw in zip(blocks, found, strict=True)}
    return [replace(entry, time=times[entry.block]) for entry in entries]
