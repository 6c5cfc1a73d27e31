"""Which markets a keeper, a relay or a solver works for, from what a person says."""

from pathlib import Path

import click
import pytest

from perennial.devnet.services import Services, save
from perennial.keeper.where import locate
from perennial.manifest import Manifest, Market

FIRST, SECOND, OTHER = ("0x" + digit * 40 for digit in "123")
NODE = "http://127.0.0.1:1"


@pytest.fixture
def network(tmp_path):
    """The path of a manifest with two markets and a relay."""
    markets = {name: Market(at, OTHER, OTHER, None, OTHER, 9) for name, at in (("BTC-USD", FIRST), ("ETH-USD", SECOND))}
    manifest = Manifest("base-sepolia", 84532, 7, OTHER, OTHER, relay="https://relay.example", markets=markets)
    manifest.save(tmp_path / "base-sepolia.json")
    return str(tmp_path / "base-sepolia.json")


def test_all_of_a_manifest(network):
    where = locate(network, NODE, [], None)

    assert (where.node, where.start, where.relay) == (NODE, 7, "https://relay.example")
    assert where.markets == [("BTC-USD", FIRST), ("ETH-USD", SECOND)]


def test_the_prices_of_a_devnet(network):
    path = Path(network)
    assert locate(network, NODE, [], None).prices is None
    save(path, Services("http://127.0.0.1:2", OTHER))
    assert locate(network, NODE, [], None).prices is None

    Manifest("devnet", 1337, 7, OTHER, OTHER).save(path)
    assert locate(network, NODE, [], None).prices == "http://127.0.0.1:2"


def test_by_name_and_by_address(network):
    where = locate(network, NODE, ["ETH-USD", f"ANOTHER={OTHER}", OTHER], 11)

    assert where.markets == [("ETH-USD", SECOND), ("ANOTHER", OTHER), (OTHER, OTHER)]
    assert where.start == 11


def test_without_a_manifest():
    where = locate(None, NODE, [OTHER], None)

    assert (where.node, where.markets, where.relay) == (NODE, [(OTHER, OTHER)], None)


@pytest.mark.parametrize(
    ("node", "market", "says"),
    [(NODE, "DOGE-USD", "no market 'DOGE-USD': it has BTC-USD, ETH-USD"), (None, "BTC-USD", "which node?")],
)
def test_what_is_missing(network, node, market, says):
    with pytest.raises(click.UsageError, match=says):
        locate(network, node, [market], None)


@pytest.mark.parametrize("market", ["ANOTHER=0x22", "ANOTHER=ETH-USD", "0x" + "22" * 19])
def test_a_mistyped_address(network, market):
    with pytest.raises(click.UsageError, match="is no address"):
        locate(network, NODE, [market], None)
