"""Where things are in a plot: from numbers and times to pixels, and round numbers for people to read.

Pixels are floats; nothing here is money.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

WIDTH = 1120
LEFT, RIGHT = 58, 14
INNER = WIDTH - LEFT - RIGHT

HOUR = 3600
DAY = 24 * HOUR
_TIME_STEPS = (3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY)
_MOST_TIMES = 10
_MONTH_STEPS = (1, 2, 3, 6, 12)
"""Months between ticks where weeks are too many."""


@dataclass(frozen=True, slots=True)
class Times:
    """The horizontal axis: from the first version to the last."""

    start: int
    end: int

    def x(self, timestamp: int) -> float:
        """Pixels from the left."""
        return LEFT + INNER * (timestamp - self.start) / (self.end - self.start)

    def ticks(self) -> list[int]:
        """Round times, not more than fit."""
        span = self.end - self.start
        step = next((each for each in _TIME_STEPS if span <= each * _MOST_TIMES), None)
        if step is None:
            return self._months()
        # Weeks begin on Mondays; the epoch was a Thursday.
        offset = 4 * DAY if step % (7 * DAY) == 0 else 0
        first = -(-(self.start - offset) // step) * step + offset
        return list(range(first, self.end + 1, step))

    def label(self, timestamp: int) -> str:
        """A date, an hour where a day has several ticks, or a month where months are apart."""
        time = datetime.fromtimestamp(timestamp, UTC)
        if self.end - self.start > _TIME_STEPS[-1] * _MOST_TIMES:
            return f"{time:%b %Y}"
        return f"{time:%H:%M}" if time.hour else f"{time.day} {time:%b}"

    def _months(self) -> list[int]:
        """First days of months, counted from January."""
        first = datetime.fromtimestamp(self.start, UTC).year
        last = datetime.fromtimestamp(self.end, UTC).year
        starts = [datetime(year, month, 1, tzinfo=UTC) for year in range(first, last + 1) for month in range(1, 13)]
        inside = [time for time in starts if self.start <= time.timestamp() <= self.end]
        step = next((each for each in _MONTH_STEPS if len(inside) <= each * _MOST_TIMES), _MONTH_STEPS[-1])
        return [int(time.timestamp()) for time in inside if (time.month - 1) % step == 0]


@dataclass(frozen=True, slots=True)
class Values:
    """A vertical axis: `low` is `bottom` pixels from the top, `high` is `top`."""

    low: float
    high: float
    top: float
    bottom: float

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return self.bottom - (self.bottom - self.top) * (value - self.low) / (self.high - self.low)

    def ticks(self, count: int) -> list[float]:
        """Round values, about so many."""
        step = round_step((self.high - self.low) / count)
        first = -int(-self.low // step) if self.low > 0 else int(self.low / step)
        ticks = [step * index for index in range(first, first + 3 * count)]
        return [tick for tick in ticks if self.low - step * 1e-9 <= tick <= self.high + step * 1e-9]


def round_step(raw: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 1.0
    while power * 10 <= raw:
        power *= 10
    while power > raw:
        power /= 10
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)


def span(series: Sequence[Sequence[float]], *, zero: bool = False) -> tuple[float, float]:
    """The lowest and the highest value with some room, 0 among them where asked for."""
    low = min((min(values) for values in series), default=0.0)
    high = max((max(values) for values in series), default=0.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    room = (high - low or abs(high) or 1.0) * 0.06
    return (low if zero and low == 0 else low - room), high + room
