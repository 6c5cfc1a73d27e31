"""What a message says in words, and what a document says of its fields."""

import re
from typing import Any

import pytest

from perennial.artifacts import ROOT
from perennial.intents import (
    Common,
    GroupCancellation,
    Intent,
    NonceCancellation,
    OperatorUpdate,
    SignerUpdate,
    describe,
)

A, B, M = ("0x" + digit * 40 for digit in "123")
COMMON: dict[str, Any] = {"account": A, "expiry": 1_800_000_000, "nonce": 7}
TERMS = f"  account {A}\n  for contract {M}\n  nonce 7, group 0\n  until 2027-01-15 08:00:00 UTC"


@pytest.mark.parametrize(
    ("message", "first"),
    [
        (Intent.build(market=M, amount="-1.5", price="64000", **COMMON), "Sell up to 1.500000 at 64000.000000 or more"),
        (Intent.build(market=M, amount="2", price="64000", **COMMON), "Buy up to 2.000000 at 64000.000000 or less"),
        (NonceCancellation.build(verifier=M, **COMMON), "Cancel nonce 7"),
        (GroupCancellation.build(verifier=M, group=3, **COMMON), "Cancel group 3, and nonce 7"),
        (
            OperatorUpdate.build(factory=M, operator=B, approved=True, **COMMON),
            f"Approve {B} as an operator: it may act for the account, withdraw included",
        ),
        (
            SignerUpdate.build(factory=M, signer=B, approved=True, **COMMON),
            f"Approve {B} as a signer: it may sign intents for the account",
        ),
        (SignerUpdate.build(factory=M, signer=B, approved=False, **COMMON), f"Stop {B} from being a signer"),
    ],
)
def test_what_it_does(message, first):
    assert describe(message) == f"{first}\n{TERMS}"


def test_every_digit_of_a_number_is_shown():
    """Whoever signs sees what is signed: any integer of 256 bits, none of it rounded."""
    size = "57896044618658097711785492504343953926634992332820282019728792003956564.819967"
    intent = Intent.build(market=M, account=A, amount=size, price=f"-{size}", expiry=1)

    assert intent.amount == 2**255 - 1
    assert describe(intent).splitlines()[0] == f"Buy up to {size} at -{size} or less"


def test_everything_that_an_intent_may_say():
    intent = Intent.build(
        market=M,
        account=A,
        signer=B,
        amount=1,
        price=2,
        nonce=7,
        group=9,
        expiry=2**250,
        fee="0.25",
        originator=B,
        solver=M,
        collateralization="0.5",
    )

    assert describe(intent).splitlines() == [
        "Buy up to 1.000000 at 2.000000 or less",
        "  with collateral of at least 50.000000 % of the notional afterwards",
        f"  originator {B} gets the referral fee",
        f"  of which 25.000000 % go to solver {M}",
        f"  account {A}",
        f"  signed by {B}",
        f"  for contract {M}",
        "  nonce 7, group 9",
        "  until ever",
    ]


def test_the_document_has_every_field_in_its_order_and_in_its_unit():
    section = (ROOT / "docs" / "client.md").read_text().split("## What a wallet shows")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]+?)`? \|", section, re.MULTILINE))
    intent = Intent.build(
        market=M,
        account=A,
        amount="-0.5",
        price="60000",
        fee="0.25",
        collateralization="0.05",
        nonce=7,
        expiry=1_800_000_000,
    )
    shown = intent.to_json() | intent.common.to_json()

    fields = [name for name, _ in (*Intent.solidity(), *Common.solidity()) if name != "common"]
    assert list(rows) == fields
    assert [rows[name] for name in fields] == [
        "an address" if str(shown[name]).startswith("0x") else shown[name] for name in fields
    ]
    assert "2027-01-15 08:00:00 UTC" in section
    assert "2027-01-15 08:00:00 UTC" in describe(intent)
