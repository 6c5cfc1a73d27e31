"""The manifest: what a deployment writes is what every other command reads."""

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from perennial import manifest
from perennial.manifest import Deployed, Feed, Manifest, ManifestError, Market, Oracle, Payoff, Token, Vault

ALICE, BOB, TOKEN, ORACLE, MARKET = ("0x" + digit * 40 for digit in "12345")


def filled() -> Manifest:
    """One of everything."""
    return Manifest(
        network="base-sepolia",
        chain_id=84532,
        start_block=7,
        owner=ALICE,
        pauser=BOB,
        timelock=ALICE,
        relay="https://relay.example",
        contracts={"MarketFactory": Deployed(BOB, "0x" + "ab" * 32, 7, [ALICE, 2**200, [1, 2]], "0x" + "cd" * 32)},
        tokens={"USDC": Token(TOKEN, 6)},
        oracles={"BTC-USD": Oracle(ORACLE, ALICE, [Feed("0x" + "01" * 32, -1)])},
        payoffs={"square": Payoff(ALICE, 4, 10**12, negative=False)},
        markets={"BTC-USD": Market(MARKET, TOKEN, ORACLE, None, BOB, 9)},
        vaults={"LP": Vault(ALICE, TOKEN, [MARKET], 11)},
    )


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of the test's own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return manifest.runtime()


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    filled().save(tmp_path / "new" / "base-sepolia.json")

    assert Manifest.load("base-sepolia", tmp_path / "new") == filled()
    assert Manifest.load(str(tmp_path / "new" / "base-sepolia.json")) == filled()


def test_the_file_has_the_format_that_others_read() -> None:
    values = filled().to_dict()

    assert values["format"] == 1
    assert values["oracles"]["BTC-USD"]["feeds"] == [{"id": "0x" + "01" * 32, "power": -1}]
    assert values["contracts"]["MarketFactory"]["arguments"] == [ALICE, 2**200, [1, 2]]


def test_another_format_is_refused() -> None:
    with pytest.raises(ManifestError, match="format 2: this program reads format 1"):
        Manifest.from_dict(filled().to_dict() | {"format": 2})


@pytest.mark.parametrize("change", [{"markets": {"BTC-USD": {}}}, {"surprise": 1}, {"tokens": 3}])
def test_what_is_no_manifest_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ManifestError, match="not a manifest"):
        Manifest.from_dict(filled().to_dict() | change)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="deploy first"):
        Manifest.load("base", tmp_path)


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(ManifestError, match="no market 'ETH-USD': it has BTC-USD"):
        filled().market("ETH-USD")
    with pytest.raises(ManifestError, match="no contract 'Router': it has MarketFactory"):
        filled().address("Router")


def test_a_devnet_is_found_while_its_node_listens(runtime: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as node:
        port = node.getsockname()[1]
        devnet = replace(filled(), network="devnet", rpc=f"http://127.0.0.1:{port}")
        devnet.save(manifest.devnet_path(port))

        assert manifest.running() == [runtime / f"devnet-{port}.json"]
        assert Manifest.load("devnet") == devnet
        assert Manifest.load(f"devnet:{port}") == devnet
        with pytest.raises(ManifestError, match="no devnet is up on port 1"):
            Manifest.load("devnet:1")

    assert manifest.running() == []
    with pytest.raises(ManifestError, match="no devnet is up: start one"):
        Manifest.load("devnet")


@pytest.mark.usefixtures("runtime")
def test_the_newest_devnet_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        for age, node in enumerate((first, second)):
            port = node.getsockname()[1]
            path = manifest.devnet_path(port)
            replace(filled(), network="devnet", rpc=f"http://127.0.0.1:{port}", start_block=age).save(path)
            os.utime(path, (age, age))

        assert Manifest.load("devnet").start_block == 1
