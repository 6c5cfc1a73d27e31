"""Market.updateCoordinator (docs/protocol.md §2)."""

from perennial.testing.anvil import NOBODY
from perennial.testing.market import event, refused


def test_coordinator_hands_over(bench, coordinator, delegate):
    assert bench.market.coordinator() == coordinator.address

    receipt = bench.market.updateCoordinator(delegate, sender=coordinator)

    assert receipt.events == [event("CoordinatorUpdated", coordinator=delegate)]
    assert bench.market.coordinator() == delegate.address
    with refused("NotCoordinator", coordinator):
        bench.market.updateCoordinator(coordinator, sender=coordinator)
    bench.market.updateCoordinator(coordinator, sender=delegate)


def test_owner_hands_over(bench, operator, delegate):
    bench.market.updateCoordinator(delegate, sender=operator)
    assert bench.market.coordinator() == delegate.address


def test_stranger_may_not(bench, stranger):
    with refused("NotCoordinator", stranger):
        bench.market.updateCoordinator(stranger, sender=stranger)


def test_operator_of_the_coordinator_may_not(bench, coordinator, delegate):
    bench.factory.updateOperator(delegate, True, sender=coordinator)
    with refused("NotCoordinator", delegate):
        bench.market.updateCoordinator(delegate, sender=delegate)


def test_nobody_leaves_the_risk_parameters_to_the_owner(bench, operator, coordinator):
    bench.market.updateCoordinator(NOBODY, sender=coordinator)

    with refused("NotCoordinator", coordinator):
        bench.market.updateRiskParameter(bench.market.riskParameter(), sender=coordinator)
    bench.market.updateRiskParameter(bench.market.riskParameter(), sender=operator)


def test_pause_stops_the_coordinator(bench, operator, keeper, coordinator):
    bench.factory.updatePauser(keeper, sender=operator)
    bench.factory.pause(sender=keeper)
    with refused("MarketPaused"):
        bench.market.updateCoordinator(coordinator, sender=coordinator)
    bench.market.updateCoordinator(coordinator, sender=operator)
