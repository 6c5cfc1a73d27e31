"""A keeper's quote: what a commit would earn is what is paid afterwards, and every cost is in it, in one unit."""

import pytest

from perennial.abi import Reverted
from perennial.amounts import raw
from perennial.keeper.quote import Commit, pyth_commit, quote, usd
from perennial.keeper.rollup import Source
from perennial.parameters import live_market
from perennial.testing.market import refused
from perennial.testing.oracles import START, WINDOW

PYTH_FEE = 3 * 10**13
ETH = raw(3_000)
GWEI = 10**9


@pytest.fixture
def quoted(stage, rpc, keeper):
    """The quote of a commit of the stage's oracles at the end of the version's window."""

    def quoted(second, *, oracles=None, sender=None, price=100, **options):
        oracles = [oracle.address for oracle in oracles or [stage.oracle]]
        commit = pyth_commit(rpc, stage.adapter.address, oracles, START + second, stage.data(second, price))
        options = {"timestamp": START + second + WINDOW[1], "tip": 0} | options
        return quote(rpc, (sender or keeper).address, commit, ETH, **options)

    return quoted


def claim(stage, keeper, *seconds, market=None):
    """What the keeper is paid for versions, settled first; raw."""
    market = market or stage.market
    market.advance(100, sender=keeper)
    versions = [START + second for second in seconds]
    return stage.protocol.oracle_factory.claim(market, versions, keeper, sender=keeper).return_value


# -- Earnings ----------------------------------------------------------------------------------------------------------


def test_earns_what_is_paid_afterwards(stage, quoted, maker, taker, keeper):
    stage.open(maker, taker, settlementFee=raw("1.234567"))
    version = stage.order(11, maker, maker=5, collateral=1_000)
    stage.order(12, taker, taker=2, collateral=300)
    stage.order(13, taker, taker=1)
    expected = quoted(version)
    receipt = stage.commit(version, 100)

    assert expected.settlement_fees == expected.earned == claim(stage, keeper, version) == raw("2.469134")
    assert expected.cost.gas == receipt.gas_used
    assert not expected.skipped


def test_an_unrequested_version_earns_nothing_and_does_not_pay(stage, quoted, maker):
    stage.open(maker, settlementFee=raw(1))
    found = quoted(25)

    assert (found.earned, found.pays) == (0, False)
    assert found.spent > 0


def test_what_others_have_earned_before_does_not_count(stage, quoted, operator, maker, keeper):
    """Neither a version that is committed and not settled yet, nor an oracle fee that is not claimed yet."""
    stage.open(maker, settlementFee=raw(1), oracleFee=raw("0.5"), riskFee=0, positionFee=raw("0.1"))
    stage.market.updateRiskParameter(fees(), sender=operator)
    first = stage.order(11, maker, maker=5, collateral=1_000)
    stage.commit(first, 100)
    second = stage.order(32, maker, maker=50)
    mine, owners = quoted(second), quoted(second, sender=operator)

    def oracle_fee():
        stage.market.advance(100, sender=keeper)
        return stage.protocol.oracle_factory.claimOracleFee(stage.market, operator, sender=operator).return_value

    assert oracle_fee() > 0
    stage.commit(second, 100)
    assert (mine.owner_share, mine.is_owner, mine.earned) == (oracle_fee(), False, raw(1))
    assert (owners.owner_share, owners.is_owner, owners.earned) == (mine.owner_share, True, raw(1) + mine.owner_share)
    assert mine.owner_share > 0
    assert claim(stage, keeper, second) == raw(1)


def test_a_batch_earns_in_every_market_and_says_whom_it_skips(stage, quoted, maker, keeper):
    first = stage.open(maker, settlementFee=raw(1))
    oracle = stage.oracle
    second = stage.open(maker, settlementFee=raw(2))
    unasked = stage.create_oracle(feed="ETH")
    version = stage.order(11, maker, maker=5, collateral=1_000, market=first)
    stage.order(12, maker, maker=5, collateral=1_000, market=second)
    both, found = (quoted(version, oracles=[oracle, stage.oracle, *more]) for more in ([], [unasked]))
    stage.commit(version, 100, oracles=[oracle, stage.oracle])

    assert (both.settlement_fees, both.cost.update, both.skipped) == (raw(3), PYTH_FEE, {})
    # There is no update of ETH: each by itself, and the fee twice.
    assert (found.settlement_fees, found.cost.update) == (raw(3), 2 * PYTH_FEE)
    assert claim(stage, keeper, version, market=first) + claim(stage, keeper, version, market=second) == raw(3)
    assert list(found.skipped) == [unasked.address.lower()]


def test_a_market_that_is_paused_pays_nothing_now(stage, quoted, operator, maker):
    stage.open(maker, settlementFee=raw(1))
    version = stage.order(11, maker, maker=5, collateral=1_000)
    stage.protocol.market_factory.updatePauser(operator, sender=operator)
    stage.protocol.market_factory.pause(sender=operator)

    assert quoted(version).earned == 0


def test_nothing_has_happened(stage, quoted, maker, keeper):
    stage.open(maker, settlementFee=raw(1))
    version = stage.order(11, maker, maker=5, collateral=1_000)
    before = stage.status(), keeper.balance, keeper.nonce, stage.market.pendingCount()
    quoted(version)

    assert (stage.status(), keeper.balance, keeper.nonce, stage.market.pendingCount()) == before


def test_refuses_as_the_commit_would(stage, quoted, maker):
    stage.open(maker)
    version = stage.order(11, maker, maker=5, collateral=1_000)

    with refused("VersionNotNewer", START, START):
        quoted(0)
    with refused("VersionInFuture", START + version):
        quoted(version, timestamp=START + version - 1)
    with pytest.raises(Reverted, match="PriceNotPositive"):
        quoted(version, price=0)


# -- Costs -------------------------------------------------------------------------------------------------------------


def test_every_part_of_the_cost_is_there_in_its_unit(stage, quoted, rollup, maker, rpc):
    """3,000 USD an ETH: a gwei for a unit of gas is 3 micro-dollars, 3 · 10^13 wei of Pyth's fee are 9 cents."""
    stage.open(maker, settlementFee=raw(1))
    version = stage.order(11, maker, maker=5, collateral=1_000)
    rollup(price=5 * GWEI, operator_price=10)
    found = quoted(version, tip=2 * GWEI)
    base_fee = int(rpc.call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)

    cost = found.cost
    assert cost.gas_price == base_fee + 2 * GWEI
    assert cost.operator == 10 * cost.gas
    assert cost.update == 3 * 10**13
    assert cost.data.source == Source.EXACT
    # A commit of one feed: selector, three offsets or values, two lists of one, an update of 288 bytes.
    assert 700 * 5 * GWEI < cost.data.wei < 1_000 * 5 * GWEI
    assert cost.wei == cost.gas * cost.gas_price + cost.data.wei + 10 * cost.gas + 3 * 10**13
    assert usd(cost.update, ETH) == raw("0.09")
    assert found.spent == -(-cost.wei * ETH // 10**18)
    assert found.profit == raw(1) - found.spent


@pytest.mark.parametrize(
    ("wei", "micro_dollars"), [(10**18, 3_000 * 10**6), (10**15, 3 * 10**6), (1, 1), (0, 0), (333_333_334, 2)]
)
def test_usd_of_wei_is_rounded_up(wei, micro_dollars):
    assert usd(wei, ETH) == micro_dollars


def test_s_v2_h6_posting_data_may_cost_anything(stage, quoted, rollup, maker, taker, keeper):
    """From a tenth of the gas price for a byte to a hundred million times it: the quote follows, the pay does not.

    What is earned is what was charged, at every ratio: a commit is never paid beyond that, and where it costs more the
    keeper knows before it sends.
    """
    stage.open(maker, taker, settlementFee=raw(1))
    version = stage.order(11, maker, maker=5, collateral=1_000)
    stage.order(12, taker, taker=2, collateral=300)
    pays = []
    for power in range(1, 10):
        rollup(price=10**power * GWEI // 100)
        found = quoted(version, tip=GWEI // 100)
        assert found.cost.data.wei % (10**power * GWEI // 100) == 0
        assert found.spent == usd(found.cost.wei, ETH) > usd(found.cost.data.wei, ETH)
        assert found.earned == raw(2)
        assert found.pays == (found.spent < raw(2))
        pays.append(found.pays)

    assert pays == [True] * 4 + [False] * 5
    stage.commit(version, 100)
    assert claim(stage, keeper, version) == raw(2)


def test_s_v22_m3_a_gas_price_oracle_that_fails_stops_nobody(stage, quoted, rollup, maker, keeper):
    stage.open(maker, settlementFee=raw(1))
    version = stage.order(11, maker, maker=5, collateral=1_000)
    rollup(price=GWEI, base_fee=GWEI, retired=4)
    found = quoted(version)

    assert (found.cost.data.wei, found.cost.data.source) == (0, Source.UNKNOWN)
    assert found.pays
    stage.commit(version, 100)
    assert claim(stage, keeper, version) == raw(1)


def test_other_calls_can_be_quoted_too(stage, rpc, maker, keeper):
    """Ending an expired version costs gas and earns nothing."""
    stage.open(maker, settlementFee=raw(1))
    version = START + stage.order(11, maker, maker=5, collateral=1_000)
    data = stage.adapter.commitInvalid.encode_input([stage.oracle], version)
    commit = Commit(stage.adapter.address, (stage.oracle.address,), version, bytes(data))
    found = quote(rpc, keeper.address, commit, ETH, timestamp=version + 40)

    assert (found.earned, found.cost.update) == (0, 0)
    assert found.spent > 0


def fees():
    """Live risk parameters with a maker fee, and room for makers."""
    return live_market()[0] | {"makerLimit": raw(10**6), "staleAfter": 7200, "makerFee": raw("0.002")}
