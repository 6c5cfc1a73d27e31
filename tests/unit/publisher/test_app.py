"""The publisher over HTTP, read by the client that reads Hermes."""

import httpx2
import pytest

from perennial.chain import NodeAddressError
from perennial.keeper.hermes import Hermes, HermesError
from perennial.mirror.versions import Update
from perennial.prices import encode_update
from perennial.publisher.app import create_app
from perennial.publisher.publisher import Feed, Publisher
from perennial.publisher.sources import Moved, Walk
from perennial.serving import serving

NOW = 1_900_000_000
BTC, ETH = "e6" * 32, "ff" * 32


@pytest.fixture(scope="module")
def publisher():
    feeds = [Feed(each, name, Moved(Walk(name, 10**10, NOW - 100, 1))) for each, name in ((BTC, "BTC"), (ETH, "ETH"))]
    return Publisher.of(feeds, lambda: NOW)


@pytest.fixture(scope="module")
def url(publisher):
    with serving(create_app(publisher)) as url:
        yield url


@pytest.fixture
def hermes(url):
    with Hermes(url) as hermes:
        yield hermes


def test_the_first_after_a_second(hermes, publisher):
    found = hermes.first(["0x" + BTC, "0x" + ETH], NOW - 50)

    assert found.published == {"0x" + BTC: NOW - 50, "0x" + ETH: NOW - 50}
    assert found.previous == {"0x" + BTC: NOW - 51, "0x" + ETH: NOW - 51}
    expected = []
    for feed in publisher.feeds.values():
        price = feed.source.price(NOW - 50)
        expected.append(encode_update(feed.id, Update(price * 100, price // 10_000 * 100, -8, NOW - 50, NOW - 51)))
    assert found.data == tuple(expected)


def test_not_yet(hermes):
    assert hermes.first([BTC], NOW + 1) is None


def test_latest(hermes):
    assert hermes.latest([BTC]).published == {BTC: NOW}


def test_no_such_feed(hermes):
    assert hermes.first(["0x" + "11" * 32], NOW) is None
    with pytest.raises(HermesError, match="no updates"):
        hermes.latest(["0x" + "11" * 32])


def test_outage(hermes, publisher):
    """Whoever asks for a second without update gets the next one, which says when the one before was."""
    publisher.outages.append((NOW - 40, NOW - 30))
    try:
        found = hermes.first([BTC], NOW - 35)
    finally:
        publisher.outages.clear()

    assert (found.published[BTC], found.previous[BTC]) == (NOW - 29, NOW - 41)
    assert found.are_first_in(NOW - 36, NOW - 28)
    assert not found.are_first_in(NOW - 42, NOW - 28)
    assert not found.are_first_in(NOW - 36, NOW - 30)


def test_what_was_first_is_asked_once(url, publisher, monkeypatch):
    with Hermes(url) as hermes:
        known = hermes.first([BTC], NOW - 20)
        monkeypatch.setattr(publisher, "clock", lambda: 0)

        assert hermes.first([BTC], NOW - 20) is known


def test_feeds(url):
    assert [each["id"] for each in httpx2.get(f"{url}/v2/price_feeds", timeout=60).json()] == [BTC, ETH]


class TestMoves:
    def test_from_the_next_second_on(self, url, publisher):
        answer = httpx2.post(f"{url}/moves", json={"feed": "ETH", "price": "1234.5"}, timeout=60)

        assert answer.json() == {"feed": "ETH", "price": "1234.5", "since": NOW + 1}
        assert publisher.feed("ETH").source.price(NOW + 1) == 1_234_500_000

    @pytest.mark.parametrize(
        ("feed", "price", "code"),
        [("DOGE", "1", 404), ("BTC", "-1", 422), ("BTC", "much", 422), ("BTC", "0", 422), ("BTC", "1e30", 422)],
    )
    def test_refused(self, url, feed, price, code):
        answer = httpx2.post(f"{url}/moves", json={"feed": feed, "price": price}, timeout=60)

        assert answer.status_code == code


def test_nobody_answers():
    with Hermes("http://127.0.0.1:9") as hermes, pytest.raises(HermesError, match="no prices from"):
        hermes.latest([BTC])


def test_something_else_answers(url):
    with Hermes(f"{url}/v2/price_feeds/..") as hermes, pytest.raises(HermesError):
        hermes.latest(["0x00"])


@pytest.mark.parametrize(
    ("answer", "says"),
    [(httpx2.Response(401), "it answers 401 Unauthorized"), (httpx2.Response(200, text="no"), "as Hermes")],
)
def test_the_key_of_a_hosted_service_is_not_told(answer, says):
    """It is in the path, or in the query: what is logged has neither."""
    with Hermes("https://name:KEY@prices.example:8443/KEY/?token=KEY") as hermes:
        base = hermes._client.base_url
        hermes._client = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer), base_url=base)
        with pytest.raises(HermesError, match=says) as refused:
            hermes.latest([BTC])
    assert "prices.example:8443" in str(refused.value)
    assert "KEY" not in str(refused.value)


@pytest.mark.parametrize("address", ["nowhere", "ftp://127.0.0.1", "http://[::1", "http://127.0.0.1:port"])
def test_what_is_no_address(address):
    with pytest.raises(NodeAddressError, match="is not the address of Hermes"):
        Hermes(address)
