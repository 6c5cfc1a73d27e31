"""The results of a run with a vault as tables, for the terminal and for the page alike."""

from dataclasses import fields

from perennial.demo.outcome import ActorResult
from perennial.demo.tables import Table
from perennial.demo.text import count, fixed, moment
from perennial.demo.vaults.outcome import Epoch, VaultOutcome
from perennial.mirror.fixed import UNIT
from perennial.mirror.ledger import Ledger

SHARE = 10**6
"""Decimals that shares have beyond the token's 6."""

LONGEST = 24
"""Epochs that the table shows at most: those with requests; of more, the first and the last."""


def all_tables(outcome: VaultOutcome) -> list[Table]:
    """Everything that there is to tell."""
    return [
        depositors(outcome),
        markets(outcome),
        epochs(outcome),
        zero_sum(outcome),
        books(outcome),
        *(actors(outcome, index) for index in range(len(outcome.names))),
        agreement(outcome),
    ]


def depositors(outcome: VaultOutcome) -> Table:
    """What became of everybody's money in the vault."""
    rows = [
        (each.name, fixed(each.paid_in), fixed(each.taken_out), fixed(each.result), _rate(each.result, each.paid_in))
        for each in (*outcome.depositors, outcome.coordinator)
    ]
    paid_in, out = outcome.books.paid_in, outcome.books.paid_out
    total = ("together", fixed(paid_in), fixed(out), fixed(out - paid_in), _rate(out - paid_in, paid_in))
    return Table(
        "Depositors",
        "USD, by the chain's tokens. All have left at the end; who came twice has paid in twice.",
        ("", "paid in", "taken out", "result", "of what was paid in"),
        [*rows, total],
        total=True,
    )


def markets(outcome: VaultOutcome) -> Table:
    """What the vault made in each market, by origin."""
    ledgers = [_vault(market.actors).ledger for market in outcome.markets]
    together = Ledger(*(sum(getattr(ledger, each.name) for ledger in ledgers) for each in fields(Ledger)))
    names = (*outcome.names, "together")
    return Table(
        "The vault's result by market",
        "USD. Makers take the other side of whatever takers hold too much of: PnL is what that cost or brought; fees, "
        "funding and interest are what takers paid for it.",
        ("", "PnL", "funding", "interest", "fees of takers", "own fees", "rounding", "result"),
        [_ledger(name, ledger) for name, ledger in zip(names, (*ledgers, together), strict=True)],
        total=True,
    )


def epochs(outcome: VaultOutcome) -> Table:
    """Epochs with requests, and how they ended."""
    asked = [each for each in outcome.epochs if each.deposits or each.redeems]
    told = asked if len(asked) <= LONGEST else asked[: LONGEST // 2] + asked[-LONGEST // 2 :]
    rebalanced = sum(each.rebalanced for each in outcome.epochs)
    left_out = f" {len(asked) - len(told)} of them between are left out." if len(told) < len(asked) else ""
    return Table(
        "Epochs",
        f"{count(len(outcome.epochs), 'epoch')}, {rebalanced} of them closed to rebalance; here are those with "
        f"requests, each settled at the next price.{left_out}",
        ("closed", "epoch", "deposits", "redeemed shares", "share price", "minted shares", "paid"),
        [_epoch(each) for each in told],
    )


def zero_sum(outcome: VaultOutcome) -> Table:
    """All gains and losses, which come to nothing."""
    rows = [(name, fixed(value, 6)) for name, value in outcome.zero_sum]
    return Table(
        "Zero-sum",
        "What somebody gains, somebody pays, the vault's depositors included: to the micro-dollar.",
        ("", "USD"),
        [*rows, ("sum", fixed(sum(value for _, value in outcome.zero_sum), 6))],
        total=True,
    )


def books(outcome: VaultOutcome) -> Table:
    """The vault's tokens: where they came from, where they are."""
    settled = outcome.books
    tokens = [
        ("deposits", settled.paid_in),
        ("paid to those who left", -settled.paid_out),
        ("into markets", -settled.into_markets),
        ("out of markets", settled.out_of_markets),
        ("still in the vault", -settled.balance),
    ]
    made = [
        ("made in the markets, by tokens", settled.made),
        ("made in the markets, by ledgers", -settled.by_ledger),
    ]
    owed = sum(market.books.difference for market in outcome.markets)
    return Table(
        "The vault's books",
        f"Tokens of the chain against the mirror's ledgers. The books of the markets differ by {fixed(owed, 6)}.",
        ("", "USD"),
        [
            *((name, fixed(value, 6)) for name, value in tokens),
            ("difference", fixed(sum(value for _, value in tokens), 6)),
            *((name, fixed(value, 6)) for name, value in made),
            ("difference", fixed(sum(value for _, value in made), 6)),
        ],
        total=True,
    )


def actors(outcome: VaultOutcome, index: int) -> Table:
    """What became of everybody in one market."""
    found = outcome.markets[index]
    return Table(
        f"Accounts in {outcome.names[index]}",
        "USD. Fees: makers earn, takers pay, settlement fees included.",
        ("", "deposits", "PnL", "funding", "interest", "fees", "final", "result"),
        [_actor(each) for each in sorted(found.actors, key=lambda each: each.kind != "vault")],
    )


def agreement(outcome: VaultOutcome) -> Table:
    """The chain's numbers beside the mirror's."""
    agreed = outcome.agreement
    rows = [
        (name, fixed(chain, 6), fixed(mirror, 6), fixed(chain - mirror, 6)) for name, chain, mirror in outcome.pairs
    ]
    return Table(
        "Chain and mirror",
        f"At the last version, before everybody claims. In the whole run {agreed.numbers:,} numbers were compared, "
        f"{agreed.events:,} events among them, and {count(agreed.refusals, 'refusal')}.",
        ("", "chain", "mirror", "difference"),
        [*rows, ("largest difference of all numbers", "", "", fixed(agreed.largest_difference, 6))],
        total=True,
    )


# -- Inside ------------------------------------------------------------------------------------------------------------


def _vault(found: list[ActorResult]) -> ActorResult:
    return next(each for each in found if each.kind == "vault")


def _ledger(name: str, ledger: Ledger) -> tuple[str, ...]:
    own = ledger.position_fees + ledger.settlement_fees + ledger.liquidation_fee
    parts = (ledger.pnl + ledger.guarantees, ledger.funding, ledger.interest, ledger.maker_fees, own, ledger.rounding)
    return (name, *(fixed(part, scale=12) for part in (*parts, sum(parts))))


def _epoch(each: Epoch) -> tuple[str, ...]:
    return (
        moment(each.closed),
        f"{each.number}",
        fixed(each.deposits),
        fixed(each.redeems // SHARE),
        fixed(each.share_price, 6, scale=18),
        fixed(each.minted // SHARE),
        fixed(each.paid),
    )


def _actor(actor: ActorResult) -> tuple[str, ...]:
    ledger = actor.ledger
    fees = ledger.maker_fees + ledger.position_fees + ledger.settlement_fees
    parts = (ledger.pnl, ledger.funding, ledger.interest, fees)
    return (
        actor.name,
        fixed(actor.deposits),
        *(fixed(part, scale=12) for part in parts),
        fixed(actor.final),
        fixed(actor.net),
    )


def _rate(part: int, whole: int) -> str:
    return f"{fixed(part * 100 * UNIT // whole, 1)} %" if whole else ""
