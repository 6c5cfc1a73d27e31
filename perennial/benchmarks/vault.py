"""A vault over some markets of the bench's, in use: what the flows of vaults are measured on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from perennial.amounts import raw
from perennial.benchmarks.bench import MOVE
from perennial.local import FREE, NOBODY, START, STEP, register_oracle

if TYPE_CHECKING:
    from ape.api import ReceiptAPI
    from ape.contracts import ContractInstance

    from perennial.benchmarks.bench import Bench

LEVERAGE = raw(2)
PARAMETERS = (10**18, 10**27, raw("0.1"), raw("0.05"))
"""VaultParameter: from 1 to 10^9 tokens of 18 decimals, a tenth of the profit, a tolerance of 5 %."""


@dataclass
class VaultBench:
    """A vault over markets of equal weight; oracles and markets in the same order.

    The maker holds all its shares. Everything has happened once, so that slots are overwritten, not created.
    """

    bench: Bench
    vault: ContractInstance
    oracles: list[ContractInstance] = field(default_factory=list)
    markets: list[ContractInstance] = field(default_factory=list)
    version: int = START

    @classmethod
    def deploy(cls, bench: Bench, count: int = 2) -> Self:
        """Opens the markets, makes the vault, and has it through three epochs: deposits, a redemption, deposits."""
        import ape

        owner, registry = bench.owner, bench.protocol.market_factory
        project = ape.project
        factory = owner.deploy(project.VaultFactory, owner, registry, **FREE)
        epochs = owner.deploy(project.VaultEpochs, registry, **FREE)
        code = owner.deploy(project.Vault, factory, registry, epochs, **FREE)
        factory.upgradeTo(code, sender=owner, **FREE)
        vault = project.Vault.at(factory.create(bench.token, "LP", "LP", PARAMETERS, sender=owner, **FREE).return_value)
        self = cls(bench, vault)
        for actor in (bench.maker, bench.long, bench.trader):
            bench.token.approve(vault, 2**256 - 1, sender=actor, **FREE)
        for _ in range(count):
            self._open()
        self.move()
        self.request(100_000)
        self.turn()
        vault.requestRedeem(vault.maxMint(bench.maker) // 10, bench.maker, bench.maker, sender=self._claim(), **FREE)
        self.turn()
        self.request(1_000)
        self.turn()
        return self

    def _claim(self) -> object:
        maker = self.bench.maker
        self.vault.mint(self.vault.maxMint(maker), maker, sender=maker, **FREE)
        return maker

    def _open(self) -> None:
        bench = self.bench
        oracle = register_oracle(bench.protocol)
        market = bench.protocol.create_market(bench.token, oracle, risk=bench.risk, parameter=bench.parameter)
        bench.fund(market, bench.maker, bench.long)
        self.oracles.append(oracle)
        self.markets.append(market)
        self.vault.register(market, 1, LEVERAGE, sender=bench.owner, **FREE)
        oracle.set(START, bench.price, True, START + STEP, sender=bench.owner, **FREE)
        market.update(bench.maker, raw(10), 0, raw(200_000), NOBODY, sender=bench.maker, **FREE)
        market.update(bench.long, 0, raw(2), raw(50_000), NOBODY, sender=bench.long, **FREE)

    def move(self) -> None:
        """The current version becomes the latest everywhere, at a price a little above the last."""
        self.version += STEP
        self.bench.price += MOVE
        for oracle in self.oracles:
            oracle.set(self.version, self.bench.price, True, self.version + STEP, sender=self.bench.owner, **FREE)

    def request(self, tokens: int, actor: object | None = None) -> ReceiptAPI:
        """An actor, the maker unless another is given, requests a deposit for itself."""
        actor = actor or self.bench.maker
        return self.vault.requestDeposit(tokens * 10**18, actor, actor, sender=actor, **FREE)

    def close(self) -> ReceiptAPI:
        """A keeper closes the epoch."""
        return self.vault.closeEpoch(sender=self.bench.keeper, **FREE)

    def settle(self) -> ReceiptAPI:
        """A keeper settles the epoch."""
        return self.vault.settle(sender=self.bench.keeper, **FREE)

    def turn(self) -> None:
        """Closes the epoch, prices its versions, settles it."""
        self.close()
        self.expect(1)
        self.move()
        self.settle()
        self.expect(0)

    def expect(self, count: int) -> None:
        """Asserts how many versions of the vault are pending in each market: a flow measures what its name says."""
        pending = [int(market.pendingCounts(self.vault)) for market in self.markets]
        if pending != [count] * len(self.markets):
            raise AssertionError(f"pending versions of the vault: {pending}, not {count} each")
