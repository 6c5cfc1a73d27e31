"""What commands share: options, the connection, and what happens where something goes wrong."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from perennial import shell
from perennial.client import ClientError, InputError, NotMinedError, Protocol, Refused, UnreachableError
from perennial.commands import accounts, output
from perennial.commands.output import Answer, Listing
from perennial.shell import REFUSED, UNREACHABLE, USAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from perennial.client import Market


class _Verb(click.Command):
    """A command that says what is wrong with an amount below 0, which click takes for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes the arguments apart."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if not error.option_name[1:2].isdigit():
                raise
            found = next((each for each in given if each.startswith(error.option_name)), error.option_name)
            raise click.UsageError(f"{found} is not more than 0", ctx) from error


@dataclass
class Session:
    """One call of a command."""

    network: str
    rpc: str | None
    as_json: bool
    account: str | None = None
    approve: str = "exact"
    _protocol: Protocol | None = field(default=None, init=False)

    @property
    def protocol(self) -> Protocol:
        """The connection, made when it is asked for."""
        if self._protocol is None:
            approve = self._ask if self.approve == "ask" else self.approve
            self._protocol = Protocol.connect(self.network, self.rpc, approve=approve)
        return self._protocol

    def market(self, name: str) -> Market:
        """A market by name or address."""
        return self.protocol.market(name)

    @property
    def signer(self) -> Any:
        """The account that signs."""
        return accounts.signer(self.account, self.protocol.network)

    @property
    def address(self) -> str:
        """The account that is asked about."""
        return accounts.address(self.account, self.protocol.network)

    def close(self) -> None:
        """Ends the connection."""
        if self._protocol is not None:
            self._protocol.close()

    def _ask(self, symbol: str, market: str, amount: Decimal) -> bool:
        return click.confirm(f"May {market} take exactly {amount} {symbol} of yours?", err=True)


def command(
    name: str,
    *,
    group: click.Group | None = None,
    account: str | None = None,
    approves: bool = False,
    examples: Sequence[str] = (),
) -> Callable[[Callable[..., Answer]], click.Command]:
    """Makes a command of a function of a Session, which returns what is to be printed.

    `account` is "signs" or "asks" for the option --account and what it is for, `approves` says that tokens may have to
    be approved, `examples` end the help.
    """

    def decorate(function: Callable[..., Answer]) -> click.Command:
        @wraps(function)
        def run(network: str, rpc: str | None, as_json: bool, **options: Any) -> None:
            who, approve = options.pop("account", None), options.pop("approve", "exact")
            if approve == "ask" and as_json:
                raise click.UsageError("--approve ask needs a person; with --json give exact or never")
            sys.exit(_run(function, Session(network, rpc, as_json, who, approve), options))

        wrapped: Callable[..., Any] = run
        for option in reversed(_options(account, approves=approves)):
            wrapped = option(wrapped)
        made: click.Command = click.command(name, cls=_Verb, epilog=shell.examples(*examples) if examples else None)(
            wrapped
        )
        if group is not None:
            group.add_command(made)
        return made

    return decorate


def _run(function: Callable[..., Answer], session: Session, options: dict[str, Any]) -> int:
    """Runs a command; returns its exit code. Nobody's mistake is a traceback."""
    try:
        # What Ape says to its user must not get among what a machine reads.
        with contextlib.redirect_stdout(sys.stderr) if session.as_json else contextlib.nullcontext():
            answer = function(session, **options)
        output.show(answer, as_json=session.as_json)
    except Refused as error:
        output.failure(_told(error), error.to_dict() | _notes(error), as_json=session.as_json)
        return REFUSED
    except InputError as error:
        return _failed(error, "Input", USAGE, session)
    except UnreachableError as error:
        name = "NotMined" if isinstance(error, NotMinedError) else "Unreachable"
        return _failed(error, name, UNREACHABLE, session, transaction=error.transaction)
    except ClientError as error:
        return _failed(error, type(error).__name__.removesuffix("Error"), REFUSED, session)
    finally:
        session.close()
    return answer.code if isinstance(answer, Listing) else 0


def _failed(error: ClientError, name: str, code: int, session: Session, **more: Any) -> int:
    content = {"error": name, "meaning": str(error), **more, **_notes(error)}
    output.failure(_told(error), content, as_json=session.as_json)
    return code


def _told(error: ClientError) -> str:
    """What went wrong, and what was done before that."""
    return " ".join([str(error), *getattr(error, "__notes__", ())])


def _notes(error: ClientError) -> dict[str, Any]:
    """What was done before something went wrong, for machines; nothing where that is nothing."""
    notes = getattr(error, "__notes__", ())
    return {"note": " ".join(notes)} if notes else {}


def _options(account: str | None, *, approves: bool) -> list[Callable[[Any], Any]]:
    options = [
        click.option(
            "--network",
            default="devnet",
            envvar="PERENNIAL_NETWORK",
            show_default=True,
            help="Network: devnet, devnet:PORT, base-sepolia, base, or the path of a manifest.",
        ),
        click.option("--rpc", envvar="PERENNIAL_NODE", help="Address of a node; a devnet's is known."),
        click.option("--json", "as_json", is_flag=True, help="JSON on standard output, and nothing else there."),
    ]
    if account is not None:
        kinds = "alias of an account of Ape, on a devnet a number from 0 to 9"
        says = f"Who signs: {kinds}." if account == "signs" else f"Who is asked about: an address, {kinds}."
        options.insert(0, click.option("--account", envvar="PERENNIAL_ACCOUNT", help=says))
    if approves:
        approve = click.option(
            "--approve",
            type=click.Choice(["exact", "ask", "never"]),
            default="exact",
            show_default=True,
            help="Where the market may not take the tokens: approve exactly what is needed, ask, or refuse.",
        )
        options.insert(1, approve)
    return options
