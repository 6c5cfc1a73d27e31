import pytest

from perennial.testing.differential import Bench as Protocol
from perennial.testing.vault import opened


@pytest.fixture(scope="session")
def protocol():
    """The protocol in an EVM in process."""
    return Protocol()


@pytest.fixture
def bench(protocol):
    """A vault without markets, and its factory."""
    with opened(protocol, 0) as bench:
        yield bench
