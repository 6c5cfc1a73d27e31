"""The actors of a run: how many of each kind, with how much, at which leverage."""

from dataclasses import dataclass
from random import Random

from eth_utils.crypto import keccak

from perennial.demo import strategies
from perennial.demo.actors import Actor
from perennial.demo.options import Options
from perennial.demo.strategies import Maker, Reckless, Signal, Taker
from perennial.mirror.fixed import UNIT
from perennial.mirror.parameters import RiskParameter

Identity = tuple[str, str, str, int, int, Random]
"""Name, kind, address, stake, leverage, dice."""

MAKER_LEVERAGES = (1, 2, 3, 5)

TAKERS: tuple[tuple[str, int, Signal, tuple[int, int]], ...] = (
    ("trend", 3, strategies.trend(24), (3, 12)),
    ("carry", 4, strategies.carry, (2, 8)),
    ("holder", 2, strategies.holder, (12, 48)),
    ("hedger", 2, strategies.hedger, (12, 48)),
    ("swing", 5, strategies.swing, (4, 20)),
    ("contrarian", 2, strategies.contrarian(48), (4, 16)),
    ("trend", 5, strategies.trend(72), (4, 20)),
    ("carry", 3, strategies.carry, (3, 12)),
    ("swing", 4, strategies.swing, (4, 20)),
)
"""Kind, leverage, signal, hours between two looks at the market."""

RECKLESS_LEVERAGES = (30, 45, 60)

MAKERS_SHARE, TAKERS_SHARE, RECKLESS_SHARE = 80, 110, 2
"""Of the market's maker limit at the first price: what makers hold together, what takers hold together (some long, some
short), what each reckless one holds. Percent."""


def address_of(name: str) -> str:
    """An address for a name."""
    return "0x" + keccak(text=f"perennial demo {name}")[-20:].hex()


@dataclass(frozen=True, slots=True)
class Casting:
    """How many actors, how they are called before their kind, and what makers and takers hold together.

    Percent of the market's maker limit.
    """

    actors: int
    prefix: str = ""
    makers: int = MAKERS_SHARE
    takers: int = TAKERS_SHARE


def cast(options: Options, risk: RiskParameter, price: int, casting: Casting | None = None) -> list[Actor]:
    """The actors of a run: makers first, the reckless last; sizes follow from the market's limit and first price."""
    casting = casting or Casting(options.actors)
    reckless = max(1, casting.actors * 3 // 16)
    makers = max(1, casting.actors // 4)
    takers = casting.actors - makers - reckless
    caution = options.listing.caution
    limit = risk.maker_limit * price // UNIT
    actors: list[Actor] = []

    def identity(kind: str, leverage: int, notional: int) -> Identity:
        number = sum(actor.kind == kind for actor in actors) + 1
        name = f"{casting.prefix}{kind} {number}"
        dice = Random(f"{options.seed} {name}")
        return name, kind, address_of(name), notional * caution // leverage, leverage * UNIT // caution, dice

    for index in range(makers):
        leverage = MAKER_LEVERAGES[index % len(MAKER_LEVERAGES)]
        actors.append(Maker(*identity("maker", leverage, limit * casting.makers // 100 // makers)))
    for index in range(takers):
        kind, leverage, signal, pause = TAKERS[index % len(TAKERS)]
        who = identity(kind, leverage, limit * casting.takers // 100 // takers)
        actors.append(Taker(*who, signal=signal, pause=pause))
    for index in range(reckless if options.reckless else 0):
        leverage = RECKLESS_LEVERAGES[index % len(RECKLESS_LEVERAGES)]
        actors.append(Reckless(*identity("reckless", leverage, limit * RECKLESS_SHARE // 100)))
    for actor in actors:
        actor.highest //= caution
    return actors
