"""What vaults need, by what the chain says could be done for them (docs/protocol.md §12.2)."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from eth_abi.exceptions import DecodingError

from perennial.abi import Reverted
from perennial.chain import Contract
from perennial.keeper.vaults import CALM, Vaults
from perennial.keeper.view import Epoch, Head
from perennial.keeper.work import Kind

from .conftest import NOW

ONE, TWO = "0x" + "e1" * 20, "0x" + "e2" * 20
HEAD = Head(100, NOW, 0)
IDLE = Epoch(pending=0, settles=False, closes=False, rebalances=False)


@dataclass
class FakeVaults:
    """The chain's answers."""

    epochs: dict[str, Epoch] = field(default_factory=lambda: {ONE: IDLE, TWO: IDLE})

    def epoch(self, vault):
        return self.epochs[vault]

    def contract(self, kind, address):
        chain: Any = None
        return Contract(chain, kind, address)


@pytest.fixture
def view():
    return FakeVaults()


@pytest.fixture
def vaults(view):
    return Vaults(view, [("LP", ONE), ("LP2", TWO)])


def functions(works, view):
    names = ("closeEpoch", "settle", "rebalance")
    selectors = {view.contract("IVault", ONE).query(name).data: name for name in names}
    return [(work.to, selectors[work.data]) for work in works]


def test_nothing(vaults):
    assert list(vaults.plan(HEAD)) == []


@pytest.mark.parametrize(
    ("epoch", "function"),
    [
        (Epoch(3, settles=True, closes=False, rebalances=False), "settle"),
        (Epoch(3, settles=True, closes=True, rebalances=False), "closeEpoch"),
        (Epoch(0, settles=False, closes=False, rebalances=True), "rebalance"),
        (Epoch(3, settles=True, closes=False, rebalances=True), "rebalance"),
    ],
)
def test_one_call_a_vault(vaults, view, epoch, function):
    """The one that does the others' work as well."""
    view.epochs[TWO] = epoch
    works = list(vaults.plan(HEAD))

    assert functions(works, view) == [(TWO, function)]
    assert works[0].items[0] == (Kind.EPOCH, TWO)


def test_rebalanced_now_and_then(vaults, view):
    """Until a while has passed an epoch is settled all the same."""
    view.epochs[ONE] = Epoch(3, settles=True, closes=False, rebalances=True)
    (work,) = vaults.plan(HEAD)
    vaults.sent(work, HEAD)

    assert functions(vaults.plan(Head(101, NOW + CALM - 1, 0)), view) == [(ONE, "settle")]
    assert functions(vaults.plan(Head(102, NOW + CALM, 0)), view) == [(ONE, "rebalance")]


def test_a_planned_one_is_still_due(vaults, view):
    """Planning alone changes nothing: what was refused is tried again."""
    view.epochs[ONE] = Epoch(0, settles=False, closes=False, rebalances=True)

    assert list(vaults.plan(HEAD)) == list(vaults.plan(HEAD)) != []


@pytest.mark.parametrize("error", [Reverted("NoContract"), DecodingError("nothing")])
def test_a_vault_that_does_not_answer_keeps_nobody_back(vaults, view, monkeypatch, error):
    """Neither the next one nor, since nothing is raised, the markets of the keeper."""
    view.epochs[TWO] = Epoch(3, settles=True, closes=False, rebalances=False)
    answers = view.epoch

    def epoch(vault):
        if vault == ONE:
            raise error
        return answers(vault)

    monkeypatch.setattr(view, "epoch", epoch)
    (work,) = vaults.plan(HEAD)
    assert work.to == TWO
