"""Roles may fall together: one address in any two of them ends with what two addresses would (docs/protocol.md §2).

One story touches every role: orders with a referrer, a fill and a cross with originator and solver, a liquidation, an
invalid version, fees to owner, coordinator and beneficiary. It is played with an address a role, then with every two
roles in one address: what the two had together, and what everybody else has, must be the same.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from perennial.amounts import raw
from perennial.intents import Intent, sign
from perennial.mirror.fixed import MIN_INT256, UNIT
from perennial.mirror.orders import NOBODY
from perennial.mirror.parameters import (
    MarketParameter,
    PController,
    ProtocolParameter,
    RiskParameter,
    UtilizationCurve,
)
from perennial.testing.books import check_books
from perennial.testing.differential import Bench
from perennial.testing.evm import Contract, Reverted

TRADERS = ("taker", "signer", "filler")
"""Have positions: the taker by orders, signer and filler by intents."""

CREDITED = ("originator", "solver", "referrer", "liquidator", "beneficiary", "coordinator", "owner")
"""Are due a part of what others pay."""

OTHERS = ("maker", "victim", "first", "second", "keeper")
"""The makers' side, one who is liquidated, two who trade with signer and filler, one who brings things about."""

EVERYBODY = (*TRADERS, *CREDITED, *OTHERS)
TOGETHER = [
    *combinations((*TRADERS, *CREDITED), 2),
    # The victim's own liquidation would be another one if it had a second position.
    *(("victim", role) for role in CREDITED),
    CREDITED,
    (*TRADERS, *CREDITED),
    ("victim", *CREDITED),
]

PROTOCOL = ProtocolParameter(
    protocol_fee=200_000,
    max_fee=20_000,
    max_fee_absolute=50 * UNIT,
    max_cut=500_000,
    max_rate=5 * UNIT,
    min_maintenance=0,
    min_efficiency=0,
)
RISK = RiskParameter(
    margin=20_000,
    maintenance=10_000,
    taker_fee=2_000,
    taker_skew_fee=1_000,
    taker_impact_fee=1_000,
    maker_fee=500,
    maker_impact_fee=0,
    maker_limit=2**48 - 1,
    efficiency_limit=0,
    liquidation_fee=100_000,
    min_liquidation_fee=raw(5),
    max_liquidation_fee=raw(25),
    utilization_curve=UtilizationCurve(0, 150_000, UNIT, 800_000),
    p_controller=PController(20_000 * UNIT, UNIT),
    min_margin=raw(10),
    min_maintenance=raw(10),
    virtual_taker=raw(10),
    stale_after=7_200,
    maker_receive_only=False,
)
PARAMETER = MarketParameter(
    funding_fee=50_000,
    interest_fee=50_000,
    position_fee=300_000,
    oracle_fee=100_000,
    risk_fee=400_000,
    settlement_fee=raw("1.5"),
    max_pending_global=12,
    max_pending_local=6,
    maker_reward_rate=0,
    long_reward_rate=0,
    short_reward_rate=0,
    referral_fee=123_457,
    max_price_deviation=100_000,
    taker_close_always=True,
    maker_close_always=True,
    closed=False,
)
PRICE = raw(100)
STAKE = raw(10_000)
EXPIRY = 2**40


@cache
def key_of(role: str) -> LocalAccount:
    key: LocalAccount = Account.from_key(keccak(text=f"role {role}"))
    return key


@dataclass
class Story:
    """A market in which every role is played by the address of `cast`."""

    bench: Bench
    cast: Mapping[str, str]
    """The role whose address each role has."""
    current: int = 1_000
    nonce: int = 0
    paid: dict[str, int] = field(default_factory=dict)
    market: Contract = field(init=False)

    def __post_init__(self) -> None:
        bench, evm, owner = self.bench, self.bench.evm, self.bench.owner
        bench.factory.send("updateParameter", PROTOCOL.to_abi(), sender=owner)
        self.oracle = evm.deploy("MockOracle", sender=owner)
        self.oracle.send("setCurrent", self.current, sender=owner)
        bench.oracles.send("register", self.oracle.address, sender=owner)
        self.token = evm.deploy("MockToken", "Mock Dollar", "mUSD", 6, sender=owner)
        definition = (self.token.address, NOBODY, self.oracle.address, NOBODY, self.at("beneficiary"))
        arguments = (definition, RISK.to_abi(), PARAMETER.to_abi())
        (market,) = bench.factory.send("create", *arguments, sender=self.at("coordinator"))
        self.market = evm.contract("IMarket", market)
        bench.factory.send("transferOwnership", self.at("owner"), sender=owner)
        bench.factory.send("acceptOwnership", sender=self.at("owner"))
        for address in self.addresses():
            self.token.send("mint", address, 10**18, sender=owner)
            self.token.send("approve", market, 10**18, sender=address)

    def at(self, role: str) -> str:
        return str(key_of(self.cast[role]).address).lower()

    def addresses(self) -> list[str]:
        return list(dict.fromkeys(self.at(role) for role in EVERYBODY))

    def update(self, role: str, *, maker: int = 0, taker: int = 0, money: int = 0, referred: bool = False) -> None:
        referrer = self.at("referrer") if referred else NOBODY
        self.market.send("update", self.at(role), maker, taker, money, referrer, sender=self.at(role))

    def commit(self, price: int | None, wait: int = 60) -> None:
        """The current version gets a price, or none, and everybody settles."""
        version, self.current = self.current, self.current + wait
        self.oracle.send("set", version, price or 0, price is not None, self.current, sender=NOBODY)
        for address in self.addresses():
            self.market.send("settle", address, sender=self.at("keeper"))

    def intent(self, role: str, amount: str, price: str) -> tuple[object, bytes]:
        self.nonce += 1
        intent = Intent.build(
            market=self.market.address,
            account=self.at(role),
            amount=amount,
            price=price,
            expiry=EXPIRY,
            nonce=self.nonce,
            fee="0.4",
            originator=self.at("originator"),
            solver=self.at("solver"),
        )
        return intent.to_abi(), sign(intent, self.bench.domain, key_of(self.cast[role]))

    def fill(self, by: str, filler: str, amount: str, price: str) -> None:
        signed = self.intent(by, amount, price)
        terms = (raw(amount), raw(price), self.at(filler))
        self.market.send("fill", *signed, *terms, sender=self.at(filler))

    def play(self) -> None:
        """All positions are closed at the end, all credits and fees are claimed."""
        self.commit(PRICE)
        self.update("maker", maker=raw(200), money=raw(100_000))
        for role in ("taker", "signer", "filler", "first", "second"):
            self.update(role, money=STAKE)
        self.update("victim", taker=raw(10), money=raw(30), referred=True)
        self.commit(PRICE)

        self.update("taker", taker=raw(7), referred=True)
        self.fill("signer", "first", "3", "101")
        self.fill("second", "filler", "-5", "99")
        self.commit(PRICE)
        self.cross(("signer", "2.5"), ("second", "-2.5"), "100.3")
        self.update("taker", taker=raw(1), referred=True)
        self.commit(None)
        self.commit(PRICE)

        # The victim had 30 for a size of 10: what is left does not cover the fee, the donation helps.
        self.commit(raw(98))
        self.market.send("liquidate", self.at("victim"), sender=self.at("liquidator"))
        self.commit(raw(98))
        self.leave()

    def cross(self, a: tuple[str, str], b: tuple[str, str], price: str) -> None:
        (first, amount), (second, opposite) = a, b
        signed = *self.intent(first, amount, "101"), *self.intent(second, opposite, "99")
        self.market.send("cross", *signed, raw(amount), raw(price), sender=self.at("keeper"))

    def leave(self) -> None:
        self.fill("first", "signer", "3", "98")
        self.fill("second", "filler", "5", "98")
        self.fill("second", "signer", "2.5", "98")
        self.commit(raw(98))
        self.update("taker", taker=-raw(7), referred=True)
        self.commit(raw(98))
        self.update("maker", maker=MIN_INT256)
        self.commit(raw(98))
        balance = self.token.value("balanceOf", self.market.address)
        check_books(self.market.read, self.addresses(), balance)
        assert self.market.read("position")[1:] == (0, 0, 0)

    def claim(self) -> None:
        """Everybody takes out whatever is due."""
        owner = self.at("owner")
        self.bench.oracles.send("claimOracleFee", self.market.address, self.at("keeper"), sender=self.bench.owner)
        for address in self.addresses():
            self.market.send("update", address, 0, 0, MIN_INT256, NOBODY, sender=address)
            self.market.send("claim", address, address, sender=address)
        for address in dict.fromkeys((owner, self.at("coordinator"), self.at("beneficiary"))):
            self.market.send("claimFee", address, sender=address)

    def totals(self) -> dict[str, int]:
        """What each address has won or lost, by the role that gave it its name; and what stays in the market."""
        gains = {
            name: self.token.value("balanceOf", str(key_of(name).address)) - 10**18 for name in set(self.cast.values())
        }
        return gains | {"market": self.token.value("balanceOf", self.market.address)}


@contextmanager
def story(bench: Bench, together: tuple[str, ...]) -> Iterator[Story]:
    """The story with these roles in one address."""
    cast = {role: together[0] if role in together else role for role in EVERYBODY}
    with bench.evm.undone():
        yield Story(bench, cast)


@pytest.fixture(scope="module")
def apart(bench: Bench) -> dict[str, int]:
    """What each role gets with an address of its own."""
    with story(bench, ()) as told:
        told.play()
        told.claim()
        return told.totals()


def test_every_role_is_played(apart):
    """Whoever is due something gets it, and who trades has won or lost: else the comparison would show nothing."""
    assert all(apart[role] > 0 for role in CREDITED)
    assert all(apart[role] for role in TRADERS)
    assert apart["victim"] == -raw(30)
    assert 0 <= apart["market"] < 100


@pytest.mark.parametrize("together", TOGETHER, ids="+".join)
def test_one_address(bench, apart, together):
    with story(bench, together) as told:
        told.play()
        told.claim()
        totals = told.totals()

    expected = {role: gain for role, gain in apart.items() if role not in together}
    expected[together[0]] = sum(apart[role] for role in together)
    traders = sum(role in TRADERS for role in together)
    if traders > 1:
        # Two positions in one account are rounded once instead of twice: what each settlement rounds stays there.
        dust = 10 * traders
        assert all(abs(totals[role] - expected[role]) <= dust for role in expected)
    else:
        assert totals == expected


def test_nobody_fills_an_intent_of_its_own(bench):
    """The one pair that is no pair: signer and filler of the same intent."""
    with story(bench, ("signer", "filler")) as told:
        told.commit(PRICE)
        told.update("signer", money=STAKE)
        with pytest.raises(Reverted, match="SelfFill"):
            told.fill("signer", "filler", "3", "100")
