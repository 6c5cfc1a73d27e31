"""Who may call what (docs/protocol.md §2, §15): every function of the factory that changes something, for every role.

The table is checked against the ABI: a new function without an entry fails.
"""

from contextlib import nullcontext

import pytest

from perennial.artifacts import load
from perennial.testing.anvil import NOBODY
from perennial.testing.market import refused, structs

ROLES = ("owner", "pending owner", "pauser", "coordinator", "account", "market", "anyone")
EVERYBODY = frozenset(ROLES)
OWNER = frozenset({"owner"})
UNAUTHORIZED = "OwnableUnauthorizedAccount"


#: Who may call, and the error for all others; calls with a signature are those of tests/unit/verifier.
ACCESS = {
    "create": (EVERYBODY, ""),
    "upgradeTo": (OWNER, UNAUTHORIZED),
    "updateParameter": (OWNER, UNAUTHORIZED),
    "updatePauser": (OWNER, UNAUTHORIZED),
    "transferOwnership": (OWNER, UNAUTHORIZED),
    "acceptOwnership": (frozenset({"pending owner"}), UNAUTHORIZED),
    "updateOperator": (EVERYBODY, ""),
    "updateSigner": (EVERYBODY, ""),
    "pause": (frozenset({"pauser"}), "NotPauser"),
    "unpause": (frozenset({"pauser", "owner"}), "NotPauser"),
}

#: Anyone may relay what an account has signed: tests/unit/intents shows whose signature counts.
RELAYED = {
    "updateOperatorWithSignature",
    "updateSignerWithSignature",
    "updateOperatorBatchWithSignatures",
    "updateSignerBatchWithSignatures",
}


@pytest.fixture(scope="module")
def stage(create_market, actors):
    bench = create_market()
    bench.oracle = bench.create_oracle()
    bench.factory.updatePauser(actors["keeper"], sender=bench.operator)
    bench.factory.transferOwnership(actors["delegate"], sender=bench.operator)
    addresses = {
        "owner": bench.operator.address,
        "pending owner": actors["delegate"].address,
        "pauser": actors["keeper"].address,
        "coordinator": actors["coordinator"].address,
        "account": actors["taker"].address,
        "market": bench.market.address,
        "anyone": actors["stranger"].address,
    }
    assert addresses.keys() == EVERYBODY
    risk, parameter = structs()
    arguments = {
        "create": (bench.definition(), risk, parameter),
        "upgradeTo": (bench.factory.implementation(),),
        "updateParameter": (bench.factory.parameter(),),
        "updatePauser": (NOBODY,),
        "transferOwnership": (NOBODY,),
        "updateOperator": (NOBODY, True),
        "updateSigner": (NOBODY, True),
    }
    return bench.factory, addresses, arguments


def test_every_function_has_an_entry():
    functions = {
        entry["name"]
        for entry in load("MarketFactory").abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    assert functions == ACCESS.keys() | RELAYED


@pytest.mark.parametrize("name", ACCESS)
@pytest.mark.parametrize("role", ROLES)
def test_access(stage, name, role):
    factory, addresses, arguments = stage
    allowed, error = ACCESS[name]
    with nullcontext() if role in allowed else refused(error, addresses[role]):
        factory.read(name, *arguments.get(name, ()), sender=addresses[role])
