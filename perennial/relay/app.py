"""The relay over HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated, Any

from eth_utils.address import to_checksum_address
from fastapi import FastAPI, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from perennial.chain import NodeError
from perennial.relay import schemas
from perennial.relay.limits import CLIENT, Guard, Quota
from perennial.relay.records import Refusal, Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perennial.relay.intake import Intake
    from perennial.relay.watcher import Watcher

logger = logging.getLogger(__name__)

MarketQuery = Annotated[str, Query(pattern=r"^0x[0-9a-fA-F]{40}$")]
AddressQuery = Annotated[str | None, Query(pattern=r"^0x[0-9a-fA-F]{40}$")]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[int, Query(ge=0, lt=2**63)]

_REFUSED: dict[int | str, dict[str, Any]] = {
    422: {"model": schemas.ErrorAnswer, "description": "Refused"},
    429: {"model": schemas.ErrorAnswer, "description": "Too fast, or too many"},
    503: {"model": schemas.ErrorAnswer, "description": "The chain cannot be asked"},
}

_NO_FIELDS = frozenset({"body", "query", "path", "intent", "cancellation", "int", "str"})

LONGEST_END = 5
"""Seconds that what follows the chain has to end."""

PAGE = 200
"""Events that the stream reads at once."""

TOO_LATE = 4410
"""Code with which the stream ends where events that were asked for are deleted."""

DESCRIPTION = f"""
Signed intents (docs/protocol.md §9) from those who want to trade to those who fill them. Numbers are text: integers
with 6 decimals, times in Unix seconds.

**Stream.** `/v1/stream` is a WebSocket. It says `{{"kind": "hello", "number": n}}`, then every event in order as it
happens: `intent` (a new one), `fill`, `unfilled` (the chain was reorganised) and `state` (what remains of an intent,
and its status), each with its `number`. `market=0x…` picks one market, `after=n` goes on after an event, or after the
`event` of a book that was just read, without a gap. Where events after n are deleted already, or n is of another
database, it ends with code {TOO_LATE}: read the book anew.
"""


def create_app(
    intake: Intake,
    watcher: Watcher | None = None,
    quota: Quota | None = None,
    *,
    poll: float = 0.2,
    follow: float = 1.0,
    connections: int = 500,
) -> FastAPI:
    """The relay. `poll` and `follow` are the seconds between looks at the database and at the chain.

    Without a watcher nothing follows the chain: another process does, or a test.
    """
    quota = quota or Quota()
    stream = Stream(intake, poll, connections, quota.streams)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        stop, following = Event(), None
        if watcher is not None:
            following = Thread(target=watcher.run, args=(stop, follow), daemon=True)
            following.start()
        looking = asyncio.create_task(stream.look())
        try:
            yield
        finally:
            looking.cancel()
            stop.set()
            if following is not None:
                # What a node has not answered by then is asked for again after the next start.
                await asyncio.to_thread(following.join, LONGEST_END)

    app = FastAPI(title="Perennial relay", version="1", description=DESCRIPTION, lifespan=lifespan, responses=_REFUSED)
    app.add_middleware(Guard, quota=quota)
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_wrong_shape)
    for failure in (NodeError, SQLAlchemyError):
        app.add_exception_handler(failure, _on_failure)
    _add_writes(app, intake)
    _add_reads(app, intake)

    @app.websocket("/v1/stream")
    async def follow_events(socket: WebSocket, market: AddressQuery = None, after: After | None = None) -> None:
        await stream.serve(socket, market, after)

    return app


def _add_writes(app: FastAPI, intake: Intake) -> None:
    @app.post("/v1/intents", status_code=201, responses={200: {"description": "Known already"}})
    def submit(body: schemas.SignedIntent, response: Response) -> schemas.OrderAnswer:
        """Takes a signed intent. The same one again changes nothing and gets the same answer, with 200."""
        order, is_new = intake.submit(body.intent.model_dump(), bytes.fromhex(body.signature[2:]))
        response.status_code = 201 if is_new else 200
        return schemas.OrderAnswer(**order.to_json())

    @app.post("/v1/cancellations", status_code=202)
    def cancel(body: schemas.SignedCancellation) -> schemas.CancellationAnswer:
        """Takes a signed cancellation, and its intents off the book.

        It counts on chain once somebody has brought it to the Verifier: until then who has the intent can fill it.
        """
        content = body.cancellation.model_dump()
        digest, intents = intake.cancel(body.kind, content, bytes.fromhex(body.signature[2:]))
        return schemas.CancellationAnswer(hash=digest, intents=intents)


def _add_reads(app: FastAPI, intake: Intake) -> None:
    store = intake.store

    @app.get("/v1/info")
    def info() -> schemas.InfoAnswer:
        """What to sign for, and what is taken."""
        return schemas.InfoAnswer(
            domain=intake.domain.to_dict(),
            markets=sorted(intake.markets),
            maxOpenIntents=intake.limits.open_intents,
            maxLifetime=intake.limits.lifetime,
        )

    @app.get("/v1/health")
    def health() -> dict[str, Any]:
        """Whether the database answers, and how far the chain has been followed."""
        return {"status": "ok", "block": store.block()}

    @app.get("/v1/book")
    def book(market: MarketQuery, depth: Annotated[int, Query(ge=1, le=500)] = 50) -> schemas.BookAnswer:
        """What waits at each price, best first."""
        address = to_checksum_address(market)
        # Before the book: what it does not know yet is after this event.
        event = store.last_event()
        sides = [[schemas.LevelAnswer(**level.to_json()) for level in side] for side in store.book(address, depth)]
        return schemas.BookAnswer(market=address, event=event, buys=sides[0], sells=sides[1])

    @app.get("/v1/intents/{digest}", responses={404: {"model": schemas.ErrorAnswer}})
    def intent(digest: str) -> schemas.OrderAnswer:
        """One intent by its hash."""
        order = store.find(digest.lower())
        if order is None:
            raise Refusal("unknown", "no intent of this hash is here", status=404)
        return schemas.OrderAnswer(**order.to_json())

    @app.get("/v1/intents")
    def intents(
        market: AddressQuery = None,
        account: AddressQuery = None,
        status: Status | None = None,
        after: After = 0,
        limit: Limit = 100,
    ) -> list[schemas.OrderAnswer]:
        """Intents in order of time. Pass the last `sequence` as `after` to get those that follow."""
        orders = store.orders(
            market=_checksummed(market), account=_checksummed(account), status=status, after=after, limit=limit
        )
        return [schemas.OrderAnswer(**order.to_json()) for order in orders]

    @app.get("/v1/fills")
    def fills(
        market: AddressQuery = None,
        account: AddressQuery = None,
        hash: Annotated[str | None, Query(pattern=r"^0x[0-9a-fA-F]{64}$")] = None,  # noqa: A002 -- the field's name
        after: After = 0,
        limit: Limit = 100,
    ) -> list[schemas.FillAnswer]:
        """Fills on chain, in order."""
        digest = hash.lower() if hash else None
        found = store.fills(
            market=_checksummed(market), account=_checksummed(account), digest=digest, after=after, limit=limit
        )
        return [schemas.FillAnswer(number=number, **fill.to_json()) for number, fill in found]

    @app.get("/v1/cancellations")
    def cancellations(after: After = 0, limit: Limit = 100) -> list[schemas.WaitingCancellation]:
        """Signed cancellations that wait for somebody to bring them to the Verifier, in order."""
        return [schemas.WaitingCancellation(**each.to_json()) for each in store.cancellations(after, limit)]


class Stream:
    """Events to everyone who listens. Each reads the log of events from where it wants to, at its own pace."""

    def __init__(self, intake: Intake, poll: float, connections: int, each: int) -> None:
        """At most `connections` at once, `each` of one client."""
        self._store, self._poll, self._most, self._each = intake.store, poll, connections, each
        self._listeners: Counter[str] = Counter()
        self._changed = asyncio.Condition()
        self._last = 0

    async def look(self) -> None:
        """Wakes the listeners when there are new events, whichever process or thread wrote them."""
        while True:
            try:
                last = await asyncio.to_thread(self._store.last_event)
                if last != self._last:
                    async with self._changed:
                        self._last = last
                        self._changed.notify_all()
            except Exception:
                logger.exception("the database does not answer; trying again")
            await asyncio.sleep(self._poll)

    async def serve(self, socket: WebSocket, market: str | None, after: int | None) -> None:
        """Sends events as JSON, those after a number, else those from now on."""
        client: str = socket.scope[CLIENT]
        if self._listeners.total() >= self._most or self._listeners[client] >= self._each:
            await socket.close(1013, "too many connections")
            return
        self._listeners[client] += 1
        try:
            await socket.accept()
            sending = asyncio.create_task(self._send(socket, _checksummed(market), after))
            listening = asyncio.create_task(_until_closed(socket))
            done, pending = await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            for task in done:
                with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                    task.result()
        finally:
            self._listeners[client] -= 1
            # Clients that are gone are forgotten.
            self._listeners += Counter()

    async def _send(self, socket: WebSocket, market: str | None, after: int | None) -> None:
        last = await asyncio.to_thread(self._store.last_event)
        number = last if after is None else after
        # One that is not reached yet is of another database: its events would be passed over in silence.
        if not await asyncio.to_thread(self._store.forgotten) <= number <= last:
            await socket.close(TOO_LATE, "these events are not here: read the book anew")
            return
        await socket.send_json({"kind": "hello", "number": number})
        while True:
            # First the last number, then the events: what comes between them is read next time, not passed over.
            last = await asyncio.to_thread(self._store.last_event)
            events = await asyncio.to_thread(self._store.events, market, number, PAGE)
            for event in events:
                await socket.send_json(event.to_json())
                number = event.number
            if len(events) == PAGE:
                continue
            number = seen = max(number, last)
            async with self._changed:
                await self._changed.wait_for(lambda: self._last > seen)  # noqa: B023 -- awaited here


async def _until_closed(socket: WebSocket) -> None:
    """Reads what the listener sends, which is nothing that matters, to learn that it is gone."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _checksummed(address: str | None) -> str | None:
    return None if address is None else to_checksum_address(address)


async def _on_refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    return _error(error.status, error.code, error.field, error.message)


async def _on_wrong_shape(_: Request, error: Exception) -> JSONResponse:
    """The first fault, with its field named as FieldError would."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    # Where it was looked for, and the alternatives of a type, are no fields.
    names = [str(part) for part in first["loc"] if part not in _NO_FIELDS]
    parts = [name for name in names if name.isidentifier() and not name[0].isupper()]
    return _error(422, "field", ".".join(parts) or None, first["msg"])


async def _on_failure(_: Request, error: Exception) -> JSONResponse:
    logger.error("a request failed", exc_info=error)
    return _error(503, "unavailable", None, "the chain or the database cannot be asked now")


def _error(status: int, code: str, field: str | None, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "field": field, "message": message}}, status)
