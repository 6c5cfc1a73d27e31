"""A vault over two markets on Anvil, and the client of its protocol."""

from __future__ import annotations

import pytest

from perennial.client import Protocol
from perennial.testing.vaults import LocalVaults
from perennial.vaults import Definition, MarketTerms

DEFINITION = Definition(
    asset="mUSD",
    name="BTC and ETH liquidity",
    symbol="LP",
    min_deposit="100",
    deposit_cap="1000000",
    profit_share="0.1",
    tolerance="0.1",
    markets=(MarketTerms("BTC-USD", 3, "2"), MarketTerms("ETH-USD", 1, "4")),
)


@pytest.fixture(scope="session")
def world(chain, accounts):  # noqa: ARG001 -- needs Ape's connection
    return LocalVaults.deploy()


@pytest.fixture
def network(world, chain, tmp_path):
    """The path of a manifest."""
    return str(world.manifest(chain.provider.http_uri, tmp_path / "local.json", chain.chain_id))


@pytest.fixture
def protocol(network):
    with Protocol.connect(network) as protocol:
        yield protocol


@pytest.fixture
def vault(protocol, world):
    """A vault over both markets whose coordinator is the owner."""
    return protocol.vault(protocol.create_vault(world.local.owner, DEFINITION).address)


@pytest.fixture
def depositor(world):
    return world.local.trader


@pytest.fixture
def keeper(world):
    return world.local.owner


@pytest.fixture
def turn(vault, world, keeper):
    """Closes the epoch, lets the prices come, settles it."""

    def turn(**prices):
        vault.close_epoch(keeper)
        world.commit(**prices)
        return vault.settle(keeper)

    return turn
