"""Closing of an epoch: requests are fixed, orders placed, collateral moved (contracts/vault/VaultClosing.sol)."""

from perennial.mirror import vault_errors as errors
from perennial.mirror.fixed import UNIT, ceil_div
from perennial.mirror.vault_allocation import Leg, plan
from perennial.mirror.vault_markets import Observation
from perennial.mirror.vault_settlement import VaultSettlement
from perennial.mirror.vault_state import REST


class VaultClosing(VaultSettlement):
    """The two calls that close an epoch; anyone may make them."""

    def close_epoch(self) -> None:
        """Closes the open epoch. Raises EpochPending, ProtocolPaused, NothingToClose."""
        with self._atomic_with_markets():
            self._close(rebalancing=False)

    def rebalance(self) -> None:
        """Closes the open epoch if a market is off its target by more than the tolerance and accepts to be put right.

        Raises EpochPending, ProtocolPaused, NothingToRebalance.
        """
        with self._atomic_with_markets():
            self._close(rebalancing=True)

    def _close(self, *, rebalancing: bool) -> None:
        if self.pending:
            self._settle_pending()
        if self.pending:
            raise errors.EpochPending(self.pending)
        if self.factory.paused:
            raise errors.ProtocolPaused
        seen = [self.observe(entry) for entry in self.markets]
        deposits, redeems = self._accept(seen), self.open_redeems
        if not (rebalancing or deposits or redeems or self._waiting(seen)):
            raise errors.NothingToClose
        epoch = self._fix(deposits)
        legs, leaving = self._plan(seen, deposits, redeems)
        # Collateral that is not needed first: it may be what another market needs.
        moved = False
        for leg in legs:
            moved |= self._shrink(leg, epoch)
        for leg in legs:
            if not leg.done:
                moved |= self._grow(leg, epoch, leaving)
        for leg in legs:
            self._note(leg)
        if rebalancing and not moved:
            raise errors.NothingToRebalance
        self.emit("EpochClosed", epoch, deposits, redeems, rebalancing)

    def _accept(self, seen: list[Observation]) -> int:
        """Deposits that the epoch takes: none while others wait, or while the value of a market is not known."""
        unknown = any(one.exposed and not one.fresh for one in seen)
        return 0 if self.entering or self.open_pockets or unknown else self.open_deposits

    def _waiting(self, seen: list[Observation]) -> bool:
        """Whether a settlement would have something to do without requests."""
        back = any(
            entry.pocket and (one.fresh or not one.exposed) for entry, one in zip(self.markets, seen, strict=True)
        )
        return back or bool(self.entering and not self.open_pockets)

    def _fix(self, deposits: int) -> int:
        """From here on the epoch's requests are fixed; later ones join the next. Returns the epoch."""
        epoch = self.epoch
        self.pending, self.epoch, self.closed_at = epoch, epoch + 1, self.now
        self.pending_redeems, self.open_redeems = self.open_redeems, 0
        joined = self.deposit_epoch
        # With nobody in it the epoch of deposits goes along.
        if deposits or not self.open_deposits:
            self.deposit_epoch = epoch + 1
        if deposits:
            self.entering = joined
            self.entering_net = self.entering_gross = deposits
            self.open_deposits = 0
            self.idle += deposits
            self.last_assets += deposits
        return epoch

    def _plan(self, seen: list[Observation], deposits: int, redeems: int) -> tuple[list[Leg], int]:
        """What each market is to get, and what the redemptions are worth, about: token units."""
        assets = self.net_assets(one.collateral for one in seen)
        leaving = redeems * (assets + 1) // self.virtual_supply
        total, net = assets + self.entering_net - leaving, deposits - leaving
        self.leaving = net < 0
        self.charged = net < 0 or deposits != 0
        weights = sum(entry.weight for entry in self.markets)
        legs = []
        for entry, one in zip(self.markets, seen, strict=True):
            share = total * entry.weight // weights // self.scale if weights else 0
            change = abs(net) * entry.weight // weights // self.scale if weights else 0
            if entry.pocket:
                # Part of what is there belongs to those who have left.
                share = min(share, self.live(entry, one.collateral) // self.scale)
            sign, tolerance = 1 if net >= 0 else -1, self.parameter.tolerance
            legs.append(plan(entry, one, share, change, sign, tolerance, self.now))
        return legs, leaving

    def _shrink(self, leg: Leg, epoch: int) -> bool:
        """Orders what needs no tokens, a close or an increase that collateral covers already, and takes what is left.

        Returns whether that put a market right that was off.
        """
        excess = self._excess(leg)
        leg.done = leg.delta < 0 or (leg.delta > 0 and excess != 0)
        if not (leg.done or excess):
            return False
        placed = self.order(leg.seen.market, leg.delta, -excess)
        if not placed and leg.delta and excess:
            excess = 0
            placed = self.order(leg.seen.market, leg.delta, 0)
        return self._placed(leg, epoch, -excess, placed)

    def _excess(self, leg: Leg) -> int:
        """Collateral that the largest size does not need; what is in a pocket is not all the pool's."""
        entry, seen = leg.entry, leg.seen
        free = seen.count == 0 if seen.fresh else not seen.exposed
        if entry.pocket or seen.collateral <= 0 or not free:
            return 0
        excess = max(0, seen.collateral - leg.keep(seen.size + max(0, leg.delta)))
        small = leg.delta >= 0 and excess * UNIT <= self.parameter.tolerance * seen.collateral
        return 0 if small else excess

    def _grow(self, leg: Leg, epoch: int, leaving: int) -> bool:
        """Opens, or brings collateral that is missing, as far as there are tokens that do not leave.

        Returns whether that put a market right that was off.
        """
        seen, need = leg.seen, 0
        if leg.entry.pocket:
            # Those who have left have a part in all that is there: nothing is added before theirs is set aside.
            leg.delta = 0
            return False
        if seen.orderable:
            cash = (self.idle - min(self.idle, leaving)) // self.scale
            if leg.delta > 0:
                leg.afford(seen.collateral + cash)
            wanted = leg.keep(seen.size + leg.delta)
            need = min(max(0, wanted - seen.collateral), cash)
            if leg.delta == 0 and need * UNIT <= self.parameter.tolerance * wanted:
                need = 0
        if not (leg.delta or need):
            return False
        return self._placed(leg, epoch, need, self.order(seen.market, leg.delta, need))

    def _placed(self, leg: Leg, epoch: int, money: int, placed: bool) -> bool:
        """What became of an order; `money` (6 decimals) went in. Returns whether a market that was off is put right."""
        if not placed:
            leg.delta = 0
            return False
        seen = leg.seen
        if leg.delta:
            leg.charge = self._charge(leg, money)
        self.emit("Ordered", epoch, seen.market.address, seen.version, leg.delta, money, leg.charge)
        return leg.big or not leg.delta

    def _note(self, leg: Leg) -> None:
        """What settlement has to know of the market."""
        entry, seen = leg.entry, leg.seen
        entry.ordered = leg.delta != 0
        entry.exposed = seen.exposed or entry.ordered
        entry.awaited = entry.exposed and (seen.fresh or not entry.pocket)
        entry.version, entry.expected, entry.charge = seen.version, seen.size + leg.delta, leg.charge
        entry.leverage_before = 0
        if leg.is_for_all():
            entry.rests_until = self.now + REST

    def _charge(self, leg: Leg, money: int) -> int:
        """What the epoch's requests pay of the order's fees: their part of it, USD with 6 decimals."""
        if leg.flow * leg.delta <= 0:
            return 0
        effective, _, _ = leg.seen.market.requirement(self.address)
        cost = max(0, leg.seen.collateral + money - effective)
        return ceil_div(cost * min(abs(leg.flow), abs(leg.delta)), abs(leg.delta))
