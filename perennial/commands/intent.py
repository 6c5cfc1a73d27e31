"""Commands for intents: post a signed order to a relay, look at what is open, fill, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from perennial.client.intents import at_relay
from perennial.commands.output import Listing
from perennial.commands.session import command
from perennial.shell import Group

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennial.client.intents import Filled, SignedIntent
    from perennial.client.results import Sent
    from perennial.commands.session import Session

_COLUMNS = {
    "hash": "hash",
    "side": "side",
    "size": "size",
    "remaining": "remaining",
    "price": "price",
    "expiry": "expiry",
    "nonce": "nonce",
    "status": "status",
}


@click.group("intent", cls=Group)
def intent() -> None:
    """Signed orders at a price: posted to a relay without gas, filled by whoever takes the other side."""


def _relay(function: Callable[..., Any]) -> Callable[..., Any]:
    option = click.option(
        "--relay", envvar="PERENNIAL_RELAY", help="Address of a relay; that of the network's manifest if missing."
    )
    return option(function)


@command(
    "post",
    group=intent,
    account="signs",
    examples=[
        "intent post BTC-USD long --size 0.5 --price 60000 --account 2",
        "intent post BTC-USD short --usd 5000 --price 61000 --expiry 2d --account 2",
    ],
)
@click.argument("name", metavar="MARKET")
@click.argument("side", type=click.Choice(["long", "short"]))
@click.option("--size", help="Size in units.")
@click.option("--usd", help="Size in USD, in units at --price.")
@click.option("--price", required=True, help="Worst price to accept.")
@click.option("--expiry", default="1h", show_default=True, help="Until when it counts: 36h, 7d, 2026-12-24.")
@click.option("--for", "of", help="Whose account, where the signer is approved to sign for it.")
@_relay
def post(
    session: Session,
    name: str,
    side: str,
    size: str | None,
    usd: str | None,
    price: str,
    expiry: str,
    of: str | None,
    relay: str | None,
) -> SignedIntent:
    """Signs an intent and posts it to a relay. No gas, and no tokens move before it is filled."""
    intents, signer = session.market(name).intents, session.signer
    options = {} if of is None else {"signer": signer.address}
    built = intents.build(signer if of is None else of, side, size, price=price, usd=usd, expiry=expiry, **options)
    return intents.post(built, intents.sign(built, signer), relay, estimated=usd is not None)


@command("list", group=intent, examples=["intent list BTC-USD"])
@click.argument("name", metavar="MARKET")
@_relay
def list_(session: Session, name: str, relay: str | None) -> Listing:
    """Lists what is open in a market at a relay."""
    return Listing(session.market(name).intents.open(relay), _COLUMNS, "No intents are open.")


@command("show", group=intent, examples=["intent show 0x…"])
@click.argument("digest", metavar="HASH")
@_relay
def show(session: Session, digest: str, relay: str | None) -> SignedIntent:
    """Shows an intent at a relay by its hash."""
    return at_relay(session.protocol, digest, relay).get(digest, relay)


@command("fill", group=intent, account="signs", examples=["intent fill 0x… --size 0.2 --account 3"])
@click.argument("digest", metavar="HASH")
@click.option("--size", help="Size in units; all that remains where none is given.")
@click.option("--for", "of", help="Whose account, where the signer is its operator.")
@_relay
def fill(session: Session, digest: str, size: str | None, of: str | None, relay: str | None) -> Filled:
    """Takes the other side of an intent at its price. The account needs margin in the market."""
    return at_relay(session.protocol, digest, relay).fill(session.signer, digest, relay, size, of=of)


@command(
    "cancel",
    group=intent,
    account="signs",
    examples=["intent cancel 0x… --account 2", "intent cancel 0x… --on-chain --account 2"],
)
@click.argument("digest", metavar="HASH")
@click.option("--on-chain", is_flag=True, help="By a transaction, which binds everybody, and not by a message.")
@_relay
def cancel(session: Session, digest: str, on_chain: bool, relay: str | None) -> Sent:
    """Cancels an intent, with all others of the same nonce: the account's own, or of one that it may sign for.

    A message to the relay costs no gas and takes it off its book, but who has kept the intent can still fill it until
    somebody brings the message to the chain; --on-chain makes sure.
    """
    intents = at_relay(session.protocol, digest, relay)
    found = intents.get(digest, relay)
    where = None if on_chain else session.protocol.relay_at(relay)
    return intents.cancel(session.signer, int(found.nonce), relay=where, of=found.account)
