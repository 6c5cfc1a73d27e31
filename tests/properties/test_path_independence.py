"""When and in which order accounts are settled makes no difference (docs/protocol.md §5.6, §14.4)."""

from dataclasses import replace
from random import Random

import pytest

from perennial.mirror.fixed import UNIT
from perennial.testing.differential import HOLDERS, address_of
from perennial.testing.games import run, setup
from perennial.testing.vault_stage import STEP, Stage

STEPS = 30
TICKS = 6


def settle_later(twin, prices, eager, order):
    """Versions pass, the market is settled at each, accounts at each or at the end; what everybody has then."""
    for price in prices:
        current = twin.mirror.oracle.status()[1]
        if price == 0:
            twin.act("wait", current + 60)
            continue
        twin.act("commit", current, None if price < 0 else price, current + 60)
        twin.act("advance", 100, "owner")
        for name in order if eager else ():
            twin.act("settle", name, "owner")
    for name in order:
        twin.act("settle", name, "owner")
    accounts = [address_of(name) for name in HOLDERS]
    return {
        "sizes": [twin.market.read("positions", account) for account in accounts],
        "collateral": [twin.market.value("collateral", account) for account in accounts],
        "claimable": [twin.market.value("claimable", account) for account in accounts],
        "rewards": [twin.market.value("rewards", account) for account in accounts],
        "fees": twin.market.read("fees"),
    }


@pytest.mark.parametrize("seed", range(40))
def test_order_and_time_of_settlement(bench, seed):
    rng = Random(seed)
    with bench.open(setup(rng)) as twin:
        run(twin, rng, STEPS, lambda _: None)
        price = max(1, abs(twin.mirror_oracle.latest.price))
        # Valid prices, invalid versions (-1) and skipped ones (0).
        prices = [rng.choice((price, price * 99 // 100, price * 102 // 100 + 1, -1, 0)) for _ in range(TICKS)]
        prices.append(price)
        liquidating = any(account.locked for account in twin.mirror.accounts.values())
        results = []
        for eager in (True, False):
            with twin.fork():
                order = rng.sample(HOLDERS, len(HOLDERS))
                results.append(settle_later(twin, prices, eager, order))

    first, second = results
    assert first["sizes"] == second["sizes"]
    # Each settlement rounds down once: an account that settles more often loses no more than that.
    for name in ("collateral", "rewards"):
        for eager, late in zip(first[name], second[name], strict=True):
            assert 0 <= late - eager <= len(prices), name
    if not liquidating:
        # The one exception: what the donation pays of a liquidation fee is what it has at that moment (§10.5).
        assert first["claimable"] == second["claimable"]
        assert first["fees"] == second["fees"]


def test_what_settling_somebody_at_every_version_costs():
    """A day of versions, each with a settlement of the one account and none of the other (docs/protocol.md §16, 27)."""
    (market,) = (stage := Stage()).markets
    curve = replace(market.risk.utilization_curve, min_rate=UNIT // 20, target_rate=UNIT // 20, max_rate=UNIT // 20)
    market.risk = replace(market.risk, utilization_curve=curve)
    market.update("maker", 100 * UNIT, 0, 1_000 * UNIT)
    for name in ("often", "once"):
        market.update(name, 0, UNIT, 1_000 * UNIT)
    versions = 86_400 // STEP
    for _ in range(versions + 1):
        stage.tick()
        market.settle("often")
    market.settle("once")

    once, often = (1_000 * UNIT - market.collateral(name) for name in ("once", "often"))
    assert (versions, once, often - once) == (8_640, 13_699, 3_581)
