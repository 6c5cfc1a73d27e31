"""Which markets a keeper and `perennial status` mean: by name, or by address where the manifest does not have them."""

import click
import pytest

from perennial.keeper.where import locate
from perennial.manifest import Manifest, Market

KNOWN, STRANGERS = "0x" + "11" * 20, "0x" + "22" * 20
NODE, OTHER = "http://127.0.0.1:1", "http://127.0.0.1:2"


@pytest.fixture
def network(tmp_path):
    """The path of a manifest with one market."""
    market = Market(KNOWN, "0x" + "33" * 20, "0x" + "44" * 20, None, "0x" + "55" * 20, 7)
    path = tmp_path / "some.json"
    Manifest("some", 84532, 5, KNOWN, KNOWN, rpc=NODE, markets={"BTC-USD": market}).save(path)
    return str(path)


def test_all_of_the_manifest_where_none_is_named(network):
    where = locate(network, None, (), None)

    assert (where.node, where.markets, where.start) == (NODE, [("BTC-USD", KNOWN)], 5)


def test_a_strangers_market_goes_by_its_address_beside_those_of_the_manifest(network):
    where = locate(network, OTHER, ("BTC-USD", f"BTC-2={STRANGERS}", STRANGERS), 9)

    assert where.markets == [("BTC-USD", KNOWN), ("BTC-2", STRANGERS), (STRANGERS, STRANGERS)]
    assert (where.node, where.start) == (OTHER, 9)


def test_with_addresses_alone_a_node_is_enough():
    where = locate(None, NODE, (f"BTC-2={STRANGERS}",), None)

    assert (where.node, where.markets, where.start) == (NODE, [("BTC-2", STRANGERS)], 0)


def test_a_name_that_nobody_knows_is_refused(network):
    with pytest.raises(click.UsageError, match="no market 'ETH-USD': it has BTC-USD"):
        locate(network, None, ("ETH-USD",), None)


@pytest.mark.parametrize("market", ["BTC-2=0x22", "BTC-2=ETH-USD", "0x" + "22" * 19])
def test_a_mistyped_address_is_refused(network, market):
    with pytest.raises(click.UsageError, match="is no address"):
        locate(network, None, (market,), None)
