"""A local chain: Anvil on a free port, gone when the caller is."""

import ctypes
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import IO

from perennial.chain import Rpc

CHAIN_ID = 1337
"""What Ape takes for a local network."""

_ENOUGH = 200
"""Letters of what it says instead."""

_LISTENING = re.compile(r"Listening on (\S+)")


class AnvilError(RuntimeError):
    """Anvil is not installed, or does not start; the message says what to do."""


@contextmanager
def anvil(
    timestamp: int | None = None,
    options: Sequence[str] = (),
    *,
    port: int = 0,
    chain_id: int = CHAIN_ID,
    history: bool = False,
) -> Iterator[str]:
    """Starts Anvil, gives its address, stops it however the block is left; on Linux also where the caller is killed.

    The genesis block is made at `timestamp` (Unix seconds, now by default), the port is any that is free by default.
    Gas is free, transactions keep the order in which they come, every account is unlocked. Old blocks and events are
    kept with `history` alone, old states never (tools/link.sh). Raises AnvilError.
    """
    command = [_binary(), "--port", str(port), "--chain-id", str(chain_id), "--order", "fifo", "--auto-impersonate"]
    command += ["--gas-price", "0", "--block-base-fee-per-gas", "0", "--gas-limit", str(10**9)]
    if not history:
        command += ["--prune-history", "--transaction-block-keeper", "64"]
    if timestamp is not None:
        command += ["--timestamp", str(timestamp)]
    # A session of its own: Ctrl-C is for the caller, who stops Anvil when done with it.
    with subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=_end_with_caller if sys.platform == "linux" else None,
    ) as process:
        assert process.stdout is not None
        # Nobody reads what it prints for each request, and a full pipe would stop it.
        drain = Thread(target=process.stdout.read, daemon=True)
        try:
            uri = _address(process.stdout)
            with Rpc(uri) as rpc:
                rpc.call("anvil_setLoggingEnabled", False)
            drain.start()
            yield uri
        finally:
            process.kill()
            if drain.is_alive():
                drain.join()


_LIBC = ctypes.CDLL(None)

_SET_DEATH_SIGNAL = 1
"""What prctl(2) calls PR_SET_PDEATHSIG."""


def _end_with_caller() -> None:
    """Called in Anvil's process before it is Anvil: Linux kills it once the thread that starts it is gone."""
    _LIBC.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)


def _binary() -> str:
    """Anvil beside this Python, or on the path."""
    beside = Path(sys.executable).with_name("anvil")
    found = str(beside) if beside.exists() else shutil.which("anvil")
    if found is None:
        raise AnvilError("Anvil is not installed: run `make setup`")
    return found


def _address(output: IO[str]) -> str:
    """Where it listens, from what it prints; it prints an error and ends where it cannot."""
    said = []
    for line in output:
        if found := _LISTENING.search(line):
            return f"http://{found[1]}"
        said.append(line.strip())
    raise AnvilError(f"Anvil did not start: {' '.join(said)[:_ENOUGH] or 'it said nothing'}")
