"""Every error of every contract is met by a unit test; so is every function and event of markets and their factory."""

import re
from functools import cache
from pathlib import Path

import pytest

from perennial.artifacts import load

UNIT = Path(__file__).resolve().parents[1]

CORE = ("IMarket", "IMarketFactory")
ORACLES = ("oracle", "oracle_factory", "pyth_oracle", "chainlink_oracle")

#: Whose tests meet what an interface says.
TESTS = {
    "IMarket": ("market", "market_factory", "market_intents"),
    "IMarketFactory": ("market", "market_factory", "market_intents", "intents", "verifier"),
    "IVerifier": ("verifier", "market_intents", "market_factory"),
    "IOracleFactory": ORACLES,
    "IOracle": ORACLES,
    "IPythOracle": ORACLES,
    "IChainlinkOracle": ORACLES,
    "IPayoffFactory": ("payoff_factory",),
    "IPowerPayoff": ("power_payoff",),
    "IVaultFactory": ("vault_factory",),
    "IVault": ("vault", "vault_factory"),
}


@cache
def sources(interface):
    files = [file for folder in TESTS[interface] for file in (UNIT / folder).rglob("test_*.py")]
    return "\n".join(file.read_text() for file in sorted(files))


def names(kind, interfaces):
    """What the interfaces declare or inherit, each with its interface."""
    found = [
        (interface, entry["name"]) for interface in interfaces for entry in load(interface).abi if entry["type"] == kind
    ]
    return sorted(set(found))


def is_met(interface, name):
    return re.search(rf"[\"'.]{name}\b", sources(interface)) is not None


@pytest.mark.parametrize(("interface", "error"), names("error", TESTS))
def test_error_is_met(interface, error):
    assert is_met(interface, error), f"no test meets {error}"


@pytest.mark.parametrize(("interface", "function"), names("function", CORE))
def test_function_is_called(interface, function):
    assert is_met(interface, function), f"no test calls {function}"


@pytest.mark.parametrize(("interface", "event"), names("event", CORE))
def test_event_is_asserted(interface, event):
    assert is_met(interface, event), f"no test asserts {event}"
