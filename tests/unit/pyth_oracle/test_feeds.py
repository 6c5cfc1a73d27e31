"""PythOracle with one to four feeds: the exact product, all at the same version (docs/protocol.md §11.2)."""

import pytest
from ape import reverts
from ape.exceptions import ContractLogicError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perennial.mirror import versions as mirror
from perennial.testing.oracles import START, feed_id, feeds, update


@pytest.mark.parametrize(
    ("names", "prices", "expected"),
    [
        (["BTC"], [50_000], 50_000_000_000),
        (["/ETH"], [3_000], 333),
        (["ETH", "/BTC"], [3_000, 70_000], 42_857),
        (["/BTC", "ETH"], [70_000, 3_000], 42_857),
        (["BTC", "EUR", "/ETH", "/GBP"], [70_000, 3, 3_000, 7], 10_000_000),
        (["A", "B", "C", "D"], [2, 3, 5, 7], 210_000_000),
    ],
)
def test_multiplies_each_to_its_power(stage, keeper, names, prices, expected):
    oracle = stage.create(*names)
    plain = [name.removeprefix("/") for name in names]
    updates = [update(name, price * 10**8, START + 4) for name, price in zip(plain, prices, strict=True)]

    stage.commit(keeper, START, updates, oracles=[oracle])

    assert tuple(oracle.at(START)) == (START, expected, True)


def test_exponents_of_feeds_may_differ(stage, keeper):
    oracle = stage.create("ETH", "/BTC")
    updates = [update("ETH", 3, START + 4, exponent=3), update("BTC", 7 * 10**12, START + 4, exponent=-8)]

    stage.commit(keeper, START, updates, oracles=[oracle])

    assert oracle.at(START).price == 42_857


def test_every_feed_needs_its_update(stage, keeper, not_found):
    oracle = stage.create("ETH", "/BTC")

    with not_found():
        stage.commit(keeper, START, [update("ETH", 10**8, START + 4)], oracles=[oracle])


@pytest.mark.parametrize(("ether", "bitcoin"), [(4, 9), (9, 4)])
def test_each_feed_keeps_to_the_times(stage, keeper, ether, bitcoin):
    """The newest price of the version before bounds the oldest of the next, whichever feed it is of."""
    oracle = stage.create("ETH", "BTC")
    times = {"ETH": START + ether, "BTC": START + bitcoin}
    updates = [update(name, 10**8, time, previous=START) for name, time in times.items()]
    stage.commit(keeper, START, updates, oracles=[oracle])

    inputs = {"id": feed_id("ETH"), "published": START + 9, "latest": START + 9}
    late = [update("ETH", 10**8, START + 9, previous=START + 4), update("BTC", 10**8, START + 10, previous=0)]
    with reverts(stage.adapter.PriceNotNewer, error_inputs=inputs):
        stage.commit(keeper, START + 5, late, time=START + 15, oracles=[oracle])


def test_tells_the_feeds(stage, taker):
    oracle = stage.create("ETH", "/BTC")

    assert [tuple(feed) for feed in stage.adapter.feedsOf(oracle)] == [(feed_id("ETH"), 1), (feed_id("BTC"), -1)]
    assert stage.adapter.feedsOf(taker) == []


@pytest.mark.parametrize("count", [0, 5])
def test_refuses_other_numbers_of_feeds(stage, count):
    with reverts(stage.factory.FeedCountOutOfRange, error_inputs={"count": count}):
        stage.create(*"ABCDE"[:count])


@pytest.mark.parametrize("power", [0, 2, -2, 127])
def test_refuses_other_powers(stage, operator, power):
    with reverts(stage.factory.FeedPowerInvalid, error_inputs={"index": 1, "power": power}):
        stage.factory.create(stage.adapter, [*feeds("BTC"), (feed_id("ETH"), power)], sender=operator)


def test_refuses_a_feed_twice(stage):
    with reverts(stage.factory.FeedDuplicate, error_inputs={"index": 2, "id": feed_id("BTC")}):
        stage.create("BTC", "ETH", "/BTC")


def test_refuses_no_feed(stage, operator):
    with reverts(stage.factory.FeedIdInvalid, error_inputs={"index": 0, "id": b"\0" * 32}):
        stage.factory.create(stage.adapter, [(b"\0" * 32, 1)], sender=operator)


def test_only_the_factory_enlists(stage, taker):
    with reverts(stage.adapter.AdapterNotFactory, error_inputs={"caller": taker.address}):
        stage.adapter.enlist(taker, feeds("BTC"), 10, sender=taker)
    with reverts(stage.adapter.AdapterNotFactory):
        stage.adapter.admitGranularity(10, sender=taker)


@pytest.fixture(scope="module")
def math(stage, project, operator):  # noqa: ARG001 -- after the stage, as fixtures of a module go
    return operator.deploy(project.MockPriceMath)


QUOTES = st.tuples(st.integers(1, 2**63 - 1), st.integers(-20, 12), st.booleans())


@settings(max_examples=150)
@given(st.lists(QUOTES, min_size=1, max_size=4))
@example([(2**63 - 1, 0, False)] * 4)
@example([(2**63 - 1, 0, True)] * 4)
@example([(1, -20, True)] * 4)
@example([(1, 12, True), (2**63 - 1, 12, False), (2**63 - 1, 12, False), (2**63 - 1, 12, False)])
def test_the_product_is_the_mirrors(math, quotes):
    inverses = sum(1 << i for i, (*_, inverse) in enumerate(quotes) if inverse)
    updates = [mirror.Update(price, 0, exponent, 0, 0) for price, exponent, _ in quotes]
    sides = [mirror.Feed("", -1 if inverse else 1) for *_, inverse in quotes]
    pairs = [(price, exponent) for price, exponent, _ in quotes]

    try:
        expected = mirror.product(updates, sides)
    except mirror.PriceNotRepresentable:
        expected = None
    try:
        actual = math.product(pairs, inverses)
    except ContractLogicError:
        actual = None

    # Beyond what an oracle stores it makes no difference at which step a product is refused.
    too_large = expected is not None and expected > mirror.MAX_PRICE
    assert actual == expected or (too_large and actual is None)
