"""Commands for vaults: look, request, claim, turn epochs, ask what if, make one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from perennial.client import InputError
from perennial.commands.output import Listing
from perennial.commands.session import command
from perennial.shell import Group
from perennial.vaults import Definition

if TYPE_CHECKING:
    from perennial.client.results import Sent
    from perennial.commands.output import Answer
    from perennial.commands.session import Session
    from perennial.vaults.results import Apy, Closed, Created, Recalled, Requested, Settled, VaultClaimed

_VAULTS = {
    "vault": "name",
    "token": "token",
    "share price": "share_price",
    "assets": "total_assets",
    "shares": "total_shares",
    "idle": "idle",
    "deposits waiting": "waiting_deposits",
    "redemptions waiting": "waiting_redemptions",
    "epoch": "open_epoch",
    "closed epoch": "closed_epoch",
}
_ALLOCATION = {
    "market": "market",
    "part": "part",
    "collateral": "collateral",
    "target": "target_collateral",
    "size": "size",
    "with orders": "pending_size",
    "target size": "target_size",
    "leverage": "leverage",
    "target leverage": "target_leverage",
    "price": "price",
    "note": "note",
}
_REQUESTS = {"kind": "kind", "epoch": "epoch", "amount": "amount", "status": "status"}
_HOLDINGS = {
    "vault": "vault",
    "shares": "shares",
    "worth": "worth",
    "waiting deposits": "waiting_deposits",
    "claimable shares": "claimable_shares",
    "waiting redemptions": "waiting_redemptions",
    "claimable assets": "claimable_assets",
}
_PRICES = {
    "epoch": "epoch",
    "time": "time",
    "share price": "share_price",
    "assets": "assets",
    "shares minted": "minted",
    "paid": "paid",
    "given back": "unfilled",
}


@click.group("vault", cls=Group)
def vault() -> None:
    """Vaults: maker liquidity over several markets, in shares.

    A deposit or a redemption is a request that joins the open epoch. Anyone closes the epoch, which orders in the
    markets, and settles it once their prices have come; then shares or tokens are claimed.
    """


# -- Questions ---------------------------------------------------------------------------------------------------------


@command("list", group=vault, examples=["vault list", "vault list --network base-sepolia --json"])
def list_(session: Session) -> Listing:
    """Lists every vault with its price of a share and its assets."""
    return Listing([each.info() for each in session.protocol.vaults()], _VAULTS, "There are no vaults.")


@command("show", group=vault, examples=["vault show LP"])
@click.argument("name", metavar="VAULT")
def show(session: Session, name: str) -> Listing:
    """Shows one vault: assets, price of a share, each market with what it has and what it should have."""
    info = session.protocol.vault(name).info()
    return Listing(info.markets, _ALLOCATION, "The vault has no markets.", whole=info, below=info.without_markets())


@command("status", group=vault, account="asks", examples=["vault status LP --account 2"])
@click.argument("name", metavar="VAULT")
def status(session: Session, name: str) -> Listing:
    """Says what an account has, what each of its requests waits for, and what can be claimed."""
    found = session.protocol.vault(name).requests(session.address)
    below = found.without_requests()
    return Listing(found.requests, _REQUESTS, "There are no requests.", whole=found, below=below)


@command("holdings", group=vault, account="asks", examples=["vault holdings --account 2"])
def holdings(session: Session) -> Listing:
    """Lists what an account has in every vault: shares, requests that wait, what can be claimed."""
    who = session.address
    found = [each.holding(who) for each in session.protocol.vaults()]
    return Listing([each for each in found if not each.is_empty], _HOLDINGS, "The account has nothing in any vault.")


@command("prices", group=vault, examples=["vault prices LP"])
@click.argument("name", metavar="VAULT")
@click.option("--since", type=int, help="First block to look at.")
def prices(session: Session, name: str, since: int | None) -> Listing:
    """Lists the epochs that have settled, with the price of a share at each."""
    return Listing(session.protocol.vault(name).prices(since), _PRICES, "No epoch has settled.")


@command("apy", group=vault, examples=["vault apy LP --since 30d", "vault apy LP --since 2026-01-01"])
@click.argument("name", metavar="VAULT")
@click.option("--since", default="30d", show_default=True, help="A span up to now (36h, 30d) or a date (2026-01-01).")
def apy(session: Session, name: str, since: str) -> Apy:
    """Says how the price of a share has grown, between settled epochs, and what that comes to in a year."""
    return session.protocol.vault(name).apy(since)


@command(
    "what-if",
    group=vault,
    examples=[
        "vault what-if LP --deposit 1000",
        "vault what-if LP --price -10",
        "vault what-if LP --price 5 --market BTC-USD",
    ],
)
@click.argument("name", metavar="VAULT")
@click.option("--deposit", help="What a deposit of so much would get at the latest prices.")
@click.option("--price", help="What a move of prices by so many percent does to the price of a share.")
@click.option("--market", help="With --price: of this market alone.")
def what_if(session: Session, name: str, deposit: str | None, price: str | None, market: str | None) -> Answer:
    """Says what would happen, by the contracts' own integers; nothing is sent."""
    if (deposit is None) == (price is None):
        raise InputError("give --deposit or --price")
    if deposit is not None and market is not None:
        raise InputError("--market goes with --price")
    found = session.protocol.vault(name)
    return found.what_if_price(price or "", market) if deposit is None else found.what_if_deposit(deposit)


# -- Depositors --------------------------------------------------------------------------------------------------------


@command("deposit", group=vault, account="signs", approves=True, examples=["vault deposit LP 1000 --account 2"])
@click.argument("name", metavar="VAULT")
@click.argument("assets", metavar="AMOUNT")
@click.option("--for", "of", help="Who gets the shares, where it is not the signer.")
def deposit(session: Session, name: str, assets: str, of: str | None) -> Requested:
    """Requests a deposit: AMOUNT of the vault's token joins the open epoch."""
    return session.protocol.vault(name).deposit(session.signer, assets, of=of)


@command(
    "redeem",
    group=vault,
    account="signs",
    examples=["vault redeem LP 250 --account 2", "vault redeem LP all --account 2"],
)
@click.argument("name", metavar="VAULT")
@click.argument("shares", metavar="SHARES")
@click.option("--for", "of", help="Whose shares, where the signer is its operator.")
def redeem(session: Session, name: str, shares: str, of: str | None) -> Requested:
    """Requests a redemption: SHARES, or "all" that the account holds, join the open epoch."""
    return session.protocol.vault(name).redeem(session.signer, shares, of=of)


@command("recall", group=vault, account="signs", examples=["vault recall LP --account 2"])
@click.argument("name", metavar="VAULT")
@click.option("--receiver", help="Who gets the tokens; the signer where nobody is named.")
@click.option("--for", "of", help="Whose deposit, where the signer is the account's operator.")
def recall(session: Session, name: str, receiver: str | None, of: str | None) -> Recalled:
    """Takes a deposit back whose epoch is still open for deposits: all of it."""
    return session.protocol.vault(name).recall(session.signer, of=of, receiver=receiver)


@command("claim", group=vault, account="signs", examples=["vault claim LP --account 2"])
@click.argument("name", metavar="VAULT")
@click.option("--receiver", help="Who gets it; the signer where nobody is named.")
@click.option("--for", "of", help="Whose requests, where the signer is the account's operator.")
def claim(session: Session, name: str, receiver: str | None, of: str | None) -> VaultClaimed:
    """Claims whatever can be claimed: shares, tokens, and what stuck markets have returned."""
    return session.protocol.vault(name).claim(session.signer, of=of, receiver=receiver)


# -- Epochs ------------------------------------------------------------------------------------------------------------


@command("close", group=vault, account="signs", examples=["vault close LP --account 0"])
@click.argument("name", metavar="VAULT")
def close(session: Session, name: str) -> Closed:
    """Closes the open epoch, which anyone may: places the orders that its requests need."""
    return session.protocol.vault(name).close_epoch(session.signer)


@command("settle", group=vault, account="signs", examples=["vault settle LP --account 0"])
@click.argument("name", metavar="VAULT")
def settle(session: Session, name: str) -> Settled:
    """Settles the closed epoch, which anyone may once the prices that it waits for have come."""
    return session.protocol.vault(name).settle(session.signer)


@command("rebalance", group=vault, account="signs", examples=["vault rebalance LP --account 0"])
@click.argument("name", metavar="VAULT")
def rebalance(session: Session, name: str) -> Closed:
    """Orders in markets that are off their target by more than the tolerance; anyone may."""
    return session.protocol.vault(name).rebalance(session.signer)


# -- Coordinators ------------------------------------------------------------------------------------------------------


@command("create", group=vault, account="signs", examples=["vault create lp.json --account 1"])
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--save", "name", help="Name under which it goes into the network's manifest, if that is a file of yours."
)
def create(session: Session, path: Path, name: str | None) -> Created:
    """Makes a vault from a parameter file, and registers its markets. The signer becomes its coordinator.

    FILE is JSON: asset, name, symbol, and where wanted minDeposit, depositCap, profitShare, tolerance, and markets, a
    list of market, weight, leverage; numbers are text, weights are not.
    """
    definition = Definition.load(path)
    made = session.protocol.create_vault(session.signer, definition)
    if name is not None:
        session.protocol.vault(made.address).save(session.network, name)
    return made


@command(
    "register", group=vault, account="signs", examples=["vault register LP ETH-USD --weight 1 --leverage 2 --account 1"]
)
@click.argument("name", metavar="VAULT")
@click.argument("market", metavar="MARKET")
@click.option(
    "--weight", type=click.IntRange(0, 2**32 - 1), required=True, help="Part of the assets, relative to all weights."
)
@click.option("--leverage", required=True, help="Notional by collateral.")
def register(session: Session, name: str, market: str, weight: int, leverage: str) -> Sent:
    """Adds a market to a vault, or changes its weight and leverage; weight 0 winds it down. Coordinator."""
    return session.protocol.vault(name).register(session.signer, market, weight, leverage)


@command("unregister", group=vault, account="signs", examples=["vault unregister LP ETH-USD --account 1"])
@click.argument("name", metavar="VAULT")
@click.argument("market", metavar="MARKET")
def unregister(session: Session, name: str, market: str) -> Sent:
    """Removes a market that the vault has left. Coordinator."""
    return session.protocol.vault(name).unregister(session.signer, market)
