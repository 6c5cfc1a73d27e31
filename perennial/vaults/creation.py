"""Making a vault from a parameter file: the vault, then its markets, one transaction each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth_utils.address import to_checksum_address

from perennial.chain import Chain, Contract
from perennial.client.errors import ClientError, InputError, address
from perennial.client.signers import address_of
from perennial.vaults.results import Created

if TYPE_CHECKING:
    from perennial.client.protocol import Protocol
    from perennial.vaults.definition import Definition


def create(protocol: Protocol, account: Any, definition: Definition) -> Created:
    """Makes a vault whose coordinator is `account`, and registers its markets.

    InputError where a market is unknown, of another token or there twice, before anything is sent. What fails after the
    vault was made has a note that says where it is.
    """
    asset = _asset(protocol, definition.asset)
    decimals = protocol.guard(lambda: Contract(Chain(protocol.rpc), "MockToken", asset).read("decimals"))
    parameter = definition.parameter(decimals)
    markets = [(protocol.market(terms.market), terms) for terms in definition.markets]
    for market, _ in markets:
        if market.makeup.token.lower() != asset.lower():
            raise InputError(f"{market.name} settles in another token than {definition.asset}")
    if len({market.address.lower() for market, _ in markets}) < len(markets):
        raise InputError("markets: one of them is there twice")
    factory = protocol.vault_factory
    arguments = asset, definition.name, definition.symbol, parameter
    mined = protocol.sender.send(account, factory.query("create", *arguments))
    made = next(values for name, values in factory.events(mined.receipt) if name == "VaultCreated")
    transactions, place = [mined.receipt.hash], to_checksum_address(made[0])
    vault = Contract(Chain(protocol.rpc), "IVault", made[0])
    for market, terms in markets:
        query = vault.query("register", market.address, terms.weight, terms.raw_leverage)
        try:
            transactions.append(protocol.sender.send(account, query).receipt.hash)
        except ClientError as error:
            error.add_note(f"The vault is made, at {place}, but {market.name} is not in it: go on with vault register.")
            raise
    return Created(
        address=place,
        name=definition.name,
        symbol=definition.symbol,
        coordinator=address_of(account),
        markets=tuple(market.name for market, _ in markets),
        transactions=tuple(transactions),
        block=mined.block,
    )


def _asset(protocol: Protocol, name: str) -> str:
    """A token by its name in the manifest, or an address."""
    for known, found in protocol.tokens.items():
        if known.lower() == name.lower():
            return to_checksum_address(found)
    if not name.startswith("0x"):
        known_names = ", ".join(protocol.tokens) or "none by name"
        raise InputError(f"asset: no token {name!r}: there are {known_names}")
    return address("asset", name)
