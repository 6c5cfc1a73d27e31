"""HTTP applications in a thread of their own: a port that is free, up when the block begins, gone when it ends."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Server(uvicorn.Server):
    """Leaves signals to the process, which has more to end than this."""

    def install_signal_handlers(self) -> None:
        """Nothing: see the class."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: see the class."""
        yield


@contextmanager
def serving(app: Any, host: str = "127.0.0.1", port: int = 0, **options: Any) -> Iterator[str]:
    """Serves an application; gives its address. Port 0 is any that is free. Raises OSError where a port is taken."""
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Connections wait from here on: who has the address may use it at once.
        listener.listen(128)
        server = _Server(
            uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, **options)
        )
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
    finally:
        listener.close()
