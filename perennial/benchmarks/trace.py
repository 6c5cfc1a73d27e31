"""Where a flow's gas goes, by class of opcode and contract: `python -m perennial.benchmarks.trace market_order`."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from perennial.artifacts import load_all
from perennial.benchmarks.bench import Bench
from perennial.benchmarks.flows import FLOWS
from perennial.local import connected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Classes in the order of the table; what is in none of them is "compute": arithmetic, stack, jumps.
CLASSES = {
    "storage write": {"SSTORE"},
    "storage read": {"SLOAD"},
    "transient": {"TLOAD", "TSTORE"},
    "call": {"CALL", "STATICCALL", "DELEGATECALL", "CALLCODE"},
    "create": {"CREATE", "CREATE2"},
    "log": {"LOG0", "LOG1", "LOG2", "LOG3", "LOG4"},
    "hash": {"KECCAK256", "SHA3"},
    "account": {"BALANCE", "EXTCODESIZE", "EXTCODECOPY", "EXTCODEHASH", "SELFBALANCE"},
    "memory": {"MLOAD", "MSTORE", "MSTORE8", "MCOPY", "CALLDATACOPY", "CODECOPY", "RETURNDATACOPY"},
    "compute": set(),
}
_CLASS_OF = {opcode: name for name, opcodes in CLASSES.items() for opcode in opcodes}
_CALLS = CLASSES["call"] | CLASSES["create"]


@dataclass
class Breakdown:
    """Gas of one transaction. What an opcode costs is without what the code that it calls costs."""

    total: int
    intrinsic: int
    gas: Counter[tuple[str, str]] = field(default_factory=Counter)
    count: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def refund(self) -> int:
        """What the transaction was given back for slots that it cleared or restored."""
        return self.intrinsic + sum(self.gas.values()) - self.total

    def of_class(self, kind: str) -> int:
        """Gas of a class, over all contracts."""
        return sum(gas for (_, each), gas in self.gas.items() if each == kind)

    @property
    def contracts(self) -> list[str]:
        """Names of the code that ran, dearest first."""
        sums: Counter[str] = Counter()
        for (contract, _), gas in self.gas.items():
            sums[contract] += gas
        return [name for name, _ in sums.most_common()]


@dataclass
class _Frame:
    """Code that runs: its address, the gas it began with and has left; the call it waits for, and what that used."""

    code: str
    began: int
    left: int = 0
    call: dict[str, Any] | None = None
    used: int = 0


def break_down(trace: dict[str, Any], receipt: dict[str, Any], gas_limit: int, names: Mapping[str, str]) -> Breakdown:
    """The breakdown of a `debug_traceTransaction` with stacks. `names` by address, lower case."""
    steps = trace["structLogs"]
    result = Breakdown(int(receipt["gasUsed"], 16), gas_limit - int(steps[0]["gas"]))
    for opcode, code, cost in _costs(steps, receipt["to"].lower()):
        key = names[code], _CLASS_OF.get(opcode, "compute")
        result.gas[key] += cost
        result.count[key] += 1
    return result


def _costs(steps: list[dict[str, Any]], to: str) -> Iterator[tuple[str, str, int]]:
    """Each opcode with the address of the code that it belongs to and its own cost, calls when they return."""
    frames = [_Frame(to, int(steps[0]["gas"]))]
    for step in steps:
        gas, depth = int(step["gas"]), int(step["depth"]) - int(steps[0]["depth"])
        while len(frames) > depth + 1:
            ended = frames.pop()
            frames[-1].used = ended.began - ended.left
        if len(frames) <= depth:
            frames.append(_Frame(_callee(frames[-1].call), gas))
        frame = frames[-1]
        if frame.call is not None:
            yield frame.call["op"], frame.code, int(frame.call["gas"]) - gas - frame.used
            frame.call, frame.used = None, 0
        if step["op"] in _CALLS:
            frame.call = step
        else:
            frame.left = gas - int(step["gasCost"])
            yield step["op"], frame.code, int(step["gasCost"])


def _callee(call: dict[str, Any] | None) -> str:
    """Address of the code that a call runs; "created" for a constructor."""
    if call is None or call["op"] in CLASSES["create"]:
        return "created"
    return f"0x{int(call['stack'][-2], 16) % 2**160:040x}"


def trace(bench: Bench, transaction: str) -> Breakdown:
    """Where the gas of a transaction on the bench's Anvil went."""
    import ape

    request = ape.networks.provider.make_request
    options = {"disableStorage": True, "disableMemory": True, "enableMemory": False}
    traced = request("debug_traceTransaction", [transaction, options])
    receipt = request("eth_getTransactionReceipt", [transaction])
    limit = int(request("eth_getTransactionByHash", [transaction])["gas"], 16)
    return break_down(traced, receipt, limit, _Names(bench))


class _Names(dict[str, str]):
    """Names of code by address: the contract of the project that it was compiled from, else a short address."""

    def __init__(self, bench: Bench) -> None:
        super().__init__({str(bench.market.address).lower(): "market's proxy"})

    def __missing__(self, address: str) -> str:
        import ape

        if len(address) != len("0x") + 40:
            return address
        code = bytes.fromhex(ape.networks.provider.make_request("eth_getCode", [address, "latest"])[2:])
        self[address] = next((each.name for each in load_all() if _compiled_from(code, each.runtime)), address[:8])
        return self[address]


def _compiled_from(code: bytes, runtime: bytes) -> bool:
    """Whether code on chain is this runtime code, which has zeros in the place of immutables."""
    return len(code) == len(runtime) and all(a in (b, 0) for a, b in zip(runtime, code, strict=True))


def show(name: str, breakdown: Breakdown) -> None:
    """Prints classes down, contracts across; each cell gas and number of opcodes."""
    contracts = breakdown.contracts
    table = Table(title=f"{name}: {breakdown.total:,} gas (number of opcodes in brackets)")
    table.add_column("class")
    for title in ("gas", "share", *contracts):
        table.add_column(title, justify="right")
    for kind in CLASSES:
        gas = breakdown.of_class(kind)
        if not gas:
            continue
        cells = [
            f"{breakdown.gas[contract, kind]:,} ({breakdown.count[contract, kind]})"
            if breakdown.count[contract, kind]
            else ""
            for contract in contracts
        ]
        table.add_row(kind, f"{gas:,}", f"{gas / breakdown.total:.0%}", *cells)
    table.add_row("transaction", f"{breakdown.intrinsic:,}", f"{breakdown.intrinsic / breakdown.total:.0%}")
    table.add_row("refund", f"{-breakdown.refund:,}")
    Console(width=150).print(table)


def document(breakdowns: dict[str, Breakdown]) -> str:
    """benchmarks/classes.md."""
    kinds = [kind for kind in CLASSES if any(each.of_class(kind) for each in breakdowns.values())]
    lines = [
        "# Where the gas goes",
        "",
        "Written by `make gas`: the gas of each flow by class of opcode, from traces of the transactions that",
        "[gas.md](gas.md) measures. `transaction` is what a transaction and its calldata cost before any code runs;",
        "`compute` is arithmetic, stack and jumps. `python -m perennial.benchmarks.trace market_order` tells contracts",
        "apart, too.",
        "",
        f"| flow | gas | transaction | {' | '.join(kinds)} |",
        f"| --- |{' ---: |' * (len(kinds) + 2)}",
    ]
    for name, each in breakdowns.items():
        cells = [each.total, each.intrinsic, *(each.of_class(kind) for kind in kinds)]
        lines.append(f"| `{name}` | {' | '.join(f'{gas:,}' for gas in cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Traces the flow named on the command line, on an Anvil of its own."""
    parser = argparse.ArgumentParser(prog="python -m perennial.benchmarks.trace", description=__doc__)
    parser.add_argument("flow", choices=sorted(FLOWS))
    name = parser.parse_args().flow
    with connected():
        bench = Bench.deploy()
        show(name, trace(bench, FLOWS[name](bench).transaction))


if __name__ == "__main__":
    main()
