"""Who signed what, what is filled and what cancelled (docs/protocol.md §9), as contracts/intents/Verifier.sol.

Accounts are any strings here. A signature is the name of who made it: keys and hashes are `perennial.intents`' affair.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from perennial.mirror import errors
from perennial.mirror.fixed import UNIT, ceil_div
from perennial.mirror.orders import NOBODY

PARTS = 10
"""A fill is at least this fraction of its intent, or what remains."""


@dataclass(slots=True, frozen=True)
class Intent:
    """A signed order, fields as in contracts/types/Intent.sol and Common.sol; amounts and prices have 6 decimals."""

    account: str
    amount: int
    price: int
    signer: str = ""
    fee: int = 0
    originator: str = NOBODY
    solver: str = NOBODY
    collateralization: int = 0
    domain: str = "market"
    nonce: int = 0
    group: int = 0
    expiry: int = 2**40


@dataclass(slots=True, frozen=True)
class Cancellation:
    """A signed cancellation: of its own nonce, and of the group `cancelled` where that is not None."""

    account: str
    signer: str = ""
    cancelled: int | None = None
    domain: str = "verifier"
    nonce: int = 0
    group: int = 0
    expiry: int = 2**40


@dataclass(slots=True, frozen=True)
class Approval:
    """A signed approval of an operator, or of a signer where `signs`, or its end."""

    account: str
    approves: str
    approved: bool
    signs: bool = False
    signer: str = ""
    domain: str = "factory"
    nonce: int = 0
    group: int = 0
    expiry: int = 2**40


Message = Intent | Cancellation | Approval
"""Whatever an account signs."""


def _itself(message: Message) -> Any:
    return message


@dataclass(slots=True)
class Verifier:
    """What was filled by digest, what was cancelled, who may sign. `now` is the clock, Unix seconds."""

    now: int = 0
    address: str = "verifier"
    digest: Callable[[Message], Any] = _itself
    filled: dict[Any, int] = field(default_factory=dict)
    nonces: set[tuple[str, int]] = field(default_factory=set)
    groups: set[tuple[str, int]] = field(default_factory=set)
    signers: set[tuple[str, str]] = field(default_factory=set)

    def consume(self, intent: Intent, signature: str, size: int, market: str) -> None:
        """Uses `size` (6 decimals) of an intent up, for a market. Raises the Verifier's errors, in its order."""
        if intent.amount == 0 or size == 0:
            raise errors.ZeroAmount
        if intent.fee > UNIT:
            raise errors.SolverFeeTooHigh(intent.fee)
        digest = self._verify(intent, signature, market)
        amount, before = abs(intent.amount), self.filled.get(digest, 0)
        left, minimum = amount - before, ceil_div(amount, PARTS)
        if size > left:
            raise errors.OverFilled(digest, size, left)
        if size < minimum and size != left:
            raise errors.FillTooSmall(size, min(minimum, left))
        self.filled[digest] = before + size

    def cancel(self, message: Cancellation, signature: str) -> None:
        """A relayed cancellation: uses its nonce up, and cancels the group that it names."""
        self._verify(message, signature, self.address)
        self.nonces.add((message.account, message.nonce))
        if message.cancelled is not None:
            self.groups.add((message.account, message.cancelled))

    def cancel_of(self, caller: str, account: str, *, nonce: int | None = None, group: int | None = None) -> None:
        """The account or a signer of it cancels a nonce or a group."""
        self._authorise(account, caller)
        if nonce is not None:
            self.nonces.add((account, nonce))
        if group is not None:
            self.groups.add((account, group))

    def approve(self, message: Approval, signature: str, factory: str) -> None:
        """Checks a relayed approval, which the account signs itself, for a factory, and uses its nonce up."""
        if message.signer not in ("", message.account):
            raise errors.SignerNotAuthorised(message.account, message.signer)
        self._verify(message, signature, factory)
        self.nonces.add((message.account, message.nonce))

    def update_signer(self, account: str, signer: str, approved: bool) -> None:
        """Lets `signer` sign for `account`, or stops it."""
        if approved:
            self.signers.add((account, signer))
        else:
            self.signers.discard((account, signer))

    def _authorise(self, account: str, signer: str) -> None:
        if signer != account and (account, signer) not in self.signers:
            raise errors.SignerNotAuthorised(account, signer)

    def _verify(self, message: Message, signature: str, consumer: str) -> Any:
        account, signer = message.account, message.signer or message.account
        if message.domain != consumer:
            raise errors.WrongDomain(message.domain, consumer)
        if self.now >= message.expiry:
            raise errors.MessageExpired(message.expiry, self.now)
        if (account, message.nonce) in self.nonces:
            raise errors.NonceAlreadyCancelled(account, message.nonce)
        if (account, message.group) in self.groups:
            raise errors.GroupAlreadyCancelled(account, message.group)
        self._authorise(account, signer)
        digest = self.digest(message)
        if signature != signer:
            raise errors.WrongSignature(signer, digest)
        return digest
