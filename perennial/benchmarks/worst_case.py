"""The dearest settle that the caps on pending versions allow, and the largest caps that would fit into a transaction.

`make caps` measures both on Anvil and writes benchmarks/caps.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial import parameters
from perennial.amounts import raw
from perennial.benchmarks.bench import Bench
from perennial.benchmarks.flows import FLOWS
from perennial.benchmarks.gas import FOLDER
from perennial.local import FREE, STEP, connected

if TYPE_CHECKING:
    from perennial.deploy import Deployment

#: Gas that Base allows a transaction (2026).
LIMIT = 16_777_216


class WorstCase(Bench):
    """A market where every version and every order costs all that it can.

    It has a payoff to ask for every price and rewards on three sides. A long with an order and a fill in each of its
    versions, of another referrer each, is liquidated beyond the caps and cannot pay: donation and shortfall change. The
    settlement fee was changed after the orders, so that the fee of each has to be looked up; the protocol fee was
    changed, so that fees are split on the way.
    """

    @classmethod
    def terms(cls, protocol: Deployment) -> dict[str, Any]:
        """Live parameters, but for what makes settlement dearer and the scene possible."""
        terms = super().terms(protocol)
        # A root, the dearest power, scaled so that the price stays about what it was.
        root = protocol.payoff_factory.create(1, 245 * 10**18, False, sender=protocol.owner, **FREE)
        reward = protocol.owner.deploy(_project().MockToken, "Mock Reward", "mREW", 18, **FREE)
        rates = dict.fromkeys(("makerRewardRate", "longRewardRate", "shortRewardRate"), raw("0.01"))
        parameter = terms["parameter"] | rates | {"riskFee": raw("0.9"), "referralFee": raw("0.1")}
        # The backlog is longer than the live market's minute.
        risk = terms["risk"] | {"staleAfter": 3_600}
        return {"risk": risk, "parameter": parameter, "reward": reward, "payoff": root.return_value}

    def queue(self, market: int, account: int) -> None:
        """A long has `account` versions to settle in a market with `market`, one of each by a liquidation."""
        self.update(self.trader, collateral=raw(100_000))
        versions = []
        for index in range(account - 1):
            self.fill("0.01", self.trader)
            versions.append(self._order(self.long, index))
        versions += [self._order((self.maker, self.short)[index % 2], index) for index in range(market - account)]
        self._liquidate(versions[0] if versions else self.current)
        versions.append(self.next())
        self._change_fees()
        for version in versions:
            self.commit_late(version, self.price)
        self.expect(self.long, market, account)

    def _order(self, actor: Any, index: int) -> int:
        referrer = f"0x{0xBEEF0000 + index:040x}"
        size = raw("0.01")
        maker, taker = {self.maker: (size, 0), self.long: (0, size), self.short: (0, -size)}[actor]
        self.market.update(actor, maker, taker, 0, referrer, sender=actor, **FREE)
        return self.next()

    def _liquidate(self, first: int) -> None:
        """The price falls to a quarter, its root to half, before the first pending version."""
        self.price //= 4
        self.oracle.commit(first - STEP // 2, self.price, sender=self.owner, **FREE)
        self.market.liquidate(self.long, sender=self.keeper, **FREE)

    def _change_fees(self) -> None:
        odd = self.parameter | {"settlementFee": self.parameter["settlementFee"] - 1}
        self.market.updateParameter(odd, sender=self.owner, **FREE)
        shared = parameters.live_protocol() | {"protocolFee": raw("0.05")}
        self.protocol.market_factory.updateParameter(shared, sender=self.owner, **FREE)


@dataclass(frozen=True)
class Costs:
    """Gas of a settle: at the deployed caps, and by version of the market and of the account."""

    at_caps: int
    base: int
    market_version: int
    account_version: int

    def largest(self, local: int | None = None) -> int:
        """The largest maxPendingGlobal whose backlog fits into a transaction; maxPendingLocal is `local`, or the same.

        A liquidation may add one version to each.
        """
        if local is None:
            return (LIMIT - self.base) // (self.market_version + self.account_version) - 1
        return (LIMIT - self.base - (local + 1) * self.account_version) // self.market_version - 1


def worst() -> Costs:
    """Measures the worst case; needs a connection."""
    bench = WorstCase.deploy()
    market, account = bench.parameter["maxPendingGlobal"] + 1, bench.parameter["maxPendingLocal"] + 1
    gas = {}
    for size in ((market, account), (market, 1), (2, 1)):
        with bench.copy() as copy:
            copy.queue(*size)
            gas[size] = copy.settle(copy.long).gas_used
    by_account = -((gas[market, 1] - gas[market, account]) // (account - 1))
    by_market = -((gas[2, 1] - gas[market, 1]) // (market - 2))
    return Costs(gas[market, account], gas[2, 1] - 2 * by_market - by_account, by_market, by_account)


def largest(one: int, further: int) -> int:
    """The largest cap whose backlog fits, where the first version costs `one` in all and each further one `further`.

    A liquidation may add a version beyond the cap: the first one.
    """
    return (LIMIT - one) // further


def ordinary() -> tuple[int, int]:
    """Gas of the flows settle_one and settle_marginal; needs a connection."""
    bench = Bench.deploy()
    gas = {}
    for name in ("settle_one", "settle_marginal"):
        with bench.copy() as copy:
            gas[name] = FLOWS[name](copy).gas
    return gas["settle_one"], gas["settle_marginal"]


def document(costs: Costs, one: int, marginal: int) -> str:
    """benchmarks/caps.md."""
    parameter = parameters.live_market()[1]
    market, account = parameter["maxPendingGlobal"], parameter["maxPendingLocal"]
    rows = [
        (f"worst settle at the live caps ({market} and {account}), one liquidation beyond", costs.at_caps),
        ("- each further version of the market", costs.market_version),
        ("- each further version of the account", costs.account_version),
        ("- largest caps that fit, both the same", costs.largest()),
        (f"- largest cap of the market that fits, the account's left at {account}", costs.largest(account)),
        ("ordinary settle of one version (`settle_one`)", one),
        ("- each further one of market and account (`settle_marginal`)", marginal),
        ("- largest caps that fit, both the same", largest(one, marginal)),
    ]
    return "\n".join(
        [
            "# Pending versions: what a transaction can settle",
            "",
            f"Written by `make caps`, measured on Anvil against Base's limit of {LIMIT:,} gas. The worst case has",
            "a payoff, rewards, a fill beside each order, another referrer for each, a liquidation that the account",
            "cannot pay, and changed fees (`perennial/benchmarks/worst_case.py`). `advance` settles a backlog of any",
            "length in pieces.",
            "",
            "| | |",
            "| --- | ---: |",
            *(f"| {what} | {number:,} |" for what, number in rows),
            "",
        ]
    )


def main() -> None:
    """Measures both, writes and prints the document."""
    with connected():
        costs = worst()
    with connected():
        one, marginal = ordinary()
    text = document(costs, one, marginal)
    (FOLDER / "caps.md").write_text(text)
    print(text)


def _project() -> Any:
    import ape

    return ape.project


if __name__ == "__main__":
    main()
