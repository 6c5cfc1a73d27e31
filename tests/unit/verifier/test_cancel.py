"""Verifier.cancelNonce, cancelGroup and their kinds for signers: cancelling directly (docs/protocol.md §9.6)."""

import pytest
from ape import reverts


@pytest.mark.parametrize("number", [0, 1, 255, 256, 2**256 - 1])
def test_nonce(verifier, taker, maker, number):
    receipt = verifier.cancelNonce(number, sender=taker)

    [log] = receipt.decode_logs(verifier.NonceCancelled)
    assert (log.account, log.nonce) == (taker, number)
    assert verifier.nonceCancelled(taker, number)
    assert not verifier.nonceCancelled(taker, number ^ 1)
    assert not verifier.nonceCancelled(maker, number)
    assert not verifier.groupCancelled(taker, number)


@pytest.mark.parametrize("number", [0, 1, 255, 256, 2**256 - 1])
def test_group(verifier, taker, maker, number):
    receipt = verifier.cancelGroup(number, sender=taker)

    [log] = receipt.decode_logs(verifier.GroupCancelled)
    assert (log.account, log.group) == (taker, number)
    assert verifier.groupCancelled(taker, number)
    assert not verifier.groupCancelled(taker, number ^ 1)
    assert not verifier.groupCancelled(maker, number)
    assert not verifier.nonceCancelled(taker, number)


def test_again_changes_nothing(verifier, taker):
    verifier.cancelNonce(1, sender=taker)
    verifier.cancelGroup(1, sender=taker)

    verifier.cancelNonce(1, sender=taker)
    verifier.cancelGroup(1, sender=taker)

    assert verifier.nonceCancelled(taker, 1)
    assert verifier.groupCancelled(taker, 1)


def test_an_approved_signer_cancels_for_the_account(verifier, taker, signer, approved):  # noqa: ARG001
    verifier.cancelNonceOf(taker, 1, sender=signer)
    verifier.cancelGroupOf(taker, 2, sender=signer)

    assert verifier.nonceCancelled(taker, 1)
    assert verifier.groupCancelled(taker, 2)
    assert not verifier.nonceCancelled(signer, 1)


def test_nobody_else_does(verifier, protocol, taker, keeper):
    protocol.market_factory.updateOperator(keeper, True, sender=taker)

    inputs = {"account": taker.address, "signer": keeper.address}
    with reverts(verifier.SignerNotAuthorised, error_inputs=inputs):
        verifier.cancelNonceOf(taker, 1, sender=keeper)
    with reverts(verifier.SignerNotAuthorised, error_inputs=inputs):
        verifier.cancelGroupOf(taker, 1, sender=keeper)


def test_the_next_nonces_share_a_slot(verifier, taker):
    verifier.cancelNonce(512, sender=taker)

    assert verifier.cancelNonce(513, sender=taker).gas_used < 31_000
