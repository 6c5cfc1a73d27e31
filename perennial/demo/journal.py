"""Books kept from nothing but the market's events on chain: what every account should have, how liquidations went."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from perennial.demo.outcome import Liquidation
from perennial.mirror.fixed import UNIT
from perennial.mirror.state import Event
from perennial.prices import Prices


class Journal:
    """What the events of a market add up to. USD, 6 decimals."""

    def __init__(self) -> None:
        self.collateral: Counter[str] = Counter()
        self.deposited = self.withdrawn = 0
        self.liquidations: list[Liquidation] = []
        self.orders: Counter[str] = Counter()
        self._sizes: Counter[int] = Counter()
        self._open: dict[str, Liquidation] = {}

    def book(self, events: Iterable[Event], timestamp: int, price: int, sides: dict[str, str]) -> None:
        """Books the events of a block; `sides` are the accounts' sides then, in words."""
        for name, values in events:
            if name == "Liquidated":
                account, _, version, closed, _ = values
                found = Liquidation(timestamp, version, price, account, sides[account], closed)
                self._open[account] = found
                self.liquidations.append(found)
            elif handler := getattr(self, f"_{name.lower()}", None):
                handler(*values)

    def volume(self, prices: Prices) -> int:
        """What all orders came to at the prices of their versions."""
        return sum(size * prices.at(version) for version, size in self._sizes.items()) // UNIT

    def _deposited(self, account: str, _sender: str, amount: int) -> None:
        self.collateral[account] += amount
        self.deposited += amount

    def _withdrawn(self, account: str, _receiver: str, amount: int) -> None:
        self.collateral[account] -= amount
        self.withdrawn += amount

    def _orderplaced(self, _account: str, version: int, side: int, opened: int, closed: int, *_: Any) -> None:
        kind = ("maker", "long", "short")[side - 1]
        self.orders[f"{'open' if opened else 'close'} {kind}"] += 1
        self._sizes[version] += opened + closed

    def _credited(self, _liquidator: str, account: str, amount: int, from_donation: int) -> None:
        liquidation = self._open[account]
        liquidation.fee, liquidation.from_donation = amount, from_donation
        self.collateral[account] -= amount - from_donation

    def _accountsettled(
        self, account: str, version: int, accrued: int, fee: int, settlement_fee: int, collateral: int, _size: int
    ) -> None:
        self.collateral[account] += accrued - fee - settlement_fee
        if account in self._open and self._open[account].version == version:
            self._open.pop(account).left = collateral
