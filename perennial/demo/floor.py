"""One market of a run: who trades there, who keeps it, what is written down, and what came of it."""

from collections.abc import Sequence
from dataclasses import replace

from perennial.demo.actors import ALL, Action, Actor, View
from perennial.demo.courier import Courier
from perennial.demo.journal import Journal
from perennial.demo.keepers import Keepers
from perennial.demo.listings import Listing
from perennial.demo.options import DemoError, Options
from perennial.demo.outcome import ActorResult, Books, Fee, Outcome, Sample
from perennial.demo.stage import Stage
from perennial.demo.twin import Twin
from perennial.mirror import interest
from perennial.mirror.account_state import Account
from perennial.mirror.errors import InsufficientMaintenance, MarketError
from perennial.mirror.fixed import UNIT, UNIT12, ceil_div
from perennial.mirror.state import Event
from perennial.prices import HOUR, Prices, pyth_update

WALLET = 10**15
"""A billion dollars each, 6 decimals: the tables show what comes of what is used."""

CONFIDENCE = 2000
"""Pyth's confidence interval here: a part in so many of the price."""


class Floor:
    """A market, its actors and keepers, on chain and in the mirror. `guests` have accounts and trade by themselves."""

    def __init__(
        self, options: Options, listing: Listing, stage: Stage, prices: Prices, courier: Courier, prefix: str = ""
    ) -> None:
        self.options, self.listing, self.stage, self.courier = options, listing, stage, courier
        self.feeds, self.prices = prices, listing.payoffs(prices)
        self.twin = Twin(stage, courier)
        self.mirror = self.twin.mirror
        self.actors: list[Actor] = []
        self.guests: list[ActorResult] = []
        self.keepers = Keepers(self.twin, options.seed, prefix)
        self.journal = Journal()
        self.samples: list[Sample] = []

    @property
    def makers(self) -> list[str]:
        """Accounts of the makers."""
        return [actor.address for actor in self.actors if actor.kind == "maker"]

    # -- Steps ---------------------------------------------------------------------------------------------------------

    def space(self) -> None:
        """A version an hour at most."""
        self.twin.set_granularity(HOUR)

    def equip(self, actors: list[Actor]) -> None:
        """Tokens for those who trade, ether for those who pay Pyth."""
        self.actors = actors
        for actor in self.actors:
            self.twin.fund(actor.address, WALLET)
        stage = self.stage
        for holder in (stage.owner, stage.coordinator, stage.beneficiary, *self.keepers.addresses):
            self.twin.follow(holder)
        for keeper in self.keepers.addresses:
            self.stage.chain.rpc.call("anvil_setBalance", keeper, hex(10**18))

    def commit(self, version: int) -> None:
        """A version gets its price."""
        published = version + self.stage.window.valid_from
        legs = self.feeds.legs_at(version)
        self.keepers.commit(version, [pyth_update(price, published, price // CONFIDENCE) for price in legs])

    def view(self, index: int) -> View:
        """The market as everybody can work it out."""
        return View(self.mirror.copy(), self.prices.values[: index + 1], index)

    def trade(self, view: View) -> None:
        """Everybody does the first thing that is accepted."""
        for actor in self.actors:
            for action in actor.act(view):
                if self._update(actor, action) is None:
                    break

    def close_all(self) -> None:
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

    def withdraw_all(self) -> None:
        """Everybody takes out what is left."""
        for actor in self.actors:
            self._update(actor, Action(collateral=ALL))
        self.keepers.collect()

    def pay_roles(self) -> dict[str, int]:
        """Roles claim their fees; returns what each got."""
        stage = self.stage
        roles = {"protocol fee": stage.owner, "donation": stage.beneficiary, "risk fee": stage.coordinator}
        return {role: self.twin.claim_fee(address) for role, address in roles.items()}

    def book(self, events: Sequence[tuple[str, Event]]) -> None:
        """Writes the events of a block down."""
        sides = {name: account.current_side.name.lower() for name, account in self.mirror.accounts.items()}
        own = [event for address, event in events if address == self.stage.market.address]
        self.journal.book(own, self.courier.now, self.mirror.price, sides)

    # -- What came of it -----------------------------------------------------------------------------------------------

    def sample(self, view: View) -> None:
        """Notes how the market stands."""
        market = view.market
        book, risk = market.book, market.risk
        found = Sample(
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
        self.samples.append(found)

    def pairs(self) -> list[tuple[str, int, int]]:
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

    def outcome(self, pairs: list[tuple[str, int, int]], paid: dict[str, int]) -> Outcome:
        """What came of it: `pairs` from before everybody withdrew, `paid` to the roles."""
        names = {actor.address: actor.name for actor in self.actors}
        actors = [*(self._result(actor) for actor in self.actors), *self.guests]
        fees = self._fees(paid)
        return Outcome(
            options=self.options,
            price_source=self.prices.source,
            changed=self.listing.changed,
            samples=self.samples,
            liquidations=[replace(each, account=names[each.account]) for each in self.journal.liquidations],
            actors=actors,
            keepers=self.keepers.crew,
            fees=fees,
            books=self._books(actors, fees),
            pairs=pairs,
            orders=self.journal.orders,
            volume=self.journal.volume(self.prices),
            transactions=self.courier.transactions,
            gas=self.courier.gas,
            agreement=self.courier.agreement,
            seconds=0,
        )

    def _result(self, actor: Actor) -> ActorResult:
        account = self.mirror.accounts.get(actor.address, Account())
        return ActorResult(actor.name, actor.kind, actor.leverage, account.ledger, self._collateral(actor))

    def _fees(self, paid: dict[str, int]) -> list[Fee]:
        protocol, oracle, risk, donation = self.mirror.claimable_fees()
        owed = {"protocol fee": protocol, "donation": donation, "risk fee": risk}
        return [Fee(role, amount, owed[role]) for role, amount in paid.items()] + [Fee("oracle fee", 0, oracle)]

    def _books(self, actors: list[ActorResult], fees: list[Fee]) -> Books:
        """Tokens and events of the chain, against the ledgers of the mirror."""
        market, journal = self.stage.market, self.journal
        balance = self.stage.token.read("balanceOf", market.address)
        shortfall, owed_to_roles = market.read("shortfall"), sum(market.read("fees"))
        credited = sum(market.read("claimable", address) for address in self.twin.holders)
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
            by_events=sum(
                abs(journal.collateral[account] - market.read("collateral", account)) for account in self.twin.accounts
            ),
        )

    # -- Inside --------------------------------------------------------------------------------------------------------

    def _update(self, actor: Actor, action: Action) -> MarketError | None:
        return self.twin.update(actor.address, action.maker, action.taker, action.collateral)

    def _collateral(self, actor: Actor) -> int:
        """Of the actor's account, on chain."""
        return int(self.stage.market.read("collateral", actor.address))
