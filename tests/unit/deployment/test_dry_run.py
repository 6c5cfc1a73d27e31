"""A dry run tells what a run would do and cost, and sends nothing."""

import io

import pytest
from rich.console import Console

from perennial.artifacts import load
from perennial.deployment import network
from perennial.deployment.code import immutables, is_code_of, values
from perennial.deployment.dry_run import dry_run, ether, show
from perennial.deployment.plan import plan
from perennial.deployment.run import addresses_of
from perennial.keeper.rollup import GAS_PRICE_ORACLE, Source


@pytest.fixture
def other(terms):
    """The same protocol under another salt: nothing of it is there."""
    return network.parse(terms | {"salt": "other"})


def printed(run):
    text = io.StringIO()
    show(run, Console(file=text, width=160))
    return text.getvalue()


def test_gas_is_what_the_transactions_take(node, terms, deployer, tmp_path):
    from perennial.deployment import deploy

    file = network.parse(terms | {"salt": "other"})
    run = dry_run(plan(file, deployer.address), node.chain)
    before = node.nonce(deployer)

    lines: list[str] = []
    deploy(file, node.rpc, deployer, path=tmp_path / "other.json", report=lines.append)

    taken = [int(line.split("gas ")[1].replace(",", "")) for line in lines]
    assert [run.costs[step.name].gas for step in run.left] == taken
    assert before == node.steps


def test_it_shows_addresses_calls_and_costs_and_sends_nothing(node, other, deployer):
    planned = plan(other, deployer.address)
    text = printed(dry_run(planned, node.chain))

    assert all(contract.address in text for contract in planned.contracts.values())
    assert all(step.name in text for step in planned.steps)
    assert "no data fees: this chain has no gas price oracle" in text
    assert node.nonce(deployer) == node.steps


def test_what_is_there_costs_nothing(node, deployer):
    run = dry_run(plan(node.network, deployer.address, addresses_of(node.manifest)), node.chain)

    assert (run.left, run.total) == ((), 0)
    assert "0 of" in printed(run)


def test_data_fees_are_the_gas_price_oracles(node, other, deployer):
    node.rpc.call("anvil_setCode", GAS_PRICE_ORACLE, "0x" + load("MockGasPriceOracle").runtime.hex())
    run = dry_run(plan(other, deployer.address), node.chain)

    sources = {cost.data.source for cost in run.costs.values()}
    assert Source.NONE not in sources
    assert "data fee" in printed(run)


def test_a_gas_price_oracle_that_reverts_is_said(node, other, deployer):
    node.rpc.call("anvil_setCode", GAS_PRICE_ORACLE, "0xfe")

    assert "data fees are missing: the gas price oracle is there and answers nothing" in printed(
        dry_run(plan(other, deployer.address), node.chain)
    )


def test_too_little_ether_is_said(node, other, deployer):
    node.rpc.call("anvil_setBalance", deployer.address, "0x1")
    run = dry_run(plan(other, deployer.address), node.chain)
    text = printed(run)

    assert ("that is too little" in text) == (run.total > 1)
    assert "has 0.000000000000000001" in text


@pytest.mark.parametrize(("wei", "text"), [(0, "0"), (1, "0.000000000000000001"), (15 * 10**17, "1.5"), (10**18, "1")])
def test_ether_is_exact(wei, text):
    assert ether(wei) == text


def test_code_is_compared_without_immutables_and_metadata(node):
    code = bytes.fromhex(node.rpc.call("eth_getCode", node.manifest.address("Market"), "latest")[2:])

    assert code != load("Market").runtime
    assert is_code_of("Market", code)
    known = {int(each.address, 16) for each in node.manifest.contracts.values()}
    assert set(values("Market", code)) <= known
    other_sources = code[:-40] + bytes(byte ^ 1 for byte in code[-40:-20]) + code[-20:]
    assert is_code_of("Market", other_sources)
    assert not is_code_of("Market", code[:50] + bytes([code[50] ^ 1]) + code[51:])
    assert not is_code_of("Market", code[:-1])
    assert not is_code_of("MarketIntents", code)


def test_every_immutable_is_found():
    # Factory, extension and intents in Market; nothing in what has none.
    assert len(immutables("Market")) >= 3
    assert immutables("Timelock") == ()
