"""Fixtures that every test may use: role-named actors, tokens, and an Anvil that costs nothing to transact on."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from perennial import artifacts
from perennial.anvil import anvil as start_anvil
from perennial.deploy import Deployment, deploy_protocol
from perennial.testing.anvil import Anvil
from perennial.testing.market import PROTOCOL, MarketBench

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ape.api import TestAccountAPI
    from ape.contracts import ContractInstance
    from ape.managers.accounts import TestAccountManager
    from ape.managers.chain import ChainManager
    from ape.managers.project import LocalProject


# The same examples at every run, however busy the machine: what fails here fails everywhere. For others: `make fuzz`,
# `pytest --hypothesis-profile=default`. A function's fixtures are factories here, so its examples may share them.
settings.register_profile(
    "gate",
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("gate")

ROLES = (
    "operator",
    "maker",
    "taker",
    "keeper",
    "coordinator",
    "beneficiary",
    "hedger",
    "referrer",
    "delegate",
    "stranger",
)
"""Whose account is which of Ape's, in their order."""


def pytest_configure(config: pytest.Config) -> None:
    """Compiles before Ape would, once for all workers: see `artifacts.refresh` for what Ape would miss."""
    if hasattr(config, "workerinput"):
        return
    try:
        artifacts.refresh()
    except CalledProcessError as error:
        raise pytest.UsageError("the contracts do not compile") from error


@pytest.hookimpl(wrapper=True)
def pytest_collection_finish(session: pytest.Session) -> Generator[None]:
    """Has Ape, which connects at the end of this hook, find an Anvil that listens.

    Started by Ape it has a port drawn by lot, without a second draw where that is taken, and twenty seconds.
    """
    if not session.items or not session.config.pluginmanager.has_plugin("ape-test"):
        return (yield)
    running = ExitStack()
    session.config.add_cleanup(running.close)
    uri = running.enter_context(start_anvil(options=["--steps-tracing"], history=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APE_FOUNDRY_HOST", uri)
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def free_gas(request: pytest.FixtureRequest) -> Iterator[None]:
    """Transactions pay nothing for gas, so that ETH balances change by what contracts do alone.

    Given fees also save Ape three requests for each transaction, which more than doubles their number in a second.
    """
    with pytest.MonkeyPatch.context() as patch:
        # Tests of pure Python may run without Ape's plugin (`-p no:ape_test`), which spares its start-up.
        if request.config.pluginmanager.has_plugin("ape-test"):
            from ape_foundry.provider import FoundryProvider

            patch.setattr(FoundryProvider, "priority_fee", 0)
            # The limit of what a transaction would pay; Anvil's own base fee is zero.
            patch.setattr(FoundryProvider, "base_fee", 10**9)
        yield


@pytest.fixture(scope="session", autouse=True)
def still_clock(request: pytest.FixtureRequest) -> None:
    """The clock of Ape's chain moves only when a test moves it: however slow the machine, times are the same."""
    if request.config.pluginmanager.has_plugin("ape-test"):
        chain: ChainManager = request.getfixturevalue("chain")
        # A block is made at the time of the one before, where nobody has said another: Anvil adds the real time else.
        chain.provider.make_request("anvil_setBlockTimestampInterval", [0])


@dataclass
class OnChain:
    """What the tests of a session share on Ape's chain."""

    protocol: Deployment
    anvil: Anvil
    actors: dict[str, TestAccountAPI]
    bench: MarketBench


@pytest.fixture(scope="session", autouse=True)
def on_chain(request: pytest.FixtureRequest, still_clock: None) -> Iterator[OnChain | None]:  # noqa: ARG001 -- first
    """Deploys before any test what they share, where one of them asks for it.

    Ape takes a module's transactions back: a fixture of the session that came in the middle of one would be lost with
    them, and workers of xdist begin anywhere.
    """
    shared = {"protocol", "bench", "anvil", "create_market"}
    if not request.config.pluginmanager.has_plugin("ape-test") or not any(
        shared.intersection(getattr(item, "fixturenames", ())) for item in request.session.items
    ):
        yield None
        return
    chain: ChainManager = request.getfixturevalue("chain")
    accounts: TestAccountManager = request.getfixturevalue("accounts")
    actors = {role: accounts[index] for index, role in enumerate(ROLES)}
    anvil = Anvil(chain.provider.uri)
    protocol = deploy_protocol(actors["operator"], parameter=PROTOCOL)
    yield OnChain(protocol, anvil, actors, MarketBench.deploy(anvil, protocol, actors))
    anvil.close()


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
def coordinator(accounts: TestAccountManager) -> TestAccountAPI:
    """Creates markets and holds their risk parameters."""
    return accounts[4]


@pytest.fixture(scope="session")
def beneficiary(accounts: TestAccountManager) -> TestAccountAPI:
    """May claim the donation."""
    return accounts[5]


@pytest.fixture(scope="session")
def hedger(accounts: TestAccountManager) -> TestAccountAPI:
    """A second taker, mostly on the other side."""
    return accounts[6]


@pytest.fixture(scope="session")
def referrer(accounts: TestAccountManager) -> TestAccountAPI:
    """Is named in orders of others."""
    return accounts[7]


@pytest.fixture(scope="session")
def delegate(accounts: TestAccountManager) -> TestAccountAPI:
    """Acts for accounts that approve it as their operator."""
    return accounts[8]


@pytest.fixture(scope="session")
def stranger(accounts: TestAccountManager) -> TestAccountAPI:
    """Has no role."""
    return accounts[9]


@pytest.fixture(scope="session")
def create_token(project: LocalProject, operator: TestAccountAPI) -> Callable[..., ContractInstance]:
    """Deploys a mock token; without arguments the 18-decimal one of most tests."""

    def create(name: str = "Mock Dollar", symbol: str = "mUSD", decimals: int = 18) -> ContractInstance:
        return operator.deploy(project.MockToken, name, symbol, decimals)

    return create


@pytest.fixture(scope="session")
def protocol(on_chain: OnChain) -> Deployment:
    """The whole protocol, owned by the operator, with bounds so wide that tests can choose their parameters."""
    return on_chain.protocol


@pytest.fixture(scope="session")
def anvil(on_chain: OnChain) -> Anvil:
    """The node that Ape runs the tests on, without Ape."""
    return on_chain.anvil


@pytest.fixture(scope="session")
def actors(accounts: TestAccountManager) -> dict[str, TestAccountAPI]:
    """Everybody, by role."""
    return {role: accounts[index] for index, role in enumerate(ROLES)}


@pytest.fixture(scope="session")
def create_market(anvil: Anvil, protocol: Deployment, actors: dict[str, TestAccountAPI]) -> Callable[..., MarketBench]:
    """A market at a price of 100; keywords change single parameters, `decimals` the token's, `reward` adds a reward."""

    def create(**changes: Any) -> MarketBench:
        return MarketBench.deploy(anvil, protocol, actors, **changes)

    return create


@pytest.fixture(scope="session")
def bench(on_chain: OnChain) -> MarketBench:
    """A market without fees."""
    return on_chain.bench
