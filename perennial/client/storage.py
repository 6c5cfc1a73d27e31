"""A market's storage, slot by slot, as contracts/market/MarketStorage.sol packs it.

Views say what an account has; to the last digit of what an order would cost, a quote needs what they leave out: the
funding rate's last decimals, accumulators, orders in the queues. They are public in storage.
"""

from __future__ import annotations

from typing import NamedTuple

from eth_utils.crypto import keccak

from perennial.mirror.account_state import Liquidation
from perennial.mirror.accumulators import Accumulators
from perennial.mirror.orders import NOBODY, Order, PendingVersion
from perennial.mirror.position import Book

MARKET = int.from_bytes(keccak((int.from_bytes(keccak(text="perennial.storage.Market")) - 1).to_bytes(32))) & ~0xFF
"""Where the storage of a market begins (ERC-7201)."""

CONFIG, BOOK, PENDING_BOOK, ACCUMULATORS, PRICING = (MARKET + index for index in (0, 8, 9, 10, 11))
CLAIMABLE_FEES, TOTALS = MARKET + 13, MARKET + 14
QUEUE, VERSIONS, CARRIED_PRICES, FEE_HISTORY, ACCOUNTS = (MARKET + index for index in (18, 19, 22, 23, 24))

RING = 1 << 16
"""Places in a queue; indices wrap around."""


class SettledBook(NamedTuple):
    """G0: settled sizes, the version that they are of, where the queue starts and how long it is."""

    sizes: Book
    timestamp: int
    head: int
    length: int


class Pricing(NamedTuple):
    """G3: price with 6 decimals, whether the settled version had one, rate with 12, fees with 6."""

    price: int
    valid: bool
    funding_rate: int
    undistributed: int
    settlement_fees: int
    protocol_fee: int


class AccountWords(NamedTuple):
    """A.state: an account as of its last settlement."""

    collateral: int
    size: int
    side: int
    accumulator: int
    head: int
    length: int
    locked: bool
    ordered: bool


class Sums(NamedTuple):
    """A.pending: sums over an account's pending orders; units with 12 decimals."""

    opens: int
    closes: int
    units: int
    settlement: int


def field(word: int, offset: int, width: int) -> int:
    """The unsigned number in these bits."""
    return (word >> offset) & ((1 << width) - 1)


def signed(word: int, offset: int, width: int) -> int:
    """The number in these bits, in two's complement."""
    value = field(word, offset, width)
    return value - (1 << width) if value >> (width - 1) else value


def entry(mapping: int, key: int | str, offset: int = 0) -> int:
    """The slot of a mapping's entry, or one of those behind it; `key` is a number or an address."""
    number = int(key, 16) if isinstance(key, str) else key
    return int.from_bytes(keccak(number.to_bytes(32) + mapping.to_bytes(32))) + offset


def element(array: int, index: int) -> int:
    """The slot of an element of an array of words."""
    return int.from_bytes(keccak(array.to_bytes(32))) + index


def fee_since(word: int) -> int:
    """C0: the newest version that was pending when the settlement fee last changed."""
    return field(word, 194, 32)


def sizes(word: int) -> Book:
    """The sizes in G0 or G1."""
    return Book(*(field(word, offset, 64) for offset in (0, 64, 128)))


def book(word: int) -> SettledBook:
    """G0."""
    return SettledBook(sizes(word), field(word, 192, 32), field(word, 224, 16), field(word, 240, 16))


def accumulators(word: int) -> Accumulators:
    """G2, or the first 240 bits of a version's record."""
    return Accumulators(*(signed(word, offset, 80) for offset in (0, 80, 160)))


def is_valid(record: int) -> bool:
    """Whether a version's record says that it had a price."""
    return bool(field(record, 240, 1))


def pricing(word: int) -> Pricing:
    """G3."""
    return Pricing(
        signed(word, 0, 58),
        bool(field(word, 58, 1)),
        signed(word, 59, 54),
        field(word, 113, 62),
        field(word, 175, 56),
        field(word, 231, 24),
    )


def pending_version(orders: int, units: int, fills: int) -> PendingVersion:
    """P.a, P.b, P.c: slots are reused, so units and fills mean something only where P.a says so."""
    pending = PendingVersion(field(orders, 0, 32), Book(*(signed(orders, offset, 72) for offset in (32, 104, 176))))
    if field(orders, 248, 1):
        pending.units, pending.referral_units = field(units, 0, 88), field(units, 88, 88)
        pending.settlement = field(units, 176, 80)
    if field(orders, 249, 1):
        pending.has_fills, pending.exchanged, pending.fill_fees = True, signed(fills, 0, 72), field(fills, 72, 128)
    return pending


def account(word: int) -> AccountWords:
    """A.state."""
    return AccountWords(
        signed(word, 0, 64),
        field(word, 64, 63),
        field(word, 127, 2),
        signed(word, 129, 80),
        field(word, 209, 16),
        field(word, 225, 16),
        bool(field(word, 241, 1)),
        bool(field(word, 242, 1)),
    )


def sums(word: int) -> Sums:
    """A.pending."""
    return Sums(field(word, 0, 63), field(word, 63, 63), field(word, 126, 86), field(word, 212, 44))


def liquidation(word: int) -> Liquidation:
    """A.liquidation."""
    return Liquidation(f"0x{field(word, 0, 160):040x}", field(word, 160, 48), field(word, 208, 32))


def order(sizes_word: int, terms: int, fills: int) -> tuple[Order, bool]:
    """O.a, O.b, O.c, and whether it stores its own settlement fee: without, the fee is its version's."""
    has_terms, has_fills = bool(field(sizes_word, 251, 1)), bool(field(sizes_word, 252, 1))
    found = Order(
        timestamp=field(sizes_word, 0, 32),
        opened=field(sizes_word, 32, 63),
        closed=field(sizes_word, 95, 63),
        rate=field(sizes_word, 158, 41),
        change=signed(sizes_word, 199, 26),
        absolute_change=signed(sizes_word, 225, 26),
    )
    if has_terms:
        found.referrer = f"0x{field(terms, 0, 160):040x}" if field(terms, 0, 160) else NOBODY
        found.settlement_fee, found.referral_share = field(terms, 160, 48), field(terms, 208, 40)
    if has_fills:
        found.has_fills = True
        found.fill_size, found.fill_notional = signed(fills, 0, 64), signed(fills, 64, 128)
    return found, has_terms
