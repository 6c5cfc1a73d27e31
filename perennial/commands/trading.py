"""Commands that trade: open, close, reduce, deposit, withdraw, claim, settle, liquidate.

Each is one transaction, or two where tokens have to be approved.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from perennial.client import OrderState
from perennial.commands.output import Answer, Listing
from perennial.commands.questions import SIDES
from perennial.commands.session import command
from perennial.shell import REFUSED, SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennial.client import Market
    from perennial.client.results import Claimed, Moved, Placed, Sent
    from perennial.commands.session import Session


def _order(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of all orders."""
    options = (
        click.option("--referrer", help="Who gets the referral share of the fee."),
        click.option("--for", "of", help="Whose account, where the signer is its operator."),
        click.option("--wait", is_flag=True, help="Wait until the order has settled or was cancelled; say which."),
        click.option("--timeout", default=300.0, type=SECONDS, show_default=True, help="Seconds to wait."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@command(
    "open",
    account="signs",
    approves=True,
    examples=[
        "open BTC-USD long --size 0.5 --collateral 1000 --account 2 --wait",
        "open BTC-USD short --usd 20000 --collateral 1000 --account 2",
        "open BTC-USD maker --size 5 --collateral 20000 --account 3",
    ],
)
@click.argument("name", metavar="MARKET")
@click.argument("side", type=SIDES)
@click.option("--size", help="Size in units.")
@click.option("--usd", help="Size in USD: an estimate in units at the latest price.")
@click.option("--collateral", help="Deposited with the order.")
@_order
def open_(
    session: Session,
    name: str,
    side: str,
    size: str | None,
    usd: str | None,
    collateral: str | None,
    referrer: str | None,
    of: str | None,
    wait: bool,
    timeout: float,
) -> Answer:
    """Opens a long, a short or a maker position, or adds to it.

    The order settles at the next price that nobody can know yet; until then it waits (see `perennial orders`).
    """
    market, signer = session.market(name), session.signer
    placed = market.open(signer, side, size, usd=usd, collateral=collateral, referrer=referrer, of=of)
    return _settled(market, placed, signer, timeout) if wait else placed


@command("close", account="signs", examples=["close BTC-USD --account 2 --wait"])
@click.argument("name", metavar="MARKET")
@_order
def close(session: Session, name: str, referrer: str | None, of: str | None, wait: bool, timeout: float) -> Answer:
    """Closes all of a position that may be closed. Collateral stays: withdraw it when the order has settled."""
    market, signer = session.market(name), session.signer
    placed = market.close(signer, referrer=referrer, of=of)
    return _settled(market, placed, signer, timeout) if wait else placed


@command(
    "reduce",
    account="signs",
    examples=["reduce BTC-USD --size 0.2 --account 2", "reduce BTC-USD --usd 5000 --account 2 --wait"],
)
@click.argument("name", metavar="MARKET")
@click.option("--size", help="Size in units.")
@click.option("--usd", help="Size in USD: an estimate in units at the latest price.")
@_order
def reduce(
    session: Session,
    name: str,
    size: str | None,
    usd: str | None,
    referrer: str | None,
    of: str | None,
    wait: bool,
    timeout: float,
) -> Answer:
    """Closes a part of a position."""
    market, signer = session.market(name), session.signer
    placed = market.reduce(signer, size, usd=usd, referrer=referrer, of=of)
    return _settled(market, placed, signer, timeout) if wait else placed


@command(
    "deposit",
    account="signs",
    approves=True,
    examples=["deposit BTC-USD 1000 --account 2", "deposit BTC-USD 1000 --account 2 --for 0x…"],
)
@click.argument("name", metavar="MARKET")
@click.argument("collateral", metavar="AMOUNT")
@click.option("--for", "of", help="Whose account, where it is not the signer's.")
def deposit(session: Session, name: str, collateral: str, of: str | None) -> Moved:
    """Deposits collateral: exactly AMOUNT is approved to the market where it may not take it yet."""
    return session.market(name).deposit(session.signer, collateral, of=of)


@command("withdraw", account="signs", examples=["withdraw BTC-USD 250 --account 2", "withdraw BTC-USD all --account 2"])
@click.argument("name", metavar="MARKET")
@click.argument("collateral", metavar="AMOUNT")
@click.option("--for", "of", help="Whose account, where the signer is its operator, who gets the tokens.")
def withdraw(session: Session, name: str, collateral: str, of: str | None) -> Moved:
    """Withdraws collateral: AMOUNT, or "all", the most that the market accepts, which may be nothing."""
    return session.market(name).withdraw(session.signer, collateral, of=of)


@command("claim", account="signs", examples=["claim BTC-USD --account 2"])
@click.argument("name", metavar="MARKET")
@click.option("--receiver", help="Who gets the tokens; the signer where nobody is named.")
@click.option("--for", "of", help="Whose credits, where the signer is the account's operator.")
def claim(session: Session, name: str, receiver: str | None, of: str | None) -> Claimed:
    """Claims credits of referrals, intents and liquidations, and rewards."""
    return session.market(name).claim(session.signer, receiver=receiver, of=of)


@command("settle", account="signs", examples=["settle BTC-USD --account 2"])
@click.argument("name", metavar="MARKET")
@click.option("--for", "of", help="Whose account; anyone may settle any.")
def settle(session: Session, name: str, of: str | None) -> Sent:
    """Settles an account on chain up to the latest price; keepers do that too."""
    return session.market(name).settle(session.signer, of=of)


@command("liquidate", account="signs", examples=["liquidate BTC-USD 0x… --account 3"])
@click.argument("name", metavar="MARKET")
@click.argument("whom", metavar="ACCOUNT")
def liquidate(session: Session, name: str, whom: str) -> Sent:
    """Liquidates an account that is below its maintenance; the signer earns the fee. Keepers do that too."""
    return session.market(name).liquidate(session.signer, whom)


def _settled(market: Market, placed: Placed, signer: Any, timeout: float) -> Answer:
    """What became of an order; one that was cancelled did not do what was asked for."""
    order = market.wait(placed, timeout=timeout, settle=signer)
    columns = {"kind": "kind", "side": "side", "opens": "opened", "closes": "closed", "state": "state"}
    columns |= {"because": "reason", "price": "price", "fee": "fee", "settlement fee": "settlement_fee"}
    code = REFUSED if order.state == OrderState.CANCELLED else 0
    said = "price and fees here are of the moment when it was placed; what it came to is above"
    below = replace(placed, note="; ".join(each for each in (placed.note, said) if each))
    return Listing([order], columns, "", whole=order, below=below, code=code)
