"""Views of a market, as of its last settlement (contracts/market/MarketViews.sol)."""

from dataclasses import asdict
from typing import Any

from perennial.mirror.account_state import Account
from perennial.mirror.fixed import UNIT, trunc_div
from perennial.mirror.margin import maintenance, margin
from perennial.mirror.position import Position, Side
from perennial.mirror.state import MarketState


class MarketViews(MarketState):
    """Sizes and money of the market and of its accounts: 6 decimals."""

    def position(self) -> Position:
        """The market's settled sizes."""
        return Position(self.timestamp, self.book.maker, self.book.long, self.book.short)

    def positions(self, account: str) -> Position:
        """The account's settled size.

        `timestamp` is the market's version, or the account's oldest pending one where the market has settled that
        already.
        """
        state = self._account(account)
        timestamp = min(self.timestamp, state.orders[0].timestamp) if state.orders else self.timestamp
        return _sized(timestamp, state.side, state.size)

    def pending_position(self) -> Position:
        """The market's sizes with every pending order; `timestamp` is the newest pending version."""
        timestamp = self.queue[-1].timestamp if self.queue else self.timestamp
        return Position(timestamp, self.pending.maker, self.pending.long, self.pending.short)

    def pending_positions(self, account: str) -> Position:
        """The account's size with every pending order; `timestamp` is its newest pending version."""
        state = self._account(account)
        timestamp = state.orders[-1].timestamp if state.orders else self.timestamp
        return _sized(timestamp, *state.pending)

    def collateral(self, account: str) -> int:
        """Collateral of the account; negative where it owes the market."""
        return self._account(account).collateral

    def requirement(self, account: str) -> tuple[int, int, int]:
        """Effective collateral, margin requirement of the worst size, maintenance requirement of the settled size."""
        state = self._account(account)
        return (
            state.effective(self.price),
            margin(state.worst, self.price, self.risk),
            maintenance(state.size, self.price, self.risk),
        )

    def claimable(self, account: str) -> int:
        """Referral and liquidation credits."""
        return self.credits.get(account, 0)

    def rewards(self, account: str) -> int:
        """Accrued rewards, reward tokens with 6 decimals."""
        return self._account(account).rewards

    def claimable_fees(self) -> tuple[int, int, int, int]:
        """Fees to be claimed by protocol, oracle, risk and donation (the contract's `fees()`), as if split now."""
        return self.fees.after_split(self.parameter)

    def settlement_fees(self, version: int) -> int:
        """Settlement fees charged at a version once it is settled; 0 where it was invalid."""
        return self.settlement_fees_at.get(version, 0)

    def settlement_fees_total(self) -> int:
        """All settlement fees charged up to the last split of fees."""
        return self.fees.settlement_total

    def funding_rate(self) -> int:
        """Rate of funding per year; positive: longs pay."""
        return trunc_div(self.funding_rate12, UNIT)

    def liquidatable(self, account: str) -> bool:
        """Whether the account has a position or pending orders and less than its maintenance requirement."""
        state = self._account(account)
        effective = state.effective(self.price)
        return bool(state.size or state.orders) and effective < maintenance(state.size, self.price, self.risk)

    def locked(self, account: str) -> bool:
        """Whether a liquidation of the account waits for its version."""
        return self._account(account).locked

    def pending_count(self) -> int:
        """How many versions of the market wait for settlement."""
        return len(self.queue)

    def pending_counts(self, account: str) -> int:
        """How many versions of the account wait for settlement."""
        return len(self._account(account).orders)

    def snapshot(self) -> dict[str, Any]:
        """Every number of the market and of all accounts, for comparison: integers and booleans in nested dicts."""
        protocol, oracle, risk, donation = self.claimable_fees()
        return {
            "position": asdict(self.position()),
            "pending_position": asdict(self.pending_position()),
            "price": self.price,
            "funding_rate": self.funding_rate(),
            "funding_rate12": self.funding_rate12,
            "accumulators": self.accumulators._asdict(),
            "reward_accumulators": self.reward_accumulators._asdict(),
            "fees": {"protocol": protocol, "oracle": oracle, "risk": risk, "donation": donation},
            "undistributed": self.fees.undistributed,
            "settlement_fees_total": self.fees.settlement_total,
            "shortfall": self.shortfall,
            "pending_count": len(self.queue),
            "balance": self.balance,
            "accounts": {name: self._snapshot_account(name) for name in self.accounts.keys() | self.credits.keys()},
        }

    def _snapshot_account(self, account: str) -> dict[str, Any]:
        effective, required_margin, required_maintenance = self.requirement(account)
        return {
            "collateral": self.collateral(account),
            "position": asdict(self.positions(account)),
            "pending_position": asdict(self.pending_positions(account)),
            "effective": effective,
            "margin": required_margin,
            "maintenance": required_maintenance,
            "claimable": self.claimable(account),
            "rewards": self.rewards(account),
            "locked": self.locked(account),
            "liquidatable": self.liquidatable(account),
            "pending_count": self.pending_counts(account),
        }

    def _account(self, account: str) -> Account:
        return self.accounts.get(account) or Account()


def _sized(timestamp: int, side: Side, size: int) -> Position:
    return Position(
        timestamp,
        size if side == Side.MAKER else 0,
        size if side == Side.LONG else 0,
        size if side == Side.SHORT else 0,
    )
