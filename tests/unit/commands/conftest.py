"""Commands against a market on Anvil, as a person calls them."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from perennial.amounts import raw
from perennial.cli import main
from perennial.local import FREE, NOBODY, LocalMarket
from perennial.testing.manifests import write_manifest

PRICE = raw(60_000)


@pytest.fixture(scope="module")
def local(chain, accounts):  # noqa: ARG001 -- needs Ape's connection
    local = LocalMarket.deploy(PRICE)
    local.market.update(local.maker, raw(10), 0, raw(1_000_000), NOBODY, sender=local.maker, **FREE)
    local.commit(PRICE)
    return local


@pytest.fixture
def network(local, chain, tmp_path):
    """The path of a manifest."""
    return str(write_manifest(local, chain.provider.http_uri, tmp_path / "local.json", chain.chain_id))


@pytest.fixture
def run(network):
    """Runs a command as account 4, who has tokens."""

    def run(*arguments, **environment):
        given = {"PERENNIAL_NETWORK": network, "PERENNIAL_ACCOUNT": "4", "PERENNIAL_NODE": None, **environment}
        return CliRunner(mix_stderr=False, env=given).invoke(main, arguments)

    return run
