"""Whoever comes, goes, closes, rebalances and gives presents, with any number of accounts, gains nothing (§12.3).

Against the mirror, so that many schemes can be tried: `test_vault_is_its_mirror` holds it against the contracts.
Bounds are in token units, here of 6 decimals. Where prices stand still:

- without fees nobody loses a unit, and the party gains none;
- with fees the party gains none. The others lose nothing where makers get the fees; where the market keeps them, at
  most leverage times fee rate of what the party itself has lost: entering leaves the pool with a position that is
  larger by that part than what it has, which others may have to close.

Where prices move: over the same epochs nobody's money has grown by more than that of who has stayed, rounded.
"""

from contextlib import suppress
from random import Random

import pytest

from perennial.mirror.fixed import UNIT
from perennial.mirror.vault_errors import NothingToRebalance
from perennial.mirror.verifier import Intent
from perennial.testing.vault_stage import PARTY, PASSIVE, STEP, Schemer, Stage

GAMES = 40
MOVES = 60
FEES: tuple[dict[str, int], ...] = (
    {},
    {"maker_fee": 1_000},
    {"maker_fee": 1_000, "position_fee": UNIT},
    {"maker_fee": 100, "position_fee": UNIT // 2, "settlement_fee": UNIT},
    {"maker_fee": 1_000, "position_fee": UNIT, "settlement_fee": UNIT},
)


def staged(rng, **fees):
    """A stage with a passive depositor of 100 to a million USD, whose own entry has been put right."""
    leverage = rng.choice((1, 2, 4, 10)) * UNIT
    tolerance = rng.choice((10_000, 50_000, 200_000))
    stage = Stage(markets=rng.choice((1, 2)), leverage=leverage, tolerance=tolerance, **fees)
    stage.enter(PASSIVE, rng.randint(10**8, 10**12))
    stage.put_right()
    return stage, leverage


# -- Prices stand still ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("makes", [False, True])
@pytest.mark.parametrize("fees", FEES)
def test_schemes_at_an_unchanged_price(fees, makes):
    epochs = 0
    for seed in range(GAMES):
        rng = Random(seed)
        stage, leverage = staged(rng, **fees)
        before = stage.worth(PASSIVE)
        party = Schemer(stage, rng, makes=makes)
        party.act(MOVES)
        party.go()

        spent, lost = stage.spent(*PARTY), before - stage.worth(PASSIVE)
        assert spent >= 0, f"seed {seed}: the party has gained {-spent}"
        rate = fees.get("maker_fee", 0) if fees.get("position_fee") else 0
        assert lost <= spent * leverage * rate // UNIT**2, f"seed {seed}: {lost} of {before} lost, the party {spent}"
        epochs += stage.vault.epoch
    assert epochs >= 8 * GAMES


@pytest.mark.parametrize("fees", FEES)
def test_rebalancing_cannot_be_repeated_at_an_unchanged_price(fees):
    """Nor can it cost more than an order of what is missing: what is put right stays so."""
    for seed in range(GAMES):
        rng = Random(seed)
        stage, _ = staged(rng, **fees)
        party = Schemer(stage, rng, makes=True)
        party.act(MOVES // 3)
        stage.tick()
        stage.vault.settle()
        stage.turn()
        done = 0
        for _ in range(10):
            before = stage.vault.epoch
            with suppress(NothingToRebalance):
                party.rebalance()
            done += stage.vault.epoch - before
        # A second one may have to follow the first: collateral of what has closed is free only then.
        assert done <= 3, f"seed {seed}: {done} rebalances"


@pytest.mark.parametrize("swings", [False, True])
@pytest.mark.parametrize("fees", FEES[2:])
def test_holders_pay_for_one_cycle_a_day(fees, swings):
    """Within a day, at the edge of the least margin, or with a price that swings beyond the tolerance."""
    leverage, rounds = 4 * UNIT, 10
    for seed in range(GAMES // 8):
        rng = Random(seed)
        stage = Stage(markets=2, leverage=leverage, **fees)
        least = stage.markets[0].risk.min_margin
        # A market is used from one and a half times its least margin on.
        assets = rng.randint(500, 5_000) * UNIT if swings else 3 * least - rng.randint(1, UNIT // 100)
        stage.enter(PASSIVE, assets)
        before, party = stage.worth(PASSIVE), Schemer(stage, rng, makes=False)
        for turn in range(rounds):
            if swings:
                stage.tick((94, 106)[turn % 2] * UNIT)
                with suppress(NothingToRebalance):
                    party.rebalance()
                continue
            party.deposit_about(least // 10)
            stage.turn()
            party.redeem_all()
            stage.turn()

        lost = before - stage.worth(PASSIVE)
        # In and out of both markets once, and what is not worth an order any more, is all that they pay for.
        cycle = 2 * 2 * (fees.get("settlement_fee", 0) + assets // 2 * leverage // UNIT * fees["maker_fee"] // UNIT)
        assert lost <= cycle, f"seed {seed}: {lost} of {before} lost"
        assert stage.vault.epoch >= rounds


@pytest.mark.parametrize("fees", FEES[2:])
def test_flows_do_not_bring_holders_to_pay_again_and_again(fees):
    """The price swings within the tolerance; flows of another make the market off by more than that each time."""
    leverage, rounds = 4 * UNIT, 20
    stage = Stage(markets=2, leverage=leverage, **fees)
    assets, other, rng = 1_000 * UNIT, PARTY[0], Random(0)
    stage.enter(PASSIVE, assets)
    stage.enter(other, 300 * UNIT)
    stage.put_right()
    before, vault = stage.worth(PASSIVE), stage.vault
    for turn in range(rounds):
        stage.tick((104, 100)[turn % 2] * UNIT)
        amount = rng.randint(20, 40) * UNIT
        if turn % 2:
            vault.redeem(vault.max_redeem(other), other, other)
            vault.request_deposit(amount, other, other)
        else:
            vault.request_redeem(min(vault.convert_to_shares(amount), vault.balance_of(other)), other, other)
        stage.turn()
        vault.mint(vault.max_mint(other), other, other)

    lost = before - stage.worth(PASSIVE)
    cycle = 2 * 2 * (fees.get("settlement_fee", 0) + assets // 2 * leverage // UNIT * fees["maker_fee"] // UNIT)
    assert lost <= cycle, f"{lost} of {before} lost"


def test_who_leaves_while_a_market_takes_no_close_leaves_its_cost_and_has_paid_as_much_to_come():
    """The market's queue is full of dust, so that the vault's order is refused: the tolerance pays who leaves.

    Others then close what it leaves, and it comes back: what that costs them is at most a position fee on the tolerance
    each time, and they cannot be made to pay for the opening.
    """
    leverage, fee, rounds, other = 4 * UNIT, 1_000, 10, PARTY[0]
    stage = Stage(leverage=leverage, maker_fee=fee, position_fee=UNIT)
    (market,), (oracle,), vault = stage.markets, stage.oracles, stage.vault
    stage.enter(PASSIVE, 10_000 * UNIT)
    stage.put_right()
    # Each account may have half as many versions pending as the market.
    pairs = (("a", "b"), ("c", "d"))
    for name in "abcd":
        market.update(name, 0, 0, 100 * UNIT)
    # A little less than the tolerance pays: the price does the rest.
    amount = stage.worth(PASSIVE) * 48 // 1_000
    before, refused = stage.worth(PASSIVE), 0
    vault.events = []
    for turn in range(rounds):
        stage.enter(other, amount)
        for pair in pairs:
            for _ in range(market.parameter.max_pending_local):
                exchange(market, *pair)
                oracle.current += STEP
        vault.request_redeem(vault.balance_of(other), other, other)
        stage.turn()
        vault.redeem(vault.max_redeem(other), other, other)
        refused += sum(name == "OrderRefused" for name, _ in vault.events)
        vault.events.clear()
        stage.tick((101, 100)[turn % 2] * UNIT)
        stage.put_right()

    lost, spent = before - stage.worth(PASSIVE), stage.spent(other)
    most = before * stage.vault.parameter.tolerance // UNIT * leverage // UNIT * fee // UNIT
    assert refused >= rounds // 2
    assert most < lost <= rounds * most
    assert lost <= spent + most


def exchange(market, buyer, seller):
    """Dust between two of the party, at the latest price."""
    market.nonce = getattr(market, "nonce", 0) + 1
    terms = {"domain": market.address, "nonce": market.nonce}
    bought = Intent(buyer, 1, market.price, signer=buyer, **terms)
    sold = Intent(seller, -1, market.price, signer=seller, **terms)
    market.cross(bought, buyer, sold, seller, 1, market.price)


# -- A price that is known ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("fees", FEES)
def test_entering_after_a_move_that_is_known_earns_nothing(fees, settled):
    """Makers have gained, and the price says so already: who enters now pays for it."""
    for seed in range(GAMES):
        rng = Random(seed)
        stage, _ = staged(rng, **fees)
        bet(stage, rng)
        publish(stage, rng, settled=settled)
        stage.enter(PARTY[0], rng.randint(10**8, 10**13))
        stage.leave(PARTY[0])
        assert stage.spent(*PARTY) >= 0, f"seed {seed}"


@pytest.mark.parametrize("settled", [False, True])
def test_leaving_after_a_move_that_is_known_saves_nothing(settled):
    """Makers have lost: who leaves now leaves with the loss, as who stays has it."""
    lost = 0
    for seed in range(GAMES):
        rng = Random(seed)
        stage, _ = staged(rng)
        amount = rng.randint(10**8, 10**12)
        stage.enter(PARTY[0], amount)
        bet(stage, rng)
        before, stays = stage.worth(PARTY[0]), stage.worth(PASSIVE)
        publish(stage, rng, settled=settled)
        stage.leave(PARTY[0])
        left, stayed = stage.worth(PARTY[0]), stage.worth(PASSIVE)
        # left / before <= stayed / stays, each rounded by at most a unit.
        assert (left - 1) * (stays - 1) <= (stayed + 1) * (before + 1), f"seed {seed}"
        lost += left < before
    assert lost >= GAMES // 4


def bet(stage, rng):
    """Takers hold up to half of what makers can bear."""
    makers = stage.markets[0].book.maker
    stage.bet(rng.choice((-1, 1)) * rng.randint(1, max(1, makers // 2)))


def publish(stage, rng, *, settled):
    """A price that is up to 5 % off is committed; mostly nobody has settled the vault at it."""
    stage.price = 100 * UNIT + rng.randint(-5 * UNIT, 5 * UNIT)
    for oracle, market in zip(stage.oracles, stage.markets, strict=True):
        oracle.commit(oracle.current, stage.price, oracle.current + STEP)
        if settled:
            market.settle(stage.vault.address)


# -- Prices that nobody knows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fees", FEES)
def test_nobody_does_better_than_who_stays(fees):
    """Between its deposit and its redemption no money has grown by more than the passive depositor's."""
    gained = lots = 0
    for seed in range(GAMES):
        rng = Random(seed)
        stage, _ = staged(rng, **fees)
        vault = stage.vault
        bet(stage, rng)
        stage.turn()
        for _ in range(3):
            name = rng.choice(PARTY)
            amount = rng.randint(10**8, 10**12)
            vault.request_deposit(amount, name, name)
            stage.turn(moved(stage, rng))
            entered = stage.worth(PASSIVE)
            vault.mint(vault.max_mint(name), name, name)
            for _ in range(rng.randint(0, 3)):
                stage.tick(moved(stage, rng))
                if rng.random() < 0.3:
                    scheme(stage, rng)
            vault.request_redeem(vault.balance_of(name), name, name)
            stage.turn(moved(stage, rng))
            left, out = stage.worth(PASSIVE), vault.max_withdraw(name)
            if vault.balance_of(name) or vault.returned_shares(name):
                stage.leave(name)
                continue
            vault.withdraw(out, name, name)
            # out / amount <= left / entered, each rounded by at most a unit.
            assert (out - 1) * (entered - 1) <= (left + 1) * (amount + 1), f"seed {seed}: {out} of {amount}"
            lots += 1
            gained += out > amount
    assert lots >= 2 * GAMES
    assert gained or fees


def moved(stage, rng):
    """A price up to 1 % off the last."""
    return stage.price + stage.price * rng.randint(-10_000, 10_000) // UNIT


def scheme(stage, rng):
    """Somebody closes or rebalances in between, and gives a present."""
    party = Schemer(stage, rng, makes=False)
    party.moves = [party.close, party.rebalance]
    party.act(1)
    stage.turn()


# -- The first depositor -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(200))
def test_who_is_first_cannot_take_from_who_is_second(seed):
    """Presents make a share dear. What the second loses is a millionth of what it costs the first, but for rounding."""
    rng = Random(seed)
    stage = Stage(markets=1)
    vault, market = stage.vault, stage.markets[0]

    def give():
        amount = rng.randint(1, 10 ** rng.randint(1, 14))
        if rng.random() < 0.3:
            vault.receive(amount, PARTY[0])
            return 0
        market.update(vault.address, 0, 0, amount, caller=PARTY[0])
        vault.wallets[PARTY[0]] = vault.wallets.get(PARTY[0], 0) - amount
        return amount

    given = 0
    for _ in range(rng.randint(0, 2)):
        given += give()
    stage.enter(PARTY[0], rng.randint(1, 10 ** rng.randint(1, 8)))
    for _ in range(rng.randint(0, 2)):
        given += give()
    deposit = rng.randint(1, 10**10)
    vault.request_deposit(deposit, "bob", "bob")
    if rng.random() < 0.5:
        given += give()
    stage.turn()
    vault.mint(vault.max_mint("bob"), "bob", "bob")
    stage.leave(PARTY[0])
    stage.leave("bob")

    lost = -vault.wallets["bob"]
    assert lost <= given // 10**6 + 3, f"lost {lost} of {deposit}, given {given}"
    assert (lost - 3) * 10**6 <= stage.spent(PARTY[0])
    assert stage.spent(PARTY[0]) >= 0
