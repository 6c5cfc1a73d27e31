"""Devnets as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 180
"""Seconds until something that should happen has not."""


@contextmanager
def devnet(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A devnet that is up, and what it said."""
    command = [sys.executable, "-m", "perennial.cli", "devnet", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield process, json.loads(line)
        finally:
            # Not killed, so that it takes Anvil with it; one that has ended already is left in peace.
            process.terminate()
            process.wait(timeout=PATIENCE)


def until(what: Callable[[], Any], pause: float = 0.1) -> Any:
    """Asks again and again until the answer is true; returns it."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := what()):
        assert time.monotonic() < deadline
        time.sleep(pause)
    return answer
