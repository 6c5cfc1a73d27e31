"""What a user may choose."""

from dataclasses import dataclass
from datetime import UTC, datetime

MIN_ACTORS, MAX_ACTORS = 4, 60
MIN_HOURS = 24


class DemoError(Exception):
    """The demo cannot run as asked, or came to a stop; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """One run of the demo. `start` and `end` are the first and the last version: Unix seconds, full hours."""

    market: str = "BTC-USD"
    start: int = int(datetime(2017, 12, 10, tzinfo=UTC).timestamp())
    end: int = int(datetime(2018, 2, 10, tzinfo=UTC).timestamp())
    seed: int = 1
    actors: int = 16
    reckless: bool = True
