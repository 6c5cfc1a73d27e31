"""Gas figures: what counts as grown, and the breakdown by opcode, from a trace made by hand."""

import json
import re
from contextlib import contextmanager

import pytest
from ape.logging import logger

from perennial import artifacts, local
from perennial.benchmarks import gas, trace
from perennial.benchmarks.flows import FLOWS
from perennial.benchmarks.references import REFERENCES
from perennial.chain import Rpc


def test_every_flow_has_a_reference_and_a_committed_figure():
    assert set(FLOWS) == set(REFERENCES)
    assert set(FLOWS) == set(gas.committed())


def test_the_document_says_the_committed_figures():
    assert (gas.FOLDER / "gas.md").read_text() == gas.document(gas.committed())


def test_documents_that_repeat_a_figure_were_measured_on_the_same_code():
    """`make caps` and `make vault-gas` measure flows of `make gas` again: none is left behind."""
    caps, vaults = ((gas.FOLDER / name).read_text() for name in ("caps.md", "vaults.md"))
    said = dict(re.findall(r"^\|.*\(`(\w+)`\) \| ([\d,]+) \|$", caps, re.MULTILINE))
    ((closing, settling),) = re.findall(r"^\| 2 \| ([\d,]+) \| [\d,]+ \| ([\d,]+) \|", vaults, re.MULTILINE)
    said |= {"vault_close_epoch": closing, "vault_settle": settling}
    figures = {name: int(figure.replace(",", "")) for name, figure in said.items()}
    committed = {name: gas.committed()[name] for name in figures}

    assert len(figures) == 4
    assert gas.grown(figures, committed) == []
    assert gas.grown(committed, figures) == []


def test_figures_are_sorted():
    text = (gas.FOLDER / "gas.json").read_text()

    assert text == json.dumps(gas.committed(), indent=2, sort_keys=True) + "\n"


@pytest.mark.parametrize(
    ("before", "now", "complaint"),
    [
        ({"close": 1_000}, {"close": 1_010}, None),
        ({"close": 1_000}, {"close": 1_011}, "close: 1,011 is more than 1 % above 1,000"),
        ({"close": 1_000}, {"close": 500}, None),
        ({"close": 1_000}, {}, "close: is committed, but no longer measured"),
        ({}, {"close": 1_000}, "close: has no committed figure, run `make gas`"),
    ],
)
def test_grown(before, now, complaint):
    assert gas.grown(before, now) == ([complaint] if complaint else [])


def step(op, gas, cost, depth=1, stack=()):
    return {"op": op, "gas": gas, "gasCost": cost, "depth": depth, "stack": list(stack)}


def test_a_call_costs_what_the_callee_does_not_use():
    outer, inner = f"0x{1:040x}", f"0x{2:040x}"
    steps = [
        step("SLOAD", 1_000, 100),
        # Forwards 600; 40 of them go to the call itself, 210 are used inside.
        step("STATICCALL", 900, 640, stack=[inner, "0x0"]),
        step("SSTORE", 600, 200, depth=2),
        step("RETURN", 400, 10, depth=2),
        step("LOG1", 650, 50),
        step("STOP", 600, 0),
    ]
    receipt = {"gasUsed": hex(1_400), "to": outer}

    breakdown = trace.break_down({"structLogs": steps}, receipt, 2_000, {outer: "outer", inner: "inner"})

    assert breakdown.gas == {
        ("outer", "storage read"): 100,
        ("outer", "call"): 40,
        ("inner", "storage write"): 200,
        ("inner", "compute"): 10,
        ("outer", "log"): 50,
        ("outer", "compute"): 0,
    }
    assert breakdown.intrinsic == 1_000
    assert breakdown.refund == 0
    assert breakdown.contracts == ["inner", "outer"]


def test_the_chain_of_the_benchmarks_gives_the_steps_of_a_transaction(monkeypatch):
    found = []

    @contextmanager
    def attached(uri):
        found.append(uri)
        yield

    monkeypatch.setattr(local, "attached", attached)
    monkeypatch.setattr(artifacts, "refresh", lambda: None)
    monkeypatch.setattr(logger, "set_level", lambda _: None)
    with local.connected(), Rpc(found[0]) as rpc:
        created = {"from": rpc.call("eth_accounts")[0], "data": "0x600160005500"}
        transaction = rpc.call("eth_sendTransaction", created)
        rpc.call("evm_mine")
        traced = rpc.call("debug_traceTransaction", transaction, {})

    assert [step["op"] for step in traced["structLogs"]] == ["PUSH1", "PUSH1", "SSTORE", "STOP"]
