"""A market in Python to try things on: a price of 100, no fees and no rates but those that a test asks for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from perennial.mirror.factory import Factory
from perennial.mirror.market import Market
from perennial.mirror.oracle import Oracle
from perennial.mirror.orders import NOBODY
from perennial.mirror.parameters import (
    MarketParameter,
    PController,
    ProtocolParameter,
    RiskParameter,
    UtilizationCurve,
)

START = 1_000_000
STEP = 10

PROTOCOL = ProtocolParameter(
    protocol_fee=0,
    max_fee=100_000,
    max_fee_absolute=1_000_000_000,
    max_cut=1_000_000,
    max_rate=50_000_000,
    min_maintenance=0,
    min_efficiency=0,
)
RISK = RiskParameter(
    margin=9_500,
    maintenance=8_000,
    taker_fee=0,
    taker_skew_fee=0,
    taker_impact_fee=0,
    maker_fee=0,
    maker_impact_fee=0,
    maker_limit=1_000_000_000_000,
    efficiency_limit=0,
    liquidation_fee=50_000,
    min_liquidation_fee=5_000_000,
    max_liquidation_fee=25_000_000,
    utilization_curve=UtilizationCurve(0, 0, 0, 600_000),
    p_controller=PController(20_000_000_000, 0),
    min_margin=10_000_000,
    min_maintenance=10_000_000,
    virtual_taker=0,
    stale_after=7200,
    maker_receive_only=False,
)
PARAMETER = MarketParameter(
    funding_fee=0,
    interest_fee=0,
    position_fee=0,
    oracle_fee=0,
    risk_fee=0,
    settlement_fee=0,
    max_pending_global=12,
    max_pending_local=6,
    maker_reward_rate=0,
    long_reward_rate=0,
    short_reward_rate=0,
    referral_fee=0,
    max_price_deviation=100_000,
    taker_close_always=True,
    maker_close_always=True,
    closed=False,
)


@dataclass
class Game:
    """A market with its oracle, and the moves that tests make most."""

    market: Market
    oracle: Oracle

    def commit(self, price: int | None, wait: int = STEP) -> int:
        """Commits the current version (None: as invalid), moves on by `wait` seconds, settles the market."""
        version = self.oracle.current
        if price is None:
            self.oracle.commit_invalid(version, version + wait)
        else:
            self.oracle.commit(version, price, version + wait)
        self.market.advance(100)
        return version

    def open(self, account: str, *, maker: int = 0, taker: int = 0, collateral: int = 10**12) -> None:
        """Orders and deposits."""
        self.market.update(account, maker, taker, collateral)

    def fill(self, maker: int = 0, long: int = 0, short: int = 0, price: int = 100_000_000) -> None:
        """Opens one account a side, named after it, and settles them at `price`."""
        if maker:
            self.open("maker", maker=maker)
        if long:
            self.open("long", taker=long)
        if short:
            self.open("short", taker=-short)
        self.commit(price)
        for account in list(self.market.accounts):
            self.market.settle(account)

    def change_risk(self, **changes: Any) -> None:
        """Sets some of the risk parameters."""
        self.market.update_risk_parameter(replace(self.market.risk, **changes))

    def change(self, **changes: Any) -> None:
        """Sets some of the market parameters."""
        self.market.update_parameter(replace(self.market.parameter, **changes))


@pytest.fixture
def create_game() -> Callable[..., Game]:
    """A market at a price of 100 with one version committed; keywords change single parameters of any struct."""

    def create(price: int = 100_000_000, **changes: Any) -> Game:
        def pick(struct: Any) -> Any:
            names = [name for name in changes if hasattr(struct, name)]
            return replace(struct, **{name: changes.pop(name) for name in names})

        reward, payoff = changes.pop("reward", NOBODY), changes.pop("payoff", None)
        oracle = Oracle(START)
        risk, parameter = pick(RISK), pick(PARAMETER)
        market = Market(Factory(pick(PROTOCOL)), oracle, risk, parameter, reward=reward, payoff=payoff)
        assert not changes, f"no such parameters: {changes}"
        game = Game(market, oracle)
        game.commit(price)
        return game

    return create


@pytest.fixture(scope="session")
def create_risk() -> Callable[..., RiskParameter]:
    """Risk parameters with single ones changed."""
    return lambda **changes: replace(RISK, **changes)
