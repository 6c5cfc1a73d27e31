"""What a user may choose."""

from dataclasses import dataclass
from datetime import UTC, datetime

MIN_ACTORS, MAX_ACTORS = 4, 60
MIN_HOURS = 24
HOUR = 3600


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

    def check(self) -> None:
        """Raises DemoError for what cannot be run."""
        if self.start % HOUR or self.end % HOUR:
            raise DemoError("prices come on full hours: --start and --end must be some")
        if self.end - self.start < MIN_HOURS * HOUR:
            raise DemoError(f"--end must be at least {MIN_HOURS} hours after --start")
        if not MIN_ACTORS <= self.actors <= MAX_ACTORS:
            raise DemoError(f"--actors must be {MIN_ACTORS} to {MAX_ACTORS}, not {self.actors}")
