"""The compiler settings and versions that stand in more than one file are the same."""

import json
import tomllib

import pytest
import yaml

from perennial.artifacts import ROOT


@pytest.fixture(scope="module")
def ape():
    return yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]


@pytest.fixture(scope="module")
def forge():
    return tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]


def test_compiler(ape, forge):
    packages = json.loads((ROOT / "package.json").read_text())["dependencies"]

    assert packages["solc"] == ape["version"]
    assert forge["solc"] == f".solcx/solc-v{ape['version']}"


def test_settings(ape, forge):
    assert ape["evm_version"] == forge["evm_version"]
    assert ape["via_ir"] == forge["via_ir"]
    assert ape["optimize"] == forge["optimizer"]
    assert ape["optimization_runs"] == forge["optimizer_runs"]


def test_remappings(ape, forge):
    assert ape["import_remapping"] == forge["remappings"]
