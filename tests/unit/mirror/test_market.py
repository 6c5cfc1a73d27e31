"""Collateral, margin, liquidation, claims and roles (docs/protocol.md §2, §8, §10)."""

import pytest

from perennial.mirror import errors
from perennial.mirror.account_state import MAX_COLLATERAL
from perennial.mirror.fixed import MIN_INT256, UNIT
from perennial.mirror.invariants import check_invariants
from perennial.mirror.orders import NOBODY

SIZE = 1_000_000


@pytest.fixture
def game(create_game):
    """Maker 10 with much, long 5 with 100 USD; margin 9.5 at least 10, maintenance 8 at least 10."""
    game = create_game(margin=50_000, maintenance=40_000)
    game.open("maker", maker=10 * SIZE)
    game.open("long", taker=5 * SIZE, collateral=100 * UNIT)
    game.commit(100 * UNIT)
    for name in ("maker", "long"):
        game.market.settle(name)
    return game


def fall(game, price):
    """A newer price, and nothing else."""
    game.commit(price)
    game.market.settle("long")


def test_deposits_come_from_anyone(game):
    game.market.update("long", collateral_delta=5, caller="stranger")
    assert game.market.collateral("long") == 100 * UNIT + 5


@pytest.mark.parametrize("change", [{"collateral_delta": -1}, {"taker_delta": -1}, {"collateral_delta": MIN_INT256}])
def test_all_else_is_the_accounts_or_its_operators(game, change):
    with pytest.raises(errors.NotOperator) as refused:
        game.market.update("long", **change, caller="stranger")
    assert refused.value.args == ("long", "stranger")
    game.market.factory.update_operator("long", "stranger", True)
    game.market.update("long", **change, caller="stranger")


def test_withdrawal_leaves_the_margin(game):
    # 5 at 100 need 25.
    with pytest.raises(errors.InsufficientMargin) as refused:
        game.market.update("long", collateral_delta=-75 * UNIT - 1)
    assert refused.value.args == (25 * UNIT - 1, 25 * UNIT)
    game.market.update("long", collateral_delta=-75 * UNIT)


def test_withdrawal_of_the_most_that_is_accepted(game):
    game.market.update("long", collateral_delta=MIN_INT256)
    assert game.market.collateral("long") == 25 * UNIT
    game.market.update("long", collateral_delta=MIN_INT256)
    assert game.market.collateral("long") == 25 * UNIT


def test_withdrawal_counts_what_is_opening_and_not_what_is_closing(game):
    game.market.update("long", taker_delta=-5 * SIZE)
    game.market.update("long", taker_delta=SIZE)
    with pytest.raises(errors.InsufficientMargin) as refused:
        game.market.update("long", collateral_delta=-70 * UNIT - 1)
    assert refused.value.args == (30 * UNIT - 1, 30 * UNIT)


def test_pending_fees_are_reserved(game):
    game.change_risk(taker_fee=1_000)
    game.change(settlement_fee=2 * UNIT)
    game.market.update("long", taker_delta=-5 * SIZE)
    game.market.update("long", collateral_delta=MIN_INT256)
    # Margin 25, position fee 0.5, settlement fee 2.
    assert game.market.collateral("long") == 27_500_000
    assert game.market.requirement("long") == (25 * UNIT, 25 * UNIT, 20 * UNIT)


def test_reduction_needs_maintenance_only(game):
    fall(game, 84 * UNIT)
    assert game.market.collateral("long") == 20 * UNIT
    with pytest.raises(errors.InsufficientMargin):
        game.market.update("long", taker_delta=1)
    game.market.update("long", taker_delta=-1)
    fall(game, 80 * UNIT)
    with pytest.raises(errors.InsufficientMaintenance):
        game.market.update("long", taker_delta=-1)


def test_more_than_there_is_cannot_leave(game):
    game.market.update("idle", collateral_delta=7)
    with pytest.raises(errors.InsufficientCollateral) as refused:
        game.market.update("idle", collateral_delta=-8)
    assert refused.value.args == (7, 8)
    game.market.balance = 6
    with pytest.raises(errors.InsufficientTokens) as short:
        game.market.update("idle", collateral_delta=-7)
    assert short.value.args == (6, 7)
    assert game.market.collateral("idle") == 7


def test_deposits_fit_their_storage(game):
    room = MAX_COLLATERAL - 10**12
    with pytest.raises(errors.CollateralOverflow) as refused:
        game.market.update("maker", collateral_delta=room + 1)
    assert refused.value.args == (room + 1,)
    game.market.update("maker", collateral_delta=room)


def test_stale_price_freezes_sizes_and_those_who_have_any(game):
    game.oracle.current = game.oracle.latest.timestamp + game.market.risk.stale_after + 1
    current = game.oracle.current
    for change in ({"taker_delta": -1}, {"collateral_delta": -1}):
        with pytest.raises(errors.StalePrice) as refused:
            game.market.update("long", **change)
        assert refused.value.args == (game.oracle.latest.timestamp, current)
    with pytest.raises(errors.StalePrice):
        game.market.liquidate("long", caller="keeper")
    game.market.update("long", collateral_delta=MIN_INT256)
    assert game.market.collateral("long") == 100 * UNIT
    game.market.update("idle", collateral_delta=7)
    game.market.update("idle", collateral_delta=-7)
    game.oracle.current -= 1
    game.market.update("long", taker_delta=-1)


def test_an_invalid_version_freezes_as_well(game):
    game.commit(None)
    with pytest.raises(errors.StalePrice):
        game.market.update("long", taker_delta=-1)


def test_before_the_first_version(create_game):
    game = create_game()
    game.market.timestamp = 0
    game.oracle.latest = type(game.oracle.latest)(0, 0, False)
    game.market.valid = False
    game.market.update("maker", collateral_delta=7)
    game.market.update("maker", collateral_delta=-7)
    with pytest.raises(errors.StalePrice):
        game.market.update("maker", maker_delta=1)


# -- Liquidation -------------------------------------------------------------------------------------------------------


def test_a_healthy_account_is_not_liquidated(game):
    fall(game, 84 * UNIT)
    with pytest.raises(errors.NotLiquidatable) as refused:
        game.market.liquidate("long", caller="keeper")
    assert refused.value.args == (20 * UNIT, 16_800_000)
    with pytest.raises(errors.NotLiquidatable):
        game.market.liquidate("nobody", caller="keeper")


def test_liquidation_closes_locks_and_pays(game):
    fall(game, 83 * UNIT)
    assert game.market.collateral("long") == 15 * UNIT
    assert game.market.liquidatable("long")
    game.market.liquidate("long", caller="keeper")
    assert game.market.locked("long")
    assert game.market.pending_positions("long").long == 0
    for change in ({"taker_delta": 1}, {"collateral_delta": -1}):
        with pytest.raises(errors.AccountLocked) as refused:
            game.market.update("long", **change)
        assert refused.value.args == ("long", game.oracle.current)
    with pytest.raises(errors.AccountLocked):
        game.market.liquidate("long", caller="keeper")
    game.market.update("long", collateral_delta=MIN_INT256)
    game.market.update("long", collateral_delta=UNIT, caller="friend")

    fall(game, 83 * UNIT)
    assert not game.market.locked("long")
    assert game.market.positions("long").long == 0
    assert game.market.claimable("keeper") == 5 * UNIT
    assert game.market.collateral("long") == 11 * UNIT
    check_invariants(game.market)


def test_liquidation_at_an_invalid_version_never_was(game):
    fall(game, 83 * UNIT)
    game.market.liquidate("long", caller="keeper")
    game.commit(None)
    game.market.settle("long")
    assert not game.market.locked("long")
    assert game.market.positions("long").long == 5 * SIZE
    assert game.market.claimable("keeper") == 0
    fall(game, 83 * UNIT)
    game.market.liquidate("long", caller="keeper")


def test_liquidation_of_what_is_closing_already_only_locks(game):
    game.change(settlement_fee=UNIT)
    fall(game, 84 * UNIT)
    game.market.update("long", taker_delta=MIN_INT256)
    closing = game.oracle.current
    game.oracle.commit(closing - 1, 83 * UNIT, closing + 10)
    requested = list(game.oracle.requested)
    game.market.liquidate("long", caller="keeper")
    assert game.market.accounts["long"].liquidation.fee == 0
    assert game.oracle.requested == requested
    assert game.market.pending_counts("long") == 1
    game.oracle.commit(closing, 83 * UNIT)
    game.market.settle("long")
    assert game.market.positions("long").long == 0
    assert game.market.locked("long")
    game.commit(None)
    game.market.settle("long")
    assert not game.market.locked("long")
    assert game.market.claimable("keeper") == 0


def test_a_second_liquidation_waits_for_what_was_opening(game):
    """An account with opens pending is closed as far as it is settled, and again later."""
    game.market.update("long", taker_delta=5 * SIZE, collateral_delta=0)
    opening = game.oracle.current
    game.oracle.commit(opening - 1, 83 * UNIT, opening + 10)
    game.market.liquidate("long", caller="keeper")
    game.oracle.commit(opening, 83 * UNIT)
    game.commit(83 * UNIT)
    game.market.settle("long")
    assert game.market.positions("long").long == 5 * SIZE
    game.market.liquidate("long", caller="keeper")


def test_liquidator_of_oneself(game):
    fall(game, 83 * UNIT)
    game.market.liquidate("long", caller="long")
    fall(game, 83 * UNIT)
    assert game.market.claimable("long") == 5 * UNIT


def test_shortfall_is_owed_until_repaid(game):
    fall(game, 75 * UNIT)
    assert game.market.collateral("long") == -25 * UNIT
    assert game.market.shortfall == 25 * UNIT
    game.market.liquidate("long", caller="keeper")
    fall(game, 75 * UNIT)
    assert game.market.claimable("keeper") == 0
    assert game.market.shortfall == 25 * UNIT
    game.market.update("long", collateral_delta=20 * UNIT, caller="friend")
    assert game.market.shortfall == 5 * UNIT
    game.market.update("long", collateral_delta=6 * UNIT, caller="friend")
    assert game.market.shortfall == 0
    check_invariants(game.market)


# -- Claims and roles --------------------------------------------------------------------------------------------------


def test_fees_by_role(create_game):
    game = create_game(
        taker_fee=1_000,
        position_fee=1_000_000,
        protocol_fee=100_000,
        oracle_fee=200_000,
        risk_fee=500_000,
        settlement_fee=UNIT,
    )
    game.fill(maker=10 * SIZE, long=5 * SIZE)
    assert game.market.claimable_fees() == (50_000, 2 * UNIT + 90_000, 225_000, 135_000)
    with pytest.raises(errors.NotFeeRole):
        game.market.claim_fee(caller="stranger")
    assert game.market.claim_fee(caller="owner") == 50_000
    assert game.market.claim_fee(caller="oracle factory") == 2_090_000
    assert game.market.claim_fee(caller="coordinator") == 225_000
    assert game.market.claim_fee(caller="beneficiary") == 135_000
    assert game.market.claim_fee(caller="beneficiary") == 0
    assert game.market.settlement_fees_total() == 2 * UNIT
    check_invariants(game.market)


def test_one_who_holds_two_roles_gets_both(create_game):
    game = create_game(taker_fee=1_000, position_fee=1_000_000, protocol_fee=100_000, risk_fee=500_000)
    game.market.update_coordinator("owner")
    game.fill(maker=10 * SIZE, long=5 * SIZE)
    assert game.market.claim_fee(caller="owner") == 50_000 + 225_000


def test_a_claim_that_cannot_be_paid_changes_nothing(game):
    game.market.credit("friend", "long", 5, 0)
    game.market.balance = 4
    with pytest.raises(errors.InsufficientTokens) as refused:
        game.market.claim("friend")
    assert refused.value.args == (4, 5)
    assert game.market.claimable("friend") == 5
    with pytest.raises(errors.NotOperator):
        game.market.claim("friend", caller="stranger")


def test_pause_stops_users_and_not_the_owner(game):
    factory = game.market.factory
    factory.pauser = "pauser"
    with pytest.raises(errors.NotPauser):
        factory.pause("stranger")
    factory.pause("pauser")
    for call in (
        lambda: game.market.update("long", collateral_delta=1),
        lambda: game.market.settle("long"),
        lambda: game.market.advance(1),
        lambda: game.market.liquidate("long", caller="keeper"),
        lambda: game.market.claim("long"),
        lambda: game.market.claim_reward("long"),
        lambda: game.market.claim_fee(caller="coordinator"),
        lambda: game.market.update_risk_parameter(game.market.risk),
    ):
        with pytest.raises(errors.MarketPaused):
            call()
    game.market.update_parameter(game.market.parameter)
    game.market.claim_fee(caller="owner")
    factory.unpause("owner")
    game.market.settle("long")


def test_roles(game):
    market = game.market
    for call in (
        lambda: market.update_parameter(market.parameter, caller="coordinator"),
        lambda: market.update_beneficiary("x", caller="coordinator"),
        lambda: market.update_reward("x", caller="coordinator"),
        lambda: market.factory.update_parameter(market.factory.parameter, "coordinator"),
    ):
        with pytest.raises(errors.NotOwner):
            call()
    for call in (
        lambda: market.update_risk_parameter(market.risk, caller="stranger"),
        lambda: market.update_coordinator("x", caller="stranger"),
    ):
        with pytest.raises(errors.NotCoordinator):
            call()
    with pytest.raises(errors.ZeroBeneficiary):
        market.update_beneficiary(NOBODY)
    with pytest.raises(errors.RewardIsToken):
        market.update_reward("token")
    market.update_reward("reward token")
    with pytest.raises(errors.RewardAlreadySet):
        market.update_reward("other")
    market.update_beneficiary("new")
    assert market.beneficiary == "new"


def test_a_refused_call_changes_nothing_not_even_what_it_settled(game):
    game.market.events = []
    game.open("long", taker=SIZE, collateral=0)
    game.oracle.commit(game.oracle.current, 100 * UNIT, game.oracle.current + 10)
    before, events = game.market.snapshot(), list(game.market.events)
    with pytest.raises(errors.OverClose):
        game.market.update("long", taker_delta=-100 * SIZE)
    with pytest.raises(errors.NotLiquidatable):
        game.market.liquidate("newcomer", caller="keeper")
    assert game.market.snapshot() == before
    assert game.market.events == events
    assert "newcomer" not in game.market.accounts
    game.market.settle("long")
    assert game.market.snapshot() != before
