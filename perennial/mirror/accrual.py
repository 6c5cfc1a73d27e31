"""What happens between two versions: PnL, funding and interest into the accumulators (docs/protocol.md §7)."""

from dataclasses import dataclass

from perennial.mirror import funding, interest, profit_and_loss
from perennial.mirror.accumulators import MAX, MAX_DISTRIBUTED, Accumulators, Parts, fits, per_unit
from perennial.mirror.fixed import DUST
from perennial.mirror.parameters import MarketParameter, RiskParameter
from perennial.mirror.position import Book


@dataclass(slots=True, frozen=True)
class Interval:
    """The time between two versions: settled sizes, the prices at its ends (6 decimals), seconds."""

    sizes: Book
    start: int
    end: int
    elapsed: int


@dataclass(slots=True, frozen=True)
class Accrued:
    """What an interval came to.

    `accumulators` after it; `rate` of funding at its end (12 decimals); `fee` that the market keeps (USD, 12 decimals);
    `parts`: what a unit of maker, long and short gained, by origin.
    """

    accumulators: Accumulators
    rate: int
    fee: int
    parts: tuple[Parts, Parts, Parts]


def accrue(
    interval: Interval, rate: int, before: Accumulators, risk: RiskParameter, parameter: MarketParameter
) -> Accrued:
    """Accrues an interval from the funding rate (12 decimals) and the accumulators at its start.

    What does not fit the accumulators is not distributed, on any side, so that it stays zero-sum (docs/protocol.md
    §1.6): first without funding and interest, and if PnL alone does not fit, nothing.
    """
    sizes = interval.sizes
    new_rate, doubled = funding.integrate(
        rate, sizes.skew(risk.virtual_taker), interval.elapsed, risk.p_controller, risk.maker_receive_only
    )
    *funded, funding_fee = funding.distribute(doubled, sizes, interval.start, parameter.funding_fee)
    *lent, interest_fee = interest.distribute(
        sizes, interval.start, interval.elapsed, risk.utilization_curve, parameter.interest_fee
    )
    fee = funding_fee + interest_fee + _withhold(funded, sizes) + _withhold(lent, sizes)
    pnl = profit_and_loss.distribute(sizes, interval.start, interval.end)

    for funded_, lent_, fee_, bound in ((funded, lent, fee, MAX_DISTRIBUTED), ((0, 0, 0), (0, 0, 0), 0, MAX)):
        after = Accumulators(
            before.maker + per_unit(pnl[0] + funded_[0] + lent_[0], sizes.maker),
            before.long + per_unit(pnl[1] + funded_[1] + lent_[1], sizes.long),
            before.short + per_unit(pnl[2] + funded_[2] + lent_[2], sizes.short),
        )
        if fits(after, bound):
            return Accrued(after, new_rate, fee_, _parts(sizes, pnl, funded_, lent_))
    return Accrued(before, new_rate, 0, (Parts(), Parts(), Parts()))


def _withhold(amounts: list[int], sizes: Book) -> int:
    """Takes from dust sides what they would receive, in place; it is the market's (docs/protocol.md §1.6)."""
    withheld = 0
    for index, size in enumerate((sizes.maker, sizes.long, sizes.short)):
        if size < DUST and amounts[index] > 0:
            withheld += amounts[index]
            amounts[index] = 0
    return withheld


def _parts(
    sizes: Book,
    pnl: tuple[int, int, int],
    funded: list[int] | tuple[int, ...],
    lent: list[int] | tuple[int, ...],
) -> tuple[Parts, Parts, Parts]:
    maker, long, short = (
        Parts(per_unit(pnl[i], size), per_unit(funded[i], size), per_unit(lent[i], size))
        for i, size in enumerate((sizes.maker, sizes.long, sizes.short))
    )
    return maker, long, short
