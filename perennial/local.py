"""A market on a local chain whose prices come from the caller: to try things out, and what gas is measured on."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from perennial import parameters
from perennial.amounts import raw
from perennial.anvil import anvil
from perennial.deploy import Deployment, deploy_protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ape.api import AccountAPI
    from ape.contracts import ContractInstance

    from perennial.parameters import Struct

#: Unix seconds of the first version: later than any real clock, so that versions are the same in every run.
START = 1_900_000_000

#: Seconds between versions.
STEP = 10

#: The zero address: no referrer, for instance.
NOBODY = "0x" + "0" * 40

#: As a size or as collateral in `Market.update`: closes or withdraws all there is.
ALL = -(2**255)

#: Keywords of a transaction that spare Ape to ask for its price; Anvil's base fee is zero.
FREE: dict[str, Any] = {"max_fee": 10**9, "max_priority_fee": 0}

_ENDLESS = 2**256 - 1


@contextmanager
def attached(uri: str) -> Iterator[None]:
    """Ape connected to an Anvil that runs at `uri`, for as long as the block lasts."""
    import ape

    with ape.networks.parse_network_choice("ethereum:local:foundry", provider_settings={"host": uri}):
        yield


@contextmanager
def connected() -> Iterator[None]:
    """An Anvil of its own on a free port, for as long as the block lasts."""
    from ape.logging import LogLevel, logger

    from perennial import artifacts

    artifacts.refresh()
    # Without a line for every transaction.
    logger.set_level(LogLevel.WARNING)
    # Traces (make gas) have no steps without.
    with anvil(options=["--steps-tracing"], history=True) as uri, attached(uri):
        yield


@contextmanager
def local_market(price: int = raw(60_000), liquidity: int = raw(10)) -> Iterator[LocalMarket]:
    """Anvil with the protocol and a BTC-USD market in use: a maker provides `liquidity`, the first price is `price`.

    Both are raw integers with 6 decimals.
    """
    with connected():
        local = LocalMarket.deploy(price)
        local.market.update(local.maker, liquidity, 0, raw(1_000_000), NOBODY, sender=local.maker, **FREE)
        local.commit(price)
        yield local


@dataclass
class LocalMarket:
    """A market with the live parameters of BTC-USD, its token of 18 decimals, and five accounts.

    `owner` deploys everything and sets prices; maker, long, short and trader have ten million mock dollars each,
    approved to the market; `keeper` has none. `price` (raw, 6 decimals) and `version` (Unix seconds) are the latest.
    """

    protocol: Deployment
    token: ContractInstance
    oracle: ContractInstance
    market: ContractInstance
    owner: AccountAPI
    maker: AccountAPI
    long: AccountAPI
    short: AccountAPI
    trader: AccountAPI
    keeper: AccountAPI
    risk: Struct
    parameter: Struct
    price: int
    version: int = START

    @classmethod
    def deploy(cls, price: int) -> Self:
        """Deploys everything, with a first version at `price`; needs a connection."""
        import ape

        owner, maker, long, short, trader, keeper = ape.accounts.test_accounts[:6]
        protocol = deploy_protocol(owner, **FREE)
        token = owner.deploy(ape.project.MockToken, "Mock Dollar", "mUSD", 18, **FREE)
        oracle = register_oracle(protocol)
        terms = cls.terms(protocol)
        market = protocol.create_market(token, oracle, **terms)
        actors = {"owner": owner, "maker": maker, "long": long, "short": short, "trader": trader, "keeper": keeper}
        local = cls(
            protocol, token, oracle, market, **actors, risk=terms["risk"], parameter=terms["parameter"], price=price
        )
        local.fund(market, maker, long, short, trader)
        oracle.set(START, price, True, START + STEP, sender=owner, **FREE)
        return local

    @classmethod
    def terms(cls, protocol: Deployment) -> dict[str, Any]:  # noqa: ARG003 -- for markets with a payoff
        """What the market is created with, beside token and oracle, as keywords of `Deployment.create_market`."""
        risk, parameter = parameters.live_market()
        return {"risk": risk, "parameter": parameter}

    def fund(self, market: ContractInstance, *accounts: AccountAPI) -> None:
        """Gives accounts ten million mock dollars each, approved to a market."""
        for account in accounts:
            self.token.mint(account, 10**7 * 10**18, sender=self.owner, **FREE)
            self.token.approve(market, _ENDLESS, sender=account, **FREE)

    @property
    def current(self) -> int:
        """Version that an order placed now settles at."""
        return self.version + STEP

    def next(self) -> int:
        """The clock moves on one version, without a price for the one that it leaves; returns that one."""
        self.version = self.current
        self.oracle.setCurrent(self.current, sender=self.owner, **FREE)
        return self.version

    def commit(self, price: int) -> int:
        """The current version becomes the latest, at `price` (raw, 6 decimals); returns it."""
        version = self.next()
        self.commit_late(version, price)
        return version

    def commit_late(self, version: int, price: int) -> None:
        """A version that `next` left gets its price."""
        self.price = price
        self.oracle.commit(version, price, sender=self.owner, **FREE)


def register_oracle(protocol: Deployment) -> ContractInstance:
    """One more mock oracle, on which a market can be opened."""
    import ape

    oracle = protocol.owner.deploy(ape.project.MockOracle, **FREE)
    protocol.oracle_factory.register(oracle, sender=protocol.owner, **FREE)
    return oracle
