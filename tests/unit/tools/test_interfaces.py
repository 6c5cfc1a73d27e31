"""Market and its extension together are IMarket, the mirror stands alone, and no imports make a circle."""

import ast
import itertools
import re
import sys
from graphlib import TopologicalSorter

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


def contracts():
    """What each contract imports of the project."""
    folder = ROOT / "contracts"
    return {
        path: {(path.parent / name).resolve() for name in re.findall(r'from "(\.[^"]+)";', path.read_text())}
        for path in folder.rglob("*.sol")
    }


def modules():
    """What each module imports of the package when it is loaded itself; later imports and types do not count."""
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / "perennial").rglob("*.py")
    }
    graph = {}
    for module, path in paths.items():
        names = set()
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                # What is imported from a package is a module of it, or in its own.
                named = {f"{node.module}.{alias.name}" for alias in node.names}
                names |= {name if name in paths else node.module for name in named}
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
        graph[module] = names & paths.keys() - {module}
    return graph


@pytest.mark.parametrize("imports", [contracts, modules])
def test_imports_make_no_circle(imports):
    graph = imports()

    # Raises CycleError, with the circle.
    order = list(TopologicalSorter(graph).static_order())

    assert len(order) == len(graph) > 50
    assert any(graph.values())
