"""perennial.intents: whatever signs for a person signs the same, and verification is the Verifier's."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from eth_account import Account

from perennial.intents import (
    Domain,
    GroupCancellation,
    Intent,
    MalleableSignature,
    NonceCancellation,
    OperatorUpdate,
    SignerUpdate,
    SigningError,
    WrongSignature,
    message_hash,
    sign,
    signable,
    typed_data,
    verify,
)
from perennial.intents.signing import ORDER
from perennial.intents.typed_data import ape_message

MARKET = "0x" + "11" * 20
DOMAIN = Domain(8453, "0x" + "22" * 20)
KEY = Account.from_key(bytes([7] * 32))


COMMON: dict[str, Any] = {"account": KEY.address, "expiry": 2**40, "nonce": 2**256 - 1}
MESSAGES = [
    Intent.build(market=MARKET, amount="-1.5", price="-64000", fee="0.5", originator=MARKET, **COMMON),
    NonceCancellation.build(verifier=MARKET, **COMMON),
    GroupCancellation.build(verifier=MARKET, group=2**255, **COMMON),
    OperatorUpdate.build(factory=MARKET, operator=MARKET, approved=True, **COMMON),
    SignerUpdate.build(factory=MARKET, signer=MARKET, approved=False, **COMMON),
]


@pytest.fixture
def intent():
    return Intent.build(market=MARKET, account=KEY.address, amount="1.5", price="64000", expiry=2**40)


@pytest.fixture
def signature(intent):
    return sign(intent, DOMAIN, KEY)


def mirrored(signature):
    s = ORDER - int.from_bytes(signature[32:64])
    return signature[:32] + s.to_bytes(32) + bytes([55 - signature[64]])


SIGNERS = {
    "eth-account": KEY,
    "sign_message alone": SimpleNamespace(sign_message=KEY.sign_message),
    "hex text": SimpleNamespace(sign_typed_data=lambda full_message: _signed(full_message).signature.to_0x_hex()),
    "bytes": SimpleNamespace(sign_typed_data=lambda full_message: bytes(_signed(full_message).signature)),
    "v of 0 or 1": SimpleNamespace(sign_typed_data=lambda full_message: _low_v(bytes(_signed(full_message).signature))),
    "larger s": SimpleNamespace(sign_typed_data=lambda full_message: mirrored(bytes(_signed(full_message).signature))),
}


def _signed(full_message):
    return KEY.sign_typed_data(full_message=full_message)


def _low_v(signature):
    return signature[:64] + bytes([signature[64] - 27])


@pytest.mark.parametrize("signer", SIGNERS.values(), ids=SIGNERS)
def test_every_signer_gives_the_same(intent, signature, signer):
    assert sign(intent, DOMAIN, signer) == signature
    verify(intent, signature, DOMAIN)


def test_accounts_of_ape(accounts):
    trader = accounts[2]
    intent = Intent.build(market=MARKET, account=trader, amount=1, price=1, expiry=2**40)

    assert sign(intent, DOMAIN, trader) == sign(intent, DOMAIN, Account.from_key(trader.private_key))


class TestAsked:
    """An account of Ape that asks a person, as those with a password and hardware wallets do."""

    @pytest.fixture
    def keyfile(self, tmp_path, monkeypatch):
        """The account, what it has shown, and what it is answered."""
        from ape_accounts.accounts import KeyfileAccount

        path = tmp_path / "trader.json"
        path.write_text(json.dumps(Account.encrypt(KEY.key, "secret", kdf="pbkdf2", iterations=1)))
        account, shown, answers = KeyfileAccount(keyfile_path=path), [], [True]

        def confirm(text, **_):
            shown.append(text)
            return answers[0]

        monkeypatch.setattr("ape_accounts.accounts.click.confirm", confirm)
        monkeypatch.setattr("ape_accounts.accounts.click.prompt", lambda *_, **__: "secret")
        return account, shown, answers

    def test_sees_every_field_by_its_name(self, intent, signature, keyfile):
        account, shown, _ = keyfile

        assert sign(intent, DOMAIN, account) == signature
        lines = [line.strip() for line in shown[0].splitlines()]
        assert {"Name: Perennial", "Chain ID: 8453", "amount: 1500000", "price: 64000000000"} < set(lines)
        assert f"account: {KEY.address}" in lines

    def test_says_no(self, intent, keyfile):
        account, _, answers = keyfile
        answers[0] = False

        with pytest.raises(SigningError, match="did not sign"):
            sign(intent, DOMAIN, account)

    @pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
    def test_shows_what_is_signed(self, message):
        assert ape_message(message, DOMAIN).signable_message == signable(message, DOMAIN)


def test_a_device_that_fails(intent):
    """Unplugged, locked, or refused on its screen: each has errors of its own."""

    def fail(full_message):  # noqa: ARG001
        raise OSError("no device")

    with pytest.raises(SigningError, match="no device"):
        sign(intent, DOMAIN, SimpleNamespace(sign_typed_data=fail))


def test_who_declines(intent):
    with pytest.raises(SigningError, match="did not sign"):
        sign(intent, DOMAIN, SimpleNamespace(sign_message=lambda _: None))


def test_who_cannot_sign(intent):
    with pytest.raises(SigningError, match="neither"):
        sign(intent, DOMAIN, object())


def test_the_wrong_key(intent):
    with pytest.raises(SigningError, match=f"for {KEY.address}"):
        sign(intent, DOMAIN, Account.from_key(bytes([8] * 32)))


@pytest.mark.parametrize("given", [b"", b"\0" * 65, b"\1" * 64])
def test_nonsense_of_a_device(intent, given):
    with pytest.raises(SigningError):
        sign(intent, DOMAIN, SimpleNamespace(sign_typed_data=lambda full_message: given))  # noqa: ARG005


def test_a_contract_wallet_has_its_own_form(intent):
    signer = SimpleNamespace(sign_typed_data=lambda full_message: "0x0102")  # noqa: ARG005
    assert sign(intent, DOMAIN, signer, contract_wallet=True) == b"\1\2"


class TestVerify:
    def test_malleable(self, intent, signature):
        with pytest.raises(MalleableSignature):
            verify(intent, mirrored(signature), DOMAIN)

    @pytest.mark.parametrize("domain", [Domain(1, DOMAIN.verifier), Domain(8453, MARKET)])
    def test_another_domain(self, intent, signature, domain):
        with pytest.raises(WrongSignature):
            verify(intent, signature, domain)

    @pytest.mark.parametrize("nonsense", [b"", b"\0" * 65, b"\1" * 64, b"\xff" * 66, b"\0" * 64 + b"\x1b"])
    def test_nonsense(self, intent, nonsense):
        with pytest.raises(WrongSignature):
            verify(intent, nonsense, DOMAIN)

    def test_asks_the_wallet_what_no_key_signed(self, intent, signature):
        asked = []

        def check(*question):
            asked.append(question)
            return True

        verify(intent, signature, DOMAIN, check)
        assert asked == []
        verify(intent, b"\1\2", DOMAIN, check)
        assert asked == [(KEY.address, message_hash(intent, DOMAIN), b"\1\2")]

    def test_the_wallet_says_no(self, intent):
        with pytest.raises(WrongSignature):
            verify(intent, b"\1\2", DOMAIN, lambda *_: False)


def test_typed_data_is_what_a_wallet_shows(intent):
    data = typed_data(intent, DOMAIN)

    assert data["primaryType"] == "Intent"
    assert data["domain"] == {
        "name": "Perennial",
        "version": "1",
        "chainId": 8453,
        "verifyingContract": DOMAIN.verifier,
    }
    assert [field["name"] for field in data["types"]["Intent"]] == list(data["message"])
    assert [field["name"] for field in data["types"]["Common"]] == list(data["message"]["common"])
    assert data["message"]["amount"] == 1_500_000
    assert data["message"]["common"]["domain"] == MARKET
