"""Commands as a person types them, with what they print, written down as they are run."""

from __future__ import annotations

import json
import re
import shlex
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from perennial.cli import main

if TYPE_CHECKING:
    from collections.abc import Mapping

PROMPT = "$ perennial "

_HASH = re.compile(r"0x[0-9a-f]{64}\b")
"""Of transactions and intents: others in every run."""


@dataclass
class Transcript:
    """Runs commands of `perennial`; `environment` says on which network."""

    environment: Mapping[str, str]
    lines: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """A paragraph between commands."""
        self.lines += [text, ""]

    def run(self, command: str) -> str:
        """Runs a command, which must succeed, and writes it down; returns what it printed."""
        printed = self._invoke(shlex.split(command))
        shown = "\n".join(line.rstrip() for line in _HASH.sub("0x…", printed).splitlines())
        self.lines += ["```", PROMPT + _HASH.sub("0x…", command), shown, "```", ""]
        return printed

    def ask(self, command: str) -> Any:
        """What a command tells machines; not written down. It only reads, so it is asked again where it fails."""
        arguments = [*shlex.split(command), "--json"]
        for _ in range(2):
            try:
                return json.loads(self._invoke(arguments))
            except AssertionError:
                time.sleep(1)
        return json.loads(self._invoke(arguments))

    def text(self) -> str:
        """All of it, as Markdown."""
        return "\n".join(self.lines)

    def _invoke(self, arguments: list[str]) -> str:
        result = CliRunner(mix_stderr=False, env=dict(self.environment)).invoke(main, arguments)
        assert result.exit_code == 0, (arguments, result.stdout, result.stderr, result.exception)
        return result.stdout


def commands(text: str) -> list[str]:
    """The commands in a transcript, in their order."""
    return [line.removeprefix(PROMPT) for line in text.splitlines() if line.startswith(PROMPT)]
