"""The vault in Python: what is exact, what is refused and changes nothing, what a copy shares; 6 decimals."""

from copy import deepcopy
from dataclasses import replace

import pytest

from perennial.mirror import vault_errors as errors
from perennial.mirror.fixed import UNIT
from perennial.mirror.invariants import InvariantError, check_invariants
from perennial.mirror.vault_invariants import check_vault
from perennial.mirror.vault_state import MAX_MARKETS, STUCK, VaultParameter
from perennial.testing.vault_stage import PASSIVE, STEP, Stage

NOBODY = "0x" + "0" * 40


@pytest.fixture
def stage():
    return Stage(markets=2)


def numbers(vault):
    """Everything that a vault and its markets store."""
    stored = {name: deepcopy(value) for name, value in vault._saved().items() if name not in ("known", "markets")}
    stored["pockets"] = {id_: replace(pocket, market=None) for id_, pocket in vault.pockets.items()}
    stored["markets"] = [replace(entry, market=None) for entry in vault.markets]
    return stored, [market.snapshot() for market in vault.known]


def test_an_epoch_in_numbers(stage):
    vault = stage.vault
    assert vault.request_deposit(1_000 * UNIT, "bob", "alice") == 1
    assert vault.pending_deposit_request(1, "bob") == 1_000 * UNIT
    vault.close_epoch()
    # Half of it in each market, at leverage 4 and a price of 100.
    assert [entry.expected for entry in vault.markets] == [20 * UNIT, 20 * UNIT]
    assert [market.collateral(vault.address) for market in stage.markets] == [500 * UNIT, 500 * UNIT]
    assert (vault.epoch, vault.pending, vault.entering, vault.idle) == (2, 1, 1, 0)
    vault.settle()
    assert vault.pending == 1
    stage.tick()
    vault.settle()
    assert vault.claimable_deposit_request(1, "bob") == vault.max_deposit("bob") == 1_000 * UNIT
    assert vault.mint(10**15, "carol", "bob") == 1_000 * UNIT
    assert vault.balance_of("carol") == vault.total_supply() == 10**15
    assert vault.wallets == {"alice": -1_000 * UNIT}

    assert vault.request_redeem(10**15 // 4, "carol", "carol") == 2
    stage.turn()
    assert vault.redeem(10**15 // 4, "dave", "carol") == 250 * UNIT
    assert vault.wallets["dave"] == 250 * UNIT
    assert [market.positions(vault.address).maker for market in stage.markets] == [15 * UNIT, 15 * UNIT]
    check_vault(vault)


def test_what_is_refused_changes_nothing(stage):
    vault, (first, second) = stage.vault, stage.markets
    stage.enter(PASSIVE, 1_000 * UNIT)
    vault.request_redeem(10**13, PASSIVE, PASSIVE)
    before = numbers(vault)
    for error, call in (
        (errors.NotOperator, lambda: vault.request_deposit(1, "bob", "alice", caller="bob")),
        (errors.ZeroAddress, lambda: vault.request_deposit(1, NOBODY, "alice")),
        (errors.DepositTooSmall, lambda: vault.request_deposit(0, "bob", "bob")),
        (errors.ERC20InsufficientAllowance, lambda: vault.request_redeem(1, "bob", PASSIVE, caller="bob")),
        (errors.ERC20InsufficientBalance, lambda: vault.request_redeem(10**15, PASSIVE, PASSIVE)),
        (errors.ZeroShares, lambda: vault.request_redeem(0, PASSIVE, PASSIVE)),
        (errors.ExceedsClaimable, lambda: vault.mint(1, PASSIVE)),
        (errors.PocketOpen, lambda: vault.claim_returned(1, PASSIVE, PASSIVE)),
        (errors.NotCoordinator, lambda: vault.register(first, 1, UNIT, caller="bob")),
        (errors.AlreadyRegistered, lambda: vault.register(second, 1, UNIT)),
        (errors.ParameterOutOfBounds, lambda: vault.update_market(first, 1, 0)),
        (errors.MarketInUse, lambda: vault.unregister(first)),
        (errors.ParameterOutOfBounds, lambda: vault.update_parameter(VaultParameter(tolerance=1))),
        (errors.SelfOperator, lambda: vault.set_operator("bob", True, caller="bob")),
        (errors.NothingToRebalance, vault.rebalance),
        (errors.Asynchronous, vault.preview),
    ):
        with pytest.raises(error):
            call()
        assert numbers(vault) == before, error.__name__


def test_a_rebalance_that_comes_to_nothing_takes_its_orders_back(stage):
    """Redemptions are ordered before it is known that no market was off."""
    vault = stage.vault
    stage.enter(PASSIVE, 1_000 * UNIT)
    vault.request_redeem(10**13, PASSIVE, PASSIVE)
    requested = [list(oracle.requested) for oracle in stage.oracles]
    with pytest.raises(errors.NothingToRebalance):
        vault.rebalance()
    assert [oracle.requested for oracle in stage.oracles] == requested
    assert all(market.pending_counts(vault.address) == 0 for market in stage.markets)
    vault.close_epoch()
    assert all(market.pending_counts(vault.address) == 1 for market in stage.markets)


def test_a_copy_is_another_vault_over_other_markets(stage):
    vault = stage.vault
    stage.enter(PASSIVE, 1_000 * UNIT)
    before = numbers(vault)
    other = vault.copy()
    assert numbers(other) == before
    other.request_redeem(10**14, PASSIVE, PASSIVE)
    other.close_epoch()
    assert numbers(vault) == before
    assert other.markets[0].market.pending_counts(vault.address) == 1


def test_a_market_that_is_stuck_for_a_day_is_left_behind(stage):
    vault, (first, second) = stage.vault, stage.markets
    stage.enter(PASSIVE, 500 * UNIT)
    stage.enter("bob", 500 * UNIT)
    vault.request_redeem(5 * 10**14, "bob", "bob")
    vault.close_epoch()
    oracle = stage.oracles[1]
    oracle.commit(oracle.current, stage.price, oracle.current + STEP)
    vault.settle()
    assert vault.pending
    vault.now += STUCK
    vault.settle()
    # Bob gets half of the market that is known, and keeps half of the other.
    assert (vault.pending, vault.open_pockets) == (0, 1)
    assert vault.max_withdraw("bob") == 250 * UNIT
    assert vault.units_of(1, "bob") == 5 * 10**14
    check_vault(vault)

    stage.tick()
    stage.turn()
    assert vault.open_pockets == 0
    # The virtual shares have their part.
    assert vault.returnable(1, "bob") == vault.claim_returned(1, "bob", "bob") == 250 * UNIT - 1
    assert vault.total_assets() == 500 * UNIT + 1
    # What is left is at its leverage.
    for market in (first, second):
        assert market.positions(vault.address).maker * 100 <= 4 * market.collateral(vault.address) * 100 // 95
    check_vault(vault)


def test_sixteen_markets_at_most():
    stage = Stage(markets=MAX_MARKETS)
    extra = Stage(markets=1).markets[0]
    with pytest.raises(errors.UnknownMarket):
        stage.vault.register(extra, 1, UNIT)
    stage.vault.known.append(extra)
    with pytest.raises(errors.TooManyMarkets):
        stage.vault.register(extra, 1, UNIT)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("tokens", -1),
        ("supply", 1),
        ("open_redeems", 1),
        ("open_deposits", 1),
        ("reserved", -1),
        ("open_pockets", 1),
    ],
)
def test_the_invariants_see_what_is_wrong(stage, field, change):
    vault = stage.vault
    stage.enter(PASSIVE, 1_000 * UNIT)
    vault.request_redeem(10**14, PASSIVE, PASSIVE)
    stage.turn()
    vault.request_redeem(10**14, PASSIVE, PASSIVE)
    vault.request_deposit(10 * UNIT, "bob", "bob")
    check_vault(vault)
    for market in stage.markets:
        check_invariants(market)
    setattr(vault, field, getattr(vault, field) + change)
    if field == "reserved":
        vault.tokens += change
    with pytest.raises(InvariantError):
        check_vault(vault)
