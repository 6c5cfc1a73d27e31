"""What is where on a network: the file that a deployment writes and every other command reads.

One JSON file a network, `deployments/<network>.json`, under version control for public networks. A devnet's lies in a
folder of the user's that does not outlive the session, one a port, and goes when the devnet does. Addresses are
checksummed, transactions are hashes in hex with 0x, blocks are numbers.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FORMAT = 1
"""Of the file. A reader refuses any other."""

DEPLOYMENTS = Path(__file__).resolve().parent.parent / "deployments"
"""Where manifests of networks are."""

DEVNET = "devnet"


class ManifestError(LookupError):
    """There is no such manifest, or it is none; the message says what to do."""


@dataclass(frozen=True)
class Deployed:
    """A contract of the protocol. `transaction` and `block` are None where nobody remembers them.

    `arguments` are the constructor's, integers as they are, bytes in hex, structs as lists; `code_hash` is the hash of
    the code at the address.
    """

    address: str
    transaction: str | None
    block: int | None
    arguments: list[Any]
    code_hash: str


@dataclass(frozen=True)
class Token:
    """A token that markets use."""

    address: str
    decimals: int


@dataclass(frozen=True)
class Feed:
    """A price feed of an oracle: a Pyth id, or a Chainlink feed's address as 32 bytes; `power` is 1 or -1."""

    id: str
    power: int


@dataclass(frozen=True)
class Oracle:
    """An oracle. One that was registered from outside has neither adapter nor feeds."""

    address: str
    adapter: str | None
    feeds: list[Feed]


@dataclass(frozen=True)
class Payoff:
    """± scale · price^(half_power / 2); `scale` has 18 decimals."""

    address: str
    half_power: int
    scale: int
    negative: bool


@dataclass(frozen=True)
class Market:
    """A market. `token`, `oracle` and `payoff` are addresses, `payoff` None for the price itself."""

    address: str
    token: str
    oracle: str
    payoff: str | None
    coordinator: str
    block: int | None


@dataclass(frozen=True)
class Vault:
    """A vault, and the addresses of the markets that it provides liquidity to."""

    address: str
    token: str
    markets: list[str]
    block: int | None


@dataclass
class Manifest:
    """A deployment of the protocol. `timelock` is None where an account owns it, `rpc` is a devnet's alone.

    `relay` is the address of a relay of signed intents, None where nobody has named one. No event of the protocol is
    older than `start_block`.
    """

    network: str
    chain_id: int
    start_block: int
    owner: str
    pauser: str
    timelock: str | None = None
    rpc: str | None = None
    relay: str | None = None
    contracts: dict[str, Deployed] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    oracles: dict[str, Oracle] = field(default_factory=dict)
    payoffs: dict[str, Payoff] = field(default_factory=dict)
    markets: dict[str, Market] = field(default_factory=dict)
    vaults: dict[str, Vault] = field(default_factory=dict)

    def address(self, contract: str) -> str:
        """Where a contract of the protocol is. Raises ManifestError with the known names for another one."""
        if contract not in self.contracts:
            known = ", ".join(self.contracts) or "none"
            raise ManifestError(f"{self.network} has no contract {contract!r}: it has {known}")
        return self.contracts[contract].address

    def market(self, name: str) -> Market:
        """A market by name. Raises ManifestError with the known names for another one."""
        if name not in self.markets:
            known = ", ".join(self.markets) or "none"
            raise ManifestError(f"{self.network} has no market {name!r}: it has {known}")
        return self.markets[name]

    def to_dict(self) -> dict[str, Any]:
        """The file's content."""
        return {"format": FORMAT} | asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Manifest:
        """From a file's content. Raises ManifestError where it is not a manifest of this format."""
        version = values.get("format")
        if version != FORMAT:
            raise ManifestError(f"a manifest of format {version!r}: this program reads format {FORMAT}")
        try:
            oracles = {
                name: Oracle(**{**each, "feeds": [Feed(**feed) for feed in each["feeds"]]})
                for name, each in values["oracles"].items()
            }
            parsed: dict[str, Any] = {name: _each(kind, values[name]) for name, kind in _ENTRIES.items()}
            plain = {name: value for name, value in values.items() if name not in {*parsed, "oracles", "format"}}
            return cls(**plain, **parsed, oracles=oracles)
        except (KeyError, TypeError, AttributeError) as error:
            raise ManifestError(f"not a manifest: {error}") from error

    def save(self, path: Path) -> None:
        """Writes the file in one step, so that no reader sees half of it; makes its folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        partial.write_text(json.dumps(self.to_dict(), indent=2) + "\n")
        partial.replace(path)

    @classmethod
    def load(cls, network: str, folder: Path | None = None) -> Manifest:
        """The manifest of a network by name, of "devnet" (the newest that is up), "devnet:PORT", or of a file's path.

        Raises ManifestError.
        """
        return cls.read(locate(network, folder))

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """The manifest in a file. Raises ManifestError."""
        try:
            values = json.loads(path.read_text())
        except FileNotFoundError as error:
            raise ManifestError(f"no manifest {path}: is the name right? Then deploy first (ape run deploy)") from error
        except OSError as error:
            raise ManifestError(f"{path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise ManifestError(f"{path} is no JSON: {error}") from error
        if not isinstance(values, dict):
            raise ManifestError(f"{path} is not a manifest")
        return cls.from_dict(values)


_ENTRIES: dict[str, type[Any]] = {
    "contracts": Deployed,
    "tokens": Token,
    "payoffs": Payoff,
    "markets": Market,
    "vaults": Vault,
}


def _each(kind: type[Any], entries: dict[str, Any]) -> dict[str, Any]:
    return {name: kind(**entry) for name, entry in entries.items()}


def locate(network: str, folder: Path | None = None) -> Path:
    """The file of a network's manifest; `folder` instead of `deployments/`.

    Raises ManifestError for a devnet that is down.
    """
    if network.endswith(".json"):
        return Path(network)
    if network == DEVNET:
        devnets = running()
        if not devnets:
            raise ManifestError("no devnet is up: start one with `make devnet`")
        return devnets[0]
    if network.startswith(f"{DEVNET}:"):
        port = network.removeprefix(f"{DEVNET}:")
        if not port.isdigit():
            raise ManifestError(f"{network!r}: write devnet:PORT, with a number")
        path = devnet_path(int(port))
        if path not in running():
            raise ManifestError(f"no devnet is up on port {port}: see `perennial devnet list`")
        return path
    return (folder or DEPLOYMENTS) / f"{network}.json"


def runtime() -> Path:
    """The folder of this user's devnets; nobody else can read it."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(base) / f"perennial-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise ManifestError(f"{folder} belongs to somebody else")
    return folder


def devnet_path(port: int) -> Path:
    """Where the devnet whose node listens on this port keeps its manifest, and removes it at its end."""
    return runtime() / f"{DEVNET}-{port}.json"


def running() -> list[Path]:
    """Manifests of the devnets whose node answers, newest first. Those that were left behind are passed over."""
    found = [path for path in runtime().glob(f"{DEVNET}-*.json") if _listens(path)]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _listens(path: Path) -> bool:
    try:
        uri = urlsplit(Manifest.read(path).rpc or "")
        if uri.hostname is None or uri.port is None:
            return False
        with socket.create_connection((uri.hostname, uri.port), timeout=1):
            return True
    except (ManifestError, OSError, ValueError):
        return False
