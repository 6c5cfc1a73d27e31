import pytest

from perennial.artifacts import load
from perennial.chain import Rpc
from perennial.keeper.rollup import GAS_PRICE_ORACLE
from perennial.testing.stage import Stage

PYTH_FEE = 3 * 10**13
"""Wei for an update: nine cents at 3,000 USD an ETH."""


@pytest.fixture(scope="module")
def stage(chain, project, create_token, operator, maker, taker, keeper):
    pyth = operator.deploy(project.MockPyth, 60, PYTH_FEE)
    return Stage.deploy(chain, project, create_token(), operator, keeper, [operator, maker, taker], pyth)


@pytest.fixture(scope="module")
def rpc(chain):
    with Rpc(chain.provider.uri) as rpc:
        yield rpc


@pytest.fixture
def rollup(chain, project, operator):
    """Makes the chain a rollup: wei for a byte, wei for a unit of gas, the base chain's base fee, functions retired."""

    def rollup(price=0, operator_price=0, base_fee=0, retired=0):
        chain.provider.set_code(GAS_PRICE_ORACLE, load("MockGasPriceOracle").runtime)
        oracle = project.MockGasPriceOracle.at(GAS_PRICE_ORACLE)
        oracle.set(price, operator_price, base_fee, retired, sender=operator)

    return rollup
