"""The local chain with the protocol and its markets on it, at the eve of the replay."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial import parameters
from perennial.anvil import anvil
from perennial.chain import Chain, Contract, Rpc
from perennial.demo.options import DemoError
from perennial.local import attached
from perennial.mirror.parameters import MarketParameter, ProtocolParameter, RiskParameter
from perennial.mirror.versions import Feed, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ape.api import AccountAPI
    from ape.contracts import ContractInstance

    from perennial.demo.listings import Listing
    from perennial.deploy import Deployment
    from perennial.mirror.payoff import PowerPayoff
    from perennial.mirror.vault_state import VaultParameter

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


@dataclass(frozen=True)
class VaultPlan:
    """A vault to be made: `parameter` as the contract takes it, weight and leverage (6 decimals) of each market."""

    name: str
    symbol: str
    parameter: VaultParameter
    markets: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Stages:
    """Some markets of one token on one chain, and the vault over them, if there is one."""

    markets: list[Stage]
    vault: Contract | None = None


@contextmanager
def open_stage(market: Listing, start: int) -> Iterator[Stage]:
    """Starts Anvil before `start` (Unix seconds), deploys the protocol and creates the market. Raises DemoError."""
    with open_stages([market], start) as stages:
        yield stages.markets[0]


@contextmanager
def open_stages(markets: Sequence[Listing], start: int, plan: VaultPlan | None = None) -> Iterator[Stages]:
    """As `open_stage`, with several markets of one token, and with a vault over them."""
    genesis = start - EVE
    feeds = [_feeds(market) for market in markets]
    with anvil(genesis) as uri, Rpc(uri) as rpc:
        chain = Chain(rpc)
        shared, own, vault = _deploy(uri, list(zip(markets, feeds, strict=True)), plan)
        # From here on blocks are made on demand, each at a time of ours.
        rpc.call("evm_setAutomine", False)
        found = [
            _stage(chain, genesis, market, sources, {**shared, **addresses})
            for market, sources, addresses in zip(markets, feeds, own, strict=True)
        ]
        yield Stages(found, Contract(chain, "IVault", vault) if vault else None)


def _feeds(market: Listing) -> tuple[Feed, ...]:
    try:
        return tuple(Feed(parameters.pyth_id(name), power) for name, power in market.feeds)
    except KeyError:
        raise DemoError(f"no live parameters of {market.live} in data/markets.json") from None


def _stage(chain: Chain, genesis: int, market: Listing, feeds: tuple[Feed, ...], addresses: dict[str, str]) -> Stage:
    contracts = {name: Contract(chain, kind, addresses[name]) for name, kind in _KINDS.items()}
    return Stage(
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
        window=Window(*contracts["adapter"].read("windowOf", genesis + EVE)),
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


Addresses = dict[str, str]


def _deploy(
    uri: str, markets: Sequence[tuple[Listing, Sequence[Feed]]], plan: VaultPlan | None
) -> tuple[Addresses, list[Addresses], str | None]:
    """Deploys with Ape, as on every network.

    Returns the addresses of what markets share, of each market's own, and of the vault.
    """
    # Here, since Ape takes seconds to import.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from ape import accounts, project
        from ape.logging import LogLevel, logger

        from perennial.deploy import deploy_protocol

    with logger.at_level(LogLevel.ERROR), attached(uri):
        owner, coordinator, beneficiary = (accounts.test_accounts[index] for index in range(3))
        protocol = deploy_protocol(owner)
        token = owner.deploy(project.MockToken, "Mock Dollar", "mUSD", TOKEN_DECIMALS)
        roles = {"coordinator": coordinator, "beneficiary": beneficiary}
        own = [_create_market(protocol, token, roles, *each) for each in markets]
        shared = {
            "market_factory": protocol.market_factory,
            "token": token,
            "oracle_factory": protocol.oracle_factory,
            "adapter": protocol.pyth_oracle,
            "pyth": protocol.pyth,
            "owner": owner,
            **roles,
        }
        vault = None
        if plan is not None:
            factory = protocol.vault_factory
            factory.create(token, plan.name, plan.symbol, plan.parameter.to_abi(), sender=coordinator)
            made = project.IVault.at(factory.vaults(0), detect_proxy=False)
            for addresses, terms in zip(own, plan.markets, strict=True):
                made.register(addresses["market"], *terms, sender=coordinator)
            vault = made.address.lower()
        return {name: value.address.lower() for name, value in shared.items()}, own, vault


def _create_market(
    protocol: Deployment,
    token: ContractInstance,
    roles: dict[str, AccountAPI],
    market: Listing,
    feeds: Sequence[Feed],
) -> Addresses:
    """A market over an oracle of its own; addresses of both."""
    coordinator, sources = roles["coordinator"], [(feed.id, feed.power) for feed in feeds]
    created = protocol.oracle_factory.create(protocol.pyth_oracle, sources, sender=coordinator)
    oracle = next(iter(created.decode_logs(protocol.oracle_factory.OracleCreated))).oracle
    risk, parameter = parameters.live_market(market.live)
    risk["staleAfter"], parameter["riskFee"] = market.stale_after, RISK_FEE
    terms: dict[str, Any] = {**roles, "risk": risk, "parameter": parameter}
    if market.payoff is not None:
        kind = (market.payoff.half_power, market.payoff.scale, market.payoff.negative)
        protocol.payoff_factory.create(*kind, sender=coordinator)
        terms["payoff"] = protocol.payoff_factory.addressOf(*kind)
    made = protocol.create_market(token, oracle, **terms)
    return {"market": made.address.lower(), "oracle": str(oracle).lower()}
