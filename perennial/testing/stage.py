"""A market without fees over a PythOracle on Ape's chain: orders, commits and claims at times that a test says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from perennial.amounts import raw
from perennial.deploy import deploy_protocol
from perennial.mirror.oracle import OracleVersion
from perennial.parameters import live_market
from perennial.testing.oracles import START, WINDOW, approach, feeds, update

if TYPE_CHECKING:
    from collections.abc import Sequence

NOBODY = "0x" + "0" * 40
ALL = -(2**255)
"""As collateral: whatever may be withdrawn."""

WEALTH = 10**6
"""Tokens that each account begins with."""

ZERO_FEES = (
    "takerFee", "takerSkewFee", "takerImpactFee", "makerFee", "makerImpactFee", "liquidationFee", "minLiquidationFee",
    "maxLiquidationFee",
)  # fmt: skip


@dataclass
class Stage:
    """A market at 100 USD; times are seconds after START, prices whole USD, sizes and collateral whole units."""

    chain: Any
    project: Any
    protocol: Any
    token: Any
    owner: Any
    keeper: Any
    oracle: Any = None
    market: Any = None

    @classmethod
    def deploy(
        cls, chain: Any, project: Any, token: Any, owner: Any, keeper: Any, accounts: Sequence[Any], pyth: Any = None
    ) -> Self:
        """Deploys the protocol some time before START and gives accounts tokens; `pyth` is a mock with other fees."""
        approach(chain)
        for account in accounts:
            token.mint(account, WEALTH * 10**18, sender=owner)
        self = cls(chain, project, deploy_protocol(owner), token, owner, keeper)
        if pyth is not None:
            self.protocol.pyth = pyth
            self.protocol.pyth_oracle = self.successor()
        return self

    @property
    def adapter(self) -> Any:
        """The PythOracle."""
        return self.protocol.pyth_oracle

    def open(self, *accounts: Any, granularity: int = 10, feed: str = "BTC", **changes: Any) -> Any:
        """A market whose accounts have approved their tokens; price 100 from second 0 on."""
        risk, parameter = live_market()
        risk |= dict.fromkeys(ZERO_FEES, 0) | {"makerLimit": raw(10**6), "staleAfter": 7200}
        risk |= {"utilizationCurve": dict.fromkeys(risk["utilizationCurve"], 0)}
        risk |= {"pController": {"k": raw(40_000), "max": 0}}
        parameter |= {"settlementFee": 0} | changes
        self.oracle = self.create_oracle(feed=feed)
        if granularity != 10:
            self.protocol.oracle_factory.updateGranularity(self.oracle, granularity, sender=self.owner)
        self.market = self.protocol.create_market(self.token, self.oracle, risk=risk, parameter=parameter)
        for account in accounts:
            self.token.approve(self.market, 2**256 - 1, sender=account)
        self.commit(0, 100, time=10, feed=feed)
        return self.market

    def create_oracle(self, adapter: Any = None, feed: str = "BTC") -> Any:
        """One more oracle, bound to no market."""
        receipt = self.protocol.oracle_factory.create(adapter or self.adapter, feeds(feed), sender=self.owner)
        return self.project.Oracle.at(receipt.return_value)

    def at(self, second: int) -> None:
        """The next transaction happens then."""
        self.chain.pending_timestamp = START + second

    def order(
        self, second: int, account: Any, *, maker: int = 0, taker: int = 0, collateral: int = 0, market: Any = None
    ) -> int:
        """Returns the version of the order, in seconds after START."""
        self.at(second)
        arguments = (account, raw(maker), raw(taker), raw(collateral) if collateral != ALL else ALL, NOBODY)
        (market or self.market).update(*arguments, sender=account)
        return self.status()[1] - START

    def data(self, second: int, price: int, *feeds_: str) -> list[bytes]:
        """Updates of feeds, published as early as the window of the version allows."""
        return [update(feed, price * 10**8, START + second + WINDOW[0]) for feed in feeds_ or ("BTC",)]

    def commit(
        self,
        second: int,
        price: int,
        *,
        time: int | None = None,
        oracles: Sequence[Any] | None = None,
        adapter: Any = None,
        sender: Any = None,
        feed: str = "BTC",
        value: int | None = None,
    ) -> Any:
        """Commits a version at a price, by default when its window ends; excess ETH comes back."""
        self.at(second + WINDOW[1] if time is None else time)
        data = self.data(second, price, feed)
        value = self.protocol.pyth.getUpdateFee(data) if value is None else value
        oracles = [self.oracle] if oracles is None else oracles
        return (adapter or self.adapter).commit(
            oracles, START + second, data, sender=sender or self.keeper, value=value
        )

    def expire(self, second: int, *, time: int | None = None, adapter: Any = None) -> Any:
        """Commits a version as invalid, by default as early as its grace allows."""
        self.at(second + WINDOW[1] + WINDOW[2] if time is None else time)
        return (adapter or self.adapter).commitInvalid([self.oracle], START + second, sender=self.keeper)

    def successor(self) -> Any:
        """Another adapter over the same feeds, admitted."""
        arguments = (self.protocol.pyth, self.protocol.oracle_factory, self.owner, WINDOW)
        adapter = self.owner.deploy(self.project.PythOracle, *arguments)
        self.protocol.oracle_factory.updateAdapter(adapter, True, sender=self.owner)
        return adapter

    def replace(self, second: int, adapter: Any) -> None:
        """The owner puts another adapter in charge."""
        self.at(second)
        self.protocol.oracle_factory.updateProvider(self.oracle, adapter, feeds("BTC"), sender=self.owner)

    def status(self) -> tuple[OracleVersion, int]:
        """Of the oracle, Unix seconds and raw."""
        latest, current = self.oracle.status()
        return OracleVersion(*latest), current

    def latest(self) -> tuple[int, int, bool]:
        """Timestamp in seconds after START, price in USD, validity."""
        latest = self.status()[0]
        return latest.timestamp - START, latest.price // 10**6, latest.valid

    def settle(self, *accounts: Any) -> None:
        """A keeper settles accounts."""
        for account in accounts:
            self.market.settle(account, sender=self.keeper)

    def collateral(self, *accounts: Any) -> list[int]:
        """Of accounts, raw."""
        return [self.market.collateral(account) for account in accounts]

    def held(self) -> int:
        """Tokens of the market, in micro-dollars."""
        return int(self.token.balanceOf(self.market)) // 10**12
