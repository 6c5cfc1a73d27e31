"""The parameter file of a vault."""

import json

import pytest

from perennial.client import InputError
from perennial.vaults import Definition, MarketTerms

WHOLE = {
    "asset": "USDC",
    "name": "BTC and ETH liquidity",
    "symbol": "LP",
    "minDeposit": "100",
    "depositCap": "1,000,000",
    "profitShare": "0.1",
    "tolerance": "0.05",
    "markets": [{"market": "BTC-USD", "weight": 1, "leverage": "2.5"}],
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "vault.json"

    def file(content):
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return file


def test_a_whole_file(file):
    found = Definition.load(file(WHOLE))

    assert Definition.load(str(file(WHOLE))) == found
    assert (found.asset, found.name, found.symbol) == ("USDC", "BTC and ETH liquidity", "LP")
    assert found.parameter(6) == (100 * 10**6, 10**12, 100_000, 50_000)
    assert found.parameter(18)[:2] == (100 * 10**18, 10**24)
    assert found.markets == (MarketTerms("BTC-USD", 1, "2.5"),)
    assert found.markets[0].raw_leverage == 2_500_000


def test_what_is_missing_is_mild(file):
    found = Definition.load(file({name: WHOLE[name] for name in ("asset", "name", "symbol")}))

    assert found.parameter(6) == (0, 10**15, 0, 100_000)
    assert found.markets == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fee": "1"}, "unknown field fee"),
        ({"minDeposit": 100}, "minDeposit: write 100 as text"),
        ({"markets": {}}, "markets: not a list"),
        ({"markets": [1]}, "each is an object"),
        ({"markets": [{"market": "BTC-USD", "weight": 1}]}, "missing field leverage"),
        ({"markets": [{"market": "BTC-USD", "weight": "1", "leverage": "2"}]}, "weight: '1' is not a whole number"),
        ({"markets": [{"market": "BTC-USD", "weight": 2**32, "leverage": "2"}]}, "weight: 4294967296 is not a whole"),
        ({"markets": [{"market": "BTC-USD", "weight": 1, "leverage": "100.1"}]}, "leverage: 100.1 is more than 100"),
        (
            {"markets": [{"market": "BTC-USD", "weight": 1, "leverage": "2"}] * 17},
            "markets: 17 are more than the 16 that a vault has room for",
        ),
        ({"markets": [{"market": "BTC-USD", "weight": True, "leverage": "2"}]}, "weight: True is not a whole number"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(file, change, says):
    path = file(WHOLE | change)
    with pytest.raises(InputError, match=says) as refused:
        Definition.load(path)
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize(("content", "says"), [("{", "is no JSON"), ("[]", "not an object"), ("{}", "missing field")])
def test_what_is_no_definition(file, content, says):
    with pytest.raises(InputError, match=says):
        Definition.load(file(content))


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        Definition.load(tmp_path / "nothing.json")


@pytest.mark.parametrize("field", ["min_deposit", "deposit_cap", "profit_share", "tolerance"])
@pytest.mark.parametrize(("value", "says"), [("-1", "not more than 0"), ("x", "not a number"), ("1e-9", "decimals")])
def test_numbers_that_cannot_be_meant(field, value, says):
    with pytest.raises(InputError, match=says):
        Definition("USDC", "Name", "LP", **{field: value}).parameter(6)
