"""Pitfalls of signatures, on the Verifier."""

import pytest
from ape import reverts

from perennial.intents import Domain, GroupCancellation, Intent, NonceCancellation, sign

LATER = 2**40


@pytest.fixture
def attacker(accounts):
    return accounts[5]


@pytest.fixture
def domain(protocol, chain):
    return Domain(chain.chain_id, protocol.verifier.address)


class TestSV23M9:
    """S-V23-M9: anyone burns another account's nonces and groups, signing as a signer that nobody approved."""

    @pytest.mark.parametrize("consumer", ["attacker", "verifier"])
    def test_nonce(self, protocol, domain, attacker, taker, consumer):
        verifier = protocol.verifier
        where = attacker if consumer == "attacker" else verifier
        message = NonceCancellation.build(verifier=where, account=taker, signer=attacker.address, nonce=7, expiry=LATER)

        error = verifier.WrongDomain if consumer == "attacker" else verifier.SignerNotAuthorised
        with reverts(error):
            verifier.cancelNonceWithSignature(message.to_abi(), sign(message, domain, attacker), sender=attacker)
        with reverts(verifier.SignerNotAuthorised):
            verifier.cancelNonceOf(taker, 7, sender=attacker)

        assert not verifier.nonceCancelled(taker, 7)

    def test_group(self, protocol, domain, attacker, taker):
        verifier = protocol.verifier
        message = GroupCancellation.build(
            verifier=verifier, account=taker, signer=attacker.address, group=7, nonce=8, expiry=LATER
        )

        with reverts(verifier.SignerNotAuthorised):
            verifier.cancelGroupWithSignature(message.to_abi(), sign(message, domain, attacker), sender=attacker)
        with reverts(verifier.SignerNotAuthorised):
            verifier.cancelGroupOf(taker, 7, sender=attacker)

        assert not verifier.groupCancelled(taker, 7)
        assert not verifier.nonceCancelled(taker, 8)

    def test_an_intent_in_another_name(self, protocol, domain, attacker, taker):
        """The same through consume, where the attacker itself is the contract that the intent names."""
        verifier = protocol.verifier
        intent = Intent.build(
            market=attacker, account=taker, signer=attacker.address, amount=1, price=1, expiry=LATER, nonce=7
        )

        with reverts(verifier.SignerNotAuthorised):
            verifier.consume(intent.to_abi(), sign(intent, domain, attacker), 1_000_000, sender=attacker)

        assert verifier.remaining(intent.to_abi()) == 1_000_000
