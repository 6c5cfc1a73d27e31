"""MarketFactory.pause, unpause, updatePauser (docs/protocol.md §2)."""

import pytest

from perennial.testing.anvil import NOBODY
from perennial.testing.market import event, refused


@pytest.fixture
def guarded(factory, operator, keeper):
    factory.updatePauser(keeper, sender=operator)
    return factory


def test_owner_names_the_pauser(factory, operator, keeper):
    assert factory.pauser() == NOBODY
    receipt = factory.updatePauser(keeper, sender=operator)
    assert receipt.events == [event("PauserUpdated", pauser=keeper)]
    assert factory.pauser() == keeper.address


@pytest.mark.parametrize("role", ["keeper", "coordinator", "stranger"])
def test_nobody_else_names_the_pauser(guarded, actors, role):
    with refused("OwnableUnauthorizedAccount", actors[role]):
        guarded.updatePauser(actors[role], sender=actors[role])


def test_pause_and_unpause(guarded, keeper):
    assert guarded.pause(sender=keeper).events == [event("Paused")]
    assert guarded.paused()
    assert guarded.status().isPaused
    assert guarded.unpause(sender=keeper).events == [event("Unpaused")]
    assert not guarded.paused()


def test_pause_by_others(guarded, operator, stranger):
    # Not even the owner: a pause is the pauser's decision.
    for role in (operator, stranger):
        with refused("NotPauser", role):
            guarded.pause(sender=role)


def test_pause_before_there_is_a_pauser(factory, operator):
    with refused("NotPauser", operator):
        factory.pause(sender=operator)


def test_unpause_by_the_owner(guarded, operator, keeper, stranger):
    guarded.pause(sender=keeper)
    with refused("NotPauser", stranger):
        guarded.unpause(sender=stranger)
    guarded.unpause(sender=operator)
    assert not guarded.paused()


def test_former_pauser(guarded, operator, keeper, delegate):
    guarded.updatePauser(delegate, sender=operator)
    with refused("NotPauser", keeper):
        guarded.pause(sender=keeper)
    guarded.pause(sender=delegate)
    with refused("NotPauser", keeper):
        guarded.unpause(sender=keeper)


def test_pause_keeps_protocol_fee_and_implementation(guarded, operator, keeper, bench):
    bench.change_protocol(protocolFee="0.1")
    implementation = guarded.implementation()
    guarded.pause(sender=keeper)
    assert guarded.status() == (100_000, True)
    assert guarded.implementation() == implementation
    guarded.unpause(sender=operator)
    assert guarded.status() == (100_000, False)


def test_views_stay_open_in_a_pause(guarded, keeper, bench, taker):
    bench.deposit(taker, "10")
    guarded.pause(sender=keeper)
    assert bench.market.collateral(taker) == 10_000_000
    assert bench.market.requirement(taker) == (10_000_000, 0, 0)
    assert bench.market.fees() == (0, 0, 0, 0)


def test_market_goes_on_after_a_pause_as_if_there_was_none(guarded, keeper, create_market, taker):
    bench = create_market(pController={"max": "2.5"})
    bench.fill(maker="10", long="5")
    bench.close(taker, "1")
    guarded.pause(sender=keeper)
    with refused("MarketPaused"):
        bench.settle(taker)
    bench.commit("110")
    bench.commit("120")
    guarded.unpause(sender=keeper)
    bench.settle()
    # 5 from 100 to 110, 4 from 110 to 120.
    assert abs(bench.market.collateral(taker) - 10_090_000_000) < 1000
    bench.check()
