"""A vault as it stands on chain, as a mirror over mirrors of its markets, all read at one block.

What is read from storage, because no view tells it, is checked against the views beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial.chain import Chain, Contract
from perennial.client import state
from perennial.client.errors import ClientError
from perennial.client.storage import field
from perennial.mirror.accumulators import NO_PARTS, ZERO, Accumulators, VersionRecord
from perennial.mirror.factory import Factory
from perennial.mirror.parameters import ProtocolParameter
from perennial.mirror.vault import Vault as Mirror
from perennial.mirror.vault_state import Pocket, VaultMarket, VaultParameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennial.chain import Query, Rpc
    from perennial.client.state import Block, PricedOracle

STORAGE = 0xBD8B34EA714A2CEDD5B2126D58CBA9E7EFEECFE9EDFBC0130CF0E30F5717EB00
"""First slot of a vault's storage (contracts/vault/VaultStorage.sol)."""

_EPOCHS, _ENTERING = STORAGE + 1, STORAGE + 5
_DEPOSITS_PAY, _REDEEMS_PAY = 1, 2
_NO_PROTOCOL = ProtocolParameter(0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Makeup:
    """What a vault is made of and never changes. `decimals` are the asset's; shares have six more."""

    address: str
    asset: str
    symbol: str
    shares: str
    """Symbol of the shares."""
    decimals: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A vault at a block, with its markets in the order of registration; `oracles` are theirs."""

    block: Block
    mirror: Mirror
    oracles: tuple[PricedOracle, ...]

    def present(self) -> Mirror:
        """A mirror whose markets are settled up to their oracles' latest versions, pause or not."""
        trial = unpaused(self.mirror)
        for entry in trial.markets:
            trial.observe(entry)
        return trial


def unpaused(mirror: Mirror) -> Mirror:
    """A copy that is not paused, markets neither: for questions."""
    trial = mirror.copy()
    trial.factory = Factory(mirror.factory.parameter)
    for entry in trial.markets:
        entry.market.factory = Factory(entry.market.factory.parameter)
    return trial


def makeup(rpc: Rpc, address: str) -> Makeup:
    """What the vault at an address is made of."""
    chain = Chain(rpc)
    vault = Contract(chain, "IVault", address)
    asset, shares = chain.ask_all([vault.query("asset"), Contract(chain, "MockToken", address).query("symbol")])
    token = Contract(chain, "MockToken", asset)
    symbol, decimals = chain.ask_all([token.query("symbol"), token.query("decimals")])
    return Makeup(vault.address, asset, symbol, shares, decimals)


def read(rpc: Rpc, made: Makeup, markets: Sequence[state.Makeup]) -> Snapshot:
    """The vault with its markets, at the newest block; `markets` are what those are made of.

    Raises NodeError; ClientError for an unknown layout.
    """
    block = state.newest_block(rpc)
    chain = Chain(rpc, block.tag)
    answers = _answers(chain, made)
    mirror = _mirror(made, answers, block)
    snapshots = [state.read(rpc, each, [made.address], block) for each in markets]
    places = {snapshot.mirror.address.lower(): snapshot for snapshot in snapshots}
    registered = [_Registered(*values) for values in answers["markets"]]
    found = [places[each.market.lower()] for each in registered]
    for each, snapshot in zip(registered, found, strict=True):
        mirror.markets.append(_market(chain, each, snapshot))
    mirror.known = [snapshot.mirror for snapshot in found]
    mirror.factory.paused = any(market.factory.paused for market in mirror.known)
    _pockets(chain, mirror, field(answers["words"][0], 184, 32))
    _check(mirror, answers)
    return Snapshot(block, mirror, tuple(snapshot.oracle for snapshot in found))


@dataclass(frozen=True, slots=True)
class _Registered:
    """VaultMarket of the contracts."""

    market: str
    weight: int
    leverage: int
    pocket: int
    version: int
    expected: int
    charge: int
    exposed: bool
    awaited: bool
    ordered: bool
    leverage_before: int
    rests_until: int


def _answers(chain: Chain, made: Makeup) -> dict[str, Any]:
    vault, shares = Contract(chain, "IVault", made.address), Contract(chain, "MockToken", made.address)
    views = ("epochs", "books", "parameter", "coordinator", "markets", "totalAssets", "totalSupply")
    queries: dict[str, Query] = {name: vault.query(name) for name in views}
    queries["escrow"] = shares.query("balanceOf", made.address)
    queries["tokens"] = Contract(chain, "MockToken", made.asset).query("balanceOf", made.address)
    answers = dict(zip(queries, chain.ask_all(list(queries.values())), strict=True))
    answers["words"] = chain.words(made.address, (_EPOCHS, _ENTERING))
    return answers


def _mirror(made: Makeup, answers: dict[str, Any], block: Block) -> Mirror:
    mirror = Mirror(
        Factory(_NO_PROTOCOL),
        VaultParameter(*answers["parameter"]),
        asset=made.asset,
        decimals=made.decimals,
        coordinator=answers["coordinator"],
        address=made.address,
        now=block.timestamp,
    )
    mirror.epoch, mirror.deposit_epoch, mirror.pending, mirror.entering, mirror.closed_at, mirror.open_pockets = (
        answers["epochs"]
    )
    (
        mirror.idle,
        mirror.reserved,
        mirror.open_deposits,
        mirror.open_redeems,
        mirror.entering_net,
        mirror.pending_redeems,
        mirror.last_assets,
        mirror.mark,
        mirror.insolvent,
    ) = answers["books"]
    epochs, entering = answers["words"]
    payer = field(epochs, 176, 8)
    mirror.leaving, mirror.charged = payer == _REDEEMS_PAY, payer in (_DEPOSITS_PAY, _REDEEMS_PAY)
    mirror.entering_gross = field(entering, 128, 128)
    mirror.supply, mirror.tokens = answers["totalSupply"], answers["tokens"]
    mirror.balances = {mirror.address: answers["escrow"]}
    return mirror


def _market(chain: Chain, each: _Registered, snapshot: state.Snapshot) -> VaultMarket:
    """A market of the vault, with the record of the version that the pending epoch ordered at."""
    market = snapshot.mirror
    if each.version and each.version not in market.versions:
        view = Contract(chain, "IMarket", each.market)
        valid, *accumulators = view.read("versions", each.version)
        if valid:
            parts = (NO_PARTS, NO_PARTS, NO_PARTS)
            market.versions[each.version] = VersionRecord(Accumulators(*accumulators), ZERO, 0, parts, True)
    return VaultMarket(
        market=market,
        weight=each.weight,
        leverage=each.leverage,
        pocket=each.pocket,
        version=each.version,
        exposed=each.exposed,
        awaited=each.awaited,
        ordered=each.ordered,
        expected=each.expected,
        charge=each.charge,
        leverage_before=each.leverage_before,
        rests_until=each.rests_until,
    )


def _pockets(chain: Chain, mirror: Mirror, count: int) -> None:
    """What was left behind in stuck markets; ids begin at 1."""
    vault, ids = Contract(chain, "IVault", mirror.address), range(1, count + 1)
    by_address = {market.address.lower(): market for market in mirror.known}
    for id_, values in zip(ids, chain.ask_all([vault.query("pockets", id_) for id_ in ids]), strict=True):
        address, resolved, redeemed, debt, payout = values
        # A market may have been removed since it returned what it held.
        market = by_address.get(address.lower())
        if market is not None:
            mirror.pockets[id_] = Pocket(market, redeemed, debt, payout, resolved)


def _check(mirror: Mirror, answers: dict[str, Any]) -> None:
    """Against the views: whether the storage is laid out as this client knows it, and the mirror counts alike."""
    epochs, entering = answers["words"]
    stored = tuple(field(epochs, offset, width) for offset, width in _LAYOUT)
    pairs = [
        (stored, tuple(answers["epochs"])),
        (field(entering, 0, 128), mirror.entering_net),
        (mirror.total_assets(), answers["totalAssets"]),
    ]
    for ours, theirs in pairs:
        if ours != theirs:
            raise ClientError(
                f"the vault at {mirror.address} is not laid out as this client knows it ({ours} there, {theirs} by its "
                "views): use the client of the vault's release"
            )


_LAYOUT = ((0, 32), (32, 32), (64, 32), (96, 32), (128, 40), (168, 8))
"""Bits of the word of epochs: offset and width of what the view `epochs` tells, in its order."""
