"""The hours of a run, one after the other, on chain and in the mirror."""

import time
from collections.abc import Callable
from dataclasses import replace

from perennial.demo.actors import ALL, Action, Actor, View
from perennial.demo.cast import cast
from perennial.demo.journal import Journal
from perennial.demo.keepers import Keepers
from perennial.demo.options import DemoError, Options
from perennial.demo.outcome import ActorResult, Books, Fee, Outcome, Sample
from perennial.demo.stage import EVE, RISK_FEE, STALE_AFTER, Stage, open_stage
from perennial.demo.twin import Twin
from perennial.mirror import interest
from perennial.mirror.account_state import Account
from perennial.mirror.errors import InsufficientMaintenance, MarketError
from perennial.mirror.fixed import UNIT, UNIT12, ceil_div
from perennial.mirror.oracle import OracleVersion
from perennial.prices import HOUR, PriceError, Prices, load_prices, pyth_update

Progress = Callable[[str, int, int], None]
"""Is told what happens, how many hours are done, and of how many."""

WALLET = 10**15
"""A billion dollars each, 6 decimals: the tables show what comes of what is used."""

PAYDAY = 7 * 24
"""Hours between two claims of the keepers."""

# Seconds of an hour at which things happen.
COMMIT, KEEP, TRADE = 12, 20, 1800

CONFIDENCE = 2000
"""Pyth's confidence interval here: a part in so many of the price."""


def run(options: Options, progress: Progress) -> Outcome:
    """Replays the window and closes everything. Raises DemoError."""
    began = time.monotonic()
    try:
        prices = load_prices(options.market).window(options.start, options.end)
    except PriceError as error:
        raise DemoError(str(error)) from None
    progress("deploying the protocol", 0, len(prices.values))
    with open_stage(options.market, options.start) as stage:
        outcome = Replay(options, stage, prices, progress).run()
    outcome.seconds = time.monotonic() - began
    return outcome


class Replay:
    """One run: `run` is all there is to call."""

    def __init__(self, options: Options, stage: Stage, prices: Prices, progress: Progress) -> None:
        self.options, self.stage, self.prices, self.progress = options, stage, prices, progress
        self.twin = Twin(stage)
        self.mirror = self.twin.mirror
        self.actors = cast(options, stage.risk, prices.values[0])
        self.makers = [actor.address for actor in self.actors if actor.kind == "maker"]
        self.keepers = Keepers(self.twin, options.seed)
        self.journal = Journal()
        self.outcome = Outcome(
            options,
            prices.source,
            (f"staleAfter {STALE_AFTER} s, since prices come every hour", f"riskFee {RISK_FEE / UNIT:g}, so that there is a donation"),
        )

    def run(self) -> Outcome:
        """The eve, every hour, the end."""
        self._prepare()
        for hour, version in enumerate(range(self.options.start, self.options.end + 1, HOUR)):
            self._hour(hour, version)
        self._finish()
        return self.outcome

    # -- Steps ---------------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """A version an hour, tokens for those who trade, ether for those who pay Pyth."""
        self.twin.at(self.stage.genesis + EVE // 3)
        self.twin.set_granularity(HOUR)
        self._mine()
        self.twin.at(self.stage.genesis + EVE // 2)
        for actor in self.actors:
            self.twin.fund(actor.address, WALLET)
        for keeper in self.keepers.crew:
            self.twin.wallets[keeper.address] = 0
            self.stage.chain.rpc.call("anvil_setBalance", keeper.address, hex(10**18))
        self._mine()

    def _hour(self, hour: int, version: int) -> None:
        """A version is committed, keepers look after the accounts, then everybody trades for the next one."""
        price = self.prices.at(version)
        self.twin.at(version + COMMIT)
        published = version + self.stage.window.valid_from
        self.keepers.commit(version, pyth_update(price, published, price // CONFIDENCE))
        self._mine()

        view = View(self.mirror.copy(), self.prices.values[: hour + 1], hour)
        self.twin.at(version + KEEP)
        if version == self.options.end:
            self.keepers.settle_all()
        else:
            self.keepers.look_after(view)
        self._mine()
        self.twin.compare()
        self._sample(view)

        if version < self.options.end:
            self.twin.at(version + TRADE)
            if version + HOUR == self.options.end:
                self._close_all()
            else:
                self._trade(view)
            if hour % PAYDAY == PAYDAY - 1:
                self.keepers.collect()
            self._mine()
        self.progress("replaying", hour + 1, len(self.prices.values))

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

    def _finish(self) -> None:
        """Everybody withdraws, keepers and roles claim; then the books are made up."""
        self._note_pairs()
        self.twin.at(self.options.end + TRADE)
        for actor in self.actors:
            self._update(actor, Action(collateral=ALL))
        self.keepers.collect()
        roles = {
            "protocol": self.stage.owner,
            "donation (beneficiary)": self.stage.beneficiary,
            "risk (coordinator)": self.stage.coordinator,
        }
        paid = {role: self.twin.claim_fee(address) for role, address in roles.items()}
        self._mine()
        self.twin.compare()
        protocol, oracle, risk, donation = self.mirror.claimable_fees()
        owed = dict(zip(roles, (protocol, donation, risk), strict=True))
        out = self.outcome
        out.fees = [Fee(role, paid[role], owed[role]) for role in roles] + [Fee("oracle", 0, oracle)]
        out.actors = [self._result(actor) for actor in self.actors]
        out.keepers = self.keepers.crew
        out.liquidations = self.journal.liquidations
        out.orders, out.volume = self.journal.orders, self.journal.volume(self.prices)
        out.transactions, out.gas = self.twin.transactions, self.twin.gas
        out.agreement = self.twin.agreement
        out.books = self._books()

    # -- Inside --------------------------------------------------------------------------------------------------------

    def _update(self, actor: Actor, action: Action) -> MarketError | None:
        return self.twin.update(actor.address, action.maker, action.taker, action.collateral)

    def _mine(self) -> None:
        sides = {name: account.current_side.name.lower() for name, account in self.mirror.accounts.items()}
        self.journal.book(self.twin.mine(), self.twin.now, self.mirror.price, sides)

    def _sample(self, view: View) -> None:
        market = view.market
        book, risk = market.book, market.risk
        self.outcome.samples.append(
            Sample(
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
        )

    def _note_pairs(self) -> None:
        """The chain's numbers beside the mirror's, before everybody withdraws."""
        market, token, mirror = self.stage.market, self.stage.token, self.mirror
        _, maker, long, short = market.read("position")
        chain_fees, mirror_fees = market.read("fees"), mirror.claimable_fees()
        pairs = [
            ("price", market.read("price"), mirror.price),
            ("funding rate", market.read("fundingRate"), mirror.funding_rate()),
            ("open positions", maker + long + short, mirror.book.maker + mirror.book.long + mirror.book.short),
        ]
        names = ("protocol fee", "oracle fee", "risk fee", "donation")
        pairs += list(zip(names, chain_fees, mirror_fees, strict=True))
        pairs += [
            ("shortfall", market.read("shortfall"), mirror.shortfall),
            ("tokens in the market", token.read("balanceOf", market.address), mirror.balance),
        ]
        pairs += [
            (f"collateral of {actor.name}", market.read("collateral", actor.address), mirror.collateral(actor.address))
            for actor in self.actors
        ]
        self.outcome.pairs = pairs

    def _result(self, actor: Actor) -> ActorResult:
        account = self.mirror.accounts.get(actor.address, Account())
        left = self.stage.market.read("collateral", actor.address)
        return ActorResult(actor.name, actor.kind, actor.leverage, account.ledger, left)

    def _books(self) -> Books:
        """Tokens and events of the chain, against the ledger of the mirror."""
        market, out, journal = self.stage.market, self.outcome, self.journal
        left = {actor.address: result.left for actor, result in zip(self.actors, out.actors, strict=True)}
        keepers = sum(keeper.earned for keeper in out.keepers)
        credits = sum(market.read("claimable", address) for address in (*left, *self.twin.wallets))
        roles_paid = sum(fee.paid for fee in out.fees)
        balance = self.stage.token.read("balanceOf", market.address)
        owed = credits + sum(max(0, collateral) for collateral in left.values())
        owed_to_roles = sum(market.read("fees"))
        shortfall = market.read("shortfall")
        gains = sum(
            result.ledger.total - result.ledger.deposits - result.ledger.withdrawals for result in out.actors
        )
        return Books(
            deposited=journal.deposited,
            withdrawn=journal.withdrawn,
            paid_to_keepers=keepers,
            paid_to_roles=roles_paid,
            balance=balance,
            owed_to_accounts=owed,
            owed_to_roles=owed_to_roles,
            shortfall=shortfall,
            rounding=balance - owed - owed_to_roles + shortfall,
            rounding_bound=ceil_div(self.mirror.dust_bound, UNIT12),
            by_ledger=-gains // UNIT - keepers - credits - roles_paid - owed_to_roles,
            by_events=sum(abs(journal.collateral[address] - collateral) for address, collateral in left.items()),
        )
