"""Commands as processes of their own, which tests kill."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def free_port() -> int:
    """A port for who cannot listen at 0, being told it before it starts, or starting twice.

    It is none of those that systems give to whoever asks for any: one of them may be another's before it is used.
    """
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass
class Process:
    """One of the commands, which can be killed and started again with what it had on disk."""

    command: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; what it prints is added to the log."""
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "perennial.cli", *self.command],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
            )

    def kill(self) -> None:
        """As if the power had gone."""
        if self.running is not None:
            self.running.send_signal(signal.SIGKILL)
            self.running.wait()
            self.running = None

    def stop(self) -> int:
        """As a person would, with Ctrl-C; returns its exit code. Raises subprocess.TimeoutExpired."""
        assert self.running is not None
        self.running.send_signal(signal.SIGINT)
        code = self.running.wait(timeout=120)
        self.running = None
        return code
