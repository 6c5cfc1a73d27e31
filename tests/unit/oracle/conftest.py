import pytest

from perennial.testing.oracles import OracleBench


@pytest.fixture(scope="module")
def stage(chain, project, operator, maker, taker, keeper):  # noqa: ARG001 -- Ape wants fixtures of a session set up first
    return OracleBench.deploy(chain, project, operator)
