"""The vault: maker liquidity for several markets of one token, to the last digit of contracts/vault/Vault.sol (§12.2).

Assets are token units, shares have six decimals more than the token, what concerns markets has 6 decimals; accounts
are any strings. A call that is refused raises a `MarketError` and changes nothing; what markets refuse the vault is an
event, `OrderRefused`, and no error. It runs over mirrors of markets: `perennial.mirror.market`.
"""

from perennial.mirror import vault_errors as errors
from perennial.mirror.market import Market
from perennial.mirror.orders import NOBODY
from perennial.mirror.parameters import bits
from perennial.mirror.vault_closing import VaultClosing
from perennial.mirror.vault_state import MAX_LEVERAGE, MAX_MARKETS, VaultMarket, VaultParameter, validate_vault


class Vault(VaultClosing):
    """A vault: public attributes are what the contract stores, methods carry the names of its functions."""

    # -- Coordinator: the caller by default ----------------------------------------------------------------------------

    def register(self, market: Market, weight: int, leverage: int, *, caller: str | None = None) -> None:
        """Adds a market; `leverage` has 6 decimals.

        Raises NotCoordinator, EpochPending, UnknownMarket, WrongToken, AlreadyRegistered, TooManyMarkets,
        ParameterOutOfBounds.
        """
        with self._atomic_with_markets():
            self._check_coordinator(caller)
            self._settle_first()
            if not any(market is one for one in self.known):
                raise errors.UnknownMarket(market.address)
            if market.token != self.asset:
                raise errors.WrongToken(market.address, market.token)
            if any(entry.market is market for entry in self.markets):
                raise errors.AlreadyRegistered(market.address)
            if len(self.markets) == MAX_MARKETS:
                raise errors.TooManyMarkets(MAX_MARKETS)
            self._set_market(VaultMarket(market, 0, 0), weight, leverage, add=True)

    def update_market(self, market: Market, weight: int, leverage: int, *, caller: str | None = None) -> None:
        """Changes weight and leverage; raises NotCoordinator, NotRegistered, ParameterOutOfBounds."""
        self._check_coordinator(caller)
        self._set_market(self._entry(market), weight, leverage)

    def unregister(self, market: Market, *, caller: str | None = None) -> None:
        """Removes a market that is not used; its collateral comes back first.

        Raises NotCoordinator, EpochPending, NotRegistered, MarketInUse, and what the market's settlement raises.
        """
        with self._atomic_with_markets():
            self._check_coordinator(caller)
            self._settle_first()
            entry = self._entry(market)
            market.settle(self.address, caller=self.address)
            used = entry.weight or entry.pocket or market.pending_counts(self.address)
            if used or market.positions(self.address).maker:
                raise errors.MarketInUse(market.address)
            collateral = market.collateral(self.address)
            if collateral > 0 and not self.order(market, 0, -collateral):
                raise errors.MarketInUse(market.address)
            last = self.markets.pop()
            if last is not entry:
                self.markets[self.markets.index(entry)] = last
            self.emit("MarketRemoved", market.address)

    def update_parameter(self, parameter: VaultParameter, *, caller: str | None = None) -> None:
        """Sets the parameters; raises NotCoordinator, EpochPending, ParameterOutOfBounds."""
        with self._atomic_with_markets():
            self._check_coordinator(caller)
            self._settle_first()
            validate_vault(parameter)
            self.parameter = parameter
            self.emit("VaultParameterUpdated", parameter.to_abi())

    def update_coordinator(self, coordinator: str, *, caller: str | None = None) -> None:
        """Hands the coordination over; the owner of the factory may, too. Raises NotCoordinator, ZeroAddress."""
        if caller != self.owner:
            self._check_coordinator(caller)
        if coordinator == NOBODY:
            raise errors.ZeroAddress("coordinator")
        self.coordinator = coordinator
        self.emit("VaultCoordinatorUpdated", coordinator)

    def claim_reward(self, market: Market, receiver: str, *, caller: str | None = None) -> int:
        """Fetches reward tokens that the vault's position has earned; returns the amount, 6 decimals.

        Raises NotCoordinator, NotRegistered, and what the market raises.
        """
        self._check_coordinator(caller)
        self._entry(market)
        return market.claim_reward(self.address, receiver, caller=self.address)

    # -- Views ---------------------------------------------------------------------------------------------------------

    def convert_to_shares(self, assets: int) -> int:
        """Shares at today's price, rounded down; requests are priced later."""
        return assets * self.virtual_supply // (self.total_assets() + 1)

    def convert_to_assets(self, shares: int) -> int:
        """Assets at today's price, rounded down; requests are priced later."""
        return shares * (self.total_assets() + 1) // self.virtual_supply

    # -- Steps ---------------------------------------------------------------------------------------------------------

    def _set_market(self, entry: VaultMarket, weight: int, leverage: int, *, add: bool = False) -> None:
        for name, value, bound in (("weight", weight, bits(32)), ("leverage", leverage, MAX_LEVERAGE)):
            if value > bound:
                raise errors.ParameterOutOfBounds(name, value, bound)
        if leverage == 0:
            raise errors.ParameterOutOfBounds("leverage", 0, 1)
        if self.pending and entry.leverage_before == 0:
            entry.leverage_before = entry.leverage
        entry.weight, entry.leverage = weight, leverage
        if add:
            self.markets.append(entry)
        self.emit("MarketUpdated", entry.market.address, weight, leverage)

    def _entry(self, market: Market) -> VaultMarket:
        for entry in self.markets:
            if entry.market is market:
                return entry
        raise errors.NotRegistered(market.address)

    def _check_coordinator(self, caller: str | None) -> None:
        if caller not in (None, self.coordinator):
            raise errors.NotCoordinator(caller)

    def _settle_first(self) -> None:
        """Settles the pending epoch, if it can be; raises EpochPending if it cannot."""
        self._settle_pending()
        if self.pending:
            raise errors.EpochPending(self.pending)
