"""The interfaces are the contracts' documentation: no declaration in them is without NatSpec."""

import solcx
import yaml

from perennial.artifacts import ROOT

DOCUMENTED = {"ContractDefinition", "FunctionDefinition", "EventDefinition", "ErrorDefinition", "StructDefinition"}


def undocumented(folder):
    """`file: name` of every declaration in a folder of contracts that has no NatSpec comment."""
    settings = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    paths = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "contracts" / folder).glob("*.sol"))]
    request = {
        "language": "Solidity",
        "sources": {path: {"content": (ROOT / path).read_text()} for path in paths},
        "settings": {"remappings": settings["import_remapping"], "outputSelection": {"*": {"": ["ast"]}}},
    }
    output = solcx.compile_standard(request, solc_version=settings["version"], base_path=ROOT, allow_empty=True)

    missing = []
    for path in paths:
        pending = list(output["sources"][path]["ast"]["nodes"])
        while pending:
            node = pending.pop()
            pending.extend(node.get("nodes", []))
            if node["nodeType"] in DOCUMENTED and not node.get("documentation"):
                missing.append(f"{path}: {node['name']}")
    return missing


def test_interfaces_are_documented():
    assert undocumented("interfaces") == []


def test_types_are_documented():
    assert undocumented("types") == []
