"""The charts of a run, one under the other on one time axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape

from perennial.demo.outcome import Liquidation, Outcome, Sample
from perennial.demo.page.axes import INNER, LEFT, RIGHT, WIDTH, Times, Values, span
from perennial.demo.text import fixed, leverage, moment

Format = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One line or area. `key` names it to the script, `style` to the stylesheet.

    Without a key its numbers are not told, without a label it has no place in the legend. `base` is where an area ends,
    `shown` are the numbers to tell where they are not those that are drawn, `suffix` follows them.
    """

    key: str
    label: str
    style: str
    values: Sequence[float]
    area: bool = False
    line: bool = True
    base: Sequence[float] | None = None
    shown: Sequence[float] | None = None
    decimals: int = 1
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: what its axis means, its series, how its ticks read (so many, or these).

    `marks` draws what belongs to this chart alone, `extra` are its entries in the legend, by style and label.
    """

    title: str
    unit: str
    height: int
    series: Sequence[Series]
    domain: tuple[float, float]
    format: Format
    ticks: int | Sequence[float] = 4
    marks: Callable[[Times, Values], str] = lambda *_: ""
    extra: Sequence[tuple[str, str]] = field(default=())


def panels(outcome: Outcome) -> list[Panel]:
    """The charts from top to bottom."""
    samples = outcome.samples
    coin = outcome.options.listing.unit
    return [
        _price(outcome),
        _open_interest(samples, coin),
        _rate("Skew", "of the larger side", 90, [s.skew for s in samples], 100, ("more longs", "more shorts")),
        _rate(
            "Funding rate",
            "a year",
            124,
            [s.funding_rate for s in samples],
            max(abs(s.funding_rate) for s in samples) / 1e4 or 1,
            ("longs pay shorts", "shorts pay longs"),
        ),
        _share("Utilization", "of makers' liquidity", "utilization", [s.utilization for s in samples], (0, 50, 100)),
        _share("Interest rate", "a year, takers to makers", "interest", [s.interest_rate for s in samples], 3),
        _equity(outcome),
        _results(outcome),
    ]


def draw(panel: Panel, times: Times, *, dates: bool) -> str:
    """A chart as an HTML figure; `dates` below it where asked for."""
    bottom = panel.height - (22 if dates else 6)
    values = Values(*panel.domain, 6, bottom)
    keys = "".join(map(_key, panel.series))
    keys += "".join(f'<span class="key {style}"><i></i>{escape(label)}</span>' for style, label in panel.extra)
    body = _grid(panel, times, values, dates=dates)
    body += "".join(_area(each, values) for each in panel.series if each.area)
    body += "".join(_line(each, values) for each in panel.series if each.line)
    body += panel.marks(times, values)
    return (
        f"<figure><figcaption><strong>{escape(panel.title)}</strong> <small>{escape(panel.unit)}</small>{keys}"
        f'</figcaption><svg viewBox="0 0 {WIDTH} {panel.height}" role="img" aria-label="{escape(panel.title)}">'
        f'{body}<line class="cursor" y1="0" y2="{bottom}"/></svg></figure>'
    )


def _key(series: Series) -> str:
    """The legend of a series, with a place for its number under the pointer."""
    swatch = f"<i></i>{escape(series.label)}" if series.label else ""
    place = f'<b data-key="{series.key}" data-decimals="{series.decimals}" data-suffix="{series.suffix}"></b>'
    return f'<span class="key {series.style}">{swatch} {place if series.key else ""}</span>'


# -- The charts --------------------------------------------------------------------------------------------------------


def _price(outcome: Outcome) -> Panel:
    prices = [sample.price / 1e6 for sample in outcome.samples]
    domain = span([prices])
    extremes = [choose(outcome.samples, key=lambda each: each.price) for choose in (min, max)]

    def marks(times: Times, values: Values) -> str:
        drawn = [_liquidation(each, times, values) for each in outcome.liquidations]
        return "".join(drawn + [_extreme(sample, times, values) for sample in extremes])

    return Panel(
        "Price",
        f"USD, {outcome.price_source}",
        260,
        [Series("price", "price", "price", prices, area=True, base=[domain[0]] * len(prices), decimals=2)],
        domain,
        lambda value: f"{value:,.0f}",
        marks=marks,
        extra=(
            ("liquidation long", "long liquidated"),
            ("liquidation short", "short liquidated"),
            ("debt", "left a debt"),
        )
        if outcome.liquidations
        else (),
    )


def _open_interest(samples: Sequence[Sample], coin: str) -> Panel:
    longs = [sample.long / 1e6 for sample in samples]
    shorts = [-sample.short / 1e6 for sample in samples]
    makers = [sample.maker / 1e6 for sample in samples]
    net = [a + b for a, b in zip(longs, shorts, strict=True)]
    return Panel(
        "Open interest",
        coin,
        200,
        [
            Series("long", "long", "long", longs, area=True),
            Series("short", "short", "short", shorts, area=True, shown=[-short for short in shorts]),
            Series("net", "long - short", "net", net),
            Series("maker", "makers", "maker", makers),
        ],
        span([longs, shorts, makers], zero=True),
        lambda value: f"{abs(value):,.0f}",
    )


def _rate(title: str, unit: str, height: int, raw: Sequence[int], bound: float, sides: tuple[str, str]) -> Panel:
    """A rate that has a direction, from `-bound` to `bound` percent: one colour above zero, another one below."""
    values = [value / 1e4 for value in raw]
    # Two areas, so that each has its colour; the line is whole.
    up, down = [max(value, 0.0) for value in values], [min(value, 0.0) for value in values]
    return Panel(
        title,
        unit,
        height,
        [
            Series(title, "", "plain", values, suffix=" %"),
            Series("", sides[0], "long", up, area=True, line=False),
            Series("", sides[1], "short", down, area=True, line=False),
        ],
        (-bound * 1.06, bound * 1.06),
        lambda value: f"{_signed(value)} %",
        ticks=(-bound, 0, bound),
    )


def _share(title: str, unit: str, key: str, raw: Sequence[int], ticks: int | Sequence[float]) -> Panel:
    values = [value / 1e4 for value in raw]
    return Panel(
        title,
        unit,
        88,
        [Series(title, "", key, values, area=True, suffix=" %")],
        (0, 106) if key == "utilization" else span([values], zero=True),
        lambda value: f"{value:,.0f} %",
        ticks=ticks,
    )


def _signed(value: float) -> str:
    return f"{value:+,.0f}" if value else "0"


def _makers(outcome: Outcome) -> list[tuple[str, str]]:
    """Name and style of each maker."""
    makers = [actor for actor in outcome.actors if actor.kind == "maker"]
    return [(f"{maker.name}, {leverage(maker.leverage)}", f"m{index % 4}") for index, maker in enumerate(makers)]


def _equity(outcome: Outcome) -> Panel:
    """What makers have, one on top of the other."""
    below = [0.0] * len(outcome.samples)
    series = []
    for index, (name, style) in enumerate(_makers(outcome)):
        own = [sample.equities[index] / 1e9 for sample in outcome.samples]
        top = [a + b for a, b in zip(below, own, strict=True)]
        series.append(Series(f"equity{index}", name, style, top, area=True, base=below, shown=own))
        below = top
    total = span([below], zero=True)
    return Panel("Makers' equity", "thousand USD, stacked", 150, series, total, lambda value: f"{value:,.0f}", ticks=3)


def _results(outcome: Outcome) -> Panel:
    """What each maker has made."""
    series = [
        Series(f"result{index}", name, style, [sample.results[index] / 1e9 for sample in outcome.samples])
        for index, (name, style) in enumerate(_makers(outcome))
    ]
    domain = span([each.values for each in series], zero=True)
    return Panel("Makers' result", "thousand USD since the start", 172, series, domain, _signed)


# -- Drawing -----------------------------------------------------------------------------------------------------------


def _grid(panel: Panel, times: Times, values: Values, *, dates: bool) -> str:
    parts = []
    for tick in times.ticks():
        x = times.x(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{values.bottom}"/>')
        if dates:
            anchor = "start" if x < LEFT + 20 else "end" if x > WIDTH - RIGHT - 20 else "middle"
            y = values.bottom + 16
            parts.append(f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{times.label(tick)}</text>')
    for value in values.ticks(panel.ticks) if isinstance(panel.ticks, int) else panel.ticks:
        y = values.y(value)
        style = "zero" if value == 0 else "grid"
        parts.append(f'<line class="{style}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = escape(panel.format(value))
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    return "".join(parts)


def _points(values: Sequence[float], axis: Values) -> list[str]:
    """Points of a line, without those in the middle of a level stretch."""
    last = len(values) - 1
    heights = [f"{axis.y(value):.1f}" for value in values]
    return [
        f"{LEFT + INNER * index / last:.1f},{height}"
        for index, height in enumerate(heights)
        if index in (0, last) or not heights[index - 1] == height == heights[index + 1]
    ]


def _line(series: Series, axis: Values) -> str:
    return f'<polyline class="line {series.style}" points="{" ".join(_points(series.values, axis))}"/>'


def _area(series: Series, axis: Values) -> str:
    base = series.base or [0.0] * len(series.values)
    points = _points(series.values, axis) + _points(base, axis)[::-1]
    return f'<polygon class="area {series.style}" points="{" ".join(points)}"/>'


def _extreme(sample: Sample, times: Times, values: Values) -> str:
    """The highest or the lowest price, by its number."""
    x, y = times.x(sample.timestamp), values.y(sample.price / 1e6)
    right = x > WIDTH / 2
    anchor, shift = ("end", -8) if right else ("start", 8)
    return (
        f'<circle class="extreme" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        f'<text class="extreme" x="{x + shift:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">'
        f"{fixed(sample.price, 0)}</text>"
    )


def _liquidation(each: Liquidation, times: Times, values: Values) -> str:
    """A triangle that points where the price went, with a ring where the account came to owe the market."""
    x, y = times.x(each.timestamp), values.y(each.price / 1e6)
    down = each.side == "long"
    # Clear of the line: what fell is marked below it.
    y += 13 if down else -13
    tip, back = (6, -5) if down else (-6, 5)
    ring = f'<circle class="debt" cx="{x:.1f}" cy="{y:.1f}" r="10"/>' if each.left < 0 else ""
    told = (
        f"{each.account}, {each.side} of {fixed(each.closed, 3)}, {moment(each.timestamp)}: "
        f"fee {fixed(each.fee)}, of it from the donation {fixed(each.from_donation)}, left {fixed(each.left)} USD"
    )
    return (
        f'<path class="liquidation {each.side}" d="M{x:.1f},{y + tip:.1f} l-6,{back - tip} h12 z">'
        f"<title>{escape(told)}</title></path>{ring}"
    )
