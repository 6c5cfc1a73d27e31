"""Divisions say which way they round."""

import pytest

from perennial.mirror.fixed import ceil_div, clamp, parse, trunc_div


@pytest.mark.parametrize(("a", "up", "zero"), [(7, 4, 3), (6, 3, 3), (-7, -3, -3), (-6, -3, -3), (0, 0, 0)])
def test_divisions(a, up, zero):
    assert ceil_div(a, 2) == up
    assert trunc_div(a, 2) == zero


@pytest.mark.parametrize(("a", "result"), [(-6, -5), (-5, -5), (0, 0), (5, 5), (6, 5)])
def test_clamp(a, result):
    assert clamp(a, 5) == result


def test_parse():
    assert parse("0.0095") == 9_500
    assert parse("-1.5", 2) == -150
    with pytest.raises(ValueError, match="more than 6"):
        parse("0.0000001")
