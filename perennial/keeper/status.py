"""A protocol at work, in plain view: its markets, what waits, and what keepers earn."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from perennial.amounts import decimal
from perennial.keeper.events import EventReader, contracts_of
from perennial.keeper.view import UNANSWERED
from perennial.mirror.fixed import UNIT
from perennial.mirror.position import Book

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from perennial.chain import Contract
    from perennial.keeper.events import Happened
    from perennial.keeper.view import Head, KeeperView, MarketInfo, MarketState

PAY_AT_ONCE = 400
"""Versions that are asked for what they still pay: the newest ones."""


@dataclass(frozen=True)
class MarketStatus:
    """A market now: price, sizes and rates with 6 decimals, in its token; times are seconds.

    `price` is that of the latest version where it is valid, `age` how old that version is; `waiting` are requested
    versions that are not committed, `oldest` is how long the first of them has waited; `unsettled` are committed
    versions that the market has not been brought to. `shortfall` is what accounts owe the market, as of their last
    settlement (docs/protocol.md §10.6); `is_paused` stops every call of users.
    """

    market: str
    price: int
    age: int | None
    is_stale: bool
    funding: int
    maker: int
    long: int
    short: int
    open_interest: int
    """Long and short, at the price."""
    utilization: int
    waiting: int
    oldest: int
    unsettled: int
    shortfall: int
    is_paused: bool


@dataclass
class KeeperStatus:
    """What a keeper has done for a market since a block, and what came of it; amounts in its token, 6 decimals.

    `unclaimed` are settlement fees of versions that the market has settled, and liquidation fees. `balance` is what the
    keeper has for gas and for Pyth's fee, wei.
    """

    keeper: str
    market: str
    commits: int = 0
    liquidations: int = 0
    settlement_fees: int = 0
    liquidation_fees: int = 0
    unclaimed: int = 0
    balance: int = 0


@dataclass
class Status:
    """All of it, as of a block. `since` is the block from which on keepers' work is counted.

    `unanswered` are the markets that are not among `markets` since they, or their prices, do not answer: why, by name.
    """

    block: int
    timestamp: int
    since: int
    markets: list[MarketStatus] = field(default_factory=list)
    keepers: list[KeeperStatus] = field(default_factory=list)
    unanswered: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """For machines: amounts are decimal text."""
        return {
            "block": self.block,
            "timestamp": self.timestamp,
            "since": self.since,
            "markets": [_plain(each) for each in self.markets],
            "keepers": [_plain(each) for each in self.keepers],
            "unanswered": [{"market": name, "error": why} for name, why in self.unanswered.items()],
        }


_AMOUNTS = {
    "price",
    "funding",
    "maker",
    "long",
    "short",
    "open_interest",
    "utilization",
    "settlement_fees",
    "liquidation_fees",
    "unclaimed",
    "shortfall",
}


def _plain(each: MarketStatus | KeeperStatus) -> dict[str, Any]:
    return {name: str(decimal(value)) if name in _AMOUNTS else value for name, value in vars(each).items()}


def status_of(view: KeeperView, start: int, blocks: int | None) -> Status:
    """The markets of a view. Keepers' work of the last `blocks` is counted, from `start` on where None."""
    head = view.head()
    since = start if blocks is None else max(start, head.number - blocks + 1)
    happened: list[Happened] = []
    reader = EventReader(view.rpc, contracts_of(view.markets))
    reader.read(since, head.number, lambda found, _: happened.extend(found))
    states, unanswered = view.look(head)
    status = Status(head.number, head.timestamp, since, unanswered=unanswered)
    for state in states:
        requested = _requested(state, happened)
        status.markets.append(_market(view, state, requested, head))
        status.keepers += _keepers(view, state.info, happened, state.settled)
    return status


def percent(rate: int) -> str:
    """A share with 6 decimals as a person reads it."""
    return f"{decimal(rate) * 100:.2f} %"


def short(amount: int) -> Decimal:
    """An amount without zeros at the end."""
    return decimal(amount).normalize()


# -- Steps -----------------------------------------------------------------------------------------------------------


def _requested(state: MarketState, happened: Sequence[Happened]) -> list[int]:
    """Requested versions that are not committed, oldest first. The oldest is known whenever it was requested."""
    found = {
        each.values[0]
        for each in happened
        if each.name == "VersionRequested" and each.contract == state.info.oracle and each.values[0] > state.latest
    }
    return sorted(found | ({state.next} if state.next else set()))


def _market(view: KeeperView, state: MarketState, requested: Sequence[int], head: Head) -> MarketStatus:
    market, oracle = view.market(state.info), view.contract("IOracle", state.info.oracle)
    names = ("price", "fundingRate", "position", "payoff", "shortfall", "factory")
    answers = view.multicall.ask_all([market.query(name) for name in names])
    settled, funding, position, payoff, shortfall, factory = answers
    latest, _ = oracle.read("status")
    book = Book(maker=position[1], long=position[2], short=position[3])
    price = _price(view.contract("IPayoffProvider", payoff), latest, settled)
    return MarketStatus(
        market=state.info.name,
        price=price,
        age=head.timestamp - state.latest if state.latest else None,
        is_stale=not state.is_valid or head.timestamp >= state.stale_at,
        funding=funding,
        maker=book.maker,
        long=book.long,
        short=book.short,
        open_interest=(book.long + book.short) * abs(price) // UNIT,
        utilization=book.utilization(UNIT),
        waiting=len(requested),
        oldest=head.timestamp - requested[0] if requested else 0,
        unsettled=state.pending if state.settled < state.latest else 0,
        shortfall=shortfall,
        is_paused=view.contract("IMarketFactory", factory).read("paused"),
    )


def _price(payoff: Contract, latest: tuple[int, int, bool], settled: int) -> int:
    """The price of the oracle's latest version as the market would take it, else the last one that it has taken."""
    _, price, is_valid = latest
    if not is_valid:
        return settled
    if int(payoff.address, 16) == 0:
        return price
    try:
        return int(payoff.read("payoff", price))
    except UNANSWERED:
        return settled


def _keepers(view: KeeperView, info: MarketInfo, happened: Sequence[Happened], settled: int) -> list[KeeperStatus]:
    found: dict[str, KeeperStatus] = {}
    versions: dict[str, list[int]] = defaultdict(list)

    def of(keeper: str) -> KeeperStatus:
        return found.setdefault(keeper, KeeperStatus(keeper, info.name))

    for each in happened:
        values = each.values
        if each.name == "VersionCommitted" and each.contract == info.oracle and int(values[3], 16):
            of(values[3]).commits += 1
            versions[values[3]].append(values[0])
        elif each.name == "KeeperPaid" and values[0] == info.address:
            of(values[1]).settlement_fees += values[3]
        elif each.name == "Liquidated" and each.contract == info.address:
            of(values[1]).liquidations += 1
    for each in happened:
        if each.name == "Claimed" and each.contract == info.address and each.values[0] in found:
            of(each.values[0]).liquidation_fees += each.values[2]
    for keeper, status in found.items():
        status.balance = int(view.rpc.call("eth_getBalance", keeper, "latest"), 16)
        status.unclaimed = _unclaimed(view, info, keeper, [each for each in versions[keeper] if each <= settled])
    return list(found.values())


def _unclaimed(view: KeeperView, info: MarketInfo, keeper: str, versions: Sequence[int]) -> int:
    market, oracle = view.market(info), view.contract("IOracle", info.oracle)
    queries = [market.query("claimable", keeper)]
    for version in versions[-PAY_AT_ONCE:]:
        queries += [market.query("settlementFees", version), oracle.query("keeperOf", version)]
    credit, *answers = view.multicall.ask_all(queries)
    for fee, whose in zip(answers[::2], answers[1::2], strict=True):
        credit += fee if whose == keeper else 0
    return int(credit)
