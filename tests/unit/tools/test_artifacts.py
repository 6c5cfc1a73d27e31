"""perennial.artifacts: compiled contracts by name, never stale."""

import json
import shutil
from subprocess import CalledProcessError

import pytest

from perennial.artifacts import ROOT, ArtifactError, fingerprints, load, load_all, refresh

LIBRARY = "library Library { function value() internal pure returns (uint256) { return 0x%s; } }"
USER = 'import { Library } from "./math/Library.sol"; contract User { uint256 public immutable x = Library.value(); }'
OTHER = "contract Other { uint256 public y; }"


@pytest.fixture
def root(tmp_path):
    """A project of its own: a library, its user, and a contract that has nothing to do with them."""
    for name in ("ape-config.yaml", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path)
    write(tmp_path, "math/Library.sol", LIBRARY % "aaaaaaaa")
    write(tmp_path, "User.sol", USER)
    write(tmp_path, "Other.sol", OTHER)
    return tmp_path


def write(root, name, content):
    path = root / "contracts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n{content}\n")


def creation_codes(root):
    types = json.loads((root / ".build" / "__local__.json").read_text())["contractTypes"]
    return {name: entry["deploymentBytecode"].get("bytecode", "") for name, entry in types.items()}


def test_load_gives_code_and_abi():
    token = load("MockToken")

    assert token.source == "contracts/mocks/MockToken.sol"
    assert len(token.creation) > len(token.runtime) > 1_000
    assert {"mint", "permit", "transfer"} <= {entry.get("name") for entry in token.abi}
    assert token in load_all()


def test_load_of_an_unknown_contract_raises():
    with pytest.raises(ArtifactError, match="no contract named 'Nothing'"):
        load("Nothing")


def test_refresh_refuses_a_contract_of_a_package_in_the_place_of_ours(root, monkeypatch):
    def ape(*_, **__):
        types = {"Other": {"sourceId": "node_modules/package/Other.sol"}}
        (root / ".build" / "__local__.json").write_text(json.dumps({"contractTypes": types}))

    monkeypatch.setattr("perennial.artifacts.subprocess.run", ape)

    with pytest.raises(ArtifactError, match=r"Other was compiled from node_modules/package/Other\.sol: run"):
        refresh(root)
    assert json.loads((root / ".build" / "stamps.json").read_text()) == {}


def test_refresh_after_an_error_compiles_only_what_is_missing(root):
    refresh(root)
    write(root, "Other.sol", "contract Other { missing x; }")
    with pytest.raises(CalledProcessError):
        refresh(root)
    write(root, "Other.sol", OTHER)

    assert refresh(root) == ["contracts/Other.sol"]
    assert creation_codes(root).keys() == {"Library", "Other", "User"}


def test_refresh_compiles_importers_and_drops_what_is_gone(root):
    everything = ["contracts/Other.sol", "contracts/User.sol", "contracts/math/Library.sol"]
    assert sorted(refresh(root)) == everything
    assert "aaaaaaaa" in creation_codes(root)["User"]
    assert refresh(root) == []

    write(root, "math/Library.sol", LIBRARY % "bbbbbbbb")
    (root / "contracts" / "Other.sol").unlink()

    assert sorted(refresh(root)) == everything[1:]
    codes = creation_codes(root)
    assert "Other" not in codes
    assert "bbbbbbbb" in codes["User"]
    assert "aaaaaaaa" not in codes["User"]


@pytest.mark.parametrize(
    ("name", "affected"),
    [
        ("contracts/math/Library.sol", {"contracts/math/Library.sol", "contracts/User.sol"}),
        ("contracts/User.sol", {"contracts/User.sol"}),
        ("ape-config.yaml", {"contracts/math/Library.sol", "contracts/User.sol", "contracts/Other.sol"}),
    ],
)
def test_fingerprints_change_with_what_decides_the_bytecode(root, name, affected):
    before = fingerprints(root)
    with (root / name).open("a") as file:
        file.write("\n")
    after = fingerprints(root)

    assert {path for path in after if after[path] != before[path]} == affected


@pytest.mark.parametrize(
    "form",
    [
        'import "./math/Library.sol";',
        "import './math/Library.sol';",
        'import { Library as L } from "./math/Library.sol";',
        'import {\n    Library\n} from "./math/Library.sol";',
        'import * as library from "./math/Library.sol";',
        'import "./math/Library.sol" as library;',
    ],
)
def test_fingerprints_see_every_form_of_import(root, form):
    write(root, "Other.sol", f"{form}\n{OTHER}")
    before = fingerprints(root)
    write(root, "math/Library.sol", LIBRARY % "cc")

    assert fingerprints(root)["contracts/Other.sol"] != before["contracts/Other.sol"]
