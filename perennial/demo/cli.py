"""The command: `make demo`, `ape run demo`, `python -m perennial.demo`."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CalledProcessError
from types import FrameType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from perennial import artifacts
from perennial.anvil import AnvilError
from perennial.chain import NodeError
from perennial.demo import console as terminal
from perennial.demo.listings import listing
from perennial.demo.options import MAX_ACTORS, MIN_ACTORS, DemoError, Options
from perennial.demo.outcome import Outcome
from perennial.demo.page import render
from perennial.demo.replay import Progress as Progressing
from perennial.demo.replay import prices_of, run
from perennial.demo.vaults import replay as vault_replay
from perennial.demo.vaults.outcome import VaultOutcome
from perennial.demo.vaults.page import render as render_vault
from perennial.demo.vaults.plan import MARKETS
from perennial.demo.vaults.tables import all_tables as vault_tables

REPORT = artifacts.ROOT / ".build" / "demo.html"
DEFAULT = Options()
DATES = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


def _date(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d}"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--market", default=DEFAULT.market, help="BTC-USD, ETH-USD, or ETH-BTC: the ratio of two feeds, daily.")
@click.option("--start", type=DATES, help=f"First price, UTC.  [default: {_date(DEFAULT.start)}, or the market's own]")
@click.option("--end", type=DATES, help=f"Last price, UTC.  [default: {_date(DEFAULT.end)}, or the market's own]")
@click.option("--seed", type=int, default=DEFAULT.seed, help="Of everything that is left to chance.")
@click.option("--actors", type=click.IntRange(MIN_ACTORS, MAX_ACTORS), default=DEFAULT.actors, help="How many trade.")
@click.option("--no-reckless", is_flag=True, help="Without those who are there to be liquidated.")
@click.option("--vault", is_flag=True, help="An LP vault over BTC-USD and ETH-USD, with depositors, no reckless ones.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), default=REPORT, help="Where the page goes.")
def cli(
    market: str,
    start: datetime | None,
    end: datetime | None,
    seed: int,
    actors: int,
    no_reckless: bool,
    vault: bool,
    report: Path,
) -> None:
    """Replays real prices through the protocol on a local chain, with its mirror beside it.

    Ends with the books of everybody and with a page of charts. Exits with 1 where chain and mirror differ or the books
    do not balance.
    """
    output = terminal.results()
    try:
        market = market.upper()
        window = _seconds(start, listing(market).start), _seconds(end, listing(market).end)
        options = Options(market, *window, seed, actors, not (no_reckless or vault), vault)
        options.check()
        play = _vault if vault else _market
        _check_report(report)
        finish = play(options, output, report)
    except (DemoError, AnvilError, NodeError) as error:
        raise click.ClickException(str(error)) from None
    except CalledProcessError:
        raise click.ClickException("the contracts do not compile") from None
    output.print(f"took {finish.seconds:.0f} s; the picture: [bold]{report}[/]", soft_wrap=True)
    if not finish.holds:
        raise click.exceptions.Exit(1)


def _market(options: Options, output: Console, report: Path) -> Outcome:
    """One market."""
    prices = prices_of(options)
    with _running(options, output, options.market, len(prices.values)) as progress:
        outcome = run(options, prices, progress)
    report.write_text(render(outcome), encoding="utf-8")
    terminal.announce(output, outcome)
    return outcome


def _vault(options: Options, output: Console, report: Path) -> VaultOutcome:
    """Two markets and a vault over both."""
    prices = vault_replay.prices_of(options)
    with _running(options, output, f"a vault over {' and '.join(MARKETS)}", len(prices[0].values)) as progress:
        outcome = vault_replay.run(options, prices, progress)
    report.write_text(render_vault(outcome), encoding="utf-8")
    terminal.conclude(output, vault_tables(outcome), outcome.agreement, outcome.difference)
    return outcome


@contextmanager
def _running(options: Options, output: Console, what: str, versions: int) -> Iterator[Progressing]:
    """Compiles, says what is going to happen, and shows how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(None), MofNCompleteColumn(), TimeElapsedColumn())
    with _stopped_politely():
        artifacts.refresh()
        terminal.introduce(output, what, options.start, options.end, options.listing.changed)
        with Progress(*columns, console=Console(stderr=True), expand=True) as bar:
            task = bar.add_task("", total=versions)
            yield lambda what, done: bar.update(task, description=what, completed=done)


def _seconds(time: datetime | None, default: int) -> int:
    return default if time is None else int(time.replace(tzinfo=UTC).timestamp())


def _check_report(report: Path) -> None:
    """Before the run rather than after it."""
    if report == REPORT:
        report.parent.mkdir(exist_ok=True)
    if not report.parent.is_dir():
        raise DemoError(f"no folder {report.parent} for the report")


@contextmanager
def _stopped_politely() -> Iterator[None]:
    """Ends on SIGTERM and SIGHUP as on Ctrl-C: with everything stopped that was started."""

    def stop(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
