"""The command `perennial`. A command's module is imported when it is called: starting one does not load the others."""

from __future__ import annotations

import importlib

import click

_COMMANDS = {
    "keeper": "perennial.keeper.command",
    "relay": "perennial.relay.command",
    "solver": "perennial.solver.command",
}
"""Module of each command, which has it under the command's name."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- likewise
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[cmd_name]), cmd_name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def main() -> None:
    """Perennial: an open perpetual-futures protocol."""


if __name__ == "__main__":
    main()
