"""Vault.register, updateMarket, unregister, updateParameter, updateCoordinator, claimReward, initialize."""

import pytest

from perennial.amounts import raw
from perennial.testing.differential import address_of
from perennial.testing.market import refused
from perennial.testing.vault import DAY, opened

ALICE, BOB = map(address_of, ("alice", "bob"))
UNIT = 10**6
LEVERAGE = raw("4")


def test_register(protocol):
    with opened(protocol, 0) as bench:
        venue = bench.open()
        bench.vault.send("register", venue.address, 7, raw("3"), sender=bench.coordinator)

        (market,) = bench.registered()
        assert (market.market, market.weight, market.leverage) == (venue.address, 7, raw("3"))
        assert bench.token.value("allowance", bench.vault.address, venue.address) == 2**256 - 1


def test_only_markets_of_the_factory_in_the_vaults_token(bench, protocol):
    with refused("UnknownMarket", BOB):
        bench.vault.send("register", BOB, 1, LEVERAGE, sender=bench.coordinator)
    market = bench.venues[0].address
    with refused("AlreadyRegistered", market):
        bench.vault.send("register", market, 1, LEVERAGE, sender=bench.coordinator)
    bench.token, usual = protocol.tokens[18], bench.token
    other = bench.open().address
    with refused("WrongToken", other, bench.token.address):
        bench.vault.send("register", other, 1, LEVERAGE, sender=bench.coordinator)
    bench.token = usual


def test_sixteen_markets_at_most(protocol):
    with opened(protocol, 16) as bench:
        venue = bench.open()
        with refused("TooManyMarkets", 16):
            bench.register(venue)


@pytest.mark.parametrize(
    ("weight", "leverage", "field", "value", "bound"),
    [
        (2**32, LEVERAGE, "weight", 2**32, 2**32 - 1),
        (1, 0, "leverage", 0, 1),
        (1, 100 * UNIT + 1, "leverage", 100 * UNIT + 1, 100 * UNIT),
    ],
)
def test_weight_and_leverage_are_bounded(bench, weight, leverage, field, value, bound):
    venue = bench.open()
    for name, market in (("register", venue), ("updateMarket", bench.venues[0])):
        with refused("ParameterOutOfBounds", field, value, bound):
            bench.vault.send(name, market.address, weight, leverage, sender=bench.coordinator)
    for weight_, leverage_ in ((2**32 - 1, 100 * UNIT), (0, 1)):
        bench.vault.send("updateMarket", bench.venues[0].address, weight_, leverage_, sender=bench.coordinator)


def test_an_unknown_market_is_neither_changed_nor_removed(bench):
    for name, arguments in (("updateMarket", (1, LEVERAGE)), ("unregister", ()), ("claimReward", (BOB,))):
        with refused("NotRegistered", BOB):
            bench.vault.send(name, BOB, *arguments, sender=bench.coordinator)


def test_only_the_coordinator(bench):
    market = bench.venues[0].address
    calls = [
        ("register", market, 1, LEVERAGE),
        ("updateMarket", market, 1, LEVERAGE),
        ("unregister", market),
        ("updateParameter", (1, 1, 0, 50_000)),
        ("updateCoordinator", ALICE),
        ("claimReward", market, ALICE),
    ]
    for call in calls:
        with refused("NotCoordinator", ALICE):
            bench.vault.send(*call, sender=ALICE)


def test_not_while_an_epoch_is_pending(bench):
    bench.request("alice", "1000")
    bench.close()
    market = bench.venues[0].address
    for call in [("register", market, 1, LEVERAGE), ("unregister", market), ("updateParameter", (1, 1, 0, 50_000))]:
        with refused("EpochPending", 1):
            bench.vault.send(*call, sender=bench.coordinator)
    bench.vault.send("updateMarket", market, 2, LEVERAGE, sender=bench.coordinator)


@pytest.mark.parametrize("name", ["register", "unregister", "updateParameter"])
def test_nobody_keeps_the_coordinator_out(bench, name):
    """Whoever closes an epoch settles the one before in the same call: there need be no time between two."""
    venue, parameter = bench.open(), (1, 10**12, 0, 50_000)
    if name == "unregister":
        bench.register(venue, weight=0)
    arguments = {
        "register": (venue.address, 1, LEVERAGE),
        "unregister": (venue.address,),
        "updateParameter": (parameter,),
    }
    bench.enter("bob", "1000")
    bench.leave("bob", 1)
    bench.close()
    bench.leave("bob", 1)
    for market in bench.venues:
        market.commit()
    assert bench.epochs.pending == 2
    bench.vault.send(name, *arguments[name], sender=bench.coordinator)

    assert bench.epochs.pending == 0
    assert len(bench.registered()) == 2 + (name == "register")
    assert (bench.vault.read("parameter") == parameter) is (name == "updateParameter")
    bench.close()
    with refused("EpochPending", 3):
        bench.vault.send(name, *arguments[name], sender=bench.coordinator)
    bench.check()


@pytest.mark.parametrize("leverages", [("2",), ("2", "0.000001"), ("100",)])
def test_a_new_leverage_leaves_the_pending_epoch_whole(bench, leverages):
    """Alice's redemption settles with the leverage that her epoch was closed with, the next one with the new."""
    bench.enter("alice", "1000")
    bench.enter("bob", "1000")
    bench.leave("alice")
    bench.close()
    for leverage in leverages:
        for venue in bench.venues:
            bench.vault.send("updateMarket", venue.address, 1, raw(leverage), sender=bench.coordinator)
    assert [market.leverage_before for market in bench.registered()] == [LEVERAGE] * 2
    bench.commit()
    bench.settle()

    assert bench.cash("alice") == 1_000 * UNIT
    assert bench.shares("alice") == 0
    assert [venue.collateral() for venue in bench.venues] == [500 * UNIT] * 2
    bench.rebalance()
    assert [market.leverage_before for market in bench.registered()] == [0, 0]
    bench.commit()
    bench.settle()
    assert [venue.size() for venue in bench.venues] == [
        min(raw(leverages[-1]), 10**18 // (bench.venues[0].risk["margin"] * 1_500_000)) * 500 // 100
    ] * 2
    bench.check()


def test_what_has_a_weight_is_in_use(bench):
    market = bench.venues[0].address
    with refused("MarketInUse", market):
        bench.vault.send("unregister", market, sender=bench.coordinator)
    bench.vault.send("updateMarket", market, 0, LEVERAGE, sender=bench.coordinator)
    bench.vault.send("unregister", market, sender=bench.coordinator)
    assert len(bench.registered()) == 1


def test_unregister_brings_collateral_back(bench):
    first, second = bench.venues
    bench.enter("alice", "1000")
    with refused("MarketInUse", first.address):
        bench.vault.send("unregister", first.address, sender=bench.coordinator)
    bench.vault.send("updateMarket", first.address, 0, LEVERAGE, sender=bench.coordinator)
    with refused("MarketInUse", first.address):
        bench.vault.send("unregister", first.address, sender=bench.coordinator)
    bench.rebalance()
    bench.commit()
    bench.settle()
    bench.vault.send("unregister", first.address, sender=bench.coordinator)

    assert [market.market for market in bench.registered()] == [second.address]
    assert bench.books.idle == 500 * UNIT
    assert bench.assets() == 1_000 * UNIT
    assert bench.token.value("allowance", bench.vault.address, first.address) == 0
    # Nobody pays for the market that is gone.
    bench.venues.remove(first)
    bench.leave("alice")
    bench.turn()
    assert bench.cash("alice") == 1_000 * UNIT


@pytest.mark.parametrize(
    ("field", "value", "bound"),
    [
        ("minDeposit", 2**96, 2**96 - 1),
        ("depositCap", 2**96, 2**96 - 1),
        ("profitShare", 500_001, 500_000),
        ("tolerance", 500_001, 500_000),
        ("tolerance", 9_999, 10_000),
    ],
)
def test_parameters_are_bounded(bench, field, value, bound):
    fields = ("minDeposit", "depositCap", "profitShare", "tolerance")
    good = dict(zip(fields, bench.vault.read("parameter"), strict=True))

    with refused("ParameterOutOfBounds", field, value, bound):
        bench.vault.send("updateParameter", tuple((good | {field: value}).values()), sender=bench.coordinator)

    changed = tuple((good | {field: bound}).values())
    bench.vault.send("updateParameter", changed, sender=bench.coordinator)
    assert bench.vault.read("parameter") == changed


def test_the_coordinator_or_the_factorys_owner_hands_over(bench):
    bench.vault.send("updateCoordinator", ALICE, sender=bench.coordinator)
    assert bench.vault.value("coordinator") == ALICE
    bench.vault.send("updateCoordinator", BOB, sender=bench.owner)
    assert bench.vault.value("coordinator") == BOB
    with refused("ZeroAddress", "coordinator"):
        bench.vault.send("updateCoordinator", "0x" + "0" * 40, sender=BOB)


def test_rewards_of_a_market_without_any_are_nothing(bench):
    market = bench.venues[0].address

    assert bench.vault.send("claimReward", market, ALICE, sender=bench.coordinator)[0] == 0


def test_only_the_factory_sets_a_vault_up_and_once(bench):
    arguments = (bench.token.address, 1, "x", "x", BOB, (1, 1, 0, 50_000))
    with refused("NotFactory", BOB):
        bench.vault.send("initialize", *arguments, sender=BOB)
    parts = bench.protocol.factory.address, bench.vault.value("epochCode")
    code = bench.evm.deploy("Vault", ALICE, *parts, sender=ALICE)
    code.send("initialize", *arguments, sender=ALICE)
    with refused("AlreadyInitialized"):
        code.send("initialize", *arguments, sender=ALICE)


def test_what_holders_trust_the_coordinator_with(bench):
    """docs/protocol.md §12.3: fees of its own market, at a leverage that it changes, take most of what is there.

    Day by day: what was closed so is not opened again before.
    """
    bench.enter("alice", "1000")
    own = bench.open(makerFee="0.002", positionFee="1", riskFee="1")
    bench.register(own, 2**32 - 1, "1")
    for turn in range(12):
        leverage = "1" if turn % 2 else "100"
        bench.vault.send("updateMarket", own.address, 2**32 - 1, raw(leverage), sender=bench.coordinator)
        bench.pass_time(DAY)
        bench.rebalance()
        bench.commit()
        bench.settle()

    assert bench.assets() < 300 * UNIT
    bench.check()
