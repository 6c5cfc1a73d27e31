"""Many calls in one, by the contract Multicall3 that most chains have at the same address.

As a transaction every call comes from that contract, not from the sender: for what anybody may do for anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth_abi.abi import decode, encode

from perennial.abi import Reverted, decode_error
from perennial.chain import NodeError, answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennial.chain import Chain, Query

ADDRESS = "0xca11bde05977b3631167028862be2a173976ca11"

AGGREGATE = bytes.fromhex("82ad56cb")
"""Selector of aggregate3((address,bool,bytes)[]), which returns (bool,bytes)[]."""

AGGREGATE_VALUE = bytes.fromhex("174dea71")
"""Selector of aggregate3Value((address,bool,uint256,bytes)[]), which returns the same."""

AT_ONCE = 100
"""Calls in one request."""

RICH = "0x" + "f1" * 20
"""Whose ether pays in a simulation: an address that is given some for that call alone."""


def aggregate(calls: Sequence[tuple[str, bytes]], *, may_fail: bool) -> bytes:
    """Calldata for calls `(to, data)`. Unless some may fail, one that does undoes all."""
    return AGGREGATE + encode(["(address,bool,bytes)[]"], [[(to, may_fail, data) for to, data in calls]])


def aggregate_with_value(calls: Sequence[tuple[str, int, bytes]], *, may_fail: bool) -> bytes:
    """As `aggregate`, for calls `(to, wei, data)` that pay. Nothing may be returned: it could not be taken."""
    rows = [(to, may_fail, value, data) for to, value, data in calls]
    return AGGREGATE_VALUE + encode(["(address,bool,uint256,bytes)[]"], [rows])


class Multicall:
    """Reads and simulations through Multicall3."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def is_there(self) -> bool:
        """Whether the chain has the contract."""
        return self._chain.rpc.call("eth_getCode", ADDRESS, "latest") not in ("0x", "")

    def check(self) -> None:
        """Raises NodeError where the chain does not have the contract."""
        if not self.is_there():
            raise NodeError(f"this chain has no Multicall3 at {ADDRESS}")

    def ask_all(self, queries: Sequence[Query]) -> list[Any]:
        """The answers of many views. Raises the first Reverted."""
        return answers_of(queries, self.try_all([(query.to, query.data) for query in queries]))

    def ask_after(self, call: Query, queries: Sequence[Query]) -> list[Any]:
        """As `ask_all`, of what would be after a call that anybody may make; of what is, where that reverts."""
        _, *results = self.try_all([(query.to, query.data) for query in (call, *queries)])
        return answers_of(queries, results)

    def try_all(self, calls: Sequence[tuple[str, bytes]]) -> list[bytes | Reverted]:
        """What calls `(to, data)` return, or why they revert, one after the other but without effect in the end."""
        results: list[bytes | Reverted] = []
        for index in range(0, len(calls), AT_ONCE):
            data = aggregate(calls[index : index + AT_ONCE], may_fail=True)
            results += self._call({"to": ADDRESS, "data": "0x" + data.hex()})
        return results

    def try_with_value(self, calls: Sequence[tuple[str, int, bytes]]) -> list[bytes | Reverted]:
        """As `try_all` in one request, for calls `(to, wei, data)` that pay."""
        data = aggregate_with_value(calls, may_fail=True)
        value = hex(sum(value for _, value, _ in calls))
        call = {"from": RICH, "to": ADDRESS, "data": "0x" + data.hex(), "value": value}
        return self._call(call, {RICH: {"balance": value}})

    def _call(self, *request: Any) -> list[bytes | Reverted]:
        call, *overrides = request
        answer: str = self._chain.rpc.call("eth_call", call, "latest", *overrides)
        (results,) = decode(["(bool,bytes)[]"], bytes.fromhex(answer.removeprefix("0x")))
        return [data if succeeded else decode_error(data) for succeeded, data in results]


def answers_of(queries: Sequence[Query], results: Sequence[bytes | Reverted]) -> list[Any]:
    """What views answered. Raises the first Reverted."""
    answers = []
    for query, result in zip(queries, results, strict=True):
        if isinstance(result, Reverted):
            raise result
        answers.append(answer(query, result))
    return answers
