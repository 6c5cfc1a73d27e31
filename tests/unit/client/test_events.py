"""Logs in bounded ranges of blocks, smaller ones where the node refuses, each once and in order."""

import pytest

from perennial.chain import RpcError
from perennial.client.events import Happened, events, merged, topic, word

MARKET = "0x" + "11" * 20
ACCOUNT = "0x" + "22" * 20


class FakeNode:
    """Has one Deposited in every block, and gives at most `most` blocks at once."""

    def __init__(self, most=10**9):
        self.most, self.asked = most, []

    def call(self, method, query):
        assert method == "eth_getLogs"
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        if last - first >= self.most:
            raise RpcError(method, -32005, "block range too large")
        self.asked.append((first, last))
        return [self.log(block) for block in range(first, last + 1)]

    def log(self, block):
        return {
            "address": MARKET,
            "topics": [*topic("IMarketEvents", "Deposited"), word(ACCOUNT), word(ACCOUNT)],
            "data": word(block),
            "blockNumber": hex(block),
            "transactionHash": hex(block),
            "logIndex": "0x0",
        }


def read(node, first, last, span):
    return list(events(node, {MARKET: "IMarketEvents"}, [], first, last, span))


def test_ranges_are_bounded():
    node = FakeNode()
    found = read(node, 3, 12, 4)

    assert node.asked == [(3, 6), (7, 10), (11, 12)]
    assert [event["amount"] for event in found] == list(range(3, 13))
    assert found[0].values == {"account": ACCOUNT, "sender": ACCOUNT, "amount": 3}


def test_asks_for_less_where_it_is_too_much():
    node = FakeNode(most=3)
    assert [event.block for event in read(node, 1, 10, 8)] == list(range(1, 11))
    assert all(last - first < 3 for first, last in node.asked)


def test_gives_up_where_one_block_is_too_much():
    with pytest.raises(RpcError, match="too large"):
        read(FakeNode(most=0), 1, 2, 8)


def test_nothing_to_read():
    node = FakeNode()
    assert read(node, 5, 4, 10) == []
    assert node.asked == []


def test_merged_in_order_and_each_once():
    a, b, c = (Happened(MARKET, "E", {}, block, "0x", index) for block, index in ((2, 1), (1, 5), (2, 0)))
    assert merged([a, b], [c, a]) == [b, c, a]


def test_an_event_that_a_contract_has_not():
    with pytest.raises(LookupError, match="IMarketEvents has no event Nothing"):
        topic("IMarketEvents", "Nothing")
