"""`make gas` measures the flows and writes benchmarks/; `make gas-check` fails where one has grown since then."""

import argparse
import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from perennial.benchmarks import throughput
from perennial.benchmarks.bench import Bench
from perennial.benchmarks.flows import FLOWS
from perennial.benchmarks.references import REFERENCES
from perennial.benchmarks.trace import Breakdown, trace
from perennial.benchmarks.trace import document as document_classes
from perennial.local import connected

FOLDER = Path(__file__).resolve().parent.parent.parent / "benchmarks"

#: Part of a committed figure by which a flow may grow unnoticed: 1 / 100.
TOLERANCE = 100


def measure(breakdowns: dict[str, Breakdown] | None = None) -> dict[str, int]:
    """Gas by flow, in order of name. Starts an Anvil of its own.

    With `breakdowns`, flows are traced as well, into it; those whose figure is not a single transaction's are left out.
    """
    with connected():
        bench = Bench.deploy()
        figures = {}
        for name in sorted(FLOWS):
            with bench.copy() as copy:
                measured = FLOWS[name](copy)
                figures[name] = measured.gas
                if breakdowns is not None:
                    breakdown = trace(copy, measured.transaction)
                    if breakdown.total == measured.gas:
                        breakdowns[name] = breakdown
        return figures


def committed() -> dict[str, int]:
    """The figures in benchmarks/gas.json; none where it is not there yet."""
    path = FOLDER / "gas.json"
    figures: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    return figures


def grown(before: dict[str, int], now: dict[str, int]) -> list[str]:
    """What is wrong with `now`: a sentence for each flow that has grown, is new, or is no longer measured."""
    found = []
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            found.append(f"{name}: is committed, but no longer measured")
        elif name not in before:
            found.append(f"{name}: has no committed figure, run `make gas`")
        elif (now[name] - before[name]) * TOLERANCE > before[name]:
            found.append(f"{name}: {now[name]:,} is more than 1 % above {before[name]:,}")
    return found


def rows(figures: dict[str, int]) -> list[tuple[str, str, str, str, str, str]]:
    """The table in the order of the references: flow, gas, goal, what is left to it (negative: missed), A, B."""

    def text(gas: int | None) -> str:
        return "-" if gas is None else f"{gas:,}"

    table = []
    for name, reference in REFERENCES.items():
        if name in figures:
            gas = figures[name]
            left = f"{reference.goal - gas:+,}"
            table.append((name, text(gas), text(reference.goal), left, text(reference.a), text(reference.b)))
    return table


def document(figures: dict[str, int]) -> str:
    """benchmarks/gas.md."""
    lines = [
        "# Gas",
        "",
        "Written by `make gas` from receipts of real transactions on Anvil, through the real proxies, with a mock",
        "oracle and a mock token of 18 decimals, the live parameters of BTC-USD (data/markets.json) and their",
        "settlement fee of 1.5 USD. `perennial/benchmarks/flows.py` is what each flow does; g / l are the versions of",
        "the market / of the account that it settles. A is the release of a comparable protocol that ran in production",
        "in 2025, B its leaner first release of 2023. `make gas-check` fails where a figure has grown by over 1 %.",
        "[classes.md](classes.md) tells where the gas goes.",
        "",
        "| flow | gas | goal | left | A | B | what it does |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for name, *cells in rows(figures):
        what = (FLOWS[name].__doc__ or "").strip().removesuffix(".")
        lines.append(f"| `{name}` | {' | '.join(cells)} | {what} |")
    return "\n".join(lines) + "\n"


def show(figures: dict[str, int], seconds: float) -> None:
    """Prints the table."""
    table = Table(title="gas")
    table.add_column("flow")
    for title in ("gas", "goal", "left", "A", "B"):
        table.add_column(title, justify="right")
    for row in rows(figures):
        table.add_row(*row, style="bold red" if row[3].startswith("-") else None)
    Console(width=100).print(table, f"measured in {seconds:.0f} s")


def main() -> int:
    """Measures; writes the figures, or with --check compares them. Returns the number of complaints."""
    parser = argparse.ArgumentParser(prog="python -m perennial.benchmarks.gas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the committed figures, write nothing")
    arguments = parser.parse_args()

    start = time.monotonic()
    breakdowns: dict[str, Breakdown] = {}
    figures = measure(None if arguments.check else breakdowns)
    show(figures, time.monotonic() - start)
    if arguments.check:
        complaints = grown(committed(), figures)
        print("\n".join(complaints), file=sys.stderr)
        return len(complaints)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "gas.json").write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
    (FOLDER / "gas.md").write_text(document(figures))
    (FOLDER / "classes.md").write_text(document_classes(breakdowns))
    throughput.write(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
