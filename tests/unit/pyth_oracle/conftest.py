import pytest
from ape import reverts
from eth_utils.crypto import keccak

from perennial.testing.oracles import OracleBench


@pytest.fixture(scope="module")
def stage(chain, project, operator, maker, taker, keeper):  # noqa: ARG001 -- Ape wants fixtures of a session set up first
    return OracleBench.deploy(chain, project, operator)


@pytest.fixture(scope="module")
def second(stage):
    """A second oracle over the same feed, and its market."""
    return stage.bind_new("BTC")


@pytest.fixture(scope="module")
def ether(stage):
    """An oracle over another feed, and its market."""
    return stage.bind_new("ETH")


@pytest.fixture
def not_found(stage):
    """Pyth's refusal of updates that are missing, out of the window, or not the first in it."""
    return lambda: reverts(stage.adapter.PriceFeedNotFoundWithinRange)


@pytest.fixture
def skipped(stage):
    """The oracles that a receipt says were skipped, with the selector of the error."""

    def skipped(receipt):
        return [(log.oracle, bytes(log.reason)[:4]) for log in receipt.decode_logs(stage.adapter.CommitSkipped)]

    return skipped


@pytest.fixture
def selector():
    return lambda signature: keccak(text=signature)[:4]
