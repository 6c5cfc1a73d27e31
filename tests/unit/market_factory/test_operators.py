"""MarketFactory.updateOperator and updateSigner (docs/protocol.md §2)."""

import pytest

from perennial.testing.market import event, refused


@pytest.mark.parametrize(
    ("update", "approvals", "name", "field"),
    [
        pytest.param("updateOperator", "operators", "OperatorUpdated", "operator", id="operator"),
        pytest.param("updateSigner", "signers", "SignerUpdated", "signer", id="signer"),
    ],
)
def test_account_approves_and_dismisses(factory, taker, delegate, stranger, update, approvals, name, field):
    def approved(account, other):
        return getattr(factory, approvals)(account, other)

    assert not approved(taker, delegate)
    receipt = getattr(factory, update)(delegate, True, sender=taker)
    assert receipt.events == [event(name, account=taker, approved=True, **{field: delegate})]
    assert approved(taker, delegate)
    # One way only, and for nobody else.
    assert not approved(delegate, taker)
    assert not approved(stranger, delegate)
    assert not approved(taker, stranger)

    receipt = getattr(factory, update)(delegate, False, sender=taker)
    assert receipt.events == [event(name, account=taker, approved=False, **{field: delegate})]
    assert not approved(taker, delegate)


def test_operators_and_signers_are_kept_apart(factory, taker, delegate, keeper):
    factory.updateOperator(delegate, True, sender=taker)
    factory.updateSigner(keeper, True, sender=taker)
    assert not factory.signers(taker, delegate)
    assert not factory.operators(taker, keeper)


def test_operator_acts_in_every_market(create_market, taker, delegate):
    markets = [create_market() for _ in range(2)]
    for bench in markets:
        bench.fill(maker="10")
        with refused("NotOperator", taker, delegate):
            bench.open(taker, long="1", collateral="100", sender=delegate)
    markets[0].factory.updateOperator(delegate, True, sender=taker)
    for bench in markets:
        bench.open(taker, long="1", collateral="100", sender=delegate)


def test_signer_is_no_operator(bench, taker, delegate):
    bench.factory.updateSigner(delegate, True, sender=taker)
    bench.deposit(taker, "10")
    with refused("NotOperator", taker, delegate):
        bench.withdraw(taker, "1", sender=delegate)
    with refused("NotOperator", taker, delegate):
        bench.market.claim(taker, delegate, sender=delegate)


def test_approvals_in_a_pause(factory, operator, keeper, taker, delegate):
    # What an account does with its approvals moves nothing: it may dismiss an operator at any time.
    factory.updateOperator(delegate, True, sender=taker)
    factory.updatePauser(keeper, sender=operator)
    factory.pause(sender=keeper)
    factory.updateOperator(delegate, False, sender=taker)
    factory.updateSigner(delegate, True, sender=taker)
    assert not factory.operators(taker, delegate)
