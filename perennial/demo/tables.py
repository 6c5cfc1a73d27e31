"""The results as tables, for the terminal and for the page alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from perennial.demo.outcome import ActorResult, Liquidation, Outcome
from perennial.demo.text import count, fixed, leverage, moment
from perennial.mirror.fixed import UNIT
from perennial.mirror.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a sentence on what it says, columns (the first `texts` of them are words), rows.

    The last row is a sum where `total` says so.
    """

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    total: bool = False


def all_tables(outcome: Outcome, *, brief: bool = False) -> list[Table]:
    """Everything that there is to tell; who owes what where somebody does. `brief` ones fit into 80 columns."""
    tables = [accounts(outcome, brief=brief)]
    if outcome.liquidations:
        tables.append(liquidations(outcome))
    tables += [keepers(outcome), market(outcome)]
    if any(actor.left for actor in outcome.actors):
        tables.append(debts(outcome))
    return [*tables, zero_sum(outcome), books(outcome), agreement(outcome)]


def accounts(outcome: Outcome, *, brief: bool = False) -> Table:
    """What became of everybody's money; briefly, in whole dollars."""
    together = ActorResult("together", "", 0, _sum(actor.ledger for actor in outcome.actors), _left(outcome))
    geared = ("",) if brief else ("", "leverage")
    liquidation = "liq." if brief else "liquidation"
    return Table(
        "Accounts",
        "USD. Final: what was withdrawn, less what is owed. Fees: makers earn, takers pay, settlement fees included.",
        (*geared, "deposits", "PnL", "funding", "interest", "fees", liquidation, "final", "result"),
        [_account(actor, brief=brief) for actor in (*outcome.actors, together)],
        texts=len(geared),
        total=True,
    )


def market(outcome: Outcome) -> Table:
    """What the market did and collected."""
    total = _sum(actor.ledger for actor in outcome.actors)
    orders = ", ".join(f"{number:,} {kind}" for kind, number in sorted(outcome.orders.items()))
    rows = [
        ("volume of orders", outcome.volume * UNIT),
        ("position fees", -total.position_fees),
        ("of them to makers", total.maker_fees),
        ("of them kept by the market", -total.position_fees - total.maker_fees),
        ("kept of funding", -total.funding),
        ("kept of interest", -total.interest),
        ("settlement fees, to keepers", -total.settlement_fees),
        ("liquidation fees, to keepers", sum(each.fee for each in outcome.liquidations) * UNIT),
        ("of them from the donation", sum(each.from_donation for each in outcome.liquidations) * UNIT),
        *((fee.role, (fee.paid + fee.owed) * UNIT) for fee in outcome.fees),
        ("shortfall", outcome.books.shortfall * UNIT),
    ]
    return Table(
        "The market", f"Orders: {orders}.", ("", "USD"), [(name, fixed(value, scale=12)) for name, value in rows]
    )


def liquidations(outcome: Outcome) -> Table:
    """Each liquidation and how it ended."""
    return Table(
        "Liquidations",
        "Called at the latest price, closed at the next. Left: what the account had then. The donation pays the fee "
        "where the account cannot.",
        ("called", "account", "side", "size", "price", "fee", "donation", "left"),
        [_liquidation(each) for each in outcome.liquidations],
        texts=3,
    )


def debts(outcome: Outcome) -> Table:
    """Who owes the market, and whom the market therefore cannot pay."""
    rows = [("owes the market", actor.name, fixed(-actor.left, 6)) for actor in outcome.actors if actor.left < 0]
    rows += [("is owed by the market", actor.name, fixed(actor.left, 6)) for actor in outcome.actors if actor.left > 0]
    rows += [("is owed by the market", fee.role, fixed(fee.owed, 6)) for fee in outcome.fees if fee.owed]
    return Table(
        "Who owes what",
        "A claim that the market cannot pay in full is refused and stays owed, until debtors repay.",
        ("", "", "USD"),
        [*rows, ("is in the market", "tokens", fixed(outcome.books.balance, 6))],
        texts=2,
    )


def keepers(outcome: Outcome) -> Table:
    """What keepers did and were paid."""
    return Table(
        "Keepers",
        "Settlement fees go to who committed the version, liquidation fees to who liquidated.",
        ("", "commits", "settled", "liquidated", "settlement fees", "liquidation fees", "paid"),
        [
            (
                keeper.name,
                f"{keeper.commits:,}",
                f"{keeper.settlements:,}",
                f"{keeper.liquidations:,}",
                fixed(keeper.settlement_fees),
                fixed(keeper.liquidation_fees),
                fixed(keeper.earned),
            )
            for keeper in outcome.keepers
        ],
    )


def zero_sum(outcome: Outcome) -> Table:
    """All gains and losses, which come to nothing."""
    total = _sum(actor.ledger for actor in outcome.actors)
    roles = sum(fee.paid + fee.owed for fee in outcome.fees)
    keepers_paid = sum(keeper.earned for keeper in outcome.keepers)
    settled = outcome.books
    parts = [
        ("accounts: PnL", total.pnl),
        ("accounts: funding", total.funding),
        ("accounts: interest", total.interest),
        ("accounts: position fees, less what makers got", total.position_fees + total.maker_fees),
        ("accounts: settlement fees", total.settlement_fees),
        ("accounts: liquidation fees", total.liquidation_fee),
        ("accounts: rounded down", total.rounding),
        ("fees of protocol, oracle, risk and donation", roles * UNIT),
        ("keepers", (keepers_paid + settled.credits) * UNIT),
        ("rounding that stays in the market", settled.rounding * UNIT),
    ]
    return Table(
        "Zero-sum",
        "What somebody gains, somebody pays. Every rounding is against the account and stays in the market.",
        ("", "USD"),
        [
            *((name, fixed(value, 6, scale=12)) for name, value in parts),
            ("sum", fixed(sum(v for _, v in parts), 6, 12)),
        ],
        total=True,
    )


def books(outcome: Outcome) -> Table:
    """The tokens: where they came from, where they are."""
    settled = outcome.books
    rows = [
        ("deposited", settled.deposited),
        ("withdrawn", -settled.withdrawn),
        ("paid to keepers", -settled.paid_to_keepers),
        ("paid to protocol, risk and donation", -settled.paid_to_roles),
        ("still in the market", -settled.balance),
    ]
    check = [
        ("the market owes accounts and keepers", settled.owed_to_accounts),
        ("the market owes protocol, oracle, risk and donation", settled.owed_to_roles),
        ("accounts owe the market (shortfall)", -settled.shortfall),
        ("rounding, by the ledgers of all accounts", settled.by_ledger),
        ("tokens in the market", -settled.balance),
    ]
    return Table(
        "Books",
        f"Tokens of the chain, to the micro-dollar. Rounding may be {fixed(settled.rounding_bound, 6)} at most. "
        f"Accounts rebuilt from events alone differ from the chain's by {fixed(settled.by_events, 6)}.",
        ("", "USD"),
        [
            *((name, fixed(value, 6)) for name, value in rows),
            ("difference", fixed(sum(value for _, value in rows), 6)),
            *((name, fixed(value, 6)) for name, value in check),
            ("difference", fixed(sum(value for _, value in check), 6)),
        ],
        total=True,
    )


def agreement(outcome: Outcome) -> Table:
    """The chain's numbers beside the mirror's."""
    agreed = outcome.agreement
    rows = [
        (name, fixed(chain, 6), fixed(mirror, 6), fixed(chain - mirror, 6)) for name, chain, mirror in outcome.pairs
    ]
    return Table(
        "Chain and mirror",
        f"At the last version, before everybody withdraws. In the whole run {agreed.numbers:,} numbers were compared, "
        f"{agreed.events:,} events among them, and {count(agreed.refusals, 'refusal')}.",
        ("", "chain", "mirror", "difference"),
        [*rows, ("largest difference of all numbers", "", "", fixed(agreed.largest_difference, 6))],
        total=True,
    )


# -- Inside ------------------------------------------------------------------------------------------------------------


def _account(actor: ActorResult, *, brief: bool) -> tuple[str, ...]:
    ledger = actor.ledger
    decimals = 0 if brief else 2
    fees = ledger.maker_fees + ledger.position_fees + ledger.settlement_fees
    parts = (ledger.pnl, ledger.funding, ledger.interest, fees, ledger.liquidation_fee)
    return (
        actor.name,
        *(() if brief else (leverage(actor.leverage) if actor.leverage else "",)),
        fixed(actor.deposits, decimals),
        *(fixed(part, decimals, scale=12) for part in parts),
        fixed(actor.final, decimals),
        fixed(actor.net, decimals),
    )


def _liquidation(each: Liquidation) -> tuple[str, ...]:
    return (
        moment(each.timestamp),
        each.account,
        each.side,
        fixed(each.closed, 3),
        fixed(each.price),
        fixed(each.fee),
        fixed(each.from_donation),
        fixed(each.left),
    )


def _sum(ledgers: Iterable[Ledger]) -> Ledger:
    total = Ledger()
    for ledger in ledgers:
        for each in fields(Ledger):
            setattr(total, each.name, getattr(total, each.name) + getattr(ledger, each.name))
    return total


def _left(outcome: Outcome) -> int:
    return sum(actor.left for actor in outcome.actors)
