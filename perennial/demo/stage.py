"""The local chain with the protocol and one market on it, at the eve of the replay."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial import parameters
from perennial.anvil import anvil
from perennial.chain import Chain, Contract, Rpc
from perennial.demo.options import DemoError
from perennial.mirror.parameters import MarketParameter, ProtocolParameter, RiskParameter
from perennial.mirror.versions import Feed, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ape.contracts import ContractInstance

    from perennial.demo.listings import Listing
    from perennial.mirror.payoff import PowerPayoff

RISK_FEE = 900_000
"""0.9, so that a tenth of the market's fees is the donation, which pays liquidators where an account cannot; 1 in
production."""

EVE = 1800
"""Seconds before the first version at which the chain begins: the protocol is deployed in between."""

TOKEN_DECIMALS = 6
"""Of the mock dollar, so that its smallest unit is the micro-dollar of the protocol."""


@dataclass(frozen=True)
class Stage:
    """Contracts, roles and parameters; `genesis` is the chain's first second, `pyth_fee` is in wei, for a commit."""

    chain: Chain
    genesis: int
    market: Contract
    token: Contract
    oracle: Contract
    oracle_factory: Contract
    adapter: Contract
    owner: str
    coordinator: str
    beneficiary: str
    feeds: tuple[Feed, ...]
    payoff: PowerPayoff | None
    pyth_fee: int
    window: Window
    protocol: ProtocolParameter
    risk: RiskParameter
    parameter: MarketParameter


@contextmanager
def open_stage(market: Listing, start: int) -> Iterator[Stage]:
    """Starts Anvil before `start` (Unix seconds), deploys the protocol and creates the market. Raises DemoError."""
    try:
        feeds = tuple(Feed(parameters.pyth_id(name), power) for name, power in market.feeds)
    except KeyError:
        raise DemoError(f"no live parameters of {market.live} in data/markets.json") from None
    genesis = start - EVE
    with anvil(genesis) as uri, Rpc(uri) as rpc:
        chain = Chain(rpc)
        addresses = _deploy(uri, market, feeds)
        # From here on blocks are made on demand, each at a time of ours.
        rpc.call("evm_setAutomine", False)
        contracts = {name: Contract(chain, kind, addresses[name]) for name, kind in _KINDS.items()}
        yield Stage(
            chain=chain,
            genesis=genesis,
            market=contracts["market"],
            token=contracts["token"],
            oracle=contracts["oracle"],
            oracle_factory=contracts["oracle_factory"],
            adapter=contracts["adapter"],
            owner=addresses["owner"],
            coordinator=addresses["coordinator"],
            beneficiary=addresses["beneficiary"],
            feeds=feeds,
            payoff=market.payoff,
            pyth_fee=contracts["pyth"].read("getUpdateFee", [b""] * len(feeds)),
            window=Window(*contracts["adapter"].read("windowOf", start)),
            protocol=ProtocolParameter.from_abi(contracts["market_factory"].read("parameter")),
            risk=RiskParameter.from_abi(contracts["market"].read("riskParameter")),
            parameter=MarketParameter.from_abi(contracts["market"].read("parameter")),
        )


_KINDS = {
    "market": "IMarket",
    "market_factory": "IMarketFactory",
    "token": "MockToken",
    "oracle": "IOracle",
    "oracle_factory": "IOracleFactory",
    "adapter": "IPythOracle",
    "pyth": "MockPyth",
}
"""What is read and called through which ABI."""


def _deploy(uri: str, market: Listing, feeds: Sequence[Feed]) -> dict[str, str]:
    """Deploys with Ape, as on every network; returns the addresses of contracts and roles."""
    # Here, since Ape takes seconds to import.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from ape import accounts, networks, project
        from ape.logging import LogLevel, logger

        from perennial.deploy import deploy_protocol

    with (
        logger.at_level(LogLevel.ERROR),
        networks.parse_network_choice("ethereum:local:foundry", provider_settings={"host": uri}),
    ):
        owner, coordinator, beneficiary = (accounts.test_accounts[index] for index in range(3))
        protocol = deploy_protocol(owner)
        token = owner.deploy(project.MockToken, "Mock Dollar", "mUSD", TOKEN_DECIMALS)
        sources = [(feed.id, feed.power) for feed in feeds]
        created = protocol.oracle_factory.create(protocol.pyth_oracle, sources, sender=coordinator)
        oracle = next(iter(created.decode_logs(protocol.oracle_factory.OracleCreated))).oracle
        risk, parameter = parameters.live_market(market.live)
        risk["staleAfter"], parameter["riskFee"] = market.stale_after, RISK_FEE
        terms = {"coordinator": coordinator, "beneficiary": beneficiary, "risk": risk, "parameter": parameter}
        if market.payoff is not None:
            kind = (market.payoff.half_power, market.payoff.scale, market.payoff.negative)
            protocol.payoff_factory.create(*kind, sender=coordinator)
            terms["payoff"] = protocol.payoff_factory.addressOf(*kind)
        deployed: dict[str, ContractInstance | str] = {
            "market": protocol.create_market(token, oracle, **terms),
            "market_factory": protocol.market_factory,
            "token": token,
            "oracle": oracle,
            "oracle_factory": protocol.oracle_factory,
            "adapter": protocol.pyth_oracle,
            "pyth": protocol.pyth,
            "owner": owner.address,
            "coordinator": coordinator.address,
            "beneficiary": beneficiary.address,
        }
        return {name: str(getattr(value, "address", value)).lower() for name, value in deployed.items()}
