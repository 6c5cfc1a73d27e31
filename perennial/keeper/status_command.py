"""The command that shows a protocol at work."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import click

from perennial.keeper.where import locate

WIDTH = 200

if TYPE_CHECKING:
    from rich.console import RenderableType

    from perennial.keeper.status import Status


@click.command("status", context_settings={"show_default": True})
@click.option("--network", envvar="PERENNIAL_NETWORK", help="devnet, devnet:PORT, base-sepolia, or a manifest's path.")
@click.option("--node", "--rpc", "node", envvar="PERENNIAL_NODE", help="Ethereum node; a devnet's is known.")
@click.option("--market", "markets", multiple=True, help="Market by name, or NAME=ADDRESS; several. All if missing.")
@click.option("--blocks", default=10_000, help="Newest blocks in which keepers' work is counted; 0 for all.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output, and nothing else there.")
@click.option("--watch", is_flag=True, help="Again and again, until Ctrl-C.")
@click.option("--interval", default=2.0, help="Seconds between looks, with --watch.")
def status(
    network: str | None,
    node: str | None,
    markets: tuple[str, ...],
    blocks: int,
    as_json: bool,
    watch: bool,
    interval: float,
) -> None:
    r"""Shows markets, funding, open interest, what waits for a price and for how long, and what keepers earn.

    \b
    Examples:
      perennial status
      perennial status --watch
      perennial status --network base-sepolia --node https://sepolia.base.org --json
    """
    # Here, since they take a second to import.
    from perennial.abi import Reverted
    from perennial.chain import NodeError
    from perennial.keeper.setup import NOBODY
    from perennial.keeper.status import status_of
    from perennial.keeper.view import KeeperView
    from perennial.relay.rpc import LastingRpc

    where = locate(network, node, markets, None)
    try:
        with LastingRpc(where.node) as rpc:
            view = KeeperView(rpc, where.markets, NOBODY)

            def look() -> Status:
                return status_of(view, where.start, blocks or None)

            if not watch:
                _show(look(), as_json=as_json)
                return
            while True:
                click.clear()
                _show(look(), as_json=as_json)
                time.sleep(interval)
    except KeyboardInterrupt:
        return
    except (NodeError, Reverted) as error:
        raise click.ClickException(str(error)) from error


def _show(found: Status, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=None))
        return
    from rich.console import Console

    # In a pipe nobody says how many columns there are.
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    for part in tables(found):
        console.print(part)


def tables(found: Status) -> list[RenderableType]:
    """What a person sees."""
    from rich.table import Table

    from perennial.keeper.status import percent, short

    markets = Table(box=None, title=f"block {found.block}", title_justify="left")
    for name in (
        "market",
        "price",
        "age",
        "funding/year",
        "maker",
        "long",
        "short",
        "utilization",
        "waiting",
        "oldest",
    ):
        markets.add_column(name, justify="left" if name == "market" else "right")
    for each in found.markets:
        age = "no price yet" if each.age is None else f"{each.age} s{' stale' if each.is_stale else ''}"
        waits = f"{each.waiting}" + (f" (+{each.unsettled} unsettled)" if each.unsettled else "")
        markets.add_row(
            each.market,
            f"{short(each.price):f}",
            age,
            percent(each.funding),
            *(f"{short(size):f}" for size in (each.maker, each.long, each.short, each.open_interest)),
            percent(each.utilization),
            waits,
            f"{each.oldest} s" if each.waiting else "",
        )
    alarms = [f"{each.market} is paused." for each in found.markets if each.is_paused]
    alarms += [
        f"{each.market} has a shortfall of {short(each.shortfall):f}." for each in found.markets if each.shortfall
    ]
    if not found.keepers:
        return [markets, *alarms, "", f"No keeper has done anything since block {found.since}."]
    keepers = Table(box=None, title=f"keepers since block {found.since}", title_justify="left")
    for name in (
        "keeper",
        "market",
        "commits",
        "liquidations",
        "settlement fees",
        "liquidation fees",
        "unclaimed",
        "ETH",
    ):
        keepers.add_column(name, justify="left" if name in ("keeper", "market") else "right")
    for keeper in found.keepers:
        amounts = (keeper.settlement_fees, keeper.liquidation_fees, keeper.unclaimed)
        counts = (str(keeper.commits), str(keeper.liquidations))
        keepers.add_row(
            f"{keeper.keeper[:6]}…{keeper.keeper[-4:]}",
            keeper.market,
            *counts,
            *(f"{short(amount):f}" for amount in amounts),
            # Wei as ether: to six decimals, as the rest is.
            f"{short(keeper.balance // 10**12):f}",
        )
    return [markets, *alarms, "", keepers]
