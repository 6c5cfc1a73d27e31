"""A bench for vaults, in an EVM in process: markets whose oracles the test steers, actors with tokens, checks.

Amounts are decimal text ("1.5") or integers; those of tokens are in token units, those of markets have 6 decimals.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from eth_abi.abi import decode

from perennial.amounts import raw
from perennial.parameters import Struct
from perennial.testing.differential import Bench as Protocol
from perennial.testing.differential import address_of
from perennial.testing.evm import Contract
from perennial.testing.market import PARAMETER, RISK, amount, changed

ACTORS = ("alice", "bob", "carol", "dave", "erin", "frank")
"""Depositors and traders."""

START = 1_000_000
"""First version of every oracle."""

NOW = 2_000_000
"""The chain's time when a bench begins. Versions have a clock of their own."""

STEP = 10
"""Seconds from version to version."""

DAY = 86_400
VIRTUAL = 10**6
NOBODY = "0x" + "0" * 40
PARAMETERS = {"minDeposit": 1, "depositCap": 2**90, "profitShare": 0, "tolerance": raw("0.05")}
"""Parameters of a vault, in the order of the struct."""


class Epochs(NamedTuple):
    """IVault.Epochs."""

    open: int
    deposits: int
    pending: int
    entering: int
    closed_at: int
    open_pockets: int


class Books(NamedTuple):
    """IVault.VaultBooks."""

    idle: int
    reserved: int
    open_deposits: int
    open_redeems: int
    entering: int
    pending_redeems: int
    last_assets: int
    mark: int
    insolvent: bool


class Pocket(NamedTuple):
    """Pocket."""

    market: str
    resolved: bool
    redeemed: int
    debt: int
    payout: int


class Registered(NamedTuple):
    """VaultMarket."""

    market: str
    weight: int
    leverage: int
    pocket: int
    version: int
    expected: int
    charge: int
    exposed: bool
    awaited: bool
    ordered: bool
    leverage_before: int
    rests_until: int


@dataclass
class Venue:
    """A market, and the oracle that prices it."""

    bench: "VaultBench"
    market: Contract
    oracle: Contract
    price: int
    risk: Struct
    parameter: Struct

    @property
    def address(self) -> str:
        """Of the market."""
        return self.market.address

    @property
    def version(self) -> int:
        """The version that new orders settle at."""
        return int(self.oracle.read("status")[3])

    def commit(self, price: str | int | None = None, *, wait: int = STEP) -> int:
        """Commits the current version, by default at the last price; returns it."""
        version = self.version
        self.price = self.price if price is None else amount(price)
        self.oracle.send("set", version, self.price, True, version + wait, sender=self.bench.owner)
        return version

    def expire(self, *, wait: int = STEP) -> int:
        """As commit, without a price: the version is invalid."""
        version = self.version
        self.oracle.send("set", version, 0, False, version + wait, sender=self.bench.owner)
        return version

    def stale(self) -> None:
        """The current version moves on so far that the latest is stale."""
        self.oracle.send("setCurrent", self.version + 10**6, sender=self.bench.owner)

    def update(self, name: str, *, maker: str | int = 0, taker: str | int = 0, collateral: str | int = 0) -> None:
        """An actor's Market.update."""
        account = address_of(name)
        numbers = (amount(maker), amount(taker), amount(collateral))
        self.market.send("update", account, *numbers, NOBODY, sender=account)

    def size(self) -> int:
        """The vault's settled size."""
        return int(self.market.read("positions", self.bench.vault.address)[1])

    def pending(self) -> int:
        """The vault's size with its pending order."""
        return int(self.market.read("pendingPositions", self.bench.vault.address)[1])

    def collateral(self) -> int:
        """The vault's collateral, as last settled."""
        return int(self.market.value("collateral", self.bench.vault.address))

    def change(self, **changes: Any) -> None:
        """Changes risk and market parameters by field."""
        risk = {field: changes.pop(field) for field in list(changes) if field in RISK}
        if risk:
            self.risk = changed(self.risk, risk)
            self.market.send("updateRiskParameter", values(self.risk), sender=address_of("coordinator"))
        if changes:
            self.parameter = changed(self.parameter, changes)
            self.market.send("updateParameter", values(self.parameter), sender=self.bench.owner)


@dataclass
class VaultBench:
    """A vault over some markets. The coordinator of the markets also is the vault's."""

    protocol: Protocol
    decimals: int = 6
    venues: list[Venue] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.evm, self.owner = self.protocol.evm, self.protocol.owner
        self.coordinator = address_of("coordinator")
        self.token = self.protocol.tokens[self.decimals]
        self.scale = int(10 ** (self.decimals - 6))
        self.evm.warp(NOW)
        self.time = NOW
        registry = self.protocol.factory.address
        self.factory = self.evm.deploy("VaultFactory", self.owner, registry, sender=self.owner)
        epochs = self.evm.deploy("VaultEpochs", registry, sender=self.owner)
        code = self.evm.deploy("Vault", self.factory.address, registry, epochs.address, sender=self.owner)
        self.factory.send("upgradeTo", code.address, sender=self.owner)
        self.vault: Contract

    def create(self, **changes: Any) -> Contract:
        """Makes the bench's vault; keywords change its parameters."""
        parameters = tuple((PARAMETERS | changes).values())
        arguments = (self.token.address, "LP", "LP", parameters)
        (address,) = self.factory.send("create", *arguments, sender=self.coordinator)
        self.vault = self.evm.contract("Vault", address)
        for name in ACTORS:
            self.token.send("approve", address, 2**256 - 1, sender=address_of(name))
        return self.vault

    def open(self, price: str = "100", *, payoff: str = NOBODY, **changes: Any) -> Venue:
        """Opens a market at a first version; keywords change its parameters."""
        oracle = self.evm.deploy("MockOracle", sender=self.owner)
        oracle.send("set", START, raw(price), True, START + STEP, sender=self.owner)
        self.protocol.oracles.send("register", oracle.address, sender=self.owner)
        definition = (self.token.address, NOBODY, oracle.address, payoff, address_of("beneficiary"))
        risk = changed(RISK, {name: value for name, value in changes.items() if name in RISK})
        parameter = changed(PARAMETER, {name: value for name, value in changes.items() if name in PARAMETER})
        (address,) = self.protocol.factory.send(
            "create", definition, values(risk), values(parameter), sender=self.coordinator
        )
        for name in ACTORS:
            self.token.send("approve", address, 2**256 - 1, sender=address_of(name))
        venue = Venue(self, self.evm.contract("IMarket", address), oracle, raw(price), risk, parameter)
        self.venues.append(venue)
        return venue

    def register(self, venue: Venue, weight: int = 1, leverage: str | int = "4") -> None:
        """Adds a market to the vault."""
        self.vault.send("register", venue.address, weight, amount(leverage), sender=self.coordinator)

    # -- Actions -------------------------------------------------------------------------------------------------------

    def units(self, usd: str | int) -> int:
        """Token units of an amount with 6 decimals."""
        return amount(usd) * int(self.scale)

    def request(self, name: str, usd: str | int, controller: str | None = None) -> int:
        """Requests a deposit of an actor's own tokens; returns the id."""
        account = address_of(name)
        arguments = (self.units(usd), address_of(controller or name), account)
        return int(self.vault.send("requestDeposit", *arguments, sender=account)[0])

    def leave(self, name: str, shares: int | None = None, controller: str | None = None) -> int:
        """Requests the redemption of an actor's own shares, by default all; returns the id."""
        account = address_of(name)
        shares = self.shares(name) if shares is None else shares
        return int(self.vault.send("requestRedeem", shares, address_of(controller or name), account, sender=account)[0])

    def close(self) -> None:
        """A keeper closes the epoch."""
        self.vault.send("closeEpoch", sender=address_of("frank"))

    def settle(self) -> None:
        """A keeper settles the epoch."""
        self.vault.send("settle", sender=address_of("frank"))

    def rebalance(self) -> None:
        """A keeper rebalances."""
        self.vault.send("rebalance", sender=address_of("frank"))

    def commit(self, *prices: str | int | None) -> None:
        """All markets get their current version, at these prices or the last ones."""
        for venue, price in zip(self.venues, prices or [None] * len(self.venues), strict=True):
            venue.commit(price)

    def pass_time(self, seconds: int) -> None:
        """The chain's time moves on."""
        self.time += seconds
        self.evm.warp(self.time)

    def turn(self, *prices: str | int | None) -> None:
        """Closes the epoch, commits all versions, settles it."""
        self.close()
        self.commit(*prices)
        self.settle()
        assert self.epochs.pending == 0

    def claim(self, name: str) -> int:
        """Claims all shares of an actor; returns them."""
        account = address_of(name)
        assets = self.vault.value("maxDeposit", account)
        return int(self.vault.send("deposit", assets, account, account, sender=account)[0])

    def cash(self, name: str) -> int:
        """Claims all assets of an actor; returns them, token units."""
        account = address_of(name)
        assets = int(self.vault.value("maxWithdraw", account))
        self.vault.send("withdraw", assets, account, account, sender=account)
        return assets

    def enter(self, name: str, usd: str | int) -> int:
        """Deposits through an epoch of its own at unchanged prices; returns the shares."""
        self.request(name, usd)
        self.turn()
        return self.claim(name)

    # -- Views ---------------------------------------------------------------------------------------------------------

    @property
    def epochs(self) -> Epochs:
        """IVault.epochs."""
        return Epochs(*self.vault.read("epochs"))

    @property
    def books(self) -> Books:
        """IVault.books."""
        return Books(*self.vault.read("books"))

    def pocket(self, number: int) -> Pocket:
        """IVault.pockets."""
        return Pocket(*self.vault.read("pockets", number))

    def registered(self) -> list[Registered]:
        """IVault.markets."""
        data = self.evm.call(self.vault.address, self.vault._interface.function("markets", 0).encode(()))
        kinds = "(address,uint32,uint32,uint32,uint32,uint64,uint64,bool,bool,bool,uint32,uint40)[]"
        return [Registered(*words) for words in decode([kinds], data)[0]]

    def shares(self, name: str) -> int:
        """Shares that an actor holds."""
        return int(self.vault.value("balanceOf", address_of(name)))

    def tokens(self, name: str) -> int:
        """Tokens that an actor holds."""
        return int(self.token.value("balanceOf", address_of(name)))

    def assets(self) -> int:
        """What all shares stand for, token units."""
        return int(self.vault.value("totalAssets"))

    def check(self, names: Sequence[str] = ACTORS) -> None:
        """Asserts that tokens cover what is owed, and that totals are not less than the sum of users (§14.8)."""
        books, vault = self.books, self.vault.address
        held = self.token.value("balanceOf", vault)
        assert held >= books.idle + books.reserved + books.open_deposits, (held, books)
        accounts = [address_of(name) for name in (*names, "coordinator")]
        supply = self.vault.value("totalSupply")
        assert supply == sum(self.vault.value("balanceOf", account) for account in (*accounts, vault))
        owed = sum(self.vault.value("maxWithdraw", account) for account in accounts)
        assert owed <= books.reserved, (owed, books)
        claims = sum(self.vault.value("maxMint", account) for account in accounts)
        waiting = books.open_redeems + books.pending_redeems
        assert claims + waiting <= self.vault.value("balanceOf", vault)


def values(struct: Any) -> tuple[Any, ...]:
    """A struct's values, nested ones too, in the order of its fields."""
    return tuple(values(value) if isinstance(value, dict) else value for value in struct.values())


@contextmanager
def opened(protocol: Protocol, count: int = 2, *, decimals: int = 6, **changes: Any) -> Iterator[VaultBench]:
    """A vault over some markets of equal weight at leverage 4; keywords change the markets' parameters."""
    with protocol.evm.undone():
        bench = VaultBench(protocol, decimals)
        bench.create()
        for _ in range(count):
            bench.register(bench.open(**changes))
        yield bench
