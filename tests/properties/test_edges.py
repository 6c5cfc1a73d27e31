"""Corners that random games hardly ever find, played by contracts and mirror side by side."""

from contextlib import contextmanager
from dataclasses import replace
from random import Random

import pytest

from perennial.client.storage import ACCOUNTS, BOOK, RING, entry, field
from perennial.mirror.fixed import MIN_INT256, UNIT
from perennial.mirror.orders import MAX_CHANGE, MAX_RATE
from perennial.mirror.parameters import MarketParameter, PController, ProtocolParameter, RiskParameter, UtilizationCurve
from perennial.testing.differential import HOLDERS, Setup, Signed, address_of
from perennial.testing.games import Player

PROTOCOL = ProtocolParameter(
    protocol_fee=0,
    max_fee=2**24 - 1,
    max_fee_absolute=2**48 - 1,
    max_cut=UNIT,
    max_rate=2**32 - 1,
    min_maintenance=0,
    min_efficiency=0,
)
RISK = RiskParameter(
    margin=0,
    maintenance=0,
    taker_fee=0,
    taker_skew_fee=0,
    taker_impact_fee=0,
    maker_fee=0,
    maker_impact_fee=0,
    maker_limit=2**48 - 1,
    efficiency_limit=0,
    liquidation_fee=0,
    min_liquidation_fee=0,
    max_liquidation_fee=0,
    utilization_curve=UtilizationCurve(0, 0, 0, 0),
    p_controller=PController(1, 0),
    min_margin=0,
    min_maintenance=0,
    virtual_taker=0,
    stale_after=2**32 - 1,
    maker_receive_only=False,
)
PARAMETER = MarketParameter(
    funding_fee=0,
    interest_fee=0,
    position_fee=0,
    oracle_fee=0,
    risk_fee=0,
    settlement_fee=0,
    max_pending_global=2**16 - 1,
    max_pending_local=2**16 - 1,
    maker_reward_rate=0,
    long_reward_rate=0,
    short_reward_rate=0,
    referral_fee=0,
    max_price_deviation=0,
    taker_close_always=True,
    maker_close_always=True,
    closed=False,
)
HUGE = 2**63 - 1


@pytest.fixture
def open_twin(bench):
    """A market without margin, fees and rates; keywords change single risk or market parameters."""

    def create(**changes):
        risk = {name: value for name, value in changes.items() if hasattr(RISK, name)}
        market = {name: value for name, value in changes.items() if hasattr(PARAMETER, name)}
        return bench.open(Setup(PROTOCOL, replace(RISK, **risk), replace(PARAMETER, **market)))

    return create


@pytest.fixture
def open_made(open_twin):
    """A market at a price of a millionth, in which alice orders to make; all is settled in the end."""

    @contextmanager
    def create():
        with open_twin() as twin:
            commit(twin, 1)
            assert update(twin, "alice", maker=1_000, money=1) is None
            yield twin
            commit(twin, 1)
            settle_all(twin)

    return create


def commit(twin, price, wait=10):
    current = twin.mirror.oracle.status()[1]
    twin.act("commit", current, price, current + wait)
    return current


def update(twin, name, maker=0, taker=0, money=0, referrer=None):
    return twin.act("update", name, maker, taker, money, referrer, name)


def fill(twin, name, size, filler, price=None, collateralization=0):
    """An intent of its own for each fill, at the latest price where no other is said."""
    nonce = sum(twin.outcomes.values())
    agreed = twin.mirror.price if price is None else price
    signed = Signed(name, size, agreed, name, name, collateralization=collateralization, nonce=nonce)
    return twin.act("fill", signed, size, agreed, filler, filler)


def settle_all(twin):
    twin.settle_all()


@pytest.mark.parametrize("sign", [1, -1])
def test_sums_of_changes_stop_at_their_bound(open_twin, sign):
    """One account brings the skew from 0 to a third, another brings it back, a hundred times within a version."""
    with open_twin(taker_skew_fee=1, taker_impact_fee=3) as twin:
        commit(twin, 1)
        update(twin, "alice", maker=10**6, money=10**15)
        update(twin, "bob", money=10**15)
        update(twin, "carol", money=10**15)
        commit(twin, 1)
        size, side = 4, 0
        for _ in range(101):
            assert update(twin, "bob", taker=sign * size) is None
            assert update(twin, "carol", taker=-sign * size) is None
            side += size
            size = side // 2
        order = twin.mirror.accounts[address_of("bob")].orders[-1]
        assert (order.change, order.absolute_change) == (sign * MAX_CHANGE, MAX_CHANGE)
        commit(twin, 1)
        settle_all(twin)


@pytest.mark.parametrize("fee", [0, 200])
def test_terms_do_not_reach_back_to_orders_that_were_placed(open_twin, fee):
    """Not through an order that joins theirs, nor where they were free (docs/protocol.md §4.4)."""
    with open_twin(taker_fee=fee) as twin:
        commit(twin, 100 * UNIT)
        update(twin, "alice", maker=10**9, money=10**12)
        commit(twin, 100 * UNIT)
        update(twin, "bob", taker=100 * UNIT, money=10**10)
        twin.act("update_risk_parameter", replace(twin.mirror.risk, taker_fee=100_000), "coordinator")
        update(twin, "bob", taker=1_000)
        commit(twin, 100 * UNIT)
        settle_all(twin)
        # 100 at the old fee, 0.001 at the new one; the rate of both together is rounded up, and so is the fee.
        paid = 10**10 - twin.market.value("collateral", address_of("bob"))
        assert paid == 100 * 100 * fee + 10_000 + 1


def test_rates_at_their_bound_stay_there_where_small_orders_join(open_twin):
    """Fee units of the smallest sizes are rounded up: the rate that would give as many does not fit its bits."""
    with open_twin(taker_fee=2**24 - 1) as twin:
        commit(twin, UNIT)
        update(twin, "alice", maker=10**9, money=UNIT)
        update(twin, "bob", money=UNIT)
        for _ in range(3):
            assert update(twin, "bob", taker=1) is None
            assert twin.mirror.accounts[address_of("bob")].orders[-1].rate == MAX_RATE
        commit(twin, UNIT)
        settle_all(twin)


def test_an_advance_by_nothing_does_nothing_where_nothing_is_pending_either(open_twin):
    with open_twin() as twin:
        first = commit(twin, UNIT)
        twin.act("advance", 1, "alice")
        commit(twin, UNIT)
        twin.act("advance", 0, "alice")
        assert twin.market.read("latestVersion")[0] == first


def test_a_close_with_exactly_the_maintenance(open_twin):
    with open_twin(min_margin=10 * UNIT, min_maintenance=10 * UNIT) as twin:
        commit(twin, 100 * UNIT)
        update(twin, "alice", maker=10**9, money=10**12)
        update(twin, "bob", taker=UNIT, money=20 * UNIT)
        commit(twin, 100 * UNIT)
        commit(twin, 90 * UNIT)
        assert update(twin, "bob", taker=-1) is None
        commit(twin, 90 * UNIT - 2)
        assert update(twin, "bob", taker=-1) == "InsufficientMaintenance"


def test_settled_sizes_bound_opens_too(open_made):
    """Closes that may yet be cancelled give no room for opens (docs/protocol.md §1.5)."""
    with open_made() as twin:
        assert update(twin, "bob", taker=HUGE, money=1) is None
        commit(twin, 1)
        assert update(twin, "bob", taker=MIN_INT256) is None
        assert update(twin, "carol", taker=1) == "SizeOverflow"
        commit(twin, None)
        commit(twin, 1)
        assert update(twin, "bob", taker=-1) is None
        commit(twin, 1)
        assert update(twin, "carol", taker=1) is None


def test_one_beyond_the_largest_size(open_made):
    with open_made() as twin:
        assert update(twin, "bob", taker=2**63) == "SizeOverflow"
        assert update(twin, "bob", taker=2**62) is None
        assert update(twin, "bob", taker=2**62) == "SizeOverflow"
        assert update(twin, "carol", taker=2**62) == "SizeOverflow"
        assert update(twin, "bob", taker=2**62 - 1) is None
        assert update(twin, "carol", taker=-HUGE) is None


def test_an_accounts_opens_are_bounded_beside_its_closes(open_made):
    """The market has room for them, but the closes may be cancelled: then the account has all of it."""
    with open_made() as twin:
        update(twin, "bob", taker=2**61)
        commit(twin, 1)
        assert update(twin, "bob", taker=MIN_INT256) is None
        assert update(twin, "bob", taker=2**62) is None
        assert update(twin, "bob", taker=2**61) == "SizeOverflow"
        assert fill(twin, "bob", 2**61, "carol") == "SizeOverflow"
        assert update(twin, "bob", taker=2**60) is None
        assert fill(twin, "bob", 2**60 - 1, "carol") is None
        commit(twin, None)


def test_an_accounts_opens_are_bounded_beside_its_fills(open_made):
    with open_made() as twin:
        update(twin, "bob", taker=2**61)
        commit(twin, 1)
        assert update(twin, "bob", taker=MIN_INT256) is None
        assert fill(twin, "bob", 2**62, "carol") is None
        assert update(twin, "bob", taker=2**61) == "SizeOverflow"
        assert update(twin, "bob", taker=2**61 - 1) is None
        commit(twin, None)


def test_fills_beyond_the_largest_size_of_a_side(open_made):
    """As it is pending, and as it is settled: closes give no room before they have settled."""
    with open_made() as twin:
        assert fill(twin, "bob", 2**62, "carol") is None
        assert fill(twin, "dave", 2**62, "erin") == "SizeOverflow"
        commit(twin, 1)
        assert update(twin, "bob", taker=MIN_INT256) is None
        assert update(twin, "carol", taker=MIN_INT256) is None
        assert fill(twin, "dave", 2**62, "erin") == "SizeOverflow"
        assert fill(twin, "dave", 2**62 - 1, "erin") is None


def test_fills_of_a_version_beyond_the_largest_size(open_made):
    """Shorts and longs that only change hands: the sides do not grow, nor does the account, but its fills add up."""
    with open_made() as twin:
        update(twin, "bob", taker=-(2**62))
        update(twin, "carol", taker=2**62)
        commit(twin, 1)
        assert fill(twin, "bob", 2**62, "dave") is None
        assert fill(twin, "bob", 2**62, "carol") == "SizeOverflow"
        assert fill(twin, "bob", 2**62 - 1, "carol") is None


def test_agreed_prices_beyond_all_bounds(open_twin):
    with open_twin(max_price_deviation=2**24 - 1) as twin:
        commit(twin, 10**17 - 1)
        update(twin, "alice", maker=1_000, money=1)
        for price in (2**255 - 1, MIN_INT256, 2**62, -(2**62)):
            assert fill(twin, "bob", 1, "carol", price=price) == "PriceTooFar"


def test_what_a_fill_has_gained_cannot_be_withdrawn_before_it_settles(open_twin):
    """It covers margin, but the tokens would be those of others."""
    with open_twin(max_price_deviation=100_000) as twin:
        commit(twin, 100 * UNIT)
        update(twin, "alice", maker=10**9, money=10**12)
        update(twin, "bob", money=5 * UNIT)
        update(twin, "carol", money=100 * UNIT)
        assert fill(twin, "bob", UNIT, "carol", price=90 * UNIT) is None
        assert twin.mirror.requirement(address_of("bob"))[0] == 15 * UNIT
        assert update(twin, "bob", money=-5 * UNIT - 1) == "InsufficientCollateral"
        assert update(twin, "bob", money=MIN_INT256) is None
        assert twin.market.value("collateral", address_of("bob")) == 0
        commit(twin, 100 * UNIT)
        settle_all(twin)


def test_collateralization_is_rounded_up(open_twin):
    """A millionth of a ten-thousandth of a dollar is more than nothing; and nothing covers the largest ratio."""
    with open_twin() as twin:
        commit(twin, 100 * UNIT)
        update(twin, "alice", maker=1_000, money=1)
        assert fill(twin, "bob", 1, "carol", collateralization=1) == "InsufficientCollateralization"
        update(twin, "bob", money=2**62)
        assert fill(twin, "bob", 1, "carol", collateralization=2**256 - 1) == "InsufficientCollateralization"
        update(twin, "bob", money=1 - 2**62)
        assert fill(twin, "bob", 1, "carol", collateralization=1) is None


def test_interest_of_a_utilization_too_small_to_be_told_from_its_target(open_twin):
    """A taker of a millionth beside two million of makers, and a curve that bends at 0."""
    with open_twin(utilization_curve=UtilizationCurve(0, UNIT, 2 * UNIT, 0)) as twin:
        commit(twin, 10**12)
        update(twin, "alice", maker=2 * 10**12, money=1)
        update(twin, "bob", taker=1, money=UNIT)
        commit(twin, 10**12, wait=31_536_000)
        commit(twin, 10**12)
        settle_all(twin)
        # A year at the target's rate, which is 1.
        assert twin.market.value("collateral", address_of("bob")) == 0


@pytest.mark.parametrize(("rate", "fits"), [(25 * UNIT, True), (45 * UNIT, False)])
def test_interest_that_makers_alone_have_no_room_for(open_twin, rate, fits):
    """A unit of theirs gains 2.5 or 4.5 · 10^11 USD; 3.02 are the bound, and twice as much is the room of profits."""
    with open_twin(utilization_curve=UtilizationCurve(rate, rate, rate, 0)) as twin:
        commit(twin, 10**16)
        update(twin, "alice", maker=1_000, money=10**18)
        update(twin, "bob", taker=10**9, money=10**18)
        commit(twin, 10**16, wait=31_536_000)
        commit(twin, 10**16)
        settle_all(twin)
        assert (twin.mirror.accumulators.maker > 0) == fits


@pytest.mark.parametrize("receive_only", [False, True])
def test_funding_that_does_not_fit(open_twin, receive_only):
    with open_twin(
        p_controller=PController(1, 2**32 - 1),
        funding_fee=UNIT,
        utilization_curve=UtilizationCurve(2**32 - 1, 2**32 - 1, 2**32 - 1, 0),
        interest_fee=UNIT // 2,
        maker_receive_only=receive_only,
    ) as twin:
        commit(twin, 10**16)
        update(twin, "alice", maker=2_000, money=10**18)
        update(twin, "bob", taker=1_000, money=10**18)
        update(twin, "carol", taker=-1_500, money=10**18)
        commit(twin, 10**16, wait=31_536_000)
        before = twin.mirror.fees.undistributed
        commit(twin, 10**16 + 10**6)
        settle_all(twin)
        # Nothing of funding and interest, but the profit.
        assert twin.mirror.fees.undistributed == before
        assert twin.mirror.accumulators.long == 10**12
        commit(twin, 10**16)
        settle_all(twin)


def test_a_rate_beyond_a_lowered_bound_where_longs_and_shorts_are_alike(open_twin):
    with open_twin(p_controller=PController(UNIT, 10 * UNIT)) as twin:
        commit(twin, UNIT)
        update(twin, "alice", maker=10**9, money=10**12)
        update(twin, "bob", taker=UNIT, money=10**9)
        commit(twin, UNIT)
        update(twin, "carol", taker=-UNIT, money=10**9)
        commit(twin, UNIT)
        settle_all(twin)
        assert twin.market.value("fundingRate") == 10 * UNIT
        risk = replace(twin.mirror.risk, p_controller=PController(UNIT, UNIT))
        assert twin.act("update_risk_parameter", risk, "coordinator") is None
        commit(twin, UNIT)
        settle_all(twin)
        assert twin.market.value("fundingRate") == UNIT


def test_profit_that_does_not_fit(open_twin):
    """Makers lose on the way up and cover nobody on the way down, until their accumulator is full."""
    top = 10**17 - 1
    with open_twin() as twin:
        commit(twin, -top)
        update(twin, "alice", maker=10**9, money=2**62)
        for _ in range(5):
            update(twin, "bob", taker=1_000, money=10**15)
            commit(twin, -top)
            commit(twin, top)
            update(twin, "bob", taker=MIN_INT256)
            commit(twin, top)
            commit(twin, -top)
        update(twin, "carol", maker=10**9, money=2**62)
        commit(twin, -top)
        settle_all(twin)


def test_fees_beyond_their_counter_are_split_first(open_twin):
    with open_twin(taker_fee=UNIT, position_fee=UNIT, settlement_fee=2**44 - 1) as twin:
        commit(twin, 10**15)
        update(twin, "alice", maker=10**9, money=2**62)
        for _ in range(3):
            for name in ("bob", "carol", "dave"):
                update(twin, name, taker=800_000_000, money=2**62)
            commit(twin, 10**15)
        twin.act("settle", "alice", "alice")
        assert twin.mirror.fees.donation > 0
        settle_all(twin)


def test_collateral_beyond_64_bits_stays_at_the_bound(open_twin):
    with open_twin() as twin:
        commit(twin, 10**15)
        update(twin, "alice", maker=10**12, money=2**62)
        update(twin, "bob", taker=10**12, money=2**62)
        commit(twin, 10**15)
        commit(twin, 10**17 - 1)
        # What leaves in the call that settles is missing afterwards, too.
        assert update(twin, "bob", money=-1) is None
        assert twin.market.value("collateral", address_of("bob")) == HUGE - 1
        assert update(twin, "bob", money=1) is None
        settle_all(twin)
        assert twin.mirror.saturated
        assert twin.mirror.collateral(address_of("bob")) == HUGE
        update(twin, "bob", taker=MIN_INT256)
        update(twin, "bob", money=-(2**40))
        update(twin, "bob", money=MIN_INT256)
        commit(twin, 10**15)
        settle_all(twin)


def test_rewards_of_accounts_that_come_late_outlive_their_rate(open_twin):
    with open_twin(maker_reward_rate=3 * UNIT) as twin:
        commit(twin, UNIT)
        update(twin, "alice", maker=10**6, money=10**6)
        commit(twin, UNIT, wait=100)
        commit(twin, UNIT)
        twin.act("update_parameter", replace(twin.mirror.parameter, maker_reward_rate=0), "owner")
        commit(twin, UNIT, wait=100)
        settle_all(twin)
        assert twin.market.value("rewards", address_of("alice")) == 300 * UNIT


def test_settlement_fee_that_no_longer_divides(open_twin):
    """Versions remember what was charged at them, through changes of the fee."""
    with open_twin(settlement_fee=3) as twin:
        commit(twin, UNIT)
        versions = []
        for fee in (3, 5, 5, 0, 7, 3):
            for name in ("alice", "bob"):
                update(twin, name, maker=10**6, money=10**9)
            twin.act("update_parameter", replace(twin.mirror.parameter, settlement_fee=fee), "owner")
            update(twin, "carol", maker=10**6, money=10**9)
            versions.append(commit(twin, UNIT))
        settle_all(twin)
        charged = [twin.market.value("settlementFees", version) for version in versions]
        assert charged == [9, 11, 15, 10, 7, 17]
        assert twin.market.value("settlementFees", 12345) == 0


def test_settlement_fees_beyond_an_accounts_counter(open_twin):
    with open_twin(settlement_fee=2**44 - 1) as twin:
        commit(twin, UNIT)
        assert update(twin, "alice", maker=1, money=2**50) is None
        twin.act("wait", twin.mirror.oracle.status()[1] + 10)
        assert update(twin, "alice", maker=1) == "CollateralOverflow"
        twin.act("update_parameter", replace(twin.mirror.parameter, settlement_fee=0), "owner")
        assert update(twin, "alice", maker=1) is None
        commit(twin, UNIT)
        settle_all(twin)


def test_a_liquidation_forgoes_the_settlement_fee_that_does_not_fit(open_twin):
    with open_twin(settlement_fee=2**44 - 1, maintenance=100_000, margin=100_000) as twin:
        commit(twin, 100 * UNIT)
        update(twin, "bob", maker=10**9, money=2**60)
        update(twin, "alice", maker=10**6, money=2**44 + 20 * UNIT)
        commit(twin, 100 * UNIT)
        twin.act("settle", "alice", "alice")
        assert update(twin, "alice", maker=-1, money=2**44 + UNIT) is None
        latest, current = twin.mirror.oracle.status()
        twin.act("wait", current + 100)
        twin.act("commit", latest.timestamp + 1, 1_000 * UNIT, current + 100)
        assert twin.act("liquidate", "alice", "carol") is None
        assert twin.mirror.accounts[address_of("alice")].settlement == 2**44 - 1
        commit(twin, 100 * UNIT)
        settle_all(twin)


@pytest.fixture
def falling(open_twin):
    """Bob has a long of 1, bought at 100 with 20 of collateral, and an order pending when the price falls to 85."""

    @contextmanager
    def create(order):
        ratios = {"margin": 100_000, "maintenance": 100_000}
        least = ("min_margin", "min_maintenance", "min_liquidation_fee", "max_liquidation_fee")
        with open_twin(**ratios, **dict.fromkeys(least, 2 * UNIT)) as twin:
            commit(twin, 100 * UNIT)
            update(twin, "alice", maker=10**9, money=10**12)
            update(twin, "bob", taker=UNIT, money=20 * UNIT)
            latest = commit(twin, 100 * UNIT)
            assert update(twin, "bob", taker=order) is None
            pending = twin.mirror.oracle.status()[1]
            twin.act("wait", pending + 10)
            twin.act("commit", latest + 1, 85 * UNIT, pending + 10)
            assert twin.act("liquidate", "bob", "carol") is None
            # The version of the order; that of the liquidation is the next.
            twin.act("commit", pending, 85 * UNIT, pending + 10)
            settle_all(twin)
            yield twin

    return create


def test_a_liquidation_is_paid_once_at_its_own_version(falling):
    with falling(UNIT // 100) as twin:
        assert twin.mirror.accounts[address_of("bob")].locked
        assert twin.market.value("claimable", address_of("carol")) == 0
        commit(twin, 85 * UNIT)
        settle_all(twin)
        assert twin.market.value("claimable", address_of("carol")) == 2 * UNIT


def test_the_lock_of_an_account_that_has_nothing_left_ends(falling):
    """Its own close came first: the liquidation closed nothing, and there is nothing to settle at its version."""
    with falling(MIN_INT256) as twin:
        assert update(twin, "bob", money=-1) == "AccountLocked"
        assert update(twin, "bob", money=MIN_INT256) is None
        assert twin.market.value("collateral", address_of("bob")) == 5 * UNIT
        commit(twin, 85 * UNIT)
        assert update(twin, "bob", money=MIN_INT256) is None
        assert twin.market.value("collateral", address_of("bob")) == 0


def test_a_provider_that_goes_back_is_not_traded_on(open_twin):
    """Its promise is that the current version is later than the latest and never moves back (docs/protocol.md §5.1)."""
    with open_twin() as twin:
        latest = commit(twin, UNIT, wait=100)
        update(twin, "alice", maker=10**6, money=10**9)
        for current in (latest, latest - 1):
            twin.act("wait", current)
            assert update(twin, "alice", maker=1) == "StalePrice"
            assert update(twin, "alice", money=-1) == "StalePrice"
            assert twin.act("liquidate", "alice", "bob") == "StalePrice"
        twin.act("wait", latest + 99)
        assert update(twin, "alice", maker=1) == "InvalidVersion"
        twin.act("wait", latest + 100)
        assert update(twin, "alice", maker=1) is None
        commit(twin, UNIT)
        settle_all(twin)


# Where a queue's head and length are: in the market's slot, and in each account's.
QUEUES = [(BOOK, 224, 240), *((entry(ACCOUNTS, address_of(name)), 209, 225) for name in HOLDERS)]


def wind(twin):
    """Every queue that is empty will begin at its last place, instead of its first."""
    for slot, head, length in QUEUES:
        word = twin.bench.evm.storage(twin.market.address, slot)
        if field(word, length, 16) == 0:
            twin.bench.evm.store(twin.market.address, slot, word | (RING - 1) << head)


def wrapped(twin):
    """How many queues have places at the end of the ring and at its beginning."""
    words = [(twin.bench.evm.storage(twin.market.address, slot), *places) for slot, *places in QUEUES]
    return sum(field(word, head, 16) + field(word, length, 16) > RING for word, head, length in words)


@pytest.mark.parametrize("seed", range(8))
def test_queues_begin_again_after_their_last_place(open_twin, seed):
    """A market that always has an order waiting comes there within a week: 2^16 versions of ten seconds."""
    rng = Random(seed)
    terms = {"taker_fee": 1_000, "taker_skew_fee": 1_000, "maker_fee": 100, "settlement_fee": UNIT // 2}
    with open_twin(**terms, position_fee=UNIT // 2, max_price_deviation=UNIT) as twin:
        commit(twin, 100 * UNIT)
        update(twin, "alice", maker=10**12, money=10**15)
        commit(twin, 100 * UNIT)
        player = Player(twin, rng)
        for _ in range(3):
            twin.settle_all()
            wind(twin)
            versions = []
            for _ in range(rng.randint(3, 6)):
                for name in ("alice", "bob", "carol", "dave"):
                    maker, taker = order(rng, name)
                    update(twin, name, maker, taker, 10**12)
                player.match()
                versions.append(twin.mirror.oracle.status()[1])
                twin.act("wait", versions[-1] + 10)
            assert wrapped(twin) > 1
            for version in versions:
                price = rng.choice((None, 90 * UNIT, 100 * UNIT, 110 * UNIT))
                twin.act("commit", version, price, versions[-1] + 10)
                twin.act(*rng.choice((("advance", 1, "bob"), ("settle", "bob", "carol"), ("settle", "alice", "bob"))))
        twin.settle_all()


def order(rng, name):
    """A maker's or a taker's size to add or to close."""
    size = rng.choice((10**6, 3 * 10**6, MIN_INT256))
    return (size, 0) if name == "alice" else (0, size if rng.random() < 0.7 else -(10**6))
