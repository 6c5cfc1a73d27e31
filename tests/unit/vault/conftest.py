import pytest

from perennial.testing.differential import Bench as Protocol
from perennial.testing.vault import opened


@pytest.fixture(scope="session")
def protocol():
    """The protocol in an EVM in process."""
    return Protocol()


@pytest.fixture
def bench(protocol):
    """A vault over two markets at price 100, equal weights, leverage 4, no fees; its token has 6 decimals."""
    with opened(protocol) as bench:
        yield bench


@pytest.fixture
def opposed(protocol):
    """A vault in one market with alice's 1,000 at leverage 4, where frank is long all that it makes: 40."""
    with opened(protocol, 1) as bench:
        bench.enter("alice", "1000")
        (venue,) = bench.venues
        venue.update("frank", taker="40", collateral="100000")
        venue.commit()
        yield bench


@pytest.fixture
def same_place(bench):
    """The bench two epochs after alice's 1,000 were settled: her deposit is where one of the open epoch would be."""
    bench.request("alice", "1000")
    bench.turn()
    bench.request("bob", "1")
    bench.turn()
    return bench


@pytest.fixture
def costly(protocol):
    """As bench, but orders cost 1 USD and 0.1 % of notional, all of it kept by the market."""
    with opened(protocol, settlementFee="1", makerFee="0.001", positionFee="1") as bench:
        yield bench
