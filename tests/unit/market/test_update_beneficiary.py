"""Market.updateBeneficiary (docs/protocol.md §2)."""

import pytest

from perennial.testing.anvil import NOBODY
from perennial.testing.market import event, refused


def test_owner_names_the_beneficiary(bench, operator, beneficiary, delegate):
    assert bench.market.beneficiary() == beneficiary.address

    receipt = bench.market.updateBeneficiary(delegate, sender=operator)

    assert receipt.events == [event("BeneficiaryUpdated", beneficiary=delegate)]
    assert bench.market.beneficiary() == delegate.address
    with refused("NotFeeRole", beneficiary):
        bench.market.claimFee(beneficiary, sender=beneficiary)
    bench.market.claimFee(delegate, sender=delegate)


@pytest.mark.parametrize("role", ["coordinator", "beneficiary", "stranger"])
def test_nobody_else_may(bench, actors, role):
    with refused("NotOwner", actors[role]):
        bench.market.updateBeneficiary(actors[role], sender=actors[role])


def test_beneficiary_cannot_be_nobody(bench, operator):
    with refused("ZeroBeneficiary"):
        bench.market.updateBeneficiary(NOBODY, sender=operator)


def test_pause_does_not_stop_the_owner(bench, operator, keeper, delegate):
    bench.factory.updatePauser(keeper, sender=operator)
    bench.factory.pause(sender=keeper)
    bench.market.updateBeneficiary(delegate, sender=operator)
    assert bench.market.beneficiary() == delegate.address
