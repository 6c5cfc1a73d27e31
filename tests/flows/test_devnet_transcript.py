"""A life on the devnet by commands alone, and the first trade of the README.

What is typed and printed is docs/transcript.md, which `make transcript` writes; here its commands are those that run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perennial.artifacts import ROOT
from perennial.chain import Chain, Contract, Rpc
from perennial.deployment import network
from perennial.deployment.verify import verify
from perennial.manifest import Manifest
from perennial.testing.devnets import PATIENCE, devnet, until
from perennial.testing.transcript import Transcript, commands

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = ROOT / "docs" / "transcript.md"
README = (ROOT / "README.md").read_text()
TITLE = """# A life on the devnet

What `make devnet ARGS="--walk 1 --no-solver"` and these commands printed in one run, written by `make transcript`.
Prices are random, so the numbers of another run are others; `tests/flows/test_devnet_transcript.py` runs the same
commands and checks that the money adds up. Hashes are left out, and so is the time between commands.
"""
GIFT = 1_000_000


class Up:
    """A devnet that is up, with the commands of the README running beside the test."""

    def __init__(self, said: dict[str, object]) -> None:
        self.said = said
        self.environment = {"PERENNIAL_NETWORK": f"devnet:{said['port']}"}
        self.manifest = Manifest.read(Path(str(said["manifest"])))
        self.rpc = Rpc(str(said["node"]))
        self.readme = start_readme(self.environment)

    def tokens(self, account: int) -> Decimal:
        """What an account of the ten has of the dollar."""
        token = Contract(Chain(self.rpc), "MockToken", self.manifest.tokens["mUSD"].address)
        users = self.said["accounts"]
        assert isinstance(users, list)
        return Decimal(token.read("balanceOf", users[account])).scaleb(-6)


def start_readme(environment: dict[str, str]) -> subprocess.Popen[str]:
    """The block of the README that is for a second terminal, in a shell."""
    _, block = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)[:2]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.Popen(
        ["bash", "-e", "-c", block],
        cwd=ROOT,
        env={**os.environ, **environment, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        with devnet("--walk", "1", "--no-solver") as (_, said):
            up = Up(said)
            yield up
            up.readme.kill()
            up.readme.communicate()
            up.rpc.close()


def test_what_is_deployed_is_what_is_verified(up: Up) -> None:
    result = verify(up.manifest, network.load("devnet"), str(up.said["node"]))

    assert result.differences == []
    assert result.checked > 100


def test_a_life(up: Up) -> None:
    transcript = Transcript(up.environment)
    hashed = enter(transcript)
    wait_for_prices(transcript)
    look(transcript)
    fall(transcript)
    leave(transcript)
    check_money(transcript, up)
    written = f"{TITLE}\n{transcript.text()}"
    if os.environ.get("PERENNIAL_TRANSCRIPT") == "write":
        DOCUMENT.write_text(written)
    assert hashed not in written
    assert commands(DOCUMENT.read_text()) == commands(written)


def enter(transcript: Transcript) -> str:
    """Everybody comes at once, so that one price serves all; returns the hash of an intent."""
    say, run, ask = transcript.say, transcript.run, transcript.ask
    say("The price is brought to 60,000. Account 1 deposits, asks what a long would cost, and places it.")
    run("devnet move BTC-USD 60000")
    until(lambda: abs(Decimal(ask("market BTC-USD")["price"]) - 60_000) < 600)
    run("deposit BTC-USD 3000 --account 1")
    run("quote BTC-USD long --size 0.5 --account 1 --until 1d")
    run("open BTC-USD long --size 0.5 --account 1")
    say("While it waits for its price, account 2 hands 20,000 to the vault, which makes liquidity of it.")
    run("vault deposit LP 20000 --account 2")
    say("Account 3 signs an intent and posts it to the relay, account 4 takes the other side.")
    run("deposit BTC-USD 3000 --account 3")
    run("deposit BTC-USD 3000 --account 4")
    run("intent post BTC-USD long --size 0.1 --price 60000 --account 3")
    (posted,) = ask("intent list BTC-USD")
    run(f"intent fill {posted['hash']} --account 4")
    assert ask(f"intent show {posted['hash']}")["status"] in ("open", "filled")
    return str(posted["hash"])


def wait_for_prices(transcript: Transcript) -> None:
    """The keeper commits the version, settles who waits, closes and settles the vault's epoch."""
    ask = transcript.ask
    for account in (1, 3, 4):
        until(lambda account=account: states(transcript, account) == {"settled"})  # type: ignore[misc]
    until(lambda: Decimal(ask("vault holdings --account 2")[0]["claimable_shares"]) > 0)


def states(transcript: Transcript, account: int) -> set[str]:
    return {order["state"] for order in transcript.ask(f"orders BTC-USD --account {account}")}


def look(transcript: Transcript) -> None:
    say, run, ask = transcript.say, transcript.run, transcript.ask
    say("Some seconds later the keeper has brought the price, and everything has settled.")
    run("orders BTC-USD --account 1")
    run("positions --account 1")
    run("orders BTC-USD --account 4")
    run("vault claim LP --account 2")
    run("vault holdings --account 2")
    run("status")
    for account, side, size in ((1, "long", "0.5"), (3, "long", "0.1"), (4, "short", "0.1")):
        (position,) = ask(f"positions --account {account}")
        assert (position["side"], Decimal(position["size"])) == (side, Decimal(size))
    (order,) = ask("orders BTC-USD --account 3")
    assert (order["kind"], Decimal(order["price"])) == ("fill", Decimal(60_000))
    (holding,) = ask("vault holdings --account 2")
    assert 19_900 < Decimal(holding["worth"]) <= 20_000


def fall(transcript: Transcript) -> None:
    """The price falls by so much that the long of account 1 is liquidated; the others close."""
    say, run = transcript.say, transcript.run
    say("Account 2 has seen enough.")
    run("vault redeem LP all --account 2")
    say("The price falls by a tenth. Nobody asks for it: the keeper sees whom it makes unhealthy. The others close.")
    run("devnet move BTC-USD 54300")
    until(lambda: liquidated(transcript))
    run("close BTC-USD --account 3")
    run("close BTC-USD --account 4")
    for account in (1, 3, 4):
        until(lambda account=account: is_out(transcript, account))  # type: ignore[misc]
    until(lambda: Decimal(transcript.ask("vault holdings --account 2")[0]["claimable_assets"]) > 0)
    say("The next price closes them all.")
    run("history BTC-USD --account 1")
    assert liquidated(transcript)


def liquidated(transcript: Transcript) -> bool:
    return any(order["kind"] == "liquidation" for order in transcript.ask("orders BTC-USD --account 1"))


def is_out(transcript: Transcript, account: int) -> bool:
    sizes = [position["size"] for position in transcript.ask(f"positions --account {account}")]
    return all(Decimal(size or 0) == 0 for size in sizes) and states(transcript, account) <= {"settled"}


def leave(transcript: Transcript) -> None:
    say, run = transcript.say, transcript.run
    say("Everybody takes everything.")
    run("withdraw BTC-USD all --account 1")
    run("withdraw BTC-USD all --account 3")
    run("withdraw BTC-USD all --account 4")
    run("vault claim LP --account 2")
    run("positions --account 1")
    run("vault holdings --account 2")
    for account in (1, 3, 4):
        assert transcript.ask(f"positions --account {account}") == []
    assert transcript.ask("vault holdings --account 2") == []


def check_money(transcript: Transcript, up: Up) -> None:
    """Each has what the histories say, to the last digit, and there is a reason for each loss."""
    totals = {}
    for account in (1, 3, 4):
        history = transcript.ask(f"history BTC-USD --account {account}")
        total = {name: Decimal(value) for name, value in history["totals"].items()}
        assert total.pop("collateral") == 0 == sum(total.values())
        assert up.tokens(account) - GIFT == -(total["deposits"] + total["withdrawals"])
        totals[account] = total
    assert totals[1]["pnl"] < -2_700
    assert totals[1]["liquidation_fees"] < 0 < -totals[1]["withdrawals"] < 300
    # Of an exchange one has what the other pays, but for fees; they left at one price or at two that are near.
    assert abs(totals[3]["pnl"] + totals[3]["guarantees"] + totals[4]["pnl"] + totals[4]["guarantees"]) < 30
    # A vault in which makers profit from the long's loss, and whose orders cost fees.
    assert -100 < up.tokens(2) - GIFT < 300


def test_the_first_trade_of_the_readme(up: Up) -> None:
    out, _ = up.readme.communicate(timeout=2 * PATIENCE)

    assert up.readme.returncode == 0, out
    assert out.count("settled") >= 2
    assert "The account has nothing in any market." in out
