"""NodeView: what the relay asks a chain, against the contracts."""

import re
from threading import Thread

import pytest
from ape_ethereum.multicall.constants import MULTICALL3_CODE

from perennial.abi import Reverted
from perennial.amounts import raw
from perennial.chain import Chain, Contract, Rpc, RpcError
from perennial.intents import Domain, Intent, message_hash, sign
from perennial.local import FREE, NOBODY, LocalMarket
from perennial.multicall import ADDRESS as MULTICALL
from perennial.relay.view import NodeView

PRICE, LATER = raw(60_000), 2**40


@pytest.fixture(scope="module")
def local(chain, accounts):  # noqa: ARG001 -- needs Ape's connection
    local = LocalMarket.deploy(PRICE)
    local.market.update(local.maker, raw(100), 0, raw(2_000_000), NOBODY, sender=local.maker, **FREE)
    local.commit(PRICE)
    local.market.update(local.short, 0, 0, raw(1_000_000), NOBODY, sender=local.short, **FREE)
    return local


@pytest.fixture
def view(local, chain):
    view = NodeView(chain.provider.http_uri, [local.market.address])
    yield view
    view.close()


@pytest.fixture
def fund(local):
    """The trader's collateral, in USD."""

    def fund(amount):
        local.market.update(local.trader, 0, 0, raw(amount), NOBODY, sender=local.trader, **FREE)

    return fund


@pytest.fixture
def make(local, view):
    def make(amount, price="60000", key=None, **changes):
        terms = {"account": local.trader.address, "expiry": LATER, **changes}
        intent = Intent.build(market=local.market.address, amount=amount, price=price, **terms)
        return intent, sign(intent, view.domain, key or local.trader)

    return make


@pytest.fixture
def fill(local):
    """The short account takes the other side of a whole intent."""

    def fill(intent, signature, size=None):
        amount = intent.amount if size is None else size
        order = intent.to_abi(), signature, amount, intent.price, local.short
        return local.market.fill(*order, sender=local.short, **FREE)

    return fill


@pytest.fixture
def node(chain):
    """The chain without Ape, which is faster."""
    with Rpc(chain.provider.http_uri) as rpc:
        yield Chain(rpc)


@pytest.fixture
def would_fill(local, node):
    """Whether the market would make such a fill."""
    market = Contract(node, "IMarket", local.market.address)
    short = local.short.address

    def would_fill(intent, signature):
        order = intent.to_abi(), signature, intent.amount, intent.price, short
        data = "0x" + market.query("fill", *order).data.hex()
        try:
            node.rpc.call("eth_call", {"from": short, "to": market.address, "data": data}, "latest")
        except Reverted:
            return False
        return True

    return would_fill


def test_domain(view, local, chain):
    assert view.domain == Domain(chain.chain_id, local.protocol.verifier.address)


def test_a_thread_that_ends_leaves_no_connection(view, chain):
    """Threads of a server come and go for weeks; a connection of each that has gone would be one too many at last."""
    for _ in range(3):
        thread = Thread(target=view.head)
        thread.start()
        thread.join()

    [own] = view._open
    assert own.call("eth_chainId") == hex(chain.chain_id)


def test_only_markets_of_one_factory(local, chain):
    other = LocalMarket.deploy(PRICE)

    with pytest.raises(ValueError, match="one MarketFactory"):
        NodeView(chain.provider.http_uri, [local.market.address, other.market.address])


def test_signers(view, local):
    assert not view.is_signer(local.trader.address, local.keeper.address)
    local.protocol.market_factory.updateSigner(local.keeper, True, sender=local.trader, **FREE)
    assert view.is_signer(local.trader.address, local.keeper.address)


def test_collateral_and_nonces(view, local, fund):
    trader = local.trader.address
    assert not view.has_collateral(local.keeper.address)
    fund(1)
    assert view.has_collateral(trader)

    local.protocol.verifier.cancelNonce(7, sender=local.trader, **FREE)
    assert view.used([(trader, 6), (trader, 7), (local.short.address, 7)]) == [False, True, False]


def test_contract_wallets(view, local, make, project):
    wallet = local.trader.deploy(project.MockWallet, local.trader, **FREE)
    intent, signature = make(1)
    digest = message_hash(intent, view.domain)

    assert view.is_contract_signature(wallet.address, digest, signature + b"\1")
    assert not view.is_contract_signature(wallet.address, digest[::-1], signature + b"\1")
    # It reverts, has no such function, is no contract.
    assert not view.is_contract_signature(wallet.address, digest, b"")
    assert not view.is_contract_signature(local.market.address, digest, signature)
    assert not view.is_contract_signature(local.keeper.address, digest, signature)


REVERTS_WITH_HALF_AN_ERROR = "0x6308c379a06000526004601cfd"
"""mstore(0, 0x08c379a0) revert(28, 4): Solidity's Error(string) without the string."""

BURNS = "0x5b600056"
"""Jumps to where it is, for ever."""


@pytest.mark.parametrize("code", [REVERTS_WITH_HALF_AN_ERROR, BURNS, "0xfe"])
def test_a_wallet_that_misbehaves_does_not_sign(view, make, node, code):
    """Whatever its code does, that is an answer, no failure of the node's."""
    wallet = "0x" + "c0de" * 10
    node.rpc.call("anvil_setCode", wallet, code)
    intent, signature = make(1)

    assert not view.is_contract_signature(wallet, message_hash(intent, view.domain), signature)


@pytest.fixture
def node_says(view, monkeypatch):
    """The relay's node refuses every request, in these words."""

    def node_says(code, message):
        def refuse(method, *_):
            raise RpcError(method, code, message)

        monkeypatch.setattr(view._chain().rpc, "call", refuse)

    return node_says


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32000, "header not found"),
        (-32000, "missing trie node 4e1c0de3 (path ) state 0x4e1c is not available"),
        (-32000, "execution timeout"),
        (-32000, "execution aborted (timeout = 5s)"),
        (-32000, "request timed out"),
        (-32603, "internal error"),
        (-32603, "Internal JSON-RPC error."),
        (-32005, "rate limit exceeded"),
    ],
)
def test_a_node_that_cannot_tell_refuses_no_signature(view, make, local, node_says, code, message):
    """What the wallet would say is not known: who posts is told to ask again, not that it does not sign."""
    intent, signature = make(1)
    node_says(code, message)

    with pytest.raises(RpcError, match=re.escape(message)):
        view.is_contract_signature(local.trader.address, message_hash(intent, view.domain), signature)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32000, "out of gas"),
        (-32000, "execution reverted"),
        (3, "execution reverted: no"),
        (-32000, "invalid opcode: INVALID"),
        (-32000, "stack underflow (0 <=> 1)"),
        (-32000, "stack limit reached 1024 (1023)"),
        (-32000, "invalid jump destination"),
        (-32000, "write protection"),
        (-32003, "EVM error OutOfGas"),
        (-32603, "EVM error: OpcodeNotFound"),
        (-32603, "VM Exception while processing transaction: reverted with reason string 'no'"),
        (-32015, "VM execution error."),
    ],
)
def test_a_wallet_whose_call_ends_badly_does_not_sign(view, make, local, node_says, code, message):
    intent, signature = make(1)
    node_says(code, message)

    assert not view.is_contract_signature(local.trader.address, message_hash(intent, view.domain), signature)


def test_states_and_fills(view, local, make, fund, fill):
    fund(50_000)
    buy, sell = make("1"), make("-1", nonce=7)
    before = view.head()
    fill(*buy, raw("0.4"))
    local.protocol.verifier.cancelNonce(7, sender=local.trader, **FREE)

    states = view.states([buy[0], sell[0]])
    assert [(state.filled, state.remaining) for state in states] == [(raw("0.4"), raw("0.6")), (0, 0)]
    [found] = view.fills(before.block + 1, view.head().block)
    assert found.hash == "0x" + message_hash(buy[0], view.domain).hex()
    assert (found.size, found.remaining, found.price) == (raw("0.4"), raw("0.6"), PRICE)
    assert found.counterparty == local.short.address
    assert view.fills(before.block, before.block) == []


def test_a_cross_fills_two(view, local, make, fund):
    fund(50_000)
    local.market.update(local.long, 0, 0, raw(50_000), NOBODY, sender=local.long, **FREE)
    buy, sell = make("1", "60010"), make("-1", "59990", key=local.long, account=local.long.address)
    before = view.head()
    crossed = buy[0].to_abi(), buy[1], sell[0].to_abi(), sell[1], raw("0.5"), raw(60_000)
    local.market.cross(*crossed, sender=local.keeper, **FREE)

    first, second = view.fills(before.block + 1, view.head().block)

    assert (first.hash, first.counterparty) == ("0x" + message_hash(buy[0], view.domain).hex(), local.long.address)
    assert (second.hash, second.counterparty) == ("0x" + message_hash(sell[0], view.domain).hex(), local.trader.address)
    assert first.log_index != second.log_index


class TestMargin:
    """What the relay says of margin, the market does: for the account as it was last settled."""

    @pytest.mark.parametrize("price", ["60000", "60300", "59700"])
    @pytest.mark.parametrize("collateralization", ["0", "0.05"])
    @pytest.mark.parametrize("side", [1, -1])
    @pytest.mark.parametrize("held", ["0", "0.3"])
    def test_as_the_market(self, view, make, fund, fill, would_fill, price, collateralization, side, held):
        fund(1_000)
        if held != "0":
            fill(*make(held))
        verdicts = set()
        for size in ("0.01", "0.1", "0.2", "0.29", "0.31", "0.5", "1", "1.1", "1.3", "1.5", "1.7", "2", "3", "9"):
            intent, signature = make("-" * (side < 0) + size, price, collateralization=collateralization)
            accepted = would_fill(intent, signature)
            assert (view.lacks_margin(intent, intent.size) is None) == accepted, size
            verdicts.add(accepted)
        assert verdicts == {True, False}

    def test_of_a_part(self, view, make, fund):
        fund(1_000)
        intent, _ = make("10")

        assert view.lacks_margin(intent, raw("0.1")) is None
        assert "needs" in view.lacks_margin(intent, raw(10))

    @pytest.mark.parametrize("multicall", [True, False])
    def test_of_who_has_gained_since_its_last_settlement(self, local, make, fund, fill, would_fill, node, multicall):
        """The market knows the new price, the account's collateral is that of before: 1,000, and 2,000 gained."""
        fund(1_000)
        fill(*make("1"))
        local.commit(PRICE)
        local.market.settle(local.trader, sender=local.keeper, **FREE)
        local.commit(raw(62_000))
        local.market.settle(local.short, sender=local.keeper, **FREE)
        if multicall:
            node.rpc.call("anvil_setCode", MULTICALL, "0x" + bytes(MULTICALL3_CODE).hex())
        more, _ = would = make("1.2", "62000")

        assert would_fill(*would)
        fresh = NodeView(node.rpc.uri, [local.market.address])
        verdict = fresh.lacks_margin(more, more.size)
        fresh.close()
        assert (verdict is None) == multicall

    def test_a_maker(self, view, local, make):
        intent, _ = make("1", key=local.maker, account=local.maker.address)

        assert "maker" in view.lacks_margin(intent, raw(1))
