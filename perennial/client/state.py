"""A market as it stands on chain, as a mirror: the same integers, to be asked what-if questions.

Everything is read at one block. What the storage says is checked against the market's views, so that a market whose
storage is laid out differently is an error and not a wrong number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial.abi import Reverted
from perennial.chain import Chain, Contract, Query
from perennial.client import storage
from perennial.client.errors import ClientError
from perennial.mirror.account_state import Account
from perennial.mirror.accumulators import NO_PARTS, ZERO, VersionRecord
from perennial.mirror.factory import Factory
from perennial.mirror.market import Market as Mirror
from perennial.mirror.oracle import OracleVersion
from perennial.mirror.parameters import MarketParameter, ProtocolParameter, RiskParameter, bits
from perennial.mirror.position import Position, Side
from perennial.mirror.state import PRICE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennial.chain import Rpc
    from perennial.mirror.orders import Order

_BOUNDLESS = ProtocolParameter(bits(24), bits(24), bits(48), bits(24), bits(32), 0, 0)
"""A market keeps parameters that were in bounds once: they are not checked against those of today."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block: number, Unix seconds, base fee in wei."""

    number: int
    timestamp: int
    base_fee: int

    @property
    def tag(self) -> str:
        """As requests name it."""
        return hex(self.number)


@dataclass(frozen=True, slots=True)
class Makeup:
    """What a market is made of and never changes: addresses, and what a raw unit of 6 decimals is in the token."""

    address: str
    factory: str
    oracle: str
    payoff: str
    token: str
    reward: str
    scale: int


class PricedOracle:
    """The oracle as it stands, its prices already with the payoff applied."""

    def __init__(self, latest: OracleVersion, current: int, versions: dict[int, OracleVersion]) -> None:
        self.latest, self.current, self.versions = latest, current, versions

    def request(self, account: str) -> None:
        """Nothing: questions request no versions."""

    def status(self) -> tuple[OracleVersion, int]:
        """The newest committed version and the version of new orders."""
        return self.latest, self.current

    def at(self, timestamp: int) -> OracleVersion:
        """A version that something pending waits for."""
        if timestamp == self.latest.timestamp:
            return self.latest
        return self.versions.get(timestamp, OracleVersion(timestamp, 0, False))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A market and some of its accounts at a block."""

    block: Block
    mirror: Mirror
    oracle: PricedOracle

    def present(self, *accounts: str) -> Mirror:
        """A mirror with the market and these accounts settled up to the oracle's latest version, pause or not."""
        trial = self.mirror.copy()
        trial.factory = Factory(self.mirror.factory.parameter)
        for account in accounts:
            trial.settle(account)
        if not accounts:
            trial.advance(bits(16))
        return trial


def newest_block(rpc: Rpc) -> Block:
    """The newest block."""
    found = rpc.call("eth_getBlockByNumber", "latest", False)
    return Block(int(found["number"], 16), int(found["timestamp"], 16), int(found.get("baseFeePerGas") or "0x0", 16))


def makeup(rpc: Rpc, address: str) -> Makeup:
    """What the market at an address is made of."""
    chain = Chain(rpc)
    market = Contract(chain, "IMarket", address)
    names = ("factory", "oracle", "payoff", "token", "reward")
    factory, oracle, payoff, token, reward = chain.ask_all([market.query(name) for name in names])
    decimals = Contract(chain, "MockToken", token).read("decimals")
    return Makeup(market.address, factory, oracle, payoff, token, reward, 10 ** (decimals - 6))


def read(rpc: Rpc, made: Makeup, accounts: Sequence[str] = (), block: Block | None = None) -> Snapshot:
    """The market with these accounts, at a block, the newest without one.

    Raises NodeError, ClientError for an unknown layout.
    """
    block = block or newest_block(rpc)
    return _Reader(Chain(rpc, block.tag), made, [account.lower() for account in accounts]).read(block)


class _Reader:
    """Reads one market at one block."""

    def __init__(self, chain: Chain, made: Makeup, accounts: list[str]) -> None:
        self.chain, self.made, self.accounts = chain, made, accounts
        self.market = Contract(chain, "IMarket", made.address)
        self.oracle = Contract(chain, "IOracleProvider", made.oracle)
        factory = Contract(chain, "IMarketFactory", made.factory)
        token = Contract(chain, "MockToken", made.token)
        self.queries = {
            "risk": self.market.query("riskParameter"),
            "parameter": self.market.query("parameter"),
            "protocol": factory.query("parameter"),
            "paused": factory.query("paused"),
            "status": self.oracle.query("status"),
            "balance": token.query("balanceOf", made.address),
            "position": self.market.query("position"),
            "pending": self.market.query("pendingPosition"),
            "price": self.market.query("price"),
        }
        for account in accounts:
            for view in ("collateral", "positions", "pendingPositions"):
                self.queries[f"{view} {account}"] = self.market.query(view, account)

    def read(self, block: Block) -> Snapshot:
        answers = dict(zip(self.queries, self.chain.ask_all(list(self.queries.values())), strict=True))
        mirror = self._mirror(answers)
        states = self._states(mirror)
        self._queue(mirror)
        self._orders(mirror, states)
        self._price(mirror, answers["status"])
        self._check(mirror, answers)
        assert isinstance(mirror.oracle, PricedOracle)
        return Snapshot(block, mirror, mirror.oracle)

    # -- The market --------------------------------------------------------------------------------------------------

    def _mirror(self, answers: dict[str, Any]) -> Mirror:
        slots = (
            storage.CONFIG,
            storage.BOOK,
            storage.PENDING_BOOK,
            storage.ACCUMULATORS,
            storage.PRICING,
            storage.CLAIMABLE_FEES,
            storage.TOTALS,
        )
        config, book, pending, accumulators, pricing, fees, totals = self.chain.words(self.made.address, slots)
        risk, parameter = RiskParameter.from_abi(answers["risk"]), MarketParameter.from_abi(answers["parameter"])
        factory = Factory(_BOUNDLESS, paused=answers["paused"])
        nothing = PricedOracle(OracleVersion(0, 0, False), 0, {})
        mirror = Mirror(factory, nothing, risk, parameter, reward="reward", address=self.made.address)
        factory.parameter = ProtocolParameter.from_abi(answers["protocol"])

        self.book, self.fee_since = storage.book(book), storage.fee_since(config)
        mirror.book, mirror.timestamp = self.book.sizes, self.book.timestamp
        mirror.pending = storage.sizes(pending)
        mirror.accumulators = storage.accumulators(accumulators)
        priced = storage.pricing(pricing)
        mirror.price, mirror.valid, mirror.funding_rate12 = priced.price, priced.valid, priced.funding_rate
        own = mirror.fees
        own.undistributed, own.settlement, own.protocol_fee = priced[3:]
        own.protocol, own.oracle, own.risk, own.donation = (
            storage.field(fees, offset, 64) for offset in (0, 64, 128, 192)
        )
        mirror.shortfall, own.settlement_total = storage.field(totals, 0, 128), storage.field(totals, 128, 128)
        mirror.balance = answers["balance"] // self.made.scale
        return mirror

    def _queue(self, mirror: Mirror) -> None:
        words = self._ring(storage.QUEUE, self.book.head, self.book.length)
        mirror.queue = [storage.pending_version(*words[index]) for index in range(self.book.length)]

    # -- Accounts ----------------------------------------------------------------------------------------------------

    def _states(self, mirror: Mirror) -> dict[str, storage.AccountWords]:
        slots = [storage.entry(storage.ACCOUNTS, name, offset) for name in self.accounts for offset in range(4)]
        words = iter(self.chain.words(self.made.address, slots))
        states = {}
        for name in self.accounts:
            word, pending, liquidation, claimable = (next(words) for _ in range(4))
            state = states[name] = storage.account(word)
            account = mirror.accounts[name] = Account(
                collateral=state.collateral, size=state.size, side=Side(state.side), accumulator=state.accumulator
            )
            if state.ordered and state.length:
                account.opens, account.closes, account.units, account.settlement = storage.sums(pending)
            if state.locked:
                account.liquidation = storage.liquidation(liquidation)
            if claimable:
                mirror.credits[name] = claimable
        return states

    def _orders(self, mirror: Mirror, states: dict[str, storage.AccountWords]) -> None:
        for name, state in states.items():
            orders = storage.entry(storage.ACCOUNTS, name, 5)
            for words in self._ring(orders, state.head, state.length):
                order, own_fee = storage.order(*words)
                if order.has_orders and not own_fee:
                    order.settlement_fee = self._settlement_fee(order, mirror)
                mirror.accounts[name].orders.append(order)

    def _ring(self, mapping: int, head: int, count: int) -> list[tuple[int, int, int]]:
        """Entries of three words each, from the head of a queue on."""
        places = [(head + index) % storage.RING for index in range(count)]
        slots = [storage.entry(mapping, place, offset) for place in places for offset in range(3)]
        words = self.chain.words(self.made.address, slots)
        return [(words[index], words[index + 1], words[index + 2]) for index in range(0, len(words), 3)]

    def _settlement_fee(self, order: Order, mirror: Mirror) -> int:
        """The fee of an order's version (contracts/market/SettlementFees.sol)."""
        if order.timestamp > self.fee_since:
            return mirror.parameter.settlement_fee
        (count,) = self.chain.words(self.made.address, [storage.FEE_HISTORY])
        slots = [storage.element(storage.FEE_HISTORY, index) for index in range(count)]
        for change in reversed(self.chain.words(self.made.address, slots)):
            if storage.field(change, 0, 32) < order.timestamp:
                return change >> 32
        return mirror.parameter.settlement_fee

    # -- Prices ------------------------------------------------------------------------------------------------------

    def _price(self, mirror: Mirror, status: Any) -> None:
        """The oracle with the prices of what is pending, and the records of versions that accounts have yet to see."""
        latest, current = OracleVersion(*status[0]), status[1]
        orders = {order.timestamp for account in mirror.accounts.values() for order in account.orders}
        settled = sorted(timestamp for timestamp in orders if timestamp <= mirror.timestamp)
        due = {version.timestamp for version in mirror.queue if version.timestamp < latest.timestamp}
        wanted = sorted({*settled, *due} - {latest.timestamp})
        versions = [OracleVersion(*found) for found in self._ask("at", wanted)]
        priced = {version.timestamp: self._with_payoff(version) for version in (latest, *versions)}
        mirror.oracle = PricedOracle(priced.pop(latest.timestamp), current, priced)

        slots = [storage.entry(storage.VERSIONS, timestamp) for timestamp in settled]
        slots += [storage.entry(storage.CARRIED_PRICES, timestamp) for timestamp in settled]
        words = self.chain.words(self.made.address, slots)
        for timestamp, record, carried in zip(settled, words[: len(settled)], words[len(settled) :], strict=True):
            if record:
                valid = storage.is_valid(record)
                price = mirror.oracle.at(timestamp).price if valid else storage.signed(carried, 0, 256)
                parts = (NO_PARTS, NO_PARTS, NO_PARTS)
                mirror.versions[timestamp] = VersionRecord(storage.accumulators(record), ZERO, price, parts, valid)

    def _ask(self, view: str, arguments: Sequence[int]) -> list[Any]:
        queries: list[Query] = [self.oracle.query(view, argument) for argument in arguments]
        return self.chain.ask_all(queries)

    def _with_payoff(self, version: OracleVersion) -> OracleVersion:
        """A version at the market's price; invalid where there is none (docs/protocol.md §1.5)."""
        price = version.price
        if version.valid and int(self.made.payoff, 16):
            try:
                price = Contract(self.chain, "IPayoffProvider", self.made.payoff).read("payoff", version.price)
            except Reverted:
                return OracleVersion(version.timestamp, 0, False)
        valid = version.valid and abs(price) < PRICE_LIMIT
        return OracleVersion(version.timestamp, price if valid else 0, valid)

    # -- Against the views -------------------------------------------------------------------------------------------

    def _check(self, mirror: Mirror, answers: dict[str, Any]) -> None:
        pairs: list[tuple[Any, Any]] = [
            (mirror.position(), Position(*answers["position"])),
            (mirror.pending_position(), Position(*answers["pending"])),
            (mirror.price, answers["price"]),
        ]
        for name in self.accounts:
            pairs += [
                (mirror.collateral(name), answers[f"collateral {name}"]),
                (mirror.positions(name), Position(*answers[f"positions {name}"])),
                (mirror.pending_positions(name), Position(*answers[f"pendingPositions {name}"])),
            ]
        for stored, viewed in pairs:
            if stored != viewed:
                raise ClientError(
                    f"the storage of the market at {self.made.address} is not laid out as this client knows it "
                    f"({stored} there, {viewed} by its views): use the client of the market's release"
                )
