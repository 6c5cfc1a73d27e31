"""Compiled contracts by name: ABI, creation and runtime bytecode, from Ape's build output.

For everything that needs a contract without Ape's start-up: in-process EVMs, size reports, scripts. The first load of a
process compiles what has changed since the last compilation, else it reads one file.
"""

import fcntl
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# What decides every contract's bytecode: compiler settings, versions of the compiler and of the imported packages.
_SETTINGS = ("ape-config.yaml", "package-lock.json")

_IMPORT = re.compile(r"""^\s*(?:import|\})[^;"']*["'](\.[^"']+)["']""", re.MULTILINE)


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


def refresh(root: Path = ROOT) -> list[str]:
    """Brings Ape's build output in line with the sources below `root`; returns what had to be compiled.

    Ape alone compiles a file when its own text has changed, so it would leave a contract stale whose library has, and
    keep one that is gone. Here a file is stale when anything it imports has changed; its entries are taken out of Ape's
    manifest, which makes Ape compile it. Safe to call from several processes: one compiles, the others wait for it.

    Raises subprocess.CalledProcessError where compilation fails, ArtifactError where a package's contract took the
    place of one of the project's.
    """
    build = root / ".build"
    build.mkdir(exist_ok=True)
    manifest, stamps = build / "__local__.json", build / "stamps.json"
    with _lock(build / "lock"):
        wanted = fingerprints(root)
        known: dict[str, str] = _read(stamps)
        built = _read(manifest)
        sources = built.get("sources", {})
        stale = [path for path, stamp in wanted.items() if known.get(path) != stamp or path not in sources]
        if not stale and known.keys() == wanted.keys():
            return []

        # Should the compilation fail, what is left is still up to date.
        fresh = wanted.keys() - set(stale)
        _write(stamps, {path: wanted[path] for path in fresh})
        if built:
            _write(manifest, _without(built, keep=fresh))
        print(f"compiling {len(stale)} contracts; all of them take about a minute, once", file=sys.stderr, flush=True)
        # What is wrong goes to the terminal; without the list of all files.
        subprocess.run([Path(sys.executable).with_name("ape"), "compile", "-v", "WARNING"], cwd=root, check=True)
        _check(_read(manifest).get("contractTypes", {}), wanted)
        _write(stamps, wanted)
        return stale


def _check(types: dict[str, dict[str, Any]], sources: Collection[str]) -> None:
    """Whether all are the project's: a package's contract of the same name could take the place of one."""
    for name, entry in types.items():
        if entry["sourceId"] not in sources:
            raise ArtifactError(f"{name} was compiled from {entry['sourceId']}: run `make clean`, then `make compile`")


def fingerprints(root: Path) -> dict[str, str]:
    """For each Solidity file of `root`, a hash of what decides its bytecode: its text, all it imports, the settings."""
    settings = hashlib.sha256(b"".join(hashlib.sha256((root / name).read_bytes()).digest() for name in _SETTINGS))
    contents = {path.resolve(): path.read_bytes() for path in sorted((root / "contracts").rglob("*.sol"))}
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    imports = {path: _imports(path, content) & contents.keys() for path, content in contents.items()}

    def stamp(path: Path) -> str:
        closure, pending = {path}, [path]
        while pending:
            fresh = imports[pending.pop()] - closure
            closure |= fresh
            pending.extend(fresh)
        lines = sorted(f"{each.relative_to(root.resolve())} {hashes[each]}" for each in closure)
        return hashlib.sha256("\n".join([settings.hexdigest(), *lines]).encode()).hexdigest()

    return {str(path.relative_to(root.resolve())): stamp(path) for path in contents}


def _imports(path: Path, content: bytes) -> set[Path]:
    """The files that relative imports of `path` name; packages are part of the settings, by their lock file."""
    return {(path.parent / name).resolve() for name in _IMPORT.findall(content.decode())}


def _without(built: dict[str, Any], keep: set[str]) -> dict[str, Any]:
    """Ape's manifest with the entries of the sources in `keep` alone."""
    types = {name: entry for name, entry in built.get("contractTypes", {}).items() if entry.get("sourceId") in keep}
    sources = {path: entry for path, entry in built.get("sources", {}).items() if path in keep}
    return {**built, "contractTypes": types, "sources": sources, "compilers": []}


@cache
def _artifacts() -> dict[str, Artifact]:
    refresh()
    types: dict[str, dict[str, Any]] = _read(ROOT / ".build" / "__local__.json").get("contractTypes", {})
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


def _read(path: Path) -> dict[str, Any]:
    """A JSON object, empty where there is no file."""
    content: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    """Replaces a JSON file in one step, so that no reader sees half of it."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content))
    partial.replace(path)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    compiled = refresh()
    print(f"compiled {len(compiled)} files" if compiled else "contracts are up to date")
