"""PythOracle.commit of one oracle: which price a version gets (docs/protocol.md §11.3, §11.5)."""

import pytest
from ape import reverts

from perennial.mirror.oracle import OracleVersion
from perennial.testing.oracles import PYTH_FEE, START, feed_id, update

BTC = feed_id("BTC")


@pytest.mark.parametrize("second", [4, 7, 10])
def test_takes_the_first_update_in_the_window(stage, keeper, second):
    version = stage.order(START + 5)

    stage.commit(keeper, version, [update("BTC", 12_345_67890123, version + second, previous=version + 3)])

    assert tuple(stage.oracle.at(version)) == (version, 12_345_678901, True)
    assert stage.oracle.next() == 0
    assert stage.oracle.keeperOf(version) == keeper


@pytest.mark.parametrize("second", [3, 11])
def test_refuses_updates_out_of_the_window(stage, keeper, not_found, second):
    version = stage.order(START + 5)

    with not_found():
        stage.commit(keeper, version, [update("BTC", 10**8, version + second, previous=0)], time=version + 20)


def test_refuses_updates_that_are_not_the_first_in_the_window(stage, keeper, not_found):
    version = stage.order(START + 5)

    with not_found():
        stage.commit(keeper, version, [update("BTC", 10**8, version + 5, previous=version + 4)])


def test_refuses_updates_of_another_feed(stage, keeper, not_found):
    version = stage.order(START + 5)

    with not_found():
        stage.commit(keeper, version, [update("ETH", 10**8, version + 4)])


def test_a_keeper_has_until_the_grace_is_over(stage, keeper):
    first, second = stage.order(START + 5), stage.order(START + 15)

    stage.price(keeper, first, 10**8, time=first + 39)

    with reverts(stage.adapter.VersionExpired, error_inputs={"version": second, "expiry": second + 40}):
        stage.price(keeper, second, 10**8, time=second + 40)


def test_requested_versions_go_in_order(stage, keeper):
    first, second = stage.order(START + 5), stage.order(START + 15)

    with reverts(stage.adapter.VersionOutOfOrder, error_inputs={"version": second, "next": first}):
        stage.price(keeper, second, 10**8)


def test_a_version_is_committed_once(stage, keeper, maker):
    version = stage.order(START + 5)
    stage.price(keeper, version, 10**8)

    with reverts(stage.adapter.VersionNotNewer):
        stage.price(maker, version, 10**8, time=version + 12)
    assert stage.oracle.keeperOf(version) == keeper


def test_anyone_may_commit_the_first_version(stage, taker):
    stage.price(taker, START + 3, 10**8)

    assert stage.latest() == OracleVersion(START + 3, 1_000_000, True)


def test_an_unrequested_version_may_be_old_if_it_is_newer_than_the_latest(stage, keeper):
    stage.price(keeper, START, 1 * 10**8)
    stage.price(keeper, START + 7, 2 * 10**8, time=START + 5000)

    assert stage.latest() == OracleVersion(START + 7, 2_000_000, True)


def test_an_unrequested_version_takes_the_first_update_of_its_own_window(stage, keeper, not_found):
    with not_found():
        stage.commit(keeper, START + 3, [update("BTC", 10**8, START + 13, previous=START + 8)], time=START + 20)


def test_an_unrequested_version_before_a_request(stage, keeper):
    version = stage.order(START + 25)
    stage.price(keeper, START + 20, 2 * 10**8, time=START + 35)
    stage.price(keeper, version, 3 * 10**8)

    assert [stage.oracle.at(at).price for at in (START + 20, version)] == [2_000_000, 3_000_000]


def test_an_unrequested_version_does_not_take_the_price_of_a_request(stage, keeper):
    version = stage.order(START + 25)

    with reverts(
        stage.adapter.PriceOfNextVersion,
        error_inputs={"id": BTC, "published": version + 4, "limit": version + 4},
    ):
        stage.commit(keeper, version - 1, [update("BTC", 10**8, version + 4, previous=version + 2)], time=version + 10)
    stage.commit(keeper, version - 1, [update("BTC", 10**8, version + 3, previous=version + 2)], time=version + 10)
    stage.price(keeper, version, 2 * 10**8, time=version + 11)
    assert stage.latest().price == 2_000_000


def test_one_update_serves_one_version(stage, keeper):
    one = update("BTC", 10**8, START + 14, previous=START + 1)
    stage.commit(keeper, START + 5, [one], time=START + 20)

    with reverts(stage.adapter.PriceNotNewer, error_inputs={"id": BTC, "published": START + 14, "latest": START + 14}):
        stage.commit(keeper, START + 6, [one], time=START + 21)


def test_refuses_prices_of_the_future(stage, keeper):
    with reverts(stage.adapter.PriceInFuture, error_inputs={"id": BTC, "published": START + 4}):
        stage.price(keeper, START, 10**8, time=START + 3)

    stage.price(keeper, START, 10**8, time=START + 4)
    assert stage.latest().timestamp == START


def test_refuses_versions_of_the_future(stage, keeper):
    """Even with an update of the future that Pyth would let pass."""
    with reverts(stage.adapter.VersionInFuture, error_inputs={"version": START + 50}):
        stage.price(keeper, START + 50, 10**8, time=START + 40)


@pytest.mark.parametrize("price", [0, -1, -(2**63)])
def test_refuses_prices_that_are_not_positive(stage, keeper, price):
    with reverts(stage.adapter.PriceNotPositive, error_inputs={"id": BTC, "price": price}):
        stage.price(keeper, START, price)


def test_refuses_prices_that_are_uncertain(stage, keeper):
    limit = 20_000  # 2 % of 1,000,000 units

    with reverts(stage.adapter.PriceUncertain, error_inputs={"id": BTC, "confidence": limit + 1, "price": 1_000_000}):
        stage.commit(keeper, START, [update("BTC", 1_000_000, START + 4, confidence=limit + 1)])
    stage.commit(keeper, START, [update("BTC", 1_000_000, START + 4, confidence=limit)])
    assert stage.latest().valid


@pytest.mark.parametrize(
    ("price", "exponent", "stored"),
    [
        (5, -5, 50),
        (5, -6, 5),
        (12345, 0, 12_345_000_000),
        (7, 2, 700_000_000),
        (123_456_789_012_345, -8, 1_234_567_890_123),
        (999_999_999_999_999, -10, 99_999_999_999),
        (19, -7, 1),
        (1, 12, 10**18),
        (2**63 - 1, -6, 2**63 - 1),
    ],
)
def test_exponents_convert_exactly(stage, keeper, price, exponent, stored):
    stage.commit(keeper, START, [update("BTC", price, START + 4, exponent=exponent)])

    assert stage.latest().price == stored


@pytest.mark.parametrize(("price", "exponent"), [(9, -7), (2**63 - 1, -26), (1, -2147483648), (1, 2147483647)])
def test_refuses_what_cannot_be_represented(stage, keeper, price, exponent):
    with reverts(stage.adapter.PriceNotRepresentable):
        stage.commit(keeper, START, [update("BTC", price, START + 4, exponent=exponent)])


def test_refuses_what_is_too_large(stage, keeper):
    with reverts(stage.adapter.PriceOutOfRange, error_inputs={"price": 10**19}):
        stage.commit(keeper, START, [update("BTC", 1, START + 4, exponent=13)])


def test_returns_what_pyth_does_not_take(stage, keeper):
    before = keeper.balance

    stage.price(keeper, START, 10**8, value=10**18)

    assert before - keeper.balance == PYTH_FEE
    assert stage.adapter.balance == 0


def test_refuses_less_than_the_fee(stage, keeper):
    with reverts(stage.adapter.FeeNotCovered, error_inputs={"sent": PYTH_FEE - 1, "fee": PYTH_FEE}):
        stage.price(keeper, START, 10**8, value=PYTH_FEE - 1)


@pytest.mark.parametrize("again", [False, True])
def test_a_keeper_that_cannot_take_its_change_fails(stage, project, operator, again):
    """Refusing it, or committing meanwhile what was committed: neither gets through."""
    contract = operator.deploy(project.MockKeeper, stage.adapter, again)
    stage.at(START + 10)

    with reverts(stage.adapter.RefundFailed, error_inputs={"amount": 1}):
        contract.commit([stage.oracle], START, [update("BTC", 10**8, START + 4)], sender=operator, value=PYTH_FEE + 1)
    assert stage.latest().timestamp == 0


def test_a_contract_may_commit_for_a_keeper(stage, keeper, taker):
    stage.at(START + 10)
    stage.adapter.commitFor(
        keeper, [stage.oracle], START, [update("BTC", 10**8, START + 4)], sender=taker, value=PYTH_FEE
    )

    assert stage.oracle.keeperOf(START) == keeper


def test_refuses_an_oracle_that_it_does_not_serve(stage, keeper, taker):
    with reverts(stage.adapter.OracleNotServed, error_inputs={"oracle": taker.address}):
        stage.price(keeper, START, 10**8, oracles=[taker])


def test_parts_of_a_batch_are_its_own(stage, taker):
    with reverts(stage.adapter.AdapterNotSelf, error_inputs={"caller": taker.address}):
        stage.adapter.commitAlone(taker, stage.oracle, START, [], sender=taker)
    with reverts(stage.adapter.AdapterNotSelf):
        stage.adapter.commitParsed(taker, stage.oracle, START, [], sender=taker)


def test_fifty_orders_cost_a_keeper_no_more_than_one(stage, keeper):
    """And the goals of the gas table hold with room for the rest of a keeper's transaction."""
    stage.price(keeper, START, 10**8)
    one, unrequested = stage.order(START + 15), START + 30
    alone = stage.price(keeper, one, 2 * 10**8).gas_used
    stage.at(START + 35)
    stage.market.order(50, sender=stage.owner)
    many = stage.price(keeper, START + 40, 3 * 10**8).gas_used

    # Calldata differs in the bytes of prices and times.
    assert abs(many - alone) < 100
    assert many < 200_000
    assert stage.price(keeper, START + 100, 4 * 10**8).gas_used < 150_000
    assert unrequested > one
