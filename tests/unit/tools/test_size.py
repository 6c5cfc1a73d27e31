"""Sizes: what counts, what is too large, and the goal of a market's three contracts."""

import pytest

from perennial import size
from perennial.artifacts import Artifact, load_all

GOAL = 24_000
"""Bytes: below the limit with room to spare."""


def artifact(name, length):
    return Artifact(name, f"contracts/{name}.sol", (), b"\x00" * (length + 100), b"\x00" * length)


def test_runtime_code_is_measured_largest_first():
    sizes = size.measure((artifact("Small", 1), artifact("Interface", 0), artifact("Large", 9), artifact("Also", 9)))

    assert list(sizes.items()) == [("Also", 9), ("Large", 9), ("Small", 1)]


@pytest.mark.parametrize(("length", "over"), [(size.LIMIT, 0), (size.LIMIT + 1, 1)])
def test_what_no_chain_would_accept_fails(monkeypatch, capsys, length, over):
    monkeypatch.setattr(size, "load_all", lambda: (artifact("Fits", 5), artifact("Edge", length)))

    assert size.main() == over

    printed = capsys.readouterr()
    assert f"{length:,}" in printed.out
    assert printed.err == ("above 24,576 bytes: Edge\n" if over else "")


@pytest.mark.parametrize("name", ["Market", "MarketExtension", "MarketIntents"])
def test_the_parts_of_a_market_have_room_to_spare(name):
    assert size.measure(load_all())[name] <= GOAL
