"""The prices of a vault's shares in the past, from its events, and how fast they grew."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, localcontext
from typing import TYPE_CHECKING

from perennial.client.errors import InputError
from perennial.client.events import events, topic
from perennial.client.numbers import shown
from perennial.vaults.results import Apy, Settled
from perennial.vaults.units import SHARE_DECIMALS, part, price_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennial.chain import Rpc
    from perennial.client.events import Happened, Topics

YEAR = 365 * 86_400
_WEEK = 7 * 86_400


def settled_epochs(
    rpc: Rpc, name: str, vault: str, decimals: int, blocks: tuple[int, int], span: int, *, whole: bool = False
) -> list[Settled]:
    """Every epoch that settled in a range of blocks (first and last), oldest first.

    `whole`: only those that settled with all markets; the range has to begin with the vault then. The price of the
    others is that of the rest, which says nothing of what a share was worth.
    """
    wanted: Topics = [topic("IVaultEvents", "EpochSettled", "PocketOpened", "PocketResolved")]
    found, stuck = [], 0
    for event in events(rpc, {vault: "IVaultEvents"}, wanted, *blocks, span):
        if event.name == "EpochSettled":
            if not (whole and stuck):
                found.append(event)
        else:
            # An epoch's pockets are opened and resolved before it has settled.
            stuck += 1 if event.name == "PocketOpened" else -1
    numbers = sorted({event.block for event in found})
    headers = rpc.batch([("eth_getBlockByNumber", (hex(number), False)) for number in numbers])
    times = {number: int(header["timestamp"], 16) for number, header in zip(numbers, headers, strict=True)}
    return [settled(name, decimals, event, times[event.block]) for event in found]


def settled(name: str, decimals: int, event: Happened, time: int) -> Settled:
    """The event of an epoch that settled, for people."""
    return Settled(
        vault=name,
        epoch=event["epoch"],
        share_price=price_of(event["assets"], event["shares"]),
        assets=shown(event["assets"] - 1, decimals),
        minted=shown(event["minted"], decimals + SHARE_DECIMALS),
        paid=shown(event["paid"], decimals),
        unfilled=shown(event["unfilled"], decimals + SHARE_DECIMALS),
        time=time,
        block=event.block,
        transaction=event.transaction,
    )


def apy(name: str, epochs: Sequence[Settled], since: int) -> Apy:
    """The growth of the price of a share from the last epoch at or before `since`, else the first one, to the last.

    Prices have 18 decimals, rounded down. InputError where there are not two epochs at different times.
    """
    before = [each for each in epochs if each.time <= since]
    first = before[-1] if before else epochs[0] if epochs else None
    last = epochs[-1] if epochs else None
    if first is None or last is None or last.time <= first.time:
        raise InputError("there are not two settled epochs in that time: a growth needs two prices of a share")
    seconds, start, end = last.time - first.time, _raw(first), _raw(last)
    if start == 0:
        raise InputError(f"a share was worth nothing in epoch {first.epoch}: nothing grows from there")
    return Apy(
        vault=name,
        from_epoch=first.epoch,
        from_time=first.time,
        from_price=first.share_price,
        to_epoch=last.epoch,
        to_time=last.time,
        to_price=last.share_price,
        growth=part(end - start, start),
        days=part(seconds, 86_400).quantize(Decimal("0.01"), ROUND_FLOOR),
        apr=part((end - start) * YEAR, start * seconds),
        apy=_compounded(start, end, seconds),
        meaning=(
            f"what one share gained from epoch {first.epoch} to epoch {last.epoch}, with all fees, after the "
            "coordinator's share of profit, at the prices at which these epochs settled, both with all markets; "
            f"the APY repeats that over a year, which nothing promises{_short(seconds)}"
        ),
    )


def _short(seconds: int) -> str:
    """What is to be said of a growth over less than a week."""
    return "" if seconds >= _WEEK else f"; here it repeats {seconds:,} seconds, and chance with them"


def _raw(epoch: Settled) -> int:
    """The price of a share as an integer of 18 decimals."""
    sign, digits, _ = epoch.share_price.as_tuple()
    assert not sign
    return int("".join(map(str, digits)))


def _compounded(start: int, end: int, seconds: int) -> Decimal:
    """(end / start) ^ (year / seconds) - 1 to 6 decimals, rounded down: computed to 60 digits."""
    if end == 0:
        return Decimal("-1.000000")
    with localcontext(prec=60) as context:
        context.Emax, context.Emin = 10**9, -(10**9)
        grown = (Decimal(end) / start) ** (Decimal(YEAR) / seconds) - 1
        if grown.adjusted() > 40:
            raise InputError("the time is too short to speak of a year: take a longer one")
        return grown.quantize(Decimal("0.000001"), ROUND_FLOOR)
