"""What the relay takes: each check its own refusal, cheap ones first."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from perennial.amounts import ONE
from perennial.intents import (
    Domain,
    FieldError,
    GroupCancellation,
    Intent,
    MalleableSignature,
    NonceCancellation,
    Signable,
    WrongSignature,
    message_hash,
    verify,
)
from perennial.relay.records import Order, Refusal, Status
from perennial.relay.store import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perennial.relay.store import Store


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IntentState:
    """What the Verifier says about an intent: size filled, size that it would still fill; 6 decimals."""

    filled: int
    remaining: int


class ChainView(Protocol):
    """What the relay asks the chain. Whatever is behind it may raise; the relay then answers that it cannot tell."""

    def is_contract_signature(self, signer: str, digest: bytes, signature: bytes) -> bool:
        """Whether a contract wallet takes the signature as its own (ERC-1271)."""
        ...

    def is_signer(self, account: str, signer: str) -> bool:
        """Whether the account has approved the signer."""
        ...

    def states(self, intents: Sequence[Intent]) -> list[IntentState]:
        """What the Verifier says about intents now."""
        ...

    def has_collateral(self, account: str) -> bool:
        """Whether the account has ever had money in a market of the relay, and has it still."""
        ...

    def lacks_margin(self, intent: Intent, size: int) -> str | None:
        """Why the account could not have `size` of the intent filled now; None if it could."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What the relay keeps for others."""

    open_intents: int = 200
    """Open intents of one account, and as many cancellations that wait."""
    signature_bytes: int = 4096
    """Longest signature, of a contract wallet."""
    lifetime: int = 90 * 24 * 3600
    """Seconds until the latest expiry."""


@dataclass(frozen=True)
class Intake:
    """Checks what comes in against one Verifier and some markets, and hands it to the store."""

    domain: Domain
    markets: frozenset[str]
    view: ChainView
    store: Store
    limits: Limits = Limits()
    clock: Callable[[], float] = time.time

    def submit(self, content: object, signature: bytes) -> tuple[Order, bool]:
        """Takes a signed intent; returns it as kept, and whether it is new. Raises Refusal."""
        intent = _parsed(lambda: Intent.from_dict(content))
        digest = message_hash(intent, self.domain)
        known = self.store.find("0x" + digest.hex())
        if known is not None:
            return known, False

        self._check_terms(intent)
        self._check_signature(intent, signature)
        most = self.limits.open_intents
        self.store.check(intent, self._now(), most)
        [state] = self.view.states([intent])
        if state.filled >= intent.size:
            raise Refusal("filled", "the intent is filled")
        if state.remaining == 0:
            raise Refusal("cancelled", "the nonce or group is cancelled", "common.nonce")
        if reason := self.view.lacks_margin(intent, state.remaining):
            raise Refusal("margin", reason, "common.account")
        return self.store.add("0x" + digest.hex(), intent, signature, state.remaining, self._now(), most)

    def cancel(self, kind: str, content: object, signature: bytes) -> tuple[str, list[str]]:
        """Takes a signed cancellation; returns its hash and those of the intents that it takes off the book."""
        kinds = {each.name: each for each in (NonceCancellation, GroupCancellation)}
        if kind not in kinds:
            raise Refusal("field", f"{kind!r} is none of {', '.join(kinds)}", "kind")
        message: NonceCancellation | GroupCancellation = _parsed(lambda: kinds[kind].from_dict(content))
        if message.common.domain != self.domain.verifier:
            raise Refusal("domain", f"cancellations are for the Verifier {self.domain.verifier}", "common.domain")
        self._check_expiry(message)
        self._check_signature(message, signature)
        account = message.common.account
        # Whoever makes up accounts could fill the database.
        if not (self.store.knows(account) or self.view.has_collateral(account)):
            raise Refusal("unknown", "the account has neither an intent here nor collateral", "common.account")
        digest = "0x" + message_hash(message, self.domain).hex()
        return digest, self.store.cancel(digest, message, signature, self.limits.open_intents)

    # -- Checks -------------------------------------------------------------------------------------------------------

    def _check_terms(self, intent: Intent) -> None:
        if intent.common.domain not in self.markets:
            raise Refusal("market", f"{intent.common.domain} is no market of this relay", "common.domain")
        if not 0 < intent.size < LIMIT:
            raise Refusal("field", "is 0 or more than a market takes", "amount")
        if not -LIMIT < intent.price < LIMIT:
            raise Refusal("field", "is more than a market takes", "price")
        if intent.fee > ONE:
            raise Refusal("field", "is more than 1, which is all of the referral fee", "fee")
        self._check_expiry(intent)
        if intent.common.expiry > self._now() + self.limits.lifetime:
            raise Refusal("expiry", f"is more than {self.limits.lifetime} seconds away", "common.expiry")

    def _check_expiry(self, message: Signable) -> None:
        if message.common.expiry <= self._now():
            raise Refusal("expired", "has passed", "common.expiry")

    def _check_signature(self, message: Signable, signature: bytes) -> None:
        if len(signature) > self.limits.signature_bytes:
            raise Refusal("signature", f"is longer than {self.limits.signature_bytes} bytes", "signature")
        try:
            verify(message, signature, self.domain, self.view.is_contract_signature)
        except MalleableSignature as error:
            raise Refusal("malleable", str(error), "signature") from error
        except WrongSignature as error:
            raise Refusal("signature", str(error), "signature") from error
        common = message.common
        if common.signer != common.account and not self.view.is_signer(common.account, common.signer):
            raise Refusal("signer", f"{common.signer} may not sign for {common.account}", "common.signer")

    def _now(self) -> int:
        return int(self.clock())


def status_of(intent: Intent, state: IntentState, now: int) -> Status:
    """What an intent is, by what the Verifier says."""
    if state.filled >= intent.size:
        return Status.FILLED
    if intent.common.expiry <= now:
        return Status.EXPIRED
    return Status.CANCELLED if state.remaining == 0 else Status.OPEN


def _parsed(parse: Callable[[], T]) -> T:
    try:
        return parse()
    except FieldError as error:
        raise Refusal("field", error.reason, error.field) from error
