"""PythOracle.commitInvalid: a requested version that got no price ends, by anyone, without data (§11.3)."""

from ape import reverts

from perennial.mirror.oracle import OracleVersion
from perennial.testing.oracles import START


def test_from_the_end_of_the_grace_on(bench, taker):
    version = bench.order(START + 5)

    with reverts(bench.adapter.VersionNotExpired, error_inputs={"version": version, "expiry": version + 40}):
        bench.expire(taker, version, time=version + 39)
    bench.expire(taker, version, time=version + 40)

    assert bench.latest() == OracleVersion(version, 0, False)
    assert bench.oracle.next() == 0


def test_opens_the_way_for_the_next(bench, keeper):
    first, second = bench.order(START + 5), bench.order(START + 45)

    bench.expire(keeper, first)
    bench.price(keeper, second, 10**8, time=second + 15)

    assert not bench.oracle.at(first).valid
    assert bench.oracle.at(second).valid


def test_an_unrequested_version_cannot_be_invalid(bench, keeper):
    with reverts(bench.oracle.VersionNotNext, error_inputs={"version": START, "next": 0}):
        bench.expire(keeper, START)


def test_skips_what_refuses(bench, second, keeper, taker, skipped, selector):
    version = bench.order(START + 5)

    receipt = bench.expire(keeper, version, oracles=[second[0], taker, bench.oracle])

    assert skipped(receipt) == [
        (second[0].address, selector("VersionNotNext(uint256,uint256)")),
        (taker.address, selector("OracleNotServed(address)")),
    ]
    assert bench.latest().timestamp == version


def test_earns_nothing(bench, keeper):
    version = bench.order(START + 5)
    bench.expire(keeper, version)

    assert bench.oracle.keeperOf(version) == "0x" + "0" * 40
