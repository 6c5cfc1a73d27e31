"""PythOracle.commitInvalid: a requested version that got no price ends, by anyone, without data (§11.3)."""

from ape import reverts

from perennial.mirror.oracle import OracleVersion
from perennial.testing.oracles import START


def test_from_the_end_of_the_grace_on(stage, taker):
    version = stage.order(START + 5)

    with reverts(stage.adapter.VersionNotExpired, error_inputs={"version": version, "expiry": version + 40}):
        stage.expire(taker, version, time=version + 39)
    stage.expire(taker, version, time=version + 40)

    assert stage.latest() == OracleVersion(version, 0, False)
    assert stage.oracle.next() == 0


def test_opens_the_way_for_the_next(stage, keeper):
    first, second = stage.order(START + 5), stage.order(START + 45)

    stage.expire(keeper, first)
    stage.price(keeper, second, 10**8, time=second + 15)

    assert not stage.oracle.at(first).valid
    assert stage.oracle.at(second).valid


def test_an_unrequested_version_cannot_be_invalid(stage, keeper):
    with reverts(stage.adapter.VersionNotNext, error_inputs={"version": START, "next": 0}):
        stage.expire(keeper, START)


def test_skips_what_refuses(stage, second, keeper, taker, skipped, selector):
    version = stage.order(START + 5)

    receipt = stage.expire(keeper, version, oracles=[second[0], taker, stage.oracle])

    assert skipped(receipt) == [
        (second[0].address, selector("VersionNotNext(uint256,uint256)")),
        (taker.address, selector("OracleNotServed(address)")),
    ]
    assert stage.latest().timestamp == version


def test_earns_nothing(stage, keeper):
    version = stage.order(START + 5)
    stage.expire(keeper, version)

    assert stage.oracle.keeperOf(version) == "0x" + "0" * 40
