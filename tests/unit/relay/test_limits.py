"""Rate limits and size limits: each client has its own."""

import pytest
from fastapi.testclient import TestClient

from perennial.chain import NodeError
from perennial.relay.app import create_app
from perennial.relay.limits import Buckets, Quota

from .conftest import make


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class TestBuckets:
    def test_a_burst_then_the_rate(self):
        clock = Clock()
        buckets = Buckets(rate=2, burst=3, clock=clock)

        assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
        clock.now = 0.5
        assert buckets.take("a") == 0
        assert buckets.take("a") == 0.5
        clock.now = 100
        assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]

    def test_each_its_own(self):
        buckets = Buckets(rate=1, burst=1, clock=Clock())

        assert buckets.take("a") == buckets.take("b") == 0
        assert buckets.take("a") == 1

    def test_remembers_so_many(self):
        buckets = Buckets(rate=1, burst=1, clock=Clock(), most=2)
        for name in "abc":
            buckets.take(name)

        assert buckets.take("c") == 1
        assert buckets.take("a") == 0


def limited(intake, host="10.0.0.1", **quota):
    app = create_app(intake, quota=Quota(**{"reads": 0.01, "writes": 0.01, "burst": 2, **quota}))
    return TestClient(app, client=(host, 1234))


def test_too_fast(intake):
    client = limited(intake)

    answers = [client.get("/v1/info") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["error"]["code"] == "too_fast"
    assert 0 < int(answers[2].headers["retry-after"]) <= 100
    # Writing is counted apart.
    assert [client.post("/v1/intents", json=make()).status_code for _ in range(3)] == [201, 201, 429]


@pytest.mark.parametrize(
    ("forwarded", "statuses"),
    [(("1.1.1.1", "2.2.2.2"), [200, 200]), (("9.9.9.9, 1.1.1.1", "8.8.8.8, 1.1.1.1"), [200, 429])],
)
def test_behind_a_proxy(intake, forwarded, statuses):
    """The proxy adds the last address; what a client writes in front of it makes it nobody else."""
    client = limited(intake, burst=1, proxies=1)

    answers = [client.get("/v1/info", headers={"X-Forwarded-For": each}) for each in forwarded]

    assert [answer.status_code for answer in answers] == statuses


def test_without_a_proxy_the_header_is_ignored(intake):
    client = limited(intake, burst=1)

    answers = [client.get("/v1/info", headers={"X-Forwarded-For": f"1.1.1.{index}"}) for index in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]


def test_an_ipv6_network_is_one_client(intake):
    app = create_app(intake, quota=Quota(reads=0.01, burst=1))

    hosts = ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1")
    answers = [TestClient(app, client=(host, 1)).get("/v1/info").status_code for host in hosts]

    assert answers == [200, 429, 200]


def test_ipv4_addresses_in_ipv6_are_a_client_each(intake):
    """As a proxy that listens to both has them: one of them must not use up what is for all."""
    app = create_app(intake, quota=Quota(reads=0.01, burst=1))

    hosts = ("::ffff:192.0.2.1", "::ffff:192.0.2.2", "192.0.2.1")
    answers = [TestClient(app, client=(host, 1)).get("/v1/info").status_code for host in hosts]

    assert answers == [200, 200, 429]


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large(intake, chunked):
    client = limited(intake, body=1000)
    content = b'{"a": "' + b"x" * 1000 + b'"}'

    answer = client.post("/v1/intents", content=iter([content[:500], content[500:]]) if chunked else content)

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


def test_a_node_that_is_away(intake, view):
    def away(*_):
        raise NodeError("the node does not answer")

    view.lacks_margin = away
    client = limited(intake)

    answer = client.post("/v1/intents", json=make())

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "unavailable"
    assert client.get("/v1/intents").json() == []
