"""The commands behind `ape run deploy`, `create_market`, `verify_deployment` and `upgrade`: Ape connects and signs."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from ape import networks
from ape.cli import ConnectedProviderCommand, account_option
from ape.exceptions import ProviderError
from rich.console import Console

from perennial import manifest as manifests
from perennial.abi import Reverted
from perennial.chain import Chain, NodeError
from perennial.deployment import create_markets, market, network
from perennial.deployment import deploy as carry_out
from perennial.deployment.dry_run import dry_run, show
from perennial.deployment.fields import FileError, read_toml
from perennial.deployment.journal import JournalError
from perennial.deployment.node import Node
from perennial.deployment.owner import own, set_paused
from perennial.deployment.plan import plan
from perennial.deployment.publish import connected_explorer, publish
from perennial.deployment.run import DeploymentError, addresses_of, check_chain, former_manifest
from perennial.deployment.sender import StepError
from perennial.deployment.signer import RefusedToSignError
from perennial.deployment.upgrade import upgrade as upgrade_once
from perennial.deployment.verify import verify
from perennial.manifest import Manifest, ManifestError
from perennial.shell import message_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennial.deployment.network import Network

_EXPECTED = (
    FileError,
    JournalError,
    DeploymentError,
    StepError,
    RefusedToSignError,
    ManifestError,
    NodeError,
    Reverted,
)

console = Console()


@dataclass
class Target:
    """What a command works on: the node that Ape is connected to, the network's file, the manifest's path."""

    rpc: Node
    network: Network
    manifest: Path


class _Connected(ConnectedProviderCommand):
    """A command that Ape connects; a node that does not answer is one line, and not where Ape noticed."""

    def invoke(self, ctx: click.Context) -> Any:
        """Connects and runs."""
        try:
            return super().invoke(ctx)
        except ProviderError as error:
            raise click.ClickException(f"{error} Look at --network, and whether the node is up.") from error


def _command(function: Callable[..., None]) -> Any:
    """A command of Ape's with the options that all have; expected errors are one message and exit code 1."""

    @functools.wraps(function)
    def run(config: str | None, deployments: Path, **options: Any) -> None:
        try:
            uri = _uri()
            rpc = Node(uri)
            chosen = network.load(config) if config else network.of_chain(int(rpc.call("eth_chainId"), 16))
            function(Target(rpc, chosen, _manifest_of(chosen, uri, deployments)), **options)
        except _EXPECTED as error:
            raise click.ClickException(message_of(error)) from error

    config = click.option("--config", help="The network's file or its name in networks/; by default that of the chain.")
    folder = click.option(
        "--deployments",
        type=click.Path(path_type=Path),
        default=manifests.DEPLOYMENTS,
        help="Where manifests are. [deployments/]",
    )
    return click.command(cls=_Connected)(config(folder(run)))


_yes = click.option("--yes", is_flag=True, help="Do not ask, neither for the whole nor for each signature.")


@_command
@account_option()
@click.option("--dry-run", "only_show", is_flag=True, help="Print addresses, calls, gas and data fees; send nothing.")
@click.option("--owner", help="An account that owns the protocol, in the place of the file's timelock. Not on Base.")
@click.option("--pauser", help="In the place of the file's.")
@_yes
def deploy(target: Target, account: Any, only_show: bool, owner: str | None, pauser: str | None, yes: bool) -> None:
    """Put the protocol on a chain, or what of it is missing there.

    The plan comes first. A run that was stopped is continued by the same command.
    """
    if owner or pauser:
        target.network = _changed(target.network, owner, pauser)
    chain = Chain(target.rpc)
    check_chain(target.network, chain)
    known = addresses_of(former_manifest(target.network, chain, target.manifest))
    planned = dry_run(plan(target.network, account.address, known), chain)
    show(planned, console)
    if only_show:
        return
    if planned.left:
        _ask(target.network, yes, account)
    manifest = carry_out(target.network, target.rpc, account, path=target.manifest, report=_say)
    _say(f"manifest: {target.manifest}")
    _publish(manifest, target)
    _report(manifest, target)


@_command
@account_option()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--dry-run", "only_check", is_flag=True, help="Check the files against the chain; send nothing.")
@_yes
def create_market(target: Target, account: Any, files: tuple[Path, ...], only_check: bool, yes: bool) -> None:
    """Open the market of each file. The account becomes its coordinator; anyone may.

    Every file is checked before anything is sent, and every bound that one violates is named.
    """
    feeds = target.network.feeds
    for each in market.Opener(Chain(target.rpc), target.manifest, _say).read(files, feeds):
        _say(f"{each.name}: in bounds")
    if only_check:
        return
    _ask(target.network, yes, account)
    create_markets(files, target.rpc, account, manifest=target.manifest, feeds=feeds, report=_say)


@_command
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--publish", "sources", is_flag=True, help="Publish the sources on the network's explorer as well.")
def verify_deployment(target: Target, files: tuple[Path, ...], sources: bool) -> None:
    """Read a deployment back and compare it with its file, its manifest and the local build.

    Markets' parameters are compared with FILES. Exit code 1 where something differs, or is not published though it
    could be, each thing by name.
    """
    manifest = Manifest.read(target.manifest)
    left = _publish(manifest, target) if sources else []
    _report(manifest, target, files)
    if left:
        raise click.exceptions.Exit(1)


@_command
@account_option()
@_yes
def upgrade(target: Target, account: Any, yes: bool) -> None:
    """Bring all markets and vaults to the local build: deploy it, schedule the change, execute it when it is due.

    Each call does what can be done now and says what comes next. Storage layouts are compared first.
    """
    _ask(target.network, yes, account)
    upgrade_once(target.network, target.rpc, account, path=target.manifest, report=_say)


@_command
@account_option()
@click.argument("call")
@click.argument("arguments", nargs=-1)
@click.option("--salt", default="1", help="Another one for a call that was made before. [1]")
@_yes
def owner(target: Target, account: Any, call: str, arguments: tuple[str, ...], salt: str, yes: bool) -> None:
    """Make a call of the owner's: CALL is Contract.function or MARKET.function, ARGUMENTS as the contract takes them.

    Through the timelock each run does what can be done now and says what comes next. Roles are proposer, executor and
    canceller: `ape run owner Timelock.grantRole proposer 0x…`
    """
    name, _, function = call.rpartition(".")
    if not name:
        raise click.UsageError(f"{call!r} says not of what: write Contract.{call}, or MARKET.{call}")
    _ask(target.network, yes, account)
    try:
        done = own(
            target.network, target.rpc, account, name, function, arguments, salt=salt, path=target.manifest, report=_say
        )
    except (LookupError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    _say("done" if done else "not done yet")


@_command
@account_option()
@click.option("--end", is_flag=True, help="End the pause: the pauser or the owner.")
@_yes
def pause(target: Target, account: Any, end: bool, yes: bool) -> None:
    """Pause all markets at once, as the pauser; or end the pause."""
    _ask(target.network, yes, account)
    transaction = set_paused(target.network, target.rpc, account, not end, path=target.manifest)
    _say(f"{'ended' if end else 'paused'}: {transaction}")


def _publish(manifest: Manifest, target: Target) -> list[str]:
    """Publishes sources where there are explorer, plugin and key; says so where not. Returns what failed."""
    chain = Chain(target.rpc)
    explorer, reason = connected_explorer(chain)
    if explorer is None:
        _say(f"sources are not published: {reason}")
        return []
    left = publish(manifest, target.network, chain, explorer, _say)
    if left:
        _say(f"{len(left)} are not published: ape run verify_deployment --publish tries again")
    return left


def _say(line: str) -> None:
    """Prints a line as it is, however wide the terminal."""
    console.print(line, soft_wrap=True, highlight=False, markup=False)


def _manifest_of(chosen: Network, uri: str, folder: Path) -> Path:
    """Where the manifest of a network is; a devnet keeps its own."""
    port = urlsplit(uri).port
    if chosen.name == manifests.DEVNET and port is not None:
        return manifests.devnet_path(port)
    return folder / f"{chosen.name}.json"


def _uri() -> str:
    """Address of the node that Ape is connected to."""
    provider: Any = networks.active_provider
    return str(getattr(provider, "http_uri", None) or provider.uri)


def _changed(chosen: Network, owner: str | None, pauser: str | None) -> Network:
    """A network's file with other people in it, validated again."""
    path = network.path_of(chosen.name)
    values = read_toml(path)
    if owner:
        values["owner"] = {"timelock": False, "account": owner}
    if pauser:
        values["pauser"] = pauser
    return network.parse(values | {"chain_id": chosen.chain_id}, path)


def _ask(chosen: Network, yes: bool, account: Any) -> None:
    """Asks whether to send, but for chains of this machine; with `yes` the account does not ask either."""
    if yes and hasattr(account, "set_autosign"):
        account.set_autosign(True)
    if not yes and not chosen.is_local:
        click.confirm(f"Send to {chosen.name} (chain {chosen.chain_id}) as {account.address}?", abort=True)


def _report(manifest: Manifest, target: Target, files: tuple[Path, ...] = ()) -> None:
    """Verifies and prints; ends with code 1 where something differs."""
    result = verify(manifest, target.network, target.rpc, files)
    for difference in result.differences:
        _say(f"differs: {difference}")
    _say(f"{result.checked} things compared, {len(result.differences)} differ")
    if result.differences:
        raise click.exceptions.Exit(1)
