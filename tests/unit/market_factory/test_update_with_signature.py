"""MarketFactory.update{Operator,Signer}WithSignature and their batches: relayed approvals (docs/protocol.md §9.6)."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from ape import reverts

from perennial.intents import Domain, NonceCancellation, OperatorUpdate, SignerUpdate, sign

LATER = 2**40


@dataclass
class Kind:
    """One of the two kinds of approvals: how it is built, relayed and read."""

    factory: Any
    domain: Domain
    relayer: Any
    role: str

    def build(self, account, helper, approved=True, **changes):
        update: Any = OperatorUpdate if self.role == "operator" else SignerUpdate
        values = {"factory": self.factory, "account": account, "expiry": LATER, "approved": approved, **changes}
        return update.build(**{self.role: helper, **values})

    def sign(self, message, key, **options):
        return sign(message, self.domain, key, **options)

    def relay(self, message, signature):
        call = getattr(self.factory, f"update{self.role.title()}WithSignature")
        return call(message.to_abi(), signature, sender=self.relayer)

    def relay_batch(self, messages, signatures):
        call = getattr(self.factory, f"update{self.role.title()}BatchWithSignatures")
        return call([message.to_abi() for message in messages], signatures, sender=self.relayer)

    def approves(self, account, helper):
        return getattr(self.factory, f"{self.role}s")(account, helper)

    @property
    def event(self):
        return getattr(self.factory, f"{self.role.title()}Updated")


@pytest.fixture(scope="session")
def helper(accounts):
    """Is to operate or sign for the taker."""
    return accounts[5]


@pytest.fixture(params=["operator", "signer"])
def kind(request, protocol, chain, keeper):
    domain = Domain(chain.chain_id, protocol.verifier.address)
    return Kind(protocol.market_factory, domain, keeper, request.param)


def test_approves_and_dismisses(kind, taker, helper):
    message = kind.build(taker, helper)
    [log] = kind.relay(message, kind.sign(message, taker)).decode_logs(kind.event)
    assert (log.account, getattr(log, kind.role), log.approved) == (taker, helper, True)
    assert kind.approves(taker, helper)
    assert not kind.approves(kind.relayer, helper)

    message = kind.build(taker, helper, approved=False)
    [log] = kind.relay(message, kind.sign(message, taker)).decode_logs(kind.event)
    assert not log.approved
    assert not kind.approves(taker, helper)


def test_one_kind_is_not_the_other(kind, protocol, taker, helper):
    message = kind.build(taker, helper)
    kind.relay(message, kind.sign(message, taker))

    other = protocol.market_factory.signers if kind.role == "operator" else protocol.market_factory.operators
    assert not other(taker, helper)


def test_replay(kind, protocol, taker, helper):
    """An old approval does not come back after its end."""
    message = kind.build(taker, helper, nonce=9)
    signature = kind.sign(message, taker)
    kind.relay(message, signature)
    ending = kind.build(taker, helper, approved=False)
    kind.relay(ending, kind.sign(ending, taker))

    with reverts(protocol.verifier.NonceAlreadyCancelled, error_inputs={"account": taker.address, "nonce": 9}):
        kind.relay(message, signature)


def test_cancelled_before(kind, protocol, taker, helper):
    message = kind.build(taker, helper, nonce=9)
    protocol.verifier.cancelNonce(9, sender=taker)

    with reverts(protocol.verifier.NonceAlreadyCancelled):
        kind.relay(message, kind.sign(message, taker))


def test_an_approved_signer_approves_nobody(kind, protocol, taker, helper):
    protocol.market_factory.updateSigner(helper, True, sender=taker)
    message = kind.build(taker, helper)
    message = replace(message, common=replace(message.common, signer=helper.address))

    inputs = {"account": taker.address, "signer": helper.address}
    with reverts(protocol.verifier.SignerNotAuthorised, error_inputs=inputs):
        kind.relay(message, kind.sign(message, helper))


def test_somebody_elses_signature(kind, protocol, taker, helper):
    signature = kind.sign(kind.build(helper, helper), helper)

    with reverts(protocol.verifier.WrongSignature):
        kind.relay(kind.build(taker, helper), signature)


@pytest.mark.parametrize("change", [{"approved": False}, {"helper": "0x" + "11" * 20}])
def test_every_field_is_signed(kind, protocol, taker, helper, change):
    signature = kind.sign(kind.build(taker, helper, nonce=1), taker)

    with reverts(protocol.verifier.WrongSignature):
        kind.relay(kind.build(taker, change.get("helper", helper), change.get("approved", True), nonce=1), signature)


def test_expired(kind, protocol, taker, helper, chain):
    message = kind.build(taker, helper, expiry=chain.pending_timestamp)

    with reverts(protocol.verifier.MessageExpired):
        kind.relay(message, kind.sign(message, taker))


def test_domain_is_the_factory(kind, protocol, taker, helper):
    message = kind.build(taker, helper, factory=protocol.verifier)

    inputs = {"domain": protocol.verifier.address, "consumer": protocol.market_factory.address}
    with reverts(protocol.verifier.WrongDomain, error_inputs=inputs):
        kind.relay(message, kind.sign(message, taker))


def test_only_the_factory_consumes(kind, protocol, taker, helper, keeper):
    """Who relays to the Verifier itself would use the nonce up and approve nothing."""
    message = kind.build(taker, helper)
    call = getattr(protocol.verifier, f"consume{kind.role.title()}Update")

    with reverts(protocol.verifier.NotMarketFactory, error_inputs={"caller": keeper.address}):
        call(message.to_abi(), kind.sign(message, taker), sender=keeper)


def test_no_other_message_of_the_same_content(kind, protocol, taker, helper):
    """The struct's name is signed: an approval of a signer does not make an operator."""
    other = SignerUpdate if kind.role == "operator" else OperatorUpdate
    message = kind.build(taker, helper)
    signature = kind.sign(other(helper.address, True, message.common), taker)

    with reverts(protocol.verifier.WrongSignature):
        kind.relay(message, signature)


def test_contract_wallet(kind, project, taker, helper):
    wallet = taker.deploy(project.MockWallet, taker)
    message = kind.build(wallet, helper)

    kind.relay(message, kind.sign(message, taker, contract_wallet=True) + b"\1")

    assert kind.approves(wallet, helper)


def test_paused(kind, protocol, taker, helper, operator):
    protocol.market_factory.updatePauser(operator, sender=operator)
    protocol.market_factory.pause(sender=operator)
    message = kind.build(taker, helper)
    signature = kind.sign(message, taker)

    with reverts(protocol.market_factory.FactoryPaused):
        kind.relay(message, signature)
    with reverts(protocol.market_factory.FactoryPaused):
        kind.relay_batch([message], [signature])


class TestBatch:
    def test_of_several_accounts(self, kind, taker, maker, helper, keeper):
        messages = [kind.build(taker, helper), kind.build(maker, keeper)]
        signatures = [kind.sign(messages[0], taker), kind.sign(messages[1], maker)]

        receipt = kind.relay_batch(messages, signatures)

        assert [log.account for log in receipt.decode_logs(kind.event)] == [taker, maker]
        assert kind.approves(taker, helper)
        assert kind.approves(maker, keeper)

    def test_all_or_none(self, kind, protocol, taker, maker, helper):
        messages = [kind.build(taker, helper, nonce=1), kind.build(maker, helper, nonce=1)]
        signatures = [kind.sign(messages[0], taker)] * 2

        with reverts(protocol.verifier.WrongSignature):
            kind.relay_batch(messages, signatures)
        assert not kind.approves(taker, helper)
        assert not protocol.verifier.nonceCancelled(taker, 1)

    def test_a_signature_for_each(self, kind, taker, helper):
        message = kind.build(taker, helper)

        with reverts(kind.factory.LengthMismatch, error_inputs={"updates": 1, "signatures": 2}):
            kind.relay_batch([message], [kind.sign(message, taker)] * 2)


def test_what_is_for_the_factory_cancels_nothing(protocol, kind, taker, keeper):
    """Each contract consumes what names it, whatever the kind of message."""
    message = NonceCancellation.build(verifier=kind.factory, account=taker, nonce=1, expiry=LATER)

    with reverts(protocol.verifier.WrongDomain):
        protocol.verifier.cancelNonceWithSignature(message.to_abi(), kind.sign(message, taker), sender=keeper)
