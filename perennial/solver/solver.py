"""The solver's cycle: what can be filled, what of it pays, one batch; and why the rest is not filled."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from perennial.chain import NodeError
from perennial.intents import SignatureError, message_hash, verify
from perennial.relay.client import RelayError
from perennial.relay.records import Order, Refusal
from perennial.sending.journal import Call, State
from perennial.solver.batch import Batch, Gas, Terms, choose
from perennial.solver.inventory import Inventory, Limits
from perennial.solver.matching import Matching
from perennial.solver.orders import Band, Cross, Deal, Fill, Open, Skipped
from perennial.solver.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet
    from threading import Event

    from perennial.intents import Domain, Intent
    from perennial.sending.sender import Outcome, Sender
    from perennial.solver.node import Snapshot

logger = logging.getLogger(__name__)

WAITING = "anything"
"""What is not filled while a batch is in flight."""

GONE = "nothing remains on chain: filled, cancelled or expired"

TAKEN_BACK = "WrongSignature("
"""How a reason begins where a signature that counted when a deal was tried no longer did when it was mined.

The signer follows: the Verifier's word, which no wallet can put into another's mouth.
"""

BURNT = "revert("
"""Likewise where there was no gas left to say anything. Nobody is named."""

AnyDeal = TypeVar("AnyDeal", Cross, Fill)


class Source(Protocol):
    """Where intents come from: a relay."""

    def open_orders(self, market: str) -> list[Order]:
        """Every open intent of a market, in order of time."""
        ...


class View(Protocol):
    """What the solver asks the chain."""

    market: str
    account: str
    domain: Domain

    def snapshot(self) -> Snapshot:
        """The market now."""
        ...

    def remaining(self, intents: Sequence[Intent]) -> list[int]:
        """What the Verifier would still fill of intents."""
        ...

    def trials(self, deals: Sequence[Deal], limit: int) -> list[int | str]:
        """For each deal, made alone now: the gas that it takes, at most `limit`, or why the market would refuse it."""
        ...

    def posting(self, deals: Sequence[Deal], gas: int) -> int:
        """Wei that a rollup takes, beyond gas, for a batch of these deals."""
        ...

    def calldata(self, deals: Sequence[Deal]) -> bytes:
        """The call of a batch that skips what is bad; its deals are of one kind."""
        ...


@dataclass(frozen=True)
class Options:
    """How the solver works. Money is USD with 6 decimals, times are seconds."""

    limits: Limits = field(default_factory=Limits)
    gas: Gas = field(default_factory=Gas)
    least_profit: int | None = None
    """What a deal and a batch must earn after gas; None to make every deal."""
    ether_price: int = 0
    """USD for an ether, to reckon with gas."""
    lifetime: int = 5
    """Intents that expire sooner are left alone: they would have when the batch is mined."""
    pause: int = 5
    """After a first refusal of a deal by the market; twice that after the second, and so on."""
    longest_pause: int = 600
    """At most this; for a contract wallet that took its signature back at once this."""
    wallet_intents: int = 4
    """Intents of one contract wallet that are tried in a cycle: a node runs its code many times for each."""
    rounds: int = 5
    """How often crosses are sought anew, in one cycle, without those that the market refuses."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a cycle did: the batch before whose fate is known now, the new one, and what was left and why."""

    outcome: Outcome | None = None
    batch: Batch | None = None
    sent: str | None = None
    skipped: tuple[Skipped, ...] = ()
    waiting: bool = False


@dataclass
class Solver:
    """Works on one market with one key. `cycle` is one round; state that matters is on chain and in the journal."""

    source: Source
    view: View
    sender: Sender | None
    """None to look on (`dry_run`)."""
    options: Options = field(default_factory=Options)
    _refused: dict[frozenset[str], tuple[int, int]] = field(default_factory=dict)
    """By the intents of a deal, how often it was refused in a row, and until when it is not tried.

    Of a deal, not of an intent: who cannot pay must not keep the other side from meeting others.
    """
    _said: dict[str, str] = field(default_factory=dict)
    _wallets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By intent, whose code answers for its signature: account and signer; nobody's where a key has signed."""
    _distrusted: dict[str, int] = field(default_factory=dict)
    """By account or signer whose contract wallet took a signature back, until when it is left alone.

    In small letters. It costs such a wallet nothing to sign another intent, and the solver all the gas that a deal is
    given.
    """
    _apart: dict[str, int] = field(default_factory=dict)
    """By signer, until when it meets no other contract wallet: of two in a deal, one has burnt the gas.

    Which of them nobody knows. All that keys sign, and the inventory, it meets as before.
    """
    _outcome: Outcome | None = None
    """Known, and not learnt from yet: the journal tells it once, and relay or node may fail before it is of use."""
    _turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        self._turns = Turns(self.options.wallet_intents)

    def run(self, stop: Event, interval: float = 1.0) -> None:
        """Cycles until told to stop. Relays and nodes that fail are asked again."""
        failure = ""
        while not stop.is_set():
            try:
                self.cycle()
                failure = ""
            except (NodeError, RelayError, Refusal) as error:
                if str(error) != failure:
                    logger.warning("nothing done: %s", error)
                failure = str(error)
            except Exception:
                # Whatever it is, the next cycle may be another: nobody is there to start the solver again.
                logger.exception("nothing done")
            stop.wait(interval)

    def cycle(self) -> Report:
        """One round: the fate of the batch in flight, or a new batch."""
        # One batch is in flight at most: what is in it is not offered again before its fate is known.
        for known in self.sender.resolve() if self.sender else ():
            self._outcome = known
        snapshot = self.view.snapshot()
        if self.sender and self.sender.busy:
            self._say([Skipped(WAITING, "the fate of the batch before is not known yet")])
            return Report(waiting=True)
        self._said.pop(WAITING, None)

        # The book first: after a restart only it tells whose the intents of the batch were.
        book = self._read()
        outcome, self._outcome = self._outcome, None
        if outcome is not None:
            self._learn(outcome, snapshot.timestamp)
        orders, skipped = self._usable(book, snapshot.timestamp)
        price = snapshot.price
        if price is None:
            skipped += [Skipped(order.hash, "the oracle's latest version has no price") for order in orders]
            self._say(skipped)
            return Report(outcome, skipped=tuple(skipped))
        crosses, fills, left = self._plan(orders, snapshot, price)
        terms = self._terms(snapshot, price)
        batch: Batch | None = None
        # Fills from inventory wait for the next cycle where there are crosses: one batch is one call.
        for deals in (crosses, fills):
            priced = replace(terms, posting=self._posting(deals))
            chosen, unworthy = choose(deals, priced, self.options.gas, self.options.least_profit)
            skipped += unworthy
            if chosen is not None:
                batch = chosen
                break
        taken = {digest for deal in (batch.deals if batch else ()) for digest in deal.hashes}
        skipped = [each for each in (*left, *skipped) if each.hash not in taken]
        self._say(skipped)
        return Report(outcome, batch, self._send(batch) if batch else None, tuple(skipped))

    # -- Steps -------------------------------------------------------------------------------------------------------

    def _read(self) -> list[Open]:
        """The relay's intents; what remains of them is not known yet."""
        book: list[Open] = []
        for order in self.source.open_orders(self.view.market):
            digest = "0x" + message_hash(order.intent, self.view.domain).hex()
            by_key = not self._wallets_of(digest, order)
            book.append(Open(digest, order.sequence, order.intent, order.signature, 0, by_key))
        return book

    def _usable(self, book: list[Open], now: int) -> tuple[list[Open], list[Skipped]]:
        """What can be filled of the relay's intents, by what the chain says."""
        found: list[Open] = []
        skipped: list[Skipped] = []
        for opened in book:
            reason = self._unusable(opened, now)
            if reason is None:
                found.append(opened)
            else:
                skipped.append(Skipped(opened.hash, reason))
        self._forget({each.hash for each in found} | {each.hash for each in skipped}, now)
        usable: list[Open] = []
        for opened, remaining in zip(found, self.view.remaining([each.intent for each in found]), strict=True):
            if remaining == 0:
                skipped.append(Skipped(opened.hash, GONE))
            else:
                usable.append(replace(opened, remaining=remaining))
        return usable, skipped

    def _wallets_of(self, digest: str, order: Order) -> tuple[str, ...]:
        if digest not in self._wallets:
            common = order.intent.common
            try:
                verify(order.intent, order.signature, self.view.domain)
                self._wallets[digest] = ()
            except SignatureError:
                # It may be a contract wallet's, else the market refuses it.
                self._wallets[digest] = (common.account.lower(), common.signer.lower())
        return self._wallets[digest]

    def _unusable(self, order: Open, now: int) -> str | None:
        common = order.intent.common
        if common.domain != self.view.market:
            return "it is for another market"
        if common.expiry <= now + self.options.lifetime:
            return "it expires too soon"
        if any(now < self._distrusted.get(name, 0) for name in self._wallets[order.hash]):
            return "its contract wallet has taken a signature back: it is left alone for a while"
        return None

    def _plan(
        self, orders: list[Open], snapshot: Snapshot, price: int
    ) -> tuple[list[Cross], list[Fill], list[Skipped]]:
        """The crosses and fills that the market would make now, and what is left."""
        band = Band.around(price, snapshot.deviation)
        self._turns.begin(orders, self._apart.keys())
        for _ in range(self.options.rounds):
            matching = Matching(band, self._barred(snapshot.timestamp), self._turns)
            matching.run(orders)
            crosses, refused = self._possible(matching.crosses, snapshot.timestamp)
            if not refused:
                break
        inventory = Inventory(self.options.limits, price, snapshot.inventory, band, snapshot.age)
        fills, skipped = self._offers(orders, matching, inventory, self._barred(snapshot.timestamp))
        fills, refused_fills = self._possible(fills, snapshot.timestamp)
        return crosses, fills, skipped + refused + refused_fills

    def _offers(
        self,
        orders: list[Open],
        matching: Matching,
        inventory: Inventory,
        barred: AbstractSet[frozenset[str]],
    ) -> tuple[list[Fill], list[Skipped]]:
        """What the inventory takes of that which has not met anybody."""
        fills: list[Fill] = []
        skipped: list[Skipped] = []
        for order in sorted(orders, key=lambda each: each.sequence):
            remaining = matching.remaining[order.hash]
            if remaining == 0:
                continue
            offer: Fill | str
            if order.account == self.view.account:
                offer = "it is the solver's own"
            elif frozenset({order.hash}) in barred:
                offer = "the market has refused it"
            else:
                offer = self._offer(order, remaining, inventory)
            if isinstance(offer, Fill):
                fills.append(offer)
                continue
            no_cross = matching.reasons.get(order.hash, "nobody takes the other side at its price")
            skipped.append(Skipped(order.hash, f"no cross: {no_cross}; no fill: {offer}"))
        return fills, skipped

    def _offer(self, order: Open, remaining: int, inventory: Inventory) -> Fill | str:
        """What the inventory offers, if the intent has a place in this cycle: only what would be tried takes one."""
        before = inventory.size
        offer = inventory.offer(order, remaining)
        later = self._turns.refusal(order) if isinstance(offer, Fill) else None
        if later is None:
            return offer
        inventory.size = before
        return later

    def _possible(self, deals: list[AnyDeal], now: int) -> tuple[list[AnyDeal], list[Skipped]]:
        """The deals that the market would make now. Those that follow on others of the batch cannot be tried alone."""
        most = self.options.gas.most
        seen: set[str] = set()
        alone: list[AnyDeal] = []
        for deal in deals:
            if seen.isdisjoint(deal.hashes):
                alone.append(deal)
            seen.update(deal.hashes)
        trials = {id(deal): trial for deal, trial in zip(alone, self.view.trials(alone, most), strict=True)}
        possible: list[AnyDeal] = []
        skipped: list[Skipped] = []
        for deal in deals:
            trial = trials.get(id(deal))
            if isinstance(trial, str):
                skipped += self._refuse(deal.hashes, f"the market refuses: {trial}", now)
            else:
                possible.append(replace(deal, gas=trial))
        return possible, skipped

    def _barred(self, now: int) -> frozenset[frozenset[str]]:
        return frozenset(key for key, (_, until) in self._refused.items() if now < until)

    def _terms(self, snapshot: Snapshot, price: int) -> Terms:
        tip = self.sender.tip if self.sender else 0
        return Terms(
            price=price,
            taker_fee=snapshot.taker_fee,
            referral_fee=snapshot.referral_fee,
            earner=self.view.account,
            gas_price=snapshot.base_fee + tip,
            ether_price=self.options.ether_price,
        )

    def _posting(self, deals: Sequence[Deal]) -> int:
        """Wei for a deal's part of what a rollup takes beyond gas; not asked where profit does not matter."""
        if not deals or self.options.least_profit is None:
            return 0
        gas = self.options.gas
        return -(-self.view.posting(deals, gas.base + sum(map(gas.of, deals))) // len(deals))

    def _send(self, batch: Batch) -> str | None:
        for deal in batch.deals:
            logger.info("%s%s", "would " if self.options.dry_run else "", deal)
        if self.options.dry_run or self.sender is None:
            return None
        data, deals = self.view.calldata(batch.deals), [deal.hashes for deal in batch.deals]
        digest = self.sender.send(Call(self.view.market, data, batch.gas), deals)
        logger.info("sent %s deals in %s", len(deals), digest)
        return digest

    def _learn(self, outcome: Outcome, now: int) -> None:
        """What was skipped on chain is not tried for a while; what was filled starts anew."""
        logger.info("batch %s is %s", outcome.entry.attempts[0].hash, outcome.state.value)
        if outcome.state in (State.CANCELLED, State.LOST):
            return
        skipped = outcome.mined.skipped if outcome.mined else {}
        for index, hashes in enumerate(outcome.entry.items):
            if outcome.state is State.FAILED:
                self._say(self._refuse(hashes, "its batch failed", now))
            elif index in skipped:
                self._say(self._refuse(hashes, f"the market skipped it: {skipped[index]}", now))
                self._judge(hashes, skipped[index], now + self.options.longest_pause)
            else:
                self._refused.pop(frozenset(hashes), None)

    def _judge(self, hashes: tuple[str, ...], reason: str, until: int) -> None:
        """Who of a deal took a signature back, or burnt its gas, is left alone; nobody for what another has done."""
        wallets = [self._wallets[digest] for digest in hashes if self._wallets.get(digest)]
        signers = {signer for _, signer in wallets}
        if reason.startswith(TAKEN_BACK):
            guilty = {reason.removeprefix(TAKEN_BACK).split(",")[0].lower()}
        elif not reason.startswith(BURNT):
            return
        elif len(signers) == 1:
            guilty = signers
        else:
            self._apart.update(dict.fromkeys(signers, until))
            return
        accounts = {account for account, signer in wallets if signer in guilty}
        self._distrusted.update(dict.fromkeys(guilty | accounts, until))

    def _refuse(self, hashes: tuple[str, ...], reason: str, now: int) -> list[Skipped]:
        times = self._refused.get(frozenset(hashes), (0, 0))[0] + 1
        pause = min(self.options.pause * 2 ** min(times - 1, 20), self.options.longest_pause)
        self._refused[frozenset(hashes)] = times, now + pause
        return [Skipped(digest, reason) for digest in hashes]

    def _forget(self, here: set[str], now: int) -> None:
        """Of intents that are gone, and of refusals long ago, nothing is remembered."""
        self._said = {digest: reason for digest, reason in self._said.items() if digest in here}
        self._wallets = {digest: names for digest, names in self._wallets.items() if digest in here}
        self._distrusted = {name: until for name, until in self._distrusted.items() if now < until}
        self._apart = {name: until for name, until in self._apart.items() if now < until}
        longest = self.options.longest_pause
        self._refused = {key: entry for key, entry in self._refused.items() if now < entry[1] + longest}

    def _say(self, skipped: Sequence[Skipped]) -> None:
        """Logs a reason once, until it is another."""
        for each in skipped:
            if self._said.get(each.hash) != each.reason:
                # That the relay is a moment behind the chain is no news.
                logger.log(
                    logging.DEBUG if each.reason == GONE else logging.INFO, "not filled %s: %s", each.hash, each.reason
                )
                self._said[each.hash] = each.reason
