"""The command that runs a keeper."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from perennial.keeper.where import locate, network_option, node_option
from perennial.sending.keys import load_key
from perennial.shell import (
    AMOUNT,
    AT_ALL,
    COUNT,
    ETHER_PRICE,
    SIGNED_AMOUNT,
    Command,
    examples,
    reckoned,
    stopped_by_signals,
)

if TYPE_CHECKING:
    from perennial.keeper.setup import Settings

KEY, PASSWORD, HERMES_KEY = "PERENNIAL_KEEPER_KEY", "PERENNIAL_KEEPER_PASSWORD", "PERENNIAL_HERMES_KEY"
"""Environment variables."""


LEAST_AGE = 10
"""Seconds: a price is some old as soon as it can be committed, and renewed below that it would be without an end."""


def _age(_: click.Context, __: click.Parameter, seconds: int) -> int:
    if 0 < seconds < LEAST_AGE:
        raise click.BadParameter(f"{seconds}: the newest price is nearly as old; give {LEAST_AGE} or more, or 0")
    return seconds


@click.command(
    cls=Command,
    context_settings={"show_default": True},
    epilog=examples(
        "keeper --network base-sepolia --node https://… --keystore keeper.json --max-age 40",
        "keeper --network base-sepolia --node https://… --dry-run",
        "keeper --network base-sepolia --node https://… --keystore keeper.json --once --json",
    ),
)
@network_option
@node_option
@click.option(
    "--market",
    "markets",
    multiple=True,
    help="Market by name, or NAME=ADDRESS; several. All if missing.",
)
@click.option("--start", type=int, help="Block at which the markets began; the manifest's if missing.")
@click.option(
    "--hermes",
    show_default="https://hermes.pyth.network",
    envvar="PERENNIAL_HERMES",
    help=f"Where prices come from; its API key is in {HERMES_KEY}. A devnet's are known.",
)
@click.option(
    "--keystore", type=click.Path(path_type=Path), help=f"Encrypted key; its password is in {PASSWORD}, or asked."
)
@click.option("--state", default="keeper.db", type=click.Path(path_type=Path), help="What it has signed; keep it.")
@click.option("--interval", default=1.0, type=AT_ALL, help="Seconds between rounds.")
@click.option("--settle/--no-settle", default=True, help="Settle accounts of others whose orders are due.")
@click.option("--liquidate/--no-liquidate", default=True, help="Liquidate who is unhealthy.")
@click.option(
    "--vaults/--no-vaults",
    default=None,
    show_default="on a devnet",
    help="Close and settle epochs of the network's vaults, rebalance them; it pays nothing.",
)
@click.option(
    "--max-age",
    default=0,
    type=COUNT,
    callback=_age,
    help="Seconds after which a price is renewed unasked, 10 or more; 0 only where needed.",
)
@click.option(
    "--look", default=10, type=COUNT, help="Seconds between looks at whom the newest price liquidates; 0: never."
)
@click.option("--claim-every", default=3600, type=COUNT, help="Seconds between claims of what was earned.")
@click.option("--claim-least", default="0", type=AMOUNT, help="Least to claim of a market, in its token.")
@click.option(
    "--least-profit", type=SIGNED_AMOUNT, help="USD that a commit earns after gas; whatever is requested if missing."
)
@click.option("--ether-price", type=AMOUNT, help=ETHER_PRICE)
@click.option("--tip", default=1_000_000, type=COUNT, help="Wei for a unit of gas, to who makes the block.")
@click.option("--most", type=COUNT, help="Most wei for a unit of gas, tip included.")
@click.option("--patience", default=10, type=COUNT, help="Seconds until more is offered for what is not mined.")
@click.option("--block-time", default=2, type=COUNT, help="Seconds between blocks.")
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing. Needs no key.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for all that happens.")
def keeper(
    network: str | None,
    node: str | None,
    markets: tuple[str, ...],
    start: int | None,
    hermes: str | None,
    keystore: Path | None,
    state: Path,
    interval: float,
    settle: bool,
    liquidate: bool,
    vaults: bool | None,
    max_age: int,
    look: int,
    claim_every: int,
    claim_least: int,
    least_profit: int | None,
    ether_price: int | None,
    tip: int,
    most: int | None,
    patience: int,
    block_time: int,
    once: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Runs a keeper: commits requested prices, settles who waits, liquidates who must be, claims what it earned.

    The key is that of --keystore, or in the environment as PERENNIAL_KEEPER_KEY. Nothing else may send with it.
    """
    # Here, since they take a second to import.
    from perennial.keeper.commits import Freshening
    from perennial.keeper.hermes import PUBLIC
    from perennial.keeper.keeper import Options
    from perennial.keeper.setup import Settings

    level = logging.WARNING if as_json else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    price = reckoned(least_profit, ether_price)
    where = locate(network, node, markets, start)
    settings = Settings(
        node=where.node,
        markets=where.markets,
        hermes=hermes or where.prices or PUBLIC,
        hermes_key=os.environ.get(HERMES_KEY),
        start=where.start,
        vaults=where.vaults if (where.is_devnet if vaults is None else vaults) else (),
        file=":memory:" if dry_run else state,
        tip=tip,
        most=most,
        patience=patience,
        block_time=block_time,
        freshening=Freshening(max_age, look),
        options=Options(
            settle=settle,
            liquidate=liquidate,
            claim_every=0 if once else claim_every,
            claim_least=claim_least,
            dry_run=dry_run,
        ),
        least_profit=least_profit,
        ether_price=price,
    )
    run(settings, keystore, interval, once=once, as_json=as_json)


def run(settings: Settings, keystore: Path | None, interval: float, *, once: bool, as_json: bool) -> None:
    """Runs a keeper until it is told to stop by SIGINT or SIGTERM, or, with `once`, until nothing is due."""
    from perennial.keeper.setup import open_keeper

    dry_run = settings.options.dry_run
    key = None if dry_run else load_key(keystore, KEY, PASSWORD)
    stop = stopped_by_signals()
    with open_keeper(settings, key) as keeper:
        if as_json:
            keeper.say = _print
        if dry_run:
            keeper.cycle()
        elif once:
            keeper.once(stop, interval)
        else:
            keeper.run(stop, interval)


def _print(what: str, values: dict[str, Any]) -> None:
    print(json.dumps({"time": int(time.time()), "event": what, **values}), flush=True, file=sys.stdout)
