"""A keeper that wants to earn: versions that have piled up are judged together, by what they all pay (§8, §11.6)."""

from __future__ import annotations

import pytest

from perennial.amounts import raw
from perennial.keeper.work import Kind
from perennial.testing.kept import keep

NOBODY = "0x" + "0" * 40
PAY = raw(3)
"""Two versions with one order each pay 1.50 for each."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    with keep(tmp_path_factory.mktemp("kept")) as kept:
        yield kept


def test_two_versions_in_one_call(kept):
    stage = kept.stage
    name, address = next(iter(stage.markets.items()))
    market, oracle = stage.contract("IMarket", address), stage.contract("IOracle", stage.oracles[name])
    versions = []
    for account in stage.cast.users[1:3]:
        stage.do(account, market, "update", account, 0, raw("0.1"), raw(500), NOBODY)
        versions.append(int(stage.now()) // 10 * 10 + 10)
        kept.mine(11)

    # Gas is free here; two updates cost two wei, a millionth of a dollar when rounded up.
    wants = {"least_profit": PAY, "ether_price": raw(3_000)}
    with kept.keeper((name, address), **wants) as keeper:
        report = keeper.cycle()
        assert [reason for work, reason in report.refused if work.kind is Kind.COMMIT] == [
            "it earns 1.500000 and costs 0.000001"
        ]
        assert oracle.read("next") == versions[0]
    with kept.keeper((name, address), **wants | {"least_profit": PAY - 1}) as keeper:
        sent = [work for work in kept.work(keeper, 3) if work.kind is Kind.COMMIT]
        assert [work.items for work in sent] == [
            tuple((Kind.COMMIT, oracle.address, str(version)) for version in versions)
        ]
    assert sum(market.read("settlementFees", version) for version in versions) == PAY
    assert {oracle.read("keeperOf", version) for version in versions} == {stage.cast.keeper.address.lower()}
