"""How processes that run for long are told to end."""

import os
import signal
import time

import pytest

from perennial.shell import stopped_by_signals


@pytest.fixture
def signals():
    """Puts handlers and alarm back."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_seen_between_two_rounds(number):
    stop = stopped_by_signals(60)
    os.kill(os.getpid(), number)
    assert stop.wait(1)


@pytest.mark.usefixtures("signals")
def test_who_waits_for_a_node_is_ended_after_a_while():
    stop = stopped_by_signals(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        time.sleep(60)
    assert (stop.is_set(), ended.value.code) == (True, 0)


@pytest.mark.usefixtures("signals")
def test_who_asks_twice_does_not_wait():
    stopped_by_signals(60)
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(SystemExit):
        os.kill(os.getpid(), signal.SIGINT)
