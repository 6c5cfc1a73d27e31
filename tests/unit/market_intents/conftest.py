import pytest

from perennial.intents import Domain
from perennial.testing.desk import Desk


@pytest.fixture(scope="session")
def domain(protocol, chain):
    return Domain(chain.chain_id, protocol.verifier.address)


@pytest.fixture
def desk(bench, domain, taker, hedger):
    """A maker of 100 at a price of 100; taker and hedger have 1,000 each, and no position."""
    bench.fill(maker="100", collateral="100000")
    for account in (taker, hedger):
        bench.deposit(account, "1000")
    return Desk(bench, domain)
