"""The chain of a devnet: the protocol, tokens, markets, first prices, and liquidity to trade against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from perennial import multicall
from perennial.chain import GAS, Chain, Contract
from perennial.deployment import deploy as deploy_protocol
from perennial.deployment import network
from perennial.devnet.markets import MARKETS, TOKENS, VAULT, feed_ids
from perennial.manifest import DEVNET
from perennial.mirror.versions import Window
from perennial.prices import encode_update

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from perennial.devnet.accounts import Cast
    from perennial.devnet.markets import MarketPlan
    from perennial.manifest import Manifest
    from perennial.publisher.publisher import Publisher

EVE = 300
"""Seconds before the present at which the chain begins: what happens until it is open takes no real time."""

ENDLESS = 2**256 - 1
NOBODY = "0x" + "0" * 40


class StageError(RuntimeError):
    """A transaction of the set-up failed."""


@dataclass
class Stage:
    """Addresses, lower-case hex, by name."""

    chain: Chain
    cast: Cast
    contracts: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    oracles: dict[str, str] = field(default_factory=dict)
    payoffs: dict[str, str] = field(default_factory=dict)
    markets: dict[str, str] = field(default_factory=dict)
    vaults: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, int] = field(default_factory=dict)
    """At which markets and vaults were created."""

    def contract(self, kind: str, address: str) -> Contract:
        """What is at an address."""
        return Contract(self.chain, kind, address)

    def now(self) -> int:
        """When the newest block was made."""
        return int(self.chain.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def transact(self, calls: Iterable[tuple[str, str, bytes, int]]) -> list[dict[str, Any]]:
        """Sends calls `(sender, to, data, wei)` and mines them; returns their receipts. Raises StageError."""
        requests = [
            (
                "eth_sendTransaction",
                [
                    {
                        "from": sender,
                        "to": to,
                        "data": "0x" + data.hex(),
                        "value": hex(value),
                        "gas": hex(GAS),
                        "gasPrice": "0x0",
                    }
                ],
            )
            for sender, to, data, value in calls
        ]
        hashes = self.chain.rpc.batch(requests)
        self.chain.rpc.call("evm_mine")
        receipts = self.chain.rpc.batch([("eth_getTransactionReceipt", [digest]) for digest in hashes])
        for receipt in receipts:
            if receipt is None or int(receipt["status"], 16) != 1:
                digest = receipt["transactionHash"] if receipt else "a transaction"
                raise StageError(f"{digest} failed: {self.chain.why(digest) if receipt else 'it is in no block'}")
        return receipts

    def do(self, sender: str, contract: Contract, name: str, *arguments: Any, value: int = 0) -> dict[str, Any]:
        """One call, mined; returns its receipt. Raises StageError."""
        query = contract.query(name, *arguments)
        return self.transact([(sender, query.to, query.data, value)])[0]


def deploy(stage: Stage, folder: Path) -> Manifest:
    """Puts the protocol on the chain as on every network, by networks/devnet.toml; returns its manifest.

    The journal and a copy of the manifest are left in `folder`.
    """
    path = folder / "devnet.json"
    found = deploy_protocol(network.load(DEVNET), stage.chain.rpc, stage.cast.keys[0], path=path)
    stage.contracts = {name: each.address.lower() for name, each in found.contracts.items()}
    stage.tokens = {name: each.address.lower() for name, each in found.tokens.items()}
    # From here on blocks are made on demand, until the chain is open.
    stage.chain.rpc.call("evm_setAutomine", False)
    return found


def add_multicall(stage: Stage) -> None:
    """Multicall3, where it is on public chains."""
    from ape_ethereum.multicall.constants import MULTICALL3_CODE

    stage.chain.rpc.call("anvil_setCode", multicall.ADDRESS, "0x" + bytes(MULTICALL3_CODE).hex())


def create_markets(stage: Stage) -> None:
    """Oracles, payoffs and markets; tokens for everybody, approved to each market of theirs."""
    owner, factory = stage.cast.operator, stage.contract("IOracleFactory", stage.contracts["OracleFactory"])
    ids = feed_ids()
    for plan in MARKETS:
        feeds = [(bytes.fromhex(ids[name][2:]), power) for name, power in plan.feeds]
        receipt = stage.do(owner, factory, "create", stage.contracts["PythOracle"], feeds)
        oracle = event_of(factory, receipt, "OracleCreated")[0]
        payoff = _payoff(stage, plan)
        stage.oracles[plan.name] = oracle
        create_market(stage, plan, oracle, payoff)
    _give(stage)


def create_vault(stage: Stage) -> None:
    """A vault that provides liquidity to the markets of its token."""
    owner, makes = stage.cast.operator, stage.contract("VaultFactory", stage.contracts["VaultFactory"])
    plan, scale = VAULT, 10 ** next(token.decimals for token in TOKENS if token.symbol == VAULT.token)
    terms = (plan.least * scale, plan.cap * scale, plan.profit_share, plan.tolerance)
    receipt = stage.do(owner, makes, "create", stage.tokens[plan.token], plan.name, plan.symbol, terms)
    address = event_of(makes, receipt, "VaultCreated")[0]
    vault = stage.contract("IVault", address)
    for market in plan.markets:
        stage.do(owner, vault, "register", stage.markets[market], 1, plan.leverage)
    token = stage.contract("MockToken", stage.tokens[plan.token])
    query = token.query("approve", address, ENDLESS)
    stage.transact((account, query.to, query.data, 0) for account in stage.cast.users)
    stage.vaults[plan.symbol], stage.blocks[plan.symbol] = address, int(receipt["blockNumber"], 16)


def first_prices(stage: Stage, publisher: Publisher) -> None:
    """A first version of each market."""
    # A price must have been published after the chain began.
    _renew(stage, publisher, stage.now() + 10)


def provide_liquidity(stage: Stage, publisher: Publisher) -> None:
    """The maker's orders in all markets, and the prices that they settle at."""
    maker = stage.cast.maker
    calls = []
    for plan in MARKETS:
        market = stage.contract("IMarket", stage.markets[plan.name])
        query = market.query("update", maker, plan.liquidity, 0, plan.collateral, NOBODY)
        calls.append((maker, query.to, query.data, 0))
    # All in one version: not over the end of one.
    go(stage, stage.now() // 10 * 10 + 11)
    stage.transact(calls)
    oracle = stage.contract("IOracle", stage.oracles[MARKETS[0].name])
    version = oracle.read("next")
    published = version + Window().valid_from
    go(stage, published + 1)
    _commit(stage, publisher, version, published)
    settles = [stage.contract("IMarket", address).query("settle", maker) for address in stage.markets.values()]
    stage.transact((maker, query.to, query.data, 0) for query in settles)


def open_to_all(stage: Stage, publisher: Publisher, now: int, block_time: int) -> None:
    """The chain's clock goes to the present, prices with it, and a block is made every few seconds from then on."""
    if stage.now() < now:
        # Else no market would take a trade until the keeper has come to it.
        _renew(stage, publisher, now)
    stage.chain.rpc.call("evm_setIntervalMining", block_time)


# -- Steps -----------------------------------------------------------------------------------------------------------


def _payoff(stage: Stage, plan: MarketPlan) -> str:
    if plan.payoff is None:
        return NOBODY
    factory = stage.contract("IPayoffFactory", stage.contracts["PayoffFactory"])
    terms = plan.payoff.half_power, plan.payoff.scale, False
    payoff: str = stage.chain.ask(factory.query("create", *terms))
    stage.do(stage.cast.operator, factory, "create", *terms)
    stage.payoffs[plan.name] = payoff
    return payoff


def create_market(stage: Stage, plan: MarketPlan, oracle: str, payoff: str) -> None:
    """A market of the operator's. Raises StageError."""
    factory = stage.contract("IMarketFactory", stage.contracts["MarketFactory"])
    owner = stage.cast.operator
    definition = (stage.tokens[plan.token], NOBODY, oracle, payoff, owner)
    risk, parameter = plan.terms()
    receipt = stage.do(owner, factory, "create", definition, _values(risk), _values(parameter))
    stage.markets[plan.name] = event_of(factory, receipt, "MarketCreated")[0]
    stage.blocks[plan.name] = int(receipt["blockNumber"], 16)


def _give(stage: Stage) -> None:
    """Tokens for the ten accounts, and for those who work here."""
    calls: list[tuple[str, str, bytes, int]] = []
    for plan in TOKENS:
        token = stage.contract("MockToken", stage.tokens[plan.symbol])
        for account in (*stage.cast.users, stage.cast.maker, stage.cast.solver):
            mint = token.query("mint", account, plan.gift * 10**plan.decimals)
            calls.append((account, mint.to, mint.data, 0))
            for market in MARKETS:
                if market.token == plan.symbol:
                    approve = token.query("approve", stage.markets[market.name], ENDLESS)
                    calls.append((account, approve.to, approve.data, 0))
    stage.transact(calls)


def _renew(stage: Stage, publisher: Publisher, now: int) -> None:
    """The chain's clock goes to `now`, and each market gets the newest version that can be had there."""
    go(stage, now)
    published = stage.now()
    _commit(stage, publisher, published - Window().valid_from, published)


def _commit(stage: Stage, publisher: Publisher, version: int, published: int) -> None:
    """A version of every market."""
    data = []
    for feed in publisher.feeds.values():
        update = publisher.first(feed, published)
        assert update is not None
        data.append(encode_update(feed.id, update))
    adapter = stage.contract("IPythOracle", stage.contracts["PythOracle"])
    fee = stage.contract("MockPyth", stage.contracts["MockPyth"]).read("getUpdateFee", data) * len(MARKETS)
    stage.do(stage.cast.operator, adapter, "commit", list(stage.oracles.values()), version, data, value=fee)


def go(stage: Stage, timestamp: int) -> None:
    """A block at a time."""
    stage.chain.rpc.call("evm_setNextBlockTimestamp", timestamp)
    stage.chain.rpc.call("evm_mine")


def event_of(contract: Contract, receipt: dict[str, Any], name: str) -> tuple[Any, ...]:
    """The values of a contract's event of this name in a receipt. Raises StageError where there is none."""
    for log in receipt["logs"]:
        event = contract.interface.events.get(bytes.fromhex(log["topics"][0][2:]))
        if event is not None and event.name == name and log["address"].lower() == contract.address:
            topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
            return event.decode(topics, bytes.fromhex(log["data"][2:]))
    raise StageError(f"no event {name} in {receipt['transactionHash']}")


def _values(struct: dict[str, Any]) -> tuple[Any, ...]:
    """A struct as eth-abi takes it."""
    return tuple(_values(value) if isinstance(value, dict) else value for value in struct.values())
