"""What a devnet says of itself when it is up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from perennial.devnet.accounts import MNEMONIC
from perennial.devnet.markets import MARKETS, TOKENS, summary

if TYPE_CHECKING:
    from perennial.devnet.devnet import Devnet


def greet(up: Devnet) -> None:
    """Addresses, accounts, ports, and what to try."""
    console = Console(highlight=False, soft_wrap=True)
    services = Table("service", "address", box=None, title="The devnet is up", title_justify="left")
    for name, address in (("node", up.node), ("prices", up.prices), ("relay", up.relay), ("manifest", str(up.file))):
        services.add_row(name, address or "none")
    console.print(services)

    markets = Table("market", "price", "token", "address", box=None)
    for plan in MARKETS:
        words = summary(plan)
        markets.add_row(words["market"], words["price"], words["token"], up.manifest.markets[plan.name].address)
    for symbol, vault in up.manifest.vaults.items():
        markets.add_row(f"vault {symbol}", "", "", vault.address)
    console.print(markets)

    gifts = ", ".join(f"{plan.gift:,} {plan.symbol}" for plan in TOKENS)
    accounts = Table("account", "address", box=None)
    for index, address in enumerate(up.stage.cast.users):
        accounts.add_row(
            str(index),
            address + (" (deploys, proposes, pauses)" if index == 0 else ""),
        )
    console.print(accounts)
    console.print(f"Each has {gifts}, approved, and ether. Keys: mnemonic “{MNEMONIC}”.")
    where = f"--network devnet:{up.port}"
    console.print(
        f"""
Try, in another shell (after . .venv/bin/activate):
  perennial status {where}
  perennial open BTC-USD long --size 0.5 --collateral 1000 --account 1 {where}
  perennial positions --account 1 {where}
  perennial devnet move BTC-USD 15000 {where}
Ctrl-C ends it and leaves nothing behind.""",
        markup=False,
    )
