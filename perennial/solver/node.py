"""The chain as the solver sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from eth_utils.address import to_checksum_address

from perennial.abi import Reverted, decode_error
from perennial.chain import Chain, Contract, Query, RpcError
from perennial.intents import Domain
from perennial.keeper.rollup import Transaction, data_fee, operator_fee
from perennial.mirror.parameters import MarketParameter, RiskParameter
from perennial.relay.rpc import LastingRpc
from perennial.sending.node import SendingNode
from perennial.solver.orders import Cross, Deal, Fill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennial.intents import Intent


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the solver decides by. Price, shares and size with 6 decimals; `inventory` is negative for short.

    `price` is the oracle's latest, the payoff applied, and None where that version has none; `age` the seconds between
    it and the version that a fill would settle at.
    """

    timestamp: int
    price: int | None
    age: int
    deviation: int
    taker_fee: int
    referral_fee: int
    inventory: int
    base_fee: int


class SolverNode(SendingNode):
    """Asks a node about one market, and hands transactions over."""

    def __init__(self, uri: str, market: str, account: str, sender: str) -> None:
        """`account` is whose inventory is used, `sender` who sends: the same, or its operator."""
        super().__init__(LastingRpc(uri))
        try:
            self._look(market, account, sender)
        except BaseException:
            self.rpc.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.rpc.close()

    def _look(self, market: str, account: str, sender: str) -> None:
        """What does not change."""
        chain = Chain(self.rpc)
        self._chain, self._market = chain, Contract(chain, "IMarket", market)
        self.market: str = to_checksum_address(market)
        self.account: str = to_checksum_address(account)
        self._sender = sender
        factory = Contract(chain, "IMarketFactory", self._market.read("factory"))
        self._verifier = Contract(chain, "IVerifier", factory.read("verifier"))
        self._oracle = Contract(chain, "IOracleProvider", self._market.read("oracle"))
        payoff = self._market.read("payoff")
        self._payoff = None if int(payoff, 16) == 0 else Contract(chain, "IPayoffProvider", payoff)
        self.chain_id = int(self.rpc.call("eth_chainId"), 16)
        self.domain = Domain(self.chain_id, to_checksum_address(self._verifier.address))

    def genesis(self) -> str:
        """Hash of the chain's first block: it tells one devnet from the next."""
        return str(self.rpc.call("eth_getBlockByNumber", "0x0", False)["hash"])

    # -- For decisions -----------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The market now: parameters and position as of its last settlement, the price as a fill would find it."""
        market = self._market
        (latest, current), risk, parameter, position = self._chain.ask_all(
            [
                self._oracle.query("status"),
                market.query("riskParameter"),
                market.query("parameter"),
                market.query("pendingPositions", self.account),
            ]
        )
        block = self.rpc.call("eth_getBlockByNumber", "latest", False)
        terms = MarketParameter.from_abi(parameter)
        return Snapshot(
            timestamp=int(block["timestamp"], 16),
            price=self._price(latest),
            age=current - latest[0],
            deviation=terms.max_price_deviation,
            taker_fee=RiskParameter.from_abi(risk).taker_fee,
            referral_fee=terms.referral_fee,
            inventory=position[2] - position[3],
            base_fee=int(block["baseFeePerGas"], 16),
        )

    def remaining(self, intents: Sequence[Intent]) -> list[int]:
        """What the Verifier would still fill of intents."""
        answers: list[int] = self._chain.ask_all(
            [self._verifier.query("remaining", intent.to_abi()) for intent in intents]
        )
        return answers

    def trials(self, deals: Sequence[Deal], limit: int) -> list[int | str]:
        """For each deal, made alone now: the gas that it takes, at most `limit`, or why the market would refuse it."""
        return [self._trial(deal, limit) for deal in deals]

    def posting(self, deals: Sequence[Deal], gas: int) -> int:
        """Wei that a rollup takes, beyond gas, for a batch of these deals; 0 where the chain is none."""
        # Nonce and fees hardly matter: large ones, whose bytes cost the most.
        transaction = Transaction(
            self.chain_id, 2**24, 2**32, 2**40, gas, self.market, value=0, data=self.calldata(deals)
        )
        return data_fee(self.rpc, transaction).wei + operator_fee(self.rpc, gas)

    # -- For the sender ----------------------------------------------------------------------------------------------

    def calldata(self, deals: Sequence[Deal]) -> bytes:
        """The call of a batch that skips what is bad; its deals are of one kind."""
        if isinstance(deals[0], Cross):
            items = [self._cross(deal) for deal in deals if isinstance(deal, Cross)]
            return self._market.query("crossBatch", items, True).data
        return self._market.query(
            "fillBatch", [self._fill(deal) for deal in deals if isinstance(deal, Fill)], True
        ).data

    def skipped(self, logs: list[dict[str, Any]]) -> dict[int, str]:
        """The reasons of deals that the market skipped, by their place in the batch."""
        skipped: dict[int, str] = {}
        for log in logs:
            event = self._market.interface.events.get(_bytes(log["topics"][0]))
            if event is not None and event.name == "FillSkipped" and log["address"].lower() == self._market.address:
                index, reason = event.decode([_bytes(topic) for topic in log["topics"]], _bytes(log["data"]))
                skipped[index] = str(decode_error(reason))
        return skipped

    # -- Steps -------------------------------------------------------------------------------------------------------

    def _price(self, version: tuple[int, int, bool]) -> int | None:
        """A version's price as the market takes it."""
        _, price, valid = version
        if not valid or self._payoff is None:
            return price if valid else None
        try:
            return int(self._payoff.read("payoff", price))
        except Reverted:
            return None

    def _trial(self, deal: Deal, limit: int) -> int | str:
        item = self._cross(deal) if isinstance(deal, Cross) else self._fill(deal)
        query: Query = self._market.query("cross" if isinstance(deal, Cross) else "fill", *item)
        call = {"from": self._sender, "to": query.to, "data": "0x" + query.data.hex(), "gas": hex(limit)}
        try:
            return int(self.rpc.call("eth_estimateGas", call, "latest"), 16)
        except Reverted as error:
            return str(error)
        except RpcError as error:
            # One that runs out of gas is no failure of the node's: it must not stop the others.
            return error.message

    def _fill(self, deal: Fill) -> tuple[Any, ...]:
        intent = deal.order.intent
        size = deal.size if deal.order.buys else -deal.size
        return intent.to_abi(), deal.order.signature, size, deal.price, self.account

    def _cross(self, deal: Cross) -> tuple[Any, ...]:
        size = deal.size if deal.a.buys else -deal.size
        sides = [part for order in (deal.a, deal.b) for part in (order.intent.to_abi(), order.signature)]
        return *sides, size, deal.price


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
