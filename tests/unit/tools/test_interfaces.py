"""Market and its extension together are IMarket, and the mirror stands alone."""

import ast
import sys

import pytest

from perennial.artifacts import ROOT, load


def signatures(name, kind):
    return {
        f"{entry['name']}({','.join(str(value['type']) for value in entry['inputs'])})"
        for entry in load(name).abi
        if entry["type"] == kind
    }


def test_the_two_halves_of_a_market_are_its_interface():
    halves = signatures("Market", "function") | signatures("MarketExtension", "function")

    assert halves - {"extension()"} == signatures("IMarket", "function")
    # The proxy's calls must not end in the wrong half: only the factory's address is in both.
    shared = signatures("Market", "function") & signatures("MarketExtension", "function")
    assert shared == {"factory()"}


@pytest.mark.parametrize("kind", ["error", "event"])
@pytest.mark.parametrize("half", ["Market", "MarketExtension"])
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
