"""perennial.intents: messages are exact, and a wrong field is an error that names it."""

from decimal import Decimal

import pytest
from eth_account import Account

from perennial.intents import FieldError, GroupCancellation, Intent, NonceCancellation, OperatorUpdate, SignerUpdate

MARKET, SOLVER = "0x" + "11" * 20, "0x" + "22" * 20
TRADER = Account.from_key(bytes([1] * 32)).address
LATER = 2**40


def build(**changes):
    return Intent.build(
        **{"market": MARKET, "account": TRADER, "amount": "1.5", "price": "64000", "expiry": LATER, **changes}
    )


def test_numbers_as_a_person_writes_them():
    intent = build(amount="-1.5", price=Decimal("64000.25"), fee="0.1", collateralization=2)

    assert (intent.amount, intent.price) == (-1_500_000, 64_000_250_000)
    assert (intent.fee, intent.collateralization) == (100_000, 2_000_000)
    assert intent.size == 1_500_000


def test_the_account_signs_itself_unless_told():
    assert build().common.signer == TRADER
    assert build(signer=SOLVER).common.signer == SOLVER


def test_each_has_a_nonce_of_its_own():
    assert build().common.nonce != build().common.nonce
    assert build(nonce=7).common.nonce == 7


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"amount": 1.5}, "amount", "is a float"),
        ({"amount": "1.0000001"}, "amount", "more than 6 decimals"),
        ({"amount": 0}, "amount", "is 0"),
        ({"amount": 2**255}, "amount", "does not fit int256"),
        ({"price": "cheap"}, "price", "is not a number"),
        ({"price": "NaN"}, "price", "is not a number"),
        ({"fee": "1.000001"}, "fee", "more than 1"),
        ({"fee": "-0.1"}, "fee", "does not fit uint256"),
        ({"originator": "0x12"}, "originator", "no address"),
        ({"solver": None}, "solver", "no address"),
        ({"collateralization": -1}, "collateralization", "does not fit uint256"),
        ({"account": TRADER.lower()[2:]}, "common.account", "no address"),
        ({"account": "0x" + TRADER[2:].swapcase()}, "common.account", "no address"),
        ({"market": 5}, "common.domain", "no address"),
        ({"nonce": -1}, "common.nonce", "does not fit uint256"),
        ({"nonce": True}, "common.nonce", "no integer"),
        ({"group": 2**256}, "common.group", "does not fit uint256"),
        ({"expiry": "tomorrow"}, "common.expiry", "no integer"),
        ({"expiry": 1.5}, "common.expiry", "no integer"),
    ],
)
def test_a_wrong_field_is_named(change, field, reason):
    with pytest.raises(FieldError, match=reason) as caught:
        build(**change)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "message",
    [
        build(),
        NonceCancellation.build(verifier=MARKET, account=TRADER, nonce=2**256 - 1, expiry=LATER),
        GroupCancellation.build(verifier=MARKET, account=TRADER, group=3, expiry=LATER),
        OperatorUpdate.build(factory=MARKET, account=TRADER, operator=SOLVER, approved=True, expiry=LATER),
        SignerUpdate.build(factory=MARKET, account=TRADER, signer=SOLVER, approved=False, expiry=LATER),
    ],
)
def test_there_and_back(message):
    assert type(message).from_dict(message.to_json()) == message
    assert type(message).from_dict(message.to_dict()) == message


def test_json_has_integers_as_text():
    content = build(amount=-1, nonce=2**200).to_json()

    assert content["amount"] == "-1000000"
    assert content["common"]["nonce"] == str(2**200)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda content: content.pop("price"), "price"),
        (lambda content: content.update(colour="red"), "colour"),
        (lambda content: content.update(amount="1.5"), "amount"),
        (lambda content: content.update(amount=True), "amount"),
        (lambda content: content.update(amount="9" * 5000), "amount"),
        (lambda content: content.update(common=[]), "common"),
        (lambda content: content["common"].pop("group"), "common.group"),
        (lambda content: content["common"].update(account="me"), "common.account"),
        (lambda content: content["common"].update(expiry=None), "common.expiry"),
    ],
)
def test_wrong_json_names_the_field(change, field):
    content = build().to_json()
    change(content)

    with pytest.raises(FieldError) as caught:
        Intent.from_dict(content)
    assert caught.value.field == field


def test_no_object_at_all():
    with pytest.raises(FieldError) as caught:
        Intent.from_dict([1, 2])
    assert caught.value.field == "Intent"


@pytest.mark.parametrize(
    ("amount", "better", "worse"), [("1", 63_999_999_999, 64_000_000_001), ("-1", 64_000_000_001, 0)]
)
def test_accepts_the_price_or_better(amount, better, worse):
    intent = build(amount=amount)

    assert intent.accepts(64_000_000_000)
    assert intent.accepts(better)
    assert not intent.accepts(worse)
