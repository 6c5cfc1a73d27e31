"""The verbs: what they send, what they answer, what they refuse before anything is sent."""

import json
from decimal import Decimal

import pytest
from ape_accounts.accounts import KeyfileAccount
from eth_account import Account

from perennial.amounts import raw
from perennial.chain import NodeError
from perennial.client import InputError, OrderState, Refused, UnreachableError
from perennial.client.numbers import ALL
from perennial.client.results import ESTIMATE
from perennial.client.signers import SigningRefusedError, address_of
from perennial.local import FREE

SIDES = ["long", "short", "maker"]


@pytest.mark.parametrize("side", SIDES)
def test_open(filled, world, taker, side):
    placed = filled.open(taker, side, size="0.5", collateral="1000")

    assert (placed.side, placed.opened, placed.closed) == (side, Decimal("0.5"), 0)
    assert (placed.deposited, placed.note, placed.version) == (1000, None, world.version)
    position = filled.position(taker)
    assert (position.side, position.pending_side, position.pending_size) == ("none", side, Decimal("0.5"))


def test_what_is_quoted_is_what_is_charged(filled, world, taker):
    quote = filled.quote("long", "2", collateral="1000", account=taker)
    placed = filled.open(taker, "long", "2", collateral="1000")
    world.commit("100")
    order = filled.wait(placed, settle=taker)

    assert quote.fee == placed.fee == order.fee > 0
    assert quote.settlement_fee == placed.settlement_fee == order.settlement_fee == Decimal("0.5")
    assert (quote.skew_before, quote.skew_after) == (0, 1)
    position = filled.position(taker)
    assert position.collateral == 1000 - quote.fee - quote.settlement_fee
    assert position.liquidation_below == quote.liquidation_below
    assert position.liquidation_above == quote.liquidation_above


def test_what_is_projected_is_what_accrues(filled, world, taker):
    quote = filled.quote("long", "2", collateral="1000", account=taker, until=world.version + 86_400)
    filled.open(taker, "long", "2", collateral="1000")
    world.commit("100", wait=86_400)
    world.commit("100")
    world.settle(taker)

    totals = filled.history(taker).totals
    assert totals.pnl == 0
    assert totals.funding == pytest.approx(quote.funding, abs=Decimal("0.000002"))
    assert totals.interest == pytest.approx(quote.interest, abs=Decimal("0.000002"))
    assert quote.funding < 0 and quote.interest < 0  # noqa: PT018 -- both are paid
    assert filled.info().funding_rate == quote.funding_rate_then


def test_usd_is_an_estimate_and_says_so(filled, taker):
    quote = filled.quote("short", usd="1000", collateral="1000", account=taker)
    placed = filled.open(taker, "short", usd="1000", collateral="1000")

    assert quote.size == placed.opened == 10
    assert quote.note == placed.note == f"{ESTIMATE}: 10.000000 units at 100.000000"


def test_close(filled, world, taker):
    filled.open(taker, "short", "2", collateral="1000")
    world.commit("100")
    placed = filled.close(taker)
    assert (placed.side, placed.opened, placed.closed) == ("short", 0, 2)
    world.commit("100")
    assert filled.wait(placed, settle=taker).state == OrderState.SETTLED
    assert filled.position(taker).size == 0


@pytest.mark.parametrize("side", SIDES)
def test_reduce(filled, world, taker, side):
    filled.open(taker, side, "2", collateral="1000")
    world.commit("100")
    placed = filled.reduce(taker, "0.5")
    assert (placed.side, placed.closed) == (side, Decimal("0.5"))
    world.commit("100")
    assert filled.position(taker).size == Decimal("1.5")
    assert filled.reduce(taker, usd="100").closed == 1


def test_deposit_and_withdraw(filled, taker):
    assert filled.deposit(taker, "1000").collateral == 1000
    moved = filled.withdraw(taker, "250.5")
    assert (moved.amount, moved.collateral) == (Decimal("-250.5"), Decimal("749.5"))
    assert filled.withdraw(taker, "all").collateral == 0


def test_deposit_for_another(filled, taker, hedger):
    assert filled.deposit(taker, "10", of=hedger).account == hedger.address
    assert filled.position(hedger).collateral == 10


def test_an_operator_acts_for_an_account(filled, world, taker, delegate):
    filled.deposit(taker, "1000")
    with pytest.raises(Refused, match="NotOperator"):
        filled.open(delegate, "long", "1", of=taker)
    world.factory.updateOperator(delegate, True, sender=taker)
    assert filled.open(delegate, "long", "1", of=taker).account == taker.address


def test_claim(filled, world, taker, referrer):
    world.change(referralFee="0.5")
    filled.open(taker, "long", "1", collateral="1000", referrer=referrer)
    world.commit("100")
    world.settle(taker)
    due = filled.position(referrer).claimable
    claimed = filled.claim(referrer)

    assert claimed.credits == due > 0
    assert len(claimed.transactions) == 1
    assert filled.claim(referrer).transactions == ()


# -- What is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "arguments", "options", "says"),
    [
        ("open", ["long", 0.5], {}, "size: 0.5 is a float"),
        ("open", ["long", "1"], {"collateral": 1.5}, "collateral: 1.5 is a float"),
        ("open", ["up", "1"], {}, "side: 'up' is none of long, short, maker"),
        ("open", [["long"], "1"], {}, r"side: \['long'\] is none of long, short, maker"),
        ("orders", ["yesterday"], {}, "since: 'yesterday' is no number of a block"),
        ("history", [-5], {}, "since: -5 is no number of a block"),
        ("open", ["long"], {}, "give the size in units or in USD"),
        ("open", ["long", "1"], {"usd": "1"}, "give the size in units or in USD"),
        ("open", ["long", "1"], {"referrer": "bob"}, "referrer: 'bob' is no address"),
        ("reduce", [], {}, "give the size in units or in USD"),
        ("close", [], {}, "there is nothing to close"),
        ("deposit", ["0"], {}, "collateral: 0 is not more than 0"),
        ("withdraw", [1.5], {}, "collateral: 1.5 is a float"),
    ],
)
def test_input(filled, taker, verb, arguments, options, says):
    with pytest.raises(InputError, match=says):
        getattr(filled, verb)(taker, *arguments, **options)


def test_an_open_never_closes_the_other_side(filled, world, taker):
    filled.open(taker, "short", "2", collateral="1000")
    with pytest.raises(InputError, match="the account is short already"):
        filled.open(taker, "long", "1")
    world.commit("100")
    with pytest.raises(InputError, match="the account is short already"):
        filled.open(taker, "long", "1")


def test_what_is_not_settled_cannot_be_closed(filled, taker):
    filled.open(taker, "long", "2", collateral="1000")
    with pytest.raises(InputError, match="orders wait for their version"):
        filled.close(taker)


def test_the_chain_refuses_and_nothing_is_sent(filled, taker, chain):
    filled.deposit(taker, "10")
    nonce = chain.provider.get_nonce(taker.address)
    with pytest.raises(Refused) as refused:
        filled.withdraw(taker, "11")

    assert refused.value.name == "InsufficientCollateral"
    assert refused.value.values == {"collateral": Decimal(10), "amount": Decimal(11)}
    assert chain.provider.get_nonce(taker.address) == nonce


@pytest.mark.parametrize("name", [None, 1, ["BTC-USD"]])
def test_what_is_no_name(user, name):
    with pytest.raises(InputError, match="is neither a name nor an address: write it as text"):
        user.market(name)
    with pytest.raises(InputError, match="is neither a name nor an address: write it as text"):
        user.vault(name)


def test_what_looks_like_an_address_and_is_none(user):
    with pytest.raises(InputError, match="no market '0xzz"):
        user.market("0x" + "zz" * 20)


@pytest.mark.parametrize("verb", ["deposit", "withdraw"])
def test_more_than_there_is(filled, taker, verb):
    with pytest.raises(InputError, match="collateral: 1e75 is larger than anything there is"):
        getattr(filled, verb)(taker, "1e75")


def test_no_address():
    with pytest.raises(InputError, match="account: 'bob' is no address, and no account that has one"):
        address_of("bob")
    with pytest.raises(InputError, match="is no address as it is written: its capitals do not fit"):
        address_of("0x976ea74026e726554Db657Fa54763ABD0c3A0AA9")


# -- Tokens ------------------------------------------------------------------------------------------------------------


def test_approves_exactly_what_a_deposit_takes(filled, world, poor):
    world.token.mint(poor, raw("2000") * world.scale, sender=world.operator)

    assert filled.deposit(poor, "1000").approved == 1000
    assert world.token.allowance(poor, world.market) == 0
    assert filled.open(poor, "long", "1", collateral="500").approved == 500


def test_approves_nothing_where_it_may_not(connect, filled, world, poor):  # noqa: ARG001
    world.token.mint(poor, raw("2000") * world.scale, sender=world.operator)
    with pytest.raises(InputError, match=r"BTC-USD may not take 1000.000000 mUSD of"):
        connect(approve="never").market("BTC-USD").deposit(poor, "1000")


def test_asks(connect, filled, world, poor):  # noqa: ARG001
    world.token.mint(poor, raw("2000") * world.scale, sender=world.operator)
    asked = []

    def ask(*question):
        asked.append(question)
        return len(asked) > 1

    market = connect(approve=ask).market("BTC-USD")
    with pytest.raises(InputError, match="may not take"):
        market.deposit(poor, "1000")
    assert market.deposit(poor, "1000").approved == 1000
    assert asked == [("mUSD", "BTC-USD", Decimal(1000))] * 2


def test_approves_nothing_for_an_order_that_is_refused(filled, world, poor):
    world.token.mint(poor, raw("2000") * world.scale, sender=world.operator)
    with pytest.raises(Refused, match="InsufficientMargin"):
        filled.open(poor, "long", "5", collateral="1")
    assert world.token.allowance(poor, world.market) == 0


def test_too_few_tokens(filled, poor):
    with pytest.raises(InputError, match=r"has 0.000000 mUSD, and 1000.000000 are needed"):
        filled.deposit(poor, "1000")


# -- Signers -----------------------------------------------------------------------------------------------------------


def test_an_account_of_eth_account(filled, world, accounts):
    key = Account.create()
    accounts[0].transfer(key.address, "1 ether", **FREE)
    world.token.mint(key.address, raw("2000") * world.scale, sender=world.operator)

    assert filled.open(key, "long", "1", collateral="1000").account == key.address


@pytest.fixture
def keyfile(tmp_path, world, accounts):
    """An account of Ape as people have them: an encrypted file."""
    key = Account.create()
    path = tmp_path / "alice.json"
    path.write_text(json.dumps(Account.encrypt(key.key, "open sesame", iterations=2)))
    accounts[0].transfer(key.address, "1 ether", **FREE)
    world.token.mint(key.address, raw("2000") * world.scale, sender=world.operator)
    return KeyfileAccount(keyfile_path=path)


def test_an_account_of_ape_asks_its_owner(filled, keyfile, monkeypatch):
    asked: list[str] = []

    def confirm(question):
        asked.append(question)
        return True

    monkeypatch.setattr("click.confirm", confirm)
    monkeypatch.setattr("click.prompt", lambda *_, **__: "open sesame")

    assert filled.deposit(keyfile, "1000").account == keyfile.address
    approval, deposit = (question for question in asked if question.endswith("Sign: "))
    assert approval.startswith(f"approve({filled.address.lower()}, 1000{'0' * 18}) at ")
    assert deposit.startswith(f"update({keyfile.address.lower()}, 0, 0, 1000000000, 0x")


def test_an_owner_who_does_not_sign(filled, keyfile, monkeypatch):
    monkeypatch.setattr("click.confirm", lambda _: False)
    with pytest.raises(SigningRefusedError, match="did not sign"):
        filled.deposit(keyfile, "1000")


def test_a_wrong_passphrase(filled, keyfile, monkeypatch):
    monkeypatch.setattr("click.confirm", lambda _: True)
    monkeypatch.setattr("click.prompt", lambda *_, **__: "guess")
    with pytest.raises(SigningRefusedError, match="did not sign: "):
        filled.deposit(keyfile, "1000")


def test_what_cannot_sign(filled, taker):
    with pytest.raises(InputError, match="cannot sign: give an account of Ape"):
        filled.withdraw(taker.address, "all")


# -- Orders ------------------------------------------------------------------------------------------------------------


def test_orders(filled, world, taker, keeper):
    filled.open(taker, "long", "1", collateral="1000")
    (order,) = filled.orders(taker)
    assert (order.state, order.kind, order.opened) == (OrderState.WAITING, "order", 1)
    assert order.reason.startswith("waits for the price of 1970-")
    assert (order.price, order.fee) == (None, None)

    world.commit("101")
    (order,) = filled.orders(taker)
    assert (order.state, order.price, order.reason) == (OrderState.PRICED, 101, "settles with the next call")
    expected = order.fee

    filled.settle(keeper, of=taker)
    (order,) = filled.orders(taker)
    assert (order.state, order.price, order.fee, order.reason) == (OrderState.SETTLED, 101, expected, None)


@pytest.mark.parametrize("settles", [False, True])
def test_a_cancelled_order_says_why(filled, world, taker, settles):
    filled.open(taker, "long", "1", collateral="1000")
    world.expire()
    if settles:
        world.settle(taker)
    (order,) = filled.orders(taker)

    assert order.state == OrderState.CANCELLED
    assert order.reason.startswith("invalid version: no price came for 1970-01-12 13:4")
    assert (order.fee, order.settlement_fee, order.price) == (0, 0, None)
    assert filled.position(taker).collateral == 1000


def test_orders_at_one_version_are_one(filled, taker):
    filled.open(taker, "long", "1", collateral="1000")
    filled.open(taker, "long", "2")
    (order,) = filled.orders(taker)
    assert order.opened == 3
    assert len(order.transactions) == 2


def test_a_liquidation(filled, world, taker, keeper):
    filled.open(taker, "long", "5", collateral="60")
    world.commit("100")
    world.commit("90")
    sent = filled.liquidate(keeper, taker)
    assert sent.what.startswith("liquidated 0x")
    assert filled.position(taker).locked
    order = filled.orders(taker)[-1]
    assert (order.kind, order.closed, order.state) == ("liquidation", 5, OrderState.WAITING)
    world.commit("90")
    world.settle(taker)

    totals = filled.history(taker).totals
    assert totals.liquidation_fees == -filled.position(keeper).claimable < 0
    parts = {name: value for name, value in totals.to_dict().items() if name != "collateral"}
    assert sum(map(Decimal, parts.values())) == totals.collateral == filled.position(taker).collateral
    assert totals.pnl == 5 * -10


def test_waiting_ends(filled, taker):
    placed = filled.open(taker, "long", "1", collateral="1000")
    with pytest.raises(UnreachableError, match="the order still waits for it"):
        filled.wait(placed, timeout=0, sleep=lambda _: None)


# -- A node that drops out ---------------------------------------------------------------------------------------------


@pytest.fixture
def unplug(market, monkeypatch):
    """From now on, or once a transaction has left, the node does not answer so many requests for a method."""

    def unplug(method, times=1000, *, sent=False):
        rpc = market.protocol.rpc
        call, left, open_ = rpc.call, [times], [not sent]

        def answers(asked, *params):
            open_[0] = open_[0] or asked == "eth_sendRawTransaction"
            if asked == method and open_[0] and left[0]:
                left[0] -= 1
                raise NodeError("the node does not answer")
            return call(asked, *params)

        monkeypatch.setattr(rpc, "call", answers)

    return unplug


@pytest.mark.parametrize(
    ("verb", "method"), [("history", "eth_getLogs"), ("orders", "eth_getLogs"), ("position", "eth_call")]
)
def test_a_question_to_a_node_that_is_gone(filled, taker, unplug, verb, method):
    filled.deposit(taker, "100")
    unplug(method)
    with pytest.raises(UnreachableError, match="the node does not answer"):
        getattr(filled, verb)(taker)


@pytest.mark.parametrize("method", ["eth_getLogs", "eth_getBlockByNumber"])
def test_waiting_for_an_order_outlasts_a_node_that_is_gone(filled, world, taker, unplug, method):
    placed = filled.open(taker, "long", "1", collateral="1000")
    world.commit("100")
    unplug(method, 2)
    assert filled.wait(placed, settle=taker, sleep=lambda _: None).state == OrderState.SETTLED


def test_waiting_for_an_order_ends_with_what_is_placed(filled, taker, unplug):
    placed = filled.open(taker, "long", "1", collateral="1000")
    unplug("eth_getLogs")
    with pytest.raises(UnreachableError, match=rf"{placed.transaction}\): the node does not answer"):
        filled.wait(placed, timeout=0, sleep=lambda _: None)


def test_what_is_mined_is_said_even_where_the_node_is_gone_afterwards(filled, taker, unplug):
    filled.deposit(taker, "100")
    unplug("eth_call", sent=True)
    with pytest.raises(UnreachableError, match=r"transaction 0x[0-9a-f]{64} is in block \d+, do not repeat it"):
        filled.deposit(taker, "100")


# -- Markets -----------------------------------------------------------------------------------------------------------


def test_info(filled, world):
    info = filled.info()
    assert (info.price, info.maker, info.tradable, info.token) == (100, 10, True, "mUSD")
    assert info.interest_rate == 0
    world.skip(wait=8000)
    assert filled.info().reason == "the latest price is 8010 s old, more than 7200"


def test_market_by_name_and_address(user, world):
    assert user.market("btc-usd").address == user.market(world.market.address).address == world.market.address
    with pytest.raises(InputError, match="no market 'DOGE' on this network: there are BTC-USD"):
        user.market("DOGE")
    with pytest.raises(InputError, match="is no market of the factory"):
        user.market("0x" + "11" * 20)


def test_markets_of_the_factory(user, world):
    assert "BTC-USD" in {market.name for market in user.markets()}
    assert len(user.markets()) == world.factory.marketCount()


def test_positions(user, filled, taker, stranger):
    filled.deposit(taker, "10")
    assert [position.collateral for position in user.positions(taker)] == [10]
    assert user.positions(stranger) == ()


def test_a_quote_for_nobody(filled):
    quote = filled.quote("long", "2")
    assert quote.fee > 0
    assert (quote.effective_collateral, quote.liquidation_below, quote.liquidation_above) == (None, None, None)


def test_a_quote_of_a_close(filled, world, taker):
    filled.open(taker, "long", "2", collateral="1000")
    world.commit("100")
    quote = filled.quote("long", account=taker, close=True)
    assert (quote.size, quote.closes, quote.liquidation_below) == (2, True, None)


def test_all_is_what_the_market_takes_for_all():
    assert ALL == -(2**255)
    assert raw("1") == 10**6
