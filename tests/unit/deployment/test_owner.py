"""Calls of the owner's through the timelock, and the pause."""

import json
from dataclasses import replace

import pytest

from perennial.anvil import anvil
from perennial.chain import Contract, Rpc, RpcError
from perennial.deployment import create2, create_market_from_file
from perennial.deployment.market_file import MARKETS
from perennial.deployment.owner import encoded, own, set_paused
from perennial.deployment.plan import CANCELLER, PROPOSER
from perennial.deployment.run import DeploymentError
from perennial.deployment.sender import StepError
from perennial.deployment.upgrade import upgrade
from perennial.deployment.verify import verify
from perennial.manifest import Feed, Manifest, ManifestError

DELAY = 600


def wait(node):
    node.rpc.call("evm_increaseTime", DELAY)
    node.rpc.call("evm_mine")


def through(node, path, who, target, function, *arguments, **options):
    """Scheduled, waited for, executed."""
    assert not own(node.network, node.rpc, who, target, function, arguments, path=path, **options)
    wait(node)
    assert own(node.network, node.rpc, who, target, function, arguments, path=path, **options)


def test_a_new_pauser_is_named_through_the_timelock(node, path, proposer, stranger):
    through(node, path, proposer, "MarketFactory", "updatePauser", stranger.address)

    factory = Contract(node.chain, "MarketFactory", node.manifest.address("MarketFactory"))
    assert factory.read("pauser") == stranger.address.lower()
    assert [each.name for each in verify(node.manifest, node.network, node.rpc).differences] == ["MarketFactory.pauser"]


def test_roles_are_handed_over(node, path, proposer, stranger):
    for role in ("proposer", "canceller"):
        through(node, path, proposer, "Timelock", "grantRole", role, stranger.address)
    for role in ("proposer", "canceller"):
        through(node, path, stranger, "Timelock", "revokeRole", role, proposer.address)

    timelock = Contract(node.chain, "Timelock", node.manifest.timelock)
    for name in (PROPOSER, CANCELLER):
        assert timelock.read("hasRole", name, stranger.address)
        assert not timelock.read("hasRole", name, proposer.address)


def test_structs_are_lists_and_markets_go_by_name(node, path, proposer, stranger):
    create_market_from_file(MARKETS / "btc-usd.toml", node.rpc, stranger, manifest=path)
    through(
        node, path, proposer, "MarketFactory", "updateParameter", "[0, 1000, 50000000, 100000, 5000000, 4000, 250000]"
    )
    through(node, path, proposer, "BTC-USD", "updateBeneficiary", proposer.address)

    factory = Contract(node.chain, "MarketFactory", node.manifest.address("MarketFactory"))
    assert factory.read("parameter")[1] == 1000
    market = Contract(node.chain, "IMarket", Manifest.read(path).markets["BTC-USD"].address)
    assert market.read("beneficiary") == proposer.address.lower()


def test_a_source_of_prices_is_replaced(node, path, proposer, stranger):
    """From Pyth to Chainlink, contracts and oracles by name; the verification tells until the manifest says so, too."""
    salt, code = create2.salt_of("feed"), create2.creation("MockAggregator", [8])
    node.act(stranger.address, create2.PROXY, create2.calldata(salt, code))
    feed = "0x" + create2.address_of(salt, code)[2:].lower().rjust(64, "0")
    market = create_market_from_file(MARKETS / "btc-usd.toml", node.rpc, stranger, manifest=path)

    arguments = ("BTC-USD.oracle", "ChainlinkOracle", f'[["{feed}", 1]]')
    through(node, path, proposer, "OracleFactory", "updateProvider", *arguments)

    manifest = Manifest.read(path)
    chainlink = manifest.address("ChainlinkOracle")
    assert Contract(node.chain, "Oracle", market.oracle).read("adapter") == chainlink.lower()
    differences = verify(manifest, node.network, node.rpc).differences
    assert [str(each) for each in differences] == ["oracle BTC-USD.serving: PythOracle expected, ChainlinkOracle found"]
    manifest.oracles["BTC-USD"] = replace(manifest.oracles["BTC-USD"], adapter=chainlink, feeds=[Feed(feed, 1)])
    assert verify(manifest, node.network, node.rpc).differences == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ("BTC-USD.oracle", "ChainlinkOracle", "[]"),
            "'BTC-USD.oracle' is neither an address nor a contract or market",
        ),
        (("0x" + "7" * 40, "PythOracle", "{}"), "a list is needed, not"),
        (("0x" + "7" * 40, "PythOracle", '[["0x12", 1, 1]]'), r"has 3 fields, the struct \(bytes32,int8\) has 2"),
        (("0x" + "7" * 40, "PythOracle", '[["zz", 1]]'), "'zz' is no hex"),
        (("0x" + "7" * 40, "PythOracle", '[["0x12", 1]]'), "'0x12' has 1 bytes, not the 32 of bytes32"),
        (("0x" + "7" * 40, "PythOracle", f'[["0x{"12" * 32}", 300]]'), "updateProvider takes "),
        (("0x" + "7" * 40, "PythOracle", "[["), r"'\[\[' is no \(bytes32,int8\)\[\]: write numbers as"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(node, arguments, problem):
    with pytest.raises(ValueError, match=problem):
        encoded(node.manifest, "OracleFactory", "updateProvider", arguments)


@pytest.mark.parametrize(
    ("name", "problem"),
    [("boss", "'boss' is no hex, nor one of the roles proposer, executor, canceller"), ("0x12", "has 1 bytes")],
)
def test_what_is_no_role(node, name, problem):
    with pytest.raises(ValueError, match=problem):
        encoded(node.manifest, "Timelock", "grantRole", [name, "0x" + "7" * 40])


def test_what_will_be_refused_is_said_before_the_delay(node, path, proposer):
    """It may be in order by then: so it is scheduled."""
    lines: list[str] = []
    arguments = ("MarketFactory", "updateParameter", ["[0, 1000, 50000000, 2000000, 5000000, 4000, 250000]"])
    assert not own(node.network, node.rpc, proposer, *arguments, path=path, report=lines.append)
    assert lines[0].startswith("as the chain is now, the call would fail: ParameterOutOfBounds (field: maxCut")
    assert lines[-1].startswith("scheduled as 0x")

    lines.clear()
    own(
        node.network,
        node.rpc,
        proposer,
        "MarketFactory",
        "updatePauser",
        [proposer.address],
        path=path,
        report=lines.append,
    )
    assert [line.split()[0] for line in lines] == ["schedule:", "scheduled"]


def test_a_node_that_says_no_more_than_that_it_reverts_stops_no_schedule(node, path, proposer, stranger, monkeypatch):
    call = type(node.rpc).call
    lines: list[str] = []

    def short(rpc, method, *params):
        if method == "eth_call" and params[0].get("from", "").lower() == node.manifest.timelock.lower():
            raise RpcError("eth_call", 3, "execution reverted")
        return call(rpc, method, *params)

    monkeypatch.setattr(type(node.rpc), "call", short)
    arguments = ("MarketFactory", "updatePauser", (stranger.address,))
    assert not own(node.network, node.rpc, proposer, *arguments, path=path, report=lines.append)
    assert [line.split(":")[0].split()[0] for line in lines] == ["as", "schedule", "scheduled"]
    assert "execution reverted" in lines[0]


def test_the_same_call_again_needs_another_salt(node, path, proposer, stranger, pauser):
    through(node, path, proposer, "MarketFactory", "updatePauser", stranger.address)
    through(node, path, proposer, "MarketFactory", "updatePauser", pauser.address)
    lines: list[str] = []

    arguments = ("MarketFactory", "updatePauser", (stranger.address,))
    assert own(node.network, node.rpc, proposer, *arguments, path=path, report=lines.append)
    assert "was executed before: another salt makes another one" in lines[0]

    through(node, path, proposer, "MarketFactory", "updatePauser", stranger.address, salt="2")
    factory = Contract(node.chain, "MarketFactory", node.manifest.address("MarketFactory"))
    assert factory.read("pauser") == stranger.address.lower()


def test_what_was_cancelled_can_be_scheduled_again(node, path, proposer, stranger):
    arguments = ("MarketFactory", "updatePauser", (stranger.address,))
    lines: list[str] = []
    own(node.network, node.rpc, proposer, *arguments, path=path, report=lines.append)
    operation = lines[-1].split()[2].rstrip(",")
    timelock = Contract(node.chain, "Timelock", node.manifest.timelock)

    assert own(node.network, node.rpc, proposer, "Timelock", "cancel", [operation], path=path)
    assert not timelock.read("isOperation", bytes.fromhex(operation[2:]))

    own(node.network, node.rpc, proposer, *arguments, path=path)
    assert timelock.read("isOperation", bytes.fromhex(operation[2:]))


def test_who_cancels_needs_that_role_alone(node, path, proposer, stranger, pauser):
    through(node, path, proposer, "Timelock", "grantRole", "canceller", stranger.address)
    lines: list[str] = []
    own(node.network, node.rpc, proposer, "MarketFactory", "unpause", (), path=path, report=lines.append)
    operation = lines[-1].split()[2].rstrip(",")

    with pytest.raises(DeploymentError, match=r"is no canceller of the timelock. For a canceller to send"):
        own(node.network, node.rpc, pauser, "Timelock", "cancel", [operation], path=path)
    assert own(node.network, node.rpc, stranger, "Timelock", "cancel", [operation], path=path)
    with pytest.raises(StepError, match="cancel: would revert with TimelockUnexpectedOperationState"):
        own(node.network, node.rpc, stranger, "Timelock", "cancel", [operation], path=path)


def test_a_coordinator_sets_the_risk_parameters_of_its_market_at_once(node, path, proposer, stranger):
    create_market_from_file(MARKETS / "btc-usd.toml", node.rpc, stranger, manifest=path)
    market = Contract(node.chain, "IMarket", Manifest.read(path).markets["BTC-USD"].address)
    risk = list(market.read("riskParameter"))
    risk[0] *= 2  # the margin

    assert own(node.network, node.rpc, stranger, "BTC-USD", "updateRiskParameter", [json.dumps(risk)], path=path)

    assert market.read("riskParameter")[0] == risk[0]
    # The owner's are the owner's all the same, and the owner may do what the coordinator does.
    with pytest.raises(DeploymentError, match="is no proposer"):
        own(node.network, node.rpc, stranger, "BTC-USD", "updateBeneficiary", [stranger.address], path=path)
    through(node, path, proposer, "BTC-USD", "updateCoordinator", proposer.address)
    assert market.read("coordinator") == proposer.address.lower()


@pytest.mark.parametrize("chain_id", [84532, 1])
def test_where_the_protocol_is_not_nothing_is_sent(node, path, pauser, proposer, chain_id):
    """A call to an address without code succeeds: a pause of nothing must not look like one."""
    with anvil(chain_id=chain_id) as uri:
        for ask in (
            lambda: set_paused(node.network, uri, pauser, True, path=path),
            lambda: own(node.network, uri, proposer, "MarketFactory", "unpause", [], path=path),
            lambda: upgrade(node.network, uri, proposer, path=path),
        ):
            with pytest.raises(DeploymentError, match=r"rehearsal \(chain 84532\) is not on this chain"):
                ask()
        with Rpc(uri) as rpc:
            assert int(rpc.call("eth_getTransactionCount", pauser.address, "latest"), 16) == 0


def test_who_is_no_proposer_is_told_what_to_send(node, path, stranger):
    with pytest.raises(DeploymentError, match=r"is no proposer of the timelock. For a proposer to send"):
        own(node.network, node.rpc, stranger, "MarketFactory", "updatePauser", [stranger.address], path=path)
    assert node.nonce(stranger) == 0


def test_what_there_is_not_is_refused(node):
    with pytest.raises(
        LookupError, match=r"no function updatePause of 1 arguments: there are .*updatePauser"
    ) as refused:
        encoded(node.manifest, "MarketFactory", "updatePause", ["0x12"])
    assert "parameter" not in str(refused.value).split()
    with pytest.raises(LookupError, match=r"updatePauser of 0 arguments: it takes updatePauser\(address\)"):
        encoded(node.manifest, "MarketFactory", "updatePauser", [])
    with pytest.raises(ManifestError, match="has no market 'Router'"):
        encoded(node.manifest, "Router", "pause", [])
    with pytest.raises(ValueError, match="Expecting value"):
        encoded(node.manifest, "OracleFactory", "updateAdapter", ["0x" + "7" * 40, "yes"])


def test_the_pauser_pauses_and_ends_it(node, path, pauser, stranger):
    factory = Contract(node.chain, "MarketFactory", node.manifest.address("MarketFactory"))

    set_paused(node.network, node.rpc, pauser, True, path=path)
    assert factory.read("paused")
    set_paused(node.network, node.rpc, pauser, False, path=path)
    assert not factory.read("paused")
    set_paused(node.network, node.rpc, pauser, True, path=path)
    assert factory.read("paused")
    with pytest.raises(StepError, match="unpause: would revert with NotPauser"):
        set_paused(node.network, node.rpc, stranger, False, path=path)


def test_the_owner_may_end_the_pause_of_a_lost_pauser(node, path, pauser, proposer):
    set_paused(node.network, node.rpc, pauser, True, path=path)

    through(node, path, proposer, "MarketFactory", "unpause")

    assert not Contract(node.chain, "MarketFactory", node.manifest.address("MarketFactory")).read("paused")
