"""One batch in flight, on disk before it is sent: nothing is sent twice, whatever dies when."""

import sqlite3
from itertools import pairwise

import pytest

from perennial.solver.journal import Journal, State
from perennial.solver.sender import Mined, Sender

from .conftest import DOMAIN, KEY, MARKET

DEALS = [("0xaa", "0xbb"), ("0xcc",)]


@pytest.fixture
def send(sender, market):
    def send(sender=sender):
        return sender.send(MARKET, market.calldata([]), 500_000, DEALS)

    return send


def restarted(path, market):
    """What a new process makes of the same journal."""
    return Sender(KEY, DOMAIN.chain_id, market, Journal(path), tip=10, patience=30, clock=lambda: market.now)


def test_mined(sender, market, send):
    digest = send()
    assert sender.busy
    assert sender.resolve() is None
    market.mine()
    outcome = sender.resolve()

    assert (outcome.state, outcome.mined) == (State.MINED, market.receipts[digest])
    assert outcome.entry.deals == tuple(DEALS)
    assert not sender.busy
    assert sender.resolve() is None


def test_one_at_a_time(send):
    send()

    with pytest.raises(sqlite3.IntegrityError):
        send()


def test_failed(sender, market, send):
    market.receipts[send()] = Mined(False, 500_000, {})

    assert sender.resolve().state is State.FAILED


class TestKilled:
    def test_before_it_was_sent(self, market, send, path):
        """The journal has it, the node has not: it is sent by who comes after, the same transaction."""
        market.away = True
        digest = send()
        market.away = False
        assert market.pool == {}

        after = restarted(path, market)
        assert after.busy
        assert after.resolve() is None
        market.mine()

        assert after.resolve().state is State.MINED
        assert list(market.receipts) == [digest]

    def test_after_it_was_sent(self, market, send, path):
        digest = send()

        after = restarted(path, market)
        after.resolve()
        market.mine()

        assert after.resolve().entry.attempts[0].hash == digest
        assert market.nonces == 1

    def test_after_it_was_mined(self, market, send, path):
        send()
        market.mine()

        assert restarted(path, market).resolve().state is State.MINED

    def test_while_it_wrote(self, sender, market, send, monkeypatch):
        """Nothing is sent that is not in the journal."""
        monkeypatch.setattr(sender.journal, "_add", lambda *_: (_ for _ in ()).throw(OSError("disk full")))

        with pytest.raises(OSError, match="disk full"):
            send()

        assert market.pool == {}
        assert not sender.busy


def test_a_node_that_forgot_it(sender, market, send):
    send()
    market.pool.clear()

    sender.resolve()
    market.mine()

    assert sender.resolve().state is State.MINED


def test_a_node_that_is_away_is_asked_again(sender, market, send, caplog):
    market.away = True
    send()
    sender.resolve()
    assert "will be sent again" in caplog.text

    market.away = False
    sender.resolve()
    market.mine()

    assert sender.resolve().state is State.MINED


class TestTakenBack:
    def test_after_patience(self, sender, market, send):
        """Its prices are old: an empty transaction takes its nonce."""
        digest = send()
        market.now += 31
        assert sender.resolve() is None
        market.mine()

        outcome = sender.resolve()
        assert outcome.state is State.CANCELLED
        assert digest not in market.receipts
        assert len(market.receipts) == 1

    def test_the_batch_was_faster(self, sender, market, send):
        digest = send()
        market.mine()
        market.now += 31

        assert sender.resolve().state is State.MINED
        assert list(market.receipts) == [digest]

    def test_once(self, sender, market, send):
        send()
        market.now += 31
        for _ in range(3):
            sender.resolve()

        assert [attempt.cancels for attempt in sender.journal.in_flight().attempts] == [False, True]

    def test_offers_more_where_that_is_not_mined_either(self, sender, market, send):
        send()
        for _ in range(3):
            market.now += 31
            sender.resolve()
            sender.resolve()

        attempts = sender.journal.in_flight().attempts
        assert [attempt.cancels for attempt in attempts] == [False, True, True, True]
        assert [later.max_fee * 8 >= earlier.max_fee * 9 for earlier, later in pairwise(attempts)] == [True] * 3
        market.mine()
        assert sender.resolve().state is State.CANCELLED

    def test_the_fee_is_enough_to_replace(self, sender, market, send):
        send()
        market.now, market.fee = market.now + 31, 1
        sender.resolve()

        first, second = sender.journal.in_flight().attempts
        assert second.max_fee * 8 >= first.max_fee * 9
        assert second.tip * 8 >= first.tip * 9


def test_somebody_else_took_the_nonce(sender, market, send):
    send()
    market.pool.clear()
    market.nonces = 1

    assert sender.resolve().state is State.LOST
    assert not sender.busy
    assert sender.journal.states() == [State.LOST]
