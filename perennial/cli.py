"""The command `perennial`. A command's module is imported when it is called: starting one does not load the others."""

from __future__ import annotations

import importlib

import click

from perennial.shell import Group

_COMMANDS = {
    "claim": "perennial.commands.trading",
    "close": "perennial.commands.trading",
    "deposit": "perennial.commands.trading",
    "devnet": "perennial.devnet.command",
    "history": "perennial.commands.questions",
    "intent": "perennial.commands.intent",
    "keeper": "perennial.keeper.command",
    "liquidate": "perennial.commands.trading",
    "market": "perennial.commands.questions",
    "markets": "perennial.commands.questions",
    "open": "perennial.commands.trading:open_",
    "orders": "perennial.commands.questions",
    "positions": "perennial.commands.questions",
    "quote": "perennial.commands.questions",
    "reduce": "perennial.commands.trading",
    "relay": "perennial.relay.command",
    "settle": "perennial.commands.trading",
    "solver": "perennial.solver.command",
    "status": "perennial.keeper.status_command",
    "vault": "perennial.commands.vault",
    "withdraw": "perennial.commands.trading",
}
"""Module of each command, which has it under the command's name, or under the name after the colon."""


class _Commands(Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- likewise
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute or cmd_name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def main() -> None:
    """Perennial: an open perpetual-futures protocol.

    Trade with open, close, reduce, deposit, withdraw, claim; look with markets, market, quote, positions, orders,
    history. On a devnet (`make devnet`) accounts are numbers: `perennial open BTC-USD long --usd 1000 --collateral 100
    --account 2 --wait`. Exit codes: 0 done, 1 refused by the chain, 2 wrong usage, 3 no answer in time.
    """


if __name__ == "__main__":
    main()
