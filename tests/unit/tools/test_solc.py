"""The compiler's command line over its WebAssembly build, as solcx, Ape and slither call it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import solcx
from solcx.exceptions import SolcError

from perennial.artifacts import ROOT, load

VERSION = "0.8.37"
SOLC = ROOT / ".solcx" / f"solc-v{VERSION}"
SOURCE = "pragma solidity 0.8.37; contract Answer { function f() external pure returns (uint256) { return 42; } }"


def solc(*arguments, stdin=""):
    return subprocess.run([SOLC, *arguments], input=stdin, capture_output=True, text=True, cwd=ROOT, check=False)


def test_environment_names_the_compiler():
    assert Path(os.environ["SOLCX_BINARY_PATH"]) == ROOT / ".solcx"
    assert [str(version) for version in solcx.get_installed_solc_versions()] == [VERSION]


def test_compile_source_and_standard_json_agree():
    settings: dict[str, Any] = {"viaIR": True, "evmVersion": "prague", "optimizer": {"enabled": True, "runs": 200}}
    settings["outputSelection"] = {"*": {"*": ["evm.bytecode.object"]}}
    standard = {"language": "Solidity", "sources": {"<stdin>": {"content": SOURCE}}, "settings": settings}

    options: dict[str, Any] = {"optimize": True, "optimize_runs": 200, "via_ir": True, "evm_version": "prague"}
    by_options = solcx.compile_source(SOURCE, output_values=["abi", "bin"], solc_version=VERSION, **options)
    by_json = solcx.compile_standard(standard, solc_version=VERSION)

    assert by_options["<stdin>:Answer"]["bin"] == by_json["contracts"]["<stdin>"]["Answer"]["evm"]["bytecode"]["object"]
    assert [entry["name"] for entry in by_options["<stdin>:Answer"]["abi"]] == ["f"]


def test_several_processes_give_what_one_gives():
    """Each file's contracts, with the bytecode, identifiers and warnings that one compilation of all has."""
    head = "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n"
    sources = {
        "Base.sol": "abstract contract Base { function f() external pure returns (uint256 at) { at = 1; } }",
        "One.sol": 'import { Base } from "./Base.sol"; contract One is Base { uint256 public x; }',
        "Two.sol": 'import { Base } from "./Base.sol"; contract Two is Base { uint256 public y = 2; }',
        "Three.sol": 'import { One } from "./One.sol"; contract Three is One { One public one = new One(); }',
    }
    selection = {name: {"*": ["abi", "evm.bytecode.object"], "": ["ast"]} for name in sources}
    settings = {"viaIR": True, "optimizer": {"enabled": True}, "outputSelection": selection}
    contents = {name: {"content": head + text} for name, text in sources.items()}
    given = json.dumps({"language": "Solidity", "sources": contents, "settings": settings})

    one, several = (json.loads(solc("--standard-json", "--parts", parts, stdin=given).stdout) for parts in ("1", "3"))

    assert several["contracts"] == one["contracts"]
    # The order too: of contracts with one name Ape takes the first.
    assert [*several["contracts"]] == [*one["contracts"]] == sorted(sources)
    assert several["sources"] == one["sources"]
    assert [error["errorCode"] for error in one["errors"]] == ["6335"]
    assert several["errors"] == one["errors"]


# Bytes at the end of a contract that hold the hash of its metadata.
METADATA = 53


def test_combined_json_gives_what_ape_compiled():
    path = "contracts/mocks/MockToken.sol"
    remapping = "@openzeppelin/contracts=node_modules/@openzeppelin/contracts"
    flags = ["--optimize", "--optimize-runs", "200", "--via-ir", "--evm-version", "prague"]

    result = solc("--base-path", ".", "--combined-json", "bin,ast", *flags, remapping, path)

    assert result.returncode == 0, result.stderr
    output = json.loads(result.stdout)
    assert path in output["sourceList"]
    code = bytes.fromhex(output["contracts"][f"{path}:MockToken"]["bin"])
    # The last bytes name the settings' hash, remappings of other packages included: they say nothing of the code.
    assert code[:-METADATA] == load("MockToken").creation[:-METADATA]


def test_error_in_a_source_is_reported():
    with pytest.raises(SolcError, match="Undeclared identifier"):
        solcx.compile_source(SOURCE.replace("42", "missing"), solc_version=VERSION)


def test_missing_import_is_reported():
    with pytest.raises(SolcError, match="File not found"):
        solcx.compile_source('import "./Nowhere.sol"; ' + SOURCE, solc_version=VERSION)


def test_unknown_option_is_refused():
    result = solc("--combined-json", "bin", "--revert-strings", "strip", stdin=SOURCE)

    assert result.returncode == 1
    assert "unrecognised option '--revert-strings'" in result.stderr
