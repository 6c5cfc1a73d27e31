"""What a deal earns, and which deals go into a transaction."""

from dataclasses import replace

import pytest

from perennial.solver.batch import WEI, Gas, Terms, choose
from perennial.solver.orders import Cross, Fill

from .conftest import KEY, PRICE, TRADERS, UNIT, opened

OWN = KEY.address
GAS = Gas(base=100, fill=100, cross=150, limit=450)


def terms(gas_price=0):
    return Terms(PRICE, taker_fee=1_000, referral_fee=100_000, earner=OWN, gas_price=gas_price, ether_price=WEI)


def fill(sequence, edge, **options):
    """A fill of 1 that earns `edge` raw USD."""
    return Fill(opened(sequence, "1", "200", **options), UNIT, PRICE + edge)


@pytest.mark.parametrize(
    ("who", "share", "earned"),
    [
        ({"originator": TRADERS[0]}, 1, 0),
        ({"originator": TRADERS[0], "solver": OWN}, "0.25", 5_000),
        ({"originator": OWN, "solver": TRADERS[0]}, "0.25", 15_000),
        ({"originator": OWN, "solver": OWN}, "0.25", 20_000),
        ({"solver": OWN}, 1, 0),
    ],
)
def test_credits(who, share, earned):
    """2 units at 100 pay 0.2 USD, a tenth of which is for originator and solver."""
    a, b = opened(1, "2", "100", fee=share, **who), opened(2, "-2", "100")

    assert terms().value(Cross(a, b, 2 * UNIT, PRICE)) == earned


def test_edge():
    assert terms().value(fill(1, 5)) == 5
    assert terms().value(Fill(opened(1, "-1", "50"), UNIT, PRICE - 5)) == 5
    assert terms().value(fill(1, -5)) == -5


def test_the_best_that_fit_in_their_order():
    deals = [fill(1, 5), fill(2, 1), fill(3, 9), fill(4, 7)]

    batch, skipped = choose(deals, terms(), GAS)

    assert batch is not None
    assert batch.deals == (deals[0], deals[2], deals[3])
    assert (batch.gas, batch.profit) == (400, 21)
    assert [(each.hash, each.reason[:17]) for each in skipped] == [(deals[1].order.hash, "the batch is full")]


def test_what_was_tried_takes_a_quarter_more():
    deals = [replace(fill(number, 5), gas=gas) for number, gas in enumerate((100, 80, 101, 40))]

    batch, skipped = choose(deals, terms(), GAS)

    # 125, 100 and 50 of 350; 126 are too many.
    assert batch is not None
    assert batch.deals == (deals[0], deals[1], deals[3])
    assert batch.gas == 100 + 125 + 100 + 50
    assert [each.hash for each in skipped] == [deals[2].order.hash]


def test_of_equals_the_earlier():
    deals = [fill(number, 5) for number in range(5)]

    batch, _ = choose(deals, terms(), GAS)

    assert batch is not None
    assert batch.deals == tuple(deals[:3])


def test_what_does_not_pay():
    deals = [fill(1, 150), fill(2, 250)]

    batch, skipped = choose(deals, terms(gas_price=1), Gas(base=10, fill=100, limit=1000), least=100)

    assert batch is not None
    assert (batch.deals, batch.profit) == ((deals[1],), 140)
    assert skipped[0].reason == "it would earn 0.000050 after gas"


def test_posting_costs_each_deal():
    batch, skipped = choose([fill(1, 150), fill(2, 250)], replace(terms(), posting=200), GAS, least=0)

    assert batch is not None
    assert (len(batch.deals), batch.profit) == (1, 50)
    assert skipped[0].reason == "it would earn -0.000050 after gas"


def test_a_batch_that_does_not_pay():
    deals = [fill(1, 150), fill(2, 150)]

    batch, skipped = choose(deals, terms(gas_price=1), GAS, least=50)

    assert batch is None
    assert {each.reason for each in skipped} == {"the batch of 2 would earn 0.000000 after gas"}


def test_everything_where_profit_does_not_matter():
    batch, _ = choose([fill(1, -5)], terms(gas_price=1), GAS)

    assert batch is not None
    assert batch.profit == -205


def test_nothing():
    assert choose([], terms(), GAS) == (None, [])
