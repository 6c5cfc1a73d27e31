import pytest

from perennial.testing.market import FEES


@pytest.fixture
def book(bench):
    """Maker 10, long 5, short 3 at a price of 100, opened without fees; then the fees of the worked examples."""
    bench.fill(maker="10", long="5", short="3")
    bench.change_risk(**FEES)
    return bench


@pytest.fixture
def pool(bench):
    """A maker of 100 without takers, no fees: room for whatever a test opens."""
    bench.fill(maker="100")
    return bench
