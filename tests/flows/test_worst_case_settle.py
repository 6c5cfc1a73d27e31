"""The dearest settle that the live caps allow fits into a transaction many times over (docs/protocol.md §5.7)."""

import pytest

from perennial.benchmarks.worst_case import LIMIT, Costs, WorstCase, largest
from perennial.local import FREE


@pytest.fixture(scope="module")
def bench():
    return WorstCase.deploy()


@pytest.fixture(scope="module")
def caps(bench):
    """Versions of the market and of the account, with the one that a liquidation adds beyond each cap."""
    assert (bench.parameter["maxPendingGlobal"], bench.parameter["maxPendingLocal"]) == (12, 6)
    return 13, 7


@pytest.fixture(scope="module")
def backlog(bench, caps):
    """A bench with that backlog."""
    bench.queue(*caps)
    return bench


@pytest.fixture
def queued(backlog):
    with backlog.copy() as copy:
        yield copy


def test_worst_settle_fits_into_a_transaction(queued):
    receipt = queued.settle(queued.long)

    assert receipt.gas_used <= LIMIT
    queued.expect(queued.long, market=0, account=0)


def test_everything_that_makes_it_dear_happens(queued, caps):
    market, referrers = queued.market, [f"0x{0xBEEF0000 + index:040x}" for index in range(caps[1] - 1)]

    receipt = queued.settle(queued.long)

    assert all(market.claimable(referrer) > 0 for referrer in referrers)
    assert market.shortfall() == -market.collateral(queued.long) > 0
    assert market.rewards(queued.long) > 0
    assert market.fees().protocol > 0
    # The donation pays the liquidator, since the account owes already.
    paid = [log for log in receipt.decode_logs(market.Credited) if log.account == queued.keeper]
    assert [log.amount == log.fromDonation > 0 for log in paid] == [True]
    settled = receipt.decode_logs(market.MarketSettled)
    assert len(settled) == caps[0]
    assert all(log.valid for log in settled)
    assert len(receipt.decode_logs(market.AccountSettled)) == caps[1]


def test_backlog_in_pieces(queued, caps):
    """`advance` works the market's part off beforehand, so that no backlog is too long."""
    with queued.copy() as whole:
        at_once = whole.settle(whole.long)
        owed, fees = whole.market.collateral(whole.long), whole.market.fees()

    for pending in range(caps[0], 0, -1):
        queued.expect(queued.long, pending, caps[1])
        queued.market.advance(1, sender=queued.keeper, **FREE)
    last = queued.settle(queued.long)

    assert last.gas_used < at_once.gas_used
    assert queued.market.collateral(queued.long) == owed
    assert queued.market.fees() == fees


def test_largest_caps():
    costs = Costs(at_caps=0, base=100_000, market_version=70_000, account_version=40_000)
    both = costs.largest()
    alone = costs.largest(local=6)

    assert costs.base + (both + 1) * 110_000 <= LIMIT < costs.base + (both + 2) * 110_000
    assert costs.base + 7 * 40_000 + (alone + 1) * 70_000 <= LIMIT < costs.base + 7 * 40_000 + (alone + 2) * 70_000
    assert 120_000 + largest(120_000, 55_000) * 55_000 <= LIMIT < 120_000 + (largest(120_000, 55_000) + 1) * 55_000
