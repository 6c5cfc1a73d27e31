"""Who may call what (docs/protocol.md §2, §15): every function of a market that changes something, for every role.

The table is checked against the ABI: a new function without an entry fails.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from perennial.abi import Reverted
from perennial.artifacts import load
from perennial.testing.anvil import NOBODY
from perennial.testing.market import refused, structs

#: Each role is one address; nobody here has two.
ROLES = (
    "account",
    "account's operator",
    "account's signer",
    "coordinator",
    "beneficiary",
    "owner",
    "pauser",
    "oracle factory",
    "factory",
    "anyone",
)
EVERYBODY = frozenset(ROLES)


@dataclass(frozen=True)
class Case:
    """A call: who may make it, and the name of the error for all others.

    `paused` are those who may make it in a pause as well.
    """

    name: str
    what: str
    args: tuple[Any, ...]
    allowed: frozenset[str]
    error: str = ""
    paused: frozenset[str] = frozenset({"owner"})

    def __str__(self) -> str:
        return f"{self.name}: {self.what}" if self.what else self.name


def only(*roles: str) -> frozenset[str]:
    return frozenset(roles)


OPERATORS = only("account", "account's operator")
ACCOUNT = "the account"
"""Stands for the account's address in the arguments, which are filled in by the test."""

CASES = [
    Case("update", "order", (ACCOUNT, 0, 10**6, 0, NOBODY), OPERATORS, "NotOperator", only()),
    Case("update", "close of all", (ACCOUNT, 0, -(2**255), 0, NOBODY), OPERATORS, "NotOperator", only()),
    Case("update", "withdrawal", (ACCOUNT, 0, 0, -1, NOBODY), OPERATORS, "NotOperator", only()),
    Case("update", "withdrawal of all", (ACCOUNT, 0, 0, -(2**255), NOBODY), OPERATORS, "NotOperator", only()),
    Case("update", "deposit", (ACCOUNT, 0, 0, 1, NOBODY), EVERYBODY - only("oracle factory", "factory"), "tokens"),
    Case("update", "nothing", (ACCOUNT, 0, 0, 0, NOBODY), EVERYBODY),
    Case("settle", "", (ACCOUNT,), EVERYBODY),
    Case("advance", "", (1,), EVERYBODY),
    Case("liquidate", "", ("a risky account",), EVERYBODY),
    # Whoever gets past the check of roles fails for the want of a signature.
    Case("fill", "", ("an intent", b"", 10**6, 10**8, ACCOUNT), OPERATORS, "NotOperator", only()),
    Case("fillBatch", "", (["a fill"], False), OPERATORS, "NotOperator", only()),
    Case("cross", "", ("an intent", b"", "an opposite intent", b"", 10**6, 10**8), EVERYBODY),
    Case("crossBatch", "", (["a cross"], False), EVERYBODY),
    Case("claimFee", "", (ACCOUNT,), only("owner", "coordinator", "beneficiary", "oracle factory"), "NotFeeRole"),
    Case("claim", "", (ACCOUNT, ACCOUNT), OPERATORS, "NotOperator", only()),
    Case("claimReward", "", (ACCOUNT, ACCOUNT), OPERATORS, "NotOperator", only()),
    # Not even the factory can do it again: it is turned away with an error of its own.
    Case("initialize", "", ("definition", ACCOUNT, "risk", "parameter"), only(), "NotFactory"),
    Case("updateRiskParameter", "", ("risk",), only("coordinator", "owner"), "NotCoordinator"),
    Case("updateParameter", "", ("parameter",), only("owner"), "NotOwner"),
    Case("updateCoordinator", "", (ACCOUNT,), only("coordinator", "owner"), "NotCoordinator"),
    Case("updateBeneficiary", "", (ACCOUNT,), only("owner"), "NotOwner"),
    Case("updateReward", "", ("a reward token",), only("owner"), "NotOwner"),
]


@pytest.fixture(scope="module")
def stage(create_market, actors):
    """A market in which every call of CASES would work for somebody, and the addresses of all roles."""
    bench = create_market()
    taker, delegate, keeper = actors["taker"], actors["delegate"], actors["keeper"]
    bench.fill(maker="100", long="1")
    bench.open(actors["hedger"], short="10", collateral="20")
    bench.commit("100")
    bench.commit("101.1")
    bench.settle()
    bench.factory.updateOperator(delegate, True, sender=taker)
    bench.factory.updateSigner(actors["referrer"], True, sender=taker)
    bench.factory.updatePauser(keeper, sender=bench.operator)
    contracts = {"oracle factory": bench.factory.oracleFactory(), "factory": bench.factory.address}
    addresses = {
        "account": taker.address,
        "account's operator": delegate.address,
        "account's signer": actors["referrer"].address,
        "coordinator": actors["coordinator"].address,
        "beneficiary": actors["beneficiary"].address,
        "owner": bench.operator.address,
        "pauser": keeper.address,
        "anyone": actors["stranger"].address,
        **contracts,
    }
    assert addresses.keys() == EVERYBODY
    return bench, addresses


def intent(bench, size):
    """What nobody has signed."""
    account = bench.actors["hedger" if size > 0 else "maker"].address
    common = (account, account, bench.market.address, 0, 0, 2**40)
    return (size, 10**8, 0, NOBODY, NOBODY, 0, common)


def filled(given, arg):
    if isinstance(arg, list):
        return [filled(given, each) for each in arg]
    return given[arg] if isinstance(arg, str) and arg in given else arg


def outcome(stage, case, role):
    """The name of the error that a call gives, None where it works; nothing is changed."""
    bench, addresses = stage
    risk, parameter = structs()
    given = {
        ACCOUNT: addresses["account"],
        "a risky account": bench.actors["hedger"].address,
        "a reward token": bench.oracle.address,
        "definition": bench.definition(),
        "risk": risk,
        "parameter": parameter,
        "an intent": intent(bench, 10**6),
        "an opposite intent": intent(bench, -(10**6)),
    }
    given |= {
        "a fill": (given["an intent"], b"", 10**6, 10**8, addresses["account"]),
        "a cross": (given["an intent"], b"", given["an opposite intent"], b"", 10**6, 10**8),
    }
    args = [filled(given, arg) for arg in case.args]
    try:
        bench.market.read(case.name, *args, sender=addresses[role])
    except Reverted as error:
        # The oracle is no token; whoever gets so far was allowed to try. So was who lacks tokens to deposit.
        if error.name in ("UnsupportedDecimals", "ERC20InsufficientAllowance", "WrongSignature"):
            return {"update": "tokens"}.get(case.name)
        return None if error.name == "AlreadyInitialized" and role != "factory" else error.name
    return None


def test_every_function_has_an_entry():
    functions = {
        entry["name"]
        for entry in load("IMarket").abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    assert functions == {case.name for case in CASES}


def test_no_function_is_outside_the_interface():
    """What the two contracts have beside it changes nothing."""
    interface = {entry["name"] for entry in load("IMarket").abi if entry["type"] == "function"}
    found = {
        f"{contract}.{entry['name']}"
        for contract in ("Market", "MarketExtension", "MarketIntents")
        for entry in load(contract).abi
        if entry["type"] == "function" and entry["name"] not in interface
        if entry["stateMutability"] not in ("view", "pure")
    }
    assert found == {"MarketIntents.fillOne", "MarketIntents.crossOne"}


@pytest.mark.parametrize("name", ["fillOne", "crossOne"])
def test_items_of_batches_cannot_be_called(stage, name):
    """They are for MarketIntents to call itself: a market leads nobody there."""
    bench, addresses = stage
    item: tuple[Any, ...] = (intent(bench, 10**6), b"", 10**6, 10**8, addresses["account"])
    if name == "crossOne":
        item = (intent(bench, 10**6), b"", intent(bench, -(10**6)), b"", 10**6, 10**8)
    code = bench.anvil.contract("MarketIntents", bench.market.address)
    with refused("revert"):
        code.read(name, item, sender=addresses["account"])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_access(stage, case):
    found = {role: outcome(stage, case, role) for role in ROLES}
    expected = {role: None if role in case.allowed else case.error for role in ROLES}
    if case.name == "initialize":
        expected["factory"] = "AlreadyInitialized"
    assert found == expected


@pytest.fixture
def paused_stage(stage):
    bench, _ = stage
    bench.factory.pause(sender=bench.actors["keeper"])
    return stage


@pytest.mark.parametrize("case", [case for case in CASES if case.name != "initialize"], ids=str)
def test_access_in_a_pause(paused_stage, case):
    """Every call of a user is refused, the owner's stay open (§2)."""
    for role in case.allowed:
        found = outcome(paused_stage, case, role)
        assert found == (None if role == "owner" else "MarketPaused"), role
    # Nobody gets further in a pause than without.
    for role in EVERYBODY - case.allowed:
        assert outcome(paused_stage, case, role) in (case.error, "MarketPaused"), role


def test_approval_ends(stage):
    bench, addresses = stage
    bench.factory.updateOperator(addresses["account's operator"], False, sender=addresses["account"])
    for case in CASES:
        if case.allowed == OPERATORS:
            assert outcome(stage, case, "account's operator") == "NotOperator"


def test_operator_is_one_for_the_account_alone(stage):
    bench, addresses = stage
    operator = addresses["account's operator"]
    assert bench.market.read("claim", addresses["account"], NOBODY, sender=operator) == 0
    for role in set(ROLES) - {"account", "account's operator"}:
        with refused("NotOperator", addresses[role], operator):
            bench.market.read("claim", addresses[role], NOBODY, sender=operator)
