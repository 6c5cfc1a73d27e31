"""What a vault is made from: a parameter file, as decimal text.

{
  "asset": "USDC",
  "name": "BTC and ETH liquidity",
  "symbol": "LP",
  "minDeposit": "100",
  "depositCap": "1000000",
  "profitShare": "0.1",
  "tolerance": "0.1",
  "markets": [
    {"market": "BTC-USD", "weight": 1, "leverage": "2"},
    {"market": "ETH-USD", "weight": 1, "leverage": "2"}
  ]
}

`asset` is a token of the manifest or an address; amounts are in that token, shares and parts are 1 for 100 %.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perennial.amounts import ONE
from perennial.client.errors import InputError
from perennial.client.numbers import amount, units

_FIELDS = frozenset({"asset", "name", "symbol", "minDeposit", "depositCap", "profitShare", "tolerance", "markets"})
_MARKET = frozenset({"market", "weight", "leverage"})

_MAX_MARKETS, _MAX_LEVERAGE, _MAX_WEIGHT = 16, 100, 2**32 - 1
"""What Vault accepts."""


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """A market of a vault: name or address, part of the assets relative to all weights, leverage as decimal text."""

    market: str
    weight: int
    leverage: str

    @property
    def raw_leverage(self) -> int:
        """The leverage with 6 decimals."""
        return amount("leverage", self.leverage)


@dataclass(frozen=True, slots=True)
class Definition:
    """A vault to be made: decimal text; amounts in the token."""

    asset: str
    name: str
    symbol: str
    min_deposit: str = "0"
    deposit_cap: str = "1000000000"
    profit_share: str = "0"
    tolerance: str = "0.1"
    markets: tuple[MarketTerms, ...] = ()

    def parameter(self, decimals: int) -> tuple[int, int, int, int]:
        """VaultParameter as the contract takes it; `decimals` are the token's."""
        return (
            _unsigned("minDeposit", self.min_deposit, decimals),
            _unsigned("depositCap", self.deposit_cap, decimals),
            _unsigned("profitShare", self.profit_share, 6),
            _unsigned("tolerance", self.tolerance, 6),
        )

    @classmethod
    def load(cls, path: Path | str) -> Definition:
        """From a file. InputError names what is wrong in it."""
        try:
            values = json.loads(Path(path).read_text())
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise InputError(f"{path} is no JSON: {error}") from error
        if not isinstance(values, dict):
            raise InputError(f"{path}: not an object of fields")
        try:
            return cls.from_dict(values)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Definition:
        """From the content of a file."""
        _check(values, _FIELDS, {"asset", "name", "symbol"})
        texts = {"minDeposit": "min_deposit", "depositCap": "deposit_cap", "profitShare": "profit_share"}
        given = {texts.get(name, name): _text(name, value) for name, value in values.items() if name != "markets"}
        markets = values.get("markets", [])
        if not isinstance(markets, list):
            raise InputError("markets: not a list")
        if len(markets) > _MAX_MARKETS:
            raise InputError(f"markets: {len(markets)} are more than the {_MAX_MARKETS} that a vault has room for")
        return cls(**given, markets=tuple(_terms(each) for each in markets))


def _terms(values: Any) -> MarketTerms:
    if not isinstance(values, dict):
        raise InputError("markets: each is an object with market, weight and leverage")
    _check(values, _MARKET, set(_MARKET))
    weight = check_weight(values["weight"])
    terms = MarketTerms(_text("market", values["market"]), weight, _text("leverage", values["leverage"]))
    if terms.raw_leverage > _MAX_LEVERAGE * ONE:
        raise InputError(f"leverage: {terms.leverage} is more than {_MAX_LEVERAGE}")
    return terms


def check_weight(weight: Any) -> int:
    """A market's part of the assets, relative to all weights. InputError for what the contract has no room for."""
    if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight <= _MAX_WEIGHT:
        raise InputError(f"weight: {weight!r} is not a whole number from 0 to {_MAX_WEIGHT:,}")
    return weight


def _check(values: dict[str, Any], known: frozenset[str], needed: set[str]) -> None:
    if unknown := values.keys() - known:
        raise InputError(f"unknown field {', '.join(sorted(unknown))}: there are {', '.join(sorted(known))}")
    if missing := needed - values.keys():
        raise InputError(f"missing field {', '.join(sorted(missing))}")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name}: write {value!r} as text")
    return value


def _unsigned(name: str, value: str, decimals: int) -> int:
    return 0 if value.strip() in ("0", "0.0") else units(name, value, decimals)
