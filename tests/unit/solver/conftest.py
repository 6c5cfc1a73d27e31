"""A solver without a chain: a market in Python that counts fills, and a node that mines when told."""

from dataclasses import dataclass, field
from functools import cache

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from perennial.chain import NodeError
from perennial.intents import Domain, Intent, message_hash, sign
from perennial.relay.records import Order, Status
from perennial.sending.journal import Journal
from perennial.sending.sender import Mined, Sender
from perennial.solver.batch import Gas
from perennial.solver.node import Snapshot
from perennial.solver.orders import Cross, Deal, Open
from perennial.solver.solver import Options, Solver

UNIT = 10**6
PRICE = 100 * UNIT
NOW = 1_900_000_000
MARKET = Account.from_key(bytes([9] * 32)).address
DOMAIN = Domain(31337, Account.from_key(bytes([8] * 32)).address)
KEY = Account.from_key(bytes([7] * 32))
KEYS = [Account.from_key(bytes([number] * 32)) for number in range(20, 60)]
TRADERS = [key.address for key in KEYS]
_BY_ADDRESS = {key.address: key for key in (*KEYS, KEY)}


def opened(sequence, amount, price, *, account=None, remaining=None, **terms):
    """An open intent: `amount` and `price` as a person writes them; each of an account of its own."""
    account = TRADERS[sequence % len(TRADERS)] if account is None else account
    values = {"market": MARKET, "nonce": sequence, "expiry": NOW + 3600, **terms}
    intent = Intent.build(account=account, amount=amount, price=price, **values)
    left = intent.size if remaining is None else remaining
    return Open("0x" + message_hash(intent, DOMAIN).hex(), sequence, intent, b"", left, account in _BY_ADDRESS)


@cache
def signature_of(intent):
    """By the account's key, if it has one; else what a contract wallet may take."""
    key = _BY_ADDRESS.get(intent.common.account)
    return b"a contract wallet's" if key is None else sign(intent, DOMAIN, key)


@dataclass
class FakeMarket:
    """The relay's book, the Verifier's counts, the market's refusals, a mempool. `mine` does what the chain would."""

    market: str = MARKET
    account: str = KEY.address
    domain: Domain = DOMAIN
    now: int = NOW
    price: int | None = PRICE
    age: int = 10
    deviation: int = 50_000
    taker_fee: int = 1_000
    referral_fee: int = 100_000
    inventory: int = 0
    fee: int = 10**9
    posted: int = 0
    """Wei for posting a deal."""
    book: list[Open] = field(default_factory=list)
    filled: dict[str, int] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    refused: dict[frozenset[str], str] = field(default_factory=dict)
    """What the market says to a deal of these intents."""
    surprises: dict[frozenset[str], str] = field(default_factory=dict)
    """Likewise, once it is mined alone."""
    batches: dict[bytes, tuple[Deal, ...]] = field(default_factory=dict)
    pool: dict[int, bytes] = field(default_factory=dict)
    nonces: int = 0
    receipts: dict[str, Mined] = field(default_factory=dict)
    away: bool = False
    deals: list[Deal] = field(default_factory=list)

    # -- The relay

    def open_orders(self, market):
        assert market == self.market
        return [
            Order(each.sequence, each.hash, each.intent, signature_of(each.intent), Status.OPEN, 1, 0)
            for each in self.book
        ]

    # -- The chain, for decisions

    def snapshot(self):
        return Snapshot(
            self.now, self.price, self.age, self.deviation, self.taker_fee, self.referral_fee, self.inventory, self.fee
        )

    def remaining(self, intents):
        by_hash = {each.intent: each.hash for each in self.book}
        return [self._left(by_hash[intent], intent) for intent in intents]

    def _left(self, digest, intent):
        return 0 if digest in self.cancelled else intent.size - self.filled.get(digest, 0)

    def trials(self, deals, limit):
        assert limit == Gas().most
        return [self.refused.get(frozenset(deal.hashes), 100_000) for deal in deals]

    def posting(self, deals, gas):
        assert gas > 100_000 * len(deals)
        return self.posted * len(deals)

    def calldata(self, deals):
        data = len(self.batches).to_bytes(4)
        self.batches[data] = tuple(deals)
        return data

    # -- The chain, for the sender

    def nonce(self, address):
        assert address == KEY.address
        return self.nonces

    def base_fee(self):
        return self.fee

    def receipt(self, digest):
        return self.receipts.get(digest)

    def send_raw(self, raw):
        if self.away:
            raise NodeError("the node does not answer")
        fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        nonce = fields["nonce"]
        if nonce < self.nonces or (nonce in self.pool and self._fee(raw) <= self._fee(self.pool[nonce])):
            return
        self.pool[nonce] = raw

    def _fee(self, raw):
        return TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["maxFeePerGas"]

    def mine(self):
        """Makes a block of the pool."""
        self.now += 2
        while self.nonces in self.pool:
            raw = self.pool.pop(self.nonces)
            transaction = TypedTransaction.from_bytes(HexBytes(raw))
            digest = "0x" + keccak(raw).hex()
            deals = self.batches.get(bytes(HexBytes(transaction.as_dict()["data"])), ())
            skipped = {}
            for index, deal in enumerate(deals):
                reason = self._apply(deal)
                if reason:
                    skipped[index] = reason
            self.receipts[digest] = Mined(True, 100_000, skipped)
            self.nonces += 1

    def _apply(self, deal):
        reason = self.refused.get(frozenset(deal.hashes)) or self.surprises.get(frozenset(deal.hashes))
        if reason:
            return reason
        orders = (deal.a, deal.b) if isinstance(deal, Cross) else (deal.order,)
        for order in orders:
            left = self._left(order.hash, order.intent)
            if deal.size > left or deal.size < order.smallest(left) or not order.intent.accepts(deal.price):
                return "OverFilled or too small"
        for order in orders:
            self.filled[order.hash] = self.filled.get(order.hash, 0) + deal.size
        if not isinstance(deal, Cross):
            self.inventory += -deal.size if deal.order.buys else deal.size
        self.deals.append(deal)
        return None


@pytest.fixture
def market():
    return FakeMarket()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "solver.db"


@pytest.fixture
def journal(path):
    journal = Journal(path)
    yield journal
    journal.close()


@pytest.fixture
def sender(market, journal):
    return Sender(KEY, DOMAIN.chain_id, market, journal, tip=10, patience=30, clock=lambda: market.now)


@pytest.fixture
def make_solver(market, sender):
    def make(sender=sender, **options):
        return Solver(market, market, sender, Options(**options))

    return make
