"""Opens markets from files (docs/protocol.md §3.1): anyone may, whoever does is the coordinator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from perennial.abi import Reverted
from perennial.chain import Contract
from perennial.deployment import market_file, network
from perennial.deployment.fields import ZERO, FileError
from perennial.deployment.node import connected
from perennial.deployment.plan import call, has_code
from perennial.deployment.run import decimals_of, open_journal, silent
from perennial.deployment.sender import SigningSender
from perennial.deployment.signer import signer_of
from perennial.manifest import Manifest, Market, Oracle, Payoff, Token, locate
from perennial.mirror.parameters import ProtocolParameter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perennial.chain import Chain, Rpc
    from perennial.deployment.market_file import MarketFile
    from perennial.deployment.network import FeedIds
    from perennial.deployment.sender import Mined, Sender
    from perennial.deployment.signer import Signer
    from perennial.mirror.payoff import PowerPayoff


def create_market_from_file(
    file: Path | str,
    node: str | Rpc,
    account: Any,
    *,
    manifest: Path | str,
    feeds: dict[str, FeedIds] | None = None,
    report: Callable[[str], None] = silent,
) -> Market:
    """Opens one market: `create_markets` with one file."""
    return create_markets([file], node, account, manifest=manifest, feeds=feeds, report=report)[0]


def create_markets(
    files: Sequence[Path | str],
    node: str | Rpc,
    account: Any,
    *,
    manifest: Path | str,
    feeds: dict[str, FeedIds] | None = None,
    report: Callable[[str], None] = silent,
) -> list[Market]:
    """Opens the markets of some files and adds each to the manifest as soon as it is open.

    `manifest` is the name of a network or a path, `feeds` are the names that files may use, those of the network's file
    by default. All files are checked before anything is sent. A market that the manifest has under its name is left as
    it is; one that was begun is continued. Raises FileError, ManifestError, JournalError, StepError.
    """
    path = manifest if isinstance(manifest, Path) else locate(manifest)
    with connected(node) as chain:
        opener, signer = Opener(chain, path, report), signer_of(account)
        return [opener.begin(market, signer) for market in opener.read([Path(file) for file in files], feeds)]


def network_of(manifest: Manifest) -> network.Network:
    """The file of a manifest's network; of its chain where it has no file of its own. Raises FileError."""
    if network.path_of(manifest.network).exists():
        return network.load(manifest.network)
    return network.of_chain(manifest.chain_id)


@dataclass
class Opener:
    """Opens markets of one deployment; `path` is its manifest's."""

    chain: Chain
    path: Path
    report: Callable[[str], None]

    def __post_init__(self) -> None:
        self.manifest = Manifest.read(self.path)

    def read(self, files: Sequence[Path], feeds: dict[str, FeedIds] | None = None) -> list[MarketFile]:
        """The files' markets, checked against each other, the protocol and the chain. Raises FileError."""
        if not has_code(self.chain, self.manifest.address("MarketFactory")):
            raise FileError(self.path, ["the connected chain does not have this deployment"])
        known = network_of(self.manifest).feeds if feeds is None else feeds
        protocol = ProtocolParameter.from_abi(self._contract("MarketFactory").read("parameter"))
        markets: list[MarketFile] = []
        problems: list[str] = []
        for file in files:
            try:
                market = market_file.load(file, protocol, known, list(self.manifest.tokens))
                found = self._problems(market)
                if market.name in {each.name for each in markets}:
                    found.append(f"name: {market.name} is in another of these files as well")
                if found:
                    raise FileError(file, found)
                markets.append(market)
            except FileError as error:
                problems.append(str(error))
        if problems:
            raise FileError("nothing was sent", "\n".join(problems).split("\n"))
        return markets

    def begin(self, market: MarketFile, signer: Signer) -> Market:
        """Opens a market with a journal, so that it can be continued. Raises JournalError, StepError."""
        place = self.path.with_name(f"{self.path.stem}.{market.name}.journal.json")
        local = self.manifest.chain_id in network.LOCAL
        journal = open_journal(self.chain, place, signer.address, digest(market), disposable=local)
        opened = self.open(market, SigningSender(self.chain, signer, journal))
        journal.close()
        return opened

    def open(self, market: MarketFile, sender: Sender) -> Market:
        """Opens a market, or the rest of it, and saves the manifest."""
        if market.name in self.manifest.markets:
            self.report(f"{market.name}: open already, at {self.manifest.markets[market.name].address}")
            return self.manifest.markets[market.name]
        payoff = self._payoff(market.payoff, sender) if market.payoff else ZERO
        oracle = self._oracle(market, sender)
        definition = (
            self._token(market),
            market.reward or ZERO,
            oracle.address,
            payoff,
            self._beneficiary(market, sender),
        )
        data = call("MarketFactory", "create", definition, market.risk.to_abi(), market.parameter.to_abi())
        mined = self._send(sender, "MarketFactory", f"{market.name}: create market", data)
        address = self._event("MarketFactory", mined, "MarketCreated")[0]
        opened = Market(
            address=to_checksum_address(address),
            token=to_checksum_address(definition[0]),
            oracle=oracle.address,
            payoff=payoff if market.payoff else None,
            coordinator=sender.address,
            block=mined.block,
        )
        self.manifest.oracles[market.name] = oracle
        self.manifest.markets[market.name] = opened
        if market.token not in self.manifest.tokens and market.token not in self._token_addresses():
            symbol = str(Contract(self.chain, "MockToken", market.token).read("symbol"))
            self.manifest.tokens[symbol] = Token(market.token, decimals_of(self.chain, market.token))
        self.manifest.save(self.path)
        self.report(f"{market.name}: open at {opened.address}")
        return opened

    def _problems(self, market: MarketFile) -> list[str]:
        """What the chain has against a market."""
        problems = []
        for name, token in (("token", self._token(market)), ("reward", market.reward)):
            if not token:
                continue
            decimals = decimals_of(self.chain, token) if has_code(self.chain, token) else None
            if decimals is None:
                problems.append(f"{name}: no contract at {token}")
            elif not 6 <= decimals <= 18:
                problems.append(f"{name}: its {decimals} decimals are outside the limits 6 and 18")
        factory = self._contract("OracleFactory")
        if market.adapter and not factory.read("isAdapter", self.manifest.address(market.adapter)):
            problems.append(f"oracle.adapter: {market.adapter} is not admitted by the OracleFactory")
        elif market.adapter:
            problems += self._feed_problems(market)
        if market.registered and market.name not in self.manifest.markets:
            bound = str(factory.read("marketOf", market.registered))
            if int(bound, 16):
                problems.append(f"oracle.registered: {market.registered} is the oracle of market {bound}")
        return problems

    def _feed_problems(self, market: MarketFile) -> list[str]:
        """What the adapter has against a market's feeds: asked, not sent."""
        if market.adapter == "ChainlinkOracle":
            feeds = {feed.id: "0x" + feed.id[-40:] for feed in market.feeds}
            problems = [f"oracle.feeds: no contract at {at}" for at in feeds.values() if not has_code(self.chain, at)]
            if problems:
                return problems
        try:
            self._contract("OracleFactory").read("create", *self._oracle_arguments(market))
        except Reverted as error:
            return [f"oracle.feeds: {market.adapter} refuses them: {error}"]
        return []

    def _payoff(self, payoff: PowerPayoff, sender: Sender) -> str:
        arguments = (payoff.half_power, payoff.scale, payoff.negative)
        factory = self._contract("PayoffFactory")
        address = to_checksum_address(factory.read("addressOf", *arguments))
        name = payoff_name(payoff)
        if not factory.read("isPayoff", address):
            self._send(sender, "PayoffFactory", f"create payoff {name}", call("PayoffFactory", "create", *arguments))
        self.manifest.payoffs[name] = Payoff(address, *arguments)
        return str(address)

    def _oracle(self, market: MarketFile, sender: Sender) -> Oracle:
        if market.registered:
            return Oracle(market.registered, None, [])
        adapter, feeds = self._oracle_arguments(market)
        data = call("OracleFactory", "create", adapter, feeds)
        mined = self._send(sender, "OracleFactory", f"{market.name}: create oracle", data)
        address = self._event("OracleFactory", mined, "OracleCreated")[0]
        return Oracle(to_checksum_address(address), adapter, list(market.feeds))

    def _oracle_arguments(self, market: MarketFile) -> tuple[str, list[tuple[bytes, int]]]:
        """Adapter and feeds as the OracleFactory takes them."""
        return self.manifest.address(market.adapter), [
            (bytes.fromhex(feed.id[2:]), feed.power) for feed in market.feeds
        ]

    def _send(self, sender: Sender, contract: str, step: str, data: bytes) -> Mined:
        mined = sender.send(step, self.manifest.address(contract), data)
        self.report(f"{step}: {mined.transaction}, block {mined.block}, gas {mined.receipt.gas_used:,}")
        return mined

    def _event(self, contract: str, mined: Mined, name: str) -> tuple[Any, ...]:
        found = dict(self._contract(contract).events(mined.receipt))
        return found[name]

    def _contract(self, name: str) -> Contract:
        return Contract(self.chain, name, self.manifest.address(name))

    def _token(self, market: MarketFile) -> str:
        known = self.manifest.tokens.get(market.token)
        return known.address if known else market.token

    def _token_addresses(self) -> set[str]:
        return {token.address for token in self.manifest.tokens.values()}

    def _beneficiary(self, market: MarketFile, sender: Sender) -> str:
        return sender.address if market.beneficiary == market_file.COORDINATOR else market.beneficiary


def digest(market: MarketFile) -> str:
    """What tells this market from another one."""
    return "0x" + keccak(text=repr(market)).hex()


def payoff_name(payoff: PowerPayoff) -> str:
    """A name that says what it is: "-0.000001 * price^(4/2)"."""
    digits = f"{payoff.scale:019}"
    scale = f"{digits[:-18]}.{digits[-18:]}".rstrip("0").rstrip(".")
    return f"{'-' if payoff.negative else ''}{scale} * price^({payoff.half_power}/2)"
