"""The database: what is confirmed is there after a kill, and many threads write one after the other."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from perennial.intents import Intent, NonceCancellation
from perennial.relay.records import Refusal, Status
from perennial.relay.store import Store, StoreError

from .conftest import LATER, MARKET, ON_BOTH, UNIT, make

pytestmark = ON_BOTH

WRITER = """
import sys
from perennial.intents import Intent
from perennial.relay.store import Store

store, market, expiry = Store(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(10_000):
    intent = Intent.build(market=market, account=market, amount=1, price=1, expiry=expiry, nonce=number)
    store.add(f"0x{number:064x}", intent, b"", 1, 0)
    print(number, flush=True)
"""


def add(store, number):
    return store.add(f"0x{number:064x}", Intent.from_dict(make(nonce=number)["intent"]), b"\1", 10 * UNIT, 0)


def test_survives_a_kill(url):
    """What the writer has said it wrote is there; an event for each intent, and the other way round."""
    command = [sys.executable, "-c", WRITER, url, MARKET, str(LATER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [next(writer.stdout) for _ in range(30)]
        os.kill(writer.pid, signal.SIGKILL)
        lines += writer.stdout.readlines()
    said = len([line for line in lines if line.endswith("\n")])

    store = Store(url)
    orders = store.orders(limit=20_000)
    events = store.events(None, 0, limit=20_000)
    store.close()

    assert len(orders) >= said >= 30
    assert [event.content["hash"] for event in events] == [order.hash for order in orders]


def test_the_same_from_many_threads_is_one(store):
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda index: add(store, index % 5), range(40)))

    assert sum(is_new for _, is_new in results) == 5
    assert len({order.sequence for order, _ in results}) == 5
    assert len(store.orders()) == len(store.events(None, 0)) == 5


def test_two_connections_see_each_other(url, store):
    other = Store(url)
    order, _ = add(store, 1)
    add(other, 2)
    other.apply_state(order, 0, Status.CANCELLED)

    assert [order.status for order in store.orders()] == [Status.CANCELLED, Status.OPEN]
    other.close()


def test_checks_again_where_nothing_comes_in_between(store):
    """Two requests may both have passed the check before one of them is kept."""
    intents = [Intent.from_dict(make(nonce=number)["intent"]) for number in range(3)]
    for intent in intents:
        store.check(intent, 0, most=2)

    def submit(number):
        try:
            return store.add(f"0x{number:064x}", intents[number], b"\1", 1, 0, most=2)[1]
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(submit, range(3)))

    assert sorted(results, key=str) == [True, True, "too_many"]


def test_of_one_protocol(url, store):
    """Its intents are of no use on another chain, and its fills not of that one's blocks."""
    store.belong_to("the first")
    other = Store(url)
    other.belong_to("the first")

    with pytest.raises(StoreError, match="is of the first, not of the second"):
        other.belong_to("the second")
    other.close()


def test_a_cancellation_in_between(store):
    intent = Intent.from_dict(make(nonce=7)["intent"])
    store.check(intent, 0, most=2)
    message = NonceCancellation.build(verifier=MARKET, account=intent.common.account, nonce=7, expiry=LATER)
    assert store.cancel("0x1", message, b"\1") == []

    with pytest.raises(Refusal, match="cancelled"):
        store.add("0x2", intent, b"\1", 1, 0)
    assert store.orders() == []


def test_no_news_is_no_event(store):
    order, _ = add(store, 1)

    assert not store.apply_state(order, order.remaining, order.status)
    assert store.apply_state(order, 1, Status.OPEN)
    assert not store.apply_state(replace(order, hash="0x"), 1, Status.OPEN)
    assert store.last_event() == 2


def test_old_news_is_no_news(store):
    """Another process has booked a fill since this one asked the chain: less remains than it was told."""
    order, _ = add(store, 1)
    store.apply_state(order, 4 * UNIT, Status.OPEN)

    assert not store.apply_state(order, 7 * UNIT, Status.OPEN)
    assert store.orders()[0].remaining == 4 * UNIT
