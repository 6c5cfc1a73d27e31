"""Oracle.collect and bind: the factory's alone."""

from ape import reverts

from perennial.testing.oracles import START


def test_gives_the_right_once(stage, project, operator, keeper):
    oracle = operator.deploy(project.Oracle, operator, operator, 10)
    stage.at(START + 10)
    oracle.commit(START + 5, 1_000_000, START + 9, keeper, sender=operator)

    assert oracle.collect(START + 5, keeper, sender=operator).return_value is True
    assert oracle.collect(START + 5, keeper, sender=operator).return_value is False
    assert tuple(oracle.at(START + 5)) == (START + 5, 1_000_000, True)


def test_gives_nobody_what_nobody_committed(project, operator):
    oracle = operator.deploy(project.Oracle, operator, operator, 10)

    assert oracle.collect(START + 5, "0x" + "0" * 40, sender=operator).return_value is False


def test_is_the_factorys(stage, taker):
    with reverts(stage.oracle.OracleNotFactory, error_inputs={"caller": taker.address}):
        stage.oracle.collect(START, taker, sender=taker)
    with reverts(stage.oracle.OracleNotFactory, error_inputs={"caller": taker.address}):
        stage.oracle.bind(taker, sender=taker)
