"""Random play against a market: what its users, its owners and the world might do next.

A `Player` draws every choice from one source of randomness, so that a game is its seed. It looks at the mirror to make
most moves sensible, and many exactly on the edge: sizes at the limit of the margin, prices at which an account is just
liquidatable, parameters at their bounds and one beyond.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from perennial.mirror.errors import InsufficientMaintenance
from perennial.mirror.fixed import MIN_INT256, UNIT
from perennial.mirror.market import Market
from perennial.mirror.parameters import (
    MarketParameter,
    PController,
    ProtocolParameter,
    RiskParameter,
    UtilizationCurve,
)
from perennial.mirror.position import Side
from perennial.mirror.quote import liquidation_prices
from perennial.testing.differential import HOLDERS, Action, Bench, Relayed, Setup, Signed, Twin, address_of

T = TypeVar("T")

WAITS = (1, 10, 10, 60, 600, 3_600, 3_600, 3_600)
PAYOFFS = ((4, 10**14, False), (2, 10**18, True), (-2, 10**18, False), (1, 10**16, False), (2, 10**9, False))


def amount(rng: Random, low: int, high: int) -> int:
    """A number in [low, high], every order of magnitude as likely as the next."""
    if low >= high:
        return low
    bits = rng.randint(max(low, 1).bit_length(), high.bit_length())
    return max(low, min(high, rng.randint(1 << (bits - 1), (1 << bits) - 1)))


def amount_of(rng: Random) -> int:
    """A collateralization: from next to nothing to all of the notional and more."""
    return amount(rng, 1, 2 * UNIT)


def share(rng: Random, bound: int) -> int:
    """A parameter in [0, bound]: often at a bound, often small."""
    return rng.choice((0, bound, rng.randint(0, bound), amount(rng, 0, bound)))


# -- Parameters --------------------------------------------------------------------------------------------------------


def protocol(rng: Random, extreme: bool) -> ProtocolParameter:
    """Protocol parameters within their bounds; `extreme`: anywhere in them."""
    if extreme:
        max_cut = share(rng, UNIT)
        return ProtocolParameter(
            share(rng, max_cut),
            share(rng, 2**24 - 1),
            share(rng, 2**40),
            max_cut,
            rng.choice((2**32 - 1, share(rng, 2**32 - 1))),
            share(rng, UNIT // 10),
            share(rng, UNIT),
        )
    return ProtocolParameter(
        protocol_fee=rng.choice((0, 0, 50_000, 200_000)),
        max_fee=rng.choice((2_000, 20_000)),
        max_fee_absolute=50 * UNIT,
        max_cut=rng.choice((200_000, 500_000)),
        max_rate=rng.choice((5 * UNIT, 50 * UNIT)),
        min_maintenance=rng.choice((0, 4_000)),
        min_efficiency=rng.choice((0, 250_000)),
    )


def risk(rng: Random, bounds: ProtocolParameter) -> RiskParameter:
    """Risk parameters within their bounds."""
    high = min(UNIT, max(bounds.min_maintenance, rng.choice((10_000, 50_000, 200_000))))
    maintenance = max(bounds.min_maintenance, rng.choice((0, high // 2, high)))
    margin = rng.choice((maintenance, min(UNIT, maintenance * 6 // 5)))
    absolute = bounds.max_fee_absolute
    min_margin = min(absolute, rng.choice((0, 10 * UNIT, 20 * UNIT)))
    min_maintenance = rng.choice((min_margin, min_margin // 2))
    max_liquidation_fee = rng.choice((absolute, min(absolute, 25 * UNIT)))
    return RiskParameter(
        margin=margin,
        maintenance=maintenance,
        taker_fee=share(rng, bounds.max_fee),
        taker_skew_fee=share(rng, bounds.max_fee),
        taker_impact_fee=share(rng, bounds.max_fee),
        maker_fee=share(rng, bounds.max_fee),
        maker_impact_fee=share(rng, bounds.max_fee),
        maker_limit=2**48 - 1 if rng.random() < 0.8 else amount(rng, UNIT, 2**48 - 1),
        efficiency_limit=max(bounds.min_efficiency, rng.choice((0, 0, 250_000, 500_000))),
        liquidation_fee=share(rng, bounds.max_cut),
        min_liquidation_fee=min(max_liquidation_fee, rng.choice((0, min_maintenance // 2, min_maintenance))),
        max_liquidation_fee=max_liquidation_fee,
        utilization_curve=UtilizationCurve(
            share(rng, bounds.max_rate),
            share(rng, bounds.max_rate),
            share(rng, bounds.max_rate),
            rng.choice((0, UNIT, 600_000, rng.randint(0, UNIT))),
        ),
        p_controller=PController(
            rng.choice((1, 20_000 * UNIT, amount(rng, 1, 2**48 - 1))), share(rng, bounds.max_rate)
        ),
        min_margin=min_margin,
        min_maintenance=min_maintenance,
        virtual_taker=rng.choice((0, 0, 10 * UNIT, amount(rng, 0, 2**64 - 1))),
        stale_after=rng.choice((7_200, 100_000, 2**32 - 1, 60)),
        maker_receive_only=rng.random() < 0.3,
    )


def parameter(rng: Random, bounds: ProtocolParameter, has_reward: bool) -> MarketParameter:
    """Market parameters within their bounds."""
    oracle_fee = rng.choice((0, 200_000, UNIT))
    reward = 2**40 - 1 if has_reward else 0
    return MarketParameter(
        funding_fee=share(rng, bounds.max_cut),
        interest_fee=share(rng, bounds.max_cut),
        position_fee=share(rng, bounds.max_cut),
        oracle_fee=oracle_fee,
        risk_fee=rng.choice((0, UNIT - oracle_fee, rng.randint(0, UNIT - oracle_fee))),
        settlement_fee=min(bounds.max_fee_absolute, rng.choice((0, 1_500_000, 1_234_567))),
        max_pending_global=rng.choice((12, 12, 4, 2, 1)),
        max_pending_local=rng.choice((6, 6, 3, 1)),
        maker_reward_rate=min(reward, rng.choice((0, UNIT, amount(rng, 0, reward)))),
        long_reward_rate=min(reward, rng.choice((0, UNIT))),
        short_reward_rate=min(reward, rng.choice((0, 1, amount(rng, 0, reward)))),
        referral_fee=share(rng, bounds.max_cut),
        max_price_deviation=rng.randint(0, 2**24 - 1),
        taker_close_always=rng.random() < 0.5,
        maker_close_always=rng.random() < 0.5,
        closed=rng.random() < 0.03,
    )


def setup(rng: Random, extreme: bool | None = None) -> Setup:
    """What a game starts with, now and then extreme unless that is said."""
    if extreme is None:
        extreme = rng.random() < 0.15
    bounds = protocol(rng, extreme)
    has_reward = rng.random() < 0.7
    return Setup(
        protocol=bounds,
        risk=risk(rng, bounds),
        parameter=parameter(rng, bounds, has_reward),
        decimals=rng.choice((6, 8, 18, 18)),
        reward_decimals=rng.choice((6, 18)),
        has_reward=has_reward,
        payoff=rng.choice(PAYOFFS) if rng.random() < 0.25 else None,
        extreme=extreme,
    )


# -- Moves -------------------------------------------------------------------------------------------------------------


class Player:
    """Makes one move after another in a game."""

    names: Sequence[str] = HOLDERS
    """Whose moves: everybody who may have an account."""

    def __init__(self, twin: Twin, rng: Random) -> None:
        self.twin, self.rng = twin, rng
        self.price = rng.choice((100 * UNIT, 100 * UNIT, 3_000 * UNIT, amount(rng, UNIT, 10**11)))
        self.extreme = twin.setup.extreme
        self.signed: dict[str, Signed] = {}
        self.relayed: Relayed | None = None
        if self.extreme:
            self.price = rng.choice((amount(rng, UNIT, 10**17), 10**16))
        self._moves = (
            (30, self.open),
            (16, self.close),
            (8, self.money),
            (22, self.tick),
            (6, self.squeeze),
            (6, self.settle),
            (5, self.liquidate),
            (4, self.claim),
            (2, self.change_risk),
            (3, self.change_parameter),
            (1, self.change_protocol),
            (2, self.administer),
            (2, self.gift),
            (3, self.pile_up),
            (28, self.match),
            (3, self.match_many),
            (6, self.sign),
        )

    @property
    def mirror(self) -> Market:
        """The mirror as it is now."""
        return self.twin.mirror

    def start(self) -> None:
        """Roles and approvals, a first price, mostly some makers, and mostly a version at which they settle."""
        rng = self.rng
        self.assign()
        self.tick()
        self.freshen()
        for name in rng.sample(self.names, rng.choice((0, 1, 2, 2))):
            collateral = max(self.collateral(), self.collateral())
            self.update(name, maker=max(1, min(self.size(collateral), self.room(1))), money=collateral)
        if rng.random() < 0.9:
            self.twin.act("commit", self.mirror.oracle.status()[1], self.price, self.mirror.oracle.status()[1] + 10)
            self.twin.act("settle", self.anyone(), self.anyone())

    def assign(self) -> None:
        """Roles go to those who trade, who approve each other as operators and signers: one address is many things."""
        rng = self.rng
        if rng.random() < 0.5:
            self.twin.act("update_coordinator", self.anyone(), "coordinator")
        if rng.random() < 0.5:
            self.twin.act("update_beneficiary", self.anyone(), "owner")
        for _ in range(rng.choice((0, 2, 4))):
            self.twin.act(rng.choice(("approve", "approve_signer")), self.anyone(), self.anyone(), True)

    def move(self) -> None:
        """One move."""
        choice = self.rng.choices(self._moves, weights=[weight for weight, _ in self._moves])[0]
        choice[1]()

    def update(
        self, name: str, *, maker: int = 0, taker: int = 0, money: int = 0, referrer: str | None = None, by: str = ""
    ) -> None:
        """An update, now and then by somebody else."""
        if not by:
            by = name if self.rng.random() < 0.9 else self.operator(name)
        self.twin.act("update", name, maker, taker, money, referrer, by)

    # -- Choices ---------------------------------------------------------------------------------------------------

    def anyone(self) -> str:
        """An account."""
        return self.rng.choice(self.names)

    def operator(self, account: str) -> str:
        """Mostly an operator of the account, if it has one; else itself, or whoever."""
        return self.approved(account, self.mirror.factory.approvals)

    def signer(self, account: str) -> str:
        """Mostly a signer of the account, if it has one; else itself, or whoever."""
        return self.approved(account, self.mirror.factory.verifier.signers)

    def approved(self, account: str, approvals: set[tuple[str, str]]) -> str:
        """Mostly one that the account has approved."""
        names = [name for name in self.names if (address_of(account), address_of(name)) in approvals]
        return self.rng.choice(names or [account]) if self.rng.random() < 0.8 else self.anyone()

    def state(self, name: str) -> Any:
        """The mirror's account of this name, or None."""
        return self.mirror.accounts.get(address_of(name))

    def holder(self) -> str | None:
        """Somebody with a position, settled; None where nobody seems to have one."""
        names = [name for name in self.names if (state := self.state(name)) and (state.size or state.orders)]
        if not names:
            return None
        name = self.rng.choice(names)
        if not self.state(name).size and self.mirror.factory.paused is False:
            self.twin.act("settle", name, self.anyone())
        return name

    def collateral(self) -> int:
        """USD, mostly enough for the least margin."""
        low = max(10 * UNIT, self.mirror.risk.min_margin * self.rng.choice((1, 1, 0)))
        return amount(self.rng, low, 2**62 if self.extreme else 10**6 * UNIT)

    def size(self, free: int) -> int:
        """A size that so much free collateral allows, often nearly all of it; now and then dust, or far too much."""
        rng = self.rng
        if rng.random() < 0.06:
            return rng.choice((1, 999, 1_000, rng.randint(1, 2_000)))
        if rng.random() < 0.02:
            return rng.choice((2**63 - 1, 2**63, 2**255 - 1, 2**62))
        price = max(1, abs(self.mirror.price))
        terms = self.mirror.risk
        ratio = max(terms.margin, 1_000) + terms.taker_fee + terms.taker_skew_fee + terms.taker_impact_fee
        most = max(0, free) * UNIT * UNIT // (price * ratio)
        return max(1, rng.choice((most * 95 // 100, most * 80 // 100, most // 2, most // 10, most // 100, most)))

    def room(self, side: int) -> int:
        """What the limits of the market leave on a side."""
        book, terms = self.mirror.pending, self.mirror.risk
        if side == 1:
            return terms.maker_limit - book.maker - 1
        limit = max(terms.efficiency_limit, 1)
        return min(book.maker * UNIT // limit - 1, book.cover) - book.of(side)

    # -- What users do ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Opens or adds, mostly on the side where the account is, with a deposit or without."""
        rng, name = self.rng, self.anyone()
        self.freshen()
        state = self.state(name)
        side = int(state.current_side) if state else 0
        if side == 0 or rng.random() < 0.03:
            side = rng.choice((1, 2, 3, 2, 3) if self.mirror.book.maker else (1, 1, 1, 2))
        if self.room(side) <= 0:
            side = side if rng.random() < 0.2 else rng.choice((1, 2, 3))
        effective, margin, _ = self.mirror.requirement(address_of(name))
        money = self.collateral() if effective <= margin or rng.random() < 0.4 else 0
        size = self.size(effective - margin + money)
        if rng.random() < 0.9:
            size = max(1, min(size, self.room(side)))
        if rng.random() < 0.03:
            money = -money // 1_000
        referrer = self.anyone() if rng.random() < 0.4 else None
        sizes = {1: (size, 0), 2: (0, size), 3: (0, -size)}[side]
        self.update(name, maker=sizes[0], taker=sizes[1], money=money, referrer=referrer)

    def freshen(self) -> None:
        """Mostly there is a price to trade on."""
        latest, current = self.mirror.oracle.status()
        stale = current - latest.timestamp > self.mirror.risk.stale_after
        if (stale or not latest.valid) and self.rng.random() < 0.9:
            self.price = max(1, self.price)
            self.twin.act("commit", current, self.price, current + 10)

    def close(self) -> None:
        """Closes all, a part, or too much; the money may leave with it."""
        rng = self.rng
        name = self.holder() or self.anyone()
        self.freshen()
        state = self.state(name)
        side, closable = (int(state.current_side), state.closable) if state else (0, 0)
        size = rng.choice((MIN_INT256, MIN_INT256, -closable, -(closable // 2), -(closable // 10), -closable - 1))
        if side == 3 and size != MIN_INT256:
            size = -size
        money = rng.choice((0, 0, 0, MIN_INT256, -UNIT, UNIT))
        referrer = self.anyone() if rng.random() < 0.3 else None
        if rng.random() < 0.03:
            side = 4 - side
        if side == 1:
            self.update(name, maker=size, money=money, referrer=referrer)
        else:
            self.update(name, taker=size, money=money, referrer=referrer)

    def money(self) -> None:
        """Deposits or withdraws."""
        rng, name = self.rng, self.anyone()
        state = self.state(name)
        has = state.collateral if state else 0
        delta = rng.choice(
            (
                self.collateral(),
                self.collateral(),
                MIN_INT256,
                MIN_INT256,
                -max(has, 0) // 2,
                -max(has, 0) // 10,
                -max(has, 0) // 100,
                rng.choice((-max(has, 0), -max(has, 0) - 1, max(-has, 0))),
                rng.choice((2**63, 2**255 - 1, MIN_INT256 + 1, 1, -1)),
            )
        )
        by = self.anyone() if rng.random() < 0.15 else name
        self.update(name, money=delta, by=by)

    def match(self) -> None:
        """A fill or a cross; now and then more of an intent that was filled before."""
        self.freshen()
        if self.rng.random() < 0.6:
            self.twin.act("fill", *self.filling(), self.filler)
        else:
            self.twin.act("cross", *self.crossing(), self.anyone())

    def match_many(self) -> None:
        """A batch of fills or crosses, mostly with bad ones skipped."""
        self.freshen()
        skip, count = self.rng.random() < 0.7, self.rng.randint(0, 4)
        if self.rng.random() < 0.6:
            self.twin.act("fill_batch", [self.filling() for _ in range(count)], skip, self.filler)
        else:
            self.twin.act("cross_batch", [self.crossing() for _ in range(count)], skip, self.anyone())

    filler = HOLDERS[0]
    """Who sends the fill in hand."""

    def filling(self) -> tuple[Signed, int, int, str]:
        """An intent, a part of it, a price, and who takes the other side."""
        rng = self.rng
        signed = self.intent(self.taker(), 0)
        account = self.taker(signed.account)
        self.filler = account if rng.random() < 0.8 else self.operator(account)
        return signed, self.part(signed.amount), self.near(signed), account

    def crossing(self) -> tuple[Signed, Signed, int, int]:
        """Two opposite intents, a part of them, a price."""
        a = self.intent(self.taker(), 0)
        b = self.intent(self.taker(a.account), -a.amount)
        if self.rng.random() < 0.9:
            b = replace(b, price=a.price)
        return a, b, self.part(a.amount), a.price if self.rng.random() < 0.9 else self.near(a)

    def intent(self, account: str, amount: int) -> Signed:
        """What an account signs: `amount`, or what it can afford or wants to be rid of; or something signed before."""
        rng = self.rng
        signed = self.signed.get(account)
        if signed is not None and rng.random() < 0.3 and (amount == 0 or (amount > 0) == (signed.amount > 0)):
            return signed
        state, price = self.state(account), self.mirror.price
        own = state.pending[1] if state else 0
        effective, margin, _ = self.mirror.requirement(address_of(account))
        most = max(1, min(self.size(max(0, effective - margin)), max(1, self.room(2))))
        size = rng.choice((most, most // 2, most // 10, own, 2 * own, own // 2, 1)) or 1
        direction = rng.choice((1, -1))
        if own and (self.room(2) <= 0 or rng.random() < 0.4):
            # Smaller, or through zero.
            direction = -1 if state.pending[0] == Side.LONG else 1
            size = rng.choice((own, own // 2, own + most, 2 * own)) or 1
        drift = abs(price) * rng.choice((0, 0, 1, 1_000, 20_000)) // UNIT
        signed = Signed(
            account,
            amount or direction * size,
            price + rng.choice((1, -1)) * drift,
            account,
            account,
            fee=share(rng, UNIT) if rng.random() < 0.99 else UNIT + 1,
            originator=self.anyone() if rng.random() < 0.6 else None,
            solver=self.anyone() if rng.random() < 0.5 else None,
            collateralization=rng.choice((0, 0, 0, amount_of(rng), 2**256 - 1 if rng.random() < 0.1 else 0)),
            nonce=rng.randint(0, 50),
            group=rng.randint(0, 30),
            expiry=1 if rng.random() < 0.02 else 2**40,
            foreign=rng.random() < 0.01,
        )
        if rng.random() < 0.2:
            signer = self.signer(account)
            signed = replace(signed, signer=signer, key=signer if rng.random() < 0.9 else self.anyone())
        self.signed[account] = signed
        return signed

    def taker(self, other: str = "") -> str:
        """Mostly somebody who is no maker, with money, and not the other one."""
        names = [
            name
            for name in self.names
            if name != other
            and (state := self.state(name))
            and state.current_side != Side.MAKER
            and state.collateral > 0
        ]
        if names and self.rng.random() < 0.9:
            return self.rng.choice(names)
        name = self.anyone()
        if self.rng.random() < 0.6:
            self.update(name, money=self.collateral())
        return name

    def part(self, whole: int) -> int:
        """A part of an intent's amount: mostly all, now and then too little, too much or of the wrong sign."""
        rng = self.rng
        if rng.random() < 0.05:
            return rng.choice((0, -whole, 2 * whole, whole // 20, 2**63, -(2**63), -(2**254)))
        return rng.choice((whole, whole, whole // 2 or whole, whole // 10 or whole))

    def near(self, signed: Signed) -> int:
        """A price for it, mostly the signed one or better."""
        rng = self.rng
        drift = abs(signed.price) // rng.choice((100, 10_000))
        better = signed.price - (drift if signed.amount > 0 else -drift)
        if rng.random() < 0.03:
            return rng.choice((2 * signed.price - better, 2**62, -(2**62), 0, 2**255 - 1, -(2**255)))
        return rng.choice((signed.price, signed.price, better))

    def sign(self) -> None:
        """Approves a signer, or cancels what was signed: oneself, as a signer, or by a message that another brings."""
        rng, kind, account = self.rng, self.rng.randint(0, 7), self.anyone()
        if kind <= 1:
            self.twin.act("approve_signer", account, self.anyone(), rng.random() < 0.8)
        elif kind == 2:
            self.twin.act("cancel_nonce", account, self.nonce(account))
        elif kind == 3:
            self.twin.act("cancel_group", account, rng.randint(0, 30))
        elif kind == 4:
            number = (self.nonce(account), None) if rng.random() < 0.5 else (None, rng.randint(0, 30))
            self.twin.act("cancel_of", self.signer(account), account, *number)
        else:
            if self.relayed is None or rng.random() < 0.8:
                self.relayed = self.message(account)
            self.twin.act("relay", self.relayed, self.anyone())
        if rng.random() < 0.8 and (signed := self.signed.get(account)):
            # What was just cancelled is in somebody's hands.
            filler = self.taker(account)
            self.twin.act("fill", signed, signed.amount, signed.price, filler, filler)

    def nonce(self, account: str) -> int:
        """Often that of what the account has signed."""
        signed = self.signed.get(account)
        return signed.nonce if signed and self.rng.random() < 0.7 else self.rng.randint(0, 50)

    def message(self, account: str) -> Relayed:
        """An approval or a cancellation of an account's, mostly signed by who may."""
        rng = self.rng
        approves = self.anyone() if rng.random() < 0.6 else None
        signer = account if approves is not None or rng.random() < 0.4 else self.signer(account)
        if rng.random() < 0.2:
            signer = self.anyone()
        return Relayed(
            account,
            signer,
            signer if rng.random() < 0.85 else self.anyone(),
            approves=approves,
            approved=rng.random() < 0.8,
            signs=rng.random() < 0.5,
            cancelled=rng.randint(0, 30) if rng.random() < 0.5 else None,
            nonce=self.nonce(account),
            group=rng.randint(0, 30),
            expiry=1 if rng.random() < 0.03 else 2**40,
            foreign=rng.random() < 0.03,
        )

    def settle(self) -> None:
        """Somebody settles an account, or a part of the backlog."""
        if self.rng.random() < 0.3:
            self.twin.act("advance", self.rng.choice((0, 1, 1, 2, 5)), self.anyone())
        else:
            self.twin.act("settle", self.anyone(), self.anyone())

    def liquidate(self) -> None:
        """Liquidates: an account that can be, if there is one."""
        names = [name for name in self.names if self.mirror.liquidatable(address_of(name))]
        name = self.rng.choice(names) if names else self.anyone()
        self.twin.act("liquidate", name, self.anyone())

    def claim(self) -> None:
        """Somebody claims something."""
        rng = self.rng
        kind = rng.choice(("claim", "claim_reward", "claim_fee", "claim_oracle_fee"))
        if kind == "claim_oracle_fee":
            self.twin.act(kind)
        elif kind == "claim_fee":
            self.twin.act(
                kind, rng.choice(("owner", self.role("coordinator"), self.role("beneficiary"), self.anyone()))
            )
        else:
            name = self.anyone()
            self.twin.act(kind, name, name if rng.random() < 0.8 else self.operator(name))

    # -- What the world does ---------------------------------------------------------------------------------------

    def tick(self, price: int | None = None) -> None:
        """Time passes: a version is committed (the current one, or one before it), is invalid, or is skipped."""
        rng = self.rng
        latest, current = self.mirror.oracle.status()
        following = current + rng.choice(WAITS)
        if rng.random() < (0.15 if self.extreme else 0.04):
            following = current + rng.choice((86_400, 31_536_000))
        if price is None:
            if rng.random() < 0.12 and latest.timestamp:
                self.twin.act("wait", following)
                return
            price = self.walk()
        version = current
        waiting = [pending.timestamp for pending in self.mirror.queue if latest.timestamp < pending.timestamp < current]
        if waiting and rng.random() < 0.7:
            # As an oracle does: what was asked for, in order; now and then one is left out.
            version = waiting[0] if rng.random() < 0.9 else rng.choice(waiting)
            following = rng.choice((current, following))
        elif rng.random() < 0.25 and current - 1 > latest.timestamp:
            version = rng.randint(latest.timestamp + 1, current - 1)
            following = rng.choice((current, following))
        self.twin.act("commit", version, price, following)

    def pile_up(self) -> None:
        """Orders at one version after another, with no price in between."""
        for _ in range(self.rng.randint(2, 6)):
            self.rng.choice((self.open, self.close))()
            self.twin.act("wait", self.mirror.oracle.status()[1] + self.rng.choice((1, 10)))

    def walk(self) -> int | None:
        """The next price; None: invalid."""
        rng = self.rng
        if rng.random() < 0.08:
            return None
        if self.mirror.payoff is not None and rng.random() < 0.05:
            # No payoff has a value there.
            return rng.choice((0, -1, 1 << 72))
        if self.extreme and rng.random() < 0.2:
            return rng.choice((0, 1, -1, 10**17 - 1, 10**17, 1 - 10**17, -(10**17), 10**18))
        move = rng.choice((20_000, 20_000, 20_000, 100_000, 500_000))
        self.price = max(1, self.price + self.price * rng.randint(-move, move) // UNIT)
        if rng.random() < 0.02:
            self.price = max(1, rng.choice((self.price * 10, self.price // 10)))
        return self.price

    def squeeze(self) -> None:
        """The price moves to where some account is just liquidatable, or just not; then somebody tries."""
        name = self.holder()
        if name is None or self.mirror.payoff is not None or self.mirror.factory.paused:
            self.tick()
            return
        prices = [p for p in liquidation_prices(self.mirror, address_of(name), 1 - 10**17) if p is not None]
        if not prices:
            self.tick()
            return
        price = min(prices, key=lambda p: abs(p - self.mirror.price)) if self.rng.random() < 0.8 else prices[-1]
        if abs(price) > 100 * max(1, abs(self.mirror.price)):
            return
        latest, current = self.mirror.oracle.status()
        # The sooner the version the less has accrued, and the nearer is the price to what it is meant to be.
        version = min(latest.timestamp + self.rng.choice((1, 1, 10)), current)
        beyond = (price - self.mirror.price) // self.rng.choice((10, 100, 1_000)) if self.rng.random() < 0.6 else 0
        price += beyond or self.rng.choice((0, 0, 1, -1))
        self.twin.act("commit", version, price, max(current, version + 10))
        for _ in range(self.rng.choice((1, 1, 2))):
            self.twin.act("liquidate", name, self.anyone())
        if self.rng.random() < 0.5:
            # It goes on in the same direction while the close waits.
            move = (price - self.price) * self.rng.choice((0, 1, 3)) // 10
            self.price = max(1, price + move)
            self.twin.act("commit", self.mirror.oracle.status()[1], self.price, self.mirror.oracle.status()[1] + 10)
        self.price = max(1, price)

    # -- What owners do --------------------------------------------------------------------------------------------

    def change_risk(self) -> None:
        """New risk parameters; now and then out of bounds, or by somebody without the role."""
        rng = self.rng
        new = risk(rng, self.mirror.factory.parameter)
        if rng.random() < 0.4:
            new = replace(self.mirror.risk, maker_receive_only=not self.mirror.risk.maker_receive_only)
        if rng.random() < 0.15:
            new = replace(new, margin=rng.choice((UNIT + 1, new.maintenance - 1)) if new.maintenance else UNIT + 1)
        self.twin.act("update_risk_parameter", new, self.role("coordinator"))

    def change_parameter(self) -> None:
        """New market parameters; often only one flag."""
        rng, old = self.rng, self.mirror.parameter
        new = parameter(rng, self.mirror.factory.parameter, self.mirror.reward != "0x" + "0" * 40)
        if rng.random() < 0.6:
            new = rng.choice(
                (
                    replace(old, closed=not old.closed),
                    replace(old, closed=False),
                    replace(old, settlement_fee=new.settlement_fee),
                    replace(old, maker_close_always=not old.maker_close_always),
                    replace(old, maker_reward_rate=new.maker_reward_rate, short_reward_rate=new.short_reward_rate),
                )
            )
        if rng.random() < 0.1:
            new = replace(new, risk_fee=UNIT + 1 - new.oracle_fee)
        self.twin.act("update_parameter", new, self.role("owner"))

    def change_protocol(self) -> None:
        """New protocol parameters: markets keep theirs until they change."""
        old = self.mirror.factory.parameter
        new = replace(old, protocol_fee=share(self.rng, old.max_cut))
        if self.rng.random() < 0.3:
            new = protocol(self.rng, self.extreme)
        if self.rng.random() < 0.1:
            new = replace(new, protocol_fee=new.max_cut + 1)
        self.twin.act("update_protocol", new)

    def administer(self) -> None:
        """Roles change hands, approvals are given, the protocol is paused and always unpaused again."""
        rng = self.rng
        kind = rng.randint(0, 5)
        if kind == 0:
            self.twin.act("update_coordinator", self.anyone(), self.role("coordinator"))
        elif kind == 1:
            self.twin.act("update_beneficiary", rng.choice((self.anyone(), "beneficiary")), self.role("owner"))
        elif kind == 2:
            self.twin.act("update_reward", self.role("owner"))
        elif kind <= 4:
            self.twin.act("approve", self.anyone(), self.anyone(), rng.random() < 0.8)
        else:
            self.twin.act("pause", self.role("pauser"))
            for _ in range(3):
                rng.choice((self.open, self.settle, self.claim, self.money, self.liquidate, self.change_risk))()
            if self.mirror.factory.paused:
                self.twin.act("unpause", rng.choice(("pauser", "owner")))

    def gift(self) -> None:
        """Tokens come in that the market does not expect."""
        if self.rng.random() < 0.5:
            self.twin.act("fund_rewards", amount(self.rng, 1, 10**12))
        else:
            self.twin.act("donate", amount(self.rng, 1, 10**9))

    def role(self, name: str) -> str:
        """Mostly who has the role now, now and then somebody else."""
        if self.rng.random() < 0.1:
            return self.anyone()
        held = {"coordinator": self.mirror.coordinator, "beneficiary": self.mirror.beneficiary}.get(name)
        return next((each for each in self.names if address_of(each) == held), name)


def play(bench: Bench, rng: Random, steps: int, then: Callable[[Player], None] | None = None) -> Twin:
    """A game on a market of its own. Raises Mismatch or AssertionError, with setup and actions as a note."""
    with bench.open(setup(rng)) as twin:
        try:
            run(twin, rng, steps, then)
        except AssertionError as error:
            error.add_note(describe(twin.setup, twin.actions))
            raise
        return twin


def run(twin: Twin, rng: Random, steps: int, then: Callable[[Player], None] | None = None) -> None:
    """A start, at least `steps` actions, then everybody settles, or `then` instead."""
    player = Player(twin, rng)
    player.start()
    first = len(twin.actions)
    while len(twin.actions) - first < steps:
        player.move()
    if then is None:
        twin.settle_all()
    else:
        then(player)


def leave(player: Player) -> None:
    """Everybody closes and withdraws, and nobody is held back: what stays is what the market lacks, because others owe.

    Who is unhealthy is liquidated, who is not but could not pay for a close puts that in.
    """
    twin, mirror = player.twin, player.mirror
    twin.act("update_parameter", replace(mirror.parameter, taker_close_always=True, maker_close_always=True), "owner")
    # What is opening in the first round closes in the second and is settled in the third.
    for _ in range(3):
        current = mirror.oracle.status()[1]
        twin.act("commit", current, player.price, current + 10)
        for name in HOLDERS:
            twin.act("settle", name, name)
            _close_all(twin, name)
    for name in HOLDERS:
        twin.act("update", name, 0, 0, MIN_INT256, None, name)
        account = mirror.accounts[address_of(name)]
        held = account.size or account.orders or account.locked
        assert not held, f"{name} cannot close"
        assert account.collateral <= 0 or mirror.balance == 0 < mirror.shortfall, f"{name} cannot withdraw"
    twin.settle_all()


def _close_all(twin: Twin, name: str) -> None:
    """An account closes all it can, with what it lacks for the fee, or is liquidated."""
    address = address_of(name)
    account = twin.mirror.accounts[address]
    if not account.size or account.locked:
        return
    sizes = (MIN_INT256, 0) if account.current_side == Side.MAKER else (0, MIN_INT256)
    if twin.act("update", name, *sizes, 0, None, name) != "InsufficientMaintenance":
        return
    if twin.act("liquidate", name, "owner") == "NotLiquidatable":
        try:
            twin.mirror.update(address, *sizes)
        except InsufficientMaintenance as refused:
            effective, required = refused.args
            twin.act("update", name, *sizes, required - effective, None, name)


def shrink(bench: Bench, start: Setup, actions: list[Action]) -> list[Action]:
    """The same failure with as few actions as leaving some out can bring it to."""
    return fewest(actions, lambda fewer: fails(bench, start, fewer))


def fewest(actions: list[T], still: Callable[[list[T]], bool]) -> list[T]:
    """What is left of `actions` when runs of them, ever shorter ones, are left out as long as `still` holds."""
    size = max(1, len(actions) // 2)
    while size:
        index = 0
        while index < len(actions):
            fewer = actions[:index] + actions[index + size :]
            if still(fewer):
                actions = fewer
            else:
                index += size
        size //= 2
    return actions


def fails(bench: Bench, start: Setup, actions: list[Action]) -> bool:
    """Whether contracts and mirror differ somewhere along these actions."""
    with bench.open(start) as twin:
        try:
            twin.replay(actions)
            twin.settle_all()
        except AssertionError:
            return True
        except ValueError:
            # Without what was left out the rest makes no sense: a version before the latest, for one.
            return False
    return False


def describe(start: Setup, actions: list[Action]) -> str:
    """A game as Python that plays it again."""
    lines = "\n".join(f"    {action!r}," for action in actions)
    return f"setup = {start!r}\nactions = [\n{lines}\n]"
