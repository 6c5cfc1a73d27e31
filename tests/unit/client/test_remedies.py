"""Errors in plain words: none of a contract's is missing, and their values read as numbers of people."""

from decimal import Decimal

import pytest

from perennial.abi import Reverted
from perennial.artifacts import load_all
from perennial.chain import RpcError
from perennial.client.errors import Refused, reverted
from perennial.client.remedies import REMEDIES

ACCOUNT = "0x" + "ab" * 20
TOKEN = "MockToken"
"""The only mock whose errors are those of real tokens."""


def errors():
    """Names of the errors of every contract that a user may meet."""
    found = [each for each in load_all() if "/mocks/" not in each.source or each.name == TOKEN]
    return {entry["name"] for artifact in found for entry in artifact.abi if entry["type"] == "error"}


def test_every_error_has_a_remedy():
    assert errors() - REMEDIES.keys() == set()


def test_no_remedy_is_left_of_errors_that_are_gone():
    assert REMEDIES.keys() - errors() - {"Panic", "Error", "revert", "Overtaken", "NoContract"} == set()


@pytest.mark.parametrize("name", sorted(REMEDIES))
def test_each_says_something(name):
    meaning, remedy = REMEDIES[name]
    assert meaning.endswith(".")
    assert not remedy or remedy.endswith((".", ")"))


@pytest.mark.parametrize(
    ("error", "values", "says"),
    [
        (
            Reverted("InsufficientMargin", (9_500_000, 285_000_000)),
            {"effectiveCollateral": Decimal("9.5"), "required": Decimal(285)},
            "InsufficientMargin (effectiveCollateral: 9.50, required: 285.00): The collateral would not cover",
        ),
        (
            Reverted("WrongSide", (2, 3)),
            {"side": "long", "wanted": "short"},
            "WrongSide (side: long, wanted: short)",
        ),
        (
            Reverted("StalePrice", (1_800_000_000, 1_800_010_000)),
            {"latest": "2027-01-15T08:00:00+00:00", "current": "2027-01-15T10:46:40+00:00"},
            "StalePrice (latest: 2027-01-15T08:00:00+00:00",
        ),
        (
            Reverted("TooManyPending", (6, 6)),
            {"count": 6, "limit": 6},
            "TooManyPending (count: 6, limit: 6)",
        ),
        (
            Reverted("MakerLimitExceeded", (11_000_000, 10_000_000)),
            {"maker": Decimal(11), "limit": Decimal(10)},
            "MakerLimitExceeded (maker: 11.00, limit: 10.00)",
        ),
        (
            Reverted("NotOperator", (ACCOUNT, ACCOUNT)),
            {"account": "0x" + "aB" * 20, "caller": "0x" + "aB" * 20},
            "NotOperator (account: 0x",
        ),
        (
            Reverted("MarketClosed"),
            {},
            "MarketClosed: The market is closed: positions may only shrink. Close or reduce",
        ),
        (Reverted("0x12345678"), {}, "0x12345678: The call reverted."),
    ],
)
def test_reads(error, values, says):
    refused = Refused(error)

    assert {k: v.lower() if k in ("account", "caller") else v for k, v in refused.values.items()} == {
        k: v.lower() if k in ("account", "caller") else v for k, v in values.items()
    }
    assert str(refused).startswith(says)


def test_for_machines():
    refused = Refused(Reverted("InsufficientMargin", (9_500_000, 285_000_000)), "0xabc")

    assert refused.to_dict() == {
        "error": "InsufficientMargin",
        "values": {"effectiveCollateral": "9.500000", "required": "285.000000"},
        "meaning": REMEDIES["InsufficientMargin"].meaning,
        "remedy": REMEDIES["InsufficientMargin"].remedy,
        "transaction": "0xabc",
    }


def test_what_nodes_say_in_their_own_way():
    selector = "0x" + "e450d38c" + "00" * 96  # ERC20InsufficientBalance

    named = reverted(RpcError("eth_call", -32000, "execution reverted", selector))
    assert str(named).startswith("ERC20InsufficientBalance(")
    assert str(reverted(RpcError("eth_call", -32000, "VM Exception: revert"))) == "revert()"
    assert reverted(RpcError("eth_call", -32000, "header not found")) is None
