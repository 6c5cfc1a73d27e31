"""Signs intents of a bench's actors and has them filled."""

from dataclasses import dataclass
from typing import Any

from perennial.intents import Domain, Intent, sign
from perennial.testing.anvil import Receipt
from perennial.testing.market import MarketBench, amount

LATER = 2**40


@dataclass(frozen=True)
class Desk:
    """Where intents for a bench's market are signed and filled. Amounts are decimal text or integers of 6 decimals."""

    bench: MarketBench
    domain: Domain

    def signed(
        self, account: Any, size: str, price: str = "100", *, key: Any = None, **changes: Any
    ) -> tuple[Any, bytes]:
        """An intent of the account, as the market takes it, and its signature: by the account, or another key."""
        terms = {"market": self.bench.market.address, "account": account.address, "expiry": LATER, **changes}
        intent = Intent.build(amount=size, price=price, **terms)
        return intent.to_abi(), sign(intent, self.domain, key or account, contract_wallet=key is not None)

    def fill(
        self,
        by: Any,
        filler: Any,
        size: str,
        price: str = "100",
        *,
        part: str | None = None,
        at: str | None = None,
        sender: Any = None,
        **changes: Any,
    ) -> Receipt:
        """The filler takes the other side of an intent by `by`: `part` of it, `at` another price than signed."""
        intent, signature = self.signed(by, size, price, **changes)
        terms = amount(part or size), amount(at or price), filler
        receipt: Receipt = self.bench.market.fill(intent, signature, *terms, sender=sender or filler)
        return receipt

    def cross(self, a: Any, b: Any, size: str, price: str = "100", *, sender: Any = None, **changes: Any) -> Receipt:
        """The keeper crosses an intent of `a` with the opposite one of `b`."""
        opposite = -amount(size)
        first = self.signed(a, size, price, **changes)
        text = f"{'-' if opposite < 0 else ''}{abs(opposite) // 10**6}.{abs(opposite) % 10**6:06d}"
        second = self.signed(b, text, price, **changes)
        terms = amount(size), amount(price)
        receipt: Receipt = self.bench.market.cross(*first, *second, *terms, sender=sender or self.bench.keeper)
        return receipt
