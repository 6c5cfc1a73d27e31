"""Fills a second that Base has room for, from measured gas: `make throughput` prints it and keeps it in the README."""

from __future__ import annotations

import json
import sys
from pathlib import Path

# Base, as of its documentation's pages "Throughput and Limits" and "Network Fees" (docs.base.org, 2026).
BLOCK_GAS = 400_000_000
"""Gas that a block of Base takes at most."""

ELASTICITY = 6
"""A block's limit is this many times its target, above which the base fee rises (EIP-1559)."""

BLOCK_SECONDS = 2
"""Seconds between two blocks of Base."""

FLOWS = {
    "fill": "fill, one a transaction",
    "cross": "cross, one a transaction",
    "fill_batch_20_traders": "fill, twenty of as many traders",
    "fill_batch_20": "fill, twenty of one pair",
}
"""What is counted, where it is measured: figures of batches are per fill."""

WIDTH = max(map(len, FLOWS.values()))

ROOT = Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- throughput: written by `make throughput` -->\n", "<!-- /throughput -->\n"


def per_second(gas: int, block_gas: int) -> int:
    """How many of what costs so much gas fit into blocks with so much room, a second, rounded down."""
    return block_gas // gas // BLOCK_SECONDS


def document(figures: dict[str, int]) -> str:
    """The table of the README, of gas by flow."""
    lines = [
        f"| {'what':{WIDTH}} |     gas | a second at the target | at the limit |",
        f"| {'-' * WIDTH} | ------: | ---------------------: | -----------: |",
    ]
    for name, what in FLOWS.items():
        if name in figures:
            gas = figures[name]
            target, limit = per_second(gas, BLOCK_GAS // ELASTICITY), per_second(gas, BLOCK_GAS)
            lines.append(f"| {what:{WIDTH}} | {gas:7,} | {target:22,} | {limit:12,} |")
    return "\n".join(lines) + "\n"


def write(figures: dict[str, int], readme: Path = README) -> None:
    """Puts the table between its marks in the README. ValueError where they are missing."""
    before, _, rest = readme.read_text().partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{readme} has no place for the throughput")
    readme.write_text(before + BEGIN + document(figures) + END + after)


def main() -> int:
    """Prints the table of the committed figures, and writes it to the README."""
    figures = json.loads((ROOT / "benchmarks" / "gas.json").read_text())
    print(document(figures), end="")
    write(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
