"""A depositor from the shell: deposit, close, settle, claim, redeem, and out again (docs/protocol.md §12.2)."""

import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from perennial.cli import main
from perennial.manifest import Manifest
from perennial.testing.vaults import LocalVaults

DEPOSITOR, KEEPER = "4", "0"
"""Numbers of accounts, as a devnet has them."""


@pytest.fixture
def world(chain, accounts):  # noqa: ARG001 -- needs Ape's connection
    return LocalVaults.deploy()


@pytest.fixture
def network(world, chain, tmp_path):
    return str(world.manifest(chain.provider.http_uri, tmp_path / "local.json", chain.chain_id))


@pytest.fixture
def call(network):
    def call(*arguments, account=DEPOSITOR):
        options = {"PERENNIAL_NETWORK": network, "PERENNIAL_ACCOUNT": account}
        return CliRunner(mix_stderr=False, env=options).invoke(main, ["vault", *arguments])

    return call


@pytest.fixture
def vault(call):
    """Runs a command as JSON; returns what machines get."""

    def vault(*arguments, account=DEPOSITOR, code=0):
        result = call(*arguments, "--json", account=account)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return vault


def test_in_and_out(vault, call, world, network, tmp_path):
    path = tmp_path / "lp.json"
    path.write_text(
        json.dumps(
            {
                "asset": "mUSD",
                "name": "BTC liquidity",
                "symbol": "LP",
                "markets": [{"market": "BTC-USD", "weight": 1, "leverage": "2"}],
            }
        )
    )
    made = vault("create", str(path), "--save", "LP", account=KEEPER)
    vault("register", "LP", "ETH-USD", "--weight", "1", "--leverage", "2", account=KEEPER)
    assert made["markets"] == ["BTC-USD"]
    assert Manifest.load(network).vaults["LP"].address == made["address"]
    assert [each["name"] for each in vault("list")] == ["LP"]

    expected = vault("what-if", "LP", "--deposit", "1000")
    before = world.local.token.balanceOf(world.local.trader)
    asked = vault("deposit", "LP", "1000")
    assert (asked["epoch"], asked["approved"]) == (1, "1000.000000")
    closed = vault("close", "LP", account=KEEPER)
    assert 999 < sum(Decimal(each["collateral"]) for each in closed["orders"]) <= 1000
    waits = vault("settle", "LP", account=KEEPER, code=2)["error"]["meaning"]
    assert waits.startswith("epoch 1 waits for version")
    assert vault("status", "LP")["requests"][0]["status"] == waits
    world.commit()
    assert vault("settle", "LP", account=KEEPER)["epoch"] == 1

    (claimable,) = vault("status", "LP")["requests"]
    assert claimable["status"].startswith("claimable: ")
    claimed = vault("claim", "LP")
    assert claimed["shares"] == claimable["amount"] == expected["shares"]
    shown = vault("show", "LP")
    assert shown["total_shares"] == claimed["shares"]
    assert [each["market"] for each in shown["markets"]] == ["BTC-USD", "ETH-USD"]

    vault("redeem", "LP", "all")
    vault("close", "LP", account=KEEPER)
    world.commit()
    paid = vault("settle", "LP", account=KEEPER)["paid"]
    assert vault("claim", "LP")["assets"] == paid
    # Two orders in and two out, half of 1,000 USD each at 2x: maker fees of 0.01 %, and 1.50 for each order's settling.
    lost = before - world.local.token.balanceOf(world.local.trader)
    assert lost == 10**18 * 1000 - int(Decimal(paid).scaleb(18))
    assert Decimal("6.3") < Decimal(lost).scaleb(-18) < Decimal("6.5")
    assert [each["epoch"] for each in vault("prices", "LP")] == [1, 2]
    assert vault("status", "LP")["requests"] == []

    vault("deposit", "LP", "200")
    assert vault("recall", "LP")["assets"] == "200.000000000000000000"
    assert vault("status", "LP")["requests"] == []

    for command in (["list"], ["show", "LP"], ["prices", "LP"], ["status", "LP"], ["what-if", "LP", "--price", "-10"]):
        result = call(*command)
        assert result.exit_code == 0, result.output
        assert "LP" in result.stdout or "share price" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["what-if", "LP"], "give --deposit or --price"),
        (["what-if", "LP", "--deposit", "1", "--market", "BTC-USD"], "--market goes with --price"),
        (["show", "LP"], "no vault 'LP' on local: there are none by name"),
        (["create", "nothing.json"], "nothing.json cannot be read"),
    ],
)
def test_what_cannot_be_meant(call, arguments, says):
    result = call(*arguments)
    assert (result.exit_code, says in result.stderr) == (2, True), result.stderr
