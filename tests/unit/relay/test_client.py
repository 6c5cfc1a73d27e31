"""RelayClient: what a relay says, as Python has it."""

import httpx2
import pytest
from fastapi.testclient import TestClient

from perennial.chain import NodeAddressError, NodeError
from perennial.intents import Domain, Intent, NonceCancellation, sign
from perennial.relay import client as module
from perennial.relay.app import create_app
from perennial.relay.client import RelayClient, RelayError
from perennial.relay.limits import Quota
from perennial.relay.records import Refusal, Status

from .conftest import ALICE, DOMAIN, LATER, MARKET, OTHER_MARKET


@pytest.fixture
def relay(intake):
    with TestClient(create_app(intake, quota=Quota())) as http:
        yield RelayClient("", http=http)


def signed(nonce=1, market=MARKET):
    intent = Intent.build(market=market, account=ALICE.address, amount=10, price=100, expiry=LATER, nonce=nonce)
    return intent, sign(intent, DOMAIN, ALICE)


def test_posts_and_asks(relay):
    intent, signature = signed()

    order = relay.post(intent, signature)

    assert (order.intent, order.signature, order.status) == (intent, signature, Status.OPEN)
    assert relay.post(intent, signature) == relay.order(order.hash) == order
    assert relay.open_orders(MARKET) == [order]
    assert relay.open_orders(OTHER_MARKET) == []


def test_reads_page_by_page(relay, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 2)
    orders = [relay.post(*signed(number)) for number in range(4)]

    assert relay.open_orders(MARKET) == orders


def test_cancels(relay):
    order = relay.post(*signed(nonce=7))
    message = NonceCancellation.build(verifier=DOMAIN.verifier, account=ALICE.address, nonce=7, expiry=LATER)

    assert relay.cancel(message, sign(message, DOMAIN, ALICE)) == [order.hash]
    assert relay.order(order.hash).status is Status.CANCELLED


def test_refusals(relay):
    intent, _ = signed()

    with pytest.raises(Refusal) as caught:
        relay.post(intent, sign(intent, Domain(1, DOMAIN.verifier), ALICE))

    assert (caught.value.code, caught.value.field, caught.value.status) == ("signature", "signature", 422)


def test_what_cannot_be_done_now_is_no_refusal(relay, view):
    def away(*_):
        raise NodeError("the node does not answer")

    view.lacks_margin = away

    with pytest.raises(RelayError, match="503"):
        relay.post(*signed())


@pytest.mark.parametrize(
    ("status", "text", "says"),
    [
        (200, "no JSON", "does not answer at http://relay"),
        (404, "[]", "what answers at http://relay is no relay: it says 404"),
        (200, '{"hash": "0x"}', "the relay gives no intent"),
    ],
)
def test_what_is_no_relay(status, text, says):
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status, text=text))
    relay = RelayClient("", http=httpx2.Client(transport=transport, base_url="http://relay"))

    with pytest.raises(RelayError, match=says):
        relay.order("0x12")


def test_nobody_there():
    with RelayClient("http://127.0.0.1:9") as relay, pytest.raises(RelayError, match="does not answer"):
        relay.order("0x12")


@pytest.mark.parametrize("address", ["nowhere", "ftp://127.0.0.1", "http://[::1", "http://127.0.0.1:port"])
def test_what_is_no_address(address):
    with pytest.raises(NodeAddressError, match="is not the address of a relay"):
        RelayClient(address)
