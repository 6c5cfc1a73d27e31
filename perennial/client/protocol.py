"""The protocol on a chain, as a user sees it: where its contracts are, its markets, who may take tokens."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from eth_utils.address import is_address, to_checksum_address

from perennial.abi import Reverted
from perennial.amounts import decimal
from perennial.chain import Chain, Contract, NodeError
from perennial.client.errors import InputError, Refused, UnreachableError
from perennial.client.events import SPAN
from perennial.client.market import Market
from perennial.client.sending import PATIENCE, Sender
from perennial.client.signers import address_of
from perennial.client.state import newest_block
from perennial.relay.rpc import LastingRpc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal
    from types import TracebackType

    from perennial.client.results import Position
    from perennial.client.sending import Mined
    from perennial.client.tokens import Spender
    from perennial.vaults import Definition, Vault
    from perennial.vaults.results import Created

    Ask = Callable[[str, str, Decimal], bool]

T = TypeVar("T")


class Protocol:
    """The protocol on one chain. A context manager closes its connection.

    `approve` says what happens where a market may not take the tokens that a deposit needs: "exact" (the default)
    approves exactly what this deposit takes, "never" refuses, and a function is asked with the token's symbol, the
    market's name and the amount.
    """

    def __init__(
        self,
        rpc: str,
        factory: str,
        markets: Mapping[str, tuple[str, int]] | None = None,
        *,
        vault_factory: str | None = None,
        vaults: Mapping[str, tuple[str, int]] | None = None,
        tokens: Mapping[str, str] | None = None,
        network: str = "",
        relay: str | None = None,
        start_block: int = 0,
        approve: str | Ask = "exact",
        span: int = SPAN,
        patience: float = PATIENCE,
    ) -> None:
        """Connects to the node at `rpc`. `markets` and `vaults` are addresses and first blocks by name.

        `relay` is the address of the relay that is meant where none is given.
        """
        if approve not in ("exact", "never") and not callable(approve):
            raise InputError(f"approve: {approve!r} is neither exact nor never nor a function")
        try:
            self.rpc = LastingRpc(rpc)
        except ValueError as error:
            raise InputError(str(error)) from error
        self.network, self.start_block, self.span, self._approve = network, start_block, span, approve
        self.relay = relay
        self.factory_address, self._known = factory, dict(markets or {})
        self.vault_factory_address, self._vaults, self.tokens = vault_factory, dict(vaults or {}), dict(tokens or {})
        self.chain_id = int(self.guard(lambda: self.rpc.call("eth_chainId")), 16)
        self.sender = Sender(self.rpc, self.chain_id, patience)

    @classmethod
    def connect(cls, where: Any = "devnet", rpc: str | None = None, **options: Any) -> Self:
        """The protocol on a network ("devnet", "base-sepolia", …) or of a manifest (a path, or one that is loaded).

        `rpc` is the node's address; a devnet's manifest knows it. `options` are those of Protocol. Raises InputError
        for an unknown network, UnreachableError where no node answers or it is of another chain.
        """
        manifest = _manifest(where)
        node = rpc or manifest.rpc
        if not node:
            raise InputError(f"{manifest.network} needs a node: give its address as rpc (--rpc, or PERENNIAL_NODE)")
        first = manifest.start_block
        markets = {name: (each.address, each.block or first) for name, each in manifest.markets.items()}
        factory = manifest.address("MarketFactory")
        vault_factory = manifest.contracts.get("VaultFactory")
        options = {
            "network": manifest.network,
            "relay": manifest.relay,
            "start_block": first,
            "vault_factory": vault_factory.address if vault_factory else None,
            "vaults": {name: (each.address, each.block or first) for name, each in manifest.vaults.items()},
            "tokens": {name: each.address for name, each in manifest.tokens.items()},
            **options,
        }
        protocol = cls(node, factory, markets, **options)
        if protocol.chain_id != manifest.chain_id:
            protocol.close()
            raise UnreachableError(
                f"the node at {protocol.rpc.place} is of chain {protocol.chain_id}; {manifest.network} is chain "
                f"{manifest.chain_id}: give a node of that chain (rpc, --rpc, PERENNIAL_NODE), or name another network"
            )
        return protocol

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self.rpc.close()

    def relay_at(self, given: str | None = None) -> str:
        """A relay's address: the given one, else the network's. Raises InputError where there is neither."""
        where = given or self.relay
        if where is None:
            network = self.network or "this network"
            raise InputError(f"which relay? {network} names none: give its address (--relay, or PERENNIAL_RELAY)")
        return where

    # -- Markets -----------------------------------------------------------------------------------------------------

    def market(self, name: str) -> Market:
        """A market by name ("BTC-USD"; case does not matter) or address."""
        _check_name("market", name)
        for known, (address, block) in self._known.items():
            if name.lower() in (known.lower(), address.lower()):
                return Market(self, known, to_checksum_address(address), block)
        if is_address(name):
            if self.guard(lambda: self._factory.read("isMarket", name)):
                return Market(self, to_checksum_address(name), to_checksum_address(name), self.start_block)
            raise InputError(f"{name} is no market of the factory at {self.factory_address}")
        known_names = ", ".join(self._known) or "none by name"
        raise InputError(f"no market {name!r} on {self.network or 'this network'}: there are {known_names}")

    def markets(self) -> tuple[Market, ...]:
        """Every market of the factory; those that are not in the manifest have their address for a name."""
        count = self.guard(lambda: self._factory.read("marketCount"))
        queries = [self._factory.query("markets", index) for index in range(count)]
        return tuple(self.market(address) for address in self.guard(lambda: Chain(self.rpc).ask_all(queries)))

    def positions(self, account: Any) -> tuple[Position, ...]:
        """What an account has, in each market in which it has something."""
        found = (market.position(account) for market in self.markets())
        return tuple(position for position in found if not position.is_empty)

    def name_of(self, address: str) -> str:
        """The name of a market by its address, which it is where it has no other."""
        names = (name for name, (known, _) in self._known.items() if known.lower() == address.lower())
        return next(names, to_checksum_address(address))

    # -- Vaults ------------------------------------------------------------------------------------------------------

    def vault(self, name: str) -> Vault:
        """A vault by name ("LP"; case does not matter) or address."""
        from perennial.vaults import Vault

        _check_name("vault", name)
        for known, (address, block) in self._vaults.items():
            if name.lower() in (known.lower(), address.lower()):
                return Vault(self, known, to_checksum_address(address), block)
        if is_address(name):
            if self.guard(lambda: self.vault_factory.read("isVault", name)):
                return Vault(self, to_checksum_address(name), to_checksum_address(name), self.start_block)
            raise InputError(f"{name} is no vault of the factory at {self.vault_factory.address}")
        known_names = ", ".join(self._vaults) or "none by name"
        raise InputError(f"no vault {name!r} on {self.network or 'this network'}: there are {known_names}")

    def vaults(self) -> tuple[Vault, ...]:
        """Every vault of the factory, by address where the manifest has no name; without one those of the manifest."""
        if self.vault_factory_address is None:
            return tuple(self.vault(name) for name in self._vaults)
        count = self.guard(lambda: self.vault_factory.read("vaultCount"))
        queries = [self.vault_factory.query("vaults", index) for index in range(count)]
        return tuple(self.vault(address) for address in self.guard(lambda: Chain(self.rpc).ask_all(queries)))

    def create_vault(self, account: Any, definition: Definition) -> Created:
        """Makes a vault from a parameter file (`Definition.load`) with its markets; `account` coordinates it."""
        from perennial.vaults.creation import create

        return create(self, account, definition)

    @property
    def vault_factory(self) -> Contract:
        """The contract that makes vaults. InputError where the network has none."""
        if self.vault_factory_address is None:
            raise InputError(f"{self.network or 'this network'} has no VaultFactory")
        return Contract(Chain(self.rpc), "IVaultFactory", self.vault_factory_address)

    # -- Tokens ------------------------------------------------------------------------------------------------------

    def allow(self, account: Any, spender: Spender, amount: int) -> int:
        """Sees to it that a market or a vault may take `amount` (6 decimals) of an account's tokens.

        Returns what was approved for it, 0 where that was not needed.
        InputError where the account has not so much, or where it may not be approved.
        """
        if amount == 0:
            return 0
        owner, token = address_of(account), self._token(spender)
        queries = [
            token.query("balanceOf", owner),
            token.query("allowance", owner, spender.address),
            token.query("symbol"),
        ]
        balance, allowance, symbol = self.guard(lambda: token.chain.ask_all(queries))
        if balance < amount * spender.scale:
            has = decimal(balance // spender.scale)
            raise InputError(f"{owner} has {has} {symbol}, and {decimal(amount)} are needed: get more, or use less")
        if allowance >= amount * spender.scale:
            return 0
        name, ask = spender.name, self._approve
        agreed = ask(symbol, name, decimal(amount)) if callable(ask) else ask == "exact"
        if not agreed:
            raise InputError(
                f"{name} may not take {decimal(amount)} {symbol} of {owner}: approve that much, or let the client"
            )
        self.sender.send(account, token.query("approve", spender.address, amount * spender.scale))
        return amount

    def lacks_allowance(self, account: Any, spender: Spender, amount: int) -> bool:
        """Whether a market or a vault may take less than `amount` (6 decimals) of an account's tokens."""
        if amount == 0:
            return False
        owner = address_of(account)
        allowance: int = self.guard(lambda: self._token(spender).read("allowance", owner, spender.address))
        return allowance < amount * spender.scale

    def _token(self, spender: Spender) -> Contract:
        return Contract(Chain(self.rpc), "MockToken", spender.token)

    # -- The chain ---------------------------------------------------------------------------------------------------

    @cached_property
    def verifier(self) -> str:
        """The contract that checks signatures of intents."""
        return to_checksum_address(self.guard(lambda: self._factory.read("verifier")))

    @property
    def _factory(self) -> Contract:
        return Contract(Chain(self.rpc), "IMarketFactory", self.factory_address)

    def block(self) -> int:
        """Number of the newest block."""
        return self.guard(lambda: newest_block(self.rpc)).number

    def now(self) -> int:
        """Time of the newest block."""
        return self.guard(lambda: newest_block(self.rpc)).timestamp

    def guard(self, question: Callable[[], T]) -> T:
        """What a question to the node answers; what can go wrong with it as errors of the client."""
        try:
            return question()
        except Reverted as error:
            raise Refused(error) from error
        except NodeError as error:
            raise UnreachableError(str(error)) from error

    def after(self, mined: Mined, question: Callable[[], T]) -> T:
        """As `guard`, once a transaction is mined: whoever hears that the node is gone must not repeat it."""
        try:
            return self.guard(question)
        except UnreachableError as error:
            raise UnreachableError(
                f"transaction {mined.receipt.hash} is in block {mined.block}, do not repeat it; what came of it is not "
                f"known, since {error}",
                mined.receipt.hash,
            ) from error


def _check_name(what: str, name: Any) -> None:
    if not isinstance(name, str):
        raise InputError(f"{what}: {name!r} is neither a name nor an address: write it as text")


def _manifest(where: Any) -> Any:
    """A manifest by the name of its network or by its path, or itself."""
    if not isinstance(where, str) and hasattr(where, "contracts"):
        return where
    from perennial.manifest import Manifest

    try:
        return Manifest.load(str(where))
    except (OSError, LookupError, ValueError) as error:
        raise InputError(f"{where}: {error}") from error
