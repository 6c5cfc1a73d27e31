"""A long campaign of random games, contracts against mirror: `make fuzz`, or `python -m perennial.testing.fuzz --help`.

`--vault` plays with a vault over markets (`make fuzz-vault`). A game is its seed. Where one fails, it is cut down to
the fewest actions that still fail and printed as Python.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from random import Random

from perennial.testing import vault_games
from perennial.testing.differential import Bench
from perennial.testing.games import describe, run, setup, shrink
from perennial.testing.vault_differential import TwinBench

CHUNK = 25
"""Games that a process plays in one go."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays and reports; returns how many games failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--games", type=int, default=1_000, help="how many games")
    parser.add_argument("--steps", type=int, default=40, help="actions in a game")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first game")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--vault", action="store_true", help="games with a vault over markets")
    options = parser.parse_args(arguments)

    began = time.monotonic()
    seeds = range(options.seed, options.seed + options.games)
    chunks = [seeds[i : i + CHUNK] for i in range(0, len(seeds), CHUNK)]
    outcomes: Counter[str] = Counter()
    failed: list[int] = []
    with ProcessPoolExecutor(options.workers) as pool:
        play = vault_campaign if options.vault else campaign
        for counted, failures in pool.map(play, chunks, [options.steps] * len(chunks)):
            outcomes.update(counted)
            for seed, report in failures:
                failed.append(seed)
                print(f"--- seed {seed}\n{report}\n", flush=True)
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:9,}  {outcome}")
    print(
        f"seeds {seeds.start} to {seeds.stop - 1}, {options.steps} steps each: {len(failed)} mismatches {failed or ''}"
        f" in {time.monotonic() - began:.0f} s"
    )
    return len(failed)


def campaign(seeds: Sequence[int], steps: int) -> tuple[Counter[str], list[tuple[int, str]]]:
    """Plays games of these seeds; returns what happened in them, and seed and report of those that failed."""
    outcomes: Counter[str] = Counter()
    failures: list[tuple[int, str]] = []
    bench = _bench()
    for seed in seeds:
        rng = Random(seed)
        with bench.open(setup(rng)) as twin:
            try:
                run(twin, rng, steps)
            except AssertionError as error:
                fewest = shrink(bench, twin.setup, twin.actions)
                failures.append((seed, f"{error}\n{describe(twin.setup, fewest)}"))
            outcomes.update(twin.outcomes)
    return outcomes, failures


def vault_campaign(seeds: Sequence[int], steps: int) -> tuple[Counter[str], list[tuple[int, str]]]:
    """As `campaign`, with a vault."""
    outcomes: Counter[str] = Counter()
    failures: list[tuple[int, str]] = []
    bench = _vault_bench()
    for seed in seeds:
        rng = Random(seed)
        with bench.open_vault(vault_games.vault_setup(rng)) as twin:
            failed = ""
            try:
                vault_games.run(twin, rng, steps)
            except AssertionError as error:
                failed = str(error)
            outcomes.update(twin.outcomes)
        if failed:
            fewest = vault_games.shrink(bench, twin.setup, twin.actions)
            failures.append((seed, f"{failed}\n{vault_games.describe(twin.setup, fewest)}"))
    return outcomes, failures


@cache
def _bench() -> Bench:
    return Bench()


@cache
def _vault_bench() -> TwinBench:
    return TwinBench()


if __name__ == "__main__":
    raise SystemExit(min(1, main()))
