"""Puts the protocol on the connected chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from perennial import parameters

if TYPE_CHECKING:
    from ape.api import AccountAPI
    from ape.contracts import ContractContainer, ContractInstance

    from perennial.parameters import Struct

ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"

#: Windows of PythOracle (docs/protocol.md §11.3): seconds after the version, seconds of grace, confidence as a share.
PYTH_WINDOW = {"validFrom": 4, "validTo": 10, "grace": 30, "confidence": 20_000}


@dataclass
class Deployment:
    """The protocol on a chain: its contracts, and calls that need several of them."""

    owner: AccountAPI
    oracle_factory: ContractInstance
    payoff_factory: ContractInstance
    pyth: ContractInstance
    pyth_oracle: ContractInstance
    market_factory: ContractInstance
    verifier: ContractInstance
    market_implementation: ContractInstance
    market_extension: ContractInstance
    market_intents: ContractInstance
    options: dict[str, Any] = field(default_factory=dict)

    def create_market(
        self,
        token: ContractInstance | str,
        oracle: ContractInstance | str,
        *,
        coordinator: AccountAPI | None = None,
        beneficiary: AccountAPI | str | None = None,
        payoff: ContractInstance | str = ZERO_ADDRESS,
        reward: ContractInstance | str = ZERO_ADDRESS,
        risk: Struct | None = None,
        parameter: Struct | None = None,
    ) -> ContractInstance:
        """Opens a market and returns it with Market's ABI.

        `risk` and `parameter` are whole structs of raw integers; missing, those of BTC-USD in production. The
        coordinator sends the transaction: the owner if nobody is named, who is the beneficiary as well.
        """
        live_risk, live_parameter = parameters.live_market()
        sender = coordinator or self.owner
        definition = {
            "token": token,
            "reward": reward,
            "oracle": oracle,
            "payoff": payoff,
            "beneficiary": beneficiary or sender,
        }
        receipt = self.market_factory.create(
            definition, risk or live_risk, parameter or live_parameter, sender=sender, **self.options
        )
        market = next(iter(receipt.decode_logs(self.market_factory.MarketCreated))).market
        # The proxy's own interface, not the one Ape would detect: it covers Market and its extension.
        return _container("IMarket").at(market, detect_proxy=False)


def deploy_protocol(
    owner: AccountAPI,
    *,
    pyth: ContractInstance | str | None = None,
    parameter: Struct | None = None,
    **options: Any,
) -> Deployment:
    """Deploys everything on the connected chain; `owner` sends and owns.

    Without `pyth` the official SDK's mock is deployed (a minute of validity, one wei an update). `parameter` is
    ProtocolParameter as raw integers; missing, the one of production. `options` go into every transaction.
    """

    def deploy(name: str, *arguments: Any) -> ContractInstance:
        return owner.deploy(_container(name), *arguments, **options)

    oracle_factory = deploy("OracleFactory", owner)
    payoff_factory = deploy("PayoffFactory")
    pyth_contract = deploy("MockPyth", 60, 1) if pyth is None else _container("IPyth").at(str(pyth))
    pyth_oracle = deploy("PythOracle", pyth_contract, oracle_factory, owner, PYTH_WINDOW)
    oracle_factory.updateAdapter(pyth_oracle, True, sender=owner, **options)

    market_factory = deploy(
        "MarketFactory",
        owner,
        oracle_factory,
        payoff_factory,
        parameter or parameters.live_protocol(),
    )
    extension = deploy("MarketExtension", market_factory)
    intents = deploy("MarketIntents", market_factory)
    implementation = deploy("Market", market_factory, extension, intents)
    market_factory.upgradeTo(implementation, sender=owner, **options)
    oracle_factory.updateMarketFactory(market_factory, sender=owner, **options)
    return Deployment(
        owner=owner,
        oracle_factory=oracle_factory,
        payoff_factory=payoff_factory,
        pyth=pyth_contract,
        pyth_oracle=pyth_oracle,
        market_factory=market_factory,
        verifier=_container("Verifier").at(market_factory.verifier()),
        market_implementation=implementation,
        market_extension=extension,
        market_intents=intents,
        options=options,
    )


def deploy_vaults(protocol: Deployment) -> ContractInstance:
    """Deploys what vaults over the protocol's markets need; returns the VaultFactory, whose owner is the protocol's."""
    owner, registry, options = protocol.owner, protocol.market_factory, protocol.options
    factory = owner.deploy(_container("VaultFactory"), owner, registry, **options)
    epochs = owner.deploy(_container("VaultEpochs"), registry, **options)
    implementation = owner.deploy(_container("Vault"), factory, registry, epochs, **options)
    factory.upgradeTo(implementation, sender=owner, **options)
    return factory


def _container(name: str) -> ContractContainer:
    from ape import project

    container: ContractContainer = getattr(project, name)
    return container
