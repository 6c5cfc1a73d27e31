"""Whether committing a version pays who does it: what the commit would earn, beside what it would cost, in USD.

Nothing is sent. The node runs the commit, the settlement of the markets and the keeper's claim one after the other and
forgets them, so the quote is what the contracts would pay (docs/protocol.md §8, §11.6), rules and roundings included:
the settlement fees charged at the version to who commits it, the rest of the oracle fee to the OracleFactory's owner.

Units: fees of a chain are in wei, money is USD with 6 decimals, gas prices are wei for a unit of gas, times are Unix
seconds. A market's token counts as USD. The gas of the claim is not in the quote: one claim is for many versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from perennial.abi import Function, decode_error, interface
from perennial.chain import GAS, Chain, Contract, Query
from perennial.keeper.rollup import DataFee, Transaction, data_fee, operator_fee
from perennial.mirror.fixed import ceil_div

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennial.chain import Rpc

WEI = 10**18
"""In an ETH."""

TIP = 1_000_000
"""Wei for a unit of gas, to who makes the block, where nothing else is said."""

BLOCK = 2
"""Seconds between blocks of Base."""

UPDATE_FEE = Function("getUpdateFee", keccak(text="getUpdateFee(bytes[])")[:4], ("bytes[]",), ("uint256",))
"""Of Pyth's contract, which is not the project's."""

BALANCE = "0x" + "ba" * 20, "0x5f35315f5260205ff3"
"""A contract that exists in simulations alone, and its code: it returns the balance of the address that it is given."""

NOBODY = "0x" + "0" * 40
ALL = 2**256 - 1
RICH = 2**128
"""Wei that the simulated keeper has, so that an empty purse does not spoil a quote."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A call that commits a version: to which adapter, for which oracles, with how much ETH for the prices.

    With `later` it commits these as well, and may be to a contract that calls the adapter for the keeper.
    """

    adapter: str
    oracles: tuple[str, ...]
    version: int
    data: bytes
    value: int = 0
    later: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a transaction costs, part by part, in wei but for `gas`; `update` is what Pyth takes."""

    gas: int
    gas_price: int
    data: DataFee
    operator: int
    update: int

    @property
    def wei(self) -> int:
        """All of it."""
        return self.gas * self.gas_price + self.data.wei + self.operator + self.update


@dataclass(frozen=True, slots=True)
class Quote:
    """What a commit would earn and cost its keeper; USD with 6 decimals.

    `settlement_fees` are the keeper's by having committed. `owner_share` is what the version adds to the rest of the
    oracle fees: the keeper's too where it owns the OracleFactory (`is_owner`). `eth_price` is USD for an ETH. `skipped`
    are oracles that would refuse, with the reason.
    """

    settlement_fees: int
    owner_share: int
    is_owner: bool
    cost: Cost
    eth_price: int
    skipped: dict[str, str]

    @property
    def earned(self) -> int:
        """What the keeper may claim."""
        return self.settlement_fees + (self.owner_share if self.is_owner else 0)

    @property
    def spent(self) -> int:
        """What the transaction costs, rounded up."""
        return usd(self.cost.wei, self.eth_price)

    @property
    def profit(self) -> int:
        """What is left for the keeper, negative where it would pay for others."""
        return self.earned - self.spent

    @property
    def pays(self) -> bool:
        """Whether anything is left."""
        return self.profit > 0


def usd(wei: int, eth_price: int) -> int:
    """What ether is worth, rounded up: USD with 6 decimals, at a price of an ETH with 6 decimals."""
    return ceil_div(wei * eth_price, WEI)


def pyth_commit(rpc: Rpc, adapter: str, oracles: Sequence[str], version: int, updates: Sequence[bytes]) -> Commit:
    """The commit of a version with Pyth's updates. Raises NodeError.

    It carries Pyth's fee once for each oracle, which is what it may take: where the updates serve all at once, the fee
    is taken once, and the rest comes back.
    """
    chain = Chain(rpc)
    contract = Contract(chain, "IPythOracle", adapter)
    fee = chain.ask(Query(contract.read("pyth"), UPDATE_FEE, UPDATE_FEE.encode([list(updates)])))
    data = contract.query("commit", list(oracles), version, list(updates)).data
    return Commit(contract.address, tuple(oracles), version, data, int(fee) * len(oracles))


def chainlink_commit(rpc: Rpc, adapter: str, oracles: Sequence[str], version: int, rounds: Sequence[int]) -> Commit:
    """The commit of a version with Chainlink's rounds."""
    contract = Contract(Chain(rpc), "IChainlinkOracle", adapter)
    data = contract.query("commit", list(oracles), version, list(rounds)).data
    return Commit(contract.address, tuple(oracles), version, data)


def quote(
    rpc: Rpc, keeper: str, commit: Commit, eth_price: int, *, tip: int = TIP, timestamp: int | None = None
) -> Quote:
    """What `keeper` would earn and pay for a commit in the next block.

    `timestamp` is when that is made, by default two seconds after the latest one. The node must know `eth_simulateV1`.
    Raises Reverted where the commit would fail, NodeError.
    """
    block = rpc.call("eth_getBlockByNumber", "latest", False)
    gas_price = int(block.get("baseFeePerGas") or "0x0", 16) + tip
    timestamp = int(block["timestamp"], 16) + BLOCK if timestamp is None else timestamp
    plan = _Plan(rpc, keeper, commit)
    plan.run(timestamp)
    transaction = Transaction(
        chain_id=int(rpc.call("eth_chainId"), 16),
        nonce=int(rpc.call("eth_getTransactionCount", keeper, "latest"), 16),
        tip=tip,
        max_fee=gas_price,
        gas=GAS,
        to=commit.adapter,
        value=commit.value,
        data=commit.data,
    )
    fees = data_fee(rpc, transaction), operator_fee(rpc, plan.gas), plan.update_fee
    cost = Cost(plan.gas, gas_price, *fees)
    return Quote(plan.settlement_fees, plan.owner_share, plan.is_owner, cost, eth_price, plan.skipped)


class _Plan:
    """The calls of a simulation: what is due already, then the commit, then what that adds. `run` fills the fields."""

    def __init__(self, rpc: Rpc, keeper: str, commit: Commit) -> None:
        self.rpc, self.keeper, self.commit = rpc, keeper.lower(), commit
        self.settlement_fees = self.owner_share = self.gas = self.update_fee = 0
        self.skipped: dict[str, str] = {}
        chain = Chain(rpc)
        self.factory = Contract(chain, "OracleFactory", Contract(chain, "IOracle", commit.oracles[0]).read("factory"))
        self.owner: str = self.factory.read("owner")
        self.is_owner = self.owner == self.keeper
        markets = chain.ask_all([self.factory.query("marketOf", oracle) for oracle in commit.oracles])
        self.markets = [Contract(chain, "IMarket", market) for market in dict.fromkeys(markets) if market != NOBODY]

    def run(self, timestamp: int) -> None:
        """Simulates a block at a time. Raises Reverted, NodeError."""
        due = [call for market in self.markets for call in (self._settle(market), self._owner_claim(market))]
        commit = self._call(self.keeper, self.commit.adapter, self.commit.data) | {"value": hex(self.commit.value)}
        added = [
            call
            for market in self.markets
            for call in (self._settle(market), self._keeper_claim(market), self._owner_claim(market))
        ]
        results = self._simulate([*due, self._balance(), commit, self._balance(), *added], timestamp)
        before, done, after, *claims = results[len(due) :]
        if done["status"] != "0x1":
            raise decode_error(_bytes((done.get("error") or {}).get("data") or done["returnData"]))
        self.gas, self.skipped = int(done["gasUsed"], 16), self._refusals(done["logs"])
        self.update_fee = _value(before) - _value(after)
        self.settlement_fees = sum(map(_value, claims[1::3]))
        self.owner_share = sum(map(_value, claims[2::3]))

    def _simulate(self, calls: list[dict[str, str]], timestamp: int) -> list[dict[str, Any]]:
        block = {
            "blockOverrides": {"time": hex(timestamp), "baseFeePerGas": "0x0"},
            "stateOverrides": {self.keeper: {"balance": hex(RICH)}, BALANCE[0]: {"code": BALANCE[1]}},
            "calls": calls,
        }
        (simulated,) = self.rpc.call("eth_simulateV1", {"blockStateCalls": [block]}, "latest")
        results: list[dict[str, Any]] = simulated["calls"]
        return results

    def _balance(self) -> dict[str, str]:
        return self._call(NOBODY, BALANCE[0], bytes(12) + _bytes(self.keeper))

    def _settle(self, market: Contract) -> dict[str, str]:
        return self._call(self.keeper, market.address, market.query("advance", ALL).data)

    def _keeper_claim(self, market: Contract) -> dict[str, str]:
        versions = [self.commit.version, *self.commit.later]
        data = self.factory.query("claim", market.address, versions, self.keeper).data
        return self._call(self.keeper, self.factory.address, data)

    def _owner_claim(self, market: Contract) -> dict[str, str]:
        data = self.factory.query("claimOracleFee", market.address, self.owner).data
        return self._call(self.owner, self.factory.address, data)

    def _call(self, sender: str, to: str, data: bytes) -> dict[str, str]:
        return {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(GAS), "gasPrice": "0x0"}

    def _refusals(self, logs: list[dict[str, Any]]) -> dict[str, str]:
        events = interface("IPythOracle").events
        found: dict[str, str] = {}
        for log in logs:
            topics = [_bytes(topic) for topic in log["topics"]]
            event = events.get(topics[0]) if topics else None
            if event is not None and event.name == "CommitSkipped" and log["address"].lower() == self.commit.adapter:
                oracle, _, reason = event.decode(topics, _bytes(log["data"]))
                found[oracle] = str(decode_error(reason))
        return found


def _value(result: dict[str, Any]) -> int:
    """What a call returned; 0 for one that fails, as a claim that pays nothing."""
    return int.from_bytes(_bytes(result["returnData"])) if result["status"] == "0x1" else 0


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
