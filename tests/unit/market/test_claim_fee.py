"""Market.claimFee: who gets what was collected (docs/protocol.md §8)."""

import pytest

from perennial.amounts import raw
from perennial.testing.anvil import NOBODY
from perennial.testing.market import event, refused


@pytest.fixture
def collected(create_market, taker):
    """Fees of 100 and a settlement fee of 1.5, to be split as in the worked example."""

    def create(decimals=18):
        bench = create_market(
            decimals=decimals, takerFee="0.1", positionFee="1", settlementFee="1.5", oracleFee="0.2", riskFee="0.5"
        )
        bench.change_protocol(protocolFee="0.1")
        bench.change(settlementFee="0")
        bench.fill(maker="100")
        bench.change(settlementFee="1.5")
        bench.open(taker, long="10", collateral="1000")
        bench.commit("100")
        bench.settle(taker)
        return bench

    return create


def test_fees_are_split(collected):
    bench = collected()
    assert bench.market.fees() == (raw("10"), raw("19.5"), raw("45"), raw("27"))
    bench.check(dust=0)


@pytest.mark.parametrize("decimals", [6, 8, 18])
def test_each_role_claims_its_own(collected, operator, coordinator, beneficiary, stranger, decimals):
    bench = collected(decimals)
    shares = ((operator, "10"), (coordinator, "45"), (beneficiary, "27"))
    rest = [raw("10"), raw("19.5"), raw("45"), raw("27")]
    for index, (role, share) in zip((0, 2, 3), shares, strict=True):
        before = bench.token.balanceOf(stranger)
        assert bench.market.read("claimFee", stranger, sender=role) == raw(share)

        receipt = bench.market.claimFee(stranger, sender=role)

        assert receipt.events == [event("FeeClaimed", caller=role, receiver=stranger, amount=share)]
        assert bench.token.balanceOf(stranger) == before + raw(share) * 10 ** (decimals - 6)
        rest[index] = 0
        assert bench.market.fees() == tuple(rest)
        bench.check(dust=0)


def test_oracle_factory_claims_the_oracle_fee(collected, stranger):
    bench = collected()
    oracle_factory = bench.factory.oracleFactory()
    bench.anvil.rpc("anvil_impersonateAccount", oracle_factory)
    before = bench.held(stranger)

    receipt = bench.market.claimFee(stranger, sender=oracle_factory)

    assert receipt.events == [event("FeeClaimed", caller=oracle_factory, receiver=stranger, amount="19.5")]
    assert bench.held(stranger) == before + raw("19.5")
    assert bench.market.fees() == (raw("10"), 0, raw("45"), raw("27"))
    assert bench.market.settlementFeesTotal() == raw("1.5")
    bench.check(dust=0)


def test_one_claim_for_all_roles_of_the_caller(collected, operator, coordinator):
    bench = collected()
    bench.market.updateCoordinator(operator, sender=coordinator)
    bench.market.updateBeneficiary(operator, sender=operator)

    receipt = bench.market.claimFee(operator, sender=operator)

    assert receipt.events == [event("FeeClaimed", caller=operator, receiver=operator, amount="82")]
    assert bench.market.fees() == (0, raw("19.5"), 0, 0)
    bench.check(dust=0)


def test_claim_of_nothing(bench, coordinator, stranger):
    receipt = bench.market.claimFee(stranger, sender=coordinator)
    assert receipt.events == [event("FeeClaimed", caller=coordinator, receiver=stranger, amount=0)]


def test_claim_twice(collected, coordinator):
    bench = collected()
    bench.market.claimFee(coordinator, sender=coordinator)
    assert bench.market.claimFee(coordinator, sender=coordinator).events[0].values["amount"] == 0


@pytest.mark.parametrize("role", ["maker", "taker", "keeper", "delegate", "stranger"])
def test_claim_without_a_role(collected, actors, role):
    bench = collected()
    with refused("NotFeeRole", actors[role]):
        bench.market.claimFee(actors[role], sender=actors[role])


def test_operator_of_a_role_may_not_claim_its_fees(collected, coordinator, delegate):
    bench = collected()
    bench.factory.updateOperator(delegate, True, sender=coordinator)
    with refused("NotFeeRole", delegate):
        bench.market.claimFee(delegate, sender=delegate)


def test_fees_of_a_market_without_coordinator_stay(collected, coordinator):
    bench = collected()
    bench.market.updateCoordinator(NOBODY, sender=coordinator)
    with refused("NotFeeRole", coordinator):
        bench.market.claimFee(coordinator, sender=coordinator)
    assert bench.market.fees().risk == raw("45")


def test_claim_that_the_market_cannot_pay(create_market, taker, maker, coordinator):
    bench = create_market(takerFee="0.1", positionFee="1", riskFee="1")
    bench.fill(maker="10", collateral="100")
    bench.open(taker, long="1", collateral="20")
    bench.commit("100")
    # The taker's fee of 10 is the coordinator's; a loss of 60 leaves it 50 short, which the maker has withdrawn.
    bench.commit("40")
    bench.settle(taker, maker)
    bench.close(maker)
    bench.commit("40")
    bench.withdraw(maker, "115")
    assert (bench.market.shortfall(), bench.tokens) == (raw("50"), raw("5"))

    with refused("InsufficientTokens", "5", "10"):
        bench.market.claimFee(coordinator, sender=coordinator)
    assert bench.market.fees().risk == raw("10")
    bench.check()

    bench.deposit(taker, "50")
    bench.market.claimFee(coordinator, sender=coordinator)
    bench.check()


def test_split_uses_the_parameters_in_force_when_a_version_settled(create_market, taker):
    bench = create_market(takerFee="0.1", positionFee="1", riskFee="1")
    bench.fill(maker="100", collateral="100000")
    bench.open(taker, long="1", collateral="100")
    bench.commit("100")
    # This settles the version first: its 10 are the coordinator's.
    bench.change(riskFee="0", oracleFee="1")
    bench.open(taker, long="1", collateral="100")
    bench.commit("100")
    bench.change(riskFee="0", oracleFee="0")
    bench.open(taker, long="1", collateral="100")
    bench.commit("100")
    bench.settle(taker)

    assert bench.market.fees() == (0, raw("10"), raw("10"), raw("10"))
    bench.check(dust=0)


def test_protocol_fee_applies_from_the_next_settlement_on(create_market, taker):
    bench = create_market(takerFee="0.1", positionFee="1")
    bench.fill(maker="100", collateral="100000")
    bench.open(taker, long="1", collateral="100")
    bench.commit("100")
    bench.settle(taker)
    bench.change_protocol(protocolFee="0.1")
    assert bench.market.fees() == (0, 0, 0, raw("10"))

    bench.open(taker, long="1", collateral="100")
    bench.commit("100")
    bench.settle(taker)
    assert bench.market.fees() == (raw("1"), 0, 0, raw("19"))
    bench.change_protocol(protocolFee="0")
    bench.commit("100")
    bench.settle(taker)
    assert bench.market.fees() == (raw("1"), 0, 0, raw("19"))
    bench.check(dust=0)


def test_rounding_of_the_split_goes_to_the_donation(create_market, taker):
    bench = create_market(takerFee="0.000001", positionFee="1", oracleFee="0.333333", riskFee="0.333333")
    bench.change_protocol(protocolFee="0.333333")
    bench.fill(maker="100")
    # 0.000008 on 8 of size at 1: 2 to the protocol, 1 and 1 of the 6 that are left.
    bench.commit("1")
    bench.open(taker, long="8", collateral="100")
    bench.commit("1")
    bench.settle(taker)
    assert bench.market.fees() == (2, 1, 1, 4)
    bench.check()


def test_claim_in_a_pause(collected, operator, keeper, coordinator):
    bench = collected()
    bench.factory.updatePauser(keeper, sender=operator)
    bench.factory.pause(sender=keeper)

    with refused("MarketPaused"):
        bench.market.claimFee(coordinator, sender=coordinator)
    # The OracleFactory is the caller, not the owner that asks it.
    with refused("MarketPaused"):
        bench.oracle_factory.claimOracleFee(bench.market, operator, sender=operator)
    assert bench.market.claimFee(operator, sender=operator).events[0].values["amount"] == raw("10")
