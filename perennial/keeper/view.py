"""The chain as the keeper sees it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from eth_abi.exceptions import DecodingError

from perennial.abi import Reverted
from perennial.chain import Chain, Contract, Query, RpcError
from perennial.keeper.chainlink import ChainlinkRounds
from perennial.mirror.parameters import RiskParameter
from perennial.mirror.versions import Window
from perennial.multicall import Multicall, answers_of
from perennial.sending.node import SendingNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from perennial.chain import Rpc


logger = logging.getLogger(__name__)

ENDLESS = 2**32
"""Later than every version."""

ADVANCED = 64
"""Pending versions that a simulation settles before it tries accounts: each that is healthy would settle them anew."""

UNANSWERED = (Reverted, DecodingError)
"""What comes of a question to a contract that may be anybody's: it refuses, or answers with something else."""


@dataclass(frozen=True, slots=True)
class MarketInfo:
    """What of a market does not change. Addresses are lower-case hex.

    `factory` is the OracleFactory that pays keepers; empty where the market's provider is none of its oracles, and
    others are in charge of its prices.
    """

    name: str
    address: str
    oracle: str
    factory: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block: number, Unix seconds, wei for a unit of gas."""

    number: int
    timestamp: int
    base_fee: int


@dataclass(frozen=True, slots=True)
class Adapter:
    """A source of prices: its address, Pyth's, and the feeds of the oracle that was asked for.

    `pyth` is empty where prices come from Chainlink.
    """

    address: str
    pyth: str
    feeds: tuple[str, ...]

    @property
    def interface(self) -> str:
        """The contract's interface."""
        return "IPythOracle" if self.pyth else "IChainlinkOracle"


@dataclass(frozen=True, slots=True)
class MarketState:
    """A market and its oracle now. Versions are timestamps, 0 for none.

    `latest` is the oracle's latest version and `next` the requested one that waits, with its adapter and window;
    `settled` is the market's, `pending` how many versions it has not settled.
    """

    info: MarketInfo
    latest: int
    is_valid: bool
    next: int
    settled: int
    pending: int
    stale_at: int
    """From when on the latest version is too old to act on (docs/protocol.md §10.3), Unix seconds."""
    adapter: Adapter | None
    """None where prices come from elsewhere than Pyth or Chainlink."""
    window: Window
    last: int
    """The last version that this adapter serves: with another after it, where it was replaced."""
    expires: bool
    """Whether what waits is of a replaced adapter that has had its time."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What could be done for a vault now, by a simulation: `pending` is its closed epoch, 0 for none.

    `settles` says that this one can be settled; `closes` that the next one has requests and can be closed, after that;
    `rebalances` that a market is off its target and can be brought back.
    """

    pending: int
    settles: bool
    closes: bool
    rebalances: bool


class KeeperView(SendingNode):
    """Asks a node about some markets."""

    def __init__(self, rpc: Rpc, markets: Iterable[tuple[str, str]], account: str) -> None:
        """`markets` are names and addresses; `account` is the keeper's address. Raises NodeError, Reverted."""
        super().__init__(rpc)
        self._chain = Chain(rpc)
        self.multicall = Multicall(self._chain)
        self.multicall.check()
        self.rounds = ChainlinkRounds(self._chain, self.multicall)
        self.account = account.lower()
        self.chain_id = int(rpc.call("eth_chainId"), 16)
        self.markets = tuple(self._info(name, address.lower()) for name, address in markets)
        self._adapters: dict[tuple[str, str, int], Adapter | None] = {}

    # -- What is -----------------------------------------------------------------------------------------------------

    def head(self) -> Head:
        """The newest block."""
        block = self.rpc.call("eth_getBlockByNumber", "latest", False)
        return Head(int(block["number"], 16), int(block["timestamp"], 16), int(block["baseFeePerGas"], 16))

    def states(self, head: Head) -> list[MarketState]:
        """Every market now, but for those that do not answer."""
        states, unanswered = self.look(head)
        for name, why in unanswered.items():
            logger.warning("%s does not answer: %s", name, why)
        return states

    def look(self, head: Head) -> tuple[list[MarketState], dict[str, str]]:
        """Every market now; of those that do not answer, why, by their names."""
        asked = [(info, self._questions(info)) for info in self.markets]
        results = iter(self.multicall.try_all([_call(query) for _, queries in asked for query in queries]))
        states, unanswered = [], {}
        for info, queries in asked:
            answers = [next(results) for _ in queries]
            try:
                states.append(self._state(info, head, iter(answers_of(queries, answers))))
            except UNANSWERED as error:
                # A provider may be anybody's, and what ails one market must not keep back the others.
                unanswered[info.name] = str(error)
        windows = self._windows({(each.adapter, each.next or head.timestamp) for each in states if each.adapter})
        found = [
            replace(each, window=windows[each.adapter, each.next or head.timestamp]) if each.adapter else each
            for each in states
        ]
        return found, unanswered

    def unsettled(self, info: MarketInfo, accounts: Sequence[str]) -> list[tuple[int, bool]]:
        """For accounts, at how many versions each has orders pending, and whether a liquidation locks it."""
        market = self.market(info)
        queries = [market.query(name, account) for account in accounts for name in ("pendingCounts", "locked")]
        answers = self.multicall.ask_all(queries)
        return list(zip(answers[::2], answers[1::2], strict=True))

    def liquidatable(self, info: MarketInfo, accounts: Sequence[str]) -> list[str]:
        """Those of the accounts that can be liquidated now, at the oracle's latest version, as if settled."""
        market = self.market(info)
        first = _call(market.query("advance", ADVANCED))

        def unhealthy(some: Sequence[str]) -> list[str]:
            calls = [_call(market.query("liquidate", account)) for account in some]
            return _succeeded(some, self.multicall.try_all([first, *calls])[1:])

        return [each for some in _pieces(accounts) if some for each in _as_many_as_fit(some, unhealthy)]

    def liquidatable_at(
        self, info: MarketInfo, accounts: Sequence[str], commit: tuple[str, int, bytes]
    ) -> list[str] | None:
        """Those that could be liquidated if this commit `(to, wei, data)` were made first; None if it is refused."""
        market, refused = self.market(info), False

        def unhealthy(some: Sequence[str]) -> list[str]:
            nonlocal refused
            queries = [market.query("advance", ADVANCED), *(market.query("liquidate", account) for account in some)]
            calls = [(to, 0, data) for to, data in map(_call, queries)]
            first, _, *results = self.multicall.try_with_value([commit, *calls])
            refused = refused or isinstance(first, Reverted)
            return _succeeded(some, results)

        found = [each for some in _pieces(accounts) for each in _as_many_as_fit(some, unhealthy)]
        return None if refused else found

    def pay(self, info: MarketInfo, versions: Sequence[int]) -> list[tuple[int, bool]]:
        """For versions, the settlement fees charged (6 decimals), and whether the keeper may still claim them."""
        market, oracle = self.market(info), self._contract("IOracle", info.oracle)
        queries = []
        for version in versions:
            queries += [market.query("settlementFees", version), oracle.query("keeperOf", version)]
        answers = self.multicall.ask_all(queries)
        return [(fee, keeper == self.account) for fee, keeper in zip(answers[::2], answers[1::2], strict=True)]

    def credits(self) -> list[int]:
        """What the keeper may claim of each market for liquidations, 6 decimals."""
        queries = [self.market(info).query("claimable", self.account) for info in self.markets]
        found: list[int] = self.multicall.ask_all(queries)
        return found

    def epoch(self, vault: str) -> Epoch:
        """What could be done for a vault now."""
        names = ("epochs", "settle", "epochs", "closeEpoch", "rebalance")
        queries = [self._contract("IVault", vault).query(name) for name in names]
        before, _, after, closed, rebalanced = self.multicall.try_all([_call(query) for query in queries])
        pending, left = (_pending(queries[0], answer) for answer in (before, after))
        # A rebalance after a close would find an epoch that is pending.
        closes = not isinstance(closed, Reverted)
        return Epoch(pending, pending != left, closes, not isinstance(rebalanced, Reverted))

    def update_fee(self, adapter: Adapter, data: Sequence[bytes]) -> int:
        """What Pyth asks for updates, wei; Chainlink's rounds cost nothing."""
        if not adapter.pyth:
            return 0
        fee: int = self._contract("MockPyth", adapter.pyth).read("getUpdateFee", list(data))
        return fee

    def gas(self, to: str, data: bytes, value: int) -> int:
        """Gas of a call by the keeper. Raises Reverted where it would."""
        call = {"from": self.account, "to": to, "data": "0x" + data.hex(), "value": hex(value)}
        return int(self.rpc.call("eth_estimateGas", call), 16)

    def balance(self) -> int:
        """The keeper's ether, wei."""
        return int(self.rpc.call("eth_getBalance", self.account, "latest"), 16)

    def market(self, info: MarketInfo) -> Contract:
        """The market's contract."""
        return self._contract("IMarket", info.address)

    def contract(self, kind: str, address: str) -> Contract:
        """Any contract, to make calldata."""
        return self._contract(kind, address)

    # -- Steps -------------------------------------------------------------------------------------------------------

    def _info(self, name: str, address: str) -> MarketInfo:
        oracle: str = self._contract("IMarket", address).read("oracle")
        try:
            factory: str = self._contract("IOracle", oracle).read("factory")
        except UNANSWERED:
            # A provider that was registered: it is asked for its versions, and for nothing else.
            factory = ""
        return MarketInfo(name, address, oracle, factory)

    def _questions(self, info: MarketInfo) -> list[Query]:
        """What `_state` wants to know."""
        market, oracle = self.market(info), self._contract("IOracle", info.oracle)
        queries = [oracle.query("status"), market.query("riskParameter")]
        queries += [market.query("position"), market.query("pendingCount")]
        if info.factory:
            queries += [oracle.query(name) for name in ("next", "handover", "adapter", "granularity")]
        return queries

    def _state(self, info: MarketInfo, head: Head, answers: Any) -> MarketState:
        (latest, current), risk, position, pending = (next(answers) for _ in range(4))
        waiting, adapter, expires, granularity, last = 0, None, False, 0, 0
        if info.factory:
            waiting, (previous, boundary, deadline), address, granularity = (next(answers) for _ in range(4))
            is_old = waiting != 0 and waiting <= boundary
            adapter = self._adapter(previous if is_old else address, info.oracle, boundary)
            last = boundary if is_old else ENDLESS
            expires = is_old and head.timestamp >= deadline
        newest = latest[0] + RiskParameter.from_abi(risk).stale_after
        return MarketState(
            info=info,
            latest=latest[0],
            is_valid=latest[2],
            next=waiting,
            settled=position[0],
            pending=pending,
            # As long as the current version is no later than `newest`; it moves when its time has come.
            stale_at=_stale_at(current, newest, granularity),
            adapter=adapter,
            window=Window(),
            last=last,
            expires=expires,
        )

    def _windows(self, wanted: set[tuple[Adapter, int]]) -> dict[tuple[Adapter, int], Window]:
        """When the prices of versions must be published."""
        keys = list(wanted)
        queries = [
            self._contract("IPythOracle", adapter.address).query("windowOf", version) for adapter, version in keys
        ]
        return {key: Window(*answer) for key, answer in zip(keys, self.multicall.ask_all(queries), strict=True)}

    def _adapter(self, address: str, oracle: str, boundary: int) -> Adapter | None:
        """Of an adapter's address; None where it is neither of Pyth's nor of Chainlink's.

        `boundary` tells one hand-over from another: an adapter that comes back may have other feeds.
        """
        key = address, oracle, boundary
        if key not in self._adapters:
            try:
                feeds = self._contract("IPythOracle", address).read("feedsOf", oracle)
                names = tuple("0x" + identifier.hex() for identifier, _ in feeds)
                self._adapters[key] = Adapter(address, self._pyth(address), names)
            except UNANSWERED:
                self._adapters[key] = None
        return self._adapters[key]

    def _pyth(self, address: str) -> str:
        """The Pyth of an adapter; empty for one of Chainlink's. Raises one of `UNANSWERED` where it is another."""
        try:
            pyth: str = self._contract("IPythOracle", address).read("pyth")
        except UNANSWERED:
            self._contract("IChainlinkOracle", address).read("sequencerGrace")
            return ""
        return pyth

    def _contract(self, kind: str, address: str) -> Contract:
        return Contract(self._chain, kind, address)


def _stale_at(current: int, newest: int, granularity: int) -> int:
    """When the current version will be later than `newest`, if it moves on by `granularity` each time it is reached."""
    if not granularity:
        return newest
    return current + (newest - current) // granularity * granularity if newest >= current else 0


def _as_many_as_fit(accounts: Sequence[str], question: Callable[[Sequence[str]], list[str]]) -> list[str]:
    """What is found among accounts, asked at once, or in halves where that is more than the node gives one call.

    One that takes too much alone is none of those: it must not keep back the others.
    """
    try:
        return question(accounts)
    except RpcError as error:
        if "gas" not in error.message.lower():
            raise
        if len(accounts) < 2:
            logger.warning("nobody can tell whether %s could be liquidated: %s", ", ".join(accounts), error)
            return []
    middle = len(accounts) // 2
    return _as_many_as_fit(accounts[:middle], question) + _as_many_as_fit(accounts[middle:], question)


def _pieces(accounts: Sequence[str]) -> Iterator[Sequence[str]]:
    """A few at a time; a piece without any, where there are none."""
    yield accounts[:50]
    for index in range(50, len(accounts), 50):
        yield accounts[index : index + 50]


def _call(query: Query) -> tuple[str, bytes]:
    return query.to, query.data


def _pending(query: Query, answer: bytes | Reverted) -> int:
    """The closed epoch among a vault's `epochs`."""
    if isinstance(answer, Reverted):
        raise answer
    pending: int = query.function.decode(answer)[0][2]
    return pending


def _succeeded(accounts: Sequence[str], results: Sequence[bytes | Reverted]) -> list[str]:
    return [account for account, result in zip(accounts, results, strict=True) if not isinstance(result, Reverted)]
