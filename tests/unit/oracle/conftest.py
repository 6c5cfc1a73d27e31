import pytest

from perennial.testing.oracles import OracleBench


@pytest.fixture(scope="session")
def bench(chain, project, operator):
    return OracleBench.deploy(chain, project, operator)
