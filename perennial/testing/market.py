"""A bench for markets: actors with tokens, an oracle that the test steers, and one check of the books for every test.

Amounts are decimal text ("1.5"), which becomes an integer of 6 decimals; an integer is taken as it is.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from perennial.abi import Reverted
from perennial.amounts import raw
from perennial.parameters import Struct, market_parameter, protocol_parameter, risk_parameter
from perennial.testing.anvil import NOBODY, Anvil, Contract, Event, Receipt

START = 1_000_000
"""The version that every bench begins with, at a price of 100."""

STEP = 10
"""Seconds from version to version where a test does not say."""

ALL = -(2**255)
"""As a size: whatever may be closed. As collateral: whatever may be withdrawn."""

STORAGE = int.from_bytes(keccak((int.from_bytes(keccak(text="perennial.storage.Market")) - 1).to_bytes(32))) & ~0xFF
"""Where a market's storage begins (ERC-7201)."""

WEALTH = "1000000000"
"""Tokens that each actor begins with."""

NONE, MAKER, LONG, SHORT = range(4)
"""Sides, as events and errors number them."""

PROTOCOL = protocol_parameter(
    {
        "protocolFee": "0",
        "maxFee": "0.1",
        "maxFeeAbsolute": "1000",
        "maxCut": "1",
        "maxRate": "50",
        "minMaintenance": "0",
        "minEfficiency": "0",
    }
)
"""Bounds so wide that a test can choose."""

RISK = risk_parameter(
    {
        "margin": "0.0095",
        "maintenance": "0.008",
        "takerFee": "0",
        "takerSkewFee": "0",
        "takerImpactFee": "0",
        "makerFee": "0",
        "makerImpactFee": "0",
        "makerLimit": "1000000",
        "efficiencyLimit": "0",
        "liquidationFee": "0.05",
        "minLiquidationFee": "5",
        "maxLiquidationFee": "25",
        "utilizationCurve": {"minRate": "0", "targetRate": "0", "maxRate": "0", "targetUtilization": "0.6"},
        "pController": {"k": "20000", "max": "0"},
        "minMargin": "10",
        "minMaintenance": "10",
        "virtualTaker": "0",
        "staleAfter": 7200,
        "makerReceiveOnly": False,
    }
)
"""Risk parameters of docs/protocol.md's worked examples, all fees and rates zero."""

PARAMETER = market_parameter(
    {
        "fundingFee": "0",
        "interestFee": "0",
        "positionFee": "0",
        "oracleFee": "0",
        "riskFee": "0",
        "settlementFee": "0",
        "maxPendingGlobal": 12,
        "maxPendingLocal": 6,
        "makerRewardRate": "0",
        "longRewardRate": "0",
        "shortRewardRate": "0",
        "referralFee": "0",
        "maxPriceDeviation": "0.1",
        "takerCloseAlways": True,
        "makerCloseAlways": True,
        "closed": False,
    }
)
"""Market parameters, all fees zero."""

FEES: dict[str, Any] = {
    "takerFee": "0.0002",
    "takerSkewFee": "0.001",
    "takerImpactFee": "0.001",
    "makerFee": "0.0001",
    "makerImpactFee": "0.001",
}
"""Position fees of the worked examples."""

CURVE: dict[str, Any] = {"minRate": "0", "targetRate": "0.055", "maxRate": "0.155", "targetUtilization": "0.6"}
"""The curve of interest of the worked examples."""


def amount(value: str | int) -> int:
    """The integer behind decimal text, or the integer itself."""
    return raw(value) if isinstance(value, str) else value


def changed(struct: Any, changes: Mapping[str, Any]) -> Struct:
    """A struct with some fields replaced, those of nested structs one by one; raises KeyError for an unknown field."""
    result: Struct = dict(struct) if isinstance(struct, Mapping) else struct._asdict()
    for field, value in changes.items():
        old = result[field]
        result[field] = changed(old, value) if isinstance(value, Mapping) else amount(value)
    return result


@contextmanager
def refused(name: str, *values: Any) -> Iterator[None]:
    """What is inside must be refused with this error; decimal text stands for amounts, accounts for addresses.

    The name of a revert without data is "revert".
    """
    wanted = Reverted(name, tuple(expected(value) for value in values))
    try:
        yield
    except Reverted as error:
        if (error.name, _lower(error.values)) != (wanted.name, _lower(wanted.values)):
            raise AssertionError(f"{error} instead of {wanted}") from error
    else:
        raise AssertionError(f"not refused: {wanted}")


def _lower(values: tuple[Any, ...]) -> list[Any]:
    """Values with addresses in lower case."""
    return [value.lower() if isinstance(value, str) and value.startswith("0x") else value for value in values]


def expected(value: Any) -> Any:
    """A value as contracts give it: amounts as integers, accounts and contracts as addresses."""
    if hasattr(value, "address"):
        return value.address
    try:
        return amount(value) if isinstance(value, str) else value
    except ValueError:
        # A name or an address.
        return value


def event(name: str, **values: Any) -> Event:
    """An event as a receipt has it; decimal text stands for amounts, accounts for addresses."""
    return Event(name, {field: expected(value) for field, value in values.items()})


@dataclass(frozen=True)
class Actor:
    """An account's numbers in the books."""

    collateral: int
    size: tuple[int, int, int]
    pending: tuple[int, int, int]
    claimable: int


@dataclass(frozen=True)
class Books:
    """What a market holds and owes, with every account settled: 6 decimals; sizes are maker, long, short."""

    tokens: int
    size: tuple[int, int, int]
    pending: tuple[int, int, int]
    fees: int
    shortfall: int
    actors: dict[str, Actor]

    @property
    def owed(self) -> int:
        """What all claims sum to, debts of accounts deducted."""
        return sum(actor.collateral + actor.claimable for actor in self.actors.values()) + self.fees


def check_books(books: Books, *, gift: int = 0, dust: int = 100) -> None:
    """Asserts docs/protocol.md §14.1 to §14.3: solvency, sums of sizes, zero-sum.

    `gift` is what was transferred to the market directly, `dust` the most that rounding may have left in it, both with
    6 decimals.
    """
    actors = books.actors.values()
    for name, market, accounts in (
        ("settled", books.size, [actor.size for actor in actors]),
        ("pending", books.pending, [actor.pending for actor in actors]),
    ):
        sums = tuple(map(sum, zip(*accounts, strict=True)))
        assert sums == market, f"{name} sizes (maker, long, short): accounts {sums}, market {market}"

    debts = sum(max(0, -actor.collateral) for actor in actors)
    assert books.shortfall == debts, f"shortfall {books.shortfall}, accounts owe {debts}"
    claims = sum(max(0, actor.collateral) + actor.claimable for actor in actors) + books.fees - books.shortfall
    assert books.tokens >= claims, f"tokens {books.tokens}, claims {claims}"
    left = books.tokens - gift - books.owed
    assert 0 <= left <= dust, f"{left} is left over: tokens {books.tokens}, owed {books.owed}, gift {gift}"


class MarketBench:
    """A market on Anvil.

    `actors` are all who may have to do with it, by role; the first, `operator`, owns the protocol. The bench keeps no
    state of its own, so that it follows the chain wherever the isolation of tests takes it.
    """

    def __init__(self, anvil: Anvil, protocol: Any, actors: Mapping[str, Any]) -> None:
        self.anvil, self.actors = anvil, dict(actors)
        self.operator, self.coordinator = actors["operator"], actors["coordinator"]
        self.keeper, self.beneficiary = actors["keeper"], actors["beneficiary"]
        self.factory = anvil.contract("MarketFactory", protocol.market_factory)
        self.oracle_factory = anvil.contract("OracleFactory", protocol.oracle_factory)
        self.market: Contract
        self.oracle: Contract
        self.token: Contract
        self.reward: Contract | None = None

    @classmethod
    def deploy(
        cls,
        anvil: Anvil,
        protocol: Any,
        actors: Mapping[str, Any],
        *,
        decimals: int = 18,
        token: Contract | None = None,
        price: str | None = "100",
        payoff: Any = NOBODY,
        reward: int | None = None,
        **changes: Any,
    ) -> Self:
        """A market at version START, every actor with WEALTH tokens approved.

        `token`, or one with `decimals`, is settled in; `reward` gives the decimals of a reward token; without a price
        there is no version yet, and START is the current one; other keywords change risk or market parameters by field.
        """
        self = cls(anvil, protocol, actors)
        self.token = token or anvil.deploy("MockToken", "Mock Dollar", "mUSD", decimals, sender=self.operator)
        if reward is not None:
            self.reward = anvil.deploy("MockToken", "Mock Reward", "mREW", reward, sender=self.operator)
        self.oracle = self.create_oracle(price)
        self.market = self.create(payoff=payoff, **changes)
        self.endow(self.actors)
        return self

    def endow(self, actors: Mapping[str, Any]) -> None:
        """Gives actors WEALTH tokens, approved."""
        token, wealth = self.token, raw(WEALTH) * self.scale
        approval = token.data("approve", self.market, 2**256 - 1)
        mints = [(actor, token.address, token.data("mint", actor, wealth)) for actor in actors.values()]
        self.anvil.send_all(mints)
        self.anvil.send_all([(actor, token.address, approval) for actor in actors.values()])

    def crowd(self, count: int) -> list[str]:
        """So many further accounts with tokens, which `check` takes into account; returns their addresses."""
        crowd = {f"account {index}": _someone(index) for index in range(count)}
        for account in crowd.values():
            self.anvil.rpc("anvil_impersonateAccount", account)
        self.endow(crowd)
        self.actors |= crowd
        return list(crowd.values())

    def create_oracle(self, price: str | None = "100") -> Contract:
        """A registered oracle that the test steers, at version START, or before it without a price."""
        oracle = self.anvil.deploy("MockOracle", sender=self.operator)
        self.oracle_factory.register(oracle, sender=self.operator)
        if price is None:
            oracle.setCurrent(START, sender=self.operator)
        else:
            oracle.set(START, raw(price), True, START + STEP, sender=self.operator)
        return oracle

    def definition(self, **changes: Any) -> Struct:
        """MarketDefinition of this bench's market, some fields replaced."""
        definition = {
            "token": self.token,
            "reward": self.reward or NOBODY,
            "oracle": self.oracle,
            "payoff": NOBODY,
            "beneficiary": self.beneficiary,
        }
        return definition | changes

    def create(self, *, sender: Any = None, **changes: Any) -> Contract:
        """Opens a market over the bench's token and oracle, by default as the coordinator.

        Keywords change the definition or parameters by field.
        """
        definition = {field: changes.pop(field) for field in self.definition() if field in changes}
        risk, parameter = structs(**changes)
        receipt = self.factory.create(self.definition(**definition), risk, parameter, sender=sender or self.coordinator)
        return self.anvil.contract("IMarket", receipt.named("MarketCreated")[0]["market"])

    # -- Time ----------------------------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """The version that new orders settle at."""
        return int(self.oracle.status().current)

    def commit(self, price: str | int = "100", *, wait: int = STEP) -> int:
        """Commits the current version, moves the current one on by `wait` seconds; returns the committed version."""
        version = self.version
        self.oracle.set(version, amount(price), True, version + wait, sender=self.keeper)
        return version

    def expire(self, *, wait: int = STEP) -> int:
        """As commit, without a price: the version is invalid."""
        version = self.version
        self.oracle.set(version, 0, False, version + wait, sender=self.keeper)
        return version

    def freshen(self, price: str | int) -> int:
        """Commits a version that nobody has asked for, one second after the latest; the current one stays."""
        latest, current = self.oracle.status()
        self.oracle.set(latest.timestamp + 1, amount(price), True, current, sender=self.keeper)
        return int(latest.timestamp) + 1

    def skip(self, wait: int = STEP) -> int:
        """Moves the current version on, and commits nothing; returns the version that is passed over."""
        version = self.version
        self.oracle.setCurrent(version + wait, sender=self.keeper)
        return version

    # -- Actions -------------------------------------------------------------------------------------------------------

    def update(
        self,
        account: Any,
        *,
        maker: str | int = 0,
        taker: str | int = 0,
        collateral: str | int = 0,
        referrer: Any = NOBODY,
        sender: Any = None,
    ) -> Receipt:
        """Market.update; the account itself sends where nobody is named.

        Asserts §14.5: after an increase or a withdrawal nobody can be liquidated.
        """
        deltas = amount(maker), amount(taker), amount(collateral)
        receipt: Receipt = self.market.update(account, *deltas, referrer, sender=sender or account)
        if receipt.named("Withdrawn") or any(order["opened"] for order in receipt.named("OrderPlaced")):
            assert not self.market.liquidatable(account), "liquidatable right after what was accepted"
        return receipt

    def open(
        self,
        account: Any,
        *,
        maker: str | int = 0,
        long: str | int = 0,
        short: str | int = 0,
        collateral: str | int = 0,
        referrer: Any = NOBODY,
        sender: Any = None,
    ) -> Receipt:
        """Opens a size on one side, with a deposit where `collateral` is given."""
        taker = amount(long) - amount(short)
        return self.update(account, maker=maker, taker=taker, collateral=collateral, referrer=referrer, sender=sender)

    def close(
        self,
        account: Any,
        size: str | int = ALL,
        *,
        collateral: str | int = 0,
        referrer: Any = NOBODY,
        sender: Any = None,
    ) -> Receipt:
        """Closes a size of the account's side: without `size`, all that may be closed."""
        settled, pending = self.market.positions(account), self.market.pendingPositions(account)
        maker, _, short = (now or later for now, later in zip(settled[1:], pending[1:], strict=True))
        delta = amount(size)
        if delta != ALL:
            delta = -delta
        if maker:
            return self.update(account, maker=delta, collateral=collateral, referrer=referrer, sender=sender)
        if short and delta != ALL:
            delta = -delta
        return self.update(account, taker=delta, collateral=collateral, referrer=referrer, sender=sender)

    def deposit(self, account: Any, collateral: str | int, *, sender: Any = None) -> Receipt:
        """Deposits for an account."""
        return self.update(account, collateral=amount(collateral), sender=sender)

    def withdraw(self, account: Any, collateral: str | int = ALL, *, sender: Any = None) -> Receipt:
        """Withdraws: without an amount, the most that is accepted."""
        delta = amount(collateral)
        return self.update(account, collateral=delta if delta == ALL else -delta, sender=sender)

    def settle(self, *accounts: Any) -> None:
        """Settles accounts: without any, every actor's."""
        for account in accounts or self.actors.values():
            self.market.settle(account, sender=self.keeper)

    def liquidate(self, account: Any, *, sender: Any = None) -> Receipt:
        """Liquidates, by default as the keeper."""
        receipt: Receipt = self.market.liquidate(account, sender=sender or self.keeper)
        return receipt

    def fill(
        self,
        *,
        maker: str | int = 0,
        long: str | int = 0,
        short: str | int = 0,
        price: str | int = "100",
        collateral: str | int = "10000",
    ) -> int:
        """Opens maker, taker (long) and hedger (short) and settles them at one version, which it returns."""
        sides = (("maker", {"maker": maker}), ("taker", {"long": long}), ("hedger", {"short": short}))
        opened = [(self.actors[role], size) for role, size in sides if amount(*size.values())]
        for account, size in opened:
            self.open(account, collateral=collateral, **size)
        version = self.commit(price)
        self.settle(*(account for account, _ in opened))
        return version

    # -- Parameters ----------------------------------------------------------------------------------------------------

    def change_risk(self, **changes: Any) -> Receipt:
        """Changes some of the risk parameters, as the coordinator."""
        risk = changed(self.market.riskParameter(), changes)
        receipt: Receipt = self.market.updateRiskParameter(risk, sender=self.coordinator)
        return receipt

    def change(self, **changes: Any) -> Receipt:
        """Changes some of the market parameters, as the owner."""
        parameter = changed(self.market.parameter(), changes)
        receipt: Receipt = self.market.updateParameter(parameter, sender=self.operator)
        return receipt

    def change_protocol(self, **changes: Any) -> Receipt:
        """Changes some of the protocol's parameters, as the owner."""
        parameter = changed(self.factory.parameter(), changes)
        receipt: Receipt = self.factory.updateParameter(parameter, sender=self.operator)
        return receipt

    # -- Books ---------------------------------------------------------------------------------------------------------

    @property
    def tokens(self) -> int:
        """Tokens that the market holds, 6 decimals, rounded down."""
        return self.held(self.market)

    def held(self, account: Any) -> int:
        """Settlement tokens that an account holds outside, 6 decimals, rounded down."""
        return int(self.token.balanceOf(account)) // self.scale

    @property
    def scale(self) -> int:
        """What one raw unit of 6 decimals is in the token."""
        return int(10 ** (self.token.decimals() - 6))

    def books(self) -> Books:
        """The books as they will be once every actor is settled; changes nothing."""
        market, actors = self.market, self.actors
        calls: list[tuple[Contract, str, tuple[Any, ...]]] = [(market, "settle", (actor,)) for actor in actors.values()]
        calls += [
            (market, view, (actor,))
            for actor in actors.values()
            for view in ("collateral", "positions", "pendingPositions", "claimable")
        ]
        calls += [(market, view, ()) for view in ("position", "pendingPosition", "fees", "shortfall")]
        calls += [(self.token, "balanceOf", (market,)), (self.token, "decimals", ())]
        # The owner may settle while the protocol is paused, too.
        data = self.anvil.simulate(
            [(self.operator, contract.address, contract.data(name, *args)) for contract, name, args in calls]
        )
        results = iter(
            [contract.result(name, value) for (contract, name, _), value in zip(calls, data, strict=True)][
                len(actors) :
            ]
        )
        books = {}
        for role in actors:
            collateral, position, pending, claimable = (next(results) for _ in range(4))
            books[role] = Actor(collateral, position[1:], pending[1:], claimable)
        position, pending, fees, shortfall, balance, decimals = results
        return Books(balance // 10 ** (decimals - 6), position[1:], pending[1:], sum(fees), shortfall, books)

    def check(self, *, gift: str | int = 0, dust: int = 100) -> Books:
        """Asserts the invariants of docs/protocol.md §14 that one market's books show; returns the books.

        Also that the shortfall is kept up to date at every settlement, and that settling anybody reverts for nobody.
        """
        stored = [self.market.collateral(actor) for actor in self.actors.values()]
        assert self.market.shortfall() == sum(max(0, -collateral) for collateral in stored)
        books = self.books()
        check_books(books, gift=amount(gift), dust=dust)
        return books


def _someone(index: int) -> str:
    return str(to_checksum_address(keccak(text=f"account {index}")[12:]))


def structs(**changes: Any) -> tuple[Struct, Struct]:
    """RISK and PARAMETER with some fields of either replaced; raises KeyError for a field that neither has."""
    risk = {field: value for field, value in changes.items() if field in RISK}
    return changed(RISK, risk), changed(PARAMETER, {k: v for k, v in changes.items() if k not in risk})
