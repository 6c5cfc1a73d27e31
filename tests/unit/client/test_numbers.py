"""Numbers of people: exact, or refused with words that help."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from perennial.client.errors import InputError
from perennial.client.numbers import amount, instant, signed, units, units_for

NOW = 1_800_000_000


@pytest.mark.parametrize("value", ["0.5", Decimal("0.5"), " 0.500000 "])
def test_amount(value):
    assert amount("size", value) == 500_000


def test_separators():
    assert amount("collateral", "12,345.5") == amount("collateral", "12_345.5") == 12_345_500_000
    assert amount("collateral", "1,000") == 1_000_000_000
    assert units("amount", "1,000,000.5", 18) == 1_000_000_500_000_000_000_000_000


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0.5, "size: 0.5 is a float, which rounds in passing: write it as text, '0.5', or as a Decimal"),
        ("0.0000001", "size: '0.0000001' has more than 6 decimals"),
        (Decimal("0.00000001"), "size: 0.00000001 has more than 6 decimals"),
        ("half", "size: 'half' is not a number"),
        ("0", "size: 0 is not more than 0"),
        ("-1", "size: -1 is not more than 0"),
        (True, "size: True is no number"),
        (None, "size: None is no number"),
        ("inf", "size: 'inf' is not a number"),
        ("0,5", "size: '0,5': decimals follow a point, as in 0.5; commas are between thousands"),
        ("0,500", "size: '0,500': decimals follow a point"),
        ("1,5", "size: '1,5': decimals follow a point"),
        ("1,0000", "size: '1,0000': decimals follow a point"),
        ("1.500,5", "size: '1.500,5': decimals follow a point"),
        ("1e80", "size: 1e80 is larger than anything there is"),
        ("1" * 95 + ".1234567", "size: '111"),
    ],
)
def test_what_is_no_amount(value, says):
    with pytest.raises(InputError, match="size") as refused:
        amount("size", value)

    assert str(refused.value).startswith(says)


def test_signed():
    assert signed("price", "-2.5") == -2_500_000


def test_usd_are_rounded_down_to_units():
    assert units_for(1_000_000_000, 60_000_000_000) == 16_666
    assert units_for(1_000_000_000, -60_000_000_000) == 16_666


@pytest.mark.parametrize(("usd", "price", "says"), [(10, 0, "no price yet"), (10, 60_000 * 10**6, "less than a milli")])
def test_usd_without_units(usd, price, says):
    with pytest.raises(InputError, match=says):
        units_for(usd, price)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("90s", NOW + 90),
        ("36h", NOW + 36 * 3600),
        ("7d", NOW + 7 * 86_400),
        ("2w", NOW + 14 * 86_400),
        (NOW + 5, NOW + 5),
        (str(NOW + 5), NOW + 5),
        ("2027-02-01", int(datetime(2027, 2, 1, tzinfo=UTC).timestamp())),
        ("2027-02-01T12:00+01:00", int(datetime(2027, 2, 1, 11, tzinfo=UTC).timestamp())),
        (datetime(2027, 2, 1, tzinfo=UTC), int(datetime(2027, 2, 1, tzinfo=UTC).timestamp())),
    ],
)
def test_instant(value, seconds):
    assert instant("until", value, NOW) == seconds


@pytest.mark.parametrize(
    "value", ["soon", "2027-13-01", "7 days", "2020-01-01", NOW, "0d", str(NOW), "12345", None, 2**32]
)
def test_what_is_no_instant(value):
    with pytest.raises(InputError, match="until"):
        instant("until", value, NOW)
