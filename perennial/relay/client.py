"""A relay's API in Python: for solvers, and for whoever posts intents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import httpx2

from perennial.chain import check_address
from perennial.intents import GroupCancellation, Intent, NonceCancellation
from perennial.relay.records import Order, Refusal, Status

if TYPE_CHECKING:
    from types import TracebackType

PAGE = 500
"""Records in one request, the most that a relay gives."""


class RelayError(RuntimeError):
    """A relay does not answer, or not as one."""


class RelayClient:
    """One relay. A context manager closes its connections. Methods raise RelayError, or Refusal where it says no.

    NodeAddressError where `url` cannot be the address of one.
    """

    def __init__(self, url: str, timeout: float = 10, http: httpx2.Client | None = None) -> None:
        if http is None:
            check_address(url, "a relay, such as http://127.0.0.1:8000")
        self._http = http or httpx2.Client(base_url=url, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def post(self, intent: Intent, signature: bytes) -> Order:
        """Posts an intent. Doing it again, after an answer that got lost, say, changes nothing."""
        body = {"intent": intent.to_json(), "signature": "0x" + signature.hex()}
        return _order(self._ask("POST", "/v1/intents", json=body))

    def cancel(self, message: NonceCancellation | GroupCancellation, signature: bytes) -> list[str]:
        """Posts a signed cancellation; returns the hashes of intents that it took off the book."""
        content = message.to_json()
        body = {"kind": message.name, "cancellation": content, "signature": "0x" + signature.hex()}
        hashes: list[str] = self._ask("POST", "/v1/cancellations", json=body)["intents"]
        return hashes

    def order(self, digest: str) -> Order:
        """One intent by its hash."""
        return _order(self._ask("GET", f"/v1/intents/{digest}"))

    def open_orders(self, market: str) -> list[Order]:
        """Every open intent of a market, in order of time."""
        found: list[Order] = []
        while True:
            after = found[-1].sequence if found else 0
            params = {"market": market, "status": Status.OPEN.value, "after": after, "limit": PAGE}
            page = [_order(content) for content in self._ask("GET", "/v1/intents", params=params)]
            found += page
            if len(page) < PAGE:
                return found

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._http.request(method, path, **options)
            content = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise RelayError(f"the relay does not answer at {self._http.base_url}: {error}") from error
        if answer.is_success:
            return content
        # What the relay cannot do now it may do when asked again.
        if answer.status_code >= 500:
            raise RelayError(f"the relay at {self._http.base_url} answers {answer.status_code}")
        if not isinstance(content, dict) or "error" not in content:
            raise RelayError(f"what answers at {self._http.base_url} is no relay: it says {answer.status_code}")
        refusal = content["error"]
        raise Refusal(refusal["code"], refusal["message"], refusal["field"], answer.status_code)


def _order(content: Any) -> Order:
    try:
        return Order(
            sequence=content["sequence"],
            hash=content["hash"],
            intent=Intent.from_dict(content["intent"]),
            signature=bytes.fromhex(content["signature"].removeprefix("0x")),
            status=Status(content["status"]),
            remaining=int(content["remaining"]),
            received=content["received"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RelayError(f"the relay gives no intent: {error}") from error
