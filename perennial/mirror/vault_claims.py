"""Requests of a vault, and claims of what became of them (contracts/vault/VaultRequests.sol, docs/protocol.md §12.2).

Everybody's part of an epoch is rounded down, so that the sum of users never exceeds its totals.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from perennial.mirror import vault_errors as errors
from perennial.mirror.fixed import ceil_div
from perennial.mirror.orders import NOBODY
from perennial.mirror.vault_state import Claim, Request, Requests, Shortage, VaultState


class VaultClaims(VaultState):
    """Operators, requests, claims: assets are token units. The caller is the controller where none is given."""

    # -- Operators -----------------------------------------------------------------------------------------------------

    def set_operator(self, operator: str, approved: bool, *, caller: str) -> bool:
        """Lets an operator request and claim for the caller, or stops it; raises SelfOperator."""
        if operator == caller:
            raise errors.SelfOperator
        if approved:
            self.operators.add((caller, operator))
        else:
            self.operators.discard((caller, operator))
        self.emit("OperatorSet", caller, operator, approved)
        return True

    def is_operator(self, controller: str, operator: str) -> bool:
        """Whether `operator` may act for `controller`."""
        return (controller, operator) in self.operators

    # -- Requests ------------------------------------------------------------------------------------------------------

    def request_deposit(self, assets: int, controller: str, owner: str, *, caller: str | None = None) -> int:
        """Hands assets in to the epoch that is open for deposits, which is returned.

        Raises NotOperator, ZeroAddress, DepositTooSmall, VaultInsolvent, DepositCapExceeded, RequestPending.
        """
        caller = caller or owner
        self._check_operator(owner, caller)
        if controller == NOBODY:
            raise errors.ZeroAddress("controller")
        if assets == 0 or assets < self.parameter.min_deposit:
            raise errors.DepositTooSmall(assets, self.parameter.min_deposit)
        if self.insolvent:
            raise errors.VaultInsolvent
        total = self.last_assets + self.open_deposits + assets
        if total > self.parameter.deposit_cap:
            raise errors.DepositCapExceeded(total, self.parameter.deposit_cap)
        epoch = self.deposit_epoch
        requests = self.deposits.setdefault(controller, Requests())
        slot = requests.slots[epoch & 1]
        if slot.amount and slot.epoch != epoch:
            if slot.epoch not in self.deposit_rates:
                raise errors.RequestPending(controller, slot.epoch)
            self._sync_deposit(requests, epoch & 1)
        _join(requests, epoch, assets)
        self.open_deposits += assets
        self.take(owner, assets)
        self.emit("DepositRequest", controller, owner, epoch, caller, assets)
        return epoch

    def request_redeem(self, shares: int, controller: str, owner: str, *, caller: str | None = None) -> int:
        """Hands shares in to the open epoch, which is returned.

        Raises ERC20InsufficientAllowance, ZeroAddress, ZeroShares, ERC20InsufficientBalance.
        """
        caller = caller or owner
        with self._atomic():
            if owner != caller and not self.is_operator(owner, caller):
                self._spend(owner, caller, shares)
            if controller == NOBODY:
                raise errors.ZeroAddress("controller")
            if shares == 0:
                raise errors.ZeroShares
            epoch = self.epoch
            requests = self.redeems.setdefault(controller, Requests())
            slot = requests.slots[epoch & 1]
            if slot.amount and slot.epoch != epoch:
                self._sync_redeem(controller, requests, epoch & 1)
            _join(requests, epoch, shares)
            self.open_redeems += shares
            self._transfer(owner, self.address, shares)
            self.emit("RedeemRequest", controller, owner, epoch, caller, shares)
            return epoch

    def recall_deposit(self, controller: str, receiver: str, *, caller: str | None = None) -> int:
        """Gives a deposit back that waits in the open epoch; raises NotOperator, NothingToRecall."""
        with self._atomic():
            self._check_operator(controller, caller or controller)
            epoch = self.deposit_epoch
            slot = self._slot(self.deposits, epoch, controller)
            assets = slot.amount
            if assets == 0:
                raise errors.NothingToRecall(controller)
            self.deposits[controller].slots[epoch & 1] = Request()
            self.open_deposits -= assets
            self._pay_tokens(receiver, assets)
            self.emit("DepositRecalled", controller, receiver, epoch, assets)
            return assets

    # -- Claims --------------------------------------------------------------------------------------------------------

    def deposit(self, assets: int, receiver: str, controller: str = "", *, caller: str = "") -> int:
        """Claims the shares of settled deposits by what was handed in; returns the shares.

        Raises NotOperator, ExceedsClaimable, ERC20InvalidReceiver.
        """
        with self._claiming(controller, caller, self.deposits) as (claim, controller, _):
            shares = _part(assets, claim.assets, claim.shares)
            self._hand_out(claim, assets, shares, receiver, controller)
            return shares

    def mint(self, shares: int, receiver: str, controller: str = "", *, caller: str = "") -> int:
        """Claims a number of shares; returns the assets that they stand for. Raises as `deposit`."""
        with self._claiming(controller, caller, self.deposits) as (claim, controller, _):
            assets = _part(shares, claim.shares, claim.assets, up=True)
            self._hand_out(claim, assets, shares, receiver, controller)
            return assets

    def withdraw(self, assets: int, receiver: str, controller: str = "", *, caller: str = "") -> int:
        """Claims an amount of assets of settled redemptions; returns the shares that they stand for.

        Raises NotOperator, ExceedsClaimable.
        """
        with self._claiming(controller, caller, self.redeems) as (claim, controller, caller):
            shares = _part(assets, claim.assets, claim.shares, up=True)
            self._pay_out(claim, assets, shares, receiver, controller, caller)
            return shares

    def redeem(self, shares: int, receiver: str, controller: str = "", *, caller: str = "") -> int:
        """Claims the assets of settled redemptions by shares; returns the assets. Raises as `withdraw`."""
        with self._claiming(controller, caller, self.redeems) as (claim, controller, caller):
            assets = _part(shares, claim.shares, claim.assets)
            self._pay_out(claim, assets, shares, receiver, controller, caller)
            return assets

    def claim_returned(self, pocket: int, controller: str, receiver: str, *, caller: str | None = None) -> int:
        """Pays a controller's part of what a stuck market returned; raises NotOperator, PocketOpen."""
        caller = caller or controller
        with self._atomic():
            self._check_operator(controller, caller)
            self._check_resolved(pocket)
            self._sync_redeems(controller)
            units = self.pocket_units.pop((pocket, controller), 0)
            if units == 0:
                return 0
            resolved = self.pockets[pocket]
            assets = units * resolved.payout // resolved.redeemed
            self.reserved -= assets
            self._pay_tokens(receiver, assets)
            self.emit("Returned", pocket, controller, receiver, assets)
            return assets

    # -- Views ---------------------------------------------------------------------------------------------------------

    def pending_deposit_request(self, epoch: int, controller: str) -> int:
        """Assets of a controller that wait in an epoch."""
        slot = self._slot(self.deposits, epoch, controller)
        return slot.amount if epoch not in self.deposit_rates else 0

    def claimable_deposit_request(self, epoch: int, controller: str) -> int:
        """Assets of an epoch whose shares can be claimed; 0: of all."""
        if epoch == 0:
            return self.max_deposit(controller)
        slot = self._slot(self.deposits, epoch, controller)
        return slot.amount if epoch in self.deposit_rates else 0

    def pending_redeem_request(self, epoch: int, controller: str) -> int:
        """Shares of a controller that wait in an epoch."""
        slot = self._slot(self.redeems, epoch, controller)
        return slot.amount if epoch not in self.redeem_rates else 0

    def claimable_redeem_request(self, epoch: int, controller: str) -> int:
        """Shares of an epoch whose assets can be claimed; 0: of all."""
        if epoch == 0:
            return self.max_redeem(controller)
        slot = self._slot(self.redeems, epoch, controller)
        return self._redeemed(slot)[0].shares if slot.amount and epoch in self.redeem_rates else 0

    def max_deposit(self, controller: str) -> int:
        """Most assets that `deposit` accepts."""
        return self.settled_deposits(controller).assets

    def max_mint(self, controller: str) -> int:
        """Most shares that `mint` accepts."""
        return self.settled_deposits(controller).shares

    def max_withdraw(self, controller: str) -> int:
        """Most assets that `withdraw` accepts."""
        return self.settled_redeems(controller).assets

    def max_redeem(self, controller: str) -> int:
        """Most shares that `redeem` accepts."""
        return self.settled_redeems(controller).shares

    def preview(self) -> int:
        """previewDeposit, previewMint, previewWithdraw, previewRedeem: prices are not known before; Asynchronous."""
        raise errors.Asynchronous

    def units_of(self, pocket: int, controller: str) -> int:
        """The contract's `pocketUnits`: shares with a part in a pocket, those of settled requests included."""
        units = self.pocket_units.get((pocket, controller), 0)
        for slot in self.redeems.get(controller, Requests()).slots:
            shortage = self.shortages.get(slot.epoch, Shortage())
            if slot.amount and pocket in shortage.pockets:
                units += self._filled_units(slot)
        return units

    def returnable(self, pocket: int, controller: str) -> int:
        """What `claim_returned` would pay; 0 while the pocket is open."""
        one = self.pockets.get(pocket)
        if one is None or not one.resolved or not one.redeemed:
            return 0
        return self.units_of(pocket, controller) * one.payout // one.redeemed

    def settled_deposits(self, controller: str) -> Claim:
        """Claim on shares, with requests that have settled."""
        requests = self.deposits.get(controller, Requests())
        claim = Claim(requests.claim.assets, requests.claim.shares)
        for slot in requests.slots:
            if slot.amount and slot.epoch in self.deposit_rates:
                claim.assets += slot.amount
                claim.shares += self._shares_of(slot)
        return claim

    def settled_redeems(self, controller: str) -> Claim:
        """Claim on assets, with requests that have settled."""
        requests = self.redeems.get(controller, Requests())
        claim = Claim(requests.claim.assets, requests.claim.shares)
        for slot in requests.slots:
            if slot.amount and slot.epoch in self.redeem_rates:
                settled, _ = self._redeemed(slot)
                claim.assets += settled.assets
                claim.shares += settled.shares
        return claim

    def returned_shares(self, controller: str) -> int:
        """Shares of settled requests that could not be redeemed and will be transferred back."""
        slots = self.redeems.get(controller, Requests()).slots
        return sum(self._redeemed(slot)[1] for slot in slots if slot.amount and slot.epoch in self.redeem_rates)

    # -- Steps ---------------------------------------------------------------------------------------------------------

    def _slot(self, kind: dict[str, Requests], epoch: int, controller: str) -> Request:
        """The controller's request of an epoch, or an empty one."""
        slot = kind.get(controller, Requests()).slots[epoch & 1]
        return slot if slot.epoch == epoch else Request()

    def _shares_of(self, slot: Request) -> int:
        rate = self.deposit_rates[slot.epoch]
        return slot.amount * rate.shares // rate.assets

    def _redeemed(self, slot: Request) -> tuple[Claim, int]:
        """What a settled redemption came to, and the shares that go back."""
        rate = self.redeem_rates[slot.epoch]
        returned = slot.amount * self._unfilled(slot.epoch) // rate.shares
        return Claim(slot.amount * rate.assets // rate.shares, slot.amount - returned), returned

    def _filled_units(self, slot: Request) -> int:
        rate = self.redeem_rates[slot.epoch]
        return slot.amount * (rate.shares - self._unfilled(slot.epoch)) // rate.shares

    def _unfilled(self, epoch: int) -> int:
        return self.shortages[epoch].unfilled if epoch in self.shortages else 0

    def _sync_deposit(self, requests: Requests, index: int) -> None:
        slot = requests.slots[index]
        requests.claim.assets += slot.amount
        requests.claim.shares += self._shares_of(slot)
        requests.slots[index] = Request()

    def _sync_deposits(self, controller: str) -> None:
        requests = self.deposits.setdefault(controller, Requests())
        for index, slot in enumerate(requests.slots):
            if slot.amount and slot.epoch in self.deposit_rates:
                self._sync_deposit(requests, index)

    def _sync_redeem(self, controller: str, requests: Requests, index: int) -> None:
        slot = requests.slots[index]
        settled, returned = self._redeemed(slot)
        requests.claim.assets += settled.assets
        requests.claim.shares += settled.shares
        for pocket in self.shortages.get(slot.epoch, Shortage()).pockets:
            key = pocket, controller
            self.pocket_units[key] = self.pocket_units.get(key, 0) + self._filled_units(slot)
        requests.slots[index] = Request()
        if returned:
            self._transfer(self.address, controller, returned)

    def _sync_redeems(self, controller: str) -> None:
        requests = self.redeems.setdefault(controller, Requests())
        for index, slot in enumerate(requests.slots):
            if slot.amount and slot.epoch in self.redeem_rates:
                self._sync_redeem(controller, requests, index)

    @contextmanager
    def _claiming(self, controller: str, caller: str, kind: dict[str, Requests]) -> Iterator[tuple[Claim, str, str]]:
        """The controller's claim after sync, for the controller or its operator; undone where it is refused."""
        controller, caller = controller or caller, caller or controller
        with self._atomic():
            self._check_operator(controller, caller)
            if kind is self.deposits:
                self._sync_deposits(controller)
            else:
                self._sync_redeems(controller)
            yield kind[controller].claim, controller, caller

    def _hand_out(self, claim: Claim, assets: int, shares: int, receiver: str, controller: str) -> None:
        claim.assets -= assets
        claim.shares -= shares
        self._transfer(self.address, receiver, shares)
        self.emit("Deposit", controller, receiver, assets, shares)

    def _pay_out(self, claim: Claim, assets: int, shares: int, receiver: str, controller: str, caller: str) -> None:
        claim.assets -= assets
        claim.shares -= shares
        self.reserved -= assets
        self.emit("Withdraw", caller, receiver, controller, assets, shares)
        self._pay_tokens(receiver, assets)

    def _pay_tokens(self, receiver: str, assets: int) -> None:
        if receiver == NOBODY:
            raise errors.ERC20InvalidReceiver(receiver)
        self.pay(receiver, assets)

    def _check_operator(self, account: str, caller: str) -> None:
        if caller != account and not self.is_operator(account, caller):
            raise errors.NotOperator(account, caller)

    def _check_resolved(self, pocket: int) -> None:
        if pocket not in self.pockets or not self.pockets[pocket].resolved:
            raise errors.PocketOpen(pocket)


def _join(requests: Requests, epoch: int, amount: int) -> None:
    """Adds to the slot of an epoch, which is empty or that epoch's."""
    slot = requests.slots[epoch & 1]
    requests.slots[epoch & 1] = Request(epoch, amount + (slot.amount if slot.epoch == epoch else 0))


def _part(amount: int, whole: int, other: int, *, up: bool = False) -> int:
    """`amount` of `whole`, in what `other` stands for."""
    if amount > whole:
        raise errors.ExceedsClaimable(amount, whole)
    if amount == 0:
        return 0
    return ceil_div(amount * other, whole) if up else amount * other // whole
