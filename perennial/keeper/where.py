"""Which markets of which network, from what a person says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from perennial.manifest import DEVNET, Manifest, ManifestError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT = "devnet"


@dataclass(frozen=True)
class Where:
    """A node's address, names and addresses of markets and vaults, the block at which they began, a relay if known."""

    node: str
    markets: list[tuple[str, str]]
    start: int
    vaults: list[tuple[str, str]] = field(default_factory=list)
    is_devnet: bool = False
    relay: str | None = None


def locate(network: str | None, node: str | None, markets: Sequence[str], start: int | None) -> Where:
    """By a manifest, or without one where each market is given as NAME=ADDRESS. Raises click.UsageError."""
    given = [(name or address, address) for name, _, address in (market.rpartition("=") for market in markets)]
    is_free = bool(given) and all(address.startswith("0x") for _, address in given)
    if network is None and node is not None and is_free:
        return Where(node, given, start or 0)
    try:
        manifest = Manifest.load(network or DEFAULT)
        wanted = given or [(name, name) for name in manifest.markets]
        named = [(name, at if at.startswith("0x") else manifest.market(at).address) for name, at in wanted]
    except ManifestError as error:
        raise click.UsageError(str(error)) from error
    node = node or manifest.rpc
    if node is None:
        raise click.UsageError(f"which node? {manifest.network} has none of its own: give --node")
    first = manifest.start_block if start is None else start
    vaults = [(name, vault.address) for name, vault in manifest.vaults.items()]
    return Where(node, named, first, vaults, is_devnet=manifest.network == DEVNET, relay=manifest.relay)
