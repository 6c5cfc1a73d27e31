"""What commands share: exit codes, and for those that run for long an end without a traceback.

Those of who trades have `perennial.commands.session` besides, which speaks JSON as well.
"""

from __future__ import annotations

import logging
import math
import signal
from threading import Event
from typing import Any

import click

from perennial.amounts import raw

logger = logging.getLogger(__name__)

GRACE = 10.0
"""Seconds until a process that is told to end does not wait any longer."""

REFUSED, USAGE, UNREACHABLE = 1, 2, 3
"""Exit codes: a contract or a node refuses; what was asked for cannot be meant; nothing answers."""


_SENTENCE = 1000
"""Letters that no first sentence of a help has."""


class Command(click.Command):
    """A command whose expected errors are one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs it."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if (code := code_of(error)) is None:
                raise
            ended = click.ClickException(message_of(error))
            ended.exit_code = code
            raise ended from error


class Group(click.Group):
    """Commands whose list has a whole sentence of each, where click cuts what does not fit a line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(_SENTENCE)) for name, command in found if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def stopped_by_signals(grace: float = GRACE) -> Event:
    """An event that SIGINT and SIGTERM set, for a process that looks at it between its rounds.

    A node that does not answer may keep it from looking for minutes: `grace` seconds later, or by a second signal, it
    is ended where it is, by SystemExit. That loses nothing to who writes down what is sent before it is sent.
    """
    stop = Event()

    def end(*_: object) -> None:
        if stop.is_set():
            logger.warning("ended without waiting for what does not answer")
            raise SystemExit(0)
        stop.set()
        signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, grace)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)
    return stop


class Finite(click.FloatRange):
    """Decimals within bounds; neither endless nor no number at all, which both are within any."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        found = float(super().convert(value, param, ctx))
        if not math.isfinite(found):
            self.fail(f"{value!r} is no number to reckon with", param, ctx)
        return found


class Amount(click.ParamType):
    """Decimal text to an integer with 6 decimals, not below 0 unless `signed`."""

    name = "decimal"

    def __init__(self, *, signed: bool = False) -> None:
        self._signed = signed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The integer."""
        try:
            # click converts a default that is an integer again.
            amount = value if isinstance(value, int) else raw(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if amount < 0 and not self._signed:
            self.fail(f"{value} is less than 0", param, ctx)
        return amount


AMOUNT, SIGNED_AMOUNT = Amount(), Amount(signed=True)

ETHER_PRICE = "USD for an ether, to reckon with gas; --least-profit needs it."
"""Help of that option, which has no value to begin with: ether for nothing would make everything pay."""


def reckoned(least_profit: int | None, ether_price: int | None) -> int:
    """The price of an ether. Raises click.UsageError where a profit after gas is wanted and that has no price."""
    if least_profit is not None and ether_price is None:
        raise click.UsageError("--least-profit is after gas: give --ether-price too")
    return ether_price or 0


SECONDS = Finite(min=0)

AT_ALL = Finite(min=0, min_open=True)
"""More than nothing: of seconds between two looks, or of requests a second."""

COUNT = click.IntRange(min=0)

PORT = click.IntRange(0, 65_535)


def examples(*lines: str) -> str:
    """The end of a help: commands to try, without `perennial`."""
    return "\b\nExamples:\n" + "\n".join(f"  perennial {line}" for line in lines)


def code_of(error: Exception) -> int | None:
    """The exit code for an error that can be expected; None for any other."""
    # Here, since they take a while to import.
    from sqlite3 import OperationalError

    from perennial.abi import Reverted
    from perennial.chain import NodeAddressError, NodeError, RpcError
    from perennial.keeper.state import StateError
    from perennial.manifest import ManifestError
    from perennial.sending.journal import FileError, OwnerError

    if isinstance(error, RpcError | Reverted | StateError | OwnerError | FileError | OperationalError):
        return REFUSED
    if isinstance(error, NodeAddressError | ManifestError):
        return USAGE
    return UNREACHABLE if isinstance(error, NodeError) else None


def message_of(error: Exception) -> str:
    """What a person is told: a contract's error with what it means and what to do."""
    from perennial.abi import Reverted
    from perennial.client.errors import Refused

    return str(Refused(error) if isinstance(error, Reverted) else error)
