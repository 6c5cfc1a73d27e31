"""Raw access to an Ethereum node over HTTP: thousands of requests a second, where Ape makes some dozens.

`Rpc` speaks JSON-RPC, `Chain` sends and reads, `Contract` knows an ABI. Transactions are signed by the node, so this is
for local networks whose accounts are unlocked; gas is free there. Amounts of ether are in wei, times are Unix seconds,
addresses lower-case hex.
"""

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from perennial.abi import Function, Interface, Reverted, decode_error, interface

Json = Any

GAS = 16_777_216
"""Gas limit of a transaction: Base's cap (2026)."""

AT_ONCE = 100
"""Requests in one batch: nodes refuse larger ones as a whole, each from its own number on."""

NO_CONTRACT = "NoContract"
"""Name of what is no contract's error: a question to an address where none is."""

_ENOUGH = 100
"""Letters of an answer that is none."""

EXECUTION_REVERTED = 3
"""Code of a node's answer to a call that reverted."""


class NodeError(Exception):
    """A node does not answer, or not as one; a request that it refuses is an RpcError."""


class NodeAddressError(ValueError):
    """A text is no address of a node, or of what else is asked over HTTP."""


class RpcError(NodeError):
    """A node refused a request; `code`, `message` and `data` are its own."""

    def __init__(self, method: str, code: int, message: str, data: Json = None) -> None:
        super().__init__(f"{method}: {message} ({code})")
        self.method, self.code, self.message, self.data = method, code, message, data


class Rpc:
    """One connection that is kept open. A context manager closes it."""

    def __init__(self, uri: str, timeout: float = 60) -> None:
        check_address(uri, "a node, such as http://127.0.0.1:8545")
        self.uri, parts = uri, urlsplit(uri)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        self._path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    @property
    def place(self) -> str:
        """Host and port, to be shown: path and query of a hosted node have its key in them."""
        return f"{self._connection.host}:{self._connection.port}"

    def call(self, method: str, *params: Json) -> Json:
        """The result of one request. Raises NodeError, or Reverted where a call did."""
        return _result(method, self._post(_request(0, method, params)))

    def batch(self, requests: Sequence[tuple[str, Sequence[Json]]]) -> list[Json]:
        """The results of reads that are sent at once, in their order. The node may work on them in any order.

        Many are sent in several batches, between which the chain may go on.
        """
        pieces = (requests[start : start + AT_ONCE] for start in range(0, len(requests), AT_ONCE))
        return [result for piece in pieces for result in self._batch(piece)]

    def _batch(self, requests: Sequence[tuple[str, Sequence[Json]]]) -> list[Json]:
        answers = self._post([_request(index, method, params) for index, (method, params) in enumerate(requests)])
        if not isinstance(answers, list):  # A node that refuses the batch as a whole answers once.
            return [_result("batch", answers)]
        by_id = {each.get("id"): each for each in answers if isinstance(each, dict)}
        # Some refuse the batch as a whole by an answer to one, or to none, of its requests.
        fault = next((each for each in by_id.values() if each.get("error")), answers)
        return [_result(method, by_id.get(index, fault)) for index, (method, _) in enumerate(requests)]

    def _post(self, body: Json) -> Json:
        try:
            self._connection.request("POST", self._path, json.dumps(body), {"Content-Type": "application/json"})
            return json.loads(self._connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NodeError(f"the node at {self.place} does not answer: {error}") from error


@dataclass(frozen=True, slots=True)
class Log:
    """What a contract emitted."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction."""

    hash: str
    succeeded: bool
    gas_used: int
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A view with its arguments, to be asked now or in a batch."""

    to: str
    function: Function
    data: bytes


class Chain:
    """What a node can do. `submit` and `mine` are for nodes that mine on demand.

    Reads are of `block`: "latest", or a number in hex, so that answers to several requests fit together.
    """

    def __init__(self, rpc: Rpc, block: str = "latest") -> None:
        self.rpc, self.block = rpc, block

    def submit(self, sender: str, to: str, data: bytes = b"", value: int = 0, gas: int = GAS) -> str:
        """Puts a transaction of an unlocked account into the pool; returns its hash."""
        transaction = {
            "from": sender,
            "to": to,
            "data": "0x" + data.hex(),
            "value": hex(value),
            "gas": hex(gas),
            "gasPrice": "0x0",
        }
        return str(self.rpc.call("eth_sendTransaction", transaction))

    def mine(self, timestamp: int) -> list[Receipt]:
        """Makes a block at a time with what is in the pool; returns the receipts in the order of the block."""
        self.rpc.call("evm_setNextBlockTimestamp", timestamp)
        self.rpc.call("evm_mine")
        return [parse_receipt(receipt) for receipt in self.rpc.call("eth_getBlockReceipts", "latest")]

    def ask(self, query: Query) -> Any:
        """The answer of one view: its value, or the tuple of its values."""
        return answer(query, _bytes(self.rpc.call(*_eth_call(query, self.block))))

    def ask_all(self, queries: Sequence[Query]) -> list[Any]:
        """The answers of many views, as of `batch`."""
        results = self.rpc.batch([(method, params) for method, *params in (_eth_call(q, self.block) for q in queries)])
        return [answer(query, _bytes(result)) for query, result in zip(queries, results, strict=True)]

    def words(self, address: str, slots: Sequence[int]) -> list[int]:
        """Words of a contract's storage, as of `batch`."""
        requests = [("eth_getStorageAt", (address, hex(slot), self.block)) for slot in slots]
        return [int(word, 16) for word in self.rpc.batch(requests)]

    def why(self, transaction: str) -> Reverted:
        """The error that a mined transaction reverted with, from the node's trace of it."""
        outer = self.rpc.call("trace_transaction", transaction)[0]
        return decode_error(_bytes((outer.get("result") or {}).get("output", "0x")))


class Contract:
    """What is at an address, with the ABI of a contract or interface of the project."""

    def __init__(self, chain: Chain, name: str, address: str) -> None:
        self.chain, self.address = chain, address.lower()
        self.interface: Interface = interface(name)

    def query(self, name: str, *arguments: Any) -> Query:
        """A view to be asked later."""
        function = self.interface.function(name, len(arguments))
        return Query(self.address, function, function.encode(arguments))

    def read(self, name: str, *arguments: Any) -> Any:
        """The answer of a view: its value, or the tuple of its values. Raises Reverted."""
        return self.chain.ask(self.query(name, *arguments))

    def submit(self, name: str, *arguments: Any, sender: str, value: int = 0) -> str:
        """Puts a call into the pool; returns the transaction's hash."""
        function = self.interface.function(name, len(arguments))
        return self.chain.submit(sender, self.address, function.encode(arguments), value)

    def events(self, receipt: Receipt) -> list[tuple[str, tuple[Any, ...]]]:
        """What this contract emitted in a transaction: names and values in the order of the parameters."""
        found = []
        for log in receipt.logs:
            if log.address == self.address:
                event = self.interface.events[log.topics[0]]
                found.append((event.name, event.decode(log.topics, log.data)))
        return found


def check_address(uri: str, what: str) -> None:
    """Raises NodeAddressError where it is no address of HTTP; `what` should be there, with an example."""
    try:
        parts = urlsplit(uri)
        # What stands for a port must be one, where something does.
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return
    except ValueError:
        pass
    raise NodeAddressError(f"{uri!r} is not the address of {what}")


def _request(identifier: int, method: str, params: Sequence[Json]) -> Json:
    return {"jsonrpc": "2.0", "id": identifier, "method": method, "params": list(params)}


def _result(method: str, answer: Json) -> Json:
    error = answer.get("error") if isinstance(answer, dict) else None
    if error is None and isinstance(answer, dict) and "result" in answer:
        return answer["result"]
    if not isinstance(error, dict) or not {"code", "message"} <= error.keys():
        raise NodeError(f"{method}: what answers is no Ethereum node: {str(answer)[:_ENOUGH]}")
    if error["code"] == EXECUTION_REVERTED and isinstance(error.get("data"), str):
        raise decode_error(_bytes(error["data"]))
    raise RpcError(method, error["code"], error["message"], error.get("data"))


def _eth_call(query: Query, block: str) -> tuple[str, Json, str]:
    return "eth_call", {"to": query.to, "data": "0x" + query.data.hex()}, block


def answer(query: Query, result: bytes) -> Any:
    """The answer in what a view returned. Raises Reverted("NoContract") for nothing: no code is at the address."""
    if not result and query.function.outputs:
        raise Reverted(NO_CONTRACT, (query.to,))
    values = query.function.decode(result)
    return values[0] if len(values) == 1 else values


def parse_receipt(raw: Json) -> Receipt:
    """A receipt as nodes give it."""
    logs = tuple(parse_log(log) for log in raw["logs"])
    return Receipt(raw["transactionHash"], int(raw["status"], 16) == 1, int(raw["gasUsed"], 16), logs)


def parse_log(raw: Json) -> Log:
    """A log as nodes give it."""
    return Log(raw["address"].lower(), tuple(_bytes(topic) for topic in raw["topics"]), _bytes(raw["data"]))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
