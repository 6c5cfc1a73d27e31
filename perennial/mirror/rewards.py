"""Rewards to the three sides, in a token of their own (docs/protocol.md §7.4)."""

from perennial.mirror.accumulators import REWARD_MAX, Accumulators
from perennial.mirror.fixed import DUST, UNIT12
from perennial.mirror.parameters import MarketParameter
from perennial.mirror.position import Book


def accrue(before: Accumulators, sizes: Book, elapsed: int, parameter: MarketParameter) -> Accumulators:
    """Reward tokens per unit (12 decimals) after `elapsed` seconds; nothing to dust sides, nor what does not fit."""
    return Accumulators(
        _grown(before.maker, parameter.maker_reward_rate, sizes.maker, elapsed),
        _grown(before.long, parameter.long_reward_rate, sizes.long, elapsed),
        _grown(before.short, parameter.short_reward_rate, sizes.short, elapsed),
    )


def _grown(accumulator: int, rate: int, size: int, elapsed: int) -> int:
    if size < DUST:
        return accumulator
    after = accumulator + rate * elapsed * UNIT12 // size
    return after if after <= REWARD_MAX else accumulator
