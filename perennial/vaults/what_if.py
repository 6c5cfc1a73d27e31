"""What would happen to a vault: the same integers as on chain, on copies of what is there now.

Prices stay as they are, or move at once by a part; no other account does anything meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.abi import Reverted
from perennial.amounts import ONE, decimal
from perennial.client.errors import InputError, Refused
from perennial.client.numbers import shown
from perennial.mirror.errors import MarketError
from perennial.mirror.oracle import OracleVersion
from perennial.mirror.vault_errors import NothingToClose
from perennial.vaults.results import DepositOutcome, Placed, PriceOutcome
from perennial.vaults.state import unpaused
from perennial.vaults.units import SHARE_DECIMALS, part, price_of, raw_price, share_price

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perennial.client.state import PricedOracle
    from perennial.mirror.vault import Vault as Mirror
    from perennial.mirror.vault_state import VaultMarket
    from perennial.vaults.state import Snapshot

    Named = Callable[[str], str]

SOMEBODY = "somebody"
"""The account of a question."""


def deposit(name: str, snapshot: Snapshot, assets: int, named: Named) -> DepositOutcome:
    """What a deposit would get: `assets` are token units. Raises Refused where the vault would refuse it."""
    trial = unpaused(snapshot.mirror)
    decimals = trial.decimals
    if trial.pending:
        _next_prices(trial)
        trial.settle()
    try:
        trial.request_deposit(assets, SOMEBODY, SOMEBODY)
    except MarketError as error:
        raise _refused(error) from error
    trial.events = []
    try:
        trial.close_epoch()
    except NothingToClose:
        return _waiting(name, trial, assets)
    except MarketError as error:
        raise _refused(error) from error
    _next_prices(trial)
    trial.settle()
    settled = next((values for event, values in trial.events if event == "EpochSettled"), None)
    if settled is None or trial.max_deposit(SOMEBODY) == 0:
        return _waiting(name, trial, assets)
    _, whole, supply, *_ = settled
    shares = trial.max_mint(SOMEBODY)
    worth = shares * whole // supply
    with_others = snapshot.mirror.open_deposits or snapshot.mirror.open_redeems
    return DepositOutcome(
        vault=name,
        assets=shown(assets, decimals),
        shares=shown(shares, decimals + SHARE_DECIMALS),
        share_price=price_of(whole, supply),
        worth=shown(worth, decimals),
        cost=shown(assets - worth, decimals),
        orders=tuple(placed(values, named) for event, values in trial.events if event == "Ordered"),
        note="with the requests that wait in the same epoch" if with_others else None,
    )


def _waiting(name: str, trial: Mirror, assets: int) -> DepositOutcome:
    """A deposit that does not get shares with the next epoch."""
    return DepositOutcome(
        vault=name,
        assets=shown(assets, trial.decimals),
        shares=shown(0, trial.decimals + SHARE_DECIMALS),
        share_price=share_price(trial),
        worth=shown(0, trial.decimals),
        cost=shown(0, trial.decimals),
        orders=(),
        note="deposits wait: a market is stuck or has no fresh price",
    )


def price_move(name: str, snapshot: Snapshot, change: int, markets: Sequence[str], named: Named) -> PriceOutcome:
    """What a move of the prices of `markets` (addresses) by `change` (a part, 6 decimals) does to a share's price."""
    present = snapshot.present()
    before, assets = raw_price(present), present.total_assets()
    trial = unpaused(snapshot.mirror)
    chosen = {address.lower() for address in markets}
    for entry in trial.markets:
        _next_price(entry, change if entry.market.address.lower() in chosen else 0)
        trial.observe(entry)
    after, then = raw_price(trial), trial.total_assets()
    gone = tuple(named(each.market.address) for each in trial.markets if each.market.liquidatable(trial.address))
    return PriceOutcome(
        vault=name,
        change=decimal(change),
        markets=tuple(named(entry.market.address) for entry in trial.markets if entry.market.address.lower() in chosen),
        share_price=shown(before, 18),
        share_price_then=shown(after, 18),
        share_change=part(after - before, before or 1),
        assets=shown(assets, trial.decimals),
        assets_then=shown(then, trial.decimals),
        liquidatable=gone,
    )


def placed(values: Sequence[int | str], named: Named) -> Placed:
    """An event `Ordered` for people: epoch, market, version, delta, collateral, charge."""
    _, market, version, delta, collateral, charge = values
    return Placed(named(str(market)), int(version), *(decimal(int(each)) for each in (delta, collateral, charge)))


def _next_prices(trial: Mirror) -> None:
    for entry in trial.markets:
        _next_price(entry, 0)


def _next_price(entry: VaultMarket, change: int) -> None:
    """The current version becomes the latest at the latest price, moved by a part with 6 decimals."""
    oracle: PricedOracle = entry.market.oracle  # type: ignore[assignment]
    latest, current = oracle.status()
    if latest.timestamp == 0:
        raise InputError("a market has no price yet: nothing can be said")
    price = latest.price if latest.valid else entry.market.price
    found = OracleVersion(current, price * (ONE + change) // ONE, True)
    oracle.versions = {**oracle.versions, latest.timestamp: latest, current: found}
    oracle.latest, oracle.current = found, current + max(1, current - latest.timestamp)


def _refused(error: MarketError) -> Refused:
    """A refusal of the mirror as the chain's."""
    return Refused(Reverted(type(error).__name__, tuple(error.args)))
