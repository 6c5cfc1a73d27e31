"""The publisher over HTTP, as Hermes answers: what commits on Base Sepolia commits here.

Beside Hermes' own paths there is `POST /moves`, by which a person moves a price.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from perennial.amounts import raw
from perennial.prices import encode_update
from perennial.publisher.publisher import UnknownFeed

if TYPE_CHECKING:
    from perennial.mirror.versions import Update
    from perennial.publisher.publisher import Feed, Publisher

Ids = Annotated[list[str], Query(alias="ids[]")]


class Move(BaseModel):
    """A price that somebody wishes: feed by name or id, decimal text."""

    feed: str
    price: str


def create_app(publisher: Publisher) -> FastAPI:
    """The application over a publisher."""
    app = FastAPI(title="Prices of a local network", docs_url=None, redoc_url=None)

    @app.exception_handler(UnknownFeed)
    def unknown(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 404)

    # Not async: answers are computed, and the clock may ask a node.
    @app.get("/v2/updates/price/latest")
    def latest(ids: Ids) -> dict[str, Any]:
        return _answer([(feed, publisher.latest(feed)) for feed in map(publisher.feed, ids)])

    @app.get("/v2/updates/price/{publish_time}")
    def at(publish_time: int, ids: Ids) -> dict[str, Any]:
        found = []
        for feed in map(publisher.feed, ids):
            update = publisher.first(feed, publish_time)
            if update is None:
                raise HTTPException(404, f"nothing of {feed.name} since {publish_time} yet")
            found.append((feed, update))
        return _answer(found)

    @app.get("/v2/price_feeds")
    def feeds() -> list[dict[str, Any]]:
        return [{"id": feed.id, "attributes": {"symbol": feed.name}} for feed in publisher.feeds.values()]

    @app.post("/moves")
    def move(wish: Move) -> dict[str, Any]:
        feed = publisher.feed(wish.feed)
        try:
            since = publisher.move(feed, raw(wish.price))
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return {"feed": feed.name, "price": wish.price, "since": since}

    return app


def _answer(found: list[tuple[Feed, Update]]) -> dict[str, Any]:
    data = [encode_update(feed.id, update).hex() for feed, update in found]
    parsed = [_parsed(feed, update) for feed, update in found]
    return {"binary": {"encoding": "hex", "data": data}, "parsed": parsed}


def _parsed(feed: Feed, update: Update) -> dict[str, Any]:
    price = {
        "price": str(update.price),
        "conf": str(update.confidence),
        "expo": update.exponent,
        "publish_time": update.published,
    }
    metadata = {"prev_publish_time": update.previous}
    return {"id": feed.id, "price": price, "ema_price": price, "metadata": metadata}
