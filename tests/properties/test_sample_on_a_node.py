"""A few games on Anvil: real transactions, within the gas limit of one, say the same as the EVM in process."""

from random import Random

import pytest

from perennial.anvil import anvil
from perennial.chain import Rpc
from perennial.testing.differential import Bench
from perennial.testing.games import play
from perennial.testing.node import Node

STEPS = 40


@pytest.fixture(scope="module")
def node_bench():
    with anvil() as uri, Rpc(uri) as rpc:
        yield Bench(Node(rpc))


@pytest.mark.parametrize("seed", range(6))
def test_game(node_bench, bench, seed):
    on_node = play(node_bench, Random(seed), STEPS)
    in_process = play(bench, Random(seed), STEPS)
    assert on_node.outcomes == in_process.outcomes
    assert on_node.mirror.snapshot() == in_process.mirror.snapshot()
