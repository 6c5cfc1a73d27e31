"""The WebSocket stream: every event once, in order, from wherever the listener was."""

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from perennial.relay.app import PAGE, TOO_LATE, create_app
from perennial.relay.limits import Quota

from .conftest import BOB, MARKET, OTHER_MARKET, make
from .test_book import fill


def post(client, **changes):
    return client.post("/v1/intents", json=make(**changes)).json()


def test_hello_then_what_happens(client, store):
    post(client)
    with client.websocket_connect("/v1/stream") as socket:
        assert socket.receive_json() == {"kind": "hello", "number": 1}
        order = post(client, nonce=7)
        event = socket.receive_json()
        assert (event["kind"], event["market"], event["hash"]) == ("intent", MARKET, order["hash"])

        store.apply_fills([fill(order["hash"], 5, 1, 9)], 5, 5)
        kinds = [socket.receive_json() for _ in range(2)]
        assert [(each["kind"], each["hash"]) for each in kinds] == [("fill", order["hash"]), ("state", order["hash"])]
        assert kinds[1]["remaining"] == "9"


def test_goes_on_where_a_listener_was(client):
    hashes = [post(client, nonce=number)["hash"] for number in range(3)]

    with client.websocket_connect("/v1/stream?after=1") as socket:
        assert socket.receive_json() == {"kind": "hello", "number": 1}
        assert [socket.receive_json()["hash"] for _ in range(2)] == hashes[1:]


def test_one_market(client):
    with client.websocket_connect(f"/v1/stream?market={MARKET.upper().replace('X', 'x')}") as socket:
        socket.receive_json()
        post(client, market=OTHER_MARKET, nonce=1)
        wanted = post(client, trader=BOB)

        assert socket.receive_json()["hash"] == wanted["hash"]


def test_many_at_once(client, store):
    order = post(client)
    store.apply_fills([fill(order["hash"], 5, 1, 10**7 - index, index) for index in range(PAGE)], 5, 5)

    with client.websocket_connect("/v1/stream?after=0") as socket:
        socket.receive_json()
        numbers = [socket.receive_json()["number"] for _ in range(1 + 2 * PAGE)]

    assert numbers == list(range(1, 2 * PAGE + 2))


def test_what_a_listener_says_does_not_matter(client):
    with client.websocket_connect("/v1/stream") as socket:
        socket.receive_json()
        socket.send_text("hello")
        socket.send_bytes(b"\0")
        order = post(client)

        assert socket.receive_json()["hash"] == order["hash"]


def test_the_book_says_from_where(client):
    post(client)
    book = client.get("/v1/book", params={"market": MARKET}).json()
    order = post(client, nonce=7)

    with client.websocket_connect(f"/v1/stream?after={book['event']}") as socket:
        socket.receive_json()
        assert socket.receive_json()["hash"] == order["hash"]


def test_so_many_listeners(intake):
    with TestClient(create_app(intake, quota=Quota(), connections=1)) as client:
        with client.websocket_connect("/v1/stream") as socket:
            socket.receive_json()
            with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect("/v1/stream"):
                pass
            assert caught.value.code == 1013
        with client.websocket_connect("/v1/stream") as socket:
            assert socket.receive_json()["kind"] == "hello"


def test_so_many_of_one_client(intake):
    app = create_app(intake, quota=Quota(streams=1))
    with TestClient(app) as client, client.websocket_connect("/v1/stream") as socket:
        socket.receive_json()
        with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect("/v1/stream"):
            pass
        assert caught.value.code == 1013
        other = TestClient(app, client=("9.9.9.9", 1))
        with other.websocket_connect("/v1/stream") as second:
            assert second.receive_json()["kind"] == "hello"


def test_events_that_are_deleted(client, store):
    for number in range(4):
        post(client, nonce=number)
    store.forget_events(2)

    with client.websocket_connect("/v1/stream?after=1") as socket, pytest.raises(WebSocketDisconnect) as caught:
        socket.receive_json()
    assert caught.value.code == TOO_LATE
    with client.websocket_connect("/v1/stream?after=2") as socket:
        assert socket.receive_json() == {"kind": "hello", "number": 2}
        assert socket.receive_json()["number"] == 3


def test_events_of_another_database(client):
    """A number that is not reached yet: whoever waited for it would miss all that comes before."""
    post(client)

    with client.websocket_connect("/v1/stream?after=2") as socket, pytest.raises(WebSocketDisconnect) as caught:
        socket.receive_json()
    assert caught.value.code == TOO_LATE
    with client.websocket_connect("/v1/stream?after=1") as socket:
        assert socket.receive_json() == {"kind": "hello", "number": 1}
