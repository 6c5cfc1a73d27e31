"""Pyth's updates over HTTP, from Hermes or what answers as it does."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx2

from perennial.chain import check_address

if TYPE_CHECKING:
    from collections.abc import Sequence

PUBLIC = "https://hermes.pyth.network"
"""Pyth's own; it asks for an API key."""

REMEMBERED = 256
"""Answers that are kept: what was the first update after a moment stays so."""


class HermesError(Exception):
    """Hermes does not answer, refuses, or answers something else than updates."""


class UnknownFeedError(HermesError):
    """Hermes does not know one of the feeds, or what answers is no Hermes."""


@dataclass(frozen=True, slots=True)
class Updates:
    """Updates of some feeds: as Pyth's contract takes them, and when each feed's was published (Unix seconds).

    `previous` is when each feed's update before was published.
    """

    data: tuple[bytes, ...]
    published: dict[str, int]
    previous: dict[str, int]

    def are_first_in(self, start: int, end: int) -> bool:
        """Whether each is the first one of its feed between two seconds, both included."""
        in_time = all(start <= published <= end for published in self.published.values())
        return in_time and all(previous < start for previous in self.previous.values())

    def arguments(self, oracles: Sequence[Sequence[str]]) -> list[bytes]:  # noqa: ARG002 -- as rounds of Chainlink's
        """What the adapter takes, whatever the oracles' feeds are."""
        return list(self.data)


class Hermes:
    """A client. `key` is an API key, where the service asks for one. Raises NodeAddressError."""

    def __init__(self, url: str = PUBLIC, key: str | None = None, timeout: float = 10) -> None:
        check_address(url, f"Hermes, such as {PUBLIC}")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx2.Client(base_url=url, headers=headers, timeout=timeout)
        self._known: OrderedDict[tuple[int, tuple[str, ...]], Updates] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    @property
    def place(self) -> str:
        """Host and port, to be shown: path and query of a hosted service have its key in them."""
        return self._client.base_url.netloc.decode()

    def first(self, ids: Sequence[str], timestamp: int) -> Updates | None:
        """The first update of each feed at a second or after it; None where there is none yet. Raises HermesError."""
        key = timestamp, tuple(sorted(ids))
        if key not in self._known:
            found = self._ask(f"/v2/updates/price/{timestamp}", key[1])
            if found is None:
                return None
            self._known[key] = found
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return self._known[key]

    def latest(self, ids: Sequence[str]) -> Updates:
        """The newest update of each feed. Raises HermesError, UnknownFeedError."""
        found = self._ask("/v2/updates/price/latest", tuple(sorted(ids)))
        if found is None:
            raise UnknownFeedError(f"no updates of {', '.join(ids)}")
        return found

    def _ask(self, path: str, ids: tuple[str, ...]) -> Updates | None:
        params = {"ids[]": list(ids), "encoding": "hex", "parsed": "true"}
        try:
            answer = self._client.get(path, params=params)
            if answer.status_code == httpx2.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
            return _updates(answer.json(), ids)
        except httpx2.HTTPError as error:
            raise HermesError(f"no prices from {self.place}: {_why(error)}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise HermesError(f"{self.place} does not answer as Hermes does: {error!r}") from error


def _why(error: httpx2.HTTPError) -> str:
    """What is wrong, without the address: of an answer that refuses its status."""
    if isinstance(error, httpx2.HTTPStatusError):
        return f"it answers {error.response.status_code} {error.response.reason_phrase}"
    return str(error)


def _updates(answer: dict[str, Any], ids: tuple[str, ...]) -> Updates:
    found = {_id(entry["id"]): entry for entry in answer["parsed"]}
    entries = {each: found[_id(each)] for each in ids}
    return Updates(
        data=tuple(bytes.fromhex(data.removeprefix("0x")) for data in answer["binary"]["data"]),
        published={each: int(entry["price"]["publish_time"]) for each, entry in entries.items()},
        previous={each: int(entry["metadata"]["prev_publish_time"]) for each, entry in entries.items()},
    )


def _id(text: str) -> str:
    return text.removeprefix("0x").lower()
