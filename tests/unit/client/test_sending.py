"""Transactions: each nonce once, whatever the node says; nothing is sent that would revert; receipts are looked at."""

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from perennial.abi import Reverted, selector
from perennial.chain import GAS, Chain, Contract, NodeError, RpcError
from perennial.client.errors import ClientError, NotMinedError, Refused, UnreachableError
from perennial.client.sending import Sender

KEY = Account.from_key(bytes([7] * 32))
CLOSED = "0x" + selector({"name": "MarketClosed", "inputs": []}).hex()


class FakeNode:
    """A node whose answers a test changes; it mines what it is sent at once."""

    def __init__(self):
        self.sent, self.known, self.nonce = [], set(), 5
        self.answers = {}
        self.mines, self.status = True, "0x1"

    def call(self, method, *params):
        given = self.answers.get(method)
        if given:
            answer = given.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return getattr(self, method)(*params)

    def eth_estimateGas(self, request):  # noqa: ARG002, N802 -- named as the method
        return hex(100_000)

    def eth_getTransactionCount(self, address, tag):  # noqa: N802
        assert (address, tag) == (KEY.address, "pending")
        return hex(self.nonce + len(self.known))

    def eth_maxPriorityFeePerGas(self):  # noqa: N802
        return hex(2_000_000)

    def eth_getBlockByNumber(self, number, full):  # noqa: ARG002, N802
        return {"number": "0x10", "timestamp": "0x20", "baseFeePerGas": hex(10**9)}

    def eth_sendRawTransaction(self, raw):  # noqa: N802
        self.sent.append(bytes.fromhex(raw[2:]))
        digest = "0x" + keccak(self.sent[-1]).hex()
        self.known.add(digest)
        return digest

    def eth_getTransactionByHash(self, digest):  # noqa: N802
        return {"hash": digest} if digest in self.known else None

    def eth_getTransactionReceipt(self, digest):  # noqa: N802
        if not self.mines or digest not in self.known:
            return None
        return {
            "transactionHash": digest,
            "status": self.status,
            "gasUsed": "0x5208",
            "blockNumber": "0x11",
            "logs": [],
        }

    def eth_call(self, request, tag):  # noqa: ARG002
        return "0x"


@pytest.fixture
def node():
    return FakeNode()


@pytest.fixture
def sender(node):
    times = iter(range(10_000))
    return Sender(node, 84532, patience=10, clock=lambda: next(times), sleep=lambda _: None)


@pytest.fixture
def query(node):
    return Contract(Chain(node), "IMarket", "0x" + "11" * 20).query("settle", KEY.address)


def parts(raw):
    return TypedTransaction.from_bytes(HexBytes(raw)).as_dict()


def test_one_transaction(node, sender, query):
    mined = sender.send(KEY, query)

    (raw,) = node.sent
    sent = parts(raw)
    assert (sent["nonce"], sent["gas"], sent["chainId"]) == (5, 700_000, 84532)
    assert (sent["maxFeePerGas"], sent["maxPriorityFeePerGas"]) == (2 * 10**9 + 2_000_000, 2_000_000)
    assert (mined.block, mined.receipt.hash) == (17, "0x" + keccak(raw).hex())


def test_nonces_follow_each_other(node, sender, query):
    for _ in range(3):
        sender.send(KEY, query)
    assert [parts(raw)["nonce"] for raw in node.sent] == [5, 6, 7]


def test_what_would_revert_is_not_sent(node, sender, query):
    node.answers["eth_estimateGas"] = [Reverted("MarketClosed")]
    with pytest.raises(Refused, match="MarketClosed") as refused:
        sender.send(KEY, query)
    assert refused.value.transaction is None
    assert node.sent == []


def test_another_node_says_it_in_its_own_way(node, sender, query):
    node.answers["eth_estimateGas"] = [RpcError("eth_estimateGas", -32000, "execution reverted", CLOSED)]
    with pytest.raises(Refused, match="MarketClosed"):
        sender.send(KEY, query)


def test_a_nonce_that_another_transaction_took(node, sender, query):
    node.answers["eth_sendRawTransaction"] = [RpcError("send", -32000, "nonce too low")]
    node.answers["eth_getTransactionCount"] = [hex(5), hex(6)]
    sender.send(KEY, query)
    assert [parts(raw)["nonce"] for raw in node.sent] == [6]


def test_a_nonce_that_this_transaction_took(node, sender, query):
    """The first answer got lost, the transaction did not: it is not sent under another nonce."""
    first = node.eth_sendRawTransaction

    def lose(raw):
        first(raw)
        raise RpcError("send", -32000, "nonce too low")

    node.eth_sendRawTransaction = lose
    sender.send(KEY, query)
    assert len(node.sent) == 1


def test_a_nonce_that_is_always_taken(node, sender, query):
    node.answers["eth_sendRawTransaction"] = [RpcError("send", -32000, "nonce too low")] * 10
    with pytest.raises(ClientError, match="something else sends with the same key"):
        sender.send(KEY, query)


@pytest.mark.parametrize("said", ["already known", "transaction already imported"])
def test_what_the_node_has_already_is_sent(node, sender, query, said):
    first = node.eth_sendRawTransaction

    def again(raw):
        first(raw)
        raise RpcError("send", -32000, said)

    node.eth_sendRawTransaction = again
    assert sender.send(KEY, query).block == 17
    assert len(node.sent) == 1


def test_what_fails_on_chain(node, sender, query):
    node.status = "0x0"
    node.answers["eth_call"] = [Reverted("MarketClosed")]
    with pytest.raises(Refused, match=r"MarketClosed.*The transaction 0x[0-9a-f]{64} failed") as refused:
        sender.send(KEY, query)
    assert refused.value.transaction in node.known


def test_what_was_overtaken(node, sender, query):
    """It failed in its block and would succeed now: nobody is told that it reverted for no reason."""
    node.status = "0x0"
    with pytest.raises(Refused, match=r"^Overtaken: .*send it again.*The transaction 0x[0-9a-f]{64} failed"):
        sender.send(KEY, query)
    assert len(node.sent) == 1


def test_never_more_gas_than_a_transaction_may_have(node, sender, query):
    node.answers["eth_estimateGas"] = [hex(12_000_000)]
    sender.send(KEY, query)
    assert parts(node.sent[0])["gas"] == GAS


def test_what_is_not_mined(node, sender, query):
    node.mines = False
    with pytest.raises(NotMinedError, match="look for it before you repeat it") as late:
        sender.send(KEY, query)
    assert late.value.transaction in node.known


def test_a_node_that_does_not_answer(node, sender, query):
    node.answers["eth_estimateGas"] = [NodeError("the node does not answer")]
    with pytest.raises(UnreachableError, match="the node does not answer"):
        sender.send(KEY, query)


def test_a_node_that_refuses(node, sender, query):
    node.answers["eth_sendRawTransaction"] = [RpcError("send", -32000, "insufficient funds for gas")]
    with pytest.raises(ClientError, match="insufficient funds for gas"):
        sender.send(KEY, query)


def test_without_a_usual_tip(node, sender, query):
    node.answers["eth_maxPriorityFeePerGas"] = [RpcError("tip", -32601, "method not found")]
    sender.send(KEY, query)
    assert parts(node.sent[0])["maxPriorityFeePerGas"] == 1_000_000


# -- A node that drops out once a transaction may have left ------------------------------------------------------------

GONE = NodeError("the node does not answer")
LIMITED = RpcError("eth_getTransactionReceipt", -32005, "limit exceeded")


@pytest.mark.parametrize("error", [GONE, LIMITED], ids=["gone", "limited"])
def test_a_node_that_drops_out_while_it_is_waited_for(node, sender, query, error):
    """What has left is looked for again: whoever was told that the node is gone would send it a second time."""
    node.answers["eth_getTransactionReceipt"] = [error, error]
    assert sender.send(KEY, query).block == 17
    assert len(node.sent) == 1


@pytest.mark.parametrize("knows", [{}, {"eth_getTransactionByHash": [GONE]}], ids=["lost", "taken"])
def test_an_answer_that_is_lost(node, sender, query, knows):
    """Nobody knows whether it has arrived: it may be mined, and is not sent under another nonce."""
    first = node.eth_sendRawTransaction

    def lose(raw):
        first(raw)
        raise RpcError("send", -32000, "nonce too low") if knows else GONE

    node.eth_sendRawTransaction = lose
    node.answers |= knows
    assert sender.send(KEY, query).block == 17
    assert len(node.sent) == 1


def test_a_node_that_stays_away(node, sender, query):
    node.answers["eth_getTransactionReceipt"] = [GONE] * 100
    with pytest.raises(NotMinedError, match=r"\(the node does not answer\).*look for it before you repeat it") as late:
        sender.send(KEY, query)
    assert late.value.transaction in node.known


def test_what_fails_and_nobody_says_why(node, sender, query):
    node.status = "0x0"
    node.answers["eth_call"] = [GONE]
    with pytest.raises(Refused, match=r"The transaction 0x[0-9a-f]{64} failed"):
        sender.send(KEY, query)
