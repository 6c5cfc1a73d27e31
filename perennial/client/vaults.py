"""A vault (docs/protocol.md §12.2): liquidity for several markets, entered and left by requests that epochs price.

Assets are in the vault's token, shares have 6 decimals more than it; both are decimals here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from perennial.amounts import decimal
from perennial.chain import Chain, Contract
from perennial.client.errors import InputError, address
from perennial.client.numbers import Number, amount
from perennial.client.records import Record
from perennial.client.results import Sent
from perennial.client.signers import address_of
from perennial.client.tokens import Spender

if TYPE_CHECKING:
    from perennial.client.protocol import Protocol
    from perennial.client.sending import Mined

VIRTUAL = 10**6
"""Shares that belong to nobody, so that a donation buys nothing."""


@dataclass(frozen=True, slots=True)
class Placement(Record):
    """What a vault does in one market."""

    market: str
    weight: int
    leverage: Decimal
    size: Decimal
    """Of its maker position, with every pending order, as of the last settlement."""
    collateral: Decimal
    stuck: bool


@dataclass(frozen=True, slots=True)
class VaultInfo(Record):
    """A vault, as of the last settlement of its markets."""

    name: str
    address: str
    token: str
    assets: Decimal
    shares: Decimal
    share_price: Decimal
    """Assets for a share, 6 decimals."""
    min_deposit: Decimal
    deposit_cap: Decimal
    profit_share: Decimal
    open_epoch: int
    """That redemptions join."""
    deposit_epoch: int
    """That deposits join: an earlier one while deposits wait."""
    pending_epoch: int
    """Closed and not settled, or 0."""
    entering_epoch: int
    """Of deposits that are closed and have no shares yet, or 0."""
    waiting_deposits: Decimal
    waiting_redemptions: Decimal
    insolvent: bool
    coordinator: str
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class Holding(Record):
    """What an account has in a vault."""

    vault: str
    account: str
    shares: Decimal
    value: Decimal
    """Of the shares, at the price of now; an epoch's price may be another one."""
    waiting_deposits: Decimal
    """Assets in epochs that have not settled."""
    claimable_shares: Decimal
    waiting_redemptions: Decimal
    """Shares in epochs that have not settled."""
    claimable_assets: Decimal

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        waits = self.waiting_deposits or self.waiting_redemptions
        return not (self.shares or waits or self.claimable_shares or self.claimable_assets)


@dataclass(frozen=True, slots=True)
class Requested(Record):
    """A request that waits for its epoch to be closed and settled; then it can be claimed."""

    vault: str
    account: str
    kind: str
    """deposit or redemption."""
    amount: Decimal
    """Assets, or shares."""
    epoch: int
    approved: Decimal
    transaction: str
    block: int


@dataclass(frozen=True, slots=True)
class VaultClaimed(Record):
    """What was claimed: shares of deposits, assets of redemptions."""

    vault: str
    account: str
    shares: Decimal
    assets: Decimal
    transactions: tuple[str, ...]


class Vault:
    """A vault. `account` is who signs; methods raise ClientErrors."""

    def __init__(self, protocol: Protocol, name: str, address: str) -> None:
        self.protocol, self.name, self.address = protocol, name, address

    def __repr__(self) -> str:
        return f"<Vault {self.name} at {self.address}>"

    # -- Questions ---------------------------------------------------------------------------------------------------

    def info(self) -> VaultInfo:
        """What the vault holds, and where its epochs are."""
        views = ("totalAssets", "totalSupply", "epochs", "books", "parameter", "coordinator", "markets")
        assets, supply, epochs, books, parameter, coordinator, markets = self._ask([(view,) for view in views])
        opened, deposits, pending, entering, _, _ = epochs
        return VaultInfo(
            name=self.name,
            address=self.address,
            token=self._token[1],
            assets=self._assets(assets),
            shares=self._shares(supply),
            share_price=decimal((assets + 1) * VIRTUAL * 10**6 // (supply + VIRTUAL)),
            min_deposit=self._assets(parameter[0]),
            deposit_cap=self._assets(parameter[1]),
            profit_share=decimal(parameter[2]),
            open_epoch=opened,
            deposit_epoch=deposits,
            pending_epoch=pending,
            entering_epoch=entering,
            waiting_deposits=self._assets(books[2] + books[4]),
            waiting_redemptions=self._shares(books[3] + books[5]),
            insolvent=books[8],
            coordinator=address("coordinator", coordinator),
            placements=tuple(self._placement(each) for each in markets),
        )

    def holding(self, account: Any) -> Holding:
        """What an account has in the vault."""
        who = address_of(account)
        epochs = self._ask([("epochs",)])[0][:4]
        ids = sorted({epoch for epoch in epochs if epoch})
        shares, new, paid, *waiting = self._ask(
            [("balanceOf", who), ("maxMint", who), ("maxWithdraw", who)]
            + [("pendingDepositRequest", epoch, who) for epoch in ids]
            + [("pendingRedeemRequest", epoch, who) for epoch in ids]
        )
        (value,) = self._ask([("convertToAssets", shares)])
        return Holding(
            vault=self.name,
            account=who,
            shares=self._shares(shares),
            value=self._assets(value),
            waiting_deposits=self._assets(sum(waiting[: len(ids)])),
            claimable_shares=self._shares(new),
            waiting_redemptions=self._shares(sum(waiting[len(ids) :])),
            claimable_assets=self._assets(paid),
        )

    # -- Requests ----------------------------------------------------------------------------------------------------

    def deposit(self, account: Any, assets: Number) -> Requested:
        """Hands assets in, to become shares at the price of the epoch; exactly these are approved to the vault."""
        raw, who = amount("assets", assets), address_of(account)
        approved = self.protocol.allow(account, self.spender, raw)
        mined = self._send(account, "requestDeposit", raw * self.spender.scale, who, who)
        return self._requested(mined, "deposit", who, self._assets(raw * self.spender.scale), approved)

    def redeem(self, account: Any, shares: Number = "all") -> Requested:
        """Hands shares in, to become assets at the price of the epoch: a number, or "all"."""
        who = address_of(account)
        raw = self._ask([("balanceOf", who)])[0] if shares == "all" else self._raw_shares(shares)
        if raw == 0:
            raise InputError(f"{who} has no shares in {self.name}; claim those of settled deposits first")
        mined = self._send(account, "requestRedeem", raw, who, who)
        return self._requested(mined, "redemption", who, self._shares(raw), 0)

    def claim(self, account: Any) -> VaultClaimed:
        """Claims all that is due: shares of deposits and assets of redemptions whose epochs have settled."""
        who = address_of(account)
        deposits, redeems = self._ask([("maxDeposit", who), ("maxRedeem", who)])
        shares = assets = 0
        transactions = []
        if deposits:
            mined = self._send(account, "deposit", deposits, who, who)
            shares = self._event(mined, "Deposit")["shares"]
            transactions.append(mined.receipt.hash)
        if redeems:
            mined = self._send(account, "redeem", redeems, who, who)
            assets = self._event(mined, "Withdraw")["assets"]
            transactions.append(mined.receipt.hash)
        return VaultClaimed(self.name, who, self._shares(shares), self._assets(assets), tuple(transactions))

    # -- Epochs ------------------------------------------------------------------------------------------------------

    def close_epoch(self, account: Any) -> Sent:
        """Closes the open epoch, which orders in the markets; anyone may, once the epoch before has settled."""
        return self._sent(account, "closeEpoch", "closed the open epoch")

    def settle(self, account: Any) -> Sent:
        """Settles the pending epoch, if its markets have settled past the versions ordered; anyone may."""
        return self._sent(account, "settle", "settled the pending epoch, where it could be")

    def rebalance(self, account: Any) -> Sent:
        """Brings markets that are off their targets back to them; anyone may."""
        return self._sent(account, "rebalance", "rebalanced")

    # -- Steps -------------------------------------------------------------------------------------------------------

    @cached_property
    def contract(self) -> Contract:
        """The vault's contract."""
        return Contract(Chain(self.protocol.rpc), "IVault", self.address)

    @cached_property
    def spender(self) -> Spender:
        """Who takes the tokens of deposits."""
        return Spender(self.name, self.address, self._token[0], 10 ** (self._token[2] - 6))

    @cached_property
    def _token(self) -> tuple[str, str, int]:
        """Address, symbol and decimals of its token."""
        (asset,) = self._ask([("asset",)])
        token = Contract(self.contract.chain, "MockToken", asset)
        symbol, decimals = self.protocol.guard(
            lambda: token.chain.ask_all([token.query("symbol"), token.query("decimals")])
        )
        return asset, symbol, decimals

    def _ask(self, questions: list[tuple[Any, ...]]) -> list[Any]:
        queries = [self.contract.query(*question) for question in questions]
        return self.protocol.guard(lambda: self.contract.chain.ask_all(queries))

    def _send(self, account: Any, name: str, *arguments: Any) -> Mined:
        return self.protocol.sender.send(account, self.contract.query(name, *arguments))

    def _sent(self, account: Any, name: str, what: str) -> Sent:
        mined = self._send(account, name)
        return Sent(f"{what} of {self.name}", mined.receipt.hash, mined.block)

    def _requested(self, mined: Mined, kind: str, who: str, value: Decimal, approved: int) -> Requested:
        event = self._event(mined, "DepositRequest" if kind == "deposit" else "RedeemRequest")
        return Requested(
            vault=self.name,
            account=who,
            kind=kind,
            amount=value,
            epoch=event["requestId"],
            approved=decimal(approved),
            transaction=mined.receipt.hash,
            block=mined.block,
        )

    def _event(self, mined: Mined, name: str) -> dict[str, Any]:
        """The vault's event of this name in a transaction."""
        known = {event.name: event for event in self.contract.interface.events.values()}
        found = dict(self.contract.events(mined.receipt))
        return dict(zip(known[name].parameters, found[name], strict=True))

    def _placement(self, values: Any) -> Placement:
        market = Contract(self.contract.chain, "IMarket", values[0])
        queries = [market.query("pendingPositions", self.address), market.query("collateral", self.address)]
        position, collateral = self.protocol.guard(lambda: market.chain.ask_all(queries))
        return Placement(
            market=self.protocol.name_of(values[0]),
            weight=values[1],
            leverage=decimal(values[2]),
            size=decimal(position[1]),
            collateral=decimal(collateral),
            stuck=values[3] != 0,
        )

    def _assets(self, raw: int) -> Decimal:
        """Token units as a person reads them."""
        return Decimal(raw).scaleb(-self._token[2])

    def _shares(self, raw: int) -> Decimal:
        """Raw shares as a person reads them."""
        return Decimal(raw).scaleb(-self._token[2] - 6)

    def _raw_shares(self, shares: Number) -> int:
        """Raw shares of what a person writes, with all the decimals that shares have."""
        decimals = self._token[2] + 6
        if isinstance(shares, float):
            raise InputError(f"shares: {shares!r} is a float, which rounds in passing: write it as text")
        try:
            scaled = Decimal(shares.replace(",", "") if isinstance(shares, str) else shares).scaleb(decimals)
        except ArithmeticError as error:
            raise InputError(f"shares: {shares!r} is not a number") from error
        if not scaled.is_finite() or scaled != scaled.to_integral_value() or scaled <= 0:
            raise InputError(f"shares: {shares!r} is not a number above 0 of at most {decimals} decimals")
        return int(scaled)
