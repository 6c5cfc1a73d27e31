"""Commands that ask: markets, a market, a quote, positions, orders, a history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from perennial.client import InputError
from perennial.commands.output import Listing
from perennial.commands.session import command

if TYPE_CHECKING:
    from perennial.client.results import MarketInfo, Quote
    from perennial.commands.session import Session

SIDES = click.Choice(["long", "short", "maker"])

_MARKETS = {
    "market": "name",
    "token": "token",
    "price": "price",
    "maker": "maker",
    "long": "long",
    "short": "short",
    "skew": "skew",
    "funding a year": "funding_rate",
    "interest a year": "interest_rate",
    "waiting": "versions_waiting",
    "tradable": "tradable",
    "because": "reason",
}
_POSITIONS = {
    "market": "market",
    "side": "side",
    "size": "size",
    "pending side": "pending_side",
    "pending size": "pending_size",
    "value": "value",
    "price": "price",
    "collateral": "collateral",
    "maintenance": "maintenance",
    "leverage": "leverage",
    "liquidated below": "liquidation_below",
    "liquidated above": "liquidation_above",
    "claimable": "claimable",
    "rewards": "rewards",
}
_ORDERS = {
    "market": "market",
    "kind": "kind",
    "side": "side",
    "opens": "opened",
    "closes": "closed",
    "version": "version",
    "state": "state",
    "because": "reason",
    "price": "price",
    "fee": "fee",
    "settlement fee": "settlement_fee",
}
_ENTRIES = {
    "time": "time",
    "kind": "kind",
    "what": "note",
    "amount": "amount",
    "pnl": "pnl",
    "guarantees": "guarantees",
    "funding": "funding",
    "interest": "interest",
    "maker fees": "maker_fees",
    "position fee": "position_fee",
    "settlement fee": "settlement_fee",
    "liquidation fee": "liquidation_fee",
    "collateral": "collateral",
    "size": "size",
}


@command("markets", examples=["markets", "markets --network base-sepolia --rpc https://sepolia.base.org --json"])
def markets(session: Session) -> Listing:
    """Lists every market with its price, sizes and rates, as if settled now."""
    found = [market.info() for market in session.protocol.markets()]
    return Listing(found, _MARKETS, "There are no markets.")


@command("market", examples=["market BTC-USD"])
@click.argument("name")
def market(session: Session, name: str) -> MarketInfo:
    """Shows one market, by name or address: price, sizes, rates, fees, margins."""
    return session.market(name).info()


@command(
    "quote",
    account="asks",
    examples=[
        "quote BTC-USD long --size 0.5 --collateral 1000",
        "quote BTC-USD short --usd 20000 --collateral 1000 --until 7d --account 2",
        "quote BTC-USD long --close --account 2",
    ],
)
@click.argument("name", metavar="MARKET")
@click.argument("side", type=SIDES)
@click.option("--size", help="Size in units.")
@click.option("--usd", help="Size in USD: an estimate in units at the latest price.")
@click.option("--collateral", help="Deposited with the order.")
@click.option("--close", is_flag=True, help="Of closing --size of the account's position, or all of it.")
@click.option("--until", default="1d", show_default=True, help="Funding and interest until then: 36h, 7d, 2026-12-24.")
def quote(
    session: Session,
    name: str,
    side: str,
    size: str | None,
    usd: str | None,
    collateral: str | None,
    close: bool,
    until: str,
) -> Quote:
    """Says what an order would do and cost; nothing is sent.

    Fees at the latest price, the market's skew before and after, where the account would be liquidated, funding and
    interest until a date. Without --account it is for somebody with collateral enough.
    """
    if close and session.account is None:
        raise InputError("whose position? --close needs --account")
    who = None if session.account is None else session.address
    return session.market(name).quote(side, size, usd=usd, collateral=collateral, account=who, close=close, until=until)


@command("positions", account="asks", examples=["positions --account 2", "positions --account 0x… --json"])
def positions(session: Session) -> Listing:
    """Lists what an account has in every market, as if settled now."""
    return Listing(session.protocol.positions(session.address), _POSITIONS, "The account has nothing in any market.")


@command("orders", account="asks", examples=["orders --account 2", "orders BTC-USD --account 2 --json"])
@click.argument("name", metavar="[MARKET]", required=False)
@click.option("--since", type=int, help="First block to look at.")
def orders(session: Session, name: str | None, since: int | None) -> Listing:
    """Lists an account's orders and what became of them, in one market or all.

    waiting: no price has come for its version; priced: it settles with the next call; settled; cancelled, and why.
    """
    who = session.address
    within = session.protocol.markets() if name is None else [session.market(name)]
    found = [order for each in within for order in each.orders(who, since)]
    return Listing(found, _ORDERS, "The account has placed no orders.")


@command("history", account="asks", examples=["history BTC-USD --account 2", "history BTC-USD --account 2 --json"])
@click.argument("name", metavar="MARKET")
@click.option("--since", type=int, help="First block to show; the totals are over all.")
def history(session: Session, name: str, since: int | None) -> Listing:
    """Shows every change of an account's collateral in a market, and what made it: the totals sum to the collateral.

    As of the account's last settlement on chain. It reads all events of the market.
    """
    found = session.market(name).history(session.address, since)
    return Listing(found.entries, _ENTRIES, "Nothing has happened.", whole=found, below=found.totals)
