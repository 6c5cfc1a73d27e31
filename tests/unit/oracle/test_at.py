"""Oracle.at: what is known of any version."""

from perennial.testing.oracles import START


def test_what_was_never_committed_is_invalid_and_has_no_price(stage, keeper):
    stage.price(keeper, START + 5, 10**8)

    assert tuple(stage.oracle.at(START + 4)) == (START + 4, 0, False)
    assert tuple(stage.oracle.at(START + 6)) == (START + 6, 0, False)


def test_what_is_only_requested_is_invalid(stage):
    first, second = stage.order(START + 5), stage.order(START + 15)

    assert tuple(stage.oracle.at(first)) == (first, 0, False)
    assert tuple(stage.oracle.at(second)) == (second, 0, False)


def test_old_versions_stay(stage, keeper):
    stage.price(keeper, START + 1, 1 * 10**8)
    stage.price(keeper, START + 20, 2 * 10**8)
    version = stage.order(START + 35)
    stage.expire(keeper, version)
    stage.price(keeper, START + 90, 3 * 10**8)

    assert tuple(stage.oracle.at(START + 1)) == (START + 1, 1_000_000, True)
    assert tuple(stage.oracle.at(START + 20)) == (START + 20, 2_000_000, True)
    assert tuple(stage.oracle.at(version)) == (version, 0, False)
    assert tuple(stage.oracle.at(START + 90)) == (START + 90, 3_000_000, True)


def test_a_link_to_the_next_request_does_not_leak_into_the_price(stage, keeper):
    first, second = stage.order(START + 5), stage.order(START + 15)
    stage.price(keeper, first, 7 * 10**8, time=START + 45)

    assert tuple(stage.oracle.at(first)) == (first, 7_000_000, True)
    assert stage.oracle.next() == second
