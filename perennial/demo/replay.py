"""The versions of a run, one an hour or a day, on chain and in the mirror."""

import time
from collections.abc import Callable
from dataclasses import replace

from perennial.demo.cast import cast
from perennial.demo.courier import Courier
from perennial.demo.floor import Floor
from perennial.demo.options import DemoError, Options
from perennial.demo.outcome import Outcome
from perennial.demo.stage import EVE, Stage, open_stage
from perennial.prices import DAY, HOUR, PriceError, Prices

Progress = Callable[[str, int], None]
"""Is told what happens, and how many versions are done."""

PAYDAY = 7 * DAY
"""Seconds between two claims of the keepers."""

COMMIT = 12
"""Seconds after a version's time at which it is committed."""

KEEP, TRADE = HOUR - 20, HOUR // 2
"""Seconds before the next version's time at which keepers look after accounts and everybody trades: less than an hour,
which is the longest that versions can be apart, so that orders wait for no version between."""


def prices_of(options: Options) -> Prices:
    """The prices of the window. Raises DemoError where there are none."""
    try:
        return options.listing.prices(options.market).window(options.start, options.end)
    except PriceError as error:
        raise DemoError(str(error)) from None


def run(options: Options, prices: Prices, progress: Progress) -> Outcome:
    """Replays the window on a chain of its own and closes everything. Raises DemoError."""
    began = time.monotonic()
    progress("deploying the protocol", 0)
    with open_stage(options.listing, options.start) as stage:
        outcome = Replay(options, stage, prices, progress).run()
    return replace(outcome, seconds=time.monotonic() - began)


class Replay:
    """One run: `run` is all there is to call."""

    def __init__(self, options: Options, stage: Stage, prices: Prices, progress: Progress) -> None:
        self.options, self.progress = options, progress
        self.courier = Courier(stage.chain, stage.genesis)
        self.floor = Floor(options, options.listing, stage, prices, self.courier)

    def run(self) -> Outcome:
        """The eve, every version, the end."""
        step = self.options.listing.step
        self._prepare()
        for index, version in enumerate(range(self.options.start, self.options.end + 1, step)):
            self._version(index, version)
            self.progress("replaying", index + 1)
        pairs = self.floor.pairs()
        self._at(self.options.end + step - TRADE)
        self.floor.withdraw_all()
        paid = self.floor.pay_roles()
        self._mine()
        self.floor.twin.compare()
        return self.floor.outcome(pairs, paid)

    def _prepare(self) -> None:
        floor = self.floor
        self._at(floor.stage.genesis + EVE // 3)
        floor.space()
        self._mine()
        self._at(floor.stage.genesis + EVE // 2)
        floor.equip(cast(self.options, floor.stage.risk, floor.prices.values[0]))
        self._mine()

    def _version(self, index: int, version: int) -> None:
        """A version is committed, keepers look after the accounts, then everybody trades for the next one."""
        floor, end, step = self.floor, self.options.end, self.options.listing.step
        self._at(version + COMMIT)
        floor.commit(version)
        self._mine()

        view = floor.view(index)
        self._at(version + step - KEEP)
        if version == end:
            floor.keepers.settle_all()
        else:
            floor.keepers.look_after(view)
        self._mine()
        floor.twin.compare()
        floor.sample(view)

        if version < end:
            self._at(version + step - TRADE)
            if version + step == end:
                floor.close_all()
            else:
                floor.trade(view)
            if (version + step - self.options.start) % PAYDAY == 0:
                floor.keepers.collect()
            self._mine()

    def _at(self, timestamp: int) -> None:
        self.floor.twin.at(timestamp)

    def _mine(self) -> None:
        self.floor.book(self.courier.mine())
