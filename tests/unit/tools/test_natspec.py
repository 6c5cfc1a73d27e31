"""The interfaces are the contracts' documentation: no declaration in them is without NatSpec."""

from functools import cache

import solcx
import yaml

from perennial.artifacts import ROOT

DOCUMENTED = {"ContractDefinition", "FunctionDefinition", "EventDefinition", "ErrorDefinition", "StructDefinition"}


@cache
def declarations(folder):
    """File and syntax tree of every declaration in a folder of contracts that wants NatSpec."""
    settings = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    paths = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "contracts" / folder).glob("*.sol"))]
    request = {
        "language": "Solidity",
        "sources": {path: {"content": (ROOT / path).read_text()} for path in paths},
        "settings": {"remappings": settings["import_remapping"], "outputSelection": {"*": {"": ["ast"]}}},
    }
    output = solcx.compile_standard(request, solc_version=settings["version"], base_path=ROOT, allow_empty=True)

    found = []
    for path in paths:
        pending = list(output["sources"][path]["ast"]["nodes"])
        while pending:
            node = pending.pop()
            pending.extend(node.get("nodes", []))
            if node["nodeType"] in DOCUMENTED:
                found.append((path, node))
    return found


def undocumented(folder):
    """`file: name` of every declaration that has no NatSpec comment."""
    return [f"{path}: {node['name']}" for path, node in declarations(folder) if not node.get("documentation")]


def unexplained(folder):
    """`file: name(parameter)` of every parameter of a function or event that its NatSpec does not name."""
    return [
        f"{path}: {node['name']}({parameter['name']})"
        for path, node in declarations(folder)
        if node["nodeType"] in {"FunctionDefinition", "EventDefinition"}
        for parameter in node["parameters"]["parameters"]
        if parameter["name"] and f"@param {parameter['name']} " not in node["documentation"]["text"]
    ]


def test_interfaces_are_documented():
    assert undocumented("interfaces") == []


def test_types_are_documented():
    assert undocumented("types") == []


def test_what_a_call_takes_is_explained():
    # The vault's functions are those of ERC-4626 and ERC-7540, which explain theirs.
    assert [each for each in unexplained("interfaces") if "/IVault" not in each and "/IERC7540" not in each] == []
