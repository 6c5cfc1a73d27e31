"""Reads a deployment back from the chain and compares all of it with its file, its manifest and the local build.

Whatever differs is a `Difference` with a name, such as `MarketFactory.owner` or `MarketFactory.parameter.maxFee`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from perennial.abi import Reverted
from perennial.chain import Contract, RpcError
from perennial.deployment import market_file
from perennial.deployment.code import is_code_of, values
from perennial.deployment.fields import ZERO
from perennial.deployment.network import ANYONE
from perennial.deployment.node import connected
from perennial.deployment.plan import ADMIN, CANCELLER, EXECUTOR, OWNED, PROPOSER, plan
from perennial.deployment.run import addresses_of, decimals_of
from perennial.mirror.parameters import MarketParameter, ProtocolParameter, RiskParameter, camel_case

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perennial.chain import Chain, Rpc
    from perennial.deployment.network import Network
    from perennial.deployment.plan import Plan, Planned
    from perennial.manifest import Manifest, Market, Vault

#: ERC-1967: where a proxy keeps its beacon.
BEACON_SLOT = "0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50"

DOMAINS = {"Verifier": "Perennial", "Vault": "Perennial Vault"}
"""Name of the EIP-712 domain of each contract that has one (docs/protocol.md §9.1)."""

ROLES = {PROPOSER: "proposer", EXECUTOR: "executor", CANCELLER: "canceller", ADMIN: "admin"}

_GRANTED = "0x" + keccak(text="RoleGranted(bytes32,address,address)").hex()


@dataclass(frozen=True)
class Difference:
    """Something on the chain is not as it should be."""

    name: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.name}: {self.expected} expected, {self.found} found"


@dataclass
class Result:
    """What was compared: how many things, and which of them differ."""

    checked: int
    differences: list[Difference]


def verify(manifest: Manifest, network: Network, node: str | Rpc, files: Sequence[Path] = ()) -> Result:
    """Compares a deployment, and the parameters of markets with their `files`. Raises NodeError, FileError."""
    with connected(node) as chain:
        verifier = _Verifier(manifest, network, chain)
        verifier.run(files)
        return Result(verifier.checked, verifier.differences)


class _Verifier:
    def __init__(self, manifest: Manifest, network: Network, chain: Chain) -> None:
        self.manifest, self.chain = manifest, chain
        # The deployer is who the registry was first given to.
        self.deployer = str(manifest.contracts["OracleFactory"].arguments[0])
        self.plan: Plan = plan(network, self.deployer, addresses_of(manifest))
        self.network = self.plan.network
        self.checked = 0
        self.differences: list[Difference] = []

    def run(self, files: Sequence[Path]) -> None:
        """Everything."""
        self.same("chain_id", self.network.chain_id, int(self.chain.rpc.call("eth_chainId"), 16))
        for attribute, wanted in (("owner", self.plan.owner), ("timelock", self.plan.timelock)):
            self.same(f"manifest.{attribute}", wanted, getattr(self.manifest, attribute))
        self.same("manifest.pauser", self.network.pauser, self.manifest.pauser)
        if self.network.relay is not None:
            self.same("manifest.relay", self.network.relay, self.manifest.relay)
        if self.contracts():
            # Where code is missing or another, answers mean nothing.
            self.owners()
            self.factory()
            self.oracles()
            if self.plan.timelock is not None:
                self.timelock()
            self.tokens()
            for name, market in self.manifest.markets.items():
                self.market(name, market)
            for name, vault in self.manifest.vaults.items():
                self.vault(name, vault)
            self.payoffs()
            self.files(files)

    def contracts(self) -> bool:
        """Addresses and code of the contracts; whether there is a contract at every address."""
        complete = True
        for name, planned in self.plan.contracts.items():
            code = self._code_at(planned.address)
            if not code:
                self.same(f"{name}.code", "a contract", f"none at {planned.address}")
                complete = False
                continue
            self.code(name, planned, code)
            deployed = self.manifest.contracts.get(name)
            recorded = deployed.code_hash if deployed else "an entry in the manifest"
            self.same(f"{name}.code_hash", recorded, "0x" + keccak(code).hex())
        return complete

    def code(self, name: str, planned: Planned, code: bytes) -> None:
        """Code that is the local build's, with immutables that are arguments, or addresses of the protocol."""
        is_same = is_code_of(planned.artifact, code)
        self.same(f"{name}.code", "that of the local build", self._described(is_same, code))
        if not is_same or planned.artifact.startswith("Mock"):
            return
        # Zero is also what is in the code of a contract that this one makes.
        allowed = {0} | {int(each.address, 16) for each in self.plan.contracts.values()}
        allowed |= {_number(argument) for argument in planned.arguments}
        if name in DOMAINS:
            allowed |= domain(DOMAINS[name], self.network.chain_id, planned.address)
        others = [hex(value) for value in values(planned.artifact, code) if value not in allowed]
        self.same(f"{name}.immutables", [], others)

    def owners(self) -> None:
        """Who owns, and that nobody waits to."""
        for name in OWNED:
            self.read(name, "owner", self.plan.owner)
            self.read(name, "pendingOwner", ZERO)

    def factory(self) -> None:
        """The MarketFactory's settings, and what knows it."""
        for name in ("oracleFactory", "payoffFactory", "verifier"):
            self.read("MarketFactory", name, self.address(name[0].upper() + name[1:]))
        self.read("MarketFactory", "implementation", self.address("Market"))
        self.read("MarketFactory", "pauser", self.network.pauser)
        self.read("MarketFactory", "paused", False)
        found = ProtocolParameter.from_abi(self._contract("MarketFactory").read("parameter"))
        self.struct("MarketFactory.parameter", self.network.parameter, found)
        for name in ("Market", "MarketExtension", "MarketIntents", "Verifier"):
            self.read(name, "factory", self.address("MarketFactory"))
        self.read("VaultFactory", "marketFactory", self.address("MarketFactory"))
        self.read("VaultFactory", "implementation", self.address("Vault"))
        self.read("Vault", "factory", self.address("VaultFactory"))
        for name in ("extension", "intents"):
            self.read("Market", name, self.address(f"Market{name.capitalize()}"))

    def oracles(self) -> None:
        """The OracleFactory, its adapters and the oracles of markets."""
        self.read("OracleFactory", "marketFactory", self.address("MarketFactory"))
        windows = {"PythOracle": self.network.pyth_window, "ChainlinkOracle": self.network.chainlink_window}
        for adapter, window in windows.items():
            self.read("OracleFactory", "isAdapter", True, self.address(adapter))
            self.read(adapter, "factory", self.address("OracleFactory"))
            found = self._contract(adapter).read("windowOf", 2**48 - 1)
            for field, wanted, value in zip(fields(window), window.to_abi(), found, strict=True):
                self.same(f"{adapter}.window.{camel_case(field.name)}", wanted, value)
        self.read("PythOracle", "pyth", self.plan.pyth)
        self.read("ChainlinkOracle", "sequencerFeed", self.network.sequencer_feed)
        self.read("ChainlinkOracle", "sequencerGrace", self.network.sequencer_grace)
        for name, oracle in self.manifest.oracles.items():
            if oracle.adapter is None:
                continue
            code = self._code_at(oracle.address)
            is_same = is_code_of("Oracle", code)
            self.same(f"oracle {name}.code", "that of the local build", self._described(is_same, code))
            adapter = self._named(oracle.adapter)
            self.same(f"oracle {name}.adapter", True, adapter in windows)
            if is_same:
                # The owner may have put another in charge since (docs/protocol.md §11.7).
                serving = Contract(self.chain, "Oracle", oracle.address).read("adapter")
                self.same(f"oracle {name}.serving", adapter, self._named(serving))
            if adapter in windows:
                feeds = [("0x" + identifier.hex(), power) for identifier, power in self._feeds(adapter, oracle.address)]
                self.same(f"oracle {name}.feeds", [(feed.id, feed.power) for feed in oracle.feeds], feeds)

    def timelock(self) -> None:
        """Delay and roles of the timelock: those of the file, and nobody else's."""
        owner = self.network.owner
        self.read("Timelock", "getMinDelay", owner.delay)
        timelock = self.address("Timelock")
        wanted = {(PROPOSER, each) for each in owner.proposers}
        wanted |= {(CANCELLER, each) for each in (*owner.proposers, *owner.cancellers)}
        wanted |= {(EXECUTOR, ZERO if each == ANYONE else each) for each in owner.executors}
        wanted.add((ADMIN, timelock))
        contract = self._contract("Timelock")
        for role, account in sorted(wanted | self._granted(timelock)):
            expected = (role, account) in wanted
            self.same(
                f"Timelock.{ROLES.get(role, role.hex())} {account}", expected, contract.read("hasRole", role, account)
            )

    def tokens(self) -> None:
        """Tokens of the file."""
        for name, terms in self.network.tokens.items():
            token = self.manifest.tokens.get(name)
            self.same(f"token {name}.address", self.plan.tokens[name], token.address if token else None)
            if token is not None:
                self.same(f"token {name}.decimals", terms.decimals, decimals_of(self.chain, token.address))

    def market(self, name: str, market: Market) -> None:
        """One market: that it is of this factory, and what it was defined with."""
        if not self._contract("MarketFactory").read("isMarket", market.address):
            self.same(f"market {name}", "a market of the factory", market.address)
            return
        slot = str(self.chain.rpc.call("eth_getStorageAt", market.address, BEACON_SLOT, "latest"))
        self.same(f"market {name}.beacon", self.address("MarketFactory"), "0x" + slot[-40:])
        contract = Contract(self.chain, "IMarket", market.address)
        for field, wanted in (
            ("token", market.token),
            ("oracle", market.oracle),
            ("payoff", market.payoff or ZERO),
            ("coordinator", market.coordinator),
            ("factory", self.address("MarketFactory")),
        ):
            self.same(f"market {name}.{field}", wanted, contract.read(field))
        bound = self._contract("OracleFactory").read("marketOf", market.oracle)
        self.same(f"oracle {name}.market", market.address, bound)

    def vault(self, name: str, vault: Vault) -> None:
        """One vault: that it is of this factory, its token and its markets."""
        if not self._contract("VaultFactory").read("isVault", vault.address):
            self.same(f"vault {name}", "a vault of the factory", vault.address)
            return
        slot = str(self.chain.rpc.call("eth_getStorageAt", vault.address, BEACON_SLOT, "latest"))
        self.same(f"vault {name}.beacon", self.address("VaultFactory"), "0x" + slot[-40:])
        contract = Contract(self.chain, "Vault", vault.address)
        self.same(f"vault {name}.token", vault.token, contract.read("asset"))
        found = [str(market[0]).lower() for market in contract.read("markets")]
        self.same(f"vault {name}.markets", [market.lower() for market in vault.markets], found)

    def payoffs(self) -> None:
        """Payoffs of markets."""
        for name, payoff in self.manifest.payoffs.items():
            known = self._contract("PayoffFactory").read("isPayoff", payoff.address)
            self.same(f"payoff {name}.isPayoff", True, known)
            if known:
                contract = Contract(self.chain, "PowerPayoff", payoff.address)
                for field in ("half_power", "scale", "negative"):
                    self.same(f"payoff {name}.{field}", getattr(payoff, field), contract.read(camel_case(field)))

    def files(self, files: Sequence[Path]) -> None:
        """Parameters of markets."""
        protocol = ProtocolParameter.from_abi(self._contract("MarketFactory").read("parameter"))
        for file in files:
            wanted = market_file.load(file, protocol, self.network.feeds, list(self.manifest.tokens))
            market = self.manifest.markets.get(wanted.name)
            if market is None:
                self.same(f"market {wanted.name}", f"as {file} says", "not in the manifest")
                continue
            contract = Contract(self.chain, "IMarket", market.address)
            found = RiskParameter.from_abi(contract.read("riskParameter"))
            self.struct(f"market {wanted.name}.riskParameter", wanted.risk, found)
            terms = MarketParameter.from_abi(contract.read("parameter"))
            self.struct(f"market {wanted.name}.parameter", wanted.parameter, terms)

    def read(self, name: str, function: str, expected: Any, *arguments: Any) -> None:
        """One answer of one contract."""
        shown = f"{name}.{function}" + (f"({', '.join(self._named(each) for each in arguments)})" if arguments else "")
        try:
            found = self._contract(name).read(function, *arguments)
        except Reverted as error:
            found = f"revert: {error}"
        self.same(shown, expected, found)

    def struct(self, name: str, expected: Any, found: Any) -> None:
        """A struct, field by field."""
        for field in fields(expected):
            pair = getattr(expected, field.name), getattr(found, field.name)
            if hasattr(pair[0], "to_abi"):
                self.struct(f"{name}.{camel_case(field.name)}", *pair)
            else:
                self.same(f"{name}.{camel_case(field.name)}", *pair)

    def same(self, name: str, expected: Any, found: Any) -> None:
        """Notes a difference. Addresses are the same in either case."""
        self.checked += 1
        if _plain(expected) != _plain(found):
            self.differences.append(Difference(name, expected, found))

    def address(self, name: str) -> str:
        """Where a contract should be."""
        return self.plan.address(name)

    def _granted(self, timelock: str) -> set[tuple[bytes, str]]:
        """Every role that was ever given."""
        deployed = self.manifest.contracts.get("Timelock")
        start = deployed.block if deployed and deployed.block is not None else self.manifest.start_block
        end = int(self.chain.rpc.call("eth_blockNumber"), 16)
        return {
            (bytes.fromhex(log["topics"][1][2:]), to_checksum_address("0x" + log["topics"][2][-40:]))
            for log in self._logs(timelock, _GRANTED, start, end)
        }

    def _logs(self, address: str, topic: str, start: int, end: int) -> list[dict[str, Any]]:
        """Logs of a contract; a node that finds the range too wide is asked for its halves."""
        request = {"address": address, "topics": [topic], "fromBlock": hex(start), "toBlock": hex(end)}
        try:
            found: list[dict[str, Any]] = self.chain.rpc.call("eth_getLogs", request)
        except RpcError:
            if start >= end:
                raise
            middle = (start + end) // 2
            return self._logs(address, topic, start, middle) + self._logs(address, topic, middle + 1, end)
        return found

    def _feeds(self, adapter: str, oracle: str) -> list[tuple[bytes, int]]:
        return [tuple(feed) for feed in self._contract(adapter).read("feedsOf", oracle)]

    def _contract(self, name: str) -> Contract:
        planned = self.plan.contracts[name]
        return Contract(self.chain, planned.artifact, planned.address)

    def _named(self, address: Any) -> str:
        for name, planned in self.plan.contracts.items():
            if _plain(planned.address) == _plain(address):
                return name
        return str(address)

    def _code_at(self, address: str) -> bytes:
        return bytes.fromhex(str(self.chain.rpc.call("eth_getCode", address, "latest"))[2:])

    def _described(self, is_same: bool, code: bytes) -> str:
        return "that of the local build" if is_same else f"another, of {len(code)} bytes"


def domain(name: str, chain_id: int, contract: str) -> set[int]:
    """What a contract keeps of its EIP-712 domain of version 1: short texts, hashes, separator, chain."""
    texts = [name.encode(), b"1"]
    short = {int.from_bytes(text.ljust(31, b"\0") + bytes([len(text)])) for text in texts}
    kind = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    hashes = [keccak(text) for text in texts]
    types = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
    separator = keccak(encode(types, [kind, *hashes, chain_id, contract]))
    return short | {int.from_bytes(each) for each in (*hashes, separator)} | {chain_id}


def _number(argument: Any) -> int:
    """An argument as a word; those that are no word are no immutable."""
    if isinstance(argument, str) and argument.startswith("0x"):
        return int(argument, 16)
    return argument if isinstance(argument, int) else -1


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
