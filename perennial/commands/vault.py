"""Commands for vaults: look, hand assets or shares in, claim what epochs have settled, move epochs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from perennial.commands.output import Listing
from perennial.commands.session import command

if TYPE_CHECKING:
    from perennial.client.results import Sent
    from perennial.client.vaults import Requested, VaultClaimed, VaultInfo
    from perennial.commands.session import Session

_VAULTS = {
    "vault": "name",
    "token": "token",
    "assets": "assets",
    "shares": "shares",
    "share price": "share_price",
    "epoch": "open_epoch",
    "pending epoch": "pending_epoch",
    "waiting deposits": "waiting_deposits",
    "waiting redemptions": "waiting_redemptions",
}
_HOLDINGS = {
    "vault": "vault",
    "shares": "shares",
    "value": "value",
    "waiting deposits": "waiting_deposits",
    "claimable shares": "claimable_shares",
    "waiting redemptions": "waiting_redemptions",
    "claimable assets": "claimable_assets",
}


@click.group("vault")
def vault() -> None:
    """Liquidity for several markets at once: requests are priced by epochs, and claimed when these have settled."""


@command("list", group=vault, examples=["vault list"])
def list_(session: Session) -> Listing:
    """Lists every vault with its assets and epochs."""
    return Listing([each.info() for each in session.protocol.vaults()], _VAULTS, "There are no vaults.")


@command("show", group=vault, examples=["vault show LP"])
@click.argument("name", metavar="VAULT")
def show(session: Session, name: str) -> VaultInfo:
    """Shows one vault, by name or address, with what it does in its markets."""
    return session.protocol.vault(name).info()


@command("holdings", group=vault, account="asks", examples=["vault holdings --account 2"])
def holdings(session: Session) -> Listing:
    """Lists what an account has in vaults: shares, requests that wait, what can be claimed."""
    who = session.address
    found = [each.holding(who) for each in session.protocol.vaults()]
    return Listing([each for each in found if not each.is_empty], _HOLDINGS, "The account has nothing in any vault.")


@command("deposit", group=vault, account="signs", approves=True, examples=["vault deposit LP 1000 --account 2"])
@click.argument("name", metavar="VAULT")
@click.argument("assets", metavar="AMOUNT")
def deposit(session: Session, name: str, assets: str) -> Requested:
    """Hands assets in: they become shares when the epoch has been closed and settled (then: vault claim)."""
    return session.protocol.vault(name).deposit(session.signer, assets)


@command(
    "redeem",
    group=vault,
    account="signs",
    examples=["vault redeem LP 500 --account 2", "vault redeem LP all --account 2"],
)
@click.argument("name", metavar="VAULT")
@click.argument("shares", metavar="SHARES")
def redeem(session: Session, name: str, shares: str) -> Requested:
    """Hands shares in, or "all": they become assets when the epoch has been closed and settled (then: vault claim)."""
    return session.protocol.vault(name).redeem(session.signer, shares)


@command("claim", group=vault, account="signs", examples=["vault claim LP --account 2"])
@click.argument("name", metavar="VAULT")
def claim(session: Session, name: str) -> VaultClaimed:
    """Claims shares of deposits and assets of redemptions whose epochs have settled."""
    return session.protocol.vault(name).claim(session.signer)


@command("close-epoch", group=vault, account="signs", examples=["vault close-epoch LP --account 2"])
@click.argument("name", metavar="VAULT")
def close_epoch(session: Session, name: str) -> Sent:
    """Closes the open epoch, which orders in the vault's markets; keepers do that too."""
    return session.protocol.vault(name).close_epoch(session.signer)


@command("settle", group=vault, account="signs", examples=["vault settle LP --account 2"])
@click.argument("name", metavar="VAULT")
def settle(session: Session, name: str) -> Sent:
    """Settles the pending epoch, once the markets have settled past its orders; keepers do that too."""
    return session.protocol.vault(name).settle(session.signer)


@command("rebalance", group=vault, account="signs", examples=["vault rebalance LP --account 2"])
@click.argument("name", metavar="VAULT")
def rebalance(session: Session, name: str) -> Sent:
    """Brings markets that are off their targets back to them; keepers do that too."""
    return session.protocol.vault(name).rebalance(session.signer)
