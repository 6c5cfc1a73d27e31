"""Keeps one client from using up what is for all: requests a second, and bytes of a request."""

from __future__ import annotations

import ipaddress
import json
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


CLIENT = "perennial.client"
"""Key of a request's scope under which `Guard` says who asks."""


@dataclass
class Buckets:
    """Token buckets by name: `rate` tokens a second each, at most `burst` of them saved up."""

    rate: float
    burst: int
    clock: Callable[[], float] = time.monotonic
    most: int = 10_000
    """Names remembered; who was not seen for longest is forgotten first, and starts anew."""
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, name: str) -> float:
        """Takes a token; returns 0, or the seconds after which there will be one."""
        now = self.clock()
        with self._lock:
            tokens, since = self._buckets.pop(name, (float(self.burst), now))
            tokens = min(float(self.burst), tokens + (now - since) * self.rate)
            wait = 0.0 if tokens >= 1 else (1 - tokens) / self.rate
            self._buckets[name] = (tokens - 1 if wait == 0 else tokens, now)
            if len(self._buckets) > self.most:
                self._buckets.popitem(last=False)
        return wait


@dataclass(frozen=True)
class Quota:
    """What a client may send."""

    reads: float = 50
    """Requests a second that read, and connections to the stream."""
    writes: float = 10
    """Requests a second that write."""
    burst: int = 100
    """Requests at once after a pause."""
    body: int = 16_384
    """Bytes of a request's body."""
    streams: int = 20
    """Connections to the stream at once."""
    proxies: int = 0
    """Trusted proxies in front: the client is that many from the end of X-Forwarded-For."""


class Guard:
    """ASGI middleware that refuses what is beyond a quota, with 413 or 429."""

    def __init__(self, app: ASGIApp, quota: Quota, clock: Callable[[], float] = time.monotonic) -> None:
        self.app, self.quota = app, quota
        self.reads = Buckets(quota.reads, quota.burst, clock)
        self.writes = Buckets(quota.writes, quota.burst, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one connection to the stream."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        is_write = scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS")
        client = scope[CLIENT] = self._client(scope)
        wait = (self.writes if is_write else self.reads).take(client)
        if wait:
            await _refuse(scope, receive, send, 429, "too_fast", f"again in {wait:.1f} seconds", ceil(wait))
        elif is_write:
            await self._with_body(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads the body, as far as it is allowed to be long, before anybody works on it."""
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            if len(body) > self.quota.body:
                text = f"a request has at most {self.quota.body} bytes"
                await _refuse(scope, receive, send, 413, "too_large", text)
                return
            if not message.get("more_body", False):
                break
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)

    def _client(self, scope: Scope) -> str:
        host = scope["client"][0] if scope.get("client") else ""
        if self.quota.proxies:
            forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
            hosts = [part.strip() for part in forwarded.decode("latin-1").split(",")]
            host = hosts[-min(self.quota.proxies, len(hosts))] or host
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return host
        if address.version == 4:
            return host
        # One of IPv4 in the clothes of IPv6, as proxies and sockets for both have it: all of these are in one network.
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        # Whoever has an IPv6 address has 2^64 of them.
        return str(ipaddress.ip_network((host, 64), strict=False))


async def _refuse(
    scope: Scope, receive: Receive, send: Send, status: int, code: str, message: str, retry: int | None = None
) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1013, "reason": message})
        return
    headers = [(b"content-type", b"application/json")]
    if retry is not None:
        headers.append((b"retry-after", str(retry).encode()))
    body = json.dumps({"error": {"code": code, "field": None, "message": message}}).encode()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
