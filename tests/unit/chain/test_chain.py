"""perennial.chain: bare JSON-RPC, blocks on demand, errors by name."""

import pytest

from perennial.abi import Reverted
from perennial.chain import Contract, NodeError, Rpc, RpcError

KEEPER = "0x" + "ab" * 20


def test_a_block_has_what_was_submitted_in_its_order(place, mine):
    oracle = place("MockOracle")
    sent = [
        oracle.submit("set", version, 10**6 * version, True, version + 10, sender=KEEPER) for version in (100, 110, 120)
    ]

    receipts = mine()

    assert [receipt.hash for receipt in receipts] == sent
    assert all(receipt.succeeded and receipt.gas_used > 21_000 for receipt in receipts)
    assert oracle.read("status") == ((120, 120 * 10**6, True), 130)


def test_mine_sets_the_time_of_the_block(raw_chain):
    latest = int(raw_chain.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    assert raw_chain.mine(latest + 3600) == []

    block = raw_chain.rpc.call("eth_getBlockByNumber", "latest", False)
    assert int(block["timestamp"], 16) == latest + 3600


def test_ask_all_gives_answers_in_the_order_of_the_questions(raw_chain, place, mine):
    oracle = place("MockOracle")
    for version in range(1, 40):
        oracle.submit("commit", version, -version, sender=KEEPER)
    mine()

    answers = raw_chain.ask_all([oracle.query("at", version) for version in range(39, 0, -1)])

    assert answers == [(version, -version, True) for version in range(39, 0, -1)]
    assert raw_chain.ask_all([]) == []


def test_a_view_that_reverts_raises_the_error_with_its_values(place):
    factory = place("PayoffFactory")

    with pytest.raises(Reverted) as refused:
        factory.read("create", 5, 10**18, False)

    assert (refused.value.name, refused.value.values) == ("HalfPowerOutOfRange", (5,))
    assert str(refused.value) == "HalfPowerOutOfRange(5)"


def test_why_tells_the_error_of_a_mined_transaction(raw_chain, place, mine):
    factory = place("PayoffFactory")
    factory.submit("create", 1, 0, False, sender=KEEPER)

    (receipt,) = mine()

    assert not receipt.succeeded
    reverted = raw_chain.why(receipt.hash)
    assert (reverted.name, reverted.values) == ("ScaleOutOfRange", (0,))


def test_events_are_of_the_contract_alone_and_have_all_their_values(place, mine):
    factory = place("PayoffFactory")
    stranger = place("PayoffFactory", "0x" + "ef" * 20)
    factory.submit("create", 4, 7 * 10**18, True, sender=KEEPER)

    (receipt,) = mine()

    payoff = factory.read("addressOf", 4, 7 * 10**18, True)
    assert factory.events(receipt) == [("PayoffCreated", (payoff, 4, 7 * 10**18, True))]
    assert stranger.events(receipt) == []


def test_where_no_contract_is_that_is_said(raw_chain, place):
    nothing = Contract(raw_chain, "PayoffFactory", KEEPER)

    with pytest.raises(Reverted) as refused:
        nothing.read("isPayoff", KEEPER)

    assert (refused.value.name, refused.value.values) == ("NoContract", (KEEPER,))
    with pytest.raises(Reverted, match="NoContract"):
        raw_chain.ask_all([place("MockOracle").query("status"), nothing.query("isPayoff", KEEPER)])


def test_an_unknown_function_is_named(place):
    with pytest.raises(LookupError, match="MockOracle has no function status of 1 arguments"):
        place("MockOracle").query("status", 1)


def test_what_a_node_refuses_has_its_reason(raw_chain):
    with pytest.raises(RpcError, match="eth_nonsense") as refused:
        raw_chain.rpc.call("eth_nonsense")

    assert refused.value.code == -32601


def test_a_node_that_is_not_there():
    with Rpc("http://127.0.0.1:1") as rpc, pytest.raises(NodeError, match=r"127\.0\.0\.1:1 does not answer"):
        rpc.call("eth_chainId")


@pytest.mark.parametrize("answer", [{"detail": "Not Found"}, ["no"], "no", {"error": "no"}])
def test_what_answers_as_no_node_does(monkeypatch, answer):
    monkeypatch.setattr(Rpc, "_post", lambda *_: answer)
    with Rpc("http://127.0.0.1:1") as rpc, pytest.raises(NodeError, match="what answers is no Ethereum node"):
        rpc.call("eth_chainId")


@pytest.mark.parametrize(
    "address", ["localhost:8545", "ws://127.0.0.1:8545", "http://", "http://127.0.0.1:port", "http://[::1"]
)
def test_an_address_that_is_none(address):
    with pytest.raises(ValueError, match="is not the address of a node"):
        Rpc(address)


REFUSAL = {"code": -32600, "message": "batch too large"}


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([{"id": 0, "error": REFUSAL}], RpcError),  # As Geth refuses a batch.
        ([{"id": None, "error": REFUSAL}], RpcError),
        ([{"error": REFUSAL}] * 2, RpcError),
        ([{"id": 0, "result": "0x1"}], NodeError),
        ([{"id": 1, "result": "0x1"}] * 2, NodeError),
        (["0x1", "0x1"], NodeError),
        ([], NodeError),
    ],
)
def test_a_batch_that_is_not_answered_as_one(monkeypatch, answers, error):
    """What a node leaves out is never taken from the answer to another question."""
    rpc = Rpc("http://127.0.0.1:9")
    monkeypatch.setattr(rpc, "_post", lambda _: answers)
    with pytest.raises(error, match="batch too large" if error is RpcError else "no Ethereum node"):
        rpc.batch([("eth_chainId", []), ("eth_blockNumber", [])])


def test_a_batch_is_answered_in_any_order(monkeypatch):
    rpc = Rpc("http://127.0.0.1:9")
    monkeypatch.setattr(rpc, "_post", lambda _: [{"id": 1, "result": "b"}, {"id": 0, "result": "a"}])
    assert rpc.batch([("eth_chainId", []), ("eth_blockNumber", [])]) == ["a", "b"]
