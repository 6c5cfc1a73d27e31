"""What a vault is and what an account has in it, put together for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eth_utils.address import to_checksum_address

from perennial.abi import decode_error
from perennial.amounts import decimal
from perennial.chain import Contract
from perennial.client.errors import Refused
from perennial.client.numbers import shown
from perennial.client.records import number
from perennial.vaults.allocation import allocations, closed_epoch, deposit_status, redeem_status
from perennial.vaults.results import Requests, RequestStatus, VaultInfo
from perennial.vaults.units import SHARE_DECIMALS, price_of, share_price

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennial.chain import Chain, Query
    from perennial.client.events import Happened
    from perennial.mirror.vault import Vault as Mirror
    from perennial.vaults.state import Makeup, Snapshot

    Named = Callable[[str], str]

_ONE_PRICE = 10**24
"""Of the high-water mark: (assets + 1) times this by (shares + virtual shares)."""


def info(name: str, address: str, made: Makeup, snapshot: Snapshot, named: Named) -> VaultInfo:
    """A vault, as if its markets were settled now."""
    present, decimals = snapshot.present(), made.decimals
    parameter = present.parameter
    return VaultInfo(
        name=name,
        address=address,
        token=made.symbol,
        shares=made.shares,
        coordinator=str(to_checksum_address(present.coordinator)),
        share_price=share_price(present),
        total_assets=shown(present.total_assets(), decimals),
        total_shares=shown(present.supply, decimals + SHARE_DECIMALS),
        idle=shown(present.idle, decimals),
        claimable=shown(present.reserved, decimals),
        open_epoch=present.epoch,
        waiting_deposits=shown(present.open_deposits, decimals),
        waiting_redemptions=shown(present.open_redeems, decimals + SHARE_DECIMALS),
        closed_epoch=closed_epoch(present, named),
        entering=shown(present.entering_net, decimals),
        insolvent=present.insolvent,
        min_deposit=shown(parameter.min_deposit, decimals),
        deposit_cap=shown(parameter.deposit_cap, decimals),
        profit_share=decimal(parameter.profit_share),
        high_water_mark=price_of(present.mark, _ONE_PRICE),
        tolerance=decimal(parameter.tolerance),
        markets=allocations(present, named),
        as_of=snapshot.block.timestamp,
    )


def requests(name: str, who: str, made: Makeup, snapshot: Snapshot, chain: Chain, named: Named) -> Requests:
    """What an account has: shares, and each request with its status. `chain` reads at the snapshot's block."""
    present, decimals = snapshot.present(), made.decimals
    vault, shares = Contract(chain, "IVault", made.address), Contract(chain, "MockToken", made.address)
    deposit_epochs = sorted({present.deposit_epoch, present.entering} - {0})
    redeem_epochs = sorted({present.epoch, present.pending} - {0})
    queries = [shares.query("balanceOf", who)]
    queries += [vault.query(view, who) for view in ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem")]
    queries += [vault.query("pendingDepositRequest", epoch, who) for epoch in deposit_epochs]
    queries += [vault.query("pendingRedeemRequest", epoch, who) for epoch in redeem_epochs]
    held, entered, minted, paid, left, *waiting = chain.ask_all(queries)
    found = [
        RequestStatus("deposit", epoch, shown(amount, decimals), False, deposit_status(present, epoch, named))
        for epoch, amount in zip(deposit_epochs, waiting, strict=False)
        if amount
    ]
    found += [
        RequestStatus(
            "redemption", epoch, shown(amount, decimals + SHARE_DECIMALS), False, redeem_status(present, epoch, named)
        )
        for epoch, amount in zip(redeem_epochs, waiting[len(deposit_epochs) :], strict=True)
        if amount
    ]
    found += _claims(made, entered, minted, paid, left)
    found += _parts(who, made, present, chain, named)
    return Requests(
        vault=name,
        account=who,
        shares=shown(held, decimals + SHARE_DECIMALS),
        worth=shown(present.convert_to_assets(held), decimals),
        requests=tuple(found),
        as_of=snapshot.block.timestamp,
    )


def returned(who: str, snapshot: Snapshot, chain: Chain) -> list[tuple[int, int]]:
    """Pockets that are resolved and in which the account has a part: id, token units."""
    units = _units(who, snapshot.mirror, chain)
    pockets = snapshot.mirror.pockets
    return [
        (id_, held * pockets[id_].payout // pockets[id_].redeemed)
        for id_, held in units.items()
        if pockets[id_].resolved and pockets[id_].redeemed
    ]


def refusal(event: Happened, named: Named) -> str:
    """The event `OrderRefused` in words."""
    return f"{named(event['market'])}: {Refused(decode_error(event['reason']))}"


def _claims(made: Makeup, entered: int, minted: int, paid: int, left: int) -> list[RequestStatus]:
    """What can be claimed of settled requests."""
    found = []
    if entered or minted:
        amount = shown(minted, made.decimals + SHARE_DECIMALS)
        told = f"claimable: {number(amount)} shares for {number(shown(entered, made.decimals))} {made.symbol}"
        found.append(RequestStatus("shares", None, amount, True, told))
    if paid or left:
        amount = shown(paid, made.decimals)
        of = number(shown(left, made.decimals + SHARE_DECIMALS))
        told = f"claimable: {number(amount)} {made.symbol} for {of} shares"
        found.append(RequestStatus("assets", None, amount, True, told))
    return found


def _parts(who: str, made: Makeup, present: Mirror, chain: Chain, named: Named) -> list[RequestStatus]:
    """The account's parts of stuck markets."""
    found = []
    for id_, held in _units(who, present, chain).items():
        pocket = present.pockets[id_]
        market = named(pocket.market.address)
        if pocket.resolved:
            amount = shown(held * pocket.payout // pocket.redeemed, made.decimals)
            told = f"claimable: {number(amount)} {made.symbol} that {market} returned"
            found.append(RequestStatus("returned", None, amount, True, told))
        else:
            amount = shown(held, made.decimals + SHARE_DECIMALS)
            told = f"stuck market: {market}; the part of {number(amount)} shares is paid once it has settled"
            found.append(RequestStatus("returned", None, amount, False, told))
    return found


def _units(who: str, mirror: Mirror, chain: Chain) -> dict[int, int]:
    """The account's part of each pocket: shares by id."""
    vault = Contract(chain, "IVault", mirror.address)
    ids = list(mirror.pockets)
    answers: list[Query] = [vault.query("pocketUnits", id_, who) for id_ in ids]
    return {id_: held for id_, held in zip(ids, chain.ask_all(answers), strict=True) if held}
