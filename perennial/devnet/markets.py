"""What is traded on a devnet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial import parameters
from perennial.amounts import raw

if TYPE_CHECKING:
    from perennial.parameters import Struct

BTC, ETH = "BTC-USD", "ETH-USD"
"""Names of price feeds, and of the markets in production that parameters are taken from."""


@dataclass(frozen=True)
class TokenPlan:
    """A mock token: who has one of the ten accounts gets `gift` whole tokens."""

    symbol: str
    decimals: int
    gift: int


@dataclass(frozen=True)
class PayoffPlan:
    """scale · price^(half_power / 2); `scale` has 18 decimals."""

    half_power: int
    scale: int


@dataclass(frozen=True)
class MarketPlan:
    """A market: its token, the feeds whose product is its price, with their powers, and what the maker puts in.

    `like` is whose parameters in production it has; `share` is what amounts of USD are multiplied by (a token that is
    worth more needs less), `margins` what its margins are.
    """

    name: str
    token: str
    feeds: tuple[tuple[str, int], ...]
    like: str
    liquidity: int
    collateral: int
    payoff: PayoffPlan | None = None
    share: str = "1"
    margins: int = 1

    def terms(self) -> tuple[Struct, Struct]:
        """Risk and market parameters: those in production, with amounts in this market's token."""
        risk, parameter = parameters.live_market(self.like)
        for name in ("minMargin", "minMaintenance", "minLiquidationFee", "maxLiquidationFee"):
            risk[name] = self._amount(risk[name])
        for name in ("margin", "maintenance"):
            risk[name] *= self.margins
        parameter["settlementFee"] = self._amount(parameter["settlementFee"])
        return risk, parameter

    def _amount(self, amount: int) -> int:
        return amount * raw(self.share) // 10**6


@dataclass(frozen=True)
class VaultPlan:
    """A vault: amounts in whole tokens, shares with 6 decimals; all its markets have the same weight."""

    name: str
    symbol: str
    token: str
    markets: tuple[str, ...]
    leverage: int
    least: int
    cap: int
    profit_share: int
    tolerance: int


TOKENS = (
    TokenPlan("mUSD", 6, 1_000_000),
    TokenPlan("mBTC", 8, 100),
)

MARKETS = (
    MarketPlan("BTC-USD", "mUSD", ((BTC, 1),), BTC, raw(50), raw(500_000)),
    # Its price is in bitcoin, so that is what it is settled in (docs/protocol.md §3.2).
    MarketPlan("ETH-BTC", "mBTC", ((ETH, 1), (BTC, -1)), ETH, raw(500), raw(50), share="0.0001"),
    # A thousandth of the square: twice the moves, so twice the margins.
    MarketPlan("Squeeth", "mUSD", ((ETH, 1),), ETH, raw(500), raw(500_000), payoff=PayoffPlan(4, 10**15), margins=2),
)


VAULT = VaultPlan(
    name="Devnet liquidity",
    symbol="LP",
    token="mUSD",
    markets=("BTC-USD", "Squeeth"),
    leverage=raw(1),
    least=10,
    cap=10_000_000,
    profit_share=raw("0.1"),
    tolerance=raw("0.05"),
)


def feed_ids() -> dict[str, str]:
    """Pyth's id of each feed, hex text with 0x."""
    return {name: parameters.pyth_id(name) for name in (BTC, ETH)}


def summary(plan: MarketPlan) -> dict[str, Any]:
    """A market in words."""
    product = " · ".join(name.removesuffix("-USD") if power > 0 else f"1/{name[:3]}" for name, power in plan.feeds)
    return {"market": plan.name, "price": product + ("² / 1000" if plan.payoff else ""), "token": plan.token}
