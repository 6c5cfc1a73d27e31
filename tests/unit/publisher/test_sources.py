"""Prices of a local network: the same for a second whenever it is asked."""

from itertools import pairwise

import pytest

from perennial.prices import HOUR, PriceError, Prices
from perennial.publisher.sources import Moved, Replay, Walk

BEGIN = 1_900_000_000
PAST = Prices(
    "BTC-USD", 1_500_000_000 // HOUR * HOUR, (100_000_000, 200_000_000, 160_000_000, 400_000_000), "four hours"
)


class TestReplay:
    @pytest.fixture
    def replay(self):
        return Replay(PAST, PAST.start, BEGIN, 60)

    @pytest.mark.parametrize(
        ("seconds", "price"),
        [(0, 100_000_000), (30, 150_000_000), (60, 200_000_000), (90, 180_000_000), (120, 160_000_000)],
    )
    def test_an_hour_a_minute(self, replay, seconds, price):
        assert replay.price(BEGIN + seconds) == price

    def test_before_it_begins(self, replay):
        assert replay.price(BEGIN - 500) == 100_000_000

    def test_again_from_the_start(self, replay):
        assert replay.price(BEGIN + 180 + 30) == replay.price(BEGIN + 30)

    def test_from_a_later_hour(self):
        replay = Replay(PAST, PAST.start + HOUR, BEGIN, 60)

        assert replay.price(BEGIN) == 200_000_000
        assert replay.price(BEGIN + 120) == 200_000_000

    @pytest.mark.parametrize(("start", "speed"), [(PAST.end, 60), (PAST.start - 1, 60), (PAST.start, 0)])
    def test_nothing_to_replay(self, start, speed):
        with pytest.raises(
            PriceError, match="BTC-USD can be replayed from 2017-07-14 02:00 on, and before 2017-07-14 05:00"
        ):
            Replay(PAST, start, BEGIN, speed)


class TestWalk:
    def test_the_same_twice(self):
        one, two = (Walk("BTC-USD", 10**10, BEGIN, 7) for _ in range(2))
        late = two.price(BEGIN + 500)

        assert [one.price(BEGIN + second) for second in (0, 100, 500)] == [10**10, two.price(BEGIN + 100), late]

    def test_others_walk_elsewhere(self):
        ends = {
            Walk(name, 10**10, BEGIN, seed).price(BEGIN + 100) for name in ("BTC-USD", "ETH-USD") for seed in (1, 2)
        }

        assert len(ends) == 4

    def test_steps_are_small(self):
        walk = Walk("BTC-USD", 10**10, BEGIN, 7, swing=200)
        path = [walk.price(BEGIN + second) for second in range(200)]

        assert all(abs(b - a) <= a * 200 // 10**6 + 1 for a, b in pairwise(path))
        assert len(set(path)) > 100

    def test_before_it_begins(self):
        assert Walk("BTC-USD", 10**10, BEGIN, 7).price(BEGIN - 5) == 10**10


class TestMoved:
    @pytest.fixture
    def moved(self):
        return Moved(Replay(PAST, PAST.start, BEGIN, 60))

    def test_as_wished_and_on_from_there(self, moved):
        moved.move(300_000_000, BEGIN + 60)

        assert moved.price(BEGIN + 59) < 200_000_000
        assert moved.price(BEGIN + 60) == 300_000_000
        assert moved.price(BEGIN + 120) == 240_000_000

    def test_the_last_wish_counts(self, moved):
        moved.move(300_000_000, BEGIN + 30)
        moved.move(50_000_000, BEGIN + 60)

        assert moved.price(BEGIN + 30) == 300_000_000
        assert moved.price(BEGIN + 60) == 50_000_000

    def test_not_the_past(self, moved):
        moved.move(300_000_000, BEGIN + 30)

        with pytest.raises(ValueError, match="made already"):
            moved.move(1, BEGIN + 30)

    @pytest.mark.parametrize("price", [0, -1])
    def test_positive(self, moved, price):
        with pytest.raises(ValueError, match="positive"):
            moved.move(price, BEGIN)
