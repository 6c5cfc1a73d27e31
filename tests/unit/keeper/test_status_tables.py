"""What `perennial status` shows a person of a protocol in trouble."""

from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table

from perennial.keeper.status import KeeperStatus, MarketStatus, Status
from perennial.keeper.status_command import tables


def market(**changes):
    values: dict[str, Any] = dict.fromkeys(MarketStatus.__dataclass_fields__, 0)
    return MarketStatus(**(values | {"market": "BTC-USD", "is_stale": False, "is_paused": False} | changes))


def shown(status):
    text = StringIO()
    console = Console(file=text, width=160)
    for part in tables(status):
        console.print(part)
    return text.getvalue()


def test_a_sound_market_raises_no_alarm():
    text = shown(Status(1, 2, 0, [market()]))

    assert "paused" not in text
    assert "shortfall" not in text


def test_pause_and_shortfall_are_said():
    text = shown(Status(1, 2, 0, [market(is_paused=True, shortfall=1_250_000), market(market="ETH-BTC")]))

    assert "BTC-USD is paused.\nBTC-USD has a shortfall of 1.25.\n" in text
    assert "ETH-BTC has" not in text


def test_a_market_that_does_not_answer_is_said():
    status = Status(1, 2, 0, [market()], unanswered={"ETH-BTC": "revert()"})

    assert "ETH-BTC does not answer: revert()\n" in shown(status)
    assert status.to_dict()["unanswered"] == [{"market": "ETH-BTC", "error": "revert()"}]


def test_a_keepers_ether_is_shown():
    keeper = KeeperStatus("0x" + "ab" * 20, "BTC-USD", commits=1, balance=1_500_000_000_000_000_000)
    status = Status(1, 2, 0, [market()], [keeper])

    assert shown(status).splitlines()[-1].rstrip().endswith(" 1.5")
    assert status.to_dict()["keepers"][0]["balance"] == 1_500_000_000_000_000_000
    assert status.to_dict()["markets"][0]["shortfall"] == "0.000000"


def test_every_figure_is_under_its_own_heading():
    sizes = {"maker": 50_000_000, "long": 600_000, "short": 100_000, "open_interest": 42_014_695_414}
    waits = {"utilization": 11_900, "waiting": 3, "oldest": 7, "unsettled": 2}
    first, *_, last = tables(
        Status(
            1,
            2,
            0,
            [market(price=60_020_993_449, age=7, funding=500, **sizes, **waits)],
            [KeeperStatus("0x" + "ab" * 20, "BTC-USD", 1, 2, 3_000_000, 4_000_000, 5_000_000, 6 * 10**18)],
        )
    )

    assert isinstance(first, Table)
    assert isinstance(last, Table)
    assert {column.header: list(column.cells) for column in first.columns} == {
        "market": ["BTC-USD"],
        "price": ["60020.993449"],
        "age": ["7 s"],
        "funding/year": ["0.05 %"],
        "maker": ["50"],
        "long": ["0.6"],
        "short": ["0.1"],
        "open interest": ["42014.695414"],
        "utilization": ["1.19 %"],
        "waiting": ["3 (+2 unsettled)"],
        "oldest": ["7 s"],
    }
    assert {column.header: list(column.cells) for column in last.columns} == {
        "keeper": ["0xabab…abab"],
        "market": ["BTC-USD"],
        "commits": ["1"],
        "liquidations": ["2"],
        "settlement fees": ["3"],
        "liquidation fees": ["4"],
        "unclaimed": ["5"],
        "ETH": ["6"],
    }
