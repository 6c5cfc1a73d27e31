"""Verifier.consume: what a signature of an intent must be, and how far it is filled (docs/protocol.md §9.2, §9.5)."""

from dataclasses import replace

import pytest
from ape import reverts

from perennial.intents import Domain, message_hash, sign
from perennial.intents.signing import ORDER

from .conftest import changed

UNIT = 10**6
MIN = -(2**255)


@pytest.mark.parametrize("amount", ["10", "-10"])
def test_counts_what_is_filled(verifier, consume, trader, amount):
    intent, signature = trader.signed(amount=amount)
    digest = message_hash(intent, trader.domain)

    consume(intent, signature, 4 * UNIT)
    consume(intent, signature, 1 * UNIT)

    assert verifier.filled(digest) == 5 * UNIT
    assert verifier.remaining(intent.to_abi()) == 5 * UNIT


def test_the_largest_amount(verifier, consume, trader):
    intent = changed(trader.intent(), amount=MIN)

    consume(intent, trader.sign(intent), 2**255)

    assert verifier.remaining(intent.to_abi()) == 0


class TestOverFilled:
    def test_at_once(self, verifier, consume, trader):
        intent, signature = trader.signed()
        inputs = {"hash": message_hash(intent, trader.domain), "size": 10 * UNIT + 1, "remaining": 10 * UNIT}

        with reverts(verifier.OverFilled, error_inputs=inputs):
            consume(intent, signature, 10 * UNIT + 1)

    def test_in_parts(self, verifier, consume, trader):
        intent, signature = trader.signed()
        consume(intent, signature, 6 * UNIT)
        inputs = {"hash": message_hash(intent, trader.domain), "size": 4 * UNIT + 1, "remaining": 4 * UNIT}

        with reverts(verifier.OverFilled, error_inputs=inputs):
            consume(intent, signature, 4 * UNIT + 1)

    def test_a_full_intent_is_no_more_replayed(self, verifier, consume, trader):
        intent, signature = trader.signed()
        consume(intent, signature, 10 * UNIT)

        with reverts(verifier.OverFilled):
            consume(intent, signature, 1)

    def test_another_signature_of_the_same_intent_adds_nothing(self, verifier, consume, trader, wallet):
        """ERC-1271 wallets accept many signatures of one message: filled is counted by what was signed."""
        intent = trader.intent(account=wallet.address, signer=wallet.address)
        consume(intent, trader.sign_for_wallet(intent) + b"\1", 10 * UNIT)

        with reverts(verifier.OverFilled):
            consume(intent, trader.sign_for_wallet(intent) + b"\2", 10 * UNIT)


class TestTooSmall:
    def test_a_tenth_is_enough(self, verifier, consume, trader):
        intent, signature = trader.signed()

        consume(intent, signature, UNIT)

        assert verifier.remaining(intent.to_abi()) == 9 * UNIT

    def test_less_is_refused(self, verifier, consume, trader):
        intent, signature = trader.signed()

        with reverts(verifier.FillTooSmall, error_inputs={"size": UNIT - 1, "minimum": UNIT}):
            consume(intent, signature, UNIT - 1)

    def test_a_tenth_is_rounded_up(self, verifier, consume, trader):
        intent, signature = trader.signed(amount="0.000011")

        with reverts(verifier.FillTooSmall, error_inputs={"size": 1, "minimum": 2}):
            consume(intent, signature, 1)

    def test_what_remains_may_be_less(self, verifier, consume, trader):
        intent, signature = trader.signed()
        consume(intent, signature, 9 * UNIT + UNIT // 2)
        with reverts(verifier.FillTooSmall, error_inputs={"size": UNIT // 4, "minimum": UNIT // 2}):
            consume(intent, signature, UNIT // 4)

        consume(intent, signature, UNIT // 2)

        assert verifier.remaining(intent.to_abi()) == 0


def test_no_size(verifier, consume, trader):
    intent, signature = trader.signed()

    with reverts(verifier.ZeroAmount):
        consume(intent, signature, 0)


def test_no_amount(verifier, consume, trader):
    intent = changed(trader.intent(), amount=0)

    with reverts(verifier.ZeroAmount):
        consume(intent, trader.sign(intent), 1)


def test_all_of_the_referral_fee_may_be_the_solvers(verifier, consume, trader):
    intent, signature = trader.signed(fee=1)

    consume(intent, signature)

    assert verifier.remaining(intent.to_abi()) == 0


def test_more_than_all_of_the_referral_fee(verifier, consume, trader):
    intent = changed(trader.intent(), fee=UNIT + 1)

    with reverts(verifier.SolverFeeTooHigh, error_inputs={"fee": UNIT + 1}):
        consume(intent, trader.sign(intent))


class TestExpiry:
    def test_the_last_second(self, verifier, consume, trader, chain):
        chain.pending_timestamp += 100
        intent, signature = trader.signed(expiry=chain.pending_timestamp + 1)

        chain.pending_timestamp = intent.common.expiry - 1
        consume(intent, signature, 5 * UNIT)

        assert verifier.filled(message_hash(intent, trader.domain)) == 5 * UNIT

    def test_expired(self, verifier, consume, trader, chain):
        expiry = chain.pending_timestamp + 100
        intent, signature = trader.signed(expiry=expiry)

        chain.pending_timestamp = expiry
        with reverts(verifier.MessageExpired, error_inputs={"expiry": expiry, "timestamp": expiry}):
            consume(intent, signature)


class TestDomain:
    def test_only_the_contract_signed_for(self, verifier, consume, trader, market, keeper):
        intent, signature = trader.signed()

        inputs = {"domain": market.address, "consumer": keeper.address}
        with reverts(verifier.WrongDomain, error_inputs=inputs):
            consume(intent, signature, sender=keeper)

    @pytest.mark.parametrize("change", [{"chain_id": 1}, {"verifier": "0x" + "11" * 20}])
    def test_another_chain_or_verifier(self, verifier, consume, trader, change):
        intent = trader.intent()
        elsewhere = Domain(**{"chain_id": trader.domain.chain_id, "verifier": verifier.address, **change})

        inputs = {"signer": trader.account, "hash": message_hash(intent, trader.domain)}
        with reverts(verifier.WrongSignature, error_inputs=inputs):
            consume(intent, sign(intent, elsewhere, trader.key))


class TestCancelled:
    def test_nonce(self, verifier, consume, trader, taker):
        intent, signature = trader.signed()
        consume(intent, signature, UNIT)
        verifier.cancelNonce(intent.common.nonce, sender=taker)

        inputs = {"account": taker.address, "nonce": intent.common.nonce}
        with reverts(verifier.NonceAlreadyCancelled, error_inputs=inputs):
            consume(intent, signature, UNIT)

    def test_group(self, verifier, consume, trader, taker):
        intent, signature = trader.signed(group=7)
        consume(intent, signature, UNIT)
        verifier.cancelGroup(7, sender=taker)

        inputs = {"account": taker.address, "group": 7}
        with reverts(verifier.GroupAlreadyCancelled, error_inputs=inputs):
            consume(intent, signature, UNIT)

    def test_nonces_of_signer_and_others_do_not_matter(self, verifier, consume, helper, approved, signer, keeper):  # noqa: ARG002
        intent, signature = helper.signed(nonce=5, group=5)
        for stranger in (signer, keeper):
            verifier.cancelNonce(5, sender=stranger)
            verifier.cancelGroup(5, sender=stranger)

        consume(intent, signature)

        assert verifier.remaining(intent.to_abi()) == 0


class TestSigner:
    def test_an_approved_signer(self, verifier, consume, helper, approved):  # noqa: ARG002
        intent, signature = helper.signed()

        consume(intent, signature)

        assert verifier.remaining(intent.to_abi()) == 0

    def test_nobody_else(self, verifier, consume, helper, signer, taker):
        intent, signature = helper.signed()

        inputs = {"account": taker.address, "signer": signer.address}
        with reverts(verifier.SignerNotAuthorised, error_inputs=inputs):
            consume(intent, signature)

    def test_no_more_once_dismissed(self, verifier, consume, helper, approved, protocol, taker, signer):  # noqa: ARG002
        intent, signature = helper.signed()
        protocol.market_factory.updateSigner(signer, False, sender=taker)

        with reverts(verifier.SignerNotAuthorised):
            consume(intent, signature)

    def test_an_operator_is_no_signer(self, verifier, consume, helper, protocol, taker, signer):
        intent, signature = helper.signed()
        protocol.market_factory.updateOperator(signer, True, sender=taker)

        with reverts(verifier.SignerNotAuthorised):
            consume(intent, signature)


class TestSignature:
    def test_of_somebody_else(self, verifier, consume, trader, helper):
        intent = trader.intent()
        signature = helper.sign(replace(intent, common=replace(intent.common, signer=helper.key.address)))

        with reverts(verifier.WrongSignature):
            consume(intent, signature)

    @pytest.mark.parametrize(
        "change",
        [
            {"amount": 11 * UNIT},
            {"price": 101 * UNIT},
            {"fee": 1},
            {"originator": "0x" + "11" * 20},
            {"solver": "0x" + "11" * 20},
            {"collateralization": 1},
            {"nonce": 1},
            {"group": 1},
            {"expiry": 2**41},
        ],
    )
    def test_every_field_is_signed(self, verifier, consume, trader, change):
        intent, signature = trader.signed()

        with reverts(verifier.WrongSignature):
            consume(changed(intent, **change), signature)

    def test_the_account_is_signed(self, verifier, consume, helper, protocol, approved, maker, signer):  # noqa: ARG002
        """A signer of two accounts signs for one of them."""
        protocol.market_factory.updateSigner(signer, True, sender=maker)
        intent, signature = helper.signed()

        with reverts(verifier.WrongSignature):
            consume(changed(intent, account=maker.address), signature)

    def test_malleable(self, verifier, consume, trader):
        intent, signature = trader.signed()
        s = ORDER - int.from_bytes(signature[32:64])
        mirrored = signature[:32] + s.to_bytes(32) + bytes([55 - signature[64]])

        with reverts(verifier.MalleableSignature, error_inputs={"s": s.to_bytes(32)}):
            consume(intent, mirrored)

    @pytest.mark.parametrize("cut", [b"", b"\0", b"\0" * 64, b"\0" * 65, b"\1" * 66])
    def test_no_signature_at_all(self, verifier, consume, trader, cut):
        with reverts(verifier.WrongSignature):
            consume(trader.intent(), cut)

    def test_compact_form_is_no_second_signature(self, verifier, consume, trader):
        """EIP-2098 would let one signature be written in two ways."""
        intent, signature = trader.signed()
        high_bit = (signature[64] - 27) << 255
        compact = signature[:32] + (int.from_bytes(signature[32:64]) | high_bit).to_bytes(32)

        with reverts(verifier.WrongSignature):
            consume(intent, compact)

    def test_address_zero_signs_nothing(self, verifier, consume, trader):
        """Recovery gives address zero for what is no signature."""
        intent = changed(trader.intent(), account="0x" + "0" * 40, signer="0x" + "0" * 40)

        with reverts(verifier.WrongSignature):
            consume(intent, b"\0" * 65)


class TestContractWallet:
    def test_as_the_account(self, verifier, consume, trader, wallet):
        intent = trader.intent(account=wallet.address, signer=wallet.address)

        consume(intent, trader.sign_for_wallet(intent) + b"\1")

        assert verifier.remaining(intent.to_abi()) == 0

    def test_as_a_signer(self, verifier, consume, trader, wallet, protocol, taker):
        protocol.market_factory.updateSigner(wallet, True, sender=taker)
        intent = trader.intent(signer=wallet.address)

        consume(intent, trader.sign_for_wallet(intent) + b"\1")

        assert verifier.remaining(intent.to_abi()) == 0

    def test_that_says_no(self, verifier, consume, helper, wallet):
        intent = helper.intent(account=wallet.address, signer=wallet.address)

        with reverts(verifier.WrongSignature):
            consume(intent, helper.sign_for_wallet(intent) + b"\1")

    def test_that_fails(self, verifier, consume, trader, wallet):
        """The wallet reverts on an empty signature."""
        intent = trader.intent(account=wallet.address, signer=wallet.address)

        with reverts(verifier.WrongSignature):
            consume(intent, b"")

    def test_a_contract_without_erc1271(self, verifier, consume, trader, protocol):
        factory = protocol.market_factory.address
        intent = trader.intent(account=factory, signer=factory)

        with reverts(verifier.WrongSignature):
            consume(intent, trader.sign_for_wallet(intent))


def test_gas(consume, trader):
    """One new slot, two looks at bitmaps, one recovery: 21,000 and calldata of 500 bytes included."""
    intent, signature = trader.signed()

    assert consume(intent, signature, UNIT).gas_used < 66_000
    assert consume(intent, signature, UNIT).gas_used < 49_000
