"""Fixtures that every test may use: role-named actors and the tokens that a market can settle in."""

from collections.abc import Callable

import pytest
from ape.api import TestAccountAPI
from ape.contracts import ContractInstance
from ape.managers.accounts import TestAccountManager
from ape.managers.project import ProjectManager


@pytest.fixture(scope="session")
def operator(accounts: TestAccountManager) -> TestAccountAPI:
    """Deploys the protocol and owns it."""
    return accounts[0]


@pytest.fixture(scope="session")
def maker(accounts: TestAccountManager) -> TestAccountAPI:
    """Provides liquidity."""
    return accounts[1]


@pytest.fixture(scope="session")
def taker(accounts: TestAccountManager) -> TestAccountAPI:
    """Trades against the makers."""
    return accounts[2]


@pytest.fixture(scope="session")
def keeper(accounts: TestAccountManager) -> TestAccountAPI:
    """Commits prices, settles and liquidates for a reward."""
    return accounts[3]


@pytest.fixture(scope="session")
def create_token(project: ProjectManager, operator: TestAccountAPI) -> Callable[..., ContractInstance]:
    """Deploys a mock token; without arguments the 18-decimal one of most tests."""

    def create(name: str = "Mock Dollar", symbol: str = "mUSD", decimals: int = 18) -> ContractInstance:
        return operator.deploy(project.MockToken, name, symbol, decimals)

    return create
