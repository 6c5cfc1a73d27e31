"""Puts the protocol on the connected chain, by the plan that real networks are deployed by (perennial/deployment)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from perennial import parameters
from perennial.deployment import network
from perennial.deployment.fields import ZERO
from perennial.deployment.network import MOCK
from perennial.deployment.plan import plan
from perennial.mirror.parameters import ProtocolParameter

if TYPE_CHECKING:
    from ape.api import AccountAPI
    from ape.contracts import ContractContainer, ContractInstance

    from perennial.deployment.plan import Plan
    from perennial.parameters import Struct


@dataclass
class Deployment:
    """The protocol on a chain: its contracts, and calls that need several of them."""

    owner: AccountAPI
    oracle_factory: ContractInstance
    payoff_factory: ContractInstance
    pyth: ContractInstance
    pyth_oracle: ContractInstance
    chainlink_oracle: ContractInstance
    market_factory: ContractInstance
    verifier: ContractInstance
    market_implementation: ContractInstance
    market_extension: ContractInstance
    market_intents: ContractInstance
    vault_factory: ContractInstance
    vault_implementation: ContractInstance
    vault_epochs: ContractInstance
    options: dict[str, Any] = field(default_factory=dict)

    def create_market(
        self,
        token: ContractInstance | str,
        oracle: ContractInstance | str,
        *,
        coordinator: AccountAPI | None = None,
        beneficiary: AccountAPI | str | None = None,
        payoff: ContractInstance | str = ZERO,
        reward: ContractInstance | str = ZERO,
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
        return _at("IMarket", market)


def deploy_protocol(
    owner: AccountAPI,
    *,
    pyth: ContractInstance | str | None = None,
    parameter: Struct | None = None,
    **options: Any,
) -> Deployment:
    """Deploys everything on the connected chain; `owner` sends and owns, and there is no pauser.

    Each call makes another protocol. Without `pyth` the official SDK's mock is deployed (a minute of validity, one wei
    an update); the contract at an address that is given is shown with the mock's ABI, which is IPyth's and more.
    `parameter` is ProtocolParameter as raw integers; missing, the one of production. `options` go into every
    transaction.
    """
    planned = _plan(owner, str(pyth) if pyth is not None else MOCK, parameter or parameters.live_protocol())
    for step in planned.steps:
        owner.transfer(step.to, 0, data=step.data, **options)

    def contract(name: str) -> ContractInstance:
        return _at(name, planned.address(name))

    return Deployment(
        owner=owner,
        oracle_factory=contract("OracleFactory"),
        payoff_factory=contract("PayoffFactory"),
        pyth=_at("MockPyth", planned.pyth),
        pyth_oracle=contract("PythOracle"),
        chainlink_oracle=contract("ChainlinkOracle"),
        market_factory=contract("MarketFactory"),
        verifier=contract("Verifier"),
        market_implementation=contract("Market"),
        market_extension=contract("MarketExtension"),
        market_intents=contract("MarketIntents"),
        vault_factory=contract("VaultFactory"),
        vault_implementation=contract("Vault"),
        vault_epochs=contract("VaultEpochs"),
        options=options,
    )


def _plan(owner: AccountAPI, pyth: str, parameter: Struct) -> Plan:
    """The plan of `networks/local.toml`, without tokens, under a salt that the account has not used before."""
    local = replace(
        network.load("local"),
        salt=str(owner.nonce),
        pauser=ZERO,
        parameter=ProtocolParameter.from_abi(parameter.values()),
        pyth=pyth,
        tokens={},
    )
    return plan(local, owner.address)


def _at(name: str, address: str) -> ContractInstance:
    from ape import project

    container: ContractContainer = getattr(project, name)
    return container.at(address, detect_proxy=False)
