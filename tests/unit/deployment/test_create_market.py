"""Markets from files: every violated bound is named before anything is sent; a stranger opens several in one run."""

import json

import pytest

from perennial.chain import Contract
from perennial.deployment import create_market_from_file, create_markets, network
from perennial.deployment.fields import FileError, read_toml
from perennial.deployment.journal import JournalError
from perennial.deployment.market import payoff_name
from perennial.deployment.market_file import MARKETS, parse
from perennial.deployment.node import Node
from perennial.deployment.plan import call
from perennial.manifest import Manifest
from perennial.mirror.parameters import MarketParameter, ProtocolParameter, RiskParameter
from perennial.mirror.payoff import PowerPayoff

PROTOCOL = ProtocolParameter(0, 2000, 50_000_000, 100_000, 5_000_000, 4000, 250_000)
FEEDS = network.load("base-sepolia").feeds
FILES = sorted(MARKETS.glob("*.toml"))


class Killed(BaseException):
    """In the place of a kill."""


class Mortal(Node):
    """A node that ends the run right after the n-th transaction."""

    def __init__(self, uri, count):
        super().__init__(uri)
        self.left = count

    def call(self, method, *params):
        result = super().call(method, *params)
        self.left -= method == "eth_sendRawTransaction"
        if not self.left:
            raise Killed
        return result


def problems(file="btc-usd", /, **changes):
    """What is wrong with a file whose tables have other fields."""
    values = read_toml(MARKETS / f"{file}.toml")
    for table, fields in changes.items():
        values[table] = (values.get(table, {}) | fields) if isinstance(fields, dict) else fields
    try:
        parse(values, PROTOCOL, FEEDS, ["USDC"])
    except FileError as error:
        return error.problems
    return []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_files_that_come_along_are_in_bounds(file):
    assert problems(file.stem) == []


def test_every_violated_bound_is_named_with_its_limit():
    assert problems(
        risk={
            "takerFee": "0.003",
            "maintenance": "0.001",
            "margin": "1.5",
            "minLiquidationFee": 30,
            "efficiencyLimit": "0.1",
        },
        market={"positionFee": "0.2", "oracleFee": "0.6", "riskFee": "0.5", "settlementFee": 51, "maxPendingLocal": 0},
    ) == [
        "risk.takerFee: 0.003 is above its limit 0.002",
        "risk.maintenance: 0.001 is below its limit 0.004",
        "risk.margin: 1.5 is above its limit 1",
        "risk.minLiquidationFee: 30 is above its limit 25",
        "risk.minLiquidationFee: 30 is above its limit 10",
        "risk.efficiencyLimit: 0.1 is below its limit 0.25",
        "market.positionFee: 0.2 is above its limit 0.1",
        "market.riskFee: 0.5 is above its limit 0.4",
        "market.settlementFee: 51 is above its limit 50",
        "market.maxPendingLocal: 0 is below its limit 1",
        "risk.maintenance: 0.001 is below its limit 0.005, the position fee of the dearest close",
        "market.settlementFee: 51 is above its limit 0, what risk.minLiquidationFee leaves of risk.minMaintenance",
    ]


@pytest.mark.parametrize(
    ("risk", "limit"),
    [
        ({"takerFee": "0.002", "takerSkewFee": "0.0019", "takerImpactFee": "0.0002"}, "0.0058"),
        ({"takerFee": "0.002", "takerSkewFee": "0.0017", "takerImpactFee": "0.0018"}, "0.0055"),
    ],
)
def test_maintenance_covers_the_dearest_close(risk, limit):
    """docs/protocol.md §16: else makers are paid position fees that a liquidated account does not have."""
    assert problems(risk=risk | {"maintenance": limit}) == []
    assert problems(risk=risk | {"maintenance": "0.005499"}) == [
        f"risk.maintenance: 0.005499 is below its limit {limit}, the position fee of the dearest close"
    ]


def test_the_least_maintenance_covers_what_a_liquidation_costs():
    """docs/protocol.md §16: else others pay the settlement fees of small accounts."""
    assert problems(market={"settlementFee": 5}) == []
    assert problems(market={"settlementFee": "5.000001"}) == [
        "market.settlementFee: 5.000001 is above its limit 5, what risk.minLiquidationFee leaves of risk.minMaintenance"
    ]


@pytest.mark.parametrize(
    ("table", "fields", "problem"),
    [
        ("risk", {"takerFee": "0.0000001"}, "risk.takerFee: '0.0000001' has more than 6 decimals"),
        ("risk", {"takerFee": -1}, "risk.takerFee: -1 is below its limit 0"),
        ("risk", {"takerFee": True}, "risk.takerFee: a number is needed, not True"),
        ("risk", {"takerfee": 0}, "risk.takerfee: is not a field that is known here"),
        ("risk", {"staleAfter": "1.5"}, "risk.staleAfter: a whole number is needed, not '1.5'"),
        ("risk", {"makerReceiveOnly": 1}, "risk.makerReceiveOnly: true or false is needed, not 1"),
        ("market", {"makerRewardRate": 1}, "market.makerRewardRate: 1 is above its limit 0"),
        ("oracle", {"feeds": []}, "oracle.feeds: 0 is outside its limits 1 and 4"),
        ("oracle", {"feeds": [{"feed": "BTC-USD", "power": 2}]}, "oracle.feeds[0].power: 2 is above its limit 1"),
        ("oracle", {"feeds": [{"feed": "BTC-USD", "power": 0}]}, "oracle.feeds[0].power: 0 is none of 1, -1"),
        (
            "oracle",
            {"feeds": [{"feed": "XAU-USD", "power": 1}]},
            "oracle.feeds[0].feed: 'XAU-USD' is none of the network's with pyth: BTC-USD, ETH-USD, SOL-USD",
        ),
        (
            "oracle",
            {"adapter": "chainlink", "feeds": [{"feed": "SOL-USD", "power": 1}]},
            "oracle.feeds[0].feed: 'SOL-USD' is none of the network's with chainlink: BTC-USD, ETH-USD",
        ),
        (
            "oracle",
            {"feeds": [{"id": "0x" + "00" * 32, "power": 1}]},
            f"oracle.feeds[0].id: 32 bytes in hex that are not zero are needed, not '0x{'00' * 32}'",
        ),
        ("oracle", {"adapter": "uma"}, "oracle.adapter: 'uma' is none of pyth, chainlink"),
        ("payoff", {"halfPower": 5, "scale": 1}, "payoff.halfPower: 5 is above its limit 4"),
        ("payoff", {"halfPower": 0, "scale": 1}, "payoff.halfPower: 0 is none of -4 … -1, 1 … 4"),
        (
            "payoff",
            {"halfPower": 4, "scale": 0},
            "payoff.scale: is outside its limits 0.000000000000000001 and 1000000000000000000",
        ),
        ("token", "USDT", "token: an address is needed or USDC, not 'USDT'"),
        ("beneficiary", "0x" + "0" * 40, "beneficiary: the zero address"),
        ("name", "BTC/USD", "name: no spaces, slashes or colons, not 'BTC/USD': others name the market by it"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(table, fields, problem):
    assert problem in problems(**{table: fields})


def test_a_feed_that_is_there_twice_is_refused():
    feeds = [{"feed": "BTC-USD", "power": 1}, {"feed": "BTC-USD", "power": -1}]

    assert problems(oracle={"feeds": feeds}) == ["oracle.feeds: has a feed twice"]


def test_a_mistyped_address_is_refused():
    assert problems(beneficiary="0xf39fd6e51aad88F6F4ce6aB8827279cffFb92266") == [
        "beneficiary: the checksum of 0xf39fd6e51aad88F6F4ce6aB8827279cffFb92266 is wrong: is it mistyped?"
    ]


def test_a_missing_field_is_named():
    values = read_toml(MARKETS / "btc-usd.toml")
    del values["risk"]["margin"], values["market"]["riskFee"], values["risk"]["pController"]["k"]

    with pytest.raises(FileError) as error:
        parse(values, PROTOCOL, FEEDS, ["USDC"])

    missing = [problem for problem in error.value.problems if problem.endswith("is missing")]
    assert missing == ["risk.margin: is missing", "risk.pController.k: is missing", "market.riskFee: is missing"]


def test_a_stranger_opens_a_ratio_and_a_second_bitcoin_market_in_one_run(node, path, stranger):
    create_market_from_file(MARKETS / "btc-usd.toml", node.rpc, stranger, manifest=path)

    ratio, second = create_markets(
        [MARKETS / "btc-eth.toml", MARKETS / "btc-usd-low-fee.toml"], node.rpc, stranger, manifest=path
    )

    manifest = Manifest.read(path)
    assert (manifest.markets["BTC-ETH"], manifest.markets["BTC-USD-LOW-FEE"]) == (ratio, second)
    assert {ratio.coordinator, second.coordinator} == {stranger.address}
    assert [feed.power for feed in manifest.oracles["BTC-ETH"].feeds] == [1, -1]
    first = Contract(node.chain, "IMarket", manifest.markets["BTC-USD"].address)
    other = Contract(node.chain, "IMarket", second.address)
    assert RiskParameter.from_abi(first.read("riskParameter")).taker_fee == 200
    assert RiskParameter.from_abi(other.read("riskParameter")).taker_fee == 100
    assert MarketParameter.from_abi(other.read("parameter")).settlement_fee == 0
    assert manifest.oracles["BTC-USD"].feeds == manifest.oracles["BTC-USD-LOW-FEE"].feeds
    assert manifest.oracles["BTC-USD"].address != manifest.oracles["BTC-USD-LOW-FEE"].address


def test_every_file_that_comes_along_opens(node, path, stranger):
    markets = create_markets(FILES, node.rpc, stranger, manifest=path)

    manifest = Manifest.read(path)
    squeeth = manifest.markets["SQUEETH"]
    assert len({market.address for market in markets}) == len(FILES)
    assert manifest.payoffs["0.000001 * price^(4/2)"].address == squeeth.payoff
    assert Contract(node.chain, "PowerPayoff", squeeth.payoff).read("payoff", 3000 * 10**6) == 9 * 10**6


def test_one_file_that_is_wrong_keeps_all_from_being_sent(node, path, stranger, tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text((MARKETS / "btc-eth.toml").read_text().replace("takerFee = 0.0002", "takerFee = 1"))

    with pytest.raises(FileError, match=r"risk.takerFee: 1 is above its limit 0.002"):
        create_markets([MARKETS / "btc-usd.toml", wrong], node.rpc, stranger, manifest=path)
    with pytest.raises(FileError, match="BTC-USD is in another of these files as well"):
        create_markets([MARKETS / "btc-usd.toml"] * 2, node.rpc, stranger, manifest=path)
    assert node.nonce(stranger) == 0


def test_bounds_are_those_of_the_chain(node, path, stranger):
    tighter = (0, 100, 50_000_000, 100_000, 5_000_000, 4000, 250_000)
    factory = node.manifest.address("MarketFactory")
    node.act(node.manifest.timelock, factory, call("MarketFactory", "updateParameter", tighter))

    with pytest.raises(FileError, match=r"risk.takerSkewFee: 0.001 is above its limit 0.0001"):
        create_market_from_file(MARKETS / "btc-usd.toml", node.rpc, stranger, manifest=path)


def test_what_the_chain_has_against_a_file_is_named(node, path, stranger, tmp_path):
    file = tmp_path / "other.toml"
    text = (MARKETS / "btc-usd.toml").read_text()
    file.write_text(text.replace('token = "USDC"', f'token = "0x{"7" * 40}"\nreward = "0x{"8" * 40}"'))
    node.act(
        node.manifest.timelock,
        node.manifest.address("OracleFactory"),
        call("OracleFactory", "updateAdapter", node.manifest.address("PythOracle"), False),
    )

    with pytest.raises(FileError) as error:
        create_market_from_file(file, node.rpc, stranger, manifest=path)

    assert [line.strip() for line in error.value.problems[1:]] == [
        f"token: no contract at 0x{'7' * 40}",
        f"reward: no contract at 0x{'8' * 40}",
        "oracle.adapter: PythOracle is not admitted by the OracleFactory",
    ]


def test_a_contract_that_is_no_feed_is_named(node, path, stranger, tmp_path):
    """Before the payoff is made, which would be the first transaction."""
    file, at = tmp_path / "other.toml", node.manifest.address("PayoffFactory")[2:].lower()
    text = (MARKETS / "squeeth.toml").read_text().replace('adapter = "pyth"', 'adapter = "chainlink"')
    file.write_text(text.replace('feed = "ETH-USD"', f'id = "0x{at:0>64}"'))

    with pytest.raises(FileError, match=r"oracle.feeds: ChainlinkOracle refuses them: revert"):
        create_market_from_file(file, node.rpc, stranger, manifest=path)
    file.write_text(file.read_text().replace("00" * 12 + at, "01" * 12 + at))
    with pytest.raises(FileError, match=r"oracle.feeds: ChainlinkOracle refuses them: FeedIdInvalid\(0, "):
        create_market_from_file(file, node.rpc, stranger, manifest=path)
    assert node.nonce(stranger) == 0


@pytest.mark.parametrize("name", ["squeeth", "btc-eth"])
def test_killed_after_each_transaction_it_is_continued(node, path, stranger, name):
    whole = node.rpc.call("evm_snapshot")
    create_market_from_file(MARKETS / f"{name}.toml", node.rpc, stranger, manifest=path)
    expected, count = json.loads(path.read_text()), node.nonce(stranger)
    node.rpc.call("evm_revert", whole)
    node.manifest.save(path)

    for _ in range(count):
        with pytest.raises(Killed), Mortal(node.rpc.uri, 1) as mortal:
            create_market_from_file(MARKETS / f"{name}.toml", mortal, stranger, manifest=path)
    create_market_from_file(MARKETS / f"{name}.toml", node.rpc, stranger, manifest=path)

    assert json.loads(path.read_text()) == expected
    assert node.nonce(stranger) == count
    assert list(path.parent.glob("*.journal.json")) == []


def test_a_market_that_is_open_is_left_as_it_is(node, path, stranger):
    first = create_market_from_file(MARKETS / "btc-usd.toml", node.rpc, stranger, manifest=path)
    count = node.nonce(stranger)

    assert create_market_from_file(MARKETS / "btc-usd.toml", node.rpc, stranger, manifest=path) == first
    assert node.nonce(stranger) == count


def test_a_market_that_was_begun_is_not_finished_with_another_file(node, path, stranger, tmp_path):
    with pytest.raises(Killed), Mortal(node.rpc.uri, 1) as mortal:
        create_market_from_file(MARKETS / "btc-usd.toml", mortal, stranger, manifest=path)
    other = tmp_path / "other.toml"
    other.write_text((MARKETS / "btc-usd.toml").read_text().replace("takerFee = 0.0002", "takerFee = 0.0001"))

    with pytest.raises(JournalError, match="another file"):
        create_market_from_file(other, node.rpc, stranger, manifest=path)


def test_a_registered_oracle_is_used_as_it_is(node, path, stranger, tmp_path):
    provider = node.manifest.tokens["USDC"].address  # any contract: nobody asks it here
    node.act(
        node.manifest.timelock, node.manifest.address("OracleFactory"), call("OracleFactory", "register", provider)
    )
    text = (MARKETS / "btc-usd.toml").read_text()
    start, end = text.index("[oracle]"), text.index("[risk]")
    file = tmp_path / "registered.toml"
    file.write_text(f'{text[:start]}[oracle]\nregistered = "{provider}"\n\n{text[end:]}')

    market = create_market_from_file(file, node.rpc, stranger, manifest=path)

    assert market.oracle == provider
    assert Manifest.read(path).oracles["BTC-USD"].adapter is None


@pytest.mark.parametrize(
    ("payoff", "name"),
    [
        (PowerPayoff(4, 10**12), "0.000001 * price^(4/2)"),
        (PowerPayoff(-2, 10**18, negative=True), "-1 * price^(-2/2)"),
        (PowerPayoff(1, 25 * 10**17), "2.5 * price^(1/2)"),
    ],
)
def test_a_payoffs_name_says_what_it_is(payoff, name):
    assert payoff_name(payoff) == name
