"""Versions of the market: valid, invalid, skipped, late, closed; what cannot be distributed (docs/protocol.md §5)."""

from dataclasses import replace

import pytest

from perennial.mirror.accumulators import MAX, Accumulators
from perennial.mirror.fixed import UNIT
from perennial.mirror.invariants import check_invariants
from perennial.mirror.parameters import PController, UtilizationCurve
from perennial.mirror.payoff import PowerPayoff

SIZE = 1_000_000
RATES = {
    "p_controller": PController(20_000_000_000, 2_500_000),
    "utilization_curve": UtilizationCurve(10_000, 55_000, 155_000, 600_000),
}


@pytest.fixture
def game(create_game):
    """Maker 10, long 5, short 3 at a price of 100."""
    game = create_game()
    game.fill(maker=10 * SIZE, long=5 * SIZE, short=3 * SIZE)
    return game


def settle_all(game):
    for name in list(game.market.accounts):
        game.market.settle(name)


def test_orders_at_an_invalid_version_are_as_if_never_placed(game):
    before = game.market.snapshot()
    game.change(settlement_fee=1_500_000)
    game.change_risk(taker_fee=200)
    game.open("long", taker=SIZE, collateral=0)
    game.open("maker", maker=-SIZE, collateral=0)
    version = game.commit(None)
    settle_all(game)

    after = game.market.snapshot()
    for name in ("maker", "long", "short"):
        assert after["accounts"][name]["collateral"] == before["accounts"][name]["collateral"]
        assert after["accounts"][name]["position"] == before["accounts"][name]["position"] | {"timestamp": version}
        assert after["accounts"][name]["pending_count"] == 0
    assert after["fees"] == before["fees"]
    assert after["price"] == before["price"]
    assert game.market.settlement_fees(version) == 0
    assert game.market.pending == game.market.book


def test_a_skipped_version_is_invalid_for_good(game):
    """Whatever the order of settlement: docs/protocol.md §5.5."""
    game.open("long", taker=SIZE, collateral=0)
    game.oracle.current += 20
    game.open("long", taker=-2 * SIZE, collateral=0)
    game.commit(90 * UNIT)
    game.market.settle("maker")
    settle_all(game)
    assert game.market.positions("long").long == 3 * SIZE
    check_invariants(game.market)


def test_invalid_versions_carry_the_price_for_what_accrues(game):
    game.change_risk(**RATES)
    other = game.market.copy()
    game.oracle.current += 1_000
    game.commit(None)
    game.oracle.current += 1_000
    game.commit(110 * UNIT)
    settle_all(game)
    # In one step instead of three: as if there had been no version in between, but for rounding.
    other.settle("maker")
    for name in ("long", "short"):
        other.settle(name)
        assert abs(other.collateral(name) - game.market.collateral(name)) <= 2
    check_invariants(game.market)


def test_a_payoff_without_a_value_makes_the_version_invalid(create_game):
    game = create_game(payoff=PowerPayoff(4, 10**18))
    assert game.market.price == 100**2 * UNIT
    game.commit(0)
    assert (game.market.price, game.market.valid) == (100**2 * UNIT, False)


@pytest.mark.parametrize("price", [10**17, -(10**17), 10**20])
def test_a_price_beyond_the_limit_is_invalid(game, price):
    game.commit(price)
    assert (game.market.price, game.market.valid) == (100 * UNIT, False)
    game.commit(price // abs(price) * (10**17 - 1))
    assert game.market.valid


def test_advance_in_pieces(game):
    for _ in range(4):
        game.open("long", taker=-1, collateral=0)
        version = game.oracle.current
        game.oracle.commit(version, 101 * UNIT, version + 10)
    first = [pending.timestamp for pending in game.market.queue]
    assert len(first) == 1  # an update settles what is due before it orders
    game.market.advance(0)
    assert game.market.pending_count() == 1
    game.market.advance(1)
    assert game.market.pending_count() == 0
    assert game.market.timestamp == version


def test_a_backlog_is_worked_off_in_pieces_with_the_same_result(game):
    game.change_risk(**RATES)
    for wait in (10, 20, 30):
        game.open("long", taker=-SIZE, collateral=0)
        game.oracle.current += wait
    whole = game.market.copy()
    game.oracle.commit(game.oracle.current, 105 * UNIT, game.oracle.current + 10)
    whole.advance(100)
    for left in (2, 1, 0):
        game.market.advance(1)
        assert game.market.pending_count() == left
    assert game.market.snapshot() == whole.snapshot()


def test_nothing_accrues_while_closed(game):
    game.change_risk(**RATES)
    game.change(closed=True)
    before = game.market.accumulators, game.market.funding_rate12
    game.oracle.current += 3_600
    game.commit(130 * UNIT)
    assert (game.market.accumulators, game.market.funding_rate12) == before
    assert game.market.price == 130 * UNIT
    # The move in between is never made good.
    game.change(closed=False)
    game.commit(131 * UNIT)
    game.market.settle("long")
    assert 5 * UNIT - 10 <= game.market.collateral("long") - 10**12 <= 5 * UNIT


def test_position_fees_go_on_while_closed(game):
    game.change_risk(taker_fee=200)
    game.change(closed=True, position_fee=1_000_000)
    game.open("long", taker=-SIZE, collateral=0)
    game.commit(100 * UNIT)
    assert game.market.fees.undistributed == 20_000


@pytest.mark.parametrize("side", ["maker", "long", "short"])
def test_dust_sides_receive_nothing(create_game, side):
    """But they pay, and their PnL is booked (docs/protocol.md §1.6)."""
    game = create_game()
    sizes = {"maker": 10 * SIZE, "long": 5 * SIZE, "short": 5 * SIZE} | {side: 999}
    game.fill(**sizes)
    game.change_risk(**RATES)
    game.market.funding_rate12 = -(10**12) if side == "long" else 10**12
    game.oracle.current += 86_400
    game.commit(110 * UNIT)
    settle_all(game)
    ledger = game.market.accounts[side].ledger
    assert ledger.funding <= 0
    assert ledger.interest <= 0
    if side != "maker":
        assert ledger.pnl != 0
    assert game.market.fees.undistributed > 0
    check_invariants(game.market)


def test_what_does_not_fit_is_not_distributed_but_profit_is(game):
    game.change_risk(**RATES)
    game.market.funding_rate12 = 10**12
    edge = MAX - 10**13
    game.market.accumulators = Accumulators(0, 0, edge)
    game.oracle.current += 31_536_000
    game.commit(101 * UNIT)
    assert game.market.accumulators == Accumulators(-(2 * 10**12) // 10, 10**12, edge - 10**12)
    assert game.market.fees.undistributed == 0
    assert game.market.funding_rate12 > 10**12


def test_profit_that_does_not_fit_is_not_booked_either(game):
    game.market.accumulators = Accumulators(0, MAX, 0)
    game.commit(101 * UNIT)
    assert game.market.accumulators == Accumulators(0, MAX, 0)


def test_rewards(create_game):
    game = create_game(
        reward="reward token", maker_reward_rate=3 * UNIT, long_reward_rate=2 * UNIT, short_reward_rate=UNIT
    )
    game.fill(maker=10 * SIZE, long=5 * SIZE, short=999)
    game.open("second", maker=10 * SIZE)
    game.commit(100 * UNIT)
    game.oracle.current += 90
    game.commit(100 * UNIT)
    settle_all(game)
    # Ten seconds alone, a hundred by halves.
    assert game.market.rewards("maker") == 30 * UNIT + 150 * UNIT
    assert game.market.rewards("second") == 150 * UNIT
    assert game.market.rewards("long") == 220 * UNIT
    assert game.market.rewards("short") == 0

    game.market.receive(0, 100 * UNIT)
    assert game.market.claim_reward("maker") == 100 * UNIT
    assert game.market.rewards("maker") == 80 * UNIT
    game.market.receive(0, 100 * UNIT)
    assert game.market.claim_reward("maker") == 80 * UNIT


def test_protocol_fee_applies_to_what_settles_after_it(create_game):
    game = create_game(taker_fee=200, position_fee=1_000_000)
    game.fill(maker=10 * SIZE, long=SIZE)
    assert game.market.claimable_fees() == (0, 0, 0, 20_000)
    factory = game.market.factory
    factory.update_parameter(replace(factory.parameter, protocol_fee=500_000))
    assert game.market.claimable_fees() == (0, 0, 0, 20_000)
    game.open("long", taker=SIZE)
    game.commit(100 * UNIT)
    assert game.market.claimable_fees() == (10_000, 0, 0, 30_000)


def test_new_shares_of_fees_apply_to_what_settles_after_them(create_game):
    game = create_game(taker_fee=200, position_fee=1_000_000)
    game.fill(maker=10 * SIZE, long=SIZE)
    game.change(risk_fee=1_000_000)
    game.open("long", taker=SIZE)
    game.commit(100 * UNIT)
    assert game.market.claimable_fees() == (0, 0, 20_000, 20_000)
