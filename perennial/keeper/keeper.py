"""The keeper's cycle: what is due by what the chain says now, sent once each, and what became of it.

All that matters is on chain and in the journal of what was signed: a keeper that is killed at any moment and started
again goes on where it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from perennial import multicall
from perennial.abi import Reverted
from perennial.amounts import decimal
from perennial.chain import NodeError, RpcError
from perennial.keeper.work import Kind, Work
from perennial.sending.journal import Call, State

if TYPE_CHECKING:
    from threading import Event

    from perennial.keeper.commits import Commits
    from perennial.keeper.events import Follower
    from perennial.keeper.vaults import Vaults
    from perennial.keeper.view import Head, KeeperView, MarketInfo, MarketState
    from perennial.sending.journal import Entry
    from perennial.sending.sender import Outcome, Sender

logger = logging.getLogger(__name__)

IN_FLIGHT = 16
"""Transactions of a keeper in flight at once."""

SETTLED_AT_ONCE = 40
"""Accounts in one transaction."""

CLAIMED_AT_ONCE = 100
"""Versions in one claim."""

MOST_GAS = 16_000_000
"""A little less than a transaction may have on Base."""

SPARE = 150_000
"""Gas that a transaction gets beyond a quarter more than estimated: others may come before it, and leave it more to
write. What is not used is not paid."""

LONGEST_PAUSE = 300
"""Seconds between two attempts at what is refused time after time."""

LONGEST_WAIT = 60
"""Seconds between two attempts to reach a node that does not answer."""


class Profit(Protocol):
    """Judges whether work pays."""

    def __call__(self, work: Work, gas: int, head: Head) -> str | None:
        """Why not to do it, in words; None to do it."""
        ...


@dataclass(frozen=True)
class Options:
    """How a keeper works. Times are seconds, money has 6 decimals."""

    settle: bool = True
    """Whether it settles others' accounts, which pays nothing by itself."""
    liquidate: bool = True
    claim_every: int = 3600
    claim_least: int = 0
    """Of settlement or liquidation fees of a market, in its token."""
    backlog: int = 12
    """Pending versions of a market from which on it is advanced before accounts are settled."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a cycle has found and done."""

    due: tuple[Work, ...] = ()
    sent: tuple[tuple[Work, str], ...] = ()
    refused: tuple[tuple[Work, str], ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    is_behind: bool = False
    """The node is behind of what was mined already: nothing was looked at."""


Say = Callable[[str, dict[str, Any]], None]
"""Is told what happens, for machines."""


def _silent(_: str, __: dict[str, Any]) -> None:
    return None


@dataclass
class Keeper:
    """Works for some markets with one key. `cycle` is one round."""

    view: KeeperView
    follower: Follower
    commits: Commits
    sender: Sender | None
    """None to look on (`dry_run`)."""
    options: Options = field(default_factory=Options)
    profit: Profit | None = None
    say: Say = _silent
    vaults: Vaults | None = None
    """None to leave them to others."""
    _refused: dict[tuple[tuple[str, ...], ...], tuple[int, int, str]] = field(default_factory=dict)
    """How often work was refused in a row, until when it is left alone, and why."""
    _seen: int = 0
    """The newest block in which something of this keeper's was mined."""

    def run(self, stop: Event, interval: float = 1.0) -> None:
        """Cycles until told to stop. Nodes that fail are asked again, later and later."""
        failures = 0
        while not stop.is_set():
            try:
                self.cycle()
                failures = 0
            except (NodeError, Reverted) as error:
                failures += 1
                logger.warning("nothing done: %s", error)
            except Exception:
                failures += 1
                # Whatever it is, the next round may be another: nobody is there to start the keeper again.
                logger.exception("nothing done")
            stop.wait(
                interval * min(2**failures, max(1.0, LONGEST_WAIT / max(interval, 0.01))) if failures else interval
            )

    def once(self, stop: Event, interval: float = 1.0, rounds: int = 100) -> list[Report]:
        """Does what is due, and what follows from it, until nothing is due and everything is mined."""
        reports = []
        for _ in range(rounds):
            reports.append(self.cycle())
            report = reports[-1]
            is_done = not report.sent and not report.outcomes and not report.is_behind
            if stop.is_set() or (is_done and not (self.sender and self.sender.busy)):
                break
            stop.wait(interval)
        return reports

    def cycle(self) -> Report:
        """One round: the fate of what is in flight, then what is due now."""
        # First what was mined, then what the chain looks like: the other way round, work that is done would look due.
        outcomes = tuple(self.sender.resolve(self._is_due)) if self.sender else ()
        for outcome in outcomes:
            self._learn(outcome)
        head = self.view.head()
        if head.number < self._seen:
            return Report(outcomes=outcomes, is_behind=True)
        due = self._due(head)
        sent, refused = self._send_all(self._free(due), head)
        return Report(tuple(due), tuple(sent), tuple(refused), outcomes)

    # -- What is due -------------------------------------------------------------------------------------------------

    def _due(self, head: Head) -> list[Work]:
        self.follower.follow(head.number)
        states = self.view.states(head)
        works = self.commits.plan(states, self.follower.state, head)
        for each in states:
            works += self._accounts(each, head)
        if self.vaults:
            works += self.vaults.plan(head)
        works += self._pay(states, head)
        return works

    def _accounts(self, each: MarketState, head: Head) -> Iterable[Work]:
        info, contract = each.info, self.view.market(each.info)
        lag = each.pending if each.settled < each.latest else 0
        if lag > self.options.backlog:
            query = contract.query("advance", self.options.backlog)
            says = f"{info.name}: {lag} versions are pending"
            yield Work(Kind.ADVANCE, ((Kind.ADVANCE, info.address),), query.to, query.data, says)
            return
        if self.options.settle:
            waiting = self._waiting(each)
            for index in range(0, len(waiting), SETTLED_AT_ONCE):
                yield self._settle(info, waiting[index : index + SETTLED_AT_ONCE])
        # What is mined when the price is stale would be refused.
        is_fresh = each.is_valid and head.timestamp + self.commits.block_time < each.stale_at
        if self.options.liquidate and is_fresh:
            for account in self.view.liquidatable(info, self.follower.state.holders(info.address)):
                query = contract.query("liquidate", account)
                item = (Kind.LIQUIDATE, info.address, account)
                yield Work(Kind.LIQUIDATE, (item,), query.to, query.data, f"{info.name}: {account} is liquidated")

    def _waiting(self, each: MarketState) -> list[str]:
        """Accounts with orders, or a lock, at versions that have come: by the events, and by what the market says."""
        state, info = self.follower.state, each.info
        expected = state.waiting(info.address, each.latest)
        found = []
        answers = self.view.unsettled(info, list(expected))
        for (account, later), (pending, locked) in zip(expected.items(), answers, strict=True):
            if pending > later or (locked and pending == 0):
                found.append(account)
            else:
                state.settle(info.address, account, each.latest)
        return found

    def _settle(self, info: MarketInfo, accounts: Sequence[str]) -> Work:
        queries = [self.view.market(info).query("settle", account) for account in accounts]
        items = tuple((Kind.SETTLE, info.address, account) for account in accounts)
        if len(accounts) == 1:
            says = f"{info.name}: {accounts[0]} is settled"
            return Work(Kind.SETTLE, items, queries[0].to, queries[0].data, says)
        data = multicall.aggregate([(query.to, query.data) for query in queries], may_fail=False)
        middle = len(accounts) // 2

        def split() -> tuple[Work, ...]:
            return self._settle(info, accounts[:middle]), self._settle(info, accounts[middle:])

        says = f"{info.name}: {len(accounts)} accounts are settled"
        return Work(Kind.SETTLE, items, multicall.ADDRESS, data, says, split=split)

    def _pay(self, states: Sequence[MarketState], head: Head) -> Iterable[Work]:
        state = self.follower.state
        if head.timestamp - state.claimed() < self.options.claim_every:
            return
        works = [work for each in states for work in self._claims(each)]
        for info, credit in zip(self.view.markets, self.view.credits(), strict=True):
            if credit > self.options.claim_least:
                query = self.view.market(info).query("claim", self.view.account, self.view.account)
                item = (Kind.COLLECT, info.address)
                says = f"{info.name}: {decimal(credit)} for liquidations"
                works.append(Work(Kind.COLLECT, (item,), query.to, query.data, says))
        # What comes in while these are on their way has time until the next pay day.
        if not self.options.dry_run:
            state.claim_at(head.timestamp)
        yield from works

    def _claims(self, each: MarketState) -> Iterable[Work]:
        info, state = each.info, self.follower.state
        versions = state.unpaid(info.address, each.settled)
        if not info.factory or not versions:
            return
        paying, total, spent = [], 0, []
        for version, (fee, is_own) in zip(versions, self.view.pay(info, versions), strict=True):
            if fee and is_own:
                paying.append(version)
                total += fee
            else:
                spent.append(version)
        state.forget_unpaid(info.address, spent)
        if total <= self.options.claim_least:
            return
        contract = self.view.contract("IOracleFactory", info.factory)
        for index in range(0, len(paying), CLAIMED_AT_ONCE):
            some = paying[index : index + CLAIMED_AT_ONCE]
            query = contract.query("claim", info.address, some, self.view.account)
            says = f"{info.name}: {decimal(total)} for {len(paying)} versions"
            yield Work(Kind.CLAIM, ((Kind.CLAIM, info.address, str(index)),), query.to, query.data, says)

    # -- What is done ------------------------------------------------------------------------------------------------

    def _is_due(self, entry: Entry) -> bool:
        """Whether a call that is not mined should be offered more for."""
        due = {item for work in self._due(self.view.head()) for item in work.items}
        return not due.isdisjoint(entry.items)

    def _free(self, works: Sequence[Work]) -> list[Work]:
        """What of it is not in flight."""
        if self.sender is None:
            return list(works)
        busy = {item for entry in self.sender.journal.in_flight() for item in entry.items}
        free: list[Work] = []
        for work in works:
            if busy.isdisjoint(work.items):
                free.append(work)
            else:
                free += self._free(work.split())
        return free

    def _send_all(self, works: Sequence[Work], head: Head) -> tuple[list[tuple[Work, str]], list[tuple[Work, str]]]:
        sent: list[tuple[Work, str]] = []
        refused: list[tuple[Work, str]] = []
        queue = list(works)
        while queue:
            work = queue.pop(0)
            if self.sender is None or self.options.dry_run:
                self._would(work, head)
                continue
            if len(self.sender.journal.in_flight()) >= self.sender.journal.limit:
                break
            if self._is_paused(work, head):
                continue
            gas, reason = self._judge(work, head)
            if reason is None:
                sent.append((work, self._send(work, gas)))
                if self.vaults:
                    self.vaults.sent(work, head)
            elif parts := work.split():
                queue = [*parts, *queue]
            else:
                self._refuse(work, reason, head)
                refused.append((work, reason))
        return sent, refused

    def _would(self, work: Work, head: Head) -> None:
        """Says what would be done, or that it would not pay."""
        reason = self.profit(work, 0, head) if self.profit else None
        if reason is None:
            logger.info("would %s %s", work.kind, work.says)
            self._tell("would", work)
        else:
            logger.info("would not %s %s: %s", work.kind, work.says, reason)
            self._tell("would not", work, reason=reason)

    def _judge(self, work: Work, head: Head) -> tuple[int, str | None]:
        """The gas of a call, and why it should not be made; None where it should."""
        try:
            gas = self.view.gas(work.to, work.data, work.value)
        except (Reverted, RpcError) as error:
            return 0, str(error)
        if gas > MOST_GAS:
            return gas, f"it takes {gas} gas"
        gas = min(gas + gas // 4 + SPARE, MOST_GAS)
        return gas, self.profit(work, gas, head) if self.profit else None

    def _send(self, work: Work, gas: int) -> str:
        assert self.sender is not None
        digest = self.sender.send(Call(work.to, work.data, gas, work.value), work.items)
        self._refused.pop(work.items, None)
        logger.info("%s %s: %s", work.kind, work.says, digest)
        self._tell("sent", work, transaction=digest, gas=gas)
        return digest

    def _learn(self, outcome: Outcome) -> None:
        digest, kind = outcome.entry.attempts[-1].hash, outcome.entry.items[0][0]
        mined = outcome.mined
        if mined is not None:
            self._seen = max(self._seen, mined.block)
        level = logging.DEBUG if outcome.state is State.MINED else logging.WARNING
        logger.log(level, "%s %s is %s", kind, digest, outcome.state.value)
        costs = {} if mined is None else {"gas": mined.gas_used, "cost": str(mined.cost), "block": mined.block}
        items = [list(item) for item in outcome.entry.items]
        self.say(outcome.state.value, {"kind": kind, "items": items, "transaction": digest, **costs})

    def _is_paused(self, work: Work, head: Head) -> bool:
        return head.timestamp < self._refused.get(work.items, (0, 0, ""))[1]

    def _refuse(self, work: Work, reason: str, head: Head) -> None:
        """Says why, once, and tries again later and later."""
        times, _, known = self._refused.get(work.items, (0, 0, ""))
        self._refused[work.items] = times + 1, head.timestamp + min(2**times, LONGEST_PAUSE), reason
        if reason != known:
            logger.info("not done: %s %s: %s", work.kind, work.says, reason)
            self._tell("refused", work, reason=reason)
        if len(self._refused) > 10_000:
            self._refused = {key: entry for key, entry in self._refused.items() if head.timestamp < entry[1]}

    def _tell(self, what: str, work: Work, **more: Any) -> None:
        items = [list(item) for item in work.items]
        self.say(what, {"kind": str(work.kind), "says": work.says, "items": items, **more})
