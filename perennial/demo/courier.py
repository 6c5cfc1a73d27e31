"""Transactions on their way into a block, each with what the mirrors made of it: both must tell the same.

An action that the mirror refuses must revert on chain with the same error and the same values; what it emits must be
the same event by event.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from perennial.abi import decode_error
from perennial.chain import Chain, Contract, Receipt
from perennial.demo.options import DemoError
from perennial.mirror.errors import MarketError
from perennial.mirror.state import Event

UNTOLD = frozenset({"Transfer", "Approval"})
"""Events of ERC-20 tokens, which the mirrors leave out: balances are compared instead."""


class MismatchError(DemoError):
    """Chain and mirror differ in what they accept or tell."""


@dataclass(slots=True)
class Agreement:
    """How far chain and mirror agree: numbers and events compared, refusals that were the same."""

    numbers: int = 0
    events: int = 0
    refusals: int = 0
    largest_difference: int = 0
    differing: list[str] = field(default_factory=list)

    def compare(self, name: str, chain: Any, mirror: Any) -> None:
        """Compares two values, or two structs of them: integers by their difference, anything else by equality."""
        left, right = tuple(_flat(chain)), tuple(_flat(mirror))
        self.numbers += len(left)
        if left == right:
            return
        self.differing.append(f"{name}: chain {left}, mirror {right}")
        gaps = (
            abs(a - b) if isinstance(a, int) and isinstance(b, int) else 1 for a, b in zip(left, right, strict=False)
        )
        self.largest_difference = max(self.largest_difference, 1, *gaps)


Told = Sequence[tuple[Contract, list[Event]]]
"""What each contract should emit."""


class Teller(Protocol):
    """A mirror, which collects what it would emit."""

    events: list[Event] | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction that waits for its block, with what the mirrors made of it."""

    hash: str
    function: str
    arguments: tuple[Any, ...]
    sender: str
    refused: MarketError | None
    told: Told

    def __str__(self) -> str:
        return f"{self.function}({', '.join(str(argument) for argument in self.arguments)}) of {self.sender}"


class Courier:
    """One chain, one clock: actions wait for `mine`, which makes the block of their time.

    `wallets` is what everybody should have of the token, 6 decimals.
    """

    def __init__(self, chain: Chain, now: int) -> None:
        self.chain, self.now = chain, now
        self.agreement = Agreement()
        self.transactions: Counter[str] = Counter()
        self.gas = 0
        self.wallets: dict[str, int] = {}
        self._sent: list[Sent] = []

    def act(
        self,
        contract: Contract,
        function: str,
        *arguments: Any,
        sender: str,
        mirror: Callable[[], Any],
        tells: Sequence[tuple[Contract, Teller]],
        value: int = 0,
    ) -> MarketError | None:
        """Does an action in the mirror and puts it into the next block; what the mirror refuses it with, if it does.

        `tells` are the contracts that may emit events, each with its mirror.
        """
        refused = None
        for _, teller in tells:
            teller.events = []
        try:
            mirror()
        except MarketError as error:
            refused = error
        transaction = contract.submit(function, *arguments, sender=sender, value=value)
        told = [(each, teller.events or []) for each, teller in tells]
        self._sent.append(Sent(transaction, function, arguments, sender, refused, told))
        self.transactions[function] += 1
        return refused

    def mine(self) -> list[tuple[str, Event]]:
        """Makes the block; returns what was emitted in it, with the addresses. Raises MismatchError."""
        receipts = self.chain.mine(self.now)
        sent, self._sent = self._sent, []
        if [receipt.hash for receipt in receipts] != [each.hash for each in sent]:
            raise DemoError(f"{len(sent)} transactions were sent, the block at {self.now} has {len(receipts)}")
        return [event for pair in zip(receipts, sent, strict=True) for event in self._check(*pair)]

    def _check(self, receipt: Receipt, sent: Sent) -> list[tuple[str, Event]]:
        """Compares what became of a transaction; returns what was emitted."""
        self.gas += receipt.gas_used
        if not receipt.succeeded:
            reverted = self.chain.why(sent.hash)
            refused = sent.refused
            if refused is None or (type(refused).__name__, refused.args) != (reverted.name, reverted.values):
                raise MismatchError(f"{sent}: chain {reverted}, mirror {refused or 'accepts'}")
            self.agreement.refusals += 1
            return []
        if sent.refused is not None:
            raise MismatchError(f"{sent}: chain accepts, mirror {sent.refused}")
        found = []
        for contract, expected in sent.told:
            events = [_readable(event) for event in contract.events(receipt) if event[0] not in UNTOLD]
            self._compare(sent, events, expected)
            found += [(contract.address, event) for event in events]
        return found

    def _compare(self, sent: Sent, events: list[Event], expected: list[Event]) -> None:
        if [name for name, _ in events] != [name for name, _ in expected]:
            raise MismatchError(f"{sent}: chain emits {events}, mirror {expected}")
        for (name, values), (_, mirrored) in zip(events, expected, strict=True):
            self.agreement.compare(f"{name} of {sent}", values, mirrored)
        self.agreement.events += len(events)


def _readable(event: Event) -> Event:
    """An event; where it carries a refusal as bytes, with the error's name and values in their place."""
    name, values = event
    if name != "OrderRefused":
        return event
    error = decode_error(values[1])
    return name, (values[0], (error.name, *error.values))


def _flat(value: Any) -> Iterable[Any]:
    """The values of a struct, of the chain (tuples) or of the mirror (dataclasses), one after the other."""
    if isinstance(value, (tuple, list)):
        for part in value:
            yield from _flat(part)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from _flat(getattr(value, name))
    else:
        yield value
