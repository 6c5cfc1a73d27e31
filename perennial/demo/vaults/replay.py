"""Two markets hour by hour on one chain, with a vault over both: on chain and in the mirror."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from perennial.demo.actors import View
from perennial.demo.cast import Casting, address_of, cast
from perennial.demo.courier import Courier
from perennial.demo.floor import WALLET, Floor
from perennial.demo.options import DemoError, Options
from perennial.demo.outcome import ActorResult
from perennial.demo.replay import COMMIT, KEEP, PAYDAY, TRADE, Progress
from perennial.demo.stage import EVE, Stages, open_stages
from perennial.demo.vaults.outcome import DepositorResult, Epoch, VaultBooks, VaultOutcome, VaultSample
from perennial.demo.vaults.plan import (
    CHECK,
    LEVERAGES,
    LISTINGS,
    MAKERS,
    MARKETS,
    PLAN,
    QUIET,
    TAKERS,
    TURN,
    Depositor,
    depositors,
)
from perennial.demo.vaults.twin import VaultTwin
from perennial.mirror.account_state import Account
from perennial.mirror.fixed import UNIT
from perennial.mirror.vault_errors import MarketError
from perennial.mirror.vault_state import Requests
from perennial.prices import HOUR, PriceError, Prices

SHARE_PRICE = 10**24
"""(Assets + 1) times this by (shares + virtual shares): the price of a share with 18 decimals."""

KEEPER = address_of("vault keeper")


def prices_of(options: Options) -> list[Prices]:
    """The prices of the window, of each market. Raises DemoError where there are none."""
    try:
        window = options.start, options.end
        return [listing.prices(name).window(*window) for name, listing in zip(MARKETS, LISTINGS, strict=True)]
    except PriceError as error:
        raise DemoError(str(error)) from None


def run(options: Options, prices: Sequence[Prices], progress: Progress) -> VaultOutcome:
    """Replays the window on a chain of its own; everybody closes and leaves. Raises DemoError."""
    began = time.monotonic()
    progress("deploying the protocol", 0)
    with open_stages(LISTINGS, options.start, PLAN) as stages:
        outcome = VaultReplay(options, stages, prices, progress).run()
    return replace(outcome, seconds=time.monotonic() - began)


class VaultReplay:
    """One run: `run` is all there is to call."""

    def __init__(self, options: Options, stages: Stages, prices: Sequence[Prices], progress: Progress) -> None:
        self.options, self.progress = options, progress
        first = stages.markets[0]
        self.courier = Courier(first.chain, first.genesis)
        self.floors = [
            Floor(options, listing, stage, values, self.courier, f"{listing.unit} ")
            for listing, stage, values in zip(LISTINGS, stages.markets, prices, strict=True)
        ]
        assert stages.vault is not None
        self.vault = VaultTwin(stages.vault, first, PLAN, [floor.twin for floor in self.floors], self.courier)
        self.mirror = self.vault.mirror
        self.depositors = depositors()
        self.samples: list[VaultSample] = []
        self.epochs: list[Epoch] = []
        self.paid: Counter[str] = Counter()
        self.got: Counter[str] = Counter()

    def run(self) -> VaultOutcome:
        """The eve, every hour, the end."""
        self._prepare()
        for index, version in enumerate(range(self.options.start, self.options.end + 1, HOUR)):
            self._version(index, version)
            self.progress("replaying", index + 1)
        pairs = self._pairs()
        paid = self._leave()
        self._compare()
        return self._outcome(pairs, paid)

    # -- Steps ---------------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        genesis = self.floors[0].stage.genesis
        self._at(genesis + EVE // 3)
        for floor in self.floors:
            floor.space()
        self._mine()
        self._at(genesis + EVE // 2)
        actors = max(2, self.options.actors // len(self.floors))
        for floor in self.floors:
            casting = Casting(actors, f"{floor.listing.unit} ", MAKERS, TAKERS)
            floor.equip(cast(self.options, floor.stage.risk, floor.prices.values[0], casting))
        for depositor in self.depositors:
            self.vault.fund(depositor.address, WALLET)
        self._mine()

    def _version(self, index: int, version: int) -> None:
        """Versions are committed, keepers look after accounts and epochs, then everybody trades for the next ones."""
        end = self.options.end
        self._at(version + COMMIT)
        for floor in self.floors:
            floor.commit(version)
        self._mine()

        views = [floor.view(index) for floor in self.floors]
        self._at(version + HOUR - KEEP)
        for floor, view in zip(self.floors, views, strict=True):
            if version == end:
                floor.keepers.settle_all()
            else:
                floor.keepers.look_after(view)
        settles = self.mirror.pending != 0
        if settles:
            self.vault.settle(KEEPER)
        self._mine()
        self._compare()
        for floor, view in zip(self.floors, views, strict=True):
            floor.sample(view)
        # A settlement takes collateral out of markets.
        self._sample(version, [floor.view(index) for floor in self.floors] if settles else views)

        if version < end:
            self._at(version + HOUR - TRADE)
            self._trade(index, version, views)
            if (version + HOUR - self.options.start) % PAYDAY == 0:
                for floor in self.floors:
                    floor.keepers.collect()
            self._mine()

    def _trade(self, index: int, version: int, views: Sequence[View]) -> None:
        hours_left = (self.options.end - version) // HOUR
        for depositor in self.depositors:
            self.vault.claim(depositor.address)
        if hours_left == 1:
            for floor in self.floors:
                floor.close_all()
            for account in self.vault.holders:
                self._redeem_all(account)
            self._must_close()
            return
        for floor, view in zip(self.floors, views, strict=True):
            floor.trade(view)
        if hours_left > QUIET:
            self._visits(index)
            self._turn(index)
        elif hours_left > 2 and not self.mirror.pending:
            self._must_close()

    def _visits(self, index: int) -> None:
        """Depositors do what they planned, one thing an hour; what the vault refuses they try again."""
        now = 1000 * index * HOUR // (self.options.end - self.options.start)
        for depositor in self.depositors:
            held = self.mirror.balance_of(depositor.address)
            visit = depositor.plan(now, self.samples[-1].share_price, held)
            if visit is None:
                continue
            _, way, part = visit
            if way == "in":
                refused = self.vault.deposit(depositor.address, depositor.stake * part // 100)
            elif held:
                refused = self.vault.redeem(depositor.address, held * part // 100)
            else:
                continue
            if refused is None:
                depositor.due.pop(0)

    def _turn(self, index: int) -> None:
        """A keeper closes the epoch where there are requests, and rebalances where that is accepted."""
        if self.mirror.pending:
            return
        if index % TURN == 0 and (self.mirror.open_deposits or self.mirror.open_redeems):
            self.vault.close_epoch(KEEPER)
        elif index % CHECK == 0:
            trial = self.mirror.copy()
            try:
                trial.rebalance()
            except MarketError:
                return
            self.vault.rebalance(KEEPER)

    def _redeem_all(self, account: str) -> None:
        self.vault.claim(account)
        if held := self.mirror.balance_of(account):
            self.vault.redeem(account, held)

    def _must_close(self) -> None:
        if (self.mirror.open_deposits or self.mirror.open_redeems) and (refused := self.vault.close_epoch(KEEPER)):
            raise DemoError(f"the last epoch cannot be closed: {type(refused).__name__}{refused.args}")

    def _leave(self) -> list[dict[str, int]]:
        """Everybody withdraws and claims; returns what the roles of each market got."""
        self._at(self.options.end + HOUR - TRADE)
        for floor in self.floors:
            floor.withdraw_all()
        # What the coordinator earned with the last epoch has had no epoch to leave by.
        for account in self.vault.holders:
            self._redeem_all(account)
        self._must_close()
        if self.mirror.pending:
            self.vault.settle(KEEPER)
        for account in self.vault.holders:
            self.vault.claim(account)
        paid = [floor.pay_roles() for floor in self.floors]
        self._mine()
        return paid

    # -- What came of it -----------------------------------------------------------------------------------------------

    def _sample(self, version: int, views: Sequence[View]) -> None:
        mirror, address = self.mirror, self.mirror.address
        accounts = [view.account(address) for view in views]
        equities = tuple(view.equity(address) for view in views)
        assets = mirror.net_assets(equities)
        price = (assets + 1) * SHARE_PRICE // mirror.virtual_supply if mirror.supply else self._last_price()
        leverages = tuple(
            account.size * view.price // equity if equity > 0 else 0
            for account, view, equity in zip(accounts, views, equities, strict=True)
        )
        sample = VaultSample(
            timestamp=version,
            share_price=price,
            assets=assets,
            idle=mirror.idle,
            equities=equities,
            leverages=leverages,
            holdings=tuple(self._holding(depositor, price) for depositor in self.depositors),
            parts=_parts(accounts),
        )
        self.samples.append(sample)

    def _last_price(self) -> int:
        """That of the last epoch, while there are no shares; 1 before there were any."""
        return next((each.share_price for each in reversed(self.epochs) if each.settled), 10**18)

    def _holding(self, depositor: Depositor, price: int) -> int:
        """What a depositor has in the vault: shares at this price, requests, and what can be claimed."""
        mirror, account = self.mirror, depositor.address
        deposits, redeems = (kind.get(account, Requests()).slots for kind in (mirror.deposits, mirror.redeems))
        waiting = sum(slot.amount for slot in deposits if slot.epoch not in mirror.deposit_rates)
        leaving = sum(slot.amount for slot in redeems if slot.epoch not in mirror.redeem_rates)
        shares = mirror.balance_of(account) + mirror.max_mint(account) + leaving
        return waiting + mirror.max_withdraw(account) + shares * price // SHARE_PRICE

    def _pairs(self) -> list[tuple[str, int, int]]:
        """The chain's numbers beside the mirror's, before everybody takes out what is left."""
        vault, mirror = self.vault.contract, self.mirror
        books = vault.read("books")
        pairs = [
            ("vault: total assets", vault.read("totalAssets"), mirror.total_assets()),
            ("vault: set aside for claims", books[1], mirror.reserved),
            ("vault: tokens", self.vault.token.read("balanceOf", vault.address), mirror.tokens),
        ]
        pairs += [
            (f"claim of the {each.name}", vault.read("maxWithdraw", each.address), mirror.max_withdraw(each.address))
            for each in self.depositors
        ]
        for name, floor in zip(MARKETS, self.floors, strict=True):
            market = floor.stage.market
            balance = floor.stage.token.read("balanceOf", market.address)
            pairs += [
                (f"{name}: price", market.read("price"), floor.mirror.price),
                (f"{name}: funding rate", market.read("fundingRate"), floor.mirror.funding_rate()),
                (f"{name}: tokens in the market", balance, floor.mirror.balance),
            ]
        return pairs

    def _outcome(self, pairs: list[tuple[str, int, int]], paid: Sequence[dict[str, int]]) -> VaultOutcome:
        address = self.vault.contract.address
        accounts = [floor.mirror.accounts.get(address, Account()) for floor in self.floors]
        for floor, account, leverage in zip(self.floors, accounts, LEVERAGES, strict=True):
            left = floor.stage.market.read("collateral", address)
            floor.guests = [ActorResult("LP vault", "vault", leverage, account.ledger, left)]
        return VaultOutcome(
            options=self.options,
            names=MARKETS,
            markets=[floor.outcome([], each) for floor, each in zip(self.floors, paid, strict=True)],
            samples=self.samples,
            epochs=self.epochs,
            depositors=[self._result(each.name, each.address) for each in self.depositors],
            coordinator=self._result("coordinator, by its share of profit", self.floors[0].stage.coordinator),
            books=self._books(),
            pairs=pairs,
            agreement=self.courier.agreement,
            transactions=sum(self.courier.transactions.values()),
            gas=self.courier.gas,
            seconds=0,
        )

    def _result(self, name: str, account: str) -> DepositorResult:
        return DepositorResult(name, self.paid[account], self.got[account])

    def _books(self) -> VaultBooks:
        """Tokens and events of the chain, against the ledgers of the mirror."""
        address = self.vault.contract.address
        ledgers = [floor.mirror.accounts[address].ledger for floor in self.floors]
        made = sum(ledger.total - ledger.deposits - ledger.withdrawals for ledger in ledgers)
        return VaultBooks(
            paid_in=sum(self.paid.values()),
            paid_out=sum(self.got.values()),
            into_markets=sum(ledger.deposits for ledger in ledgers) // UNIT,
            out_of_markets=-sum(ledger.withdrawals for ledger in ledgers) // UNIT,
            balance=self.vault.token.read("balanceOf", address),
            left_in_markets=sum(floor.stage.market.read("collateral", address) for floor in self.floors),
            by_ledger=made // UNIT,
        )

    # -- Inside --------------------------------------------------------------------------------------------------------

    def _at(self, timestamp: int) -> None:
        for floor in self.floors:
            floor.twin.at(timestamp)
        self.vault.at(timestamp)

    def _compare(self) -> None:
        for floor in self.floors:
            floor.twin.compare()
        self.vault.compare()

    def _mine(self) -> None:
        events = self.courier.mine()
        for floor in self.floors:
            floor.book(events)
        for address, (name, values) in events:
            if address == self.vault.contract.address:
                self._note(name, values)

    def _note(self, name: str, values: Sequence[int]) -> None:
        """Writes an event of the vault down."""
        if name == "DepositRequest":
            self.paid[str(values[1])] += values[4]
        elif name == "Withdraw":
            self.got[str(values[1])] += values[3]
        elif name == "EpochClosed":
            number, deposits, redeems, rebalanced = values
            self.epochs.append(Epoch(number, self.courier.now, deposits, redeems, bool(rebalanced)))
        elif name == "EpochSettled":
            epoch = self.epochs[-1]
            _, assets, shares, epoch.minted, epoch.paid, _ = values
            epoch.settled, epoch.share_price = self.courier.now, assets * SHARE_PRICE // shares


def _parts(accounts: Sequence[Account]) -> tuple[int, ...]:
    """What accounts have made, by origin: see outcome.PARTS. 6 decimals."""
    ledgers = [account.ledger for account in accounts]
    own = ("position_fees", "settlement_fees", "liquidation_fee", "rounding")
    parts = (("maker_fees",), ("interest",), ("funding",), ("pnl", "guarantees"), own)
    return tuple(sum(getattr(ledger, name) for ledger in ledgers for name in names) // UNIT for names in parts)
