"""Which markets of which network, from what a person says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click
from eth_utils.address import is_address

from perennial.devnet.services import services_of
from perennial.manifest import DEVNET, Manifest, ManifestError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT = "devnet"

network_option = click.option(
    "--network", envvar="PERENNIAL_NETWORK", help="Whose manifest says where things are: devnet, base-sepolia, a file."
)
node_option = click.option(
    "--node", "--rpc", "node", envvar="PERENNIAL_NODE", help="Ethereum node, over HTTP; a devnet's is known."
)
"""What keeper, relay and solver are all asked with; `locate` takes the answers."""


@dataclass(frozen=True)
class Where:
    """A node's address, names and addresses of markets and vaults, the block at which they began.

    Addresses of a relay and of a devnet's prices, if known.
    """

    node: str
    markets: list[tuple[str, str]]
    start: int
    vaults: list[tuple[str, str]] = field(default_factory=list)
    is_devnet: bool = False
    relay: str | None = None
    prices: str | None = None


def locate(network: str | None, node: str | None, markets: Sequence[str], start: int | None) -> Where:
    """By a manifest; or without one, where a node is given and each market as NAME=ADDRESS. Raises click.UsageError."""
    given = [_by_address(market) for market in markets]
    if network is None and node is not None and given and all(given):
        return Where(node, [each for each in given if each], start or 0)
    try:
        manifest = Manifest.load(network or DEFAULT)
        # Anyone opens markets: one that the manifest does not have goes by its address.
        chosen = zip(given, markets, strict=True) if markets else ((None, name) for name in manifest.markets)
        named = [each or (name, manifest.market(name).address) for each, name in chosen]
    except ManifestError as error:
        raise click.UsageError(str(error)) from error
    node = node or manifest.rpc
    if node is None:
        raise click.UsageError(f"which node? {manifest.network} has none of its own: give --node")
    first = manifest.start_block if start is None else start
    vaults = [(name, vault.address) for name, vault in manifest.vaults.items()]
    is_devnet = manifest.network == DEVNET
    prices = _prices(network or DEFAULT) if is_devnet else None
    return Where(node, named, first, vaults, is_devnet=is_devnet, relay=manifest.relay, prices=prices)


def _prices(network: str) -> str | None:
    """Where a devnet's prices are; None for one that `perennial devnet` has not started."""
    try:
        return services_of(network).prices
    except ManifestError:
        return None


def _by_address(market: str) -> tuple[str, str] | None:
    """Name and address of a market that is given as NAME=ADDRESS or by its address; None for a name alone."""
    name, _, address = market.rpartition("=")
    if not name and not address.startswith("0x"):
        return None
    if not is_address(address):
        raise click.UsageError(f"{address!r} is no address: --market takes a name, NAME=ADDRESS or an address")
    return name or address, address
