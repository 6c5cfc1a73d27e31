"""Settlement of the market: pending versions oldest first, then up to the latest (docs/protocol.md §5.6)."""

from perennial.mirror import rewards
from perennial.mirror.accrual import Interval, accrue
from perennial.mirror.accumulators import MAX_DISTRIBUTED, VersionRecord, per_unit
from perennial.mirror.fixed import DUST, UNIT, UNIT12
from perennial.mirror.oracle import OracleVersion
from perennial.mirror.orders import PendingVersion
from perennial.mirror.state import MarketState

MAX_FEE_PER_UNIT = 1 << 70
"""Makers get position fees as long as a unit of theirs gains less than this, 12 decimals (docs/protocol.md §1.6)."""


def sync(market: MarketState, latest: OracleVersion, maximum: int | None = None) -> None:
    """Settles the market up to the latest version, at most `maximum` pending versions of it where that is given."""
    if latest.timestamp <= market.timestamp or maximum == 0:
        return
    protocol_fee = market.factory.parameter.protocol_fee
    if market.fees.protocol_fee != protocol_fee:
        market.fees.split(market.parameter)
        market.fees.protocol_fee = protocol_fee

    done = 0
    while market.queue and market.queue[0].timestamp <= latest.timestamp:
        if done == maximum:
            return
        pending = market.queue.pop(0)
        version = latest if latest.timestamp == pending.timestamp else market.oracle.at(pending.timestamp)
        _settle_version(market, version, pending)
        done += 1
    if latest.timestamp > market.timestamp:
        _settle_version(market, latest, None)


def _settle_version(market: MarketState, version: OracleVersion, pending: PendingVersion | None) -> None:
    """One version: what accrued since the last one, then its orders at its price."""
    own = market.price_of(version)
    valid = own is not None
    price = market.price if own is None else own
    fee = _accrue(market, version.timestamp, price)
    settlement = 0
    if pending is not None:
        units = pending.units - pending.referral_units if valid else 0
        fee += _distribute_position_fees(market, units * abs(price) // UNIT + pending.fill_fees * UNIT)
        settlement = pending.settlement if valid else 0
    market.dust_bound += UNIT12
    fee6 = market.fees.collect(fee, settlement, market.parameter)

    market.timestamp, market.price, market.valid = version.timestamp, price, valid
    if pending is not None:
        _carry_out(market, pending) if valid else _cancel(market, pending)
        market.book.long += pending.exchanged
        market.book.short += pending.exchanged
        if valid or pending.has_fills:
            _record(market, pending.timestamp, settlement)
    market.emit(
        "MarketSettled",
        version.timestamp,
        price,
        valid,
        *market.accumulators,
        market.funding_rate12,
        fee6,
        settlement,
    )


def _accrue(market: MarketState, timestamp: int, price: int) -> int:
    """PnL, funding, interest and rewards up to a version, unless closed; returns the market's fee, 12 decimals."""
    if market.parameter.closed or market.timestamp == 0:
        return 0
    sizes, elapsed = market.book, timestamp - market.timestamp
    interval = Interval(sizes, market.price, price, elapsed)
    accrued = accrue(interval, market.funding_rate12, market.accumulators, market.risk, market.parameter)
    market.accumulators = accrued.accumulators
    market.funding_rate12 = accrued.rate
    market.reward_accumulators = rewards.accrue(market.reward_accumulators, sizes, elapsed, market.parameter)
    market.add_parts(accrued.parts)
    market.dust_bound += sizes.maker + sizes.long + sizes.short
    return accrued.fee


def _distribute_position_fees(market: MarketState, total: int) -> int:
    """Position fees of a version (12 decimals) without the referrers' part, to the makers by their size before (§6.3).

    Returns the market's share, USD with 12 decimals.
    """
    makers = market.book.maker
    if makers < DUST:
        return total
    fee = total * market.parameter.position_fee // UNIT
    gain = per_unit(total - fee, makers)
    after = market.accumulators.maker + gain
    if gain >= MAX_FEE_PER_UNIT or abs(after) > MAX_DISTRIBUTED:
        return total
    market.accumulators = market.accumulators._replace(maker=after)
    market.parts = (market.parts[0]._replace(maker_fees=market.parts[0].maker_fees + gain), *market.parts[1:])
    market.dust_bound += makers
    return fee


def _carry_out(market: MarketState, pending: PendingVersion) -> None:
    """Orders of a valid version: sizes change."""
    market.book.maker += pending.sizes.maker
    market.book.long += pending.sizes.long
    market.book.short += pending.sizes.short


def _record(market: MarketState, timestamp: int, settlement: int) -> None:
    """Keeps what accounts need of a version; `settlement` are its settlement fees."""
    market.versions[timestamp] = VersionRecord(
        market.accumulators, market.reward_accumulators, market.price, market.parts, market.valid
    )
    market.settlement_fees_at[timestamp] = settlement


def _cancel(market: MarketState, pending: PendingVersion) -> None:
    """Orders of an invalid version: as if never placed (§5.5)."""
    market.pending.maker -= pending.sizes.maker
    market.pending.long -= pending.sizes.long
    market.pending.short -= pending.sizes.short
