"""Networks' files: everything that is wrong with one is named, with its limit, before anything is sent."""

import pytest

from perennial.deployment import network
from perennial.deployment.fields import FileError, read_toml
from perennial.deployment.network import NETWORKS

ADDRESS = "0x" + "7" * 40


def problems(file, /, **changes):
    """What is wrong with a file whose tables have other fields."""
    values = read_toml(NETWORKS / f"{file}.toml")
    for table, fields in changes.items():
        values[table] = (values.get(table, {}) | fields) if isinstance(fields, dict) else fields
    try:
        network.parse(values)
    except FileError as error:
        return error.problems
    return []


@pytest.mark.parametrize(("name", "chain"), [("local", 1337), ("rehearsal", 84532), ("base-sepolia", 84532)])
def test_files_that_can_be_used_as_they_are(name, chain):
    assert problems(name) == []
    assert network.load(name).chain_id == chain


def test_base_needs_the_addresses_of_whoever_deploys_it():
    assert problems("base") == ["owner.proposers: has 0 entries: at least 1 is needed", "pauser: is missing"]
    assert problems("base", pauser=ADDRESS, owner={"proposers": [ADDRESS]}) == []


def test_base_takes_no_account_of_the_deployer_no_mock_and_no_short_delay():
    found = problems(
        "base",
        pauser="deployer",
        owner={"proposers": ["deployer"], "delay": 3600},
        pyth={"address": "mock"},
        tokens={"USDC": {"address": "mock", "decimals": 6}},
    )

    assert found == [
        "owner.delay: 3600 is below its limit 86400",
        "owner.proposers[0]: an address is needed, not 'deployer'",
        "pauser: an address is needed, not 'deployer'",
        "pyth.address: an address is needed, not 'mock'",
        "tokens.USDC.address: an address is needed, not 'mock'",
    ]
    assert "owner.timelock: the owner on Base is a timelock" in problems("base", owner={"timelock": False})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"parameters": {"protocolFee": "0.2"}}, "parameters.protocolFee: 0.2 is above its limit 0.1"),
        ({"parameters": {"maxCut": "1.1"}}, "parameters.maxCut: 1.1 is above its limit 1"),
        ({"parameters": {"maxFee": 17}}, "parameters.maxFee: 17 is above its limit 16.777215"),
        ({"parameters": {"maxRate": 5000}}, "parameters.maxRate: 5000 is above its limit 4294.967295"),
        ({"parameters": {"extra": 1}}, "parameters.extra: is not a field that is known here"),
        (
            {"pyth": {"validTo": 14}},
            "pyth.validTo: 14 is above its limit 13: windows of two versions would overlap",
        ),
        ({"pyth": {"validFrom": 11}}, "pyth.validTo: 10 is below its limit 11"),
        ({"pyth": {"grace": 9}}, "pyth.grace: 9 is below its limit 10"),
        ({"pyth": {"grace": 86400}}, "pyth.grace: 86400 is above its limit 86390"),
        ({"pyth": {"confidence": 0}}, "pyth.confidence: 0 is outside its limits 0.000001 and 1"),
        ({"chainlink": {"sequencerGrace": 86401}}, "chainlink.sequencerGrace: 86401 is above its limit 86400"),
        ({"tokens": {"USDC": {"address": "mock", "decimals": 5}}}, "tokens.USDC.decimals: 5 is below its limit 6"),
        (
            {"feeds": {"BTC-USD": {"pyth": "0x12"}}},
            "feeds.BTC-USD.pyth: 32 bytes in hex that are not zero are needed, not '0x12'",
        ),
        ({"owner": {"delay": 2_592_001}}, "owner.delay: 2592001 is above its limit 2592000"),
        ({"owner": {"proposers": ["deployer", "deployer"]}}, "owner.proposers: has an address twice"),
        ({"owner": {"executors": []}}, "owner.executors: has 0 entries: at least 1 is needed"),
        ({"pauser": "0x12"}, "pauser: an address is needed or deployer, not '0x12'"),
        (
            {"relay": "relay.example"},
            "relay: an address such as https://relay.example is needed, not 'relay.example'",
        ),
        ({"name": "My Net"}, "name: small letters, digits and hyphens are needed, not 'My Net': it names the manifest"),
        ({"chain_id": 0}, "chain_id: 0 is below its limit 1"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(changes, problem):
    assert problems("rehearsal", **changes) == [problem]


def test_a_field_that_is_missing_is_named():
    values = read_toml(NETWORKS / "rehearsal.toml")
    del values["salt"], values["parameters"]["maxFee"], values["owner"]["delay"]

    with pytest.raises(FileError) as error:
        network.parse(values)

    assert error.value.problems == ["salt: is missing", "owner.delay: is missing", "parameters.maxFee: is missing"]


def test_what_cannot_be_read_says_so(tmp_path):
    with pytest.raises(FileError, match="cannot be read: No such file"):
        network.load(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name =")
    with pytest.raises(FileError, match="is no TOML"):
        network.load(broken)
    with pytest.raises(FileError, match="no file for chain 5: name one with --config"):
        network.of_chain(5)


def test_the_deployers_name_stands_for_its_address():
    resolved = network.load("rehearsal").resolved(ADDRESS)

    assert resolved.pauser == resolved.owner.proposers[0] == ADDRESS
    assert resolved.owner.executors == ("anyone",)


def test_feeds_of_chainlink_are_addresses_as_words():
    feed = network.load("base-sepolia").feeds["ETH-USD"].chainlink

    assert feed == "0x0000000000000000000000004adc67696ba383f43dd60a9e78f2c97fbbfc7cb1"
