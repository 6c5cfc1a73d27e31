"""deploy_protocol: the whole protocol in one call (docs/protocol.md §15)."""

import pytest

from perennial import parameters
from perennial.chain import Chain, Rpc
from perennial.deploy import deploy_protocol
from perennial.deployment import network
from perennial.deployment.plan import plan
from perennial.local import register_oracle

NOBODY = "0x" + "0" * 40


@pytest.fixture
def owner(operator, chain):
    """Deploys and owns; what a test does is taken back."""
    with chain.isolate():
        yield operator


def test_every_contract_of_a_network_is_there(owner, chain):
    protocol = deploy_protocol(owner)

    made = {
        "OracleFactory": protocol.oracle_factory,
        "PayoffFactory": protocol.payoff_factory,
        "MockPyth": protocol.pyth,
        "PythOracle": protocol.pyth_oracle,
        "ChainlinkOracle": protocol.chainlink_oracle,
        "MarketFactory": protocol.market_factory,
        "Verifier": protocol.verifier,
        "Market": protocol.market_implementation,
        "MarketExtension": protocol.market_extension,
        "MarketIntents": protocol.market_intents,
        "VaultFactory": protocol.vault_factory,
        "Vault": protocol.vault_implementation,
        "VaultEpochs": protocol.vault_epochs,
    }
    planned = plan(network.load("local"), owner.address).contracts
    assert made.keys() == {each.artifact for each in planned.values()} - {"MockToken"}
    with Rpc(chain.provider.http_uri) as rpc:
        assert all(len(Chain(rpc).rpc.call("eth_getCode", each.address, "latest")) > 2 for each in made.values())
    assert {name: each.contract_type.name for name, each in made.items()} == {name: name for name in made}


def test_they_know_each_other_and_belong_to_the_owner(owner):
    protocol = deploy_protocol(owner)

    factory, oracles, vaults = protocol.market_factory, protocol.oracle_factory, protocol.vault_factory
    assert factory.implementation() == protocol.market_implementation.address
    assert factory.verifier() == protocol.verifier.address
    assert (factory.oracleFactory(), factory.payoffFactory()) == (oracles.address, protocol.payoff_factory.address)
    assert (factory.pauser(), factory.paused()) == (NOBODY, False)
    assert oracles.marketFactory() == factory.address
    assert all(oracles.isAdapter(adapter) for adapter in (protocol.pyth_oracle, protocol.chainlink_oracle))
    assert vaults.implementation() == protocol.vault_implementation.address
    owned = (factory, oracles, vaults, protocol.pyth_oracle, protocol.chainlink_oracle)
    assert {contract.owner() for contract in owned} == {owner.address}
    live = parameters.live_protocol()
    assert [factory.parameter()[name] for name in live] == list(live.values())


def test_pyth_that_is_there_is_used(owner, project):
    there = owner.deploy(project.MockPyth, 120, 7)

    by_address = deploy_protocol(owner, pyth=there.address)
    by_contract = deploy_protocol(owner, pyth=there)

    for protocol in (by_address, by_contract):
        assert protocol.pyth.address == there.address == protocol.pyth_oracle.pyth()
        assert protocol.pyth.getUpdateFee([b"one", b"two"]) == 14


def test_each_call_makes_another_protocol(owner):
    first, second = deploy_protocol(owner), deploy_protocol(owner)

    for name in ("oracle_factory", "payoff_factory", "market_factory", "vault_factory", "pyth"):
        assert getattr(first, name).address != getattr(second, name).address


def test_bounds_are_those_that_are_given(owner):
    wide = parameters.live_protocol() | {"maxFee": 100_000}

    assert deploy_protocol(owner, parameter=wide).market_factory.parameter().maxFee == 100_000


def test_a_stranger_opens_a_market_and_a_vault(owner, stranger, create_token):
    protocol, token = deploy_protocol(owner), create_token()

    market = protocol.create_market(token, register_oracle(protocol), coordinator=stranger)
    receipt = protocol.vault_factory.create(token, "Liquidity", "LP", (1, 10**24, 0, 50_000), sender=stranger)

    assert market.coordinator() == stranger.address
    vault = next(iter(receipt.decode_logs(protocol.vault_factory.VaultCreated))).vault
    assert protocol.vault_factory.isVault(vault)
