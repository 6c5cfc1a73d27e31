"""Where an account's collateral came from and went, for reports.

The components are informational: USD with 12 decimals, each rounded on its own. `rounding` is what lies between their
sum and the collateral, so that the ledger adds up to it exactly.
"""

from dataclasses import dataclass, fields

from perennial.mirror.accumulators import Parts
from perennial.mirror.fixed import UNIT


@dataclass(slots=True)
class Ledger:
    """Gains are positive, what is paid is negative: withdrawals and fees too. USD with 12 decimals."""

    deposits: int = 0
    withdrawals: int = 0
    pnl: int = 0
    guarantees: int = 0
    funding: int = 0
    interest: int = 0
    maker_fees: int = 0
    position_fees: int = 0
    settlement_fees: int = 0
    liquidation_fee: int = 0
    rounding: int = 0

    def accrue(self, size: int, gained: Parts, before: Parts, booked: int) -> None:
        """Books what `size` (6 decimals) gained between two readings of the parts, as the account got `booked` (6)."""
        pnl = size * (gained.pnl - before.pnl) // UNIT
        funding = size * (gained.funding - before.funding) // UNIT
        interest = size * (gained.interest - before.interest) // UNIT
        maker_fees = size * (gained.maker_fees - before.maker_fees) // UNIT
        self.pnl += pnl
        self.funding += funding
        self.interest += interest
        self.maker_fees += maker_fees
        self.rounding += booked * UNIT - (pnl + funding + interest + maker_fees)

    @property
    def total(self) -> int:
        """The sum of all components: the account's collateral, with 12 decimals."""
        return sum(getattr(self, field.name) for field in fields(self))
