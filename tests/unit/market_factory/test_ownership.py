"""MarketFactory is Ownable2Step: a new owner must accept (docs/protocol.md §2)."""

from perennial.testing.market import PROTOCOL, refused


def test_ownership_moves_in_two_steps(factory, operator, delegate, stranger):
    factory.transferOwnership(delegate, sender=operator)
    assert (factory.owner(), factory.pendingOwner()) == (operator.address, delegate.address)
    with refused("OwnableUnauthorizedAccount", stranger):
        factory.acceptOwnership(sender=stranger)
    with refused("OwnableUnauthorizedAccount", delegate):
        factory.updateParameter(PROTOCOL, sender=delegate)

    factory.acceptOwnership(sender=delegate)

    assert factory.owner() == delegate.address
    with refused("OwnableUnauthorizedAccount", operator):
        factory.updateParameter(PROTOCOL, sender=operator)
    factory.updateParameter(PROTOCOL, sender=delegate)


def test_markets_follow_the_owner(bench, factory, operator, delegate):
    factory.transferOwnership(delegate, sender=operator)
    factory.acceptOwnership(sender=delegate)

    with refused("NotOwner", operator):
        bench.market.updateBeneficiary(operator, sender=operator)
    bench.market.updateBeneficiary(operator, sender=delegate)
    with refused("NotFeeRole", bench.actors["maker"]):
        bench.market.claimFee(delegate, sender=bench.actors["maker"])
    bench.market.claimFee(delegate, sender=delegate)


def test_there_is_always_an_owner(factory, operator, stranger):
    with refused("OwnableUnauthorizedAccount", stranger):
        factory.renounceOwnership(sender=stranger)
    with refused("OwnerRequired"):
        factory.renounceOwnership(sender=operator)
    assert factory.owner() == operator.address
