"""A vault over two local markets on Anvil, with the manifest that clients and commands read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial.amounts import raw
from perennial.local import FREE, NOBODY, START, STEP, LocalMarket, register_oracle
from perennial.manifest import Deployed, Manifest, Market
from perennial.testing.manifests import write_manifest

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from ape.contracts import ContractInstance

PRICES = {"BTC-USD": raw(60_000), "ETH-USD": raw(3_000)}


@dataclass
class LocalVaults:
    """BTC-USD and ETH-USD of one token of 18 decimals, each with a maker, and a VaultFactory.

    `local` has the actors and the market of BTC-USD; `oracles` price both.
    """

    local: LocalMarket
    factory: ContractInstance
    markets: dict[str, ContractInstance]
    oracles: dict[str, ContractInstance]

    @classmethod
    def deploy(cls) -> LocalVaults:
        """Deploys everything; needs a connection."""
        local = LocalMarket.deploy(PRICES["BTC-USD"])
        oracle = register_oracle(local.protocol)
        oracle.set(START, PRICES["ETH-USD"], True, START + STEP, sender=local.owner, **FREE)
        terms = {"risk": local.risk, "parameter": local.parameter}
        second = local.protocol.create_market(local.token, oracle, **terms)
        local.fund(second, local.maker, local.long, local.short)
        world = cls(
            local,
            local.protocol.vault_factory,
            {"BTC-USD": local.market, "ETH-USD": second},
            {"BTC-USD": local.oracle, "ETH-USD": oracle},
        )
        for market in world.markets.values():
            market.update(local.maker, raw(10), 0, raw(1_000_000), NOBODY, sender=local.maker, **FREE)
        world.commit()
        return world

    def commit(self, **prices: int) -> None:
        """Each market gets its current version, at the price given (`BTC=…`, raw), else at the one before."""
        self._next(tuple(self.oracles), prices)

    def skip(self, *names: str) -> None:
        """As `commit` for these markets alone: the versions of the others stay open."""
        self._next(names, {})

    @property
    def current(self) -> int:
        """Version that an order placed now settles at, in both markets: the chain's, which may be set back."""
        return int(self.local.oracle.status()[1])

    def _next(self, names: Collection[str], prices: dict[str, int]) -> None:
        version, owner = self.current, self.local.owner
        for name, oracle in self.oracles.items():
            if name in names:
                price = prices.get(name.split("-")[0], oracle.status()[0][1])
                oracle.set(version, price, True, version + STEP, sender=owner, **FREE)
            else:
                oracle.setCurrent(version + STEP, sender=owner, **FREE)

    def manifest(self, rpc: str, path: Path, chain_id: int, **vaults: Any) -> Path:
        """Writes the manifest; `vaults` are entries by name."""
        write_manifest(self.local, rpc, path, chain_id)
        manifest = Manifest.read(path)
        manifest.contracts["VaultFactory"] = Deployed(self.factory.address, None, None, [], "")
        first = manifest.markets["BTC-USD"]
        for name, market in self.markets.items():
            oracle = self.oracles[name].address
            manifest.markets[name] = Market(market.address, first.token, oracle, None, first.coordinator, None)
        manifest.vaults.update(vaults)
        manifest.save(path)
        return path
