"""The Verifier, an address that plays the market, and a trader with helpers and a contract wallet."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from perennial.intents import Domain, Intent, sign

LATER = 2**40


@dataclass
class Trader:
    """Makes intents of an account and signs them."""

    account: str
    key: Any
    domain: Domain
    market: str

    def intent(self, **changes):
        """Buys 10 at 100 or better; `changes` are arguments of Intent.build."""
        terms = {"amount": "10", "price": "100", "expiry": LATER, "signer": self.key.address, "account": self.account}
        return Intent.build(market=self.market, **{**terms, **changes})

    def sign(self, message):
        return sign(message, self.domain, self.key)

    def sign_for_wallet(self, message):
        """The key's signature of a message whose signer is a contract wallet."""
        return sign(message, self.domain, self.key, contract_wallet=True)

    def signed(self, **changes):
        intent = self.intent(**changes)
        return intent, self.sign(intent)


def changed(intent, **changes):
    """The intent with other values, which building might refuse; those of `common` too."""
    names = dict(intent.common.solidity())
    common = {name: changes.pop(name) for name in list(changes) if name in names}
    return replace(intent, common=replace(intent.common, **common), **changes)


@pytest.fixture(scope="session")
def verifier(protocol):
    return protocol.verifier


@pytest.fixture(scope="session")
def domain(verifier, chain):
    return Domain(chain.chain_id, verifier.address)


@pytest.fixture(scope="session")
def market(accounts):
    """Any contract may consume what is signed for it; here a key plays it."""
    return accounts[4]


@pytest.fixture(scope="session")
def signer(accounts):
    """Signs for the taker, once it is approved."""
    return accounts[5]


@pytest.fixture(scope="session")
def trader(taker, domain, market):
    """The taker, who signs itself."""
    return Trader(taker.address, taker, domain, market.address)


@pytest.fixture(scope="session")
def helper(trader, signer):
    """The signer, who signs for the taker."""
    return replace(trader, key=signer)


@pytest.fixture
def approved(protocol, taker, signer):
    protocol.market_factory.updateSigner(signer, True, sender=taker)


@pytest.fixture
def wallet(project, taker):
    """A contract wallet of the taker's."""
    return taker.deploy(project.MockWallet, taker)


@pytest.fixture
def consume(verifier, market):
    """Consumes as the market does; sizes have 6 decimals."""

    def consume(intent, signature, size=10_000_000, sender=market):
        return verifier.consume(intent.to_abi(), signature, size, sender=sender)

    return consume
