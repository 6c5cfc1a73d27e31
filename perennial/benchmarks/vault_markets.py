"""`make vault-gas`: what an epoch of a vault costs over 1, 2, 4 and 8 markets; writes benchmarks/vaults.md."""

from perennial.benchmarks.bench import Bench
from perennial.benchmarks.flows import close_epoch, settle_epoch
from perennial.benchmarks.gas import FOLDER
from perennial.benchmarks.vault import VaultBench
from perennial.local import connected

COUNTS = (1, 2, 4, 8)


def measure() -> dict[int, tuple[int, int]]:
    """Gas of closing and of settling an epoch, by the number of markets. Starts an Anvil of its own."""
    figures = {}
    with connected():
        bench = Bench.deploy()
        for count in COUNTS:
            with bench.copy() as copy:
                closing = close_epoch(VaultBench.deploy(copy, count)).gas
            with bench.copy() as copy:
                figures[count] = closing, settle_epoch(VaultBench.deploy(copy, count)).gas
    return figures


def document(figures: dict[int, tuple[int, int]]) -> str:
    """benchmarks/vaults.md."""
    lines = [
        "# Epochs of a vault",
        "",
        "Written by `make vault-gas`: the flows `vault_close_epoch` and `vault_settle` of [gas.md](gas.md), over more",
        "markets and fewer. `more a market` is what each market beyond those of the row before adds.",
        "",
        "| markets | close | more a market | settle | more a market |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    before = 0
    for count, figure in figures.items():
        cells = [f"{count}"]
        for gas, old in zip(figure, figures.get(before, figure), strict=True):
            cells += [f"{gas:,}", f"{(gas - old) // (count - before):,}" if before else "-"]
        lines.append(f"| {' | '.join(cells)} |")
        before = count
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measures and writes."""
    text = document(measure())
    (FOLDER / "vaults.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
