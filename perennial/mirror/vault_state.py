"""What a vault stores (contracts/vault/VaultStorage.sol). Assets are token units, shares have six decimals more."""

from collections.abc import Iterable
from copy import copy, deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from perennial.mirror import vault_errors as errors
from perennial.mirror.factory import Factory
from perennial.mirror.fixed import UNIT
from perennial.mirror.market import Market
from perennial.mirror.parameters import bits
from perennial.mirror.vault_shares import VaultShares

if TYPE_CHECKING:
    from perennial.mirror.state import Event

VIRTUAL = 10**6
"""Shares that nobody holds, against one virtual unit of assets: what a donation to an empty vault is shared with."""

SAFETY = 1_500_000
"""Margin that the vault keeps, relative to what markets ask for; 6 decimals."""

WORTH = 10
"""An order's money is at least so many settlement fees, unless it winds a market down."""

STUCK = 86_400
"""Seconds that an epoch waits for a market."""

REST = 86_400
"""Seconds from an order that closed at the expense of all until the first that may open so."""

MAX_MARKETS = 16
MAX_LEVERAGE = 100 * UNIT
MAX_PROFIT_SHARE = UNIT // 2
MIN_TOLERANCE, MAX_TOLERANCE = UNIT // 100, UNIT // 2
ONE_PRICE = 10**24
"""Prices of a share are (assets + 1) · 10^24 / (shares + VIRTUAL): 10^18 at the start."""

MAX_SHARES = 1 << 127
"""The supply stays below what 128 bits can hold."""


@dataclass(slots=True, frozen=True)
class VaultParameter:
    """What the coordinator sets: token units; `profit_share` and `tolerance` have 6 decimals."""

    min_deposit: int = 0
    deposit_cap: int = bits(96)
    profit_share: int = 0
    tolerance: int = UNIT // 10

    def to_abi(self) -> tuple[int, int, int, int]:
        """As the contract takes it."""
        return self.min_deposit, self.deposit_cap, self.profit_share, self.tolerance


def validate_vault(parameter: VaultParameter) -> None:
    """Raises ParameterOutOfBounds for the first field out of bounds."""
    for name, value, bound in (
        ("minDeposit", parameter.min_deposit, bits(96)),
        ("depositCap", parameter.deposit_cap, bits(96)),
        ("profitShare", parameter.profit_share, MAX_PROFIT_SHARE),
    ):
        if value > bound:
            raise errors.ParameterOutOfBounds(name, value, bound)
    if parameter.tolerance < MIN_TOLERANCE:
        raise errors.ParameterOutOfBounds("tolerance", parameter.tolerance, MIN_TOLERANCE)
    if parameter.tolerance > MAX_TOLERANCE:
        raise errors.ParameterOutOfBounds("tolerance", parameter.tolerance, MAX_TOLERANCE)


@dataclass(slots=True)
class VaultMarket:
    """A market of the vault, and what the pending epoch left there.

    `leverage` and `expected` size have 6 decimals, `charge` is USD with 6 decimals, `pocket` 0 where there is none.
    `leverage_before` is what the pending epoch settles with where the leverage was changed meanwhile, else 0; until
    `rests_until` nothing is opened at the expense of all.
    """

    market: Market
    weight: int
    leverage: int
    pocket: int = 0
    version: int = 0
    exposed: bool = False
    awaited: bool = False
    ordered: bool = False
    expected: int = 0
    charge: int = 0
    leverage_before: int = 0
    rests_until: int = 0

    @property
    def settling_leverage(self) -> int:
        """Leverage that the pending epoch was closed with."""
        return self.leverage_before or self.leverage


@dataclass(slots=True)
class Pocket:
    """What a stuck market holds: `redeemed` shares have left since, `debt` is what entering deposits have in it."""

    market: Market
    redeemed: int = 0
    debt: int = 0
    payout: int = 0
    resolved: bool = False


@dataclass(slots=True)
class Request:
    """Assets or shares of one controller in one epoch."""

    epoch: int = 0
    amount: int = 0


@dataclass(slots=True)
class Claim:
    """What a controller may claim of settled requests."""

    assets: int = 0
    shares: int = 0


@dataclass(slots=True)
class Rate:
    """What an epoch's requests came to; deposits: gross assets and shares; redemptions: shares and assets paid."""

    assets: int
    shares: int


@dataclass(slots=True)
class Shortage:
    """Shares that an epoch could not redeem, and the pockets that its redeemers have a part in."""

    unfilled: int = 0
    pockets: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Requests:
    """Requests of one kind and controller: two slots by the parity of the epoch, and what is claimable."""

    slots: list[Request] = field(default_factory=lambda: [Request(), Request()])
    claim: Claim = field(default_factory=Claim)


class VaultState(VaultShares):
    """The vault's storage; names as in the contract.

    Beside it: `now` is the clock (Unix seconds, which the caller moves), `tokens` what the vault holds, `donated` what
    of that was sent to it directly, `wallets` what each account has received of the vault less what it has paid in,
    `events` what it would emit, where set to a list.
    """

    def __init__(
        self,
        factory: Factory,
        parameter: VaultParameter,
        *,
        asset: str = "token",
        decimals: int = 6,
        coordinator: str = "coordinator",
        owner: str = "owner",
        address: str = "vault",
        known: Iterable[Market] = (),
        now: int = 0,
    ) -> None:
        """A vault without markets. `known` are the factory's markets, `owner` owns the VaultFactory."""
        super().__init__()
        validate_vault(parameter)
        self.factory, self.parameter, self.asset, self.decimals = factory, parameter, asset, decimals
        self.scale: int = 10 ** (decimals - 6)
        self.coordinator, self.owner, self.address, self.now = coordinator, owner, address, now
        self.known = list(known)

        self.insolvent = False
        self.epoch = self.deposit_epoch = 1
        self.pending = self.entering = self.closed_at = 0
        self.open_pockets = 0
        self.leaving = self.charged = False
        self.idle = self.reserved = 0
        self.last_assets = self.open_deposits = 0
        self.mark, self.open_redeems = 10**18, 0
        self.entering_net = self.entering_gross = self.pending_redeems = 0

        self.markets: list[VaultMarket] = []
        self.pockets: dict[int, Pocket] = {}
        self.pocket_units: dict[tuple[int, str], int] = {}
        self.deposit_rates: dict[int, Rate] = {}
        self.redeem_rates: dict[int, Rate] = {}
        self.shortages: dict[int, Shortage] = {}
        self.deposits: dict[str, Requests] = {}
        self.redeems: dict[str, Requests] = {}
        self.operators: set[tuple[str, str]] = set()

        self.tokens = self.donated = 0
        self.wallets: dict[str, int] = {}
        self.events: list[Event] | None = None

    # -- Assets --------------------------------------------------------------------------------------------------------

    @property
    def virtual_supply(self) -> int:
        """All shares, the virtual ones included."""
        return self.supply + VIRTUAL

    def live(self, entry: VaultMarket, collateral: int) -> int:
        """What collateral in a market (6 decimals) is worth to the pool, closed deposits included: token units.

        Of a pocketed market those who have left since own their part of what is not the deposits'.
        """
        assets = max(0, collateral) * self.scale
        if not entry.pocket:
            return assets
        pocket = self.pockets[entry.pocket]
        debt = min(pocket.debt, assets)
        return debt + (assets - debt) * self.virtual_supply // (self.virtual_supply + pocket.redeemed)

    def net_assets(self, collaterals: Iterable[int]) -> int:
        """Assets of all shares, with these collaterals in the markets (6 decimals)."""
        lives = (self.live(entry, collateral) for entry, collateral in zip(self.markets, collaterals, strict=True))
        return max(0, self.idle + sum(lives) - self.entering_net)

    # -- Tokens --------------------------------------------------------------------------------------------------------

    def pay(self, account: str, amount: int) -> None:
        """Tokens leave the vault."""
        self.tokens -= amount
        self.wallets[account] = self.wallets.get(account, 0) + amount

    def take(self, account: str, amount: int) -> None:
        """Tokens come in from an account, which has approved them and has enough."""
        self.tokens += amount
        self.wallets[account] = self.wallets.get(account, 0) - amount

    def receive(self, amount: int, account: str = "") -> None:
        """Tokens that somebody transfers to the vault: they are nobody's."""
        self.take(account, amount)
        self.donated += amount

    # -- Copies --------------------------------------------------------------------------------------------------------

    def emit(self, name: str, *values: Any) -> None:
        """Collects an event, if anybody wants them."""
        if self.events is not None:
            self.events.append((name, values))

    def copy(self) -> Self:
        """A vault of its own over copies of its markets, for what-if questions."""
        markets = {id(market): market.copy() for market in self.known}
        other = copy(self)
        other.__dict__.update(self._saved())
        other.known = list(markets.values())
        other.markets = [replace(entry, market=markets[id(entry.market)]) for entry in self.markets]
        other.pockets = {id_: replace(one, market=markets[id(one.market)]) for id_, one in self.pockets.items()}
        other.events = None
        return other

    def _saved(self) -> dict[str, Any]:
        """What the vault stores, the markets themselves excluded."""
        shared = ("factory", "known", "markets", "pockets", "events")
        saved = {name: deepcopy(value) for name, value in self.__dict__.items() if name not in shared}
        saved["known"] = list(self.known)
        saved["markets"] = [replace(entry) for entry in self.markets]
        saved["pockets"] = {id_: replace(pocket) for id_, pocket in self.pockets.items()}
        saved["events"] = None if self.events is None else list(self.events)
        return saved
