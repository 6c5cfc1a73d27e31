"""Fees: collected as one sum, split when it matters (docs/protocol.md §8). USD with 6 decimals unless stated."""

from dataclasses import dataclass

from perennial.mirror.fixed import UNIT
from perennial.mirror.parameters import MarketParameter

MAX_UNDISTRIBUTED = (1 << 62) - 1
MAX_SETTLEMENT_FEES = (1 << 56) - 1
MAX_CLAIMABLE = (1 << 64) - 1


@dataclass(slots=True)
class Fees:
    """What was collected since the last split (`undistributed`, `settlement`), and what can be claimed since.

    `settlement_total` counts the settlement fees ever split, `protocol_fee` is the protocol's share in force, `lost`
    what did not fit the contracts' storage: never anything at amounts that exist.
    """

    undistributed: int = 0
    settlement: int = 0
    protocol_fee: int = 0
    protocol: int = 0
    oracle: int = 0
    risk: int = 0
    donation: int = 0
    settlement_total: int = 0
    lost: int = 0

    def collect(self, fee: int, settlement: int, parameter: MarketParameter) -> int:
        """Adds a version's fee (12 decimals, rounded down to 6 here) and settlement fees; returns the former."""
        fee6 = min(fee // UNIT, MAX_UNDISTRIBUTED)
        kept = min(settlement, MAX_SETTLEMENT_FEES)
        self.lost += fee // UNIT - fee6 + settlement - kept
        if self.undistributed + fee6 > MAX_UNDISTRIBUTED or self.settlement + kept > MAX_SETTLEMENT_FEES:
            self.split(parameter)
        self.undistributed += fee6
        self.settlement += kept
        return fee6

    def split(self, parameter: MarketParameter) -> None:
        """Splits what was collected, by the parameters in force while it was; rounding goes to the donation."""
        buckets = self.after_split(parameter)
        capped = [min(value, MAX_CLAIMABLE) for value in buckets]
        self.lost += sum(buckets) - sum(capped)
        self.protocol, self.oracle, self.risk, self.donation = capped
        self.settlement_total += self.settlement
        self.undistributed = self.settlement = 0

    def after_split(self, parameter: MarketParameter) -> tuple[int, int, int, int]:
        """What protocol, oracle, risk and donation would be after a split."""
        protocol = self.undistributed * self.protocol_fee // UNIT
        market = self.undistributed - protocol
        oracle = market * parameter.oracle_fee // UNIT
        risk = market * parameter.risk_fee // UNIT
        return (
            self.protocol + protocol,
            self.oracle + oracle + self.settlement,
            self.risk + risk,
            self.donation + market - oracle - risk,
        )

    def take_donation(self, wanted: int, parameter: MarketParameter) -> int:
        """Takes from the donation what a liquidated account cannot pay (docs/protocol.md §10.5)."""
        self.split(parameter)
        taken = min(wanted, self.donation)
        self.donation -= taken
        return taken

    @property
    def total(self) -> int:
        """All fees that are still to be claimed."""
        return self.undistributed + self.settlement + self.protocol + self.oracle + self.risk + self.donation
