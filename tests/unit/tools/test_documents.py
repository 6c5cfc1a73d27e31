"""What documents and comments refer to is there."""

import re
import subprocess
from pathlib import Path

from perennial.artifacts import ROOT, load

PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
CITATION = re.compile(r"§(\d+(?:\.\d+)*)")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


def tracked(*patterns):
    """Text files under version control, and those about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [ROOT / name for name in sorted(set(names)) if (ROOT / name).exists()]


def sections():
    headings = re.findall(r"^## (\d+)\.", PROTOCOL, re.MULTILINE)
    paragraphs = re.findall(r"^\*\*(\d+\.\d+)\s", PROTOCOL, re.MULTILINE)
    return headings + paragraphs


def invariants():
    """Numbered items of §14, which code cites as §14.1 and so on."""
    body = PROTOCOL.split("\n## 14.")[1].split("\n## ")[0]
    return [f"14.{number}" for number in re.findall(r"(?:^|\s)(\d+)\. ", body)]


def test_sections_are_numbered_in_order():
    numbers = [
        tuple(map(int, section.split("."))) for section in re.findall(r"^(?:## |\*\*)(\d+(?:\.\d+)?)", PROTOCOL, re.M)
    ]

    assert numbers == sorted(set(numbers))
    assert {number[0] for number in numbers} == set(range(1, 17))
    assert invariants() == [f"14.{number}" for number in range(1, 12)]


def test_cited_sections_exist():
    known = {*sections(), *invariants()}
    paths = tracked("contracts/*.sol", "perennial/*.py", "tests/*.py", "scripts/*.py", "*.md")

    unknown = {(str(path), cited) for path in paths for cited in CITATION.findall(path.read_text())}
    unknown = {(path, cited) for path, cited in unknown if cited not in known}

    assert len(paths) > 100
    assert unknown == set()


FOLDERS = "contracts|perennial|tests|docs|benchmarks|tools"
PATH = re.compile(rf"(?<![\w@./-])((?:{FOLDERS})/[\w/-]+\.(?:sol|py|md|json|mjs|sh))\b")


def test_files_that_are_named_exist():
    """In documents and comments; a project that a test makes up is not this one."""
    paths = tracked("*.sol", "*.py", "*.md", "*.toml", "*.yaml", "*.mjs", "*.sh", "Makefile")
    paths.remove(ROOT / "tests" / "unit" / "tools" / "test_artifacts.py")
    named = {(str(path.relative_to(ROOT)), name) for path in paths for name in PATH.findall(path.read_text())}

    assert len(named) > 50
    assert [(path, name) for path, name in sorted(named) if not (ROOT / name).exists()] == []


def test_links_lead_somewhere():
    broken = [(str(path), *link) for path in tracked("*.md") for link in LINK.findall(path.read_text())]
    broken = [(path, target, anchor) for path, target, anchor in broken if not leads_somewhere(path, target, anchor)]

    assert broken == []


def leads_somewhere(path, target, anchor):
    linked = (Path(path).parent / target).resolve() if target else Path(path)
    if not linked.exists() or not anchor:
        return linked.exists()
    headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
    return anchor in [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


FUNCTION = re.compile(r"\b([a-zA-Z]\w*)\(([^()]*)\)")
SHARES = {
    *("name", "symbol", "decimals", "totalSupply", "balanceOf", "transfer", "transferFrom", "approve", "allowance"),
    *("permit", "nonces", "DOMAIN_SEPARATOR", "supportsInterface"),
}
"""Of ERC-20, ERC-2612 and ERC-165, which §15 names and does not list."""


def listed():
    """The functions that §15 lists, by contract: names and numbers of arguments."""
    found: dict[str, set[tuple[str, int]]] = {}
    contract = ""
    for line in PROTOCOL.split("\n## 15.")[1].split("```")[1].strip().splitlines():
        contract = contract if line.startswith(" ") else line.split()[0]
        for name, values in FUNCTION.findall(line):
            found.setdefault(contract, set()).add((name, len([each for each in values.split(",") if each])))
    return found


def declared(*names):
    """The functions of contracts or interfaces, as above."""
    entries = [entry for name in names for entry in load(name).abi if entry["type"] == "function"]
    return {(entry["name"], len(entry["inputs"])) for entry in entries if entry["name"] not in SHARES}


def test_the_abi_of_the_document_is_that_of_the_interfaces():
    found = listed()
    missing = {contract: declared(f"I{contract}") - functions for contract, functions in found.items()}
    # `owner` and the like are of the contract; a market's functions are in several.
    unknown = {contract: functions - declared(f"I{contract}", contract) for contract, functions in found.items()}

    assert len(found) == 11
    assert {contract: functions for contract, functions in missing.items() if functions} == {}
    assert {contract: functions for contract, functions in unknown.items() if functions} == {}


RETURNS = re.compile(r"\b([a-zA-Z]\w*)\(([^()]*)\)(?: view)? returns \(([^()]*)\)")


def test_values_are_returned_under_the_names_of_the_document():
    # A client reads `fees().oracle`: where there are several values, their names are as fixed as their types.
    written, returned = {}, {}
    contract = ""
    for line in PROTOCOL.split("\n## 15.")[1].split("```")[1].strip().splitlines():
        contract = contract if line.startswith(" ") else line.split()[0]
        for name, values, results in RETURNS.findall(line):
            names = [result.split()[-1] for result in results.split(",") if len(result.split()) > 1]
            if len(names) > 1:
                written[contract, name, len([value for value in values.split(",") if value])] = names
    for contract, name, count in written:
        (entry,) = [
            entry
            for entry in load(f"I{contract}").abi
            if entry["type"] == "function" and (entry["name"], len(entry["inputs"])) == (name, count)
        ]
        returned[contract, name, count] = [output["name"] for output in entry["outputs"]]

    assert written["Market", "fees", 0] == ["protocol", "oracle", "risk", "donation"]
    assert returned == written


def test_architecture_draws_the_slots_as_the_contracts_pack_them():
    drawn = re.findall(r"\|[^`\n]+\|$", (ROOT / "ARCHITECTURE.md").read_text().split("```")[1], re.MULTILINE)
    sources = "\n".join(path.read_text() for path in tracked("contracts/*.sol"))

    assert len(drawn) > 20
    # The tokens' two slots have one shape.
    missing = [slot for slot in drawn if slot not in sources and slot != "| token 160 | scale 64 |"]
    assert missing == []
    packed = re.findall(r"// (?:[A-Z]\.[a-z] )?(\| .*\|)$", sources, re.MULTILINE)
    assert [slot for slot in packed if slot not in drawn] == []


def test_the_tree_of_the_readme_is_there_and_whole():
    (tree,) = re.findall(r"```\n(contracts/\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    paths, folder = set(), ROOT
    for line in tree.splitlines():
        names = line.strip().split("  ")[0].split(", ")
        if not line.startswith(" "):
            folder = ROOT / names[0]
        paths |= {(folder if line.startswith(" ") else ROOT) / name for name in names}

    assert sorted(str(path) for path in paths if not path.exists()) == []
    folders = {path.relative_to(ROOT).parts[:-1] for path in tracked() if path.relative_to(ROOT).parts[0][0] != "."}
    folders = {parts[:1] for parts in folders if parts} | {
        parts[:2] for parts in folders if len(parts) > 1 and parts[0] in ("contracts", "perennial", "tests")
    }
    assert sorted("/".join(parts) for parts in folders if ROOT.joinpath(*parts) not in paths) == []


def test_targets_of_the_readme_are_in_the_makefile():
    named = set(re.findall(r"make ([a-z-]+)", (ROOT / "README.md").read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert named <= targets


PITFALL = re.compile(r"[SZ]-(?:V\d+|FR)-[CHML]\d+")


def test_pitfalls_are_covered_or_do_not_apply():
    covered, absent, properties = (ROOT / "docs" / "pitfalls.md").read_text().split("\n## ")[1:]
    tests = "\n".join(path.read_text() for path in tracked("tests/*.py"))
    functions = set(re.findall(r"^ *def (test_\w+)", tests, re.MULTILINE))
    classes = set(re.findall(r"^class (Test\w+)", tests, re.MULTILINE))

    def tested(pitfall):
        prefix = f"test_{pitfall.lower().replace('-', '_')}_"
        return f"Test{pitfall.replace('-', '')}" in classes or any(name.startswith(prefix) for name in functions)

    ids = [re.findall(r"^\| ([SZ]-\S+) \|", part, re.MULTILINE) for part in (covered, absent)]
    assert [pitfall for pitfall in ids[0] if not tested(pitfall)] == []
    assert [pitfall for pitfall in ids[1] if tested(pitfall)] == []
    assert len(ids[0]) + len(ids[1]) == len({*ids[0], *ids[1]}) == 57
    assert all(PITFALL.fullmatch(pitfall) for pitfall in (*ids[0], *ids[1]))
    assert set(PITFALL.findall(properties)) <= set(ids[0])
    assert set(re.findall(r"`(test_\w+)`", properties)) <= functions
