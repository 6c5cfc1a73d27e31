"""`make size`: the runtime size of every deployable contract, and an error for one that no chain would accept."""

import sys

from rich.console import Console
from rich.table import Table

from perennial.artifacts import Artifact, load_all

LIMIT = 24_576
"""Bytes of runtime code that a contract may have (EIP-170)."""


def measure(artifacts: tuple[Artifact, ...]) -> dict[str, int]:
    """Bytes of runtime code by name, largest first; interfaces and abstract contracts have none."""
    sizes = {artifact.name: len(artifact.runtime) for artifact in artifacts if artifact.runtime}
    return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))


def main() -> int:
    """Prints the table; returns the number of contracts above the limit."""
    sizes = measure(load_all())
    table = Table("contract", title="runtime code, bytes")
    table.add_column("size", justify="right")
    table.add_column("room", justify="right")
    for name, size in sizes.items():
        table.add_row(name, f"{size:,}", f"{LIMIT - size:,}", style="bold red" if size > LIMIT else None)
    Console().print(table)
    over = [name for name, size in sizes.items() if size > LIMIT]
    if over:
        print(f"above {LIMIT:,} bytes: {', '.join(over)}", file=sys.stderr)
    return len(over)


if __name__ == "__main__":
    sys.exit(main())
