"""Storage layouts of what can be upgraded, and whether a field of one has moved (docs/protocol.md §3.4).

`python -m perennial.layout` writes layouts/storage.json, `--check` compares the sources with it: a field that has
another slot, offset or type than in the file fails, and so does one that is gone; new fields may follow at the end.
Storage is namespaced, so the compiler is given a contract whose only state is the struct. What is packed into a word by
hand is one field here; its bits are drawn in contracts/types.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from typing import Any

from perennial.artifacts import ROOT

FILE = ROOT / "layouts" / "storage.json"

ROOTS = {
    "Market": ("contracts/market/MarketStorage.sol", "MarketStorage"),
    "Vault": ("contracts/vault/VaultStorage.sol", "VaultStorage"),
}
"""Behind each beacon: the file that defines its storage, and the struct at the namespace's slot."""

ORDINARY = {
    name: f"contracts/{folder}{name}.sol"
    for folder, names in (("", ("Market", "MarketExtension", "MarketIntents")), ("vault/", ("Vault", "VaultEpochs")))
    for name in names
}
"""Contracts that run over that storage: what they and their parents keep in slots from 0 on must not move either."""

_LAYOUTS = tuple(f"{name}Layout.sol" for name in ROOTS)

Layout = dict[str, str]
"""Path of a field ("accounts[].state") to where it is ("slot 3, byte 0, uint256")."""

_NAMESPACE = re.compile(r"^bytes32 constant (\w+_STORAGE) = (0x[0-9a-f]{64});", re.MULTILINE)


class MovedError(RuntimeError):
    """Fields are not where the file says: a market that runs would read other fields in their place."""


def layouts() -> dict[str, Layout]:
    """The layouts of the sources as they are. Raises RuntimeError where they do not compile."""
    sources = {
        str(path.relative_to(ROOT)): {"content": path.read_text()}
        for path in sorted((ROOT / "contracts").rglob("*.sol"))
    }
    for name, (path, struct) in ROOTS.items():
        text = f"import {{ {struct} }} from './{path}'; contract {name}Layout {{ {struct} internal state; }}"
        sources[f"{name}Layout.sol"] = {"content": f"// SPDX-License-Identifier: Apache-2.0\npragma solidity *; {text}"}
    settings = {
        "outputSelection": {path: {"*": ["storageLayout"]} for path in (*_LAYOUTS, *ORDINARY.values())},
        "remappings": ["@openzeppelin/contracts=node_modules/@openzeppelin/contracts"],
    }
    wanted = {path: sources[path] for path in _closure(sources)}
    compiled = _compile({"language": "Solidity", "sources": wanted, "settings": settings})["contracts"]
    found = {}
    for name, (path, _) in ROOTS.items():
        spaces = dict(_NAMESPACE.findall(sources[path]["content"]))
        found[f"{name} at its namespace"] = spaces | _flat(
            compiled[f"{name}Layout.sol"][f"{name}Layout"]["storageLayout"]
        )
    for name, path in ORDINARY.items():
        found[name] = _flat(compiled[path][name]["storageLayout"])
    return found


def compare(before: Layout, now: Layout) -> list[str]:
    """What of a layout has moved or is gone, a line each."""
    return [
        f"{field}: {place} in the file, {now.get(field, 'gone')} in the sources"
        for field, place in before.items()
        if now.get(field) != place
    ]


def check(recorded: dict[str, Layout], found: dict[str, Layout]) -> None:
    """Raises MovedError with every field that has moved, and where the file lacks one that is new."""
    lines = [
        f"{contract} {line}"
        for contract, layout in recorded.items()
        for line in compare(layout, found.get(contract, {}))
    ]
    if lines:
        raise MovedError("\n".join(["storage has moved:", *lines]))
    new = [
        f"{contract} {field}"
        for contract, layout in found.items()
        for field in layout.keys() - recorded.get(contract, {})
    ]
    if new:
        raise MovedError("\n".join(["new fields, run `make layout`:", *sorted(new)]))


def recorded() -> dict[str, Layout]:
    """The layouts of the file; none where there is none."""
    content: dict[str, Layout] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return content


def write(found: dict[str, Layout], *, moved: bool) -> None:
    """Writes the file. Raises MovedError for what has moved, unless that is meant (`moved`)."""
    if not moved:
        before = recorded()
        known = {
            name: {field: place for field, place in found.get(name, {}).items() if field in before[name]}
            for name in before
        }
        check(before, known)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(found, indent=1) + "\n")


def _flat(layout: dict[str, Any]) -> Layout:
    """Every field and what is inside, by path. Elements of arrays and mappings count from their own slot."""
    types, found = layout["types"] or {}, {}

    def walk(path: str, kind: str, slot: int, offset: int) -> None:
        entry = types[kind]
        if "members" in entry:
            for member in entry["members"]:
                name = f"{path}.{member['label']}" if path else member["label"]
                walk(name, member["type"], slot + int(member["slot"]), member["offset"])
            return
        found[path] = f"slot {slot}, byte {offset}, {entry['label']}"
        inner, depth = entry.get("value") or entry.get("base"), 1
        while inner is not None and "members" not in types[inner]:
            inner, depth = types[inner].get("value") or types[inner].get("base"), depth + 1
        if inner is not None:
            walk(path + "[]" * depth, inner, 0, 0)

    for variable in layout["storage"]:
        # The struct that stands for a namespace has no name of its own.
        name = "" if variable["contract"].split(":")[0] in _LAYOUTS else variable["label"]
        walk(name, variable["type"], int(variable["slot"]), variable["offset"])
    return found


def _closure(sources: dict[str, dict[str, str]]) -> set[str]:
    """The layouts' contracts and all that they import within the project."""
    pending, found = [*_LAYOUTS, *ORDINARY.values()], set()
    while pending:
        path = pending.pop()
        if path in found:
            continue
        found.add(path)
        names = re.findall(r"""from\s+["'](\.[^"']+)["']""", sources[path]["content"])
        pending += [str((ROOT / path).parent.joinpath(name).resolve().relative_to(ROOT)) for name in names]
    return found


def _compile(request: dict[str, Any]) -> dict[str, Any]:
    """Runs the project's compiler."""
    compiler = next((ROOT / ".solcx").glob("solc-v*[0-9]"))
    command = [str(compiler), "--standard-json", "--base-path", str(ROOT)]
    answer = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=True, cwd=ROOT)
    compiled: dict[str, Any] = json.loads(answer.stdout)
    errors = [error["formattedMessage"] for error in compiled.get("errors", []) if error["severity"] == "error"]
    if errors:
        raise RuntimeError("\n".join(errors))
    return compiled


def main() -> int:
    """Writes or checks; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--moved", action="store_true", help="write although fields have moved: before a first release")
    options = parser.parse_args()
    found = layouts()
    try:
        if options.check:
            check(recorded(), found)
        else:
            write(found, moved=options.moved)
    except MovedError as error:
        print(error, file=sys.stderr)
        return 1
    count = sum(len(layout) for layout in found.values())
    print(f"{count} fields {'are where they were' if options.check else f'in {FILE.relative_to(ROOT)}'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
