"""The chain as the relay sees it: through a node, with reads alone."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, finalize

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from perennial.abi import Reverted, interface
from perennial.amounts import ONE, decimal
from perennial.chain import Chain, Contract, RpcError
from perennial.intents import Domain, Intent
from perennial.mirror.parameters import RiskParameter
from perennial.multicall import Multicall
from perennial.relay.intake import IntentState
from perennial.relay.records import Fill
from perennial.relay.rpc import LastingRpc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennial.abi import Event
    from perennial.chain import Query, Rpc

IS_VALID_SIGNATURE = bytes.fromhex("1626ba7e")
"""Selector of ERC-1271's isValidSignature, which it also returns for yes."""

TIMEOUT = 20
"""Seconds for an answer of the node, which is asked twice. Who reads the book shares threads with those that wait."""

WALLET_GAS = 2_000_000
"""What a contract wallet may take to answer: whoever posts names it, and its code may do anything."""

GAVE_UP = (
    "revert", "vmexecutionerror", "outofgas", "gasuintoverflow", "opcode", "badinstruction", "invalidoperation",
    "invalidjump", "badjump", "stackunderflow", "stackoverflow", "stacklimit", "stackitems", "outofbounds",
    "outofoffset", "writeprotection", "statechangeduringstaticcall", "illegalstatechange", "staticcallviolation",
)  # fmt: skip
"""How nodes say that a call ended, with or without a revert: of their words, the letters alone. Each has its own.

Their codes do not tell: -32000 and -32603 are a block or a state as well that a node does not have, or not in time.
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block: number, and Unix seconds."""

    block: int
    timestamp: int


class NodeView:
    """Asks a node. Safe to use from many threads: each has a connection of its own."""

    def __init__(self, uri: str, markets: Sequence[str]) -> None:
        self._uri, self._local = uri, threading.local()
        self._open: WeakSet[Rpc] = WeakSet()
        self.markets = frozenset(to_checksum_address(market) for market in markets)
        try:
            self._look()
        except BaseException:
            self.close()
            raise

    def _look(self) -> None:
        """What does not change."""
        chain = self._chain()
        self._simulates = Multicall(chain).is_there()
        factories = {Contract(chain, "IMarket", market).read("factory") for market in self.markets}
        if len(factories) != 1:
            raise ValueError("the markets of a relay must be of one MarketFactory")
        self._factory = factories.pop()
        verifier = Contract(chain, "IMarketFactory", self._factory).read("verifier")
        self.domain = Domain(int(chain.rpc.call("eth_chainId"), 16), to_checksum_address(verifier))

    def protocol(self) -> str:
        """Which protocol on which chain this is, in words: for a database that must not meet another one."""
        genesis = self._chain().rpc.call("eth_getBlockByNumber", "0x0", False)["hash"]
        return f"Verifier {self.domain.verifier} on chain {self.domain.chain_id} with genesis {genesis}"

    def close(self) -> None:
        """Ends the connections of all threads."""
        for rpc in list(self._open):
            rpc.close()

    # -- As ChainView ------------------------------------------------------------------------------------------------

    def is_contract_signature(self, signer: str, digest: bytes, signature: bytes) -> bool:
        """Whether a contract wallet takes the signature as its own (ERC-1271).

        Raises NodeError where the node cannot tell: what is valid must not be refused for good.
        """
        data = IS_VALID_SIGNATURE + encode(["bytes32", "bytes"], [digest, signature])
        call = {"to": signer, "data": "0x" + data.hex(), "gas": hex(WALLET_GAS)}
        try:
            answer = self._chain().rpc.call("eth_call", call, "latest")
        except Reverted:
            return False
        except RpcError as error:
            if not _gave_up(error):
                raise
            return False
        return bytes.fromhex(answer[2:66]) == IS_VALID_SIGNATURE.ljust(32, b"\0")

    def is_signer(self, account: str, signer: str) -> bool:
        """Whether the account has approved the signer."""
        return bool(Contract(self._chain(), "IMarketFactory", self._factory).read("signers", account, signer))

    def states(self, intents: Sequence[Intent]) -> list[IntentState]:
        """What the Verifier says about intents now."""
        chain = self._chain()
        verifier = Contract(chain, "IVerifier", self.domain.verifier)
        hashes = chain.ask_all([verifier.query("hash", intent.to_abi()) for intent in intents])
        queries = [verifier.query("filled", digest) for digest in hashes]
        queries += [verifier.query("remaining", intent.to_abi()) for intent in intents]
        answers = chain.ask_all(queries)
        pairs = zip(answers[: len(intents)], answers[len(intents) :], strict=True)
        return [IntentState(filled, remaining) for filled, remaining in pairs]

    def has_collateral(self, account: str) -> bool:
        """Whether the account has collateral, or owes some, in a market of the relay."""
        chain = self._chain()
        queries = [Contract(chain, "IMarket", market).query("collateral", account) for market in self.markets]
        return any(chain.ask_all(queries))

    def used(self, nonces: Sequence[tuple[str, int]]) -> list[bool]:
        """Of nonces of accounts, whether each is cancelled."""
        chain = self._chain()
        verifier = Contract(chain, "IVerifier", self.domain.verifier)
        return chain.ask_all([verifier.query("nonceCancelled", account, nonce) for account, nonce in nonces])

    def lacks_margin(self, intent: Intent, size: int) -> str | None:
        """Why the account could not have `size` of the intent filled now; None if it could."""
        account, market = intent.common.account, Contract(self._chain(), "IMarket", intent.common.domain)
        settled, pending, requirement, price, risk, locked = self._as_if_settled(
            market,
            account,
            [
                market.query("positions", account),
                market.query("pendingPositions", account),
                market.query("requirement", account),
                market.query("price"),
                market.query("riskParameter"),
                market.query("locked", account),
            ],
        )
        if locked:
            return "the account waits for its liquidation"
        if settled[1] or pending[1]:
            return "the account is a maker, who cannot trade by intents"
        signed = size if intent.amount > 0 else -size
        terms = RiskParameter.from_abi(risk)
        return _lacking(intent, signed, pending[2] - pending[3], settled[2] - settled[3], requirement, price, terms)

    # -- As Follower -------------------------------------------------------------------------------------------------

    def head(self) -> Head:
        """The newest block."""
        block = self._chain().rpc.call("eth_getBlockByNumber", "latest", False)
        return Head(int(block["number"], 16), int(block["timestamp"], 16))

    def fills(self, first: int, last: int) -> list[Fill]:
        """Every intent that was filled in these blocks, both included."""
        consumed = _event("IVerifier", "IntentConsumed")
        filled = _event("IMarketEvents", "IntentFilled")
        addresses = [self.domain.verifier, *self.markets]
        topics = [["0x" + consumed[0].hex(), "0x" + filled[0].hex()]]
        query = {"fromBlock": hex(first), "toBlock": hex(last), "address": addresses, "topics": topics}
        # A fill is IntentConsumed for each intent, then IntentFilled, which has the price.
        waiting: dict[str, list[Any]] = defaultdict(list)
        found = []
        for log in self._chain().rpc.call("eth_getLogs", query):
            keys, data = [_bytes(topic) for topic in log["topics"]], _bytes(log["data"])
            if keys[0] == consumed[0]:
                waiting[log["transactionHash"]].append((log, consumed[1].decode(keys, data)))
                continue
            account, counterparty, _, _, price, _ = filled[1].decode(keys, data)
            for own, (digest, owner, size, remaining) in waiting.pop(log["transactionHash"], []):
                other = counterparty if owner == account else account
                found.append(
                    Fill(
                        hash="0x" + digest.hex(),
                        block=int(own["blockNumber"], 16),
                        transaction=own["transactionHash"],
                        log_index=int(own["logIndex"], 16),
                        size=size,
                        remaining=remaining,
                        price=price,
                        counterparty=to_checksum_address(other),
                    )
                )
        return found

    def _as_if_settled(self, market: Contract, account: str, queries: list[Query]) -> list[Any]:
        """Answers of a market's views as if the account were settled now, as a fill does it first.

        Where the chain has no Multicall3, or the market is paused, they are of the account's last settlement.
        """
        chain = self._chain()
        if not self._simulates:
            return chain.ask_all(queries)
        return Multicall(chain).ask_after(market.query("settle", account), queries)

    def _chain(self) -> Chain:
        chain: Chain | None = getattr(self._local, "chain", None)
        if chain is None:
            chain = self._local.chain = Chain(LastingRpc(self._uri, TIMEOUT))
            self._open.add(chain.rpc)
            # Threads come and go: what is a thread's own goes with it, and its connection is closed.
            finalize(chain, chain.rpc.close)
        return chain


def _lacking(
    intent: Intent,
    signed: int,
    before: int,
    settled: int,
    requirement: tuple[int, int, int],
    price: int,
    risk: RiskParameter,
) -> str | None:
    """The market's checks of a signer (docs/protocol.md §9.5, §10.2), for a fill at the intent's own price.

    Of pending versions in between the views do not tell: the market may ask for more than is asked here, not for less.
    """
    after = before + signed
    worst = max(abs(settled), abs(after))
    reduces = abs(after) < abs(before) and after * before >= 0
    share, least = (risk.maintenance, risk.min_maintenance) if reduces else (risk.margin, risk.min_margin)
    notional = _ceil(worst * abs(price), ONE)
    required = max(_ceil(notional * share, ONE), least) if worst else 0
    required = max(required, _ceil(notional * intent.collateralization, ONE))
    guarantee = signed * (price - intent.price) // ONE
    fee = _ceil(abs(signed) * risk.taker_fee * abs(price), ONE**2)
    effective = requirement[0] + guarantee - fee
    if effective >= required:
        return None
    has, needs = decimal(effective), decimal(required)
    return f"after the fill the account would have {has}, and needs {needs}: deposit, or change size or price"


def _event(contract: str, name: str) -> tuple[bytes, Event]:
    for topic, event in interface(contract).events.items():
        if event.name == name:
            return topic, event
    raise LookupError(f"{contract} has no event {name}")


def _gave_up(error: RpcError) -> bool:
    """Whether a call ran and ended badly: an answer of who was called, no failure of the node's."""
    said = "".join(letter for letter in str(error.message).lower() if letter.isalpha())
    return any(each in said for each in GAVE_UP)


def _ceil(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
