"""What a user may choose."""

from dataclasses import dataclass

from perennial.demo.listings import BITCOIN, Listing, listing

MIN_ACTORS, MAX_ACTORS = 4, 60
MIN_STEPS = 24


class DemoError(Exception):
    """The demo cannot run as asked, or came to a stop; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """One run of the demo. `start` and `end` are the first and the last version: Unix seconds, full hours or days."""

    market: str = "BTC-USD"
    start: int = BITCOIN.start
    end: int = BITCOIN.end
    seed: int = 1
    actors: int = 16
    reckless: bool = True
    vault: bool = False

    @property
    def listing(self) -> Listing:
        """What is replayed."""
        return listing(self.market)

    def check(self) -> None:
        """Raises DemoError for what cannot be run."""
        if self.vault and self.market != "BTC-USD":
            raise DemoError("--vault replays BTC-USD and ETH-USD: leave --market out")
        step, period = self.listing.step, self.listing.period
        if self.start % step or self.end % step:
            raise DemoError(f"prices come on full {period}s: --start and --end must be some")
        if self.end - self.start < MIN_STEPS * step:
            raise DemoError(f"--end must be at least {MIN_STEPS} {period}s after --start")
        if not MIN_ACTORS <= self.actors <= MAX_ACTORS:
            raise DemoError(f"--actors must be {MIN_ACTORS} to {MAX_ACTORS}, not {self.actors}")
