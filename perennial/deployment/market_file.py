"""A market's file (markets/*.toml): what it is opened with, every violated bound named before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.deployment.fields import Fields, FileError, read_toml
from perennial.deployment.network import describe, struct
from perennial.manifest import Feed
from perennial.mirror.errors import ParameterOutOfBounds
from perennial.mirror.parameters import (
    MarketParameter,
    ProtocolParameter,
    RiskParameter,
    market_violations,
    risk_violations,
)
from perennial.mirror.payoff import MAX_HALF_POWER, MAX_SCALE, PowerPayoff

if TYPE_CHECKING:
    from perennial.deployment.network import FeedIds

MARKETS = Path(__file__).resolve().parent.parent.parent / "markets"
"""Files of markets that come with the protocol."""

ADAPTERS = {"pyth": "PythOracle", "chainlink": "ChainlinkOracle"}
"""Contract behind a file's `oracle.adapter`."""

MAX_FEEDS = 4

COORDINATOR = "coordinator"
"""As beneficiary: who opens the market."""

_SCALE_DECIMALS = 18


@dataclass(frozen=True)
class MarketFile:
    """A market to be opened. `token` is the name of one of the network's or an address, `reward` an address or empty.

    Its oracle is new, over `feeds` of `adapter` (a contract's name), or the registered one at `registered`.
    """

    name: str
    token: str
    reward: str
    beneficiary: str
    adapter: str
    feeds: tuple[Feed, ...]
    registered: str
    payoff: PowerPayoff | None
    risk: RiskParameter
    parameter: MarketParameter


def load(path: Path, protocol: ProtocolParameter, feeds: dict[str, FeedIds], tokens: list[str]) -> MarketFile:
    """A market's file. `feeds` and `tokens` are the names it may use. Raises FileError with every problem."""
    return parse(read_toml(path), protocol, feeds, tokens, path)


def parse(
    values: dict[str, Any],
    protocol: ProtocolParameter,
    feeds: dict[str, FeedIds],
    tokens: list[str],
    path: Path | str = "market",
) -> MarketFile:
    """A market from what its file says, checked against the protocol's bounds. Raises FileError with every problem."""
    file = Fields(values)
    name = file.text("name")
    if any(letter.isspace() or letter in "/:" for letter in name):
        file.problem("name", f"no spaces, slashes or colons, not {name!r}: others name the market by it")
    token = file.address("token", words=tuple(tokens))
    reward = file.address("reward") if file.has("reward") else ""
    if reward and reward == token:
        file.problem("reward", "is the token")
    beneficiary = file.address("beneficiary", default=COORDINATOR, words=(COORDINATOR,))
    adapter, of_oracle, registered = _oracle(file.table("oracle"), feeds)
    payoff = _payoff(file.table("payoff")) if file.has("payoff") else None
    risk, parameter = _parameters(file, protocol, has_reward=bool(reward))
    file.finish()
    if file.problems:
        raise FileError(path, file.problems)
    return MarketFile(name, token, reward, beneficiary, adapter, of_oracle, registered, payoff, risk, parameter)


def _parameters(
    file: Fields, protocol: ProtocolParameter, *, has_reward: bool
) -> tuple[RiskParameter, MarketParameter]:
    of_risk, of_market = file.table("risk"), file.table("market")
    risk = struct(of_risk, RiskParameter)
    for violation in risk_violations(risk, protocol):
        of_risk.problem(*describe(violation, RiskParameter))
    parameter = struct(of_market, MarketParameter)
    for violation in market_violations(parameter, protocol, has_reward):
        of_market.problem(*describe(violation, MarketParameter))
    _liquidations(of_risk, risk, of_market, parameter)
    return risk, parameter


def _liquidations(of_risk: Fields, risk: RiskParameter, of_market: Fields, parameter: MarketParameter) -> None:
    """No bounds of the contracts': liquidations whose fees others would have to pay (docs/protocol.md §16)."""
    # A close may take the skew from one side to the other, or from nothing to the other side.
    takers = risk.taker_fee + risk.taker_skew_fee + max(risk.taker_skew_fee, risk.taker_impact_fee)
    dearest = max(takers, risk.maker_fee + risk.maker_impact_fee)
    if risk.maintenance < dearest:
        field, text = describe(ParameterOutOfBounds("maintenance", risk.maintenance, dearest), RiskParameter)
        of_risk.problem(field, f"{text}, the position fee of the dearest close")
    room = max(0, risk.min_maintenance - risk.min_liquidation_fee)
    if parameter.settlement_fee > room:
        field, text = describe(ParameterOutOfBounds("settlementFee", parameter.settlement_fee, room), MarketParameter)
        of_market.problem(field, f"{text}, what risk.minLiquidationFee leaves of risk.minMaintenance")


def _oracle(table: Fields, known: dict[str, FeedIds]) -> tuple[str, tuple[Feed, ...], str]:
    if table.has("registered"):
        registered = table.address("registered")
        table.finish()
        return "", (), registered
    adapter = table.text("adapter")
    if adapter not in ADAPTERS:
        table.problem("adapter", f"{adapter!r} is none of {', '.join(ADAPTERS)}")
    entries = table.tables("feeds")
    if not 1 <= len(entries) <= MAX_FEEDS:
        table.problem("feeds", f"{len(entries)} is outside its limits 1 and {MAX_FEEDS}")
    feeds = tuple(_feed(entry, adapter, known) for entry in entries)
    if len({feed.id for feed in feeds}) != len(feeds):
        table.problem("feeds", "has a feed twice")
    table.finish()
    return ADAPTERS.get(adapter, ""), feeds, ""


def _feed(entry: Fields, adapter: str, known: dict[str, FeedIds]) -> Feed:
    power = entry.whole("power", -1, 1)
    if power == 0:
        entry.problem("power", "0 is none of 1, -1")
    if entry.has("id"):
        identifier = entry.identifier("id")
    else:
        name = entry.text("feed")
        identifier = getattr(known[name], adapter, "") if name in known else ""
        if not identifier:
            has = ", ".join(each for each, ids in known.items() if getattr(ids, adapter, "")) or "none"
            entry.problem("feed", f"{name!r} is none of the network's with {adapter or 'this adapter'}: {has}")
    entry.finish()
    return Feed(identifier, power)


def _payoff(table: Fields) -> PowerPayoff | None:
    half_power = table.whole("halfPower", -MAX_HALF_POWER, MAX_HALF_POWER)
    if half_power == 0:
        table.problem("halfPower", "0 is none of -4 … -1, 1 … 4")
    scale = table.amount("scale", decimals=_SCALE_DECIMALS)
    if not 0 < scale <= MAX_SCALE:
        table.problem("scale", "is outside its limits 0.000000000000000001 and 1000000000000000000")
    negative = table.flag("negative", default=False)
    table.finish()
    usable = half_power != 0 and abs(half_power) <= MAX_HALF_POWER and 0 < scale <= MAX_SCALE
    return PowerPayoff(half_power, scale, negative) if usable else None
