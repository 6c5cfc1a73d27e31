"""POST and GET /v1/intents: what the relay takes, and that it takes it once."""

import pytest

from perennial.intents import Domain, Intent, sign
from perennial.intents.signing import ORDER

from .conftest import ALICE, BOB, DOMAIN, LATER, MARKET, NOW, OTHER_MARKET, UNIT, make


def refused(answer, status, code, field):
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["field"]) == (code, field)
    return error["message"]


def test_takes_and_gives_back(client):
    body = make()

    answer = client.post("/v1/intents", json=body)

    assert answer.status_code == 201
    order = answer.json()
    assert order["intent"] == body["intent"]
    assert (order["status"], order["remaining"], order["signature"]) == ("open", str(10 * UNIT), body["signature"])
    assert client.get(f"/v1/intents/{order['hash']}").json() == order
    assert client.get("/v1/intents").json() == [order]


def test_the_same_again_changes_nothing(client):
    body = make()
    first = client.post("/v1/intents", json=body)

    second = client.post("/v1/intents", json=body)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert len(client.get("/v1/intents").json()) == 1
    assert client.get("/v1/book", params={"market": MARKET}).json()["buys"][0]["count"] == 1


def test_integers_may_be_numbers(client):
    body = make()
    body["intent"]["amount"] = int(body["intent"]["amount"])

    assert client.post("/v1/intents", json=body).status_code == 201


def test_remaining_is_the_chains(client, view):
    view.filled[7] = 4 * UNIT

    assert client.post("/v1/intents", json=make(nonce=7)).json()["remaining"] == str(6 * UNIT)


def test_an_approved_signer(client, view):
    view.signers.add((BOB.address, ALICE.address))

    assert client.post("/v1/intents", json=make(account=BOB.address, signer=ALICE.address)).status_code == 201


def test_a_contract_wallet(client, view):
    wallet = "0x" + "33" * 20
    view.wallets[wallet] = b"\1\2\3"
    intent = Intent.build(market=MARKET, account=wallet, amount=1, price=1, expiry=LATER)

    answer = client.post("/v1/intents", json={"intent": intent.to_json(), "signature": "0x010203"})

    assert answer.status_code == 201


class TestRefused:
    @pytest.mark.parametrize(
        ("change", "code", "field"),
        [
            ({"expiry": NOW - 1}, "expired", "common.expiry"),
            ({"expiry": NOW + 10**9}, "expiry", "common.expiry"),
            ({"market": "0x" + "44" * 20}, "market", "common.domain"),
            ({"amount": str(2**63 // UNIT + 1)}, "field", "amount"),
            ({"price": str(-(2**63) // UNIT - 1)}, "field", "price"),
            ({"account": BOB.address, "signer": ALICE.address}, "signer", "common.signer"),
        ],
    )
    def test_terms(self, client, change, code, field):
        refused(client.post("/v1/intents", json=make(**change)), 422, code, field)

    @pytest.mark.parametrize(
        ("path", "value", "field"),
        [
            (("amount",), "1.5", "amount"),
            (("amount",), 1.5, "amount"),
            (("amount",), True, "amount"),
            (("amount",), "0", "amount"),
            (("fee",), "1000001", "fee"),
            (("fee",), "-1", "fee"),
            (("solver",), "0x12", "solver"),
            (("colour",), "red", "colour"),
            (("common", "account"), "me", "common.account"),
            (("common", "nonce"), None, "common.nonce"),
            (("common", "nonce"), str(2**256), "common.nonce"),
        ],
    )
    def test_a_wrong_field_is_named(self, client, path, value, field):
        body = make()
        within = body["intent"]
        for name in path[:-1]:
            within = within[name]
        within[path[-1]] = value

        refused(client.post("/v1/intents", json=body), 422, "field", field)

    def test_a_missing_field_is_named(self, client):
        body = make()
        del body["intent"]["common"]["group"]

        refused(client.post("/v1/intents", json=body), 422, "field", "common.group")

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"intent": {}}'])
    def test_no_intent(self, client, content):
        assert client.post("/v1/intents", content=content).status_code == 422

    def test_another_chain(self, client):
        body = make()
        intent = Intent.from_dict(body["intent"])
        body["signature"] = "0x" + sign(intent, Domain(1, DOMAIN.verifier), ALICE).hex()

        refused(client.post("/v1/intents", json=body), 422, "signature", "signature")

    def test_malleable(self, client):
        body = make()
        signature = bytes.fromhex(body["signature"][2:])
        mirrored = (
            signature[:32] + (ORDER - int.from_bytes(signature[32:64])).to_bytes(32) + bytes([55 - signature[64]])
        )

        answer = client.post("/v1/intents", json={**body, "signature": "0x" + mirrored.hex()})

        refused(answer, 422, "malleable", "signature")

    @pytest.mark.parametrize("signature", ["", "0x1", "0xzz", 5])
    def test_no_hex(self, client, signature):
        refused(client.post("/v1/intents", json={**make(), "signature": signature}), 422, "field", "signature")

    def test_too_long_a_signature(self, client):
        refused(
            client.post("/v1/intents", json={**make(), "signature": "0x" + "00" * 4097}), 422, "signature", "signature"
        )

    def test_cancelled_on_chain(self, client, view):
        view.cancelled.add(7)

        refused(client.post("/v1/intents", json=make(nonce=7)), 422, "cancelled", "common.nonce")

    def test_filled_on_chain(self, client, view):
        view.filled[7] = 10 * UNIT

        refused(client.post("/v1/intents", json=make(nonce=7)), 422, "filled", None)

    def test_margin(self, client, view):
        view.margin = "the account would have 1, and needs 2"

        message = refused(client.post("/v1/intents", json=make()), 422, "margin", "common.account")
        assert message == view.margin

    def test_too_many_of_one_account(self, client):
        for _ in range(5):
            assert client.post("/v1/intents", json=make()).status_code == 201

        refused(client.post("/v1/intents", json=make()), 429, "too_many", None)
        assert client.post("/v1/intents", json=make(BOB)).status_code == 201

    def test_nothing_refused_is_kept(self, client, view):
        view.margin = "no"
        client.post("/v1/intents", json=make())

        assert client.get("/v1/intents").json() == []

    def test_cheap_checks_come_first(self, client, view):
        """Nobody makes the relay ask its node by sending what cannot be right."""
        client.post("/v1/intents", json={**make(), "signature": "0x" + "11" * 65})
        client.post("/v1/intents", json=make(expiry=NOW - 1))

        assert view.asked == 0


class TestQueries:
    def test_by_market_account_and_status(self, client):
        mine = client.post("/v1/intents", json=make()).json()
        yours = client.post("/v1/intents", json=make(BOB, market=OTHER_MARKET)).json()

        def ask(**params):
            return client.get("/v1/intents", params=params).json()

        assert ask(account=ALICE.address) == ask(account=ALICE.address.lower()) == ask(market=MARKET) == [mine]
        assert ask(market=OTHER_MARKET) == ask(after=mine["sequence"]) == [yours]
        assert ask(status="open") == [mine, yours]
        assert ask(status="filled") == []
        assert ask(limit=1) == [mine]

    @pytest.mark.parametrize(
        ("params", "field"),
        [
            ({"account": "me"}, "account"),
            ({"limit": 0}, "limit"),
            ({"limit": 10**6}, "limit"),
            ({"after": -1}, "after"),
        ],
    )
    def test_wrong_parameter(self, client, params, field):
        refused(client.get("/v1/intents", params=params), 422, "field", field)

    def test_unknown_hash(self, client):
        refused(client.get("/v1/intents/0x12"), 404, "unknown", None)


def test_info(client):
    info = client.get("/v1/info").json()

    assert info["domain"] == DOMAIN.to_dict()
    assert info["markets"] == [MARKET, OTHER_MARKET]


def test_openapi_names_every_path(client):
    paths = client.get("/openapi.json").json()["paths"]

    assert set(paths) == {
        *(
            "/v1/intents",
            "/v1/intents/{digest}",
            "/v1/cancellations",
            "/v1/book",
            "/v1/fills",
            "/v1/info",
            "/v1/health",
        ),
    }
