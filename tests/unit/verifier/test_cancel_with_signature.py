"""Verifier.cancel{Nonce,Group}WithSignature: cancelling by a relayed message (docs/protocol.md §9.6)."""

from dataclasses import replace

import pytest
from ape import reverts

from perennial.intents import GroupCancellation, NonceCancellation

from .conftest import LATER

NONCE, GROUP = 77, 88


@pytest.fixture(params=["cancelNonceWithSignature", "cancelGroupWithSignature"])
def kind(request):
    return request.param


@pytest.fixture
def cancellation(kind, verifier, taker):
    """A message of the taker's, in group 5."""

    def build(account=taker, **changes):
        common = {"verifier": verifier, "account": account, "nonce": NONCE, "expiry": LATER, **changes}
        if kind == "cancelNonceWithSignature":
            return NonceCancellation.build(**{"group": 5, **common})
        return GroupCancellation.build(**{"group": GROUP, "own_group": common.pop("group", 5), **common})

    return build


@pytest.fixture
def relay(verifier, kind, keeper):
    """The keeper relays, whoever signed."""

    def relay(message, signature):
        return getattr(verifier, kind)(message.to_abi(), signature, sender=keeper)

    return relay


def test_cancels_and_uses_its_nonce_up(verifier, relay, cancellation, kind, trader, taker, keeper):
    message = cancellation()

    receipt = relay(message, trader.sign(message))

    [log] = receipt.decode_logs(verifier.NonceCancelled)
    assert (log.account, log.nonce) == (taker, NONCE)
    assert verifier.nonceCancelled(taker, NONCE)
    assert not verifier.nonceCancelled(keeper, NONCE)
    assert verifier.groupCancelled(taker, GROUP) == (kind == "cancelGroupWithSignature")
    assert not verifier.groupCancelled(taker, 5)


def test_replay(verifier, relay, cancellation, trader, taker):
    message = cancellation()
    relay(message, trader.sign(message))

    inputs = {"account": taker.address, "nonce": NONCE}
    with reverts(verifier.NonceAlreadyCancelled, error_inputs=inputs):
        relay(message, trader.sign(message))


def test_an_approved_signer(verifier, relay, cancellation, helper, approved, signer, taker):  # noqa: ARG001
    message = cancellation(signer=signer)

    relay(message, helper.sign(message))

    assert verifier.nonceCancelled(taker, NONCE)


def test_another_signer(verifier, relay, cancellation, helper, signer, taker):
    message = cancellation(signer=signer)

    inputs = {"account": taker.address, "signer": signer.address}
    with reverts(verifier.SignerNotAuthorised, error_inputs=inputs):
        relay(message, helper.sign(message))
    assert not verifier.nonceCancelled(taker, NONCE)


def test_somebody_elses_signature(verifier, relay, cancellation, helper, signer):
    signature = helper.sign(cancellation(account=signer))

    with reverts(verifier.WrongSignature):
        relay(cancellation(), signature)


def test_contract_wallet(verifier, relay, cancellation, trader, wallet):
    message = cancellation(account=wallet)

    relay(message, trader.sign_for_wallet(message) + b"\1")

    assert verifier.nonceCancelled(wallet, NONCE)


def test_expired(verifier, relay, cancellation, trader, chain):
    message = cancellation(expiry=chain.pending_timestamp)

    with reverts(verifier.MessageExpired):
        relay(message, trader.sign(message))


def test_domain_is_the_verifier(verifier, relay, cancellation, trader, market):
    """What a market may consume does not cancel, nor the other way round."""
    message = cancellation(verifier=market)

    inputs = {"domain": market.address, "consumer": verifier.address}
    with reverts(verifier.WrongDomain, error_inputs=inputs):
        relay(message, trader.sign(message))


def test_group_of_the_message_was_cancelled(verifier, relay, cancellation, trader, taker):
    verifier.cancelGroup(5, sender=taker)
    message = cancellation()

    inputs = {"account": taker.address, "group": 5}
    with reverts(verifier.GroupAlreadyCancelled, error_inputs=inputs):
        relay(message, trader.sign(message))


def test_the_group_to_cancel_is_signed(verifier, trader, taker, keeper):
    message = GroupCancellation.build(verifier=verifier, account=taker, group=GROUP, expiry=LATER)
    signature = trader.sign(message)

    with reverts(verifier.WrongSignature):
        verifier.cancelGroupWithSignature(replace(message, group=GROUP + 1).to_abi(), signature, sender=keeper)
