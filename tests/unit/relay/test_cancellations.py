"""POST and GET /v1/cancellations: signed cancellations, taken off the book at once and kept for who relays them."""

import pytest

from perennial.intents import GroupCancellation, NonceCancellation, sign

from .conftest import ALICE, BOB, DOMAIN, LATER, MARKET, NOW, ON_BOTH, make

pytestmark = ON_BOTH


def body(message, signer=ALICE):
    signature = sign(message, DOMAIN, signer)
    return {"kind": message.name, "cancellation": message.to_json(), "signature": "0x" + signature.hex()}


def nonce_cancellation(nonce=7, account=ALICE.address, **changes):
    return NonceCancellation.build(
        **{"verifier": DOMAIN.verifier, "account": account, "nonce": nonce, "expiry": LATER, **changes}
    )


def group_cancellation(group=5, **changes):
    return GroupCancellation.build(
        **{"verifier": DOMAIN.verifier, "account": ALICE.address, "group": group, "expiry": LATER, **changes}
    )


@pytest.fixture
def posted(client):
    """Hashes of intents: of nonce 7, of group 5, of neither, and somebody else's of both."""

    def post(trader=ALICE, **changes):
        return client.post("/v1/intents", json=make(trader, **changes)).json()["hash"]

    return {
        "nonce": post(nonce=7),
        "group": post(nonce=8, group=5),
        "neither": post(nonce=9),
        "another": post(BOB, nonce=7, group=5),
    }


def open_hashes(client):
    return {order["hash"] for order in client.get("/v1/intents", params={"status": "open"}).json()}


def test_nonce(client, posted):
    answer = client.post("/v1/cancellations", json=body(nonce_cancellation()))

    assert answer.status_code == 202
    assert answer.json()["intents"] == [posted["nonce"]]
    assert open_hashes(client) == {posted["group"], posted["neither"], posted["another"]}


def test_group(client, posted):
    answer = client.post("/v1/cancellations", json=body(group_cancellation(nonce=9)))

    # Its own nonce is used up on chain, so what has that is gone as well.
    assert set(answer.json()["intents"]) == {posted["group"], posted["neither"]}
    assert open_hashes(client) == {posted["nonce"], posted["another"]}


def test_a_cancelled_intent_does_not_come_back(client):
    client.post("/v1/cancellations", json=body(nonce_cancellation()))
    client.post("/v1/cancellations", json=body(group_cancellation()))

    for change in ({"nonce": 7}, {"group": 5}):
        answer = client.post("/v1/intents", json=make(**change))
        assert answer.json()["error"]["code"] == "cancelled"
    assert client.post("/v1/intents", json=make(nonce=8, group=4)).status_code == 201


def test_it_stays_off_the_book_whatever_the_chain_was_asked_before(client, view, watcher, posted):
    """The watcher asks the chain about an open intent; before it has written the answer the account cancels."""
    asked = view.states

    def cancelled_meanwhile(intents):
        states = asked(intents)
        client.post("/v1/cancellations", json=body(nonce_cancellation()))
        return states

    view.states = cancelled_meanwhile
    watcher.step()

    assert open_hashes(client) == {posted["group"], posted["neither"], posted["another"]}
    assert client.get(f"/v1/intents/{posted['nonce']}").json()["status"] == "cancelled"


def test_kept_for_who_relays(client):
    message = nonce_cancellation()
    digest = client.post("/v1/cancellations", json=body(message)).json()["hash"]
    client.post("/v1/cancellations", json=body(message))
    another = client.post("/v1/cancellations", json=body(nonce_cancellation(9))).json()["hash"]

    first, second = client.get("/v1/cancellations").json()
    assert first == {"number": first["number"], "hash": digest, **body(message)}
    assert second["hash"] == another
    assert client.get("/v1/cancellations", params={"after": first["number"]}).json() == [second]
    assert client.get("/v1/cancellations", params={"limit": 1}).json() == [first]


@pytest.mark.parametrize("end", ["brought to the chain", "expired"])
def test_waits_until_the_chain_has_it_or_never_will(client, view, watcher, end):
    for nonce in (7, 8):
        client.post("/v1/cancellations", json=body(nonce_cancellation(nonce, expiry=LATER + nonce)))
    watcher.step()
    assert len(client.get("/v1/cancellations").json()) == 2

    if end == "expired":
        watcher.clock = lambda: LATER + 7
    else:
        view.used_nonces.add((ALICE.address, 7))
    watcher.step()

    [waiting] = client.get("/v1/cancellations").json()
    assert waiting["cancellation"]["common"]["nonce"] == "8"


def test_looks_at_a_page_at_a_time(client, view, watcher):
    for nonce in (7, 8, 9):
        client.post("/v1/cancellations", json=body(nonce_cancellation(nonce)))
    watcher.page = 2
    view.used_nonces.add((ALICE.address, 9))

    watcher.step()
    assert len(client.get("/v1/cancellations").json()) == 3
    watcher.step()
    assert len(client.get("/v1/cancellations").json()) == 2


def test_so_many_wait(client):
    """As many as intents may be open: five here."""
    statuses = [
        client.post("/v1/cancellations", json=body(nonce_cancellation(nonce))).status_code for nonce in (*range(6), 0)
    ]

    assert statuses == [202] * 5 + [429, 202]


def test_made_up_accounts(client, view):
    view.poor.add(ALICE.address)
    error = client.post("/v1/cancellations", json=body(nonce_cancellation())).json()["error"]
    assert (error["code"], error["field"]) == ("unknown", "common.account")

    client.post("/v1/intents", json=make(nonce=8))
    assert client.post("/v1/cancellations", json=body(nonce_cancellation())).status_code == 202


def test_an_approved_signer(client, view):
    message = nonce_cancellation(account=BOB.address, signer=ALICE.address)
    refused = client.post("/v1/cancellations", json=body(message)).json()["error"]
    view.signers.add((BOB.address, ALICE.address))

    assert (refused["code"], refused["field"]) == ("signer", "common.signer")
    assert client.post("/v1/cancellations", json=body(message)).status_code == 202


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"verifier": MARKET}, "domain", "common.domain"),
        ({"expiry": NOW - 1}, "expired", "common.expiry"),
    ],
)
def test_refused(client, posted, change, code, field):
    error = client.post("/v1/cancellations", json=body(nonce_cancellation(**change))).json()["error"]

    assert (error["code"], error["field"]) == (code, field)
    assert open_hashes(client) == set(posted.values())


def test_somebody_elses_signature(client, posted):
    content = body(nonce_cancellation())
    content["signature"] = body(nonce_cancellation(account=BOB.address), BOB)["signature"]

    assert client.post("/v1/cancellations", json=content).json()["error"]["code"] == "signature"
    assert open_hashes(client) == set(posted.values())


def test_a_kind_that_is_not_the_content(client):
    content = {**body(nonce_cancellation()), "kind": "GroupCancellation"}

    error = client.post("/v1/cancellations", json=content).json()["error"]
    assert (error["code"], error["field"]) == ("field", "group")
