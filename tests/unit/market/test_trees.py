"""The trees of cases beside the tests are true: every leaf names tests that exist, every test is in its tree."""

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TREES = ("update", "settle", "liquidate")


def files(tree):
    """The tests that a tree speaks of: those of a function, which may be in several files by concern."""
    concerns = {"update": ("open", "close", "deposit", "withdraw", "fees", "limits", "margin"), "settle": ("accrual",)}
    names = [f"test_{tree}_{concern}.py" for concern in concerns.get(tree, ())]
    return [HERE / name for name in names] + ([HERE / f"test_{tree}.py"] if tree != "update" else [])


def written(tree):
    return {
        node.name
        for file in files(tree)
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def lines(tree):
    """Depth and text of each line."""
    for line in (HERE / f"test_{tree}.tree").read_text().splitlines():
        mark = re.match(r"[│├└─ ]*", line)
        assert mark is not None
        yield len(mark[0]) // 4, line[len(mark[0]) :]


@pytest.mark.parametrize("tree", TREES)
def test_every_leaf_says_what_should_be_and_which_tests_show_it(tree):
    rows = list(lines(tree))
    for (depth, text), following in zip(rows, [*rows[1:], (0, "")], strict=True):
        is_leaf = following[0] <= depth
        assert is_leaf == text.startswith("it should "), text
        assert is_leaf == bool(re.search(r" \[test_[a-z0-9_, ]+\]$", text)), text
        if depth and not is_leaf:
            assert text.split()[0] in ("given", "when", "while"), text


@pytest.mark.parametrize("tree", TREES)
def test_leaves_and_tests_are_the_same(tree):
    named = [name for _, text in lines(tree) for name in re.findall(r"\btest_[a-z0-9_]+", text)]
    assert len(named) == len(set(named)), "a test in two leaves"
    assert set(named) == written(tree)
