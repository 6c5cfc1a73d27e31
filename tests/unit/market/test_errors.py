"""Every error that a market or the factory can give is met by a test, and every event is asserted."""

import re
from pathlib import Path

import pytest

from perennial.artifacts import load

UNIT = Path(__file__).resolve().parents[1]

#: Whose tests meet the errors and events of an interface.
TESTS = {
    "IMarketErrors": ("market", "market_factory", "market_intents"),
    "IMarketFactory": ("market", "market_factory", "intents", "verifier"),
    "IMarketEvents": ("market", "market_factory", "market_intents"),
}


def sources(interface):
    files = [file for folder in TESTS[interface] for file in (UNIT / folder).rglob("test_*.py")]
    return "\n".join(file.read_text() for file in files)


def entries(interface, kind):
    return [entry["name"] for entry in load(interface).abi if entry["type"] == kind]


@pytest.mark.parametrize(
    ("interface", "error"),
    [(interface, error) for interface in ("IMarketErrors", "IMarketFactory") for error in entries(interface, "error")],
)
def test_error_is_met(interface, error):
    assert re.search(rf"[\"'.]{error}\b", sources(interface)), f"no test meets {error}"


@pytest.mark.parametrize(
    ("interface", "event"),
    [(interface, event) for interface in ("IMarketEvents", "IMarketFactory") for event in entries(interface, "event")],
)
def test_event_is_asserted(interface, event):
    assert re.search(rf"[\"'.]{event}\b", sources(interface)), f"no test asserts {event}"
