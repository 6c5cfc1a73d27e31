"""A keeper of a crowd: whom a price makes unhealthy is found among many, whatever a node gives to one simulation."""

from __future__ import annotations

import logging

import pytest

from perennial.amounts import raw
from perennial.keeper.keeper import Options
from perennial.testing.kept import keep

NOBODY = "0x" + "0" * 40
CROWD = [f"0x{number:040x}" for number in range(1, 121)]
"""Accounts without anything: each costs a simulation what settling the market costs, unless that is done before."""
CAPS = (8_000_000, 1_500_000)
"""Gas of a call: all that are asked at once fit, and fewer do."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    with keep(tmp_path_factory.mktemp("kept")) as kept:
        yield kept


@pytest.fixture(scope="module")
def behind(kept):
    """The first market, five versions behind, and an account that its newest price makes unhealthy."""
    stage, users = kept.stage, kept.stage.cast.users
    name, address = next(iter(stage.markets.items()))
    market = stage.contract("IMarket", address)
    with kept.keeper((name, address)) as keeper:
        stage.do(users[1], market, "update", users[1], 0, raw("1"), raw(600), NOBODY)
        kept.work(keeper, 15)
        for who in users[2:7]:
            stage.do(who, market, "update", who, 0, raw("0.01"), raw(100), NOBODY)
            kept.mine(10)
        kept.move("BTC-USD", raw(9_450))
        kept.mine(20)
        keeper.options = Options(settle=False, liquidate=False, claim_every=10**10)
        kept.work(keeper, 6)
    assert market.read("pendingCount") == 5
    return (name, address), users[1].lower()


@pytest.fixture
def cap(monkeypatch):
    """Gives calls so much gas, and counts them."""

    def cap(view, gas):
        call, asked = view.rpc.call, []

        def capped(method, *params):
            if method == "eth_call":
                asked.append(method)
                request, *more = params
                params = ({**request, "gas": hex(gas)}, *more)
            return call(method, *params)

        monkeypatch.setattr(view.rpc, "call", capped)
        return asked

    return cap


@pytest.mark.parametrize(("gas", "pieces"), zip(CAPS, (3, 20), strict=True))
def test_found_among_many(kept, behind, cap, gas, pieces):
    market, unhealthy = behind
    with kept.keeper(market) as keeper:
        asked = cap(keeper.view, gas)
        [info] = keeper.view.markets
        assert keeper.view.liquidatable(info, [*CROWD, unhealthy]) == [unhealthy]
        assert len(asked) <= pieces


def test_nothing_that_fits_stops_nobody(kept, behind, cap, caplog):
    market, unhealthy = behind
    caplog.set_level(logging.WARNING)
    with kept.keeper(market) as keeper:
        cap(keeper.view, 60_000)
        [info] = keeper.view.markets
        assert keeper.view.liquidatable(info, [unhealthy, CROWD[0]]) == []
    assert "nobody can tell" in caplog.text
