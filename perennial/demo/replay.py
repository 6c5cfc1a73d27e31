"""The versions of a run, one an hour or a day, on chain and in the mirror."""

import time
from collections.abc import Callable
from dataclasses import replace

from perennial.demo.actors import ALL, Action, Actor, View
from perennial.demo.cast import cast
from perennial.demo.journal import Journal
from perennial.demo.keepers import Keepers
from perennial.demo.options import DemoError, Options
from perennial.demo.outcome import ActorResult, Books, Fee, Outcome, Sample
from perennial.demo.stage import EVE, Stage, open_stage
from perennial.demo.twin import Twin
from perennial.mirror import interest
from perennial.mirror.account_state import Account
from perennial.mirror.errors import InsufficientMaintenance, MarketError
from perennial.mirror.fixed import UNIT, UNIT12, ceil_div
from perennial.prices import DAY, HOUR, PriceError, Prices, pyth_update

Progress = Callable[[str, int], None]
"""Is told what happens, and how many versions are done."""

WALLET = 10**15
"""A billion dollars each, 6 decimals: the tables show what comes of what is used."""

PAYDAY = 7 * DAY
"""Seconds between two claims of the keepers."""

COMMIT = 12
"""Seconds after a version's time at which it is committed."""

KEEP, TRADE = HOUR - 20, HOUR // 2
"""Seconds before the next version's time at which keepers look after accounts and everybody trades: less than an hour,
which is the longest that versions can be apart, so that orders wait for no version between."""

CONFIDENCE = 2000
"""Pyth's confidence interval here: a part in so many of the price."""


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
        self.options, self.stage, self.progress = options, stage, progress
        self.step = options.listing.step
        self.feeds, self.prices = prices, options.listing.payoffs(prices)
        self.twin = Twin(stage)
        self.mirror = self.twin.mirror
        self.actors = cast(options, stage.risk, self.prices.values[0])
        self.makers = [actor.address for actor in self.actors if actor.kind == "maker"]
        self.keepers = Keepers(self.twin, options.seed)
        self.journal = Journal()
        self.samples: list[Sample] = []

    def run(self) -> Outcome:
        """The eve, every version, the end."""
        self._prepare()
        for index, version in enumerate(range(self.options.start, self.options.end + 1, self.step)):
            self._version(index, version)
            self.progress("replaying", index + 1)
        pairs = self._pairs()
        fees = self._pay_out()
        self.twin.compare()
        return self._outcome(pairs, fees)

    # -- Steps ---------------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """A version an hour at most, tokens for those who trade, ether for those who pay Pyth."""
        self.twin.at(self.stage.genesis + EVE // 3)
        self.twin.set_granularity(HOUR)
        self._mine()
        self.twin.at(self.stage.genesis + EVE // 2)
        for actor in self.actors:
            self.twin.fund(actor.address, WALLET)
        stage = self.stage
        for holder in (stage.owner, stage.coordinator, stage.beneficiary, *self.keepers.addresses):
            self.twin.wallets[holder] = 0
        for keeper in self.keepers.addresses:
            self.stage.chain.rpc.call("anvil_setBalance", keeper, hex(10**18))
        self._mine()

    def _version(self, index: int, version: int) -> None:
        """A version is committed, keepers look after the accounts, then everybody trades for the next one."""
        published = version + self.stage.window.valid_from
        self.twin.at(version + COMMIT)
        legs = self.feeds.legs_at(version)
        self.keepers.commit(version, [pyth_update(price, published, price // CONFIDENCE) for price in legs])
        self._mine()

        view = View(self.mirror.copy(), self.prices.values[: index + 1], index)
        self.twin.at(version + self.step - KEEP)
        if version == self.options.end:
            self.keepers.settle_all()
        else:
            self.keepers.look_after(view)
        self._mine()
        self.twin.compare()
        self.samples.append(self._sample(view))

        if version < self.options.end:
            self.twin.at(version + self.step - TRADE)
            if version + self.step == self.options.end:
                self._close_all()
            else:
                self._trade(view)
            if (version + self.step - self.options.start) % PAYDAY == 0:
                self.keepers.collect()
            self._mine()

    def _trade(self, view: View) -> None:
        """Everybody does the first thing that is accepted."""
        for actor in self.actors:
            for action in actor.act(view):
                if self._update(actor, action) is None:
                    break

    def _close_all(self) -> None:
        """Everybody closes, makers last, because takers need them until then."""
        for actor in reversed(self.actors):
            account = self.mirror.accounts.get(actor.address, Account())
            if not account.size or account.locked:
                continue
            action = actor.close(account)
            refused = self._update(actor, action)
            if isinstance(refused, InsufficientMaintenance):
                effective, required = refused.args
                refused = self._update(actor, replace(action, collateral=required - effective))
            if refused is not None:
                raise DemoError(f"{actor.name} cannot close: {refused}")

    def _pay_out(self) -> list[Fee]:
        """Everybody withdraws, keepers and roles claim; returns what the roles got."""
        self.twin.at(self.options.end + self.step - TRADE)
        for actor in self.actors:
            self._update(actor, Action(collateral=ALL))
        self.keepers.collect()
        stage = self.stage
        roles = {"protocol fee": stage.owner, "donation": stage.beneficiary, "risk fee": stage.coordinator}
        paid = {role: self.twin.claim_fee(address) for role, address in roles.items()}
        self._mine()
        protocol, oracle, risk, donation = self.mirror.claimable_fees()
        owed = {"protocol fee": protocol, "donation": donation, "risk fee": risk}
        return [Fee(role, paid[role], owed[role]) for role in roles] + [Fee("oracle fee", 0, oracle)]

    # -- What came of it -----------------------------------------------------------------------------------------------

    def _sample(self, view: View) -> Sample:
        market = view.market
        book, risk = market.book, market.risk
        return Sample(
            timestamp=market.timestamp,
            price=market.price,
            maker=book.maker,
            long=book.long,
            short=book.short,
            skew=book.skew(risk.virtual_taker),
            funding_rate=market.funding_rate(),
            utilization=book.utilization(UNIT),
            interest_rate=interest.rate(book.utilization(UNIT12), risk.utilization_curve) // UNIT,
            equities=tuple(view.equity(maker) for maker in self.makers),
            results=tuple(view.result(maker) for maker in self.makers),
        )

    def _pairs(self) -> list[tuple[str, int, int]]:
        """The chain's numbers beside the mirror's."""
        market, token, mirror = self.stage.market, self.stage.token, self.mirror
        names = ("protocol fee", "oracle fee", "risk fee", "donation")
        return [
            ("price", market.read("price"), mirror.price),
            ("funding rate", market.read("fundingRate"), mirror.funding_rate()),
            *zip(names, market.read("fees"), mirror.claimable_fees(), strict=True),
            ("shortfall", market.read("shortfall"), mirror.shortfall),
            ("tokens in the market", token.read("balanceOf", market.address), mirror.balance),
            *(
                (f"collateral of {actor.name}", self._collateral(actor), mirror.collateral(actor.address))
                for actor in self.actors
            ),
        ]

    def _outcome(self, pairs: list[tuple[str, int, int]], fees: list[Fee]) -> Outcome:
        names = {actor.address: actor.name for actor in self.actors}
        actors = [self._result(actor) for actor in self.actors]
        return Outcome(
            options=self.options,
            price_source=self.prices.source,
            changed=self.options.listing.changed,
            samples=self.samples,
            liquidations=[replace(each, account=names[each.account]) for each in self.journal.liquidations],
            actors=actors,
            keepers=self.keepers.crew,
            fees=fees,
            books=self._books(actors, fees),
            pairs=pairs,
            orders=self.journal.orders,
            volume=self.journal.volume(self.prices),
            transactions=self.twin.transactions,
            gas=self.twin.gas,
            agreement=self.twin.agreement,
            seconds=0,
        )

    def _result(self, actor: Actor) -> ActorResult:
        account = self.mirror.accounts.get(actor.address, Account())
        return ActorResult(actor.name, actor.kind, actor.leverage, account.ledger, self._collateral(actor))

    def _books(self, actors: list[ActorResult], fees: list[Fee]) -> Books:
        """Tokens and events of the chain, against the ledgers of the mirror."""
        market, journal = self.stage.market, self.journal
        balance = self.stage.token.read("balanceOf", market.address)
        shortfall, owed_to_roles = market.read("shortfall"), sum(market.read("fees"))
        credited = sum(market.read("claimable", address) for address in self.twin.wallets)
        owed_to_accounts = credited + sum(max(0, result.left) for result in actors)
        paid_to_keepers = sum(keeper.earned for keeper in self.keepers.crew)
        paid_to_roles = sum(fee.paid for fee in fees)
        gains = sum(each.ledger.total - each.ledger.deposits - each.ledger.withdrawals for each in actors)
        return Books(
            deposited=journal.deposited,
            withdrawn=journal.withdrawn,
            paid_to_keepers=paid_to_keepers,
            paid_to_roles=paid_to_roles,
            balance=balance,
            credits=credited,
            owed_to_accounts=owed_to_accounts,
            owed_to_roles=owed_to_roles,
            shortfall=shortfall,
            rounding=balance - owed_to_accounts - owed_to_roles + shortfall,
            rounding_bound=ceil_div(self.mirror.dust_bound, UNIT12),
            by_ledger=-gains // UNIT - paid_to_keepers - credited - paid_to_roles - owed_to_roles,
            by_events=sum(abs(journal.collateral[actor.address] - self._collateral(actor)) for actor in self.actors),
        )

    # -- Inside --------------------------------------------------------------------------------------------------------

    def _update(self, actor: Actor, action: Action) -> MarketError | None:
        return self.twin.update(actor.address, action.maker, action.taker, action.collateral)

    def _collateral(self, actor: Actor) -> int:
        """Of the actor's account, on chain."""
        return int(self.stage.market.read("collateral", actor.address))

    def _mine(self) -> None:
        sides = {name: account.current_side.name.lower() for name, account in self.mirror.accounts.items()}
        self.journal.book(self.twin.mine(), self.twin.now, self.mirror.price, sides)
