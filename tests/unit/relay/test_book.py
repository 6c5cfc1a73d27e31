"""GET /v1/book and /v1/fills, and the watcher that brings them up to the chain."""

import time
from dataclasses import replace
from threading import Event

from fastapi.testclient import TestClient

from perennial.chain import NodeError
from perennial.relay import app
from perennial.relay.records import Fill, Status
from perennial.relay.watcher import Watcher

from .conftest import BOB, MARKET, NOW, ON_BOTH, OTHER_MARKET, UNIT, make

pytestmark = ON_BOTH


def book(client, market=MARKET, **params):
    content = client.get("/v1/book", params={"market": market, **params}).json()
    levels = [
        [(int(each["price"]), int(each["size"]), each["count"]) for each in content[side]] for side in ("buys", "sells")
    ]
    return levels[0], levels[1]


def post(client, **changes):
    answer = client.post("/v1/intents", json=make(**changes))
    assert answer.status_code == 201
    return answer.json()["hash"]


def fill(digest, block, size, remaining, index=0):
    return Fill(digest, block, f"0x{block:064x}", index, size, remaining, 99 * UNIT, BOB.address)


def status(client, digest):
    order = client.get(f"/v1/intents/{digest}").json()
    return order["status"], int(order["remaining"])


def test_levels_best_first(client):
    for amount, price in [("1", "100"), ("2", "101"), ("3", "100"), ("-4", "103"), ("-5", "102")]:
        post(client, amount=amount, price=price)
    post(client, trader=BOB, market=OTHER_MARKET)

    buys, sells = book(client)

    assert buys == [(101 * UNIT, 2 * UNIT, 1), (100 * UNIT, 4 * UNIT, 2)]
    assert sells == [(102 * UNIT, 5 * UNIT, 1), (103 * UNIT, 4 * UNIT, 1)]
    assert book(client, depth=1) == (buys[:1], sells[:1])


def test_expired_ones_are_not_in_the_book(client, store):
    digest = post(client)

    assert store.book(MARKET, 10, now=NOW + 10**6) == ([], [])
    assert store.orders(status=Status.OPEN, now=NOW + 10**6) == []
    assert store.find(digest).status is Status.OPEN


class TestWatcher:
    def test_books_a_fill_once(self, client, view, watcher, store):
        watcher.step()
        digest = post(client, nonce=7)
        view.logs = [fill(digest, 101, 4 * UNIT, 6 * UNIT)]
        view.block, view.filled[7] = 101, 4 * UNIT

        watcher.step()
        watcher.step()
        # As if the relay had been killed after the fills were written, and before it went on.
        store.apply_fills(view.logs, 101, 101)

        [found] = client.get("/v1/fills").json()
        assert (found["hash"], found["size"], found["price"]) == (digest, str(4 * UNIT), str(99 * UNIT))
        assert status(client, digest) == ("open", 6 * UNIT)
        assert book(client)[0] == [(100 * UNIT, 6 * UNIT, 1)]

    def test_filled(self, client, view, watcher):
        watcher.step()
        digest = post(client, nonce=7)
        view.logs = [fill(digest, 101, 4 * UNIT, 6 * UNIT), fill(digest, 102, 6 * UNIT, 0)]
        view.block, view.filled[7] = 102, 10 * UNIT

        watcher.step()

        assert status(client, digest) == ("filled", 0)
        assert book(client) == ([], [])
        assert [each["size"] for each in client.get("/v1/fills").json()] == [str(4 * UNIT), str(6 * UNIT)]

    def test_what_happened_while_it_was_away(self, client, view, watcher, store):
        watcher.step()
        digest = post(client, nonce=7)
        view.logs = [fill(digest, 150, 4 * UNIT, 6 * UNIT), fill(digest, 2_500, 6 * UNIT, 0)]
        view.block, view.filled[7] = 3_000, 10 * UNIT

        Watcher(store, view).step()

        assert len(client.get("/v1/fills").json()) == 2
        assert store.block() == 3_000

    def test_starts_at_the_head(self, view, watcher, store):
        watcher.step()

        assert store.block() == view.block

    def test_waits_for_confirmations(self, client, view, store):
        watcher = Watcher(store, view, confirmations=5)
        watcher.step()
        digest = post(client, nonce=7)
        view.logs, view.filled[7] = [fill(digest, 101, 4 * UNIT, 6 * UNIT)], 4 * UNIT

        view.block = 105
        watcher.step()
        assert client.get("/v1/fills").json() == []
        # What can be filled is known at once all the same.
        assert status(client, digest) == ("open", 6 * UNIT)
        view.block = 106
        watcher.step()
        assert len(client.get("/v1/fills").json()) == 1

    def test_filled_in_a_block_that_the_chain_takes_back(self, client, view, store):
        """Before the fill was booked: the intent is off the book meanwhile, and comes back."""
        watcher = Watcher(store, view, confirmations=5)
        digest = post(client, nonce=7)
        view.filled[7] = 10 * UNIT
        watcher.step()
        assert status(client, digest) == ("open", 0)
        assert book(client) == ([], [])

        view.filled.clear()
        watcher.step()

        assert status(client, digest) == ("open", 10 * UNIT)
        assert book(client)[0] == [(100 * UNIT, 10 * UNIT, 1)]

    def test_a_fill_that_the_chain_takes_back(self, client, view, watcher):
        """Blocks are read again: what is no longer in them is undone, what came instead is booked."""
        watcher.step()
        digests = [post(client, nonce=nonce) for nonce in (7, 8)]
        view.logs = [fill(digest, 101, 10 * UNIT, 0, index) for index, digest in enumerate(digests)]
        view.block, view.filled = 101, {7: 10 * UNIT, 8: 10 * UNIT}
        watcher.step()
        assert [status(client, digest) for digest in digests] == [("filled", 0)] * 2

        # One transaction is in another block now, the other one in none.
        view.logs, view.block = [replace(view.logs[0], block=102, log_index=5)], 102
        view.filled = {7: 10 * UNIT}
        watcher.step()

        assert [status(client, digest) for digest in digests] == [("filled", 0), ("open", 10 * UNIT)]
        [left] = client.get("/v1/fills").json()
        assert (left["hash"], left["block"], left["logIndex"]) == (digests[0], 102, 5)

    def test_fills_that_are_older_stay(self, client, view, watcher):
        watcher.step()
        digest = post(client, nonce=7)
        view.logs, view.block, view.filled[7] = [fill(digest, 101, 4 * UNIT, 6 * UNIT)], 101, 4 * UNIT
        watcher.step()
        view.block = 101 + watcher.again
        watcher.step()
        view.logs = []

        watcher.step()

        assert len(client.get("/v1/fills").json()) == 1

    def test_fills_of_others_are_passed_over(self, client, view, watcher):
        watcher.step()
        view.logs, view.block = [fill("0x" + "ab" * 32, 101, 1, 0)], 101

        watcher.step()

        assert client.get("/v1/fills").json() == []

    def test_cancelled_on_chain(self, client, view, watcher):
        digest = post(client, nonce=7)
        view.cancelled.add(7)

        watcher.step()

        assert status(client, digest) == ("cancelled", 0)
        assert book(client) == ([], [])

    def test_expired(self, client, view, store):
        digest = post(client)

        Watcher(store, view, clock=lambda: NOW + 10**6).step()

        assert status(client, digest)[0] == "expired"

    def test_looks_at_all_page_by_page(self, client, view, store):
        hashes = [post(client, nonce=number) for number in range(5)]
        view.cancelled = set(range(5))
        watcher = Watcher(store, view, page=2)

        for _ in range(3):
            watcher.step()

        assert {status(client, digest)[0] for digest in hashes} == {"cancelled"}

    def test_a_failing_node_stops_nothing(self, client, view, watcher, caplog):
        class Stop:
            rounds = 0

            def is_set(self):
                self.rounds += 1
                return self.rounds > 2

            def wait(self, _):
                view.states = working

        digest, working = post(client, nonce=7), view.states
        view.cancelled.add(7)

        def broken(_):
            raise OSError("the node is away")

        view.states = broken
        watcher.run(Stop())

        assert "could not be followed" in caplog.text
        assert status(client, digest)[0] == "cancelled"

    def test_a_node_that_never_answers_keeps_no_relay_from_its_end(self, intake, view, watcher, monkeypatch):
        asked, answers = Event(), Event()

        def hang():
            asked.set()
            answers.wait(60)
            raise NodeError("the node does not answer")

        monkeypatch.setattr(view, "head", hang)
        monkeypatch.setattr(app, "LONGEST_END", 0.05)
        begin = time.monotonic()
        with TestClient(app.create_app(intake, watcher)):
            assert asked.wait(10)
        ended = time.monotonic() - begin
        answers.set()
        assert ended < 30

    def test_old_events_are_forgotten(self, client, view, store):
        for number in range(4):
            post(client, nonce=number)

        Watcher(store, view, keep_events=2).step()

        assert [event.number for event in store.events(None, 0)] == [3, 4]
        assert store.last_event() == 4
