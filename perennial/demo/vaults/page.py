"""The picture of a run with a vault."""

from collections.abc import Sequence

from perennial.demo.page.axes import Times, Values, span
from perennial.demo.page.charts import Panel, Series
from perennial.demo.page.document import Page, write
from perennial.demo.text import count, day, fixed
from perennial.demo.vaults.outcome import PARTS, VaultOutcome, VaultSample
from perennial.demo.vaults.plan import LEVERAGES, LISTINGS, WEIGHTS
from perennial.demo.vaults.tables import all_tables
from perennial.prices import HOUR

_STYLES = ("m0", "m3", "m2")
"""Of the markets, and of what is idle."""


def render(outcome: VaultOutcome) -> str:
    """The whole page, which opens without a network."""
    options = outcome.options
    window = f"{day(options.start)} to {day(options.end)}"
    return write(
        Page(
            title=f"An LP vault over {' and '.join(outcome.names)}, {window}",
            lede=_lede(outcome),
            cards=_cards(outcome),
            hint=f"{window}, hour by hour. Point at a chart for its numbers.",
            panels=panels(outcome),
            tables=all_tables(outcome),
            footer=_footer(outcome),
            start=options.start,
            end=options.end,
            step=HOUR,
        )
    )


def panels(outcome: VaultOutcome) -> list[Panel]:
    """The charts from top to bottom."""
    samples = outcome.samples
    return [
        _share_price(outcome),
        _assets(samples, outcome.names),
        _holders(outcome),
        _origins(samples),
        _leverage(samples, outcome.names),
        *(_price(outcome, index) for index in range(len(outcome.names))),
    ]


def indexed(outcome: VaultOutcome) -> list[float]:
    """The price of a share, 100 when the first epoch settled; 100 before that."""
    first = next((each.share_price for each in outcome.epochs if each.settled), 1)
    began = next((each.settled for each in outcome.epochs if each.settled), outcome.options.end)
    return [100 * each.share_price / first if each.timestamp >= began - HOUR else 100.0 for each in outcome.samples]


def _lede(outcome: VaultOutcome) -> str:
    actors = sum(len(market.actors) - 1 for market in outcome.markets)
    return (
        f"{count(len(outcome.samples), 'hourly price')} of two markets through PythOracle, {actors} actors, "
        f"{count(len(outcome.depositors), 'depositor')}, {count(len(outcome.epochs), 'epoch')} of the vault, "
        f"{count(outcome.transactions, 'transaction')} on a local chain; every action went to the mirror as well."
    )


def _cards(outcome: VaultOutcome) -> list[tuple[str, str, str]]:
    """What to see first."""
    agreed, books = outcome.agreement, outcome.books
    total = sum(value for _, value in outcome.zero_sum)
    most = max(sample.assets for sample in outcome.samples)
    rebalanced = sum(each.rebalanced for each in outcome.epochs)
    return [
        (fixed(agreed.largest_difference, 0, 0), "chain minus mirror", f"largest of {agreed.numbers:,} numbers"),
        (fixed(total, 6), "USD sum of all gains", f"{len(outcome.zero_sum)} parties"),
        (fixed(books.paid_in, 0), "USD deposited in the vault", f"at most {fixed(most, 0)} at once"),
        (f"{indexed(outcome)[-1]:.1f}", "price of a share", "100 at the first epoch"),
        (str(len(outcome.epochs)), "epochs", f"{rebalanced} closed to rebalance"),
    ]


def _footer(outcome: VaultOutcome) -> str:
    parameters = "; ".join(
        f"{name} weight {weight}, leverage {leverage // 10**6}x"
        for name, weight, leverage in zip(outcome.names, WEIGHTS, LEVERAGES, strict=True)
    )
    changed = "; ".join(LISTINGS[0].changed)
    markets = zip(outcome.names, outcome.markets, strict=True)
    sources = "; ".join(f"{name}: {each.price_source}" for name, each in markets)
    return (
        f"The vault: {parameters}; a tenth of new profit is the coordinator's. Live parameters of both markets, "
        f"changed only: {changed}. Seed {outcome.options.seed}. Prices: {sources}, which those who follow trends see "
        "coming. Actors and their trades are made up. Times are UTC."
    )


# -- The charts --------------------------------------------------------------------------------------------------------


def _share_price(outcome: VaultOutcome) -> Panel:
    values = indexed(outcome)
    domain = span([[*values, 100.0]])
    start, end = outcome.options.start, outcome.options.end

    def marks(times: Times, axis: Values) -> str:
        drawn = []
        for each in outcome.epochs:
            if each.deposits or each.redeems:
                index = min(len(values) - 1, max(0, (each.closed - start) * (len(values) - 1) // (end - start)))
                style = "long" if each.deposits else "short"
                told = f"{fixed(each.deposits, 0)} USD in" if each.deposits else "shares redeemed"
                x, y = times.x(each.closed), axis.y(values[index])
                drawn.append(
                    f'<circle class="request {style}" cx="{x:.1f}" cy="{y:.1f}" r="4.5">'
                    f"<title>epoch {each.number}: {told}</title></circle>"
                )
        return "".join(drawn)

    return Panel(
        "Price of a share",
        "100 when the first epoch settled",
        230,
        [Series("share", "after all fees", "price", values, area=True, base=[domain[0]] * len(values), decimals=2)],
        domain,
        lambda value: f"{value:,.0f}",
        marks=marks,
        extra=(("request long", "deposits enter"), ("request short", "only redemptions")),
    )


def _assets(samples: Sequence[VaultSample], names: Sequence[str]) -> Panel:
    """Where the vault's money is, one market on top of the other."""
    rows = [[sample.equities[index] / 1e9 for sample in samples] for index in range(len(names))]
    idle = [sample.idle / 1e9 for sample in samples]
    return _stacked("Assets", [*zip(names, rows, strict=True), ("idle", idle)], "asset", _STYLES)


def _holders(outcome: VaultOutcome) -> Panel:
    """Whose it is, one depositor on top of the other."""
    rows = [
        (each.name, [sample.holdings[index] / 1e9 for sample in outcome.samples])
        for index, each in enumerate(outcome.depositors)
    ]
    return _stacked("Depositors", rows, "holder", [f"m{index}" for index in range(len(rows))])


def _stacked(title: str, rows: Sequence[tuple[str, list[float]]], key: str, styles: Sequence[str]) -> Panel:
    below = [0.0] * len(rows[0][1])
    series = []
    for index, (name, own) in enumerate(rows):
        top = [a + b for a, b in zip(below, own, strict=True)]
        series.append(Series(f"{key}{index}", name, styles[index], top, area=True, base=below, shown=own))
        below = top
    domain = span([below], zero=True)
    return Panel(title, "thousand USD, stacked", 170, series, domain, lambda value: f"{value:,.0f}", ticks=3)


def _origins(samples: Sequence[VaultSample]) -> Panel:
    """What the vault has made, by origin."""
    rows = [[sample.parts[index] / 1e9 for sample in samples] for index in range(len(PARTS))]
    styles = ("long", "interest", "utilization", "short", "plain")
    series = [
        Series(f"part{index}", name, style, row)
        for index, (name, style, row) in enumerate(zip(PARTS, styles, rows, strict=True))
    ]
    together = [sum(values) for values in zip(*rows, strict=True)]
    series.append(Series("made", "together", "net", together))
    domain = span([*rows, together], zero=True)
    return Panel("Result by origin", "thousand USD since the start", 200, series, domain, _signed)


def _signed(value: float) -> str:
    return f"{value:+,.0f}" if value else "0"


def _leverage(samples: Sequence[VaultSample], names: Sequence[str]) -> Panel:
    rows = [[sample.leverages[index] / 1e6 for sample in samples] for index in range(len(names))]
    series = [
        Series(
            f"leverage{index}", f"{name}, aimed at {leverage // 10**6}x", _STYLES[index], row, decimals=2, suffix="x"
        )
        for index, (name, leverage, row, style) in enumerate(zip(names, LEVERAGES, rows, _STYLES, strict=False))
    ]
    return Panel("Leverage", "size by collateral", 110, series, span(rows, zero=True), lambda v: f"{v:,.1f}x", ticks=3)


def _price(outcome: VaultOutcome, index: int) -> Panel:
    values = [sample.price / 1e6 for sample in outcome.markets[index].samples]
    domain = span([values])
    series = Series(f"price{index}", "", "price", values, area=True, base=[domain[0]] * len(values), decimals=2)
    return Panel(outcome.names[index], "USD", 110, [series], domain, lambda value: f"{value:,.0f}", ticks=3)
