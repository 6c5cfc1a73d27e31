"""Who signed what, and how much of it is filled (docs/protocol.md §9), as contracts/intents/Verifier.sol.

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


def _itself(intent: Intent) -> Any:
    return intent


@dataclass(slots=True)
class Verifier:
    """What was filled by digest, what was cancelled, who may sign. `now` is the clock, Unix seconds."""

    now: int = 0
    digest: Callable[[Intent], Any] = _itself
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

    def update_signer(self, account: str, signer: str, approved: bool) -> None:
        """Lets `signer` sign for `account`, or stops it."""
        if approved:
            self.signers.add((account, signer))
        else:
            self.signers.discard((account, signer))

    def _verify(self, intent: Intent, signature: str, market: str) -> Any:
        account, signer = intent.account, intent.signer or intent.account
        if intent.domain != market:
            raise errors.WrongDomain(intent.domain, market)
        if self.now >= intent.expiry:
            raise errors.MessageExpired(intent.expiry, self.now)
        if (account, intent.nonce) in self.nonces:
            raise errors.NonceAlreadyCancelled(account, intent.nonce)
        if (account, intent.group) in self.groups:
            raise errors.GroupAlreadyCancelled(account, intent.group)
        if signer != account and (account, signer) not in self.signers:
            raise errors.SignerNotAuthorised(account, signer)
        digest = self.digest(intent)
        if signature != signer:
            raise errors.WrongSignature(signer, digest)
        return digest
