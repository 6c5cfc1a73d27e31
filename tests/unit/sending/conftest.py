"""A node that mines when told, and what sends to it."""

from dataclasses import dataclass, field

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from perennial.chain import NodeError
from perennial.sending.journal import Call, Journal
from perennial.sending.sender import Mined, Sender

NOW = 1_900_000_000
KEY = Account.from_key(bytes([7] * 32))
TARGET = Account.from_key(bytes([9] * 32)).address
CHAIN_ID = 31337


@dataclass
class FakeNode:
    """A mempool and its receipts."""

    now: int = NOW
    fee: int = 10**9
    pool: dict[int, bytes] = field(default_factory=dict)
    nonces: int = 0
    receipts: dict[str, Mined] = field(default_factory=dict)
    away: bool = False

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
        fields = transaction(raw)
        nonce = fields["nonce"]
        there = self.pool.get(nonce)
        if nonce < self.nonces or (there and fields["maxFeePerGas"] <= transaction(there)["maxFeePerGas"]):
            return
        self.pool[nonce] = raw

    def mine(self):
        """Makes a block of the pool."""
        self.now += 2
        while self.nonces in self.pool:
            raw = self.pool.pop(self.nonces)
            self.receipts["0x" + keccak(raw).hex()] = Mined(True, 100_000)
            self.nonces += 1


def transaction(raw):
    """The fields of a signed transaction."""
    return TypedTransaction.from_bytes(HexBytes(raw)).as_dict()


def call(number=0):
    """A call, told from others by its number."""
    return Call(TARGET, number.to_bytes(4), 500_000, value=number)


@pytest.fixture
def node():
    return FakeNode()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def make_sender(node, path):
    """A process with the journal: another call makes what comes after a kill."""
    journals = []

    def make(limit=1, **options):
        journals.append(Journal(path, limit))
        return Sender(KEY, CHAIN_ID, node, journals[-1], tip=10, patience=30, clock=lambda: node.now, **options)

    yield make
    for journal in journals:
        journal.close()


@pytest.fixture
def sender(make_sender):
    return make_sender()
