"""Results print for people and become dicts for machines."""

import json
from dataclasses import FrozenInstanceError, dataclass, fields
from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console

from perennial.client import results
from perennial.client.records import Record, moment, number, text
from perennial.client.results import Entry, OrderState, Sent


@dataclass(frozen=True, slots=True)
class Sample(Record):
    size: Decimal
    version: int
    state: OrderState
    note: str | None
    parts: tuple[Sent, ...]


SAMPLE = Sample(Decimal("1234.500000"), 1_800_000_000, OrderState.WAITING, None, (Sent("done", "0x1", 7),))


def test_to_dict():
    assert SAMPLE.to_dict() == {
        "size": "1234.500000",
        "version": 1_800_000_000,
        "state": "waiting",
        "note": None,
        "parts": [{"what": "done", "transaction": "0x1", "block": 7}],
    }
    assert json.loads(json.dumps(SAMPLE.to_dict())) == SAMPLE.to_dict()


def test_str():
    assert str(SAMPLE).splitlines() == [
        "size     1,234.50",
        "version  2027-01-15 08:00:00",
        "state    waiting",
        "parts    what         done",
        "         transaction  0x1",
        "         block        7",
    ]


def test_rich():
    out = StringIO()
    Console(file=out, width=80).print(SAMPLE)
    assert "1,234.50" in out.getvalue()


def test_frozen():
    with pytest.raises(FrozenInstanceError):
        setattr(SAMPLE, "size", Decimal(1))  # noqa: B010 -- as a person would, past the type checker


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("0", "0.00"),
        ("-1.5", "-1.50"),
        ("1234567.890000", "1,234,567.89"),
        ("0.000001", "0.000001"),
        ("1E+3", "1,000.00"),
    ],
)
def test_number(value, says):
    assert number(Decimal(value)) == says


def test_text():
    assert (text(True), text(OrderState.SETTLED), text(b"\x01"), text(("a", "b"))) == ("yes", "settled", "0x01", "a, b")
    assert moment(0) == "none"
    assert (moment(253_402_300_799), moment(2**256)) == ("9999-12-31 23:59:59", str(2**256))


def test_every_result_is_frozen_and_has_no_float():
    kinds = [
        kind
        for kind in vars(results).values()
        if isinstance(kind, type) and issubclass(kind, Record) and kind is not Record
    ]
    assert len(kinds) > 8
    for kind in kinds:
        assert "float" not in {str(kind) for kind in kind.__annotations__.values()}, kind


def test_an_entry_leaves_out_what_is_zero():
    zero = dict.fromkeys((field.name for field in fields(Entry) if field.type == "Decimal"), Decimal(0))
    entry = Entry(time=1_800_000_000, block=1, kind="order", version=None, note="new", transaction="0x1", **zero)
    assert [label for label, _ in entry.rows()] == ["time", "block", "kind", "note", "transaction"]
