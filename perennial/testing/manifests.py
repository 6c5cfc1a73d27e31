"""The manifest of a market for tests, so that commands find it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.manifest import Deployed, Manifest, Market, Token

if TYPE_CHECKING:
    from pathlib import Path

    from perennial.local import LocalMarket


def write_manifest(local: LocalMarket, rpc: str, path: Path, chain_id: int) -> Path:
    """Writes the manifest of a local market on a node to a file; returns its path."""
    factory, market = local.protocol.market_factory.address, local.market
    manifest = Manifest(
        network="local",
        chain_id=chain_id,
        start_block=0,
        owner=local.owner.address,
        pauser=local.owner.address,
        rpc=rpc,
        contracts={"MarketFactory": Deployed(factory, None, None, [], "")},
        tokens={"mUSD": Token(local.token.address, 18)},
        markets={
            "BTC-USD": Market(
                market.address, local.token.address, local.oracle.address, None, local.owner.address, None
            )
        },
    )
    manifest.save(path)
    return path
