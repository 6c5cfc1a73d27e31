"""The command that runs a solver."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import click
from eth_utils.address import is_address

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

KEY, PASSWORD = "PERENNIAL_SOLVER_KEY", "PERENNIAL_SOLVER_PASSWORD"
"""Environment variables."""


@click.command(
    cls=Command,
    context_settings={"show_default": True},
    epilog=examples(
        "solver --network base-sepolia --node https://… --relay https://… --market BTC-USD --keystore solver.json",
        "solver --market BTC-USD --max-inventory 5 --dry-run --account 0x…",
    ),
)
@network_option
@click.option("--relay", "relay_url", envvar="PERENNIAL_RELAY", help="Relay to ask; the manifest's if missing.")
@node_option
@click.option("--market", required=True, help="Market to work on, by name or address.")
@click.option(
    "--keystore", type=click.Path(path_type=Path), help=f"Encrypted key; its password is in {PASSWORD}, or asked."
)
@click.option("--account", help="Whose inventory to use: the key is its operator. The key's own if missing.")
@click.option("--journal", default="solver.db", type=click.Path(path_type=Path), help="What was signed; keep it.")
@click.option("--max-inventory", default="0", type=AMOUNT, help="Largest own size, long or short; 0 to cross alone.")
@click.option("--max-fill", default="1000000", type=AMOUNT, help="Largest size of one fill from inventory.")
@click.option("--spread", default="0.0005", type=AMOUNT, help="Share of the latest price to earn on a fill.")
@click.option("--skew", default="0.001", type=AMOUNT, help="Share by which a full inventory moves the quotes.")
@click.option("--band", default="0.01", type=AMOUNT, help="Largest distance of a quote from the latest price, a share.")
@click.option(
    "--max-age", default=60, type=COUNT, help="Seconds of the latest price beyond which it fills nothing itself."
)
@click.option(
    "--least-profit",
    type=SIGNED_AMOUNT,
    help="USD that a deal and a batch earn after gas; all deals if missing.",
)
@click.option("--ether-price", type=AMOUNT, help=ETHER_PRICE)
@click.option("--tip", default=1_000_000, type=COUNT, help="Wei for a unit of gas, to who makes the block.")
@click.option("--most", type=COUNT, help="Most wei for a unit of gas, tip included.")
@click.option("--patience", default=30, type=COUNT, help="Seconds until a batch that is not mined is taken back.")
@click.option("--interval", default=1.0, type=AT_ALL, help="Seconds between cycles.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing. Needs no key.")
def solver(
    network: str | None,
    relay_url: str | None,
    node: str | None,
    market: str,
    keystore: Path | None,
    account: str | None,
    journal: Path,
    max_inventory: int,
    max_fill: int,
    spread: int,
    skew: int,
    band: int,
    max_age: int,
    least_profit: int | None,
    ether_price: int | None,
    tip: int,
    most: int | None,
    patience: int,
    interval: float,
    dry_run: bool,
) -> None:
    """Runs a solver: crosses intents by price and time, fills others from its own inventory, says why not.

    The key is that of --keystore, or in the environment as PERENNIAL_SOLVER_KEY. Nothing else may send with it.
    """
    # Here, since they take a second to import.
    from perennial.relay.client import RelayClient
    from perennial.sending.journal import Journal, OwnerError
    from perennial.sending.sender import Sender
    from perennial.solver.inventory import Limits
    from perennial.solver.node import SolverNode
    from perennial.solver.solver import Options, Solver

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    price = reckoned(least_profit, ether_price)
    key = None if dry_run and keystore is None and KEY not in os.environ else load_key(keystore, KEY, PASSWORD)
    if account is not None and not is_address(account):
        raise click.UsageError(f"--account: {account!r} is no address")
    own = account or (key.address if key else None)
    if own is None:
        raise click.UsageError("a dry run without a key needs --account")
    where = locate(network, node, [market], None)
    relay_url = relay_url or where.relay
    if relay_url is None:
        raise click.UsageError("which relay? The network's manifest names none: give --relay")
    [(_, address)] = where.markets
    view = SolverNode(where.node, address, own, key.address if key else own)
    options = Options(
        limits=Limits(max_inventory, max_fill, spread, skew, band, max_age),
        least_profit=least_profit,
        ether_price=price,
        dry_run=dry_run,
    )
    stop = stopped_by_signals()
    sender = None
    if key is not None and not dry_run:
        try:
            record = Journal(journal, owner=f"{key.address} on chain {view.chain_id} with genesis {view.genesis()}")
        except OwnerError as error:
            raise click.ClickException(str(error)) from error
        sender = Sender(key, view.chain_id, view, record, tip, patience, most)
    with view, RelayClient(relay_url) as relay:
        Solver(relay, view, sender, options).run(stop, interval)
