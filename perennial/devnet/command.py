"""The command that runs a devnet."""

from __future__ import annotations

import json
import logging
import signal
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

from perennial.shell import PORT, UNREACHABLE, Command, Group, examples

if TYPE_CHECKING:
    from perennial.devnet.devnet import Devnet


_hour = click.option(
    "--hour", default=60, type=click.IntRange(1, 3600), help="Seconds in which an hour of the past goes by."
)
_start = click.option("--start", default="2017-12-17", help="Day of the past to begin with.")
_walk = click.option("--walk", "seed", type=int, help="Random prices with this seed, instead of those of the past.")


@click.group(
    "devnet",
    cls=Group,
    invoke_without_command=True,
    context_settings={"show_default": True},
    epilog=examples(
        "devnet",
        "devnet --hour 10 --start 2017-12-20",
        "devnet --walk 1 --port 8545 --no-solver",
        "devnet move BTC-USD 15000",
    ),
)
@click.option("--port", default=0, type=PORT, help="Port of the node; 0 for any that is free.")
@click.option("--block-time", default=1, type=click.IntRange(1), help="Seconds between blocks.")
@_hour
@_start
@_walk
@click.option("--keeper/--no-keeper", default=True, help="Run a keeper.")
@click.option("--relay/--no-relay", default=True, help="Run a relay.")
@click.option("--solver/--no-solver", default=True, help="Run a solver on the first market.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON when it is up.")
@click.option("--verbose", is_flag=True, help="Say what keeper, relay and solver do.")
@click.pass_context
def devnet(
    ctx: click.Context,
    port: int,
    block_time: int,
    hour: int,
    start: str,
    seed: int | None,
    keeper: bool,
    relay: bool,
    solver: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Runs a chain of one's own with everything on it, until Ctrl-C.

    Three markets, a vault, ten accounts with tokens, prices, a keeper, a relay and a solver.
    """
    if ctx.invoked_subcommand is not None:
        return
    _end_by_signals()
    # Here, since they take a second to import.
    from perennial.anvil import AnvilError
    from perennial.devnet.devnet import Options, open_devnet
    from perennial.devnet.stage import StageError

    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    options = Options(
        port, block_time, hour, _beginning(start, hour) if seed is None else 0, seed, keeper, relay, solver
    )
    try:
        with open_devnet(options) as up:
            # Again: Ape has put handlers of its own in their place.
            _end_by_signals()
            _say(up, as_json=as_json)
            _wait()
    except _Ended:
        if not as_json:
            click.echo("\nThe devnet has ended.")
    except (AnvilError, StageError, OSError) as error:
        raise click.ClickException(str(error)) from error


@devnet.command("move")
@click.argument("feed")
@click.argument("price")
@click.option("--network", default="devnet", envvar="PERENNIAL_NETWORK", help="Which devnet: devnet, devnet:PORT.")
def move(feed: str, price: str, network: str) -> None:
    """Moves a price: from the next second on, FEED (BTC-USD, ETH-USD) is at PRICE and goes on from there."""
    import httpx2

    from perennial.devnet.services import services_of
    from perennial.manifest import ManifestError

    try:
        prices = services_of(network).prices
    except ManifestError as error:
        raise click.UsageError(str(error)) from error
    try:
        answer = httpx2.post(f"{prices}/moves", json={"feed": feed, "price": price}, timeout=30)
    except httpx2.HTTPError as error:
        silent = click.ClickException(f"the devnet's prices do not answer at {prices}: {error}")
        silent.exit_code = UNREACHABLE
        raise silent from error
    if answer.status_code != httpx2.codes.OK:
        raise click.UsageError(str(answer.json()["detail"]))
    click.echo(f"{feed} is at {price} from {answer.json()['since']} on")


@devnet.command("prices", cls=Command, context_settings={"show_default": True})
@click.option("--node", "--rpc", "node", default="http://127.0.0.1:8545", help="Node of the chain, an Anvil.")
@click.option("--port", default=0, type=PORT, help="Port to serve them at; 0 for any that is free.")
@_hour
@_start
@_walk
def prices(node: str, port: int, hour: int, start: str, seed: int | None) -> None:
    """Serves a devnet's prices for another chain of this machine, until Ctrl-C: for rehearsals (OPERATING.md).

    A keeper takes them from the address that is printed, as --hermes; the mock of Pyth takes them from the keeper.
    Where the chain lacks Multicall3, which public chains have, it is put there.
    """
    _end_by_signals()
    # Here, since they take a second to import.
    from perennial.chain import Chain, Rpc
    from perennial.devnet.accounts import Cast
    from perennial.devnet.prices import replayed, walking
    from perennial.devnet.stage import Stage, add_multicall
    from perennial.publisher.app import create_app
    from perennial.serving import serving

    midnight = 0 if seed is not None else _beginning(start, hour)
    try:
        with Rpc(node) as rpc:
            if not str(rpc.call("web3_clientVersion")).lower().startswith("anvil"):
                raise click.UsageError(f"{rpc.place} is no Anvil: these prices are for chains of this machine")
            stage = Stage(Chain(rpc), Cast.assemble())
            add_multicall(stage)
            begin = stage.now()
            publisher = replayed(begin, midnight, hour, stage.now) if seed is None else walking(begin, seed, stage.now)
            # Again: Ape has put handlers of its own in their place.
            _end_by_signals()
            with serving(create_app(publisher), port=port) as url:
                click.echo(f"prices at {url}")
                sys.stdout.flush()
                _wait()
    except _Ended:
        return
    except OSError as error:
        raise click.ClickException(str(error)) from error


@devnet.command("list")
def list_() -> None:
    """Lists the devnets that are up on this machine."""
    from perennial.manifest import Manifest, running

    found = [(Manifest.read(path), path) for path in running()]
    for each, path in found:
        click.echo(f"{each.rpc}  {', '.join(each.markets)}  {path}")
    if not found:
        click.echo("No devnet is up: start one with `make devnet`.")


class _Ended(BaseException):
    """A signal to end has come."""


def _end_by_signals() -> None:
    """Ctrl-C and SIGTERM end the devnet once, also while it starts; what it has begun is taken down in peace."""

    def end(*_: Any) -> NoReturn:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise _Ended

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)


def _wait() -> NoReturn:
    """Until a signal ends it.

    Again and again, since the signal of a process that was stopped may reach another thread, and wake only that one.
    """
    while True:
        time.sleep(1)


def _beginning(day: str, hour: int) -> int:
    """The midnight from which prices are replayed. Raises click.UsageError where that cannot be."""
    from perennial.devnet.prices import replayed
    from perennial.prices import PriceError

    try:
        midnight = int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise click.UsageError(f"{day!r} is no day such as 2017-12-17") from error
    try:
        replayed(0, midnight, hour, lambda: 0)
    except PriceError as error:
        raise click.UsageError(f"--start {day}: {error}") from error
    return midnight


def _say(up: Devnet, *, as_json: bool) -> None:
    if as_json:
        services = {"node": up.node, "prices": up.prices, "relay": up.relay, "manifest": str(up.file)}
        markets = {name: market.address for name, market in up.manifest.markets.items()}
        print(
            json.dumps({**services, "port": up.port, "markets": markets, "accounts": up.stage.cast.users}), flush=True
        )
        return
    from perennial.devnet.words import greet

    greet(up)
    sys.stdout.flush()
