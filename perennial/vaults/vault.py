"""One vault, for its depositors, for whoever turns its epochs, and for its coordinator."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from eth_utils.address import to_checksum_address

from perennial.amounts import decimal
from perennial.chain import Chain, Contract
from perennial.client.errors import InputError, address
from perennial.client.events import Happened
from perennial.client.numbers import amount, first_block, instant, shown, signed, units
from perennial.client.records import number
from perennial.client.results import Sent
from perennial.client.signers import address_of
from perennial.client.state import makeup as market_makeup
from perennial.client.tokens import Spender
from perennial.manifest import Manifest, locate
from perennial.manifest import Vault as Entry
from perennial.vaults import allocation, history, requests, what_if
from perennial.vaults.definition import check_weight
from perennial.vaults.results import (
    Apy,
    Closed,
    DepositOutcome,
    Holding,
    PriceOutcome,
    Recalled,
    Requested,
    Requests,
    Settled,
    VaultClaimed,
    VaultInfo,
)
from perennial.vaults.state import Makeup, Snapshot, makeup, read
from perennial.vaults.units import SHARE_DECIMALS

if TYPE_CHECKING:
    from datetime import datetime

    from perennial.client.numbers import Number
    from perennial.client.protocol import Protocol
    from perennial.client.sending import Mined
    from perennial.client.state import Makeup as MarketMakeup


class Vault:
    """A vault. Methods raise InputError, Refused, UnreachableError and other ClientErrors.

    `account` is who signs: an account of Ape or a LocalAccount of eth-account; for questions its address is enough.
    Where the signer is an operator, `of` names the account that it acts for.
    """

    def __init__(self, protocol: Protocol, name: str, address: str, start_block: int = 0) -> None:
        self.protocol, self.name, self.address, self.start_block = protocol, name, address, start_block
        self._makeups: dict[str, MarketMakeup] = {}

    def __repr__(self) -> str:
        return f"<Vault {self.name} at {self.address}>"

    # -- Questions ---------------------------------------------------------------------------------------------------

    def info(self) -> VaultInfo:
        """What the vault is and how it stands, as if its markets were settled now."""
        snapshot = self.snapshot()
        return requests.info(self.name, self.address, self.makeup, snapshot, self._named)

    def requests(self, account: Any) -> Requests:
        """What an account has here: shares, and each request with its status in plain words."""
        who = address_of(account)
        snapshot, made = self.snapshot(), self.makeup
        chain = self._at(snapshot)
        return self.protocol.guard(lambda: requests.requests(self.name, who, made, snapshot, chain, self._named))

    def holding(self, account: Any) -> Holding:
        """What an account has here, in sums."""
        found = self.requests(account)

        def total(kind: str) -> Decimal:
            return sum((each.amount for each in found.requests if each.kind == kind), Decimal(0))

        return Holding(
            vault=self.name,
            account=found.account,
            shares=found.shares,
            worth=found.worth,
            waiting_deposits=total("deposit"),
            claimable_shares=total("shares"),
            waiting_redemptions=total("redemption"),
            claimable_assets=total("assets"),
        )

    def prices(self, since: int | None = None) -> tuple[Settled, ...]:
        """Every epoch that has settled, with its price of a share, from the block `since` on, oldest first.

        The price of one that settled while a market was stuck is without what is in there.
        """
        first = first_block(since)
        return self._settled(self.start_block if first is None else first, whole=False)

    def apy(self, since: str | int | datetime = "30d") -> Apy:
        """How the price of a share grew since a time, or over a span up to now, from the events of settled epochs.

        Those that settled without a stuck market do not count.
        """
        epochs = self._settled(self.start_block, whole=True)
        return history.apy(self.name, epochs, _past(since, self.protocol.now()))

    def what_if_deposit(self, assets: Number) -> DepositOutcome:
        """What a deposit would get if the open epoch were closed now and settled at the latest prices."""
        raw = amount("assets", assets) * self.spender.scale
        return what_if.deposit(self.name, self.snapshot(), raw, self._named)

    def what_if_price(self, percent: Number, market: str | None = None) -> PriceOutcome:
        """What a move of the price of one market, or of all, by so many percent does to the price of a share."""
        change = signed("percent", percent) // 100
        if change <= -(10**6):
            raise InputError(f"percent: a price cannot fall by {-change // 10**4} %")
        known = self.snapshot()
        addresses = [entry.market.address for entry in known.mirror.markets]
        chosen = addresses if market is None else [self.protocol.market(market).address]
        if missing := {each.lower() for each in chosen} - {each.lower() for each in addresses}:
            raise InputError(f"{self.name} has no market {', '.join(map(self._named, missing))}")
        return what_if.price_move(self.name, known, change, chosen, self._named)

    def snapshot(self) -> Snapshot:
        """The vault and its markets at the newest block, for the mirror's questions."""
        registered = self.protocol.guard(lambda: self.contract.read("markets"))
        made = [self._makeup_of(each[0]) for each in registered]
        return self.protocol.guard(lambda: read(self.protocol.rpc, self.makeup, made))

    # -- Depositors --------------------------------------------------------------------------------------------------

    def deposit(self, account: Any, assets: Number, *, of: Any = None) -> Requested:
        """Hands assets of the signer in, to become shares of its own account, or of another one, `of`."""
        raw, who = amount("assets", assets), address_of(account if of is None else of)
        spent = raw * self.spender.scale
        self._check_deposit(spent)
        approved = self.protocol.allow(account, self.spender, raw)
        mined = self._send(account, "requestDeposit", spent, who, address_of(account))
        return self._requested(who, "deposit", spent, approved, mined)

    def redeem(self, account: Any, shares: Number = "all", *, of: Any = None) -> Requested:
        """Hands shares in, to become assets: an amount or all that the account holds."""
        who = address_of(account if of is None else of)
        held = self.protocol.guard(lambda: self.shares.read("balanceOf", who))
        raw = held if shares == "all" else units("shares", shares, self.share_decimals)
        if raw > held or raw == 0:
            raise InputError(self._too_few(who, raw, held))
        mined = self._send(account, "requestRedeem", raw, who, who)
        return self._requested(who, "redemption", raw, 0, mined)

    def recall(self, account: Any, *, of: Any = None, receiver: Any = None) -> Recalled:
        """Takes back all of a deposit whose epoch is still open for deposits; to the signer by default."""
        who = address_of(account if of is None else of)
        to = address("receiver", account if receiver is None else receiver)
        mined = self._send(account, "recallDeposit", who, to)
        event = self._events(mined, "DepositRecalled")[-1]
        return Recalled(
            vault=self.name,
            account=who,
            epoch=event["requestId"],
            assets=shown(event["assets"], self.makeup.decimals),
            transaction=mined.receipt.hash,
            block=mined.block,
        )

    def claim(self, account: Any, *, of: Any = None, receiver: Any = None) -> VaultClaimed:
        """Claims whatever is claimable: shares, assets, what stuck markets returned; to the signer by default.

        What is zero is not claimed, and costs no gas.
        """
        who = address_of(account if of is None else of)
        to = address("receiver", account if receiver is None else receiver)
        names = ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem")
        queries = [self.contract.query(name, who) for name in names]
        entered, minted, paid, left = self.protocol.guard(lambda: Chain(self.protocol.rpc).ask_all(queries))
        transactions = []
        if minted or entered:
            transactions.append(self._send(account, "deposit", entered, to, who).receipt.hash)
        if left:
            transactions.append(self._send(account, "redeem", left, to, who).receipt.hash)
        returned = 0
        snapshot = self.snapshot()
        there = self.protocol.guard(lambda: requests.returned(who, snapshot, Chain(self.protocol.rpc)))
        for pocket, assets in there:
            transactions.append(self._send(account, "claimReturned", pocket, who, to).receipt.hash)
            returned += assets
        return VaultClaimed(
            vault=self.name,
            account=who,
            shares=shown(minted, self.share_decimals),
            assets=shown(paid if left else 0, self.makeup.decimals),
            returned=shown(returned, self.makeup.decimals),
            transactions=tuple(transactions),
        )

    def approve_operator(self, account: Any, operator: Any, *, approved: bool = True) -> Sent:
        """Lets an operator request and claim for the account, or stops it."""
        other = address("operator", operator)
        mined = self._send(account, "setOperator", other, approved)
        return Sent(f"{other} {'may' if approved else 'may not'} act in {self.name}", mined.receipt.hash, mined.block)

    # -- Epochs: anyone ----------------------------------------------------------------------------------------------

    def close_epoch(self, account: Any) -> Closed:
        """Closes the open epoch: places the vault's orders. Settles the one before first, where that can be."""
        return self._closed(self._send(account, "closeEpoch"))

    def rebalance(self, account: Any) -> Closed:
        """Orders in the markets that are off their target by more than the tolerance; closes the open epoch with it."""
        return self._closed(self._send(account, "rebalance"))

    def settle(self, account: Any) -> Settled:
        """Settles the closed epoch. InputError where there is none, or it still waits, and nothing is sent."""
        present = self.snapshot().present()
        if present.pending == 0:
            raise InputError("no epoch is closed and unsettled")
        if waits := allocation.awaited(present, self._named):
            raise InputError(f"epoch {present.pending} waits for {', '.join(waits)}")
        mined = self._send(account, "settle")
        found = self._events(mined, "EpochSettled")
        if not found:
            raise InputError("the epoch still waits: prices or the vault have moved on since; try again")
        now = self.protocol.after(mined, self.protocol.now)
        return history.settled(self.name, self.makeup.decimals, found[0], now)

    def _settled(self, first: int, *, whole: bool) -> tuple[Settled, ...]:
        place = self.protocol.rpc, self.name, self.address, self.makeup.decimals
        blocks, span = (first, self.protocol.block()), self.protocol.span
        return tuple(self.protocol.guard(lambda: history.settled_epochs(*place, blocks, span, whole=whole)))

    # -- Coordinator -------------------------------------------------------------------------------------------------

    def register(self, account: Any, market: str, weight: int, leverage: Number) -> Sent:
        """Adds a market, or changes weight and leverage of one that is there; from the next epoch or rebalance on."""
        check_weight(weight)
        found = self.protocol.market(market)
        there = {each[0].lower() for each in self.protocol.guard(lambda: self.contract.read("markets"))}
        verb = "updateMarket" if found.address.lower() in there else "register"
        mined = self._send(account, verb, found.address, weight, units("leverage", leverage, 6))
        done = "changed" if verb == "updateMarket" else "registered"
        return Sent(f"{done} {found.name} in {self.name}", mined.receipt.hash, mined.block)

    def unregister(self, account: Any, market: str) -> Sent:
        """Removes a market without weight, position, orders and pocket; its collateral comes back."""
        found = self.protocol.market(market)
        mined = self._send(account, "unregister", found.address)
        return Sent(f"removed {found.name} from {self.name}", mined.receipt.hash, mined.block)

    def save(self, network: str, name: str) -> None:
        """Writes the vault into a network's manifest. InputError where the name is taken."""
        path = locate(network)
        manifest = Manifest.read(path)
        if name in manifest.vaults:
            raise InputError(f"{network} has a vault {name!r} already, at {manifest.vaults[name].address}")
        markets = [
            str(to_checksum_address(each[0])) for each in self.protocol.guard(lambda: self.contract.read("markets"))
        ]
        asset = to_checksum_address(self.makeup.asset)
        manifest.vaults[name] = Entry(self.address, asset, markets, self.start_block or None)
        manifest.save(path)

    # -- Contracts ---------------------------------------------------------------------------------------------------

    @cached_property
    def makeup(self) -> Makeup:
        """What the vault is made of."""
        return self.protocol.guard(lambda: makeup(self.protocol.rpc, self.address))

    @property
    def share_decimals(self) -> int:
        """Of the shares."""
        return self.makeup.decimals + SHARE_DECIMALS

    @cached_property
    def spender(self) -> Spender:
        """Who takes the tokens of deposits."""
        return Spender(self.name, self.address, self.makeup.asset, 10 ** (self.makeup.decimals - 6))

    @cached_property
    def contract(self) -> Contract:
        """The vault's contract."""
        return Contract(Chain(self.protocol.rpc), "IVault", self.address)

    @cached_property
    def shares(self) -> Contract:
        """The same as the token of its shares."""
        return Contract(Chain(self.protocol.rpc), "MockToken", self.address)

    # -- Steps -------------------------------------------------------------------------------------------------------

    def _check_deposit(self, raw: int) -> None:
        """What the vault would refuse, in the numbers of a person."""
        minimum, cap, *_ = self.protocol.guard(lambda: self.contract.read("parameter"))
        books = self.protocol.guard(lambda: self.contract.read("books"))
        decimals, symbol = self.makeup.decimals, self.makeup.symbol
        if raw < minimum:
            raise InputError(f"{self.name} takes deposits of {number(shown(minimum, decimals))} {symbol} and more")
        room = max(0, cap - books[6] - books[2])
        if raw > room:
            raise InputError(f"{self.name} takes {number(shown(room, decimals))} {symbol} more, up to its cap")

    def _too_few(self, who: str, wanted: int, held: int) -> str:
        minted = self.protocol.guard(lambda: self.contract.read("maxMint", who))
        waiting = f"; {number(shown(minted, self.share_decimals))} more can be claimed first" if minted else ""
        if wanted == 0:
            return f"{who} holds no shares of {self.name}{waiting}"
        have = number(shown(held, self.share_decimals))
        return f"{who} holds {have} shares of {self.name}, not {number(shown(wanted, self.share_decimals))}{waiting}"

    def _requested(self, who: str, kind: str, raw: int, approved: int, mined: Mined) -> Requested:
        name = "DepositRequest" if kind == "deposit" else "RedeemRequest"
        epoch = self._events(mined, name)[-1]["requestId"]
        present = self.protocol.after(mined, self.snapshot).present()
        word = allocation.deposit_status if kind == "deposit" else allocation.redeem_status
        return Requested(
            vault=self.name,
            account=who,
            kind=kind,
            amount=shown(raw, self.makeup.decimals if kind == "deposit" else self.share_decimals),
            epoch=epoch,
            status=word(present, epoch, self._named),
            approved=decimal(approved),
            transaction=mined.receipt.hash,
            block=mined.block,
        )

    def _closed(self, mined: Mined) -> Closed:
        epoch = self._events(mined, "EpochClosed")[-1]
        orders = [tuple(each.values.values()) for each in self._events(mined, "Ordered")]
        present = self.protocol.after(mined, self.snapshot).present()
        return Closed(
            vault=self.name,
            epoch=epoch["epoch"],
            deposits=shown(epoch["deposits"], self.makeup.decimals),
            redemptions=shown(epoch["redeems"], self.share_decimals),
            orders=tuple(what_if.placed(each, self._named) for each in orders),
            refused=tuple(requests.refusal(each, self._named) for each in self._events(mined, "OrderRefused")),
            status=allocation.closed_epoch(present, self._named) or "settled",
            transaction=mined.receipt.hash,
            block=mined.block,
        )

    def _events(self, mined: Mined, name: str) -> list[Happened]:
        known = {event.name: event for event in self.contract.interface.events.values()}
        return [
            Happened(
                self.address,
                event,
                dict(zip(known[event].parameters, values, strict=True)),
                mined.block,
                mined.receipt.hash,
                index,
            )
            for index, (event, values) in enumerate(self.contract.events(mined.receipt))
            if event == name
        ]

    def _send(self, account: Any, name: str, *arguments: Any) -> Mined:
        return self.protocol.sender.send(account, self.contract.query(name, *arguments))

    def _named(self, market: str) -> str:
        return self.protocol.name_of(market)

    def _makeup_of(self, market: str) -> MarketMakeup:
        if market not in self._makeups:
            self._makeups[market] = self.protocol.guard(lambda: market_makeup(self.protocol.rpc, market))
        return self._makeups[market]

    def _at(self, snapshot: Snapshot) -> Chain:
        return Chain(self.protocol.rpc, snapshot.block.tag)


def _past(since: str | int | datetime, now: int) -> int:
    """Unix seconds of a date, or of a span before now."""
    try:
        ahead = instant("since", since, 0) if isinstance(since, str) else 0
    except InputError:
        ahead = 0
    # A span is counted from nought, and so shorter than what any date comes to.
    if 0 < ahead < 10**9:
        return now - ahead
    found = instant("since", since, 0)
    if found > now:
        raise InputError(f"since: {since} is not in the past")
    return found
