"""What `perennial status` shows a person of a protocol in trouble."""

from io import StringIO
from typing import Any

from rich.console import Console

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


def test_a_keepers_ether_is_shown():
    keeper = KeeperStatus("0x" + "ab" * 20, "BTC-USD", commits=1, balance=1_500_000_000_000_000_000)
    status = Status(1, 2, 0, [market()], [keeper])

    assert shown(status).splitlines()[-1].rstrip().endswith(" 1.5")
    assert status.to_dict()["keepers"][0]["balance"] == 1_500_000_000_000_000_000
    assert status.to_dict()["markets"][0]["shortfall"] == "0.000000"
