"""Storage layouts: a field that has moved fails, one that follows at the end has to be written down."""

import pytest

from perennial import layout
from perennial.artifacts import ROOT
from perennial.layout import MovedError

BEFORE = {"Market": {"book": "slot 0, byte 0, uint256", "price": "slot 1, byte 0, int64"}}


@pytest.fixture(scope="module")
def found():
    return layout.layouts()


def test_the_sources_are_as_the_file_says(found):
    layout.check(layout.recorded(), found)


def test_the_file_has_what_markets_and_vaults_keep(found):
    market, vault = found["Market at its namespace"], found["Vault at its namespace"]

    assert market["config"] == "slot 0, byte 0, MarketConfig"
    assert market["accounts[].orders[].terms"] == "slot 1, byte 0, uint256"
    assert market["MARKET_STORAGE"].startswith("0x8d00f021")
    assert vault["VAULT_STORAGE"].startswith("0x")
    assert "_balances" in found["Vault"]


def test_the_codes_of_a_proxy_share_their_ordinary_slots(found):
    assert found["Market"] == found["MarketExtension"] == found["MarketIntents"]


@pytest.mark.parametrize(
    ("now", "message"),
    [
        ({"book": "slot 0, byte 0, uint256"}, "Market price: slot 1, byte 0, int64 in the file, gone in the sources"),
        (BEFORE["Market"] | {"price": "slot 2, byte 0, int64"}, "slot 1, byte 0, int64 in the file, slot 2, byte 0"),
        (BEFORE["Market"] | {"price": "slot 1, byte 8, int64"}, "byte 0, int64 in the file, slot 1, byte 8"),
        (BEFORE["Market"] | {"price": "slot 1, byte 0, int128"}, "int64 in the file, slot 1, byte 0, int128"),
    ],
)
def test_what_has_moved_is_named(now, message):
    with pytest.raises(MovedError, match=message):
        layout.check(BEFORE, {"Market": now})


def test_a_new_field_has_to_be_written_down():
    with pytest.raises(MovedError, match=r"run `make layout`:\nMarket fee"):
        layout.check(BEFORE, {"Market": BEFORE["Market"] | {"fee": "slot 2, byte 0, uint64"}})


def test_writing_adds_what_is_new_and_refuses_what_has_moved(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "FILE", tmp_path / "layouts" / "storage.json")
    layout.write(BEFORE, moved=False)
    longer = {"Market": BEFORE["Market"] | {"fee": "slot 2, byte 0, uint64"}}
    layout.write(longer, moved=False)
    assert layout.recorded() == longer

    with pytest.raises(MovedError, match="Market fee"):
        layout.write(BEFORE, moved=False)
    assert layout.recorded() == longer
    layout.write(BEFORE, moved=True)
    assert layout.recorded() == BEFORE


def test_a_moved_slot_of_the_real_sources_fails(monkeypatch):
    text = ROOT.joinpath("contracts/market/MarketStorage.sol").read_text()
    swapped = text.replace("    uint256 book;\n    uint256 pendingBook;", "    uint256 pendingBook;\n    uint256 book;")
    assert swapped != text
    read = type(ROOT).read_text
    monkeypatch.setattr(
        type(ROOT),
        "read_text",
        lambda path, *rest: swapped if path.name == "MarketStorage.sol" else read(path, *rest),
    )

    with pytest.raises(MovedError, match=r"book: slot 8, byte 0, uint256 in the file, slot 9"):
        layout.check(layout.recorded(), layout.layouts())
