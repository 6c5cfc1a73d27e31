"""Where a vault's assets are and should be, and what each epoch waits for, in words: from a snapshot alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.amounts import decimal
from perennial.client.records import moment
from perennial.mirror.vault_allocation import plan, terms
from perennial.mirror.vault_state import STUCK
from perennial.vaults.results import Allocation
from perennial.vaults.units import part

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennial.mirror.vault import Vault as Mirror
    from perennial.mirror.vault_allocation import Leg
    from perennial.mirror.vault_markets import Observation
    from perennial.mirror.vault_state import VaultMarket

    Named = Callable[[str], str]
    """The name of a market by its address."""


def allocations(present: Mirror, named: Named) -> tuple[Allocation, ...]:
    """Each market of a vault that is settled: what it has, and what it would have if the open epoch were closed now."""
    seen = [present.observe(entry) for entry in present.markets]
    assets = present.net_assets(one.collateral for one in seen)
    leaving = present.open_redeems * (assets + 1) // present.virtual_supply
    entering = present.entering_net + (present.open_deposits if enters(present, seen) else 0)
    total = max(0, assets + entering - leaving)
    weights = sum(entry.weight for entry in present.markets)
    return tuple(
        _allocation(
            present, entry, one, total * entry.weight // weights // present.scale if weights else 0, weights, named
        )
        for entry, one in zip(present.markets, seen, strict=True)
    )


def _allocation(
    present: Mirror, entry: VaultMarket, seen: Observation, share: int, weights: int, named: Named
) -> Allocation:
    leg = plan(entry, seen, share, 0, 1, present.parameter.tolerance, present.now)
    notional, held = seen.size * seen.price, max(0, seen.collateral)
    return Allocation(
        market=named(seen.market.address),
        weight=entry.weight,
        part=part(entry.weight, weights or 1),
        collateral=decimal(seen.collateral),
        target_collateral=decimal(share),
        size=decimal(seen.size),
        pending_size=decimal(seen.market.pending_positions(present.address).maker),
        target_size=decimal(leg.target),
        leverage=decimal(notional // held) if held else None,
        target_leverage=decimal(terms(entry.leverage, seen.market.risk)[0]),
        price=decimal(seen.market.price),
        tradable=seen.orderable,
        note=_note(present, entry, seen, leg),
    )


def _note(present: Mirror, entry: VaultMarket, seen: Observation, leg: Leg) -> str | None:
    if entry.pocket:
        return "stuck: an epoch settled without it"
    if present.pending and (waits := _awaits(present, entry)):
        return f"waits for {waits}"
    if seen.count:
        return "an order waits for its price"
    if not seen.fresh:
        return "no fresh price: it takes no orders"
    if leg.big:
        return "off its target by more than the tolerance"
    rests = present.now < entry.rests_until and leg.target > seen.size
    return f"grows by deposits alone until {moment(entry.rests_until)}" if rests else None


def enters(present: Mirror, seen: list[Observation]) -> bool:
    """Whether deposits would enter if the open epoch were closed now."""
    unknown = any(one.exposed and not one.fresh for one in seen)
    return not (present.entering or present.open_pockets or unknown)


# -- In words ----------------------------------------------------------------------------------------------------------


def closed_epoch(present: Mirror, named: Named) -> str | None:
    """What the closed epoch waits for; None where there is none."""
    if present.pending == 0:
        return None
    waits = awaited(present, named)
    if not waits:
        return f"epoch {present.pending} can be settled: anyone may, and closing the next one does it, too"
    return f"epoch {present.pending} waits for {', '.join(waits)}"


def awaited(present: Mirror, named: Named) -> list[str]:
    """The versions and markets that the closed epoch still waits for; a day after it was closed, none."""
    if present.now >= present.closed_at + STUCK:
        return []
    waits = ((_awaits(present, entry), named(entry.market.address)) for entry in present.markets)
    return [f"{what} of {name}" for what, name in waits if what]


def stuck(present: Mirror, named: Named) -> list[str]:
    """Markets that an epoch has settled without."""
    return [named(entry.market.address) for entry in present.markets if entry.pocket]


def deposit_status(present: Mirror, epoch: int, named: Named) -> str:
    """What a deposit in an epoch that has not settled waits for."""
    markets = ", ".join(stuck(present, named))
    if epoch == present.entering:
        if present.pending and (waits := closed_epoch(present, named)) and not markets:
            return waits
        return (
            f"stuck market: {markets}; deposits become shares once it has settled"
            if markets
            else (f"waits for epoch {present.epoch} to be closed and settled")
        )
    if markets:
        return f"stuck market: {markets}; epoch {epoch} takes deposits in once it has settled; it can be taken back"
    if present.entering:
        return f"waits for epoch {present.entering} to settle, and then for epoch {epoch} to be closed"
    return f"waits for epoch {epoch} to be closed"


def redeem_status(present: Mirror, epoch: int, named: Named) -> str:
    """What a redemption in an epoch that has not settled waits for."""
    if epoch == present.pending:
        return closed_epoch(present, named) or ""
    return f"waits for epoch {epoch} to be closed"


def _awaits(present: Mirror, entry: VaultMarket) -> str | None:
    """What the closed epoch still waits for in a market; None for nothing (docs/protocol.md §12.2)."""
    if not entry.awaited or not present.deliver(entry).stuck:
        return None
    # Where nobody ordered, a price that is old by now does not do.
    return "a fresh price" if entry.market.timestamp >= entry.version else f"version {moment(entry.version)}"
