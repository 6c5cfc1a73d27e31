"""Which versions are to be committed, and with what (docs/protocol.md §11.3)."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from perennial import multicall
from perennial.keeper.hermes import HermesError, UnknownFeedError
from perennial.keeper.work import Kind, Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perennial.chain import Contract
    from perennial.keeper.state import State
    from perennial.keeper.view import Adapter, Head, MarketInfo, MarketState
    from perennial.keeper.work import Item

logger = logging.getLogger(__name__)

AT_ONCE = 20
"""Oracles in one commit."""

BACKLOG_AT_ONCE = 10
"""Versions of an oracle in one call."""

LAG = 5
"""Seconds by which a feed's newest price may be older than another's for one commit to serve both."""

SILENCE = 15
"""Seconds for which a feed is not asked again that had nothing new."""

EXPIRED_AT_ONCE = 50
"""Versions that one `expire` gives up."""


class Given(Protocol):
    """Prices as an adapter takes them: updates of Pyth's, or rounds of Chainlink's."""

    @property
    def data(self) -> tuple[bytes, ...]:
        """What Pyth is paid for."""
        ...

    @property
    def published(self) -> dict[str, int]:
        """When each feed's was published, Unix seconds."""
        ...

    def are_first_in(self, start: int, end: int) -> bool:
        """Whether each is the first one of its feed between two seconds, both included."""
        ...

    def arguments(self, oracles: Sequence[Sequence[str]]) -> Sequence[bytes | int]:
        """The last argument of a commit for oracles with these feeds."""
        ...


class Prices(Protocol):
    """Where prices come from."""

    def first(self, ids: Sequence[str], timestamp: int) -> Given | None:
        """The first of each feed at a second or after it; None where there is none yet. Raises HermesError."""
        ...

    def latest(self, ids: Sequence[str]) -> Given | None:
        """The newest of each feed; None where there is none. Raises HermesError, UnknownFeedError."""
        ...


class View(Protocol):
    """What is asked of the chain."""

    @property
    def account(self) -> str:
        """The keeper's address."""
        ...

    @property
    def rounds(self) -> Prices:
        """Chainlink's prices, which are on the chain."""
        ...

    def update_fee(self, adapter: Adapter, data: Sequence[bytes]) -> int:
        """What Pyth asks for updates, wei."""
        ...

    def liquidatable_at(
        self, info: MarketInfo, accounts: Sequence[str], commit: tuple[str, int, bytes]
    ) -> list[str] | None:
        """Those that could be liquidated if a commit `(to, wei, data)` were made first; None if it is refused."""
        ...

    def contract(self, kind: str, address: str) -> Contract:
        """Any contract, to make calldata."""
        ...


@dataclass(frozen=True)
class Freshening:
    """When versions are committed that nobody requested. Seconds."""

    max_age: int = 0
    """An oracle whose latest version is older gets a new one; 0 for only where somebody needs it."""
    look: int = 10
    """Between two looks at whether the newest price is needed, as where it would liquidate somebody; 0 for never."""


@dataclass
class Commits:
    """Plans commits. `block_time` is how much later than the newest block a transaction may be mined, in seconds."""

    view: View
    prices: Prices
    freshening: Freshening
    block_time: int = 2
    _looked: dict[str, int] = field(default_factory=dict)
    _silent: dict[str, int] = field(default_factory=dict)
    """Oracles whose feeds had nothing new, and until when they are not asked again."""

    def plan(self, states: Sequence[MarketState], state: State, head: Head) -> list[Work]:
        """What is due. Where prices cannot be had, what needs none, or those of another source."""
        works = list(self._expired(states))
        priced = [each for each in states if each.adapter is not None]
        # Chainlink's prices are on the chain, whether Pyth's Hermes answers or not.
        for some in ([each for each in priced if _is_pyths(each)], [each for each in priced if not _is_pyths(each)]):
            try:
                for work in self._priced(some, state, head):
                    works.append(work)  # noqa: PERF402 -- what comes before an error is kept
            except HermesError as error:
                logger.warning("%s", error)
        works += self._given_up(_waiting(priced), {item for work in works for item in work.items}, head)
        return works

    def _priced(self, states: Sequence[MarketState], state: State, head: Head) -> Iterable[Work]:
        """What needs a price, in the order of versions: an oracle's never go back. Raises HermesError."""
        waiting = _waiting(states)
        awaited = {each.info.oracle: self._awaited(each, state, head) for each in states}
        for each in states:
            if version := awaited[each.info.oracle]:
                yield from self._exactly(each, version, head)
        behind = {each.info.oracle: work for each in waiting if (work := self._backlog(each, state, head))}
        yield from behind.values()
        yield from self._requested([each for each in waiting if each.info.oracle not in behind], head)
        # What is requested serves as well as what is fresh.
        free = [each for each in states if not each.next and not awaited[each.info.oracle]]
        yield from self._newest(free, state, head)

    # -- Requested versions ------------------------------------------------------------------------------------------

    def _expired(self, states: Sequence[MarketState]) -> Iterable[Work]:
        for each in states:
            if each.expires:
                query = self.view.contract("IOracle", each.info.oracle).query("expire", EXPIRED_AT_ONCE)
                says = f"{each.info.name}: versions of its former adapter expire"
                yield Work(Kind.EXPIRE, ((Kind.EXPIRE, each.info.oracle),), query.to, query.data, says)

    def _given_up(self, states: Sequence[MarketState], planned: set[Item], head: Head) -> Iterable[Work]:
        for (adapter, version), group in _by_version(states).items():
            left = [each for each in group if (Kind.INVALID, each.info.oracle, str(version)) not in planned]
            if left and head.timestamp >= left[0].window.expiry(version):
                yield self._invalid(adapter, version, left)

    def _requested(self, states: Sequence[MarketState], head: Head) -> Iterable[Work]:
        for (adapter, version), group in _by_version(states).items():
            if self._is_open(group[0], version, head):
                updates = self._updates(group, version, head)
                if updates is not None:
                    yield self._commit(Kind.COMMIT, adapter, version, group, updates)
                elif len(group) > 1:
                    # One feed that is missing must not keep back the others.
                    yield from self._requested_apart(adapter, version, group, head)

    def _backlog(self, each: MarketState, state: State, head: Head) -> Work | None:
        """Several versions of an oracle in one call, in their order, where several are due: as after an outage."""
        assert each.adapter is not None
        steps: list[Work] = []
        later = [version for version in state.requested(each.info.address, each.next) if version <= each.last]
        for version in [each.next, *later][:BACKLOG_AT_ONCE]:
            if head.timestamp >= each.window.expiry(version):
                steps.append(self._invalid(each.adapter.address, version, [each]))
                continue
            updates = self._updates([each], version, head) if self._is_open(each, version, head) else None
            if updates is None:
                break
            steps.append(self._commit_for(each.adapter, version, each, updates))
        if len(steps) < 2:
            return None
        data = multicall.aggregate_with_value([(step.to, step.value, step.data) for step in steps], may_fail=False)
        items = tuple(item for step in steps for item in step.items)
        says = f"{each.info.name}: {len(steps)} versions from {each.next} on"
        kind = Kind.COMMIT if any(step.kind is Kind.COMMIT for step in steps) else Kind.INVALID
        # By itself the first one is due, whatever is wrong with the others.
        value, first = sum(step.value for step in steps), tuple(steps[:1])
        return Work(kind, items, multicall.ADDRESS, data, says, value, lambda: first)

    def _is_open(self, each: MarketState, version: int, head: Head) -> bool:
        """Whether a version can be committed with a price: one that is mined after the expiry would be refused."""
        expiry = each.window.expiry(version)
        return version + each.window.valid_from <= head.timestamp < expiry - self.block_time

    def _updates(self, group: Sequence[MarketState], version: int, head: Head) -> Given | None:
        """The first updates in a version's window of all feeds of some markets."""
        opens, closes = version + group[0].window.valid_from, version + group[0].window.valid_to
        updates = self._source(group).first(_feeds(group), opens)
        return updates if updates is not None and _fits(updates, opens, closes, head) else None

    def _source(self, group: Sequence[MarketState]) -> Prices:
        """Where prices of some markets with one adapter come from."""
        return self.prices if _is_pyths(group[0]) else self.view.rounds

    def _requested_apart(self, adapter: str, version: int, group: list[MarketState], head: Head) -> Iterable[Work]:
        for each in group:
            updates = self._updates([each], version, head)
            if updates is not None:
                yield self._commit(Kind.COMMIT, adapter, version, [each], updates)

    # -- Others ------------------------------------------------------------------------------------------------------

    def _awaited(self, each: MarketState, state: State, head: Head) -> int:
        """The oldest version that accounts wait for without having requested it, as with fills alone; 0 for none.

        Only one whose price can still be had; to an older one any later version puts an end.
        """
        for version in state.versions(each.info.address, each.latest):
            if each.next and version >= each.next:
                return 0
            if version + each.window.valid_from <= head.timestamp < each.window.expiry(version):
                return version
        return 0

    def _exactly(self, each: MarketState, version: int, head: Head) -> Iterable[Work]:
        updates = self._updates([each], version, head)
        if updates is not None and each.adapter is not None:
            yield self._commit(Kind.FRESHEN, each.adapter.address, version, [each], updates)

    def _newest(self, states: Sequence[MarketState], state: State, head: Head) -> Iterable[Work]:
        by_adapter: dict[str, list[MarketState]] = defaultdict(list)
        for each in states:
            if each.adapter is not None and self._is_looked_at(each, state, head):
                by_adapter[each.adapter.address].append(each)
        for group in by_adapter.values():
            yield from self._newest_of(group, state, head)

    def _newest_of(self, group: list[MarketState], state: State, head: Head) -> Iterable[Work]:
        """The newest prices of markets of one adapter. Feeds that are dead or late must not keep back the others."""
        try:
            latest = self._source(group).latest(_feeds(group))
        except UnknownFeedError as error:
            logger.warning("%s", error)
            latest = None
        if latest is None and len(group) == 1:
            logger.warning("%s: its feeds have no newest price", group[0].info.name)
            self._silent[group[0].info.oracle] = head.timestamp + SILENCE
        if latest is None:
            for each in group[1:] and group:
                yield from self._newest_of([each], state, head)
            return
        newest = {each.info.oracle: min(latest.published[feed] for feed in _feeds([each])) for each in group}
        last = max(newest.values())
        together = [each for each in group if newest[each.info.oracle] >= last - LAG]
        for some in (together, *([each] for each in group if each not in together)):
            published = min(head.timestamp, *(newest[each.info.oracle] for each in some))
            yield from self._freshen(some, published, state, head)

    def _freshen(self, group: list[MarketState], published: int, state: State, head: Head) -> Iterable[Work]:
        """Commits the version that prices of this second are for, where it is needed."""
        version = published - group[0].window.valid_from
        for each in group:
            if version <= each.latest and published < head.timestamp - SILENCE:
                self._silent[each.info.oracle] = head.timestamp + SILENCE
        updates = self._updates(group, version, head)
        needed = [each for each in group if updates and self._is_needed(each, version, updates, state, head)]
        # Each update is paid for: none that only the others need.
        own = self._updates(needed, version, head) if needed else None
        if own is not None and (adapter := needed[0].adapter):
            yield self._commit(Kind.FRESHEN, adapter.address, version, needed, own)

    def _is_looked_at(self, each: MarketState, state: State, head: Head) -> bool:
        """Whether the newest price may be needed: too old, none, or there is somebody whom it may concern."""
        if head.timestamp < self._silent.get(each.info.oracle, 0):
            return False
        if self._is_old(each, head):
            return True
        if not self.freshening.look or head.timestamp - self._looked.get(each.info.oracle, 0) < self.freshening.look:
            return False
        # A market without a price, as a new one is, takes no order that could ask for one.
        return not each.is_valid or bool(state.holders(each.info.address))

    def _is_old(self, each: MarketState, head: Head) -> bool:
        age = head.timestamp - each.latest
        return bool(self.freshening.max_age) and age > self.freshening.max_age

    def _is_needed(self, each: MarketState, version: int, updates: Given, state: State, head: Head) -> bool:
        if version <= each.latest or each.adapter is None:
            return False
        self._looked[each.info.oracle] = head.timestamp
        address = each.info.address
        work = self._commit(Kind.FRESHEN, each.adapter.address, version, [each], updates)
        unhealthy = self.view.liquidatable_at(each.info, state.holders(address), (work.to, work.value, work.data))
        if unhealthy is None:
            return False
        # Nobody can do anything while the latest version is invalid; and who waits for an old version waits for any.
        is_awaited = any(waits <= version for waits in state.versions(address, each.latest))
        return bool(unhealthy) or is_awaited or not each.is_valid or self._is_old(each, head)

    # -- Calls -------------------------------------------------------------------------------------------------------

    def _commit(self, kind: Kind, adapter: str, version: int, group: list[MarketState], updates: Given) -> Work:
        oracles = [each.info.oracle for each in group]
        source = group[0].adapter
        assert source is not None
        given = updates.arguments([each.adapter.feeds for each in group if each.adapter])
        query = self.view.contract(source.interface, adapter).query("commit", oracles, version, given)
        names = ", ".join(each.info.name for each in group)
        # One fee pays for all, unless an oracle refuses and each is tried by itself: what is over comes back.
        value = self.view.update_fee(source, updates.data) * len(group)
        items = tuple((kind, oracle, *([str(version)] if kind is Kind.COMMIT else [])) for oracle in oracles)

        def split() -> tuple[Work, ...]:
            alone = [(each, self._own(each, version, updates)) for each in group[1:] and group]
            return tuple(self._commit(kind, adapter, version, [each], own) for each, own in alone)

        return Work(kind, items, query.to, query.data, f"{names}: version {version}", value, split)

    def _own(self, each: MarketState, version: int, updates: Given) -> Given:
        """Those of a group's updates that one market needs, as each is paid for; all where they cannot be had apart."""
        try:
            own = self._source([each]).first(_feeds([each]), version + each.window.valid_from)
        except HermesError as error:
            logger.warning("%s", error)
            return updates
        return own if own is not None and own.published.items() <= updates.published.items() else updates

    def _commit_for(self, adapter: Adapter, version: int, each: MarketState, updates: Given) -> Work:
        """A commit of one oracle that another contract makes for the keeper: it carries the exact fee."""
        oracle, given = each.info.oracle, updates.arguments([adapter.feeds])
        contract = self.view.contract(adapter.interface, adapter.address)
        query = contract.query("commitFor", self.view.account, [oracle], version, given)
        item, fee = (Kind.COMMIT, oracle, str(version)), self.view.update_fee(adapter, updates.data)
        alone = self._commit(Kind.COMMIT, adapter.address, version, [each], updates)
        return Work(Kind.COMMIT, (item,), query.to, query.data, alone.says, fee)

    def _invalid(self, adapter: str, version: int, group: list[MarketState]) -> Work:
        oracles = [each.info.oracle for each in group]
        query = self.view.contract("IPythOracle", adapter).query("commitInvalid", oracles, version)
        names = ", ".join(each.info.name for each in group)
        items = tuple((Kind.INVALID, oracle, str(version)) for oracle in oracles)
        return Work(Kind.INVALID, items, query.to, query.data, f"{names}: version {version} has no price")


def _is_pyths(each: MarketState) -> bool:
    return each.adapter is not None and bool(each.adapter.pyth)


def _waiting(states: Sequence[MarketState]) -> list[MarketState]:
    """Those that wait for a version which its adapter may still commit."""
    return [each for each in states if each.next and not each.expires]


def _by_version(states: Sequence[MarketState]) -> dict[tuple[str, int], list[MarketState]]:
    """Markets that wait for the same version of the same adapter, as many as one call takes."""
    groups: dict[tuple[str, int], list[MarketState]] = defaultdict(list)
    for each in states:
        if each.adapter is not None:
            group = groups[each.adapter.address, each.next]
            if len(group) < AT_ONCE:
                group.append(each)
    return groups


def _feeds(group: Iterable[MarketState]) -> list[str]:
    return sorted({feed for each in group if each.adapter is not None for feed in each.adapter.feeds})


def _fits(updates: Given, opens: int, closes: int, head: Head) -> bool:
    """Whether each update is the first of its feed in the window, and not of the future."""
    return updates.are_first_in(opens, closes) and max(updates.published.values()) <= head.timestamp + 1
