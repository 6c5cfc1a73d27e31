"""A network's file: all that a deployment is told (networks/*.toml), validated before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from eth_utils.address import to_checksum_address

from perennial.deployment.fields import ZERO, Fields, FileError, read_toml
from perennial.mirror.parameters import WHOLE, ProtocolParameter, camel_case, protocol_violations

if TYPE_CHECKING:
    from perennial.mirror.errors import ParameterOutOfBounds

NETWORKS = Path(__file__).resolve().parent.parent.parent / "networks"

DEPLOYER = "deployer"
"""In the place of an address: the account that deploys. Not on Base."""

ANYONE = "anyone"
"""As an executor: whoever comes."""

MOCK = "mock"
"""In the place of Pyth or a token: one is deployed. Not on Base."""

BASE = 8453
LOCAL = (1337, 31337)

GRANULARITY = 10
"""Seconds between the versions of a new oracle (docs/protocol.md §11.2)."""

_DAY = 86_400
_ONE = 10**6
_SECONDS = 2**32 - 1

T = TypeVar("T")


@dataclass(frozen=True)
class Window:
    """When a version's price must be published, and until when it may be committed (docs/protocol.md §11.3, §11.4).

    Seconds after the version, seconds of grace, the largest confidence interval as a share with 6 decimals.
    """

    valid_from: int
    valid_to: int
    grace: int
    confidence: int

    def to_abi(self) -> tuple[int, int, int, int]:
        """The tuple that the chain takes."""
        return self.valid_from, self.valid_to, self.grace, self.confidence


@dataclass(frozen=True)
class Owner:
    """Who owns the protocol: a timelock that is deployed with it, or (`timelock` false) the account `account`.

    `delay` is in seconds. Proposers may cancel as well; ANYONE among the executors lets everybody execute.
    """

    timelock: bool
    account: str
    delay: int
    proposers: tuple[str, ...]
    cancellers: tuple[str, ...]
    executors: tuple[str, ...]


@dataclass(frozen=True)
class TokenTerms:
    """A token; `address` may be MOCK."""

    address: str
    decimals: int


@dataclass(frozen=True)
class FeedIds:
    """How the adapters name a feed; empty where they have none."""

    pyth: str
    chainlink: str


@dataclass(frozen=True)
class Network:
    """A network's file. Addresses may be DEPLOYER until `resolved` has been called.

    `relay` is where clients find signed intents, None where nobody runs a relay.
    """

    name: str
    chain_id: int
    salt: str
    owner: Owner
    pauser: str
    parameter: ProtocolParameter
    pyth: str
    pyth_window: Window
    sequencer_feed: str
    sequencer_grace: int
    chainlink_window: Window
    tokens: dict[str, TokenTerms]
    feeds: dict[str, FeedIds]
    relay: str | None = None

    def resolved(self, deployer: str) -> Network:
        """With the deployer's address in the place of its name."""

        def put(address: str) -> str:
            return to_checksum_address(deployer) if address == DEPLOYER else address

        def put_all(addresses: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(put(address) for address in addresses)

        owner = replace(
            self.owner,
            account=put(self.owner.account),
            proposers=put_all(self.owner.proposers),
            cancellers=put_all(self.owner.cancellers),
            executors=put_all(self.owner.executors),
        )
        return replace(self, owner=owner, pauser=put(self.pauser))

    @property
    def is_local(self) -> bool:
        """A chain that is gone when its process is."""
        return self.chain_id in LOCAL


def path_of(name: str) -> Path:
    """The file of a network by name, or the path itself."""
    return Path(name) if name.endswith(".toml") else NETWORKS / f"{name}.toml"


def load(name: str | Path) -> Network:
    """A network's file by the network's name or by path. Raises FileError with every problem."""
    path = path_of(str(name))
    return parse(read_toml(path), path)


def of_chain(chain_id: int) -> Network:
    """The file of the network with this id. Raises FileError where there is none."""
    chosen = {1337: "local", 31337: "local", 84532: "base-sepolia", BASE: "base"}.get(chain_id)
    if chosen is None:
        raise FileError("networks", [f"no file for chain {chain_id}: name one with --config"])
    return replace(load(chosen), chain_id=chain_id)


def parse(values: dict[str, Any], path: Path | str = "network") -> Network:
    """A network from what its file says. Raises FileError with every problem."""
    file = Fields(values)
    name = file.text("name")
    if not name.replace("-", "").isalnum() or name != name.lower():
        file.problem("name", f"small letters, digits and hyphens are needed, not {name!r}: it names the manifest")
    chain_id = file.whole("chain_id", 1, 2**64 - 1)
    real = chain_id == BASE
    words = () if real else (DEPLOYER,)
    network = Network(
        name=name,
        chain_id=chain_id,
        salt=file.text("salt"),
        owner=_owner(file.table("owner"), words, real=real),
        pauser=file.address("pauser", words=words),
        parameter=_parameter(file.table("parameters")),
        **_pyth(file.table("pyth"), () if real else (MOCK,)),
        **_chainlink(file.table("chainlink")),
        tokens=_tokens(file.table("tokens"), () if real else (MOCK,)),
        feeds=_feeds(file.table("feeds")),
        relay=_relay(file),
    )
    file.finish()
    if file.problems:
        raise FileError(path, file.problems)
    return network


def struct(table: Fields, kind: type[T]) -> T:
    """A struct of the contracts from a table of decimals under the names of the ABI; all of them are needed."""
    values: dict[str, Any] = {}
    for each in fields(kind):  # type: ignore[arg-type]
        name = camel_case(each.name)
        if is_dataclass(each.type):
            values[each.name] = struct(table.table(name), each.type)  # type: ignore[arg-type]
        elif each.type is bool:
            values[each.name] = table.flag(name)
        elif each.name in WHOLE:
            values[each.name] = table.whole(name, 0, 2**256 - 1)
        else:
            values[each.name] = table.amount(name)
    table.finish()
    return kind(**values)


def describe(violation: ParameterOutOfBounds, kind: type[Any]) -> tuple[str, str]:
    """Field and text of a violated bound, in the units of a file: decimals, or whole numbers where those are."""
    field, value, bound = violation.args
    whole = field in {camel_case(each.name) for each in fields(kind) if each.name in WHOLE}
    shown = [str(number) if whole else _decimal(number) for number in (value, bound)]
    return field, f"{shown[0]} is {'above' if value > bound else 'below'} its limit {shown[1]}"


def _decimal(number: int) -> str:
    whole, part = divmod(number, _ONE)
    return f"{whole}.{part:06}".rstrip("0").rstrip(".")


def _owner(table: Fields, words: tuple[str, ...], *, real: bool) -> Owner:
    timelock = table.flag("timelock")
    if not timelock:
        if real:
            table.problem("timelock", "the owner on Base is a timelock")
        account = table.address("account", words=words)
        table.finish()
        return Owner(False, account, 0, (), (), ())
    owner = Owner(
        timelock=True,
        account=ZERO,
        delay=table.whole("delay", _DAY if real else 0, 30 * _DAY),
        proposers=tuple(table.addresses("proposers", words)),
        cancellers=tuple(table.addresses("cancellers", words)),
        executors=tuple(table.addresses("executors", (*words, ANYONE))),
    )
    for name in ("proposers", "executors"):
        if not getattr(owner, name):
            table.problem(name, "has 0 entries: at least 1 is needed")
    table.finish()
    return owner


def _parameter(table: Fields) -> ProtocolParameter:
    parameter = struct(table, ProtocolParameter)
    for violation in protocol_violations(parameter):
        table.problem(*describe(violation, ProtocolParameter))
    return parameter


def _pyth(table: Fields, words: tuple[str, ...]) -> dict[str, Any]:
    pyth, window = table.address("address", words=words), _window(table, confident=True)
    if window.valid_to - window.valid_from >= GRANULARITY:
        limit = window.valid_from + GRANULARITY - 1
        table.problem("validTo", f"{window.valid_to} is above its limit {limit}: windows of two versions would overlap")
    table.finish()
    return {"pyth": pyth, "pyth_window": window}


def _chainlink(table: Fields) -> dict[str, Any]:
    feed = table.address("sequencerFeed", default=None)
    grace = table.whole("sequencerGrace", 0, _DAY)
    window = _window(table, confident=False)
    table.finish()
    return {"sequencer_feed": feed, "sequencer_grace": grace, "chainlink_window": window}


def _window(table: Fields, *, confident: bool) -> Window:
    start = table.whole("validFrom", 0, _DAY)
    end = table.whole("validTo", min(start, _DAY), _DAY)
    # docs/protocol.md §11.3: a window and its grace end within a day.
    grace = table.whole("grace", 10, max(10, _DAY - end))
    confidence = table.amount("confidence") if confident else _ONE
    if not 1 <= confidence <= _ONE:
        table.problem("confidence", f"{_decimal(confidence)} is outside its limits 0.000001 and 1")
    return Window(start, end, grace, confidence)


def _relay(file: Fields) -> str | None:
    if not file.has("relay"):
        return None
    url = file.text("relay")
    if url and not url.startswith(("http://", "https://")):
        file.problem("relay", f"an address such as https://relay.example is needed, not {url!r}")
    return url


def _tokens(table: Fields, words: tuple[str, ...]) -> dict[str, TokenTerms]:
    tokens = {}
    for name in table.names():
        entry = table.table(name)
        tokens[name] = TokenTerms(entry.address("address", words=words), entry.whole("decimals", 6, 18))
        entry.finish()
    return tokens


def _feeds(table: Fields) -> dict[str, FeedIds]:
    feeds = {}
    for name in table.names():
        entry = table.table(name)
        pyth = entry.identifier("pyth") if entry.has("pyth") else ""
        address = entry.address("chainlink") if entry.has("chainlink") else ""
        # docs/protocol.md §11.2: an adapter's name of a Chainlink feed is its address as 32 bytes.
        feeds[name] = FeedIds(pyth, "0x" + address[2:].lower().rjust(64, "0") if address else "")
        entry.finish()
    return feeds
