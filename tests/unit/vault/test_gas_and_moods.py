"""Markets that do not answer, and callers who give too little gas: neither makes a vault do half of what it should."""

import pytest

from perennial.amounts import raw
from perennial.testing.differential import address_of
from perennial.testing.evm import Reverted
from perennial.testing.market import PARAMETER, RISK, changed
from perennial.testing.vault import DAY, NOBODY, START, STEP, Venue, opened, values

ALICE, FRANK = map(address_of, ("alice", "frank"))
UNIT = 10**6
REVERTS, BURNS = 1, 2


@pytest.fixture
def moody(protocol):
    """Alice has 1,000 in two markets; the first's oracle has moods. Returns the bench and that oracle."""
    with opened(protocol, 0) as bench:
        inner = bench.evm.deploy("MockOracle", sender=bench.owner)
        inner.send("set", START, raw("100"), True, START + STEP, sender=bench.owner)
        oracle = bench.evm.deploy("MockMoodyOracle", inner.address, sender=bench.owner)
        protocol.oracles.send("register", oracle.address, sender=bench.owner)
        definition = (bench.token.address, NOBODY, oracle.address, NOBODY, address_of("beneficiary"))
        terms = values(changed(RISK, {})), values(changed(PARAMETER, {}))
        (market,) = protocol.factory.send("create", definition, *terms, sender=bench.coordinator)
        bench.venues.append(Venue(bench, bench.evm.contract("IMarket", market), inner, raw("100"), {}, {}))
        bench.register(bench.venues[0])
        bench.register(bench.open())
        bench.enter("alice", "1000")
        yield bench, oracle


@pytest.mark.parametrize("mood", [REVERTS, BURNS])
def test_a_market_that_does_not_answer_locks_nothing_else(moody, mood):
    bench, oracle = moody
    oracle.send("set", mood, sender=ALICE)
    bench.leave("alice")
    bench.close()
    bench.pass_time(DAY)
    bench.venues[1].commit()
    bench.settle()

    assert bench.cash("alice") == 500 * UNIT
    assert bench.epochs.open_pockets == 1
    oracle.send("set", 0, sender=ALICE)
    bench.venues[0].commit()
    bench.close()
    bench.commit()
    bench.settle()
    assert bench.vault.send("claimReturned", 1, ALICE, ALICE, sender=ALICE)[0] == pytest.approx(500 * UNIT, abs=1)
    bench.check()


@pytest.mark.parametrize("name", ["closeEpoch", "settle"])
def test_too_little_gas_is_not_taken_for_a_refusal(bench, name):
    bench.enter("alice", "1000")
    bench.request("alice", "1000")
    if name == "settle":
        bench.close()
        bench.commit()
    done, refusals = 0, set()
    for gas in range(50_000, 900_000, 10_000):
        with bench.evm.undone():
            try:
                bench.vault.send(name, sender=FRANK, gas=gas)
            except Reverted as error:
                refusals.add(error.name)
                continue
            done += 1
            if name == "closeEpoch":
                assert [venue.pending() for venue in bench.venues] == [raw("40")] * 2
            else:
                assert bench.epochs[2:] == (0, 0, bench.time, 0)

    assert 0 < done < 85
    # With so little that not even the vault's own code comes to its end, it has no time to name an error.
    assert refusals == {"InsufficientGas", "revert"}
