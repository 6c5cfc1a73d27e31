"""What must hold of a market at every moment (docs/protocol.md §14), with the numbers where it does not."""

from perennial.mirror import accounts as rooms
from perennial.mirror.fixed import UNIT12, ceil_div
from perennial.mirror.market import Market
from perennial.mirror.position import Side


class InvariantError(AssertionError):
    """An invariant does not hold."""


def check_invariants(market: Market) -> None:
    """Raises InvariantError for the first invariant of docs/protocol.md §14 that does not hold; changes nothing.

    Accounts are looked at as settled to the market's version, on a copy. Where an amount has hit the bounds of its
    storage (`market.saturated`), money is allowed to stay in the market.
    """
    settled = market.copy()
    for name, account in settled.accounts.items():
        before = account.collateral
        rooms.settle(settled, name)
        rooms.store(settled, account, before)
    _check_sizes(settled)
    _check_shortfall(market)
    _check_shortfall(settled)
    _check_zero_sum(settled)
    _check_solvency(settled)
    for name, account in settled.accounts.items():
        _require(
            account.ledger.total == account.collateral * 10**6,
            f"ledger of {name}: {account.ledger.total} against a collateral of {account.collateral}",
        )


def _check_sizes(market: Market) -> None:
    """Sums of the accounts' sizes are the market's, side by side, settled and pending (§14.2)."""
    for side in (Side.MAKER, Side.LONG, Side.SHORT):
        accounts = market.accounts.values()
        size = sum(account.size for account in accounts if account.side == side)
        _require(size == market.book.of(side), f"{side.name}: accounts {size}, market {market.book.of(side)}")
        pending = sum(size for own, size in (account.pending for account in accounts) if own == side)
        expected = market.pending.of(side)
        _require(pending == expected, f"pending {side.name}: accounts {pending}, market {expected}")
    _check_queue(market)


def _check_queue(market: Market) -> None:
    """What waits in the queue is what the accounts' orders sum to."""
    units: dict[int, int] = {}
    referral: dict[int, int] = {}
    settlement: dict[int, int] = {}
    fills: dict[int, int] = {}
    notional: dict[int, int] = {}
    for account in market.accounts.values():
        for order in account.orders:
            key = order.timestamp
            units[key] = units.get(key, 0) + order.units
            referral[key] = referral.get(key, 0) + order.referral_units
            settlement[key] = settlement.get(key, 0) + order.settlement_fee
            fills[key] = fills.get(key, 0) + order.fill_size
            notional[key] = notional.get(key, 0) + order.fill_notional
        _require(sum(order.units for order in account.orders) == account.units, "fee units of an account")
        _require(0 <= account.closes <= account.size, f"{account.closes} closes of {account.size}")
    for pending in market.queue:
        sums = (pending.units, pending.referral_units, pending.settlement)
        key = pending.timestamp
        _require(sums == (units[key], referral[key], settlement[key]), f"sums of pending version {key}: {sums}")
        # What one buys the other sells, at one price (§9.3).
        _require(fills[key] == notional[key] == 0, f"fills at {key} sum to {fills[key]}, {notional[key]}")
    _require(len(market.queue) == len(units), f"{len(market.queue)} pending versions, accounts have {len(units)}")


def _check_shortfall(market: Market) -> None:
    """The shortfall is what accounts below zero owe (§10.6)."""
    owed = sum(max(0, -account.collateral) for account in market.accounts.values())
    _require(owed == market.shortfall, f"shortfall {market.shortfall}, accounts owe {owed}")


def _check_zero_sum(market: Market) -> None:
    """Money in is money out plus what the market owes, and the dust is never negative (§7.6, §14.3)."""
    owed = _owed(market)
    dust = market.deposited - market.withdrawn - owed
    _require(market.balance == market.deposited + market.received - market.withdrawn, "tokens are those that came in")
    _require(dust >= 0 or market.saturated, f"dust of {dust}: the market owes more than came in")
    bound = ceil_div(market.dust_bound, UNIT12)
    _require(dust <= bound or market.saturated or market.fees.lost > 0, f"dust of {dust}, at most {bound} is rounding")


def _check_solvency(market: Market) -> None:
    """Token balance ≥ Σ max(0, collateral) + claimables + fees - shortfall (§10.6)."""
    positive = sum(max(0, account.collateral) for account in market.accounts.values())
    claims = positive + sum(market.credits.values()) + market.fees.total - market.shortfall
    claims += _pending_fill_fees(market)
    _require(market.balance >= claims or market.saturated, f"tokens {market.balance}, claims {claims}")


def _owed(market: Market) -> int:
    collateral = sum(account.collateral for account in market.accounts.values())
    return collateral + sum(market.credits.values()) + market.fees.total + _pending_fill_fees(market)


def _pending_fill_fees(market: Market) -> int:
    """What signers have paid for fills that are still to settle."""
    return sum(pending.fill_fees for pending in market.queue)


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise InvariantError(message)
