"""Market and its extension together are IMarket, and the mirror stands alone."""

import ast
import itertools
import sys

import pytest

from perennial.artifacts import ROOT, load


def signatures(name, kind):
    return {
        f"{entry['name']}({','.join(str(value['type']) for value in entry['inputs'])})"
        for entry in load(name).abi
        if entry["type"] == kind
    }


PARTS = ["Market", "MarketExtension", "MarketIntents"]


def test_the_parts_of_a_market_are_its_interface():
    parts = set().union(*(signatures(part, "function") for part in PARTS))

    # Where the parts are, and what MarketIntents alone calls, is nobody else's business.
    internal = {name for name in parts if name.split("(")[0] in {"extension", "intents", "fillOne", "crossOne"}}
    assert parts - internal == signatures("IMarket", "function")
    # The proxy's calls must not end in the wrong part: only the factory's address is in all.
    for one, other in itertools.combinations(PARTS, 2):
        assert signatures(one, "function") & signatures(other, "function") == {"factory()"}


@pytest.mark.parametrize("kind", ["error", "event"])
@pytest.mark.parametrize("half", PARTS)
def test_what_a_half_says_is_in_the_interface(half, kind):
    # Errors of the factory reach users through the market; those of tokens are OpenZeppelin's.
    known = signatures("IMarket", kind) | signatures("IMarketFactory", kind)

    assert signatures(half, kind) - known <= {"SafeERC20FailedOperation(address)"}


def test_the_mirror_imports_nothing_but_itself():
    foreign = set()
    for path in (ROOT / "perennial" / "mirror").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            foreign |= {name for name in names if not name.startswith("perennial.mirror")}

    assert {name.split(".")[0] for name in foreign} <= sys.stdlib_module_names
