import pytest


@pytest.fixture
def factory(bench):
    """The factory, with a market's bench beside it (`bench`)."""
    return bench.factory
