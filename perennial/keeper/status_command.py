"""The command that shows a protocol at work."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import click

from perennial.commands.output import WIDTH, failure, fit
from perennial.keeper.where import locate
from perennial.shell import AT_ALL, COUNT, REFUSED, UNREACHABLE, USAGE, code_of, examples, message_of

_NAMES = {REFUSED: "Refused", USAGE: "Input", UNREACHABLE: "Unreachable"}
"""Of errors, for machines."""

if TYPE_CHECKING:
    from rich.console import RenderableType

    from perennial.keeper.status import Status
    from perennial.keeper.where import Where


@click.command(
    "status",
    context_settings={"show_default": True},
    epilog=examples(
        "status",
        "status --watch",
        "status --network base-sepolia --node https://sepolia.base.org --json",
    ),
)
@click.option("--network", envvar="PERENNIAL_NETWORK", help="devnet, devnet:PORT, base-sepolia, or a manifest's path.")
@click.option("--node", "--rpc", "node", envvar="PERENNIAL_NODE", help="Ethereum node; a devnet's is known.")
@click.option("--market", "markets", multiple=True, help="Market by name, or NAME=ADDRESS; several. All if missing.")
@click.option(
    "--blocks", default=10_000, type=COUNT, help="Newest blocks in which keepers' work is counted; 0 for all."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output, and nothing else there.")
@click.option("--watch", is_flag=True, help="Again and again, until Ctrl-C.")
@click.option("--interval", default=2.0, type=AT_ALL, help="Seconds between looks, with --watch.")
def status(
    network: str | None,
    node: str | None,
    markets: tuple[str, ...],
    blocks: int,
    as_json: bool,
    watch: bool,
    interval: float,
) -> None:
    """Shows markets, funding, open interest, what waits for a price and for how long, and what keepers earn."""
    try:
        _look(locate(network, node, markets, None), blocks, as_json=as_json, every=interval if watch else None)
    except KeyboardInterrupt:
        return
    except Exception as error:
        if (code := error.exit_code if isinstance(error, click.UsageError) else code_of(error)) is None:
            raise
        # As the commands of who trades: machines get JSON then, too.
        said = error.format_message() if isinstance(error, click.UsageError) else message_of(error)
        failure(said, {"error": _NAMES[code], "meaning": said}, as_json=as_json)
        sys.exit(code)


def _look(where: Where, blocks: int, *, as_json: bool, every: float | None) -> None:
    """Shows it once, or every so many seconds."""
    # Here, since they take a second to import.
    from perennial.keeper.setup import NOBODY
    from perennial.keeper.status import status_of
    from perennial.keeper.view import KeeperView
    from perennial.relay.rpc import LastingRpc

    with LastingRpc(where.node) as rpc:
        view = KeeperView(rpc, where.markets, NOBODY)
        while True:
            found = status_of(view, where.start, blocks or None)
            if every is not None and not as_json:
                click.clear()
            _show(found, as_json=as_json)
            if every is None:
                return
            time.sleep(every)


def _show(found: Status, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=None))
        return
    from rich.console import Console
    from rich.table import Table

    # In a pipe nobody says how many columns there are.
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    for part in tables(found):
        console.print(fit(console, part) if isinstance(part, Table) else part)


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
        "open interest",
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
    alarms = [f"{name} does not answer: {why}" for name, why in found.unanswered.items()]
    alarms += [f"{each.market} is paused." for each in found.markets if each.is_paused]
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
