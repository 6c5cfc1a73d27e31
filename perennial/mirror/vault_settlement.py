"""Settlement of an epoch: one price for all its requests (contracts/vault/VaultSettlement.sol, §12.2, §12.3)."""

from dataclasses import dataclass

from perennial.mirror.fixed import UNIT, ceil_div
from perennial.mirror.parameters import bits
from perennial.mirror.vault_allocation import terms
from perennial.mirror.vault_markets import Delivery, VaultMarkets
from perennial.mirror.vault_state import MAX_SHARES, ONE_PRICE, STUCK, VIRTUAL, Pocket, Rate, Shortage, VaultMarket

WORTHLESS = 10**6
"""Part of its first price below which a share is worth nothing, and deposits stop."""


@dataclass(slots=True)
class Settling:
    """An epoch that is being settled: token units.

    `gross` are the assets that are known, those of entering deposits included, `charges` what the epoch's requests pay
    of its orders' fees, `absorbed` what redemptions have paid of these, `assets` what all shares stand for, and one,
    `shares` all shares and the virtual ones.
    """

    values: list[Delivery]
    charges: int = 0
    gross: int = 0
    paid_by_redeems: int = 0
    assets: int = 0
    shares: int = 0
    minted: int = 0
    paid: int = 0
    absorbed: int = 0
    unfilled: int = 0


class VaultSettlement(VaultMarkets):
    """The call that settles, which anyone may make."""

    def settle(self) -> None:
        """Settles the pending epoch if nothing has to be waited for."""
        self._settle_pending()

    def _settle_pending(self) -> None:
        values = self._collect() if self.pending else None
        if values is None:
            return
        epoch = Settling(values)
        epoch.charges = self.scale * sum(
            one.entry.charge for one in values if one.entry.ordered and one.recorded and not one.stuck
        )
        self._resolve_pockets(values)
        self._weigh(epoch)
        if self.open_pockets == 0:
            self._share_profit(epoch)
        self._redeem_all(epoch)
        entering = self.entering_net
        self._convert(epoch)
        self.last_assets = max(0, epoch.assets - 1 - epoch.paid - epoch.absorbed) + entering + self._stuck_assets()
        # What is in a pocket is not lost: it is judged when it is back.
        if self.open_pockets == 0:
            self.insolvent = epoch.shares > VIRTUAL and epoch.assets * VIRTUAL * WORTHLESS < epoch.shares
        values_of = (epoch.assets, epoch.shares, epoch.minted, epoch.paid, epoch.unfilled)
        self.emit("EpochSettled", self.pending, *values_of)
        self.pending = self.pending_redeems = 0

    def _collect(self) -> list[Delivery] | None:
        """What every market is worth; None where one has to be waited for. A day after closing, nothing has."""
        late = self.now >= self.closed_at + STUCK
        values = []
        for entry in self.markets:
            if not entry.exposed:
                values.append(Delivery(entry, max(0, entry.market.collateral(self.address))))
                continue
            values.append(self.deliver(entry))
            if values[-1].stuck and entry.awaited and not late:
                return None
        return values

    def _resolve_pockets(self, values: list[Delivery]) -> None:
        """Where a stuck market is back, sets aside what those who left have in it, once that can be withdrawn."""
        for one in values:
            entry = one.entry
            if not entry.pocket or one.stuck:
                continue
            pocket = self.pockets[entry.pocket]
            owned = max(0, one.value * self.scale - pocket.debt)
            payout = owned * pocket.redeemed // (self.virtual_supply + pocket.redeemed)
            needed = ceil_div(payout, self.scale)
            if needed and (needed > self.spare(entry, strained=True) or not self.order(entry.market, 0, -needed)):
                one.stuck = True
                continue
            one.value -= needed
            self.idle -= payout
            self.reserved += payout
            pocket.resolved, pocket.payout = True, payout
            self.open_pockets -= 1
            self.emit("PocketResolved", entry.pocket, entry.market.address, payout)
            entry.pocket = 0

    def _weigh(self, epoch: Settling) -> None:
        """The price of the epoch: deposits bear what entering cost and wait for their part of what is stuck."""
        epoch.gross = self.idle + self.scale * sum(one.value for one in epoch.values if not one.stuck)
        if self.leaving:
            epoch.paid_by_redeems = epoch.charges
        elif self.charged:
            self.entering_net = max(0, self.entering_net - epoch.charges)
        owed = self._open_pockets(epoch)
        left = max(0, epoch.gross + epoch.paid_by_redeems - owed)
        epoch.assets = (left if self.supply else 0) + 1
        epoch.shares = self.virtual_supply

    def _open_pockets(self, epoch: Settling) -> int:
        """Opens pockets for markets that get stuck now; returns what entering deposits have in the rest."""
        debts = sum(self.pockets[one.entry.pocket].debt for one in epoch.values if one.entry.pocket)
        entering = rest = max(0, self.entering_net - debts)
        new = [one.entry for one in epoch.values if one.stuck and not one.entry.pocket]
        held = [max(0, entry.market.collateral(self.address)) * self.scale for entry in new]
        whole = epoch.gross + sum(held)
        for entry, last in zip(new, held, strict=True):
            entry.pocket = len(self.pockets) + 1
            debt = entering * last // whole if last else 0
            rest -= debt
            self.pockets[entry.pocket] = Pocket(entry.market, debt=debt)
            self.open_pockets += 1
            self.emit("PocketOpened", entry.pocket, entry.market.address, debt)
        return rest

    def _stuck_assets(self) -> int:
        """What those who have stayed have in open pockets, as last known: it is part of what the cap limits."""
        return sum(
            max(0, self.live(entry, entry.market.collateral(self.address)) - self.pockets[entry.pocket].debt)
            for entry in self.markets
            if entry.pocket
        )

    def _share_profit(self, epoch: Settling) -> None:
        """The coordinator's share of what a share has gained above the mark, in new shares."""
        price = epoch.assets * ONE_PRICE // epoch.shares
        if self.supply:
            if price <= self.mark:
                return
            profit = self.supply * (price - self.mark) // ONE_PRICE
            fee = min(profit * self.parameter.profit_share // UNIT, epoch.assets - 1)
            minted = min(fee * epoch.shares // (epoch.assets - fee), max(0, MAX_SHARES - self.supply))
            if minted:
                self._mint(self.coordinator, minted)
                epoch.shares += minted
                price = epoch.assets * ONE_PRICE // epoch.shares
                self.emit("ProfitShared", self.coordinator, fee, minted)
        self.mark = min(price, bits(128))

    def _redeem_all(self, epoch: Settling) -> None:
        """Pays redemptions as far as tokens can be had; the rest of their shares goes back."""
        redeems = self.pending_redeems
        if redeems == 0:
            return
        worth = redeems * epoch.assets // epoch.shares
        epoch.absorbed = min(worth, epoch.paid_by_redeems)
        owed = worth - epoch.absorbed
        self._raise(epoch.values, owed)
        filled, epoch.paid = redeems, owed
        if self.idle < owed:
            # Fees have been spent for all of them: those who can leave pay them, not those who stay.
            filled = redeems * (self.idle + epoch.absorbed) // worth
            epoch.paid = max(0, worth * filled // redeems - epoch.absorbed)
            epoch.unfilled = redeems - filled
        self.idle -= epoch.paid
        self.reserved += epoch.paid
        self.redeem_rates[self.pending] = Rate(epoch.paid, redeems)
        if epoch.unfilled or self.open_pockets:
            pockets = [one.entry.pocket for one in epoch.values if one.entry.pocket]
            self.shortages[self.pending] = Shortage(epoch.unfilled, pockets)
            for pocket in pockets:
                self.pockets[pocket].redeemed += filled
        self._burn(self.address, filled)

    def _raise(self, values: list[Delivery], owed: int) -> None:
        """Takes tokens from markets until there are as many as are owed.

        First what they do not need at their leverage, then what the tolerance allows: who stays is not left with a
        position that those who leave have paid for.
        """
        for strained in (False, True):
            for one in values:
                if self.idle >= owed:
                    return
                if not one.entry.pocket:
                    amount = min(self.spare(one.entry, strained=strained), ceil_div(owed - self.idle, self.scale))
                    if amount:
                        self.order(one.entry.market, 0, -amount)

    def spare(self, entry: VaultMarket, *, strained: bool) -> int:
        """Collateral that a market can do without, as last settled: 6 decimals.

        `strained`: the position may be as far above its leverage as the tolerance allows; never is its margin, with its
        safety factor, touched.
        """
        market = entry.market
        held, size = max(0, market.collateral(self.address)), market.positions(self.address).maker
        kept = 0
        if size:
            leverage, least = terms(entry.settling_leverage, market.risk)
            kept = max(ceil_div(size * abs(market.price), leverage), least)
        if not strained:
            return max(0, held - kept)
        kept = ceil_div(kept * (UNIT - self.parameter.tolerance), UNIT)
        return min(max(0, held - kept), self.beyond_margin(market))

    def _convert(self, epoch: Settling) -> None:
        """Turns deposits into shares, unless they wait for a stuck market."""
        if not self.entering or self.open_pockets:
            return
        # A loss beyond all shares has taken from the deposits too: they were in the same accounts.
        worth = min(self.entering_net, epoch.gross + epoch.paid_by_redeems)
        epoch.minted = min(worth * epoch.shares // epoch.assets, max(0, MAX_SHARES - self.supply))
        self.deposit_rates[self.entering] = Rate(self.entering_gross, epoch.minted)
        self.entering = self.entering_net = 0
        self._mint(self.address, epoch.minted)
