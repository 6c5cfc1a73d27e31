"""One EVM in process for all properties."""

import pytest

from perennial.testing.differential import Bench


@pytest.fixture(scope="session")
def bench() -> Bench:
    """The protocol, deployed beside mock tokens and oracles."""
    return Bench()
