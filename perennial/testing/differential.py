"""Contracts and mirror side by side: the same actions to both, and every number compared after each.

`Bench` deploys the protocol once a process; `Bench.open` makes a market and its mirror, a `Twin`. An action that one
of the two refuses must be refused by the other, with the same error and the same values; what it emits must be the
same; and afterwards every view of the market and of every account must give the mirror's number. What is compared is
also checked: the invariants of docs/protocol.md §14 hold after every step.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from eth_account import Account as EthAccount
from eth_account.signers.local import LocalAccount
from eth_typing import Hash32
from eth_utils.crypto import keccak

from perennial.abi import Reverted, decode_error
from perennial.intents import (
    Common,
    Domain,
    GroupCancellation,
    NonceCancellation,
    OperatorUpdate,
    Signable,
    SignerUpdate,
    message_hash,
)
from perennial.intents import Intent as SignedIntent
from perennial.mirror.errors import MarketError
from perennial.mirror.factory import Factory
from perennial.mirror.invariants import check_invariants
from perennial.mirror.market import Market
from perennial.mirror.oracle import Oracle
from perennial.mirror.orders import NOBODY
from perennial.mirror.parameters import MarketParameter, ProtocolParameter, RiskParameter
from perennial.mirror.payoff import PowerPayoff
from perennial.mirror.position import Position
from perennial.mirror.verifier import Approval, Cancellation, Intent, Message
from perennial.testing.books import check_books
from perennial.testing.evm import Contract, Evm, Halted

ACTORS = ("alice", "bob", "carol", "dave", "erin", "frank")
"""Accounts of a game; each may come to play every role."""

ROLES = ("owner", "coordinator", "beneficiary", "pauser")

HOLDERS = (*ACTORS, "owner", "coordinator")
"""Who may have an account: the owner trades as well."""

WEALTH = 10**60
Action = tuple[str, tuple[Any, ...]]


class Mismatch(AssertionError):  # noqa: N818 -- a finding, not an error
    """Contracts and mirror differ, or an invariant does not hold."""


@cache
def key_of(name: str) -> LocalAccount:
    """The key of an actor, to sign intents with."""
    key: LocalAccount = EthAccount.from_key(keccak(text=name))
    return key


@cache
def address_of(name: str) -> str:
    """The address of an actor or a role."""
    return (
        f"0x{0xA0000 + ROLES.index(name):040x}"
        if name in ("beneficiary", "pauser")
        else str(key_of(name).address).lower()
    )


@dataclass(frozen=True, slots=True)
class Signed:
    """An intent in a game: names of actors (None: nobody), who signs and who is said to, 6 decimals."""

    account: str
    amount: int
    price: int
    signer: str
    key: str
    fee: int = 0
    originator: str | None = None
    solver: str | None = None
    collateralization: int = 0
    nonce: int = 0
    group: int = 0
    expiry: int = 2**40
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Relayed:
    """A signed message that anyone may bring: an approval of `approves`, or where that is None a cancellation.

    A cancellation is of the message's own nonce, and of the group `cancelled` if there is one.
    """

    account: str
    signer: str
    key: str
    approves: str | None = None
    approved: bool = True
    signs: bool = False
    cancelled: int | None = None
    nonce: int = 0
    group: int = 0
    expiry: int = 2**40
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """What a game starts with; `payoff` is None or what PowerPayoff takes, `decimals` are the token's.

    `extreme`: prices, amounts and parameters go to the bounds of their storage.
    """

    protocol: ProtocolParameter
    risk: RiskParameter
    parameter: MarketParameter
    decimals: int = 18
    reward_decimals: int = 18
    has_reward: bool = True
    payoff: tuple[int, int, bool] | None = None
    current: int = 1_000_000
    extreme: bool = False


class Bench:
    """The protocol in an EVM in process; markets come and go."""

    def __init__(self, evm: Evm | None = None) -> None:
        """Deploys to an EVM of its own, or to the one that is given."""
        self.evm = evm or Evm()
        self.owner = address_of("owner")
        owner = self.owner
        unlimited = (0, 2**24 - 1, 2**48 - 1, 10**6, 2**32 - 1, 0, 0)
        self.oracles = self.evm.deploy("OracleFactory", owner, sender=owner)
        self.payoffs = self.evm.deploy("PayoffFactory", sender=owner)
        self.factory = self.evm.deploy(
            "MarketFactory", owner, self.oracles.address, self.payoffs.address, unlimited, sender=owner
        )
        self.oracles.send("updateMarketFactory", self.factory.address, sender=owner)
        self.verifier = self.evm.contract("Verifier", self.factory.value("verifier"))
        self.domain = Domain(self.evm.chain_id, self.verifier.address)
        extension = self.evm.deploy("MarketExtension", self.factory.address, sender=owner)
        intents = self.evm.deploy("MarketIntents", self.factory.address, sender=owner)
        implementation = self.evm.deploy(
            "Market", self.factory.address, extension.address, intents.address, sender=owner
        )
        self.factory.send("upgradeTo", implementation.address, sender=owner)
        self.factory.send("updatePauser", address_of("pauser"), sender=owner)
        self.tokens = {
            decimals: self.evm.deploy("MockToken", "Mock Dollar", "mUSD", decimals, sender=owner)
            for decimals in range(6, 19)
        }
        self.reward_tokens = {
            decimals: self.evm.deploy("MockToken", "Mock Reward", "mRWD", decimals, sender=owner)
            for decimals in (6, 18)
        }
        for token in (*self.tokens.values(), *self.reward_tokens.values()):
            for name in (*ROLES, *ACTORS):
                token.send("mint", address_of(name), WEALTH, sender=owner)

    @contextmanager
    def open(self, setup: Setup) -> Iterator["Twin"]:
        """A market and its mirror; the market is gone afterwards."""
        with self.evm.undone():
            yield Twin(self, setup)


@dataclass
class Twin:
    """A market and its mirror. `actions` is what they did so far, `outcomes` counts how it ended."""

    bench: Bench
    setup: Setup
    actions: list[Action] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        bench, setup, owner = self.bench, self.setup, self.bench.owner
        self.token, self.reward_token = bench.tokens[setup.decimals], bench.reward_tokens[setup.reward_decimals]
        self.scale, self.reward_scale = 10 ** (setup.decimals - 6), 10 ** (setup.reward_decimals - 6)
        bench.factory.send("updateParameter", setup.protocol.to_abi(), sender=owner)
        self.oracle, self.mirror_oracle = self.provider()
        payoff = NOBODY if setup.payoff is None else bench.payoffs.send("create", *setup.payoff, sender=owner)[0]
        reward = self.reward_token.address if setup.has_reward else NOBODY
        definition = (self.token.address, reward, self.oracle.address, payoff, address_of("beneficiary"))
        coordinator = address_of("coordinator")
        arguments = (definition, setup.risk.to_abi(), setup.parameter.to_abi())
        (market,) = bench.factory.send("create", *arguments, sender=coordinator)
        self.market: Contract = bench.evm.contract("IMarket", market)
        for name in (*ROLES, *ACTORS):
            self.token.send("approve", market, 2**256 - 1, sender=address_of(name))

        self.mirror = Market(
            Factory(setup.protocol, owner, address_of("pauser"), bench.oracles.address),
            self.mirror_oracle,
            setup.risk,
            setup.parameter,
            coordinator=coordinator,
            beneficiary=address_of("beneficiary"),
            payoff=None if setup.payoff is None else PowerPayoff(*setup.payoff),
            token=self.token.address,
            reward=reward,
            address=market,
        )
        verifier = self.mirror.factory.verifier
        # The clock of the EVM in process stands still.
        verifier.now, verifier.digest = 1, Digest(self.bench.domain)
        verifier.address, self.mirror.factory.address = bench.verifier.address, bench.factory.address
        self.mirror.events = []
        self.accounts = [address_of(name) for name in HOLDERS]
        self.compare()

    def provider(self) -> tuple[Contract, Any]:
        """The market's oracle and its mirror: one that does what it is told."""
        oracle = self.bench.evm.deploy("MockOracle", sender=self.bench.owner)
        oracle.send("setCurrent", self.setup.current, sender=self.bench.owner)
        self.bench.oracles.send("register", oracle.address, sender=self.bench.owner)
        return oracle, Oracle(self.setup.current)

    def requests(self) -> tuple[Any, Any]:
        """What has been requested of the oracle, and of its mirror."""
        return self.oracle.value("requests"), len(self.mirror_oracle.requested)

    @contextmanager
    def fork(self) -> Iterator[None]:
        """Whatever happens inside is undone afterwards, in both."""
        kept = self.mirror, self.mirror_oracle, self.actions
        self.mirror = deepcopy(self.mirror)
        self.mirror_oracle = self.mirror.oracle
        self.actions = list(self.actions)
        try:
            with self.bench.evm.undone():
                yield
        finally:
            self.mirror, self.mirror_oracle, self.actions = kept

    # -- Actions ---------------------------------------------------------------------------------------------------

    def act(self, name: str, *arguments: Any) -> str | None:
        """Does one action in both and compares; returns the name of the error where both refuse it.

        Names of actors stand for their addresses. Raises Mismatch.
        """
        self.actions.append((name, arguments))
        move: Callable[..., str | None] = getattr(self, f"_do_{name}")
        error = move(*arguments)
        self.outcomes[f"{name}: {error or 'done'}"] += 1
        self.compare()
        return error

    def replay(self, actions: list[Action]) -> None:
        """Does recorded actions again."""
        for name, arguments in actions:
            self.act(name, *arguments)

    def _both(
        self,
        contract: Contract,
        function: str,
        arguments: tuple[Any, ...],
        sender: str,
        mirror: Callable[[], Any],
        *,
        returns: bool = False,
    ) -> str | None:
        """Sends to the contract and calls the mirror; the error that both end in, or None."""
        events = self.mirror.events = []
        expected: tuple[Any, ...] | None = None
        result = None
        try:
            result = mirror()
        except MarketError as error:
            expected = type(error).__name__, error.args
        try:
            returned = contract.send(function, *arguments, sender=sender)
            actual = None
        except Reverted as error:
            returned, actual = (), (error.name, error.values)
        except Halted as error:
            raise Mismatch(f"{function} halted: {error}; mirror: {expected}") from error
        if actual != expected:
            raise Mismatch(f"{function}: contract {actual or 'accepts'}, mirror {expected or 'accepts'}")
        if actual is not None:
            return str(actual[0])
        if returns and returned != (result,):
            raise Mismatch(f"{function}: contract returns {returned}, mirror {result}")
        self._compare_events(events)
        return None

    def _compare_events(self, expected: list[tuple[str, tuple[Any, ...]]]) -> None:
        actual = [(name, tuple(_flatten(values))) for name, values in self.market.events()]
        actual = [
            # What was skipped is told by its error.
            (name, (values[0], (reason := decode_error(values[1])).name, *reason.values))
            if name == "FillSkipped"
            else (name, values)
            for name, values in actual
        ]
        flat = [(name, tuple(_flatten(values))) for name, values in expected]
        if actual != flat:
            raise Mismatch(f"events: contract {actual}, mirror {flat}")
        self.outcomes.update(f"event {name}" for name, _ in flat)
        self.outcomes["a donation pays a liquidator"] += sum(
            name == "Credited" and values[3] > 0 for name, values in flat
        )

    def _do_update(
        self, account: str, maker: int, taker: int, collateral: int, referrer: str | None, caller: str
    ) -> str | None:
        """Names of account, referrer (or None) and caller; 6 decimals."""
        who, by = address_of(account), address_of(caller)
        to = address_of(referrer) if referrer else NOBODY
        error = self._both(
            self.market,
            "update",
            (who, maker, taker, collateral, to),
            by,
            lambda: self.mirror.update(who, maker, taker, collateral, to, caller=by),
        )
        if error is None:
            events = self.mirror.events or ()
            raised = any(name == "Withdrawn" or (name == "OrderPlaced" and values[3]) for name, values in events)
            if raised and self.mirror.liquidatable(who):
                raise Mismatch(f"{account} is liquidatable right after an accepted increase or withdrawal (§14.5)")
        return error

    def _do_fill(self, signed: Signed, amount: int, price: int, account: str, caller: str) -> str | None:
        """An intent, how much of it at what price, names of the account on the other side and of the caller."""
        who, by = address_of(account), address_of(caller)
        intent = self._intent(signed)
        return self._sound(
            (signed.account, account),
            self._both(
                self.market,
                "fill",
                (*self._signed(signed), amount, price, who),
                by,
                lambda: self.mirror.fill(intent, address_of(signed.key), amount, price, who, caller=by),
            ),
        )

    def _do_cross(self, a: Signed, b: Signed, amount: int, price: int, caller: str) -> str | None:
        """Two intents, how much at what price, name of the caller."""
        by = address_of(caller)
        first, second = self._intent(a), self._intent(b)
        keys = address_of(a.key), address_of(b.key)
        return self._sound(
            (a.account, b.account),
            self._both(
                self.market,
                "cross",
                (*self._signed(a), *self._signed(b), amount, price),
                by,
                lambda: self.mirror.cross(first, keys[0], second, keys[1], amount, price, caller=by),
            ),
        )

    def _do_fill_batch(self, fills: list[tuple[Signed, int, int, str]], skip: bool, caller: str) -> str | None:
        """Fills as in `fill`, whether bad ones are skipped, name of the caller."""
        by = address_of(caller)
        calls = [(*self._signed(one), amount, price, address_of(who)) for one, amount, price, who in fills]
        items = [
            (self._intent(one), address_of(one.key), amount, price, address_of(who))
            for one, amount, price, who in fills
        ]
        return self._both(
            self.market, "fillBatch", (calls, skip), by, lambda: self.mirror.fill_batch(items, skip, caller=by)
        )

    def _do_cross_batch(self, crosses: list[tuple[Signed, Signed, int, int]], skip: bool, caller: str) -> str | None:
        """Crosses as in `cross`, whether bad ones are skipped, name of the caller."""
        by = address_of(caller)
        calls = [(*self._signed(a), *self._signed(b), amount, price) for a, b, amount, price in crosses]
        items = [
            (self._intent(a), address_of(a.key), self._intent(b), address_of(b.key), amount, price)
            for a, b, amount, price in crosses
        ]
        return self._both(
            self.market, "crossBatch", (calls, skip), by, lambda: self.mirror.cross_batch(items, skip, caller=by)
        )

    def _sound(self, names: tuple[str, str], error: str | None) -> str | None:
        """Nobody can be liquidated right after a fill (§14.5)."""
        for name in names:
            if error is None and self.mirror.liquidatable(address_of(name)):
                raise Mismatch(f"{name} is liquidatable right after an accepted fill (§14.5)")
        return error

    def _do_approve_signer(self, account: str, signer: str, approved: bool) -> str | None:
        who, to = address_of(account), address_of(signer)
        return self._both(
            self.bench.factory,
            "updateSigner",
            (to, approved),
            who,
            lambda: self.mirror.factory.verifier.update_signer(who, to, approved),
        )

    def _do_cancel_nonce(self, account: str, nonce: int) -> str | None:
        who = address_of(account)
        return self._both(
            self.bench.verifier,
            "cancelNonce",
            (nonce,),
            who,
            lambda: self.mirror.factory.verifier.nonces.add((who, nonce)),
        )

    def _do_cancel_group(self, account: str, group: int) -> str | None:
        who = address_of(account)
        return self._both(
            self.bench.verifier,
            "cancelGroup",
            (group,),
            who,
            lambda: self.mirror.factory.verifier.groups.add((who, group)),
        )

    def _do_cancel_of(self, caller: str, account: str, nonce: int | None, group: int | None) -> str | None:
        """Somebody cancels a nonce or a group of an account directly."""
        by, who = address_of(caller), address_of(account)
        function, number = ("cancelGroupOf", group) if nonce is None else ("cancelNonceOf", nonce)
        verifier = self.mirror.factory.verifier
        return self._both(
            self.bench.verifier,
            function,
            (who, number),
            by,
            lambda: verifier.cancel_of(by, who, nonce=nonce, group=group),
        )

    def _do_relay(self, relayed: Relayed, caller: str) -> str | None:
        """A signed message, and the name of who brings it."""
        message, factory = self._message(relayed), self.mirror.factory
        key, by = address_of(relayed.key), address_of(caller)
        if isinstance(message, Approval):
            function = "updateSignerWithSignature" if message.signs else "updateOperatorWithSignature"
            arguments = self._sealed(message, relayed.key)
            return self._both(self.bench.factory, function, arguments, by, lambda: factory.relay(message, key))
        function = "cancelNonceWithSignature" if message.cancelled is None else "cancelGroupWithSignature"
        arguments = self._sealed(message, relayed.key)
        return self._both(self.bench.verifier, function, arguments, by, lambda: factory.verifier.cancel(message, key))

    def _message(self, relayed: Relayed) -> Approval | Cancellation:
        """The message as the mirror takes it, with addresses."""
        bench = self.bench
        consumer = bench.verifier if relayed.approves is None else bench.factory
        common = {
            "account": address_of(relayed.account),
            "signer": address_of(relayed.signer),
            "domain": self.market.address if relayed.foreign else consumer.address,
            "nonce": relayed.nonce,
            "group": relayed.group,
            "expiry": relayed.expiry,
        }
        if relayed.approves is None:
            return Cancellation(cancelled=relayed.cancelled, **common)  # type: ignore[arg-type]
        approves = address_of(relayed.approves)
        return Approval(approves=approves, approved=relayed.approved, signs=relayed.signs, **common)  # type: ignore[arg-type]

    def _intent(self, signed: Signed) -> Intent:
        """The intent as the mirror takes it, with addresses."""
        return Intent(
            account=address_of(signed.account),
            amount=signed.amount,
            price=signed.price,
            signer=address_of(signed.signer),
            fee=signed.fee,
            originator=address_of(signed.originator) if signed.originator else NOBODY,
            solver=address_of(signed.solver) if signed.solver else NOBODY,
            collateralization=signed.collateralization,
            domain=self.bench.factory.address if signed.foreign else self.market.address,
            nonce=signed.nonce,
            group=signed.group,
            expiry=signed.expiry,
        )

    def _signed(self, signed: Signed) -> tuple[tuple[Any, ...], bytes]:
        """The intent and its signature as the contracts take them."""
        return self._sealed(self._intent(signed), signed.key)

    def _sealed(self, message: Message, key: str) -> tuple[tuple[Any, ...], bytes]:
        """A message and its signature as the contracts take them."""
        digest = Hash32(_digest(message, self.bench.domain))
        return _signable(message).to_abi(), bytes(key_of(key).unsafe_sign_hash(digest).signature)

    def _do_settle(self, account: str, caller: str) -> str | None:
        who, by = address_of(account), address_of(caller)
        error = self._both(self.market, "settle", (who,), by, lambda: self.mirror.settle(who, caller=by))
        return self._only_paused(error)

    def _do_advance(self, maximum: int, caller: str) -> str | None:
        by = address_of(caller)
        error = self._both(self.market, "advance", (maximum,), by, lambda: self.mirror.advance(maximum, caller=by))
        return self._only_paused(error)

    def _only_paused(self, error: str | None) -> str | None:
        """Settlement never reverts (§1.6)."""
        if error not in (None, "MarketPaused"):
            raise Mismatch(f"settlement reverts with {error}")
        return error

    def _do_liquidate(self, account: str, caller: str) -> str | None:
        who, by = address_of(account), address_of(caller)
        return self._both(self.market, "liquidate", (who,), by, lambda: self.mirror.liquidate(who, caller=by))

    def _do_claim_fee(self, caller: str) -> str | None:
        by = address_of(caller)
        return self._both(self.market, "claimFee", (by,), by, lambda: self.mirror.claim_fee(caller=by), returns=True)

    def _do_claim_oracle_fee(self) -> str | None:
        """The OracleFactory claims, for its owner."""
        factory, owner = self.bench.oracles, self.bench.owner
        return self._both(
            factory,
            "claimOracleFee",
            (self.market.address, owner),
            owner,
            lambda: self.mirror.claim_fee(caller=factory.address),
        )

    def _do_claim(self, account: str, caller: str) -> str | None:
        who, by = address_of(account), address_of(caller)
        return self._both(
            self.market, "claim", (who, by), by, lambda: self.mirror.claim(who, by, caller=by), returns=True
        )

    def _do_claim_reward(self, account: str, caller: str) -> str | None:
        who, by = address_of(account), address_of(caller)
        return self._both(
            self.market,
            "claimReward",
            (who, by),
            by,
            lambda: self.mirror.claim_reward(who, by, caller=by),
            returns=True,
        )

    def _do_update_risk_parameter(self, risk: RiskParameter, caller: str) -> str | None:
        by = address_of(caller)
        return self._both(
            self.market,
            "updateRiskParameter",
            (risk.to_abi(),),
            by,
            lambda: self.mirror.update_risk_parameter(risk, caller=by),
        )

    def _do_update_parameter(self, parameter: MarketParameter, caller: str) -> str | None:
        by = address_of(caller)
        return self._both(
            self.market,
            "updateParameter",
            (parameter.to_abi(),),
            by,
            lambda: self.mirror.update_parameter(parameter, caller=by),
        )

    def _do_update_protocol(self, protocol: ProtocolParameter) -> str | None:
        owner, factory = self.bench.owner, self.mirror.factory
        return self._both(
            self.bench.factory,
            "updateParameter",
            (protocol.to_abi(),),
            owner,
            lambda: factory.update_parameter(protocol, owner),
        )

    def _do_update_coordinator(self, to: str, caller: str) -> str | None:
        who, by = address_of(to), address_of(caller)
        return self._both(
            self.market, "updateCoordinator", (who,), by, lambda: self.mirror.update_coordinator(who, caller=by)
        )

    def _do_update_beneficiary(self, to: str, caller: str) -> str | None:
        who, by = address_of(to), address_of(caller)
        return self._both(
            self.market, "updateBeneficiary", (who,), by, lambda: self.mirror.update_beneficiary(who, caller=by)
        )

    def _do_update_reward(self, caller: str) -> str | None:
        reward, by = self.reward_token.address, address_of(caller)
        return self._both(
            self.market, "updateReward", (reward,), by, lambda: self.mirror.update_reward(reward, caller=by)
        )

    def _do_approve(self, account: str, operator: str, approved: bool) -> str | None:
        who, to = address_of(account), address_of(operator)
        return self._both(
            self.bench.factory,
            "updateOperator",
            (to, approved),
            who,
            lambda: self.mirror.factory.update_operator(who, to, approved),
        )

    def _do_pause(self, caller: str) -> str | None:
        by = address_of(caller)
        return self._both(self.bench.factory, "pause", (), by, lambda: self.mirror.factory.pause(by))

    def _do_unpause(self, caller: str) -> str | None:
        by = address_of(caller)
        return self._both(self.bench.factory, "unpause", (), by, lambda: self.mirror.factory.unpause(by))

    # -- The world around ------------------------------------------------------------------------------------------

    def _do_commit(self, version: int, price: int | None, current: int) -> None:
        """Makes a version the latest (None: as invalid) and moves the current one."""
        self.oracle.send("set", version, price or 0, price is not None, current, sender=NOBODY)
        if price is None:
            self.mirror_oracle.commit_invalid(version, current)
        else:
            self.mirror_oracle.commit(version, price, current)

    def _do_wait(self, current: int) -> None:
        """Moves the current version, with nothing committed: what waits for the old one may be skipped later."""
        self.oracle.send("setCurrent", current, sender=NOBODY)
        self.mirror_oracle.current = current

    def _do_donate(self, amount: int) -> None:
        """Somebody sends the market tokens that nobody is owed."""
        self.token.send("transfer", self.market.address, amount * self.scale, sender=self.bench.owner)
        self.mirror.receive(amount)

    def _do_fund_rewards(self, amount: int) -> None:
        """Somebody sends the market reward tokens."""
        token = self.reward_token
        token.send("transfer", self.market.address, amount * self.reward_scale, sender=self.bench.owner)
        self.mirror.receive(0, amount)

    # -- Comparison ------------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """Raises Mismatch for the first number that differs and for the first invariant that does not hold."""
        self._compare_market()
        for account in self.accounts:
            self._compare_account(account)
        check_invariants(self.mirror)

    def settle_all(self) -> None:
        """Settles every account, and checks the books that the contract shows."""
        for name in HOLDERS:
            self.act("settle", name, name)
        for version, expected in self.mirror.settlement_fees_at.items():
            actual = self.market.value("settlementFees", version)
            if actual != expected:
                raise Mismatch(f"settlementFees({version}): contract {actual}, mirror {expected}")
        if not (self.mirror.factory.paused or self.mirror.saturated):
            check_books(self.market.read, self.accounts, self._balance())

    def _balance(self) -> int:
        tokens: int = self.token.value("balanceOf", self.market.address)
        return int(tokens // self.scale)

    def _compare_market(self) -> None:
        market, mirror = self.market, self.mirror
        read = market.read
        rewards = self.reward_token.value("balanceOf", market.address) // self.reward_scale
        newest = next(reversed(mirror.versions), 0)
        for name, actual, expected in (
            ("position", read("position"), _values(mirror.position())),
            ("pendingPosition", read("pendingPosition"), _values(mirror.pending_position())),
            ("price", read("price"), (mirror.price,)),
            ("fundingRate", read("fundingRate"), (mirror.funding_rate(),)),
            ("fees", read("fees"), mirror.claimable_fees()),
            ("settlementFees", read("settlementFees", newest), (mirror.settlement_fees(newest),)),
            ("settlementFeesTotal", read("settlementFeesTotal"), (mirror.settlement_fees_total(),)),
            ("shortfall", read("shortfall"), (mirror.shortfall,)),
            ("pendingCount", read("pendingCount"), (mirror.pending_count(),)),
            ("coordinator", read("coordinator"), (mirror.coordinator,)),
            ("beneficiary", read("beneficiary"), (mirror.beneficiary,)),
            ("reward", read("reward"), (mirror.reward,)),
            ("tokens", self._balance(), mirror.balance),
            ("reward tokens", rewards, mirror.reward_balance),
            ("requests", *self.requests()),
            ("riskParameter", read("riskParameter"), tuple(_flatten(mirror.risk.to_abi()))),
            ("parameter", read("parameter"), mirror.parameter.to_abi()),
        ):
            if actual != expected:
                raise Mismatch(f"{name}: contract {actual}, mirror {expected}")

    def _compare_account(self, account: str) -> None:
        read, mirror = self.market.read, self.mirror
        for name, expected in (
            ("collateral", (mirror.collateral(account),)),
            ("positions", _values(mirror.positions(account))),
            ("pendingPositions", _values(mirror.pending_positions(account))),
            ("requirement", mirror.requirement(account)),
            ("claimable", (mirror.claimable(account),)),
            ("rewards", (mirror.rewards(account),)),
            ("liquidatable", (mirror.liquidatable(account),)),
            ("locked", (mirror.locked(account),)),
            ("pendingCounts", (mirror.pending_counts(account),)),
        ):
            actual = read(name, account)
            if actual != expected:
                raise Mismatch(f"{name}({account}): contract {actual}, mirror {expected}")


def _signable(message: Message) -> Signable:
    common = Common(message.account, message.signer, message.domain, message.nonce, message.group, message.expiry)
    if isinstance(message, Approval):
        return (SignerUpdate if message.signs else OperatorUpdate)(message.approves, message.approved, common)
    if isinstance(message, Cancellation):
        return NonceCancellation(common) if message.cancelled is None else GroupCancellation(message.cancelled, common)
    terms = message.amount, message.price, message.fee, message.originator, message.solver, message.collateralization
    return SignedIntent(*terms, common)


@cache
@dataclass(frozen=True)
class Digest:
    """The digest of messages in a domain; copies of a market share it, since it holds no state."""

    domain: Domain

    def __call__(self, message: Message) -> bytes:
        """EIP-712 digest."""
        return _digest(message, self.domain)


def _digest(message: Message, domain: Domain) -> bytes:
    return message_hash(_signable(message), domain)


def _values(position: Position) -> tuple[int, ...]:
    return position.timestamp, position.maker, position.long, position.short


def _flatten(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple):
            yield from _flatten(value)
        else:
            yield value
