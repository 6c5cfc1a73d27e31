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
def costly(protocol):
    """As bench, but orders cost 1 USD and 0.1 % of notional, all of it kept by the market."""
    with opened(protocol, settlementFee="1", makerFee="0.001", positionFee="1") as bench:
        yield bench
