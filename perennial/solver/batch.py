"""Picks the deals that pay for their gas and fit into a transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.amounts import ONE, decimal
from perennial.solver.orders import Cross, Deal, Fill, Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennial.intents import Intent

WEI = 10**18


@dataclass(frozen=True, slots=True)
class Terms:
    """What a deal earns and costs. Shares and prices have 6 decimals, prices are USD."""

    price: int
    """Latest price of the market."""
    taker_fee: int
    """Share of the notional that a signer pays."""
    referral_fee: int
    """Share of that which goes to the originator and its solver."""
    earner: str
    """The address that earns as a solver, or as an originator."""
    gas_price: int = 0
    """Wei for a unit of gas."""
    ether_price: int = 0
    """USD for an ether."""
    posting: int = 0
    """Wei for a deal's part of what a rollup takes beyond gas."""

    def credit(self, intent: Intent, size: int) -> int:
        """What the earner is credited of a signer's fee (docs/protocol.md §9.4), rounded down."""
        if intent.originator == "0x" + "0" * 40:
            return 0
        referral = size * abs(self.price) * self.taker_fee * self.referral_fee // ONE**3
        share = referral * intent.fee // ONE
        earned = share if intent.solver == self.earner else 0
        return earned + (referral - share if intent.originator == self.earner else 0)

    def value(self, deal: Deal) -> int:
        """What a deal earns before gas."""
        if isinstance(deal, Cross):
            return self.credit(deal.a.intent, deal.size) + self.credit(deal.b.intent, deal.size)
        edge = (deal.price - self.price) if deal.order.buys else (self.price - deal.price)
        return edge * deal.size // ONE + self.credit(deal.order.intent, deal.size)

    def cost(self, gas: int, deals: int = 0) -> int:
        """What gas, and posting so many deals, cost; rounded up."""
        return -(-(gas * self.gas_price + deals * self.posting) * self.ether_price // WEI)


@dataclass(frozen=True, slots=True)
class Gas:
    """What is reckoned with; a transaction is given this much."""

    base: int = 100_000
    """Of a batch, apart from its deals."""
    fill: int = 260_000
    """Of a fill that was not tried."""
    cross: int = 320_000
    """Of a cross that was not tried."""
    most: int = 1_000_000
    """Of a deal: one that takes more is left alone. Contract wallets may ask for any amount."""
    limit: int = 14_000_000
    """Of a transaction."""

    def of(self, deal: Deal) -> int:
        """What a deal takes: a quarter more than where it was tried, since the market may have more to settle then."""
        if deal.gas is not None:
            return deal.gas * 5 // 4
        return self.fill if isinstance(deal, Fill) else self.cross


@dataclass(frozen=True, slots=True)
class Batch:
    """Deals of one kind for one transaction, in their order; `profit` after gas."""

    deals: tuple[Deal, ...]
    gas: int
    profit: int


def choose(
    deals: Sequence[Deal], terms: Terms, gas: Gas, least: int | None = None
) -> tuple[Batch | None, list[Skipped]]:
    """The most profitable deals that fit into a transaction, in the order given; the others with the reason.

    `least` is what a deal and the batch must each earn after gas, USD with 6 decimals; None to make every deal. There
    is one deal at most that a contract wallet has signed, at the end: its code can burn what is left, not what others
    need.
    """
    net = [(terms.value(deal) - terms.cost(gas.of(deal), 1), index) for index, deal in enumerate(deals)]
    skipped: list[Skipped] = []
    worth: list[tuple[int, int]] = []
    for profit, index in net:
        if least is not None and profit < least:
            skipped += _skip(deals[index], f"it would earn {decimal(profit)} after gas")
        else:
            worth.append((profit, index))

    room, kept, has_wallet = gas.limit - gas.base, [], False
    # The best first, of equals the earlier.
    for profit, index in sorted(worth, key=lambda pair: (-pair[0], pair[1])):
        if gas.of(deals[index]) > room:
            skipped += _skip(deals[index], "the batch is full; the next one may have it")
            continue
        if not deals[index].by_keys:
            if has_wallet:
                skipped += _skip(deals[index], "a batch has one deal of a contract wallet; the next one may have it")
                continue
            has_wallet = True
        room -= gas.of(deals[index])
        kept.append((index, profit))
    if not kept:
        return None, skipped
    total = sum(profit for _, profit in kept) - terms.cost(gas.base)
    if least is not None and total < least:
        reason = f"the batch of {len(kept)} would earn {decimal(total)} after gas"
        return None, skipped + [each for index, _ in kept for each in _skip(deals[index], reason)]
    in_order = sorted(kept, key=lambda pair: (not deals[pair[0]].by_keys, pair[0]))
    chosen = tuple(deals[index] for index, _ in in_order)
    return Batch(chosen, gas.limit - room, total), skipped


def _skip(deal: Deal, reason: str) -> list[Skipped]:
    return [Skipped(digest, reason) for digest in deal.hashes]
