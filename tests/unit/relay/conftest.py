"""A relay without a chain: what the Verifier, the factory and the market would say is up to the test."""

import time
from dataclasses import dataclass, field

import pytest
from eth_account import Account
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text

from perennial.intents import Domain, Intent, sign
from perennial.relay.app import create_app
from perennial.relay.intake import Intake, IntentState, Limits
from perennial.relay.limits import Quota
from perennial.relay.records import Fill
from perennial.relay.store import Store
from perennial.relay.view import Head
from perennial.relay.watcher import Watcher
from perennial.testing.postgres import postgres

MARKET, OTHER_MARKET = "0x" + "11" * 20, "0x" + "12" * 20
DOMAIN = Domain(31337, "0x" + "22" * 20)
ALICE, BOB = (Account.from_key(bytes([number] * 32)) for number in (1, 2))
NOW = int(time.time())
LATER = NOW + 3600
UNIT = 10**6


@dataclass
class FakeChain:
    """What the relay asks the chain; a test changes the answers."""

    signers: set[tuple[str, str]] = field(default_factory=set)
    wallets: dict[str, bytes] = field(default_factory=dict)
    filled: dict[int, int] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)
    margin: str | None = None
    poor: set[str] = field(default_factory=set)
    used_nonces: set[tuple[str, int]] = field(default_factory=set)
    block: int = 100
    logs: list[Fill] = field(default_factory=list)
    asked: int = 0

    def is_contract_signature(self, signer, digest, signature):  # noqa: ARG002
        return self.wallets.get(signer) == signature

    def is_signer(self, account, signer):
        return (account, signer) in self.signers

    def states(self, intents):
        self.asked += 1
        return [self._state(intent) for intent in intents]

    def _state(self, intent):
        filled = self.filled.get(intent.common.nonce, 0)
        return IntentState(filled, 0 if intent.common.nonce in self.cancelled else intent.size - filled)

    def has_collateral(self, account):
        return account not in self.poor

    def used(self, nonces):
        return [each in self.used_nonces for each in nonces]

    def lacks_margin(self, intent, size):  # noqa: ARG002
        return self.margin

    def head(self):
        return Head(self.block, NOW)

    def fills(self, first, last):
        return [fill for fill in self.logs if first <= fill.block <= last]


def make(trader=ALICE, **changes):
    """A signed intent as the API takes it, 10 at 100, and its hash's signature."""
    terms = {"market": MARKET, "account": trader.address, "amount": "10", "price": "100", "expiry": LATER, **changes}
    intent = Intent.build(**terms)
    signature = sign(intent, DOMAIN, trader)
    return {"intent": intent.to_json(), "signature": "0x" + signature.hex()}


@pytest.fixture
def view():
    return FakeChain()


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server, started by the first test that needs one."""
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite"])
def url(request, tmp_path):
    """A new SQLite file; on PostgreSQL the tests of a module that asks for it, in a database emptied."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'relay.db'}"
    server = request.getfixturevalue("server")
    engine = create_engine(server)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return server


ON_BOTH = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
"""The mark of tests that run on SQLite and on PostgreSQL."""


@pytest.fixture
def store(url):
    store = Store(url)
    yield store
    store.close()


@pytest.fixture
def intake(store, view):
    return Intake(DOMAIN, frozenset({MARKET, OTHER_MARKET}), view, store, Limits(open_intents=5))


@pytest.fixture
def watcher(store, view):
    return Watcher(store, view)


@pytest.fixture
def client(intake):
    with TestClient(create_app(intake, quota=Quota(writes=1e6, reads=1e6), poll=0.01)) as client:
        yield client
