"""Chainlink's rounds, from the chain itself: which one is the price of a version (docs/protocol.md §11.4).

A feed's rounds come from aggregators that succeed each other, its phases; rounds may be missing. What counts is the
first round at or after a moment, of the newest phase that had begun before it, or the first of a later phase where
that is earlier: `contracts/oracle/ChainlinkRounds.sol` proves it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eth_abi.exceptions import DecodingError

from perennial.abi import Reverted
from perennial.chain import Contract

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennial.chain import Chain, Query
    from perennial.multicall import Multicall

PHASE = 64
"""Bits of a round's number within its phase."""

AT_ONCE = 16
"""Rounds in one request."""

REACH = 512
"""Rounds of a phase that are looked at, from the newest back."""


@dataclass(frozen=True, slots=True)
class Round:
    """A price: its number, with its phase, and when it was published (Unix seconds)."""

    number: int
    published: int


@dataclass(frozen=True, slots=True)
class Rounds:
    """The rounds of some feeds that are the price of a version. As Hermes' `Updates`."""

    numbers: dict[str, int]
    published: dict[str, int]
    data: tuple[bytes, ...] = field(default=(), init=False)
    """Nothing that is paid for."""

    def are_first_in(self, start: int, end: int) -> bool:
        """Whether each was published between two seconds, both included; before it there is none, as it was found."""
        return all(start <= published <= end for published in self.published.values())

    def arguments(self, oracles: Sequence[Sequence[str]]) -> list[int]:
        """What the adapter takes: for each oracle's feeds in turn the round."""
        return [self.numbers[feed] for feeds in oracles for feed in feeds]


class ChainlinkRounds:
    """Finds rounds. Feeds are identifiers of 32 bytes, hex text: addresses."""

    def __init__(self, chain: Chain, multicall: Multicall) -> None:
        self._chain, self._multicall = chain, multicall

    def first(self, ids: Sequence[str], timestamp: int) -> Rounds | None:
        """The round of each feed that counts at a second; None where one has none yet."""
        found = {each: self._first(each, timestamp) for each in ids}
        rounds = {each: found_ for each, found_ in found.items() if found_ is not None}
        if len(rounds) < len(found):
            return None
        numbers = {each: found_.number for each, found_ in rounds.items()}
        return Rounds(numbers, {each: found_.published for each, found_ in rounds.items()})

    def latest(self, ids: Sequence[str]) -> Rounds | None:
        """The newest round of each feed; None where one has none."""
        queries = [self._feed(each).query("latestRoundData") for each in ids]
        found = {}
        for each, query, answer in zip(ids, queries, self._try(queries), strict=True):
            values = _values(query, answer)
            if values is None or not values[3]:
                return None
            found[each] = Round(values[0], values[3])
        numbers = {each: found_.number for each, found_ in found.items()}
        return Rounds(numbers, {each: found_.published for each, found_ in found.items()})

    # -- Steps -------------------------------------------------------------------------------------------------------

    def _first(self, identifier: str, timestamp: int) -> Round | None:
        feed = self._feed(identifier)
        best: Round | None = None
        for phase in range(self._newest_phase(feed), -1, -1):
            candidate, is_older_there = self._first_of(feed, phase, timestamp)
            # Of two at the same second the one of the earlier phase counts.
            if candidate is not None and (best is None or candidate.published <= best.published):
                best = candidate
            if is_older_there:
                break
        return best

    def _first_of(self, feed: Contract, phase: int, timestamp: int) -> tuple[Round | None, bool]:
        """The first round of a phase at or after a second, and whether the phase had begun before that."""
        number, best = self._last(feed, phase), None
        least = max(1, number - REACH + 1)
        while number >= least:
            some = range(number, max(least, number - AT_ONCE + 1) - 1, -1)
            for each in self._read(feed, [phase << PHASE | index for index in some]):
                if each.published < timestamp:
                    return best, True
                best = each
            number = some[-1] - 1
        return best, False

    def _read(self, feed: Contract, numbers: Sequence[int]) -> list[Round]:
        """Those of the rounds that there are: one that is missing reads as zeros, or reading it fails."""
        queries = [feed.query("getRoundData", number) for number in numbers]
        found = []
        for number, query, answer in zip(numbers, queries, self._try(queries), strict=True):
            values = _values(query, answer)
            if values is not None and values[3]:
                found.append(Round(number, values[3]))
        return found

    def _last(self, feed: Contract, phase: int) -> int:
        """The newest round of a phase, without the phase; 0 where there is none."""
        if phase == 0:
            # An aggregator without a proxy.
            answer = self._ask(feed.query("latestRoundData"))
            return 0 if answer is None else int(answer[0])
        there = self._ask(feed.query("phaseAggregators", phase))
        if there is None or int(there[0], 16) == 0:
            return 0
        newest = self._ask(Contract(self._chain, "IChainlinkAggregator", there[0]).query("latestRound"))
        return 0 if newest is None else int(newest[0]) & (2**PHASE - 1)

    def _newest_phase(self, feed: Contract) -> int:
        answer = self._ask(feed.query("phaseId"))
        return 0 if answer is None else int(answer[0])

    def _ask(self, query: Query) -> tuple[Any, ...] | None:
        (answer,) = self._try([query])
        return _values(query, answer)

    def _try(self, queries: Sequence[Query]) -> list[bytes | Reverted]:
        return self._multicall.try_all([_call(query) for query in queries])

    def _feed(self, identifier: str) -> Contract:
        return Contract(self._chain, "IChainlinkFeed", "0x" + identifier[-40:])


def _call(query: Query) -> tuple[str, bytes]:
    return query.to, query.data


def _values(query: Query, answer: bytes | Reverted) -> tuple[Any, ...] | None:
    """What a feed answered; None where it refused, or answered as no feed does: one must not keep back the others."""
    if isinstance(answer, Reverted):
        return None
    try:
        return query.function.decode(answer)
    except DecodingError:
        return None
