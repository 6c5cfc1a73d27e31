"""The client over the bench's market, on Anvil."""

from __future__ import annotations

import pytest

from perennial.client import Protocol
from perennial.local import FREE

FEES = {
    "takerFee": "0.0002",
    "takerSkewFee": "0.001",
    "takerImpactFee": "0.001",
    "makerFee": "0.0001",
    "makerImpactFee": "0.001",
    "settlementFee": "0.5",
    "positionFee": "0.5",
    "fundingFee": "0.05",
    "interestFee": "0.05",
    "pController": {"k": "20000", "max": "2.5"},
    "utilizationCurve": {"minRate": "0", "targetRate": "0.055", "maxRate": "0.155", "targetUtilization": "0.6"},
}


@pytest.fixture(scope="session")
def world(create_market):
    """A market with every fee and rate, at a price of 100."""
    return create_market(**FEES)


@pytest.fixture
def connect(world, chain):
    """The client of a market's protocol; keywords are Protocol's."""
    opened = []

    def connect(bench=world, **options):
        markets = {"BTC-USD": (bench.market.address, 0)}
        protocol = Protocol(chain.provider.http_uri, bench.factory.address, markets, **options)
        opened.append(protocol)
        return protocol

    yield connect
    for protocol in opened:
        protocol.close()


@pytest.fixture
def user(connect):
    return connect()


@pytest.fixture
def market(user):
    return user.market("BTC-USD")


@pytest.fixture
def filled(world, market):
    """Makers of 10 in the market."""
    world.open(world.actors["maker"], maker="10", collateral="10000")
    world.commit("100")
    return market


@pytest.fixture
def poor(world, accounts):  # noqa: ARG001 -- after the market
    """An account with ether and without tokens."""
    account = accounts.generate_test_account()
    accounts[0].transfer(account, "1 ether", **FREE)
    return account
