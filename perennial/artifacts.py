"""Compiled contracts by name: ABI, creation and runtime bytecode, from Ape's build output.

For everything that needs a contract without Ape's start-up: in-process EVMs, size reports, scripts. The first load of a
process compiles when a source or a compiler setting has changed since the last compilation, else it reads one file.
"""

import fcntl
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build"
MANIFEST = BUILD / "__local__.json"

# What decides the bytecode beside the contracts: compiler settings, versions of the compiler and of imported packages.
_SETTINGS = ("ape-config.yaml", "package-lock.json")


class ArtifactError(LookupError):
    """A contract is not among the compiled ones, or its bytecode cannot be used as it stands."""


@dataclass(frozen=True)
class Artifact:
    """One compiled contract.

    `creation` is the code to deploy, without constructor arguments; `runtime` is the code on chain, with zeros in the
    place of immutables. Both are empty for interfaces and abstract contracts.
    """

    name: str
    source: str
    abi: tuple[dict[str, Any], ...]
    creation: bytes
    runtime: bytes


def load(name: str) -> Artifact:
    """The artifact of contract `name`, compiled from the sources as they are now.

    Raises ArtifactError for a name that no source defines, subprocess.CalledProcessError where compilation fails.
    """
    found = _artifacts().get(name)
    if found is None:
        raise ArtifactError(f"no contract named {name!r} in {ROOT / 'contracts'}")
    return found


def load_all() -> tuple[Artifact, ...]:
    """Every artifact in order of name, interfaces and mocks among them."""
    return tuple(sorted(_artifacts().values(), key=lambda artifact: artifact.name))


def refresh() -> bool:
    """Compiles with Ape if a source or setting has changed since the last compilation; returns whether it did.

    Safe to call from several processes: one compiles, the others wait for it.
    """
    with _lock():
        fingerprint, stamp = _fingerprint(), BUILD / "fingerprint"
        if MANIFEST.exists() and stamp.exists() and stamp.read_text() == fingerprint:
            return False
        # Ape's own messages (what it compiles, compiler warnings) go to the terminal.
        subprocess.run([Path(sys.executable).with_name("ape"), "compile"], cwd=ROOT, check=True)
        stamp.write_text(fingerprint)
        return True


@cache
def _artifacts() -> dict[str, Artifact]:
    refresh()
    types: dict[str, dict[str, Any]] = json.loads(MANIFEST.read_text())["contractTypes"]
    return {name: _artifact(name, compiled) for name, compiled in types.items()}


def _artifact(name: str, compiled: dict[str, Any]) -> Artifact:
    return Artifact(
        name=name,
        source=compiled["sourceId"],
        abi=tuple(compiled["abi"]),
        creation=_bytecode(name, compiled.get("deploymentBytecode")),
        runtime=_bytecode(name, compiled.get("runtimeBytecode")),
    )


def _bytecode(name: str, entry: dict[str, Any] | None) -> bytes:
    code: str = (entry or {}).get("bytecode") or "0x"
    try:
        return bytes.fromhex(code.removeprefix("0x"))
    except ValueError as error:
        # Placeholders of libraries that would have to be linked; the project has none by design.
        raise ArtifactError(f"{name}: bytecode has unresolved library references") from error


def _fingerprint() -> str:
    """A hash over the path and content of everything that decides the bytecode."""
    digest = hashlib.sha256()
    paths = [*sorted((ROOT / "contracts").rglob("*.sol")), *(ROOT / name for name in _SETTINGS)]
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


@contextmanager
def _lock() -> Iterator[None]:
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    print("compiled" if refresh() else "contracts are up to date")
