"""Verifier.remaining: what can still be filled (docs/protocol.md §9.2)."""

from .conftest import changed

UNIT = 10**6


def test_all_of_a_new_intent(verifier, trader):
    assert verifier.remaining(trader.intent(amount="-10").to_abi()) == 10 * UNIT


def test_what_is_left_after_fills(verifier, consume, trader):
    intent, signature = trader.signed()

    consume(intent, signature, 3 * UNIT)
    assert verifier.remaining(intent.to_abi()) == 7 * UNIT
    consume(intent, signature, 7 * UNIT)
    assert verifier.remaining(intent.to_abi()) == 0


def test_nothing_of_an_expired_one(verifier, trader, chain):
    expiry = chain.pending_timestamp + 100
    intent = trader.intent(expiry=expiry).to_abi()

    chain.mine(timestamp=expiry - 1)
    assert verifier.remaining(intent) == 10 * UNIT
    chain.mine(timestamp=expiry)
    assert verifier.remaining(intent) == 0


def test_nothing_of_a_cancelled_nonce(verifier, trader, taker):
    intent = trader.intent()

    verifier.cancelNonce(intent.common.nonce, sender=taker)

    assert verifier.remaining(intent.to_abi()) == 0


def test_nothing_of_a_cancelled_group(verifier, trader, taker):
    intent = trader.intent(group=3)

    verifier.cancelGroup(3, sender=taker)

    assert verifier.remaining(intent.to_abi()) == 0
    assert verifier.remaining(changed(intent, group=4).to_abi()) == 10 * UNIT
