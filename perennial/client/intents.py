"""Intents of one market (docs/protocol.md §9): build, sign, post to a relay, fill, cancel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial.amounts import decimal
from perennial.chain import Chain, Contract, NodeAddressError
from perennial.client.errors import ClientError, InputError, UnreachableError
from perennial.client.numbers import Number, amount, instant, signed, units_for
from perennial.client.records import Record
from perennial.client.results import ESTIMATE, Sent
from perennial.client.signers import address_of
from perennial.intents import Domain, FieldError, Intent, NonceCancellation, SigningError, message_hash, sign

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from perennial.client.market import Market
    from perennial.client.protocol import Protocol
    from perennial.relay.client import RelayClient
    from perennial.relay.records import Order

HOUR = "1h"


@dataclass(frozen=True, slots=True)
class SignedIntent(Record):
    """An intent as it stands: what was signed, and what the Verifier would still fill of it."""

    market: str
    account: str
    side: str
    """long buys, short sells."""
    size: Decimal
    price: Decimal
    """Worst price that the account accepts."""
    remaining: Decimal
    expiry: int
    nonce: str
    group: str
    hash: str
    note: str | None
    status: str
    """As the relay says; "signed" before it was posted."""


@dataclass(frozen=True, slots=True)
class Filled(Record):
    """A fill that is on chain. Its sizes change at `version`; the price is agreed."""

    market: str
    account: str
    side: str
    """Of the account that took the other side."""
    size: Decimal
    price: Decimal
    version: int
    transaction: str
    block: int


class Intents:
    """The intents of one market."""

    def __init__(self, market: Market) -> None:
        self._market, self._protocol = market, market.protocol
        self.domain = Domain(self._protocol.chain_id, self._protocol.verifier)

    def build(
        self,
        account: Any,
        side: str,
        size: Number | None = None,
        *,
        price: Number,
        usd: Number | None = None,
        expiry: str | int | datetime = HOUR,
        **options: Any,
    ) -> Intent:
        """An intent to go long (buy) or short (sell) at `price` or better; `options` are those of Intent.build.

        USD are turned into units at `price`.
        """
        if side not in ("long", "short"):
            raise InputError(f"side: {side!r} is neither long nor short; makers cannot sign intents")
        if (size is None) == (usd is None):
            raise InputError("give the size in units or in USD, one of the two")
        limit = signed("price", price)
        units = amount("size", size) if size is not None else units_for(amount("usd", usd or 0), limit)
        try:
            return Intent.build(
                market=self._market.address,
                account=address_of(account),
                amount=decimal(units if side == "long" else -units),
                price=decimal(limit),
                expiry=instant("expiry", expiry, self._protocol.now()),
                **options,
            )
        except FieldError as error:
            raise InputError(str(error)) from error

    def sign(self, intent: Intent, signer: Any) -> bytes:
        """The signature of an intent, by its signer."""
        try:
            return sign(intent, self.domain, signer)
        except SigningError as error:
            raise ClientError(str(error)) from error

    def hash(self, intent: Intent) -> str:
        """What names an intent."""
        return "0x" + message_hash(intent, self.domain).hex()

    def remaining(self, intent: Intent) -> Decimal:
        """What the Verifier would still fill of it."""
        return decimal(self._protocol.guard(lambda: self._verifier.read("remaining", intent.to_abi())))

    # -- At a relay: the network's own where none is named ------------------------------------------------------------

    def post(
        self, intent: Intent, signature: bytes, relay: str | None = None, *, estimated: bool = False
    ) -> SignedIntent:
        """Posts an intent to a relay."""
        order = _ask(self._protocol, relay, lambda client: client.post(intent, signature))
        note = ESTIMATE if estimated else None
        return self._shown(intent, order.remaining, order.status.value, note)

    def open(self, relay: str | None = None) -> tuple[SignedIntent, ...]:
        """What is open in this market at a relay."""
        orders = _ask(self._protocol, relay, lambda client: client.open_orders(self._market.address))
        return tuple(self._shown(order.intent, order.remaining, order.status.value) for order in orders)

    def get(self, digest: str, relay: str | None = None) -> SignedIntent:
        """One intent at a relay, by its hash."""
        order = self._at_relay(digest, relay)
        return self._shown(order.intent, order.remaining, order.status.value)

    def fill(
        self, account: Any, digest: str, relay: str | None = None, size: Number | None = None, *, of: Any = None
    ) -> Filled:
        """Takes the other side of an intent at a relay, at its price; all that remains of it where no size is given."""
        order = self._at_relay(digest, relay)
        units = amount("size", size) if size is not None else order.remaining
        return self.fill_signed(account, order.intent, order.signature, units, of=of)

    def fill_signed(self, account: Any, intent: Intent, signature: bytes, units: int, *, of: Any = None) -> Filled:
        """Takes the other side of `units` (6 decimals) of an intent, at its price."""
        who = address_of(account if of is None else of)
        size = units if intent.amount > 0 else -units
        query = self._market.contract.query("fill", intent.to_abi(), signature, size, intent.price, who)
        mined = self._protocol.sender.send(account, query)
        event = self._market.events(mined, "IntentFilled")[-1]
        return Filled(
            market=self._market.name,
            account=who,
            side="short" if intent.amount > 0 else "long",
            size=decimal(units),
            price=decimal(intent.price),
            version=event["version"],
            transaction=mined.receipt.hash,
            block=mined.block,
        )

    def cancel(self, account: Any, nonce: int, *, relay: str | None = None, of: Any = None) -> Sent:
        """Cancels what was signed with a nonce: on chain, or by a message to a relay, which costs no gas.

        The account's own intents, or those `of` another that has approved it as a signer.

        What is cancelled at a relay alone is off its book; whoever has kept the intent can still fill it until somebody
        brings the message to the chain.
        """
        by = address_of(account)
        who = by if of is None else address_of(of)
        if relay is None:
            own = self._verifier.query("cancelNonce", nonce)
            query = own if who == by else self._verifier.query("cancelNonceOf", who, nonce)
            mined = self._protocol.sender.send(account, query)
            return Sent(f"cancelled nonce {nonce} of {who} on chain", mined.receipt.hash, mined.block)
        expiry = instant("expiry", "1d", self._protocol.now())
        message = NonceCancellation.build(
            verifier=self.domain.verifier, account=who, signer=by, nonce=nonce, expiry=expiry
        )
        try:
            signature = sign(message, self.domain, account)
        except SigningError as error:
            raise ClientError(str(error)) from error
        taken = _ask(self._protocol, relay, lambda client: client.cancel(message, signature))
        return Sent(f"cancelled nonce {nonce} of {who} at the relay: {len(taken)} intents off its book", "", 0)

    def _at_relay(self, digest: str, relay: str | None) -> Order:
        """The intent of this hash. Whoever runs the relay cannot hand out another one for it."""
        order: Order = _ask(self._protocol, relay, lambda client: client.order(digest))
        if self.hash(order.intent) != digest.lower():
            raise ClientError(f"the relay gives another intent than {digest}: do not trust it")
        return order

    @property
    def _verifier(self) -> Contract:
        return Contract(Chain(self._protocol.rpc), "IVerifier", self.domain.verifier)

    def _shown(self, intent: Intent, remaining: int, status: str, note: str | None = None) -> SignedIntent:
        return SignedIntent(
            market=self._market.name,
            account=intent.common.account,
            side="long" if intent.amount > 0 else "short",
            size=decimal(intent.size),
            price=decimal(intent.price),
            remaining=decimal(remaining),
            expiry=intent.common.expiry,
            nonce=str(intent.common.nonce),
            group=str(intent.common.group),
            hash=self.hash(intent),
            note=note,
            status=status,
        )


def at_relay(protocol: Protocol, digest: str, relay: str | None = None) -> Intents:
    """The intents of the market that an intent at a relay is for."""
    order = _ask(protocol, relay, lambda client: client.order(digest))
    return protocol.market(order.intent.common.domain).intents


def _ask(protocol: Protocol, relay: str | None, question: Any) -> Any:
    """Asks a relay, the network's where none is named; its refusals and failures as errors of the client."""
    where = protocol.relay_at(relay)
    # Here, since it takes half a second to import.
    from perennial.relay.client import RelayClient, RelayError
    from perennial.relay.records import Refusal

    client: RelayClient
    try:
        with RelayClient(where) as client:
            return question(client)
    except NodeAddressError as error:
        raise InputError(str(error)) from error
    except Refusal as error:
        raise RelayRefusedError(error.code, error.message) from error
    except RelayError as error:
        raise UnreachableError(str(error)) from error


class RelayRefusedError(ClientError):
    """A relay does not take what it was given: `code` for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"the relay refuses: {message} ({code})")
        self.code = code
