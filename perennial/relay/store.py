"""The relay's database: intents, fills, cancellations, and a log of events that the stream is read from.

SQLite or PostgreSQL, by SQLAlchemy's URL. Every change and the event that tells of it are one transaction, and what the
API has confirmed is on disk: a relay that is killed has lost and doubled nothing.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    create_engine,
    event,
    func,
    or_,
    select,
    text,
)

from perennial.intents import GroupCancellation, Intent, NonceCancellation
from perennial.relay.records import Event, Fill, Level, Order, Refusal, SignedCancellation, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Select

LIMIT = 2**63
"""Sizes and prices below it fit a column; the market takes none beyond (docs/protocol.md §1.5)."""

_metadata = MetaData()

# SQLite counts up by itself only where the type is exactly INTEGER.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

_intents = Table(
    "intents",
    _metadata,
    Column("sequence", _NUMBER, primary_key=True, autoincrement=True),
    Column("hash", String(66), nullable=False, unique=True),
    Column("market", String(42), nullable=False),
    Column("account", String(42), nullable=False),
    Column("nonce", String(78), nullable=False),
    Column("group", String(78), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("expiry", BigInteger, nullable=False),
    Column("remaining", BigInteger, nullable=False),
    Column("status", String(9), nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Index("intents_book", "market", "status", "price"),
    Index("intents_account", "account", "nonce"),
    sqlite_autoincrement=True,
)

_fills = Table(
    "fills",
    _metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("hash", String(66), nullable=False, index=True),
    Column("block", BigInteger, nullable=False, index=True),
    Column("transaction", String(66), nullable=False),
    Column("log_index", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("remaining", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("counterparty", String(42), nullable=False),
    # A log is a fill of one intent; that it is there once is what makes reading a block twice harmless.
    UniqueConstraint("transaction", "log_index"),
    sqlite_autoincrement=True,
)

_cancellations = Table(
    "cancellations",
    _metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("hash", String(66), nullable=False, unique=True),
    Column("account", String(42), nullable=False),
    Column("nonce", String(78), nullable=False),
    Column("group", String(78), nullable=True),
    Column("kind", String(20), nullable=False),
    Column("content", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Index("cancellations_account", "account"),
    sqlite_autoincrement=True,
)

_events = Table(
    "events",
    _metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("market", String(42), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("content", Text, nullable=False),
    sqlite_autoincrement=True,
)

_facts = Table("facts", _metadata, Column("name", String(20), primary_key=True), Column("value", Text, nullable=False))

_progress = Table("progress", _metadata, Column("name", String(20), primary_key=True), Column("block", BigInteger))

_BLOCKS, _FORGOTTEN = "fills", "events"
"""Names under which the last block read for fills is kept, and the last event that was deleted."""

_OWNER = "owner"
"""Name of the fact whose intents these are."""

_ADVISORY_LOCK = 0x7065_7270
"""Any number that other programs on the same PostgreSQL do not lock."""


class StoreError(RuntimeError):
    """The database is of another chain or protocol."""


def why(error: Exception) -> str:
    """What is wrong with a database, in a line, without what SQLAlchemy adds to it."""
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0]


class Store:
    """The database. Safe to use from many threads; from several processes on PostgreSQL."""

    def __init__(self, url: str) -> None:
        # A server may have been restarted since a connection was last used.
        self._engine = create_engine(url, pool_pre_ping=True)
        # Writers one after the other: so event numbers become visible in their order, and no reader skips one.
        self._writing = Lock()
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _set_up_sqlite)
        _metadata.create_all(self._engine)

    def close(self) -> None:
        """Ends all connections."""
        self._engine.dispose()

    def belong_to(self, owner: str) -> None:
        """Says in words of which chain and protocol the database is; another one's is refused with StoreError."""
        with self._write() as connection:
            known = connection.execute(select(_facts.c.value).where(_facts.c.name == _OWNER)).scalar_one_or_none()
            if known is None:
                connection.execute(_facts.insert().values(name=_OWNER, value=owner))
            elif known != owner:
                raise StoreError(f"the database is of {known}, not of {owner}")

    # -- Intents ------------------------------------------------------------------------------------------------------

    def add(
        self, digest: str, intent: Intent, signature: bytes, remaining: int, now: int, most: int = LIMIT
    ) -> tuple[Order, bool]:
        """Keeps an intent; returns it as kept, and whether it is new. One that is known stays as it is.

        Refusal as of `check`: here nothing comes in between.
        """
        with self._write() as connection:
            known = self._find(connection, digest)
            if known is not None:
                return known, False
            common = intent.common
            self._check(connection, intent, now, most)
            connection.execute(
                _intents.insert().values(
                    hash=digest,
                    market=common.domain,
                    account=common.account,
                    nonce=str(common.nonce),
                    group=str(common.group),
                    amount=intent.amount,
                    price=intent.price,
                    expiry=min(common.expiry, LIMIT - 1),
                    remaining=remaining,
                    status=Status.OPEN.value,
                    received=now,
                    content=json.dumps(intent.to_json()),
                    signature=signature,
                )
            )
            order = self._find(connection, digest)
            assert order is not None
            _tell(connection, order.intent.common.domain, "intent", order.to_json())
            return order, True

    def check(self, intent: Intent, now: int, most: int) -> None:
        """Refusal where the account has `most` open intents, or has signed a cancellation of this one that waits."""
        with self._engine.connect() as connection:
            self._check(connection, intent, now, most)

    def find(self, digest: str) -> Order | None:
        """The intent of this hash."""
        with self._engine.connect() as connection:
            return self._find(connection, digest)

    def orders(
        self,
        *,
        market: str | None = None,
        account: str | None = None,
        status: Status | None = None,
        after: int = 0,
        limit: int = 100,
        now: int | None = None,
    ) -> list[Order]:
        """Intents in order of time, those after a sequence; open ones without those that have expired at `now`."""
        query = select(_intents).where(_intents.c.sequence > after).order_by(_intents.c.sequence).limit(limit)
        if market is not None:
            query = query.where(_intents.c.market == market)
        if account is not None:
            query = query.where(_intents.c.account == account)
        if status is not None:
            query = query.where(_intents.c.status == status.value)
        if status is Status.OPEN:
            query = query.where(_intents.c.expiry > _now(now))
        return [_order(row) for row in self._read(query)]

    def knows(self, account: str) -> bool:
        """Whether the account has ever had an intent here."""
        with self._engine.connect() as connection:
            return connection.execute(select(_intents.c.hash).where(_intents.c.account == account)).first() is not None

    def book(self, market: str, depth: int, now: int | None = None) -> tuple[list[Level], list[Level]]:
        """The best prices at which intents buy and sell, best first."""

        def levels(side: ColumnElement[bool], best_first: ColumnElement[Any]) -> list[Level]:
            query = (
                select(_intents.c.price, func.sum(_intents.c.remaining), func.count())
                .where(_intents.c.market == market, _intents.c.status == Status.OPEN.value, side)
                .where(_intents.c.expiry > _now(now), _intents.c.remaining > 0)
                .group_by(_intents.c.price)
                .order_by(best_first)
                .limit(depth)
            )
            return [Level(row[0], int(row[1]), row[2]) for row in self._read(query)]

        price, amount = _intents.c.price, _intents.c.amount
        return levels(amount > 0, price.desc()), levels(amount < 0, price.asc())

    # -- What the chain did -------------------------------------------------------------------------------------------

    def apply_fills(self, fills: Sequence[Fill], first: int, last: int) -> tuple[list[Fill], list[Fill]]:
        """Books the fills of the blocks from `first` to `last`; returns those that are news, and those that are gone.

        Blocks may be read again: a fill that was in them before, or after them, and is not among `fills` is no longer
        on the chain, which has been reorganised. Its intent gets back what it had taken.
        """
        with self._write() as connection:
            there = {(fill.block, fill.transaction, fill.log_index) for fill in fills}
            known = [_fill(row) for row in connection.execute(select(_fills).where(_fills.c.block >= first))]
            gone = [fill for fill in known if (fill.block, fill.transaction, fill.log_index) not in there]
            for fill in gone:
                self._take_back(connection, fill)
            fresh = [fill for fill in fills if self._book_fill(connection, fill)]
            self._set_progress(connection, _BLOCKS, last)
            return fresh, gone

    def apply_state(self, seen: Order, remaining: int, status: Status) -> bool:
        """What the chain says about an intent that was read as `seen`; returns whether that is news.

        Nothing is changed where it is no longer as it was: while the chain was asked its account has signed a
        cancellation, which the chain does not know of, or a later fill was booked.
        """
        if (seen.remaining, seen.status) == (remaining, status):
            return False
        with self._write() as connection:
            row = connection.execute(select(_intents).where(_intents.c.hash == seen.hash)).one_or_none()
            if row is None or (row.remaining, row.status) != (seen.remaining, seen.status.value):
                return False
            self._update(connection, row.market, seen.hash, remaining, status)
            return True

    def fills(
        self,
        *,
        market: str | None = None,
        account: str | None = None,
        digest: str | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> list[tuple[int, Fill]]:
        """Numbered fills in order, those after a number."""
        joined = _fills.join(_intents, _fills.c.hash == _intents.c.hash)
        query = select(_fills).select_from(joined).where(_fills.c.number > after)
        query = query.order_by(_fills.c.number).limit(limit)
        if market is not None:
            query = query.where(_intents.c.market == market)
        if account is not None:
            query = query.where(_intents.c.account == account)
        if digest is not None:
            query = query.where(_fills.c.hash == digest)
        return [(row.number, _fill(row)) for row in self._read(query)]

    def block(self) -> int | None:
        """The last block whose fills are booked."""
        return self._progress(_BLOCKS)

    def start_at(self, block: int) -> None:
        """Reads fills from after this block on, unless some were read before."""
        with self._write() as connection:
            if connection.execute(select(_progress).where(_progress.c.name == _BLOCKS)).one_or_none() is None:
                self._set_progress(connection, _BLOCKS, block)

    # -- Cancellations ------------------------------------------------------------------------------------------------

    def cancel(
        self, digest: str, message: NonceCancellation | GroupCancellation, signature: bytes, most: int = LIMIT
    ) -> list[str]:
        """Keeps a signed cancellation and takes the intents that it means off the book; returns their hashes.

        Refusal where `most` of the account's wait already.
        """
        account = message.common.account
        nonce = str(message.common.nonce)
        group = str(message.group) if isinstance(message, GroupCancellation) else None
        values = {"account": account, "nonce": nonce, "group": group, "kind": message.name, "hash": digest}
        meant = (
            _intents.c.nonce == nonce if group is None else or_(_intents.c.nonce == nonce, _intents.c.group == group)
        )
        with self._write() as connection:
            if connection.execute(select(_cancellations).where(_cancellations.c.hash == digest)).first() is None:
                own = select(func.count()).where(_cancellations.c.account == account)
                if connection.execute(own).scalar_one() >= most:
                    raise Refusal("too_many", f"{most} cancellations of the account wait", status=429)
                content = json.dumps(message.to_json())
                connection.execute(_cancellations.insert().values(content=content, signature=signature, **values))
            query = select(_intents).where(_intents.c.account == account, _intents.c.status == Status.OPEN.value, meant)
            rows = connection.execute(query).all()
            for row in rows:
                self._update(connection, row.market, row.hash, 0, Status.CANCELLED)
            return [row.hash for row in rows]

    def cancellations(self, after: int = 0, limit: int = 100) -> list[SignedCancellation]:
        """Signed cancellations that nobody is known to have brought to the chain, in order, those after a number."""
        kinds = {kind.name: kind for kind in (NonceCancellation, GroupCancellation)}
        query = select(_cancellations).where(_cancellations.c.number > after)
        return [
            SignedCancellation(row.number, row.hash, kinds[row.kind].from_dict(json.loads(row.content)), row.signature)
            for row in self._read(query.order_by(_cancellations.c.number).limit(limit))
        ]

    def forget_cancellations(self, digests: Sequence[str]) -> None:
        """The chain knows these now, or will never: they need not be brought there."""
        with self._write() as connection:
            connection.execute(_cancellations.delete().where(_cancellations.c.hash.in_(digests)))

    # -- Events -------------------------------------------------------------------------------------------------------

    def events(self, market: str | None, after: int, limit: int = 100) -> list[Event]:
        """Events in order, those after a number."""
        query = select(_events).where(_events.c.number > after).order_by(_events.c.number).limit(limit)
        if market is not None:
            query = query.where(_events.c.market == market)
        return [Event(row.number, row.market, row.kind, json.loads(row.content)) for row in self._read(query)]

    def last_event(self) -> int:
        """The number of the last event, 0 before the first."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(_events.c.number))).scalar_one() or 0

    def forget_events(self, keep: int) -> int:
        """Deletes all but about the last `keep` events; returns how many are gone."""
        with self._write() as connection:
            until = (connection.execute(select(func.max(_events.c.number))).scalar_one() or 0) - keep
            deleted = connection.execute(_events.delete().where(_events.c.number <= until)).rowcount
            if deleted:
                self._set_progress(connection, _FORGOTTEN, until)
            return deleted

    def forgotten(self) -> int:
        """The number of the last event that was deleted, 0 before the first."""
        return self._progress(_FORGOTTEN) or 0

    # -- Steps --------------------------------------------------------------------------------------------------------

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._writing, self._engine.begin() as connection:
            if self._engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
            elif self._engine.dialect.name == "sqlite":
                # At once: a transaction that first reads and then writes would fail where another one wrote meanwhile.
                connection.execute(text("BEGIN IMMEDIATE"))
            yield connection

    def _read(self, query: Select[Any]) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(query).all()

    def _find(self, connection: Connection, digest: str) -> Order | None:
        row = connection.execute(select(_intents).where(_intents.c.hash == digest)).one_or_none()
        return None if row is None else _order(row)

    def _book_fill(self, connection: Connection, fill: Fill) -> bool:
        place = and_(_fills.c.transaction == fill.transaction, _fills.c.log_index == fill.log_index)
        if connection.execute(select(_fills.c.number).where(place)).first() is not None:
            return False
        row = connection.execute(select(_intents).where(_intents.c.hash == fill.hash)).one_or_none()
        if row is None:
            # Filled without having been here.
            return False
        names = ("hash", "block", "transaction", "log_index", "size", "remaining", "price", "counterparty")
        connection.execute(_fills.insert().values(**{name: getattr(fill, name) for name in names}))
        _tell(connection, row.market, "fill", fill.to_json())
        # A cancelled intent may have been filled before; it does not come back. What remains never grows.
        status = Status.FILLED if fill.remaining == 0 else Status(row.status)
        self._update(connection, row.market, fill.hash, min(row.remaining, fill.remaining), status)
        return True

    def _update(self, connection: Connection, market: str, digest: str, remaining: int, status: Status) -> None:
        connection.execute(
            _intents.update().where(_intents.c.hash == digest).values(remaining=remaining, status=status.value)
        )
        _tell(connection, market, "state", {"hash": digest, "remaining": str(remaining), "status": status.value})

    def _take_back(self, connection: Connection, fill: Fill) -> None:
        place = and_(_fills.c.transaction == fill.transaction, _fills.c.log_index == fill.log_index)
        connection.execute(_fills.delete().where(place))
        row = connection.execute(select(_intents).where(_intents.c.hash == fill.hash)).one()
        _tell(connection, row.market, "unfilled", fill.to_json())
        # What is cancelled stays so; of the rest the Verifier says the last word when the watcher looks at it.
        status = Status.OPEN if row.status == Status.FILLED.value else Status(row.status)
        remaining = min(abs(row.amount), row.remaining + fill.size)
        if status is Status.OPEN:
            self._update(connection, row.market, fill.hash, remaining, status)

    def _check(self, connection: Connection, intent: Intent, now: int, most: int) -> None:
        common = intent.common
        same = or_(_cancellations.c.nonce == str(common.nonce), _cancellations.c.group == str(common.group))
        signed = select(_cancellations.c.hash).where(_cancellations.c.account == common.account, same)
        if connection.execute(signed).first() is not None:
            raise Refusal("cancelled", "the account has signed a cancellation of this nonce or group", "common.nonce")
        is_open = and_(_intents.c.status == Status.OPEN.value, _intents.c.expiry > now)
        own = select(func.count()).where(_intents.c.account == common.account, is_open)
        if connection.execute(own).scalar_one() >= most:
            raise Refusal("too_many", f"the account has {most} open intents", status=429)

    def _progress(self, name: str) -> int | None:
        with self._engine.connect() as connection:
            return connection.execute(select(_progress.c.block).where(_progress.c.name == name)).scalar_one_or_none()

    def _set_progress(self, connection: Connection, name: str, number: int) -> None:
        changed = connection.execute(_progress.update().where(_progress.c.name == name).values(block=number))
        if changed.rowcount == 0:
            connection.execute(_progress.insert().values(name=name, block=number))


def _set_up_sqlite(connection: Any, _: Any) -> None:
    """Readers do not wait for the writer; a commit is on disk; transactions begin where `_write` says."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=10000")


def _tell(connection: Connection, market: str, kind: str, content: dict[str, Any]) -> None:
    connection.execute(_events.insert().values(market=market, kind=kind, content=json.dumps(content)))


def _order(row: Row[Any]) -> Order:
    intent = Intent.from_dict(json.loads(row.content))
    return Order(row.sequence, row.hash, intent, row.signature, Status(row.status), row.remaining, row.received)


def _fill(row: Row[Any]) -> Fill:
    place = (row.hash, row.block, row.transaction, row.log_index)
    return Fill(*place, row.size, row.remaining, row.price, row.counterparty)


def _now(now: int | None) -> int:
    return int(time.time()) if now is None else now
