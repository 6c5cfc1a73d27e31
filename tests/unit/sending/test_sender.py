"""Calls are on disk before they are sent: nothing is sent twice, whatever dies when."""

import sqlite3

import pytest

from perennial.sending.journal import Call, InFlightError, Journal, OwnerError, State
from perennial.sending.sender import Mined

from .conftest import KEY, TARGET, call, transaction

ITEMS = [("0xaa", "0xbb"), ("0xcc",)]


@pytest.fixture
def send(sender):
    def send(sender=sender, number=0):
        return sender.send(call(number), ITEMS)

    return send


def only(outcomes):
    (outcome,) = outcomes
    return outcome


def test_mined(sender, node, send):
    digest = send()
    assert sender.busy
    assert sender.resolve() == []
    node.mine()
    outcome = only(sender.resolve())

    assert (outcome.state, outcome.mined) == (State.MINED, node.receipts[digest])
    assert outcome.entry.items == tuple(ITEMS)
    assert not sender.busy
    assert sender.resolve() == []


def test_what_is_signed(node, send):
    send(number=3)

    fields = transaction(node.pool[0])
    assert (fields["nonce"], fields["value"], fields["gas"]) == (0, 3, 500_000)
    assert (fields["to"], fields["data"]) == (bytes.fromhex(TARGET[2:]), (3).to_bytes(4))
    assert (fields["maxFeePerGas"], fields["maxPriorityFeePerGas"]) == (2 * 10**9 + 10, 10)


def test_one_at_a_time(send, node):
    send()

    with pytest.raises(InFlightError):
        send()

    assert list(node.pool) == [0]


def test_of_one_key_on_one_chain(tmp_path):
    """What is in flight for another key must not be taken for this one's."""
    for _ in range(2):
        Journal(tmp_path / "journal.db", owner="one").close()

    with pytest.raises(OwnerError, match="is of one, not of another"):
        Journal(tmp_path / "journal.db", owner="another")
    Journal(tmp_path / "journal.db").close()


def test_failed(sender, node, send):
    node.receipts[send()] = Mined(False, 500_000)

    assert only(sender.resolve()).state is State.FAILED


class TestSeveral:
    """Calls with one nonce after the other."""

    def test_nonces(self, make_sender, node):
        sender = make_sender(limit=3)
        for number in range(3):
            sender.send(call(number), [(str(number),)])

        assert sorted(node.pool) == [0, 1, 2]
        with pytest.raises(InFlightError):
            sender.send(call(3), [("3",)])

    def test_fates(self, make_sender, node):
        sender = make_sender(limit=3)
        for number in range(3):
            sender.send(call(number), [(str(number),)])
        del node.pool[2]
        node.mine()

        outcomes = sender.resolve()

        assert [outcome.entry.items for outcome in outcomes] == [(("0",),), (("1",),)]
        assert [entry.nonce for entry in sender.journal.in_flight()] == [2]
        # It was lost, and is sent again.
        assert list(node.pool) == [2]

    def test_after_a_kill(self, make_sender, node):
        make_sender(limit=3).send(call(0), [("0",)])

        after = make_sender(limit=3)
        after.send(call(1), [("1",)])

        assert sorted(node.pool) == [0, 1]
        assert transaction(node.pool[0])["value"] == 0

    def test_the_same_nonce(self, make_sender, node, monkeypatch):
        """Two processes with one journal, which they should not be."""
        sender = make_sender(limit=3)
        sender.send(call(0), [("0",)])
        monkeypatch.setattr(sender.journal, "in_flight", list)

        with pytest.raises(InFlightError):
            sender.send(call(1), [("1",)])

        assert transaction(node.pool[0])["value"] == 0


class TestKilled:
    def test_before_it_was_sent(self, make_sender, node, send):
        """The journal has it, the node has not: it is sent by who comes after, the same transaction."""
        node.away = True
        digest = send()
        node.away = False
        assert node.pool == {}

        after = make_sender()
        assert after.busy
        assert after.resolve() == []
        node.mine()

        assert only(after.resolve()).state is State.MINED
        assert list(node.receipts) == [digest]

    def test_after_it_was_sent(self, make_sender, node, send):
        digest = send()

        after = make_sender()
        after.resolve()
        node.mine()

        assert only(after.resolve()).entry.attempts[0].hash == digest
        assert node.nonces == 1

    def test_after_it_was_mined(self, make_sender, node, send):
        send()
        node.mine()

        assert only(make_sender().resolve()).state is State.MINED

    def test_while_it_wrote(self, sender, node, send, monkeypatch):
        """Nothing is sent that is not in the journal."""
        monkeypatch.setattr(sender.journal, "_add", lambda *_: (_ for _ in ()).throw(OSError("disk full")))

        with pytest.raises(OSError, match="disk full"):
            send()

        assert node.pool == {}
        assert not sender.busy


def test_a_node_that_forgot_it(sender, node, send):
    send()
    node.pool.clear()

    sender.resolve()
    node.mine()

    assert only(sender.resolve()).state is State.MINED


def test_a_node_that_is_away_is_asked_again(sender, node, send, caplog):
    node.away = True
    send()
    sender.resolve()
    assert "will be sent again" in caplog.text

    node.away = False
    sender.resolve()
    node.mine()

    assert only(sender.resolve()).state is State.MINED


class TestTakenBack:
    def test_after_patience(self, sender, node, send):
        """It is not due any more: an empty transaction takes its nonce."""
        digest = send()
        node.now += 31
        assert sender.resolve() == []
        assert transaction(node.pool[0])["to"] == bytes.fromhex(KEY.address[2:])
        node.mine()

        assert only(sender.resolve()).state is State.CANCELLED
        assert digest not in node.receipts
        assert len(node.receipts) == 1

    def test_the_call_was_faster(self, sender, node, send):
        digest = send()
        node.mine()
        node.now += 31

        assert only(sender.resolve()).state is State.MINED
        assert list(node.receipts) == [digest]

    def test_once(self, sender, node, send):
        send()
        node.now += 31
        for _ in range(3):
            sender.resolve()

        assert [attempt.cancels for attempt in sender.journal.in_flight()[0].attempts] == [False, True]

    def test_for_more_and_more(self, sender, node, send):
        """The empty one is not mined either."""
        send()
        for _ in range(3):
            node.now += 31
            sender.resolve()

        attempts = sender.journal.in_flight()[0].attempts
        assert [attempt.cancels for attempt in attempts] == [False, True, True, True]
        assert attempts[3].max_fee > attempts[2].max_fee

    def test_the_fee_is_enough_to_replace(self, sender, node, send):
        send()
        node.now, node.fee = node.now + 31, 1
        sender.resolve()

        first, second = sender.journal.in_flight()[0].attempts
        assert second.max_fee * 8 >= first.max_fee * 9
        assert second.tip * 8 >= first.tip * 9


class TestForMore:
    """What is still due is offered again, for a higher fee."""

    def test_the_same_call(self, sender, node, send):
        send(number=3)
        node.now += 31
        assert sender.resolve(lambda entry: entry.items == tuple(ITEMS)) == []

        first, second = sender.journal.in_flight()[0].attempts
        assert second.max_fee > first.max_fee
        assert (transaction(second.raw)["value"], transaction(second.raw)["nonce"]) == (3, 0)
        node.mine()
        assert only(sender.resolve()).state is State.MINED
        assert list(node.receipts) == [second.hash]

    def test_the_first_was_mined(self, sender, node, send):
        send()
        first = dict(node.pool)
        node.now += 31
        sender.resolve(lambda _: True)
        node.pool = first
        node.mine()

        assert only(sender.resolve()).state is State.MINED
        assert node.nonces == 1

    def test_not_beyond_the_most(self, make_sender, node):
        sender = make_sender(most=21 * 10**8)
        sender.send(call(), ITEMS)
        for _ in range(5):
            node.now += 31
            sender.resolve(lambda _: True)

        (entry,) = sender.journal.in_flight()
        assert max(attempt.max_fee for attempt in entry.attempts) <= 21 * 10**8

    def test_then_taken_back(self, sender, node, send):
        send()
        for due in (True, False):
            node.now += 31
            sender.resolve(lambda _, due=due: due)

        attempts = sender.journal.in_flight()[0].attempts
        assert [attempt.cancels for attempt in attempts] == [False, False, True]


def test_somebody_else_took_the_nonce(sender, node, send):
    send()
    node.pool.clear()
    node.nonces = 1

    assert only(sender.resolve()).state is State.LOST
    assert not sender.busy
    assert sender.journal.states() == [State.LOST]


def test_a_call_is_read_as_it_was_written(sender, send):
    send(number=7)

    assert sender.journal.in_flight()[0].call == Call(TARGET, (7).to_bytes(4), 500_000, 7)


def test_what_is_in_flight_is_found_without_reading_all_that_ever_was(sender, send, path):
    """A keeper's journal has millions of transactions after a while, and is asked several times a second."""
    send()
    asked: list[str] = []
    sender.journal._database.set_trace_callback(asked.append)
    sender.journal.in_flight()
    sender.journal._database.set_trace_callback(None)

    with sqlite3.connect(path) as database:
        plans = [row[-1] for query in asked for row in database.execute(f"EXPLAIN QUERY PLAN {query}")]
    database.close()
    assert [plan.split(" USING")[0] for plan in plans] == ["SCAN calls", "SEARCH attempts"]
    assert "USING INDEX in_flight" in plans[0]
