"""Random play against a vault: depositors, its coordinator, strangers, and everything that happens in its markets.

A `VaultPlayer` draws every choice from one source of randomness, so that a game is its seed; in the markets it plays
as `perennial.testing.games.Player` does.
"""

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from perennial.mirror.fixed import UNIT
from perennial.mirror.quote import liquidation_prices
from perennial.mirror.vault import Vault
from perennial.mirror.vault_state import STUCK, VaultParameter
from perennial.testing.differential import ACTORS, Setup, address_of
from perennial.testing.games import PAYOFFS, Player, amount, fewest, parameter, protocol, risk
from perennial.testing.vault_differential import MANAGER, Step, TwinBench, VaultSetup, VaultTwin

if TYPE_CHECKING:
    from collections.abc import Callable

FORMS = ("deposit", "mint", "withdraw", "redeem")


def vault_parameter(rng: Random, decimals: int) -> VaultParameter:
    """Parameters of a vault within their bounds."""
    one = 10**decimals
    return VaultParameter(
        min_deposit=rng.choice((0, 0, one, 100 * one)),
        deposit_cap=rng.choice((2**96 - 1, 2**96 - 1, 10**6 * one)),
        profit_share=rng.choice((0, 100_000, 500_000, rng.randint(0, 500_000))),
        tolerance=rng.choice((10_000, 50_000, 100_000, 500_000)),
    )


def vault_setup(rng: Random) -> VaultSetup:
    """What a game starts with: one to three markets, mostly such that the vault can have a position."""
    bounds = protocol(rng, extreme=False)
    decimals, has_reward = rng.choice((6, 6, 8, 18)), rng.random() < 0.5
    count, spare = rng.choice((1, 2, 2, 3)), rng.choice((0, 0, 1))
    markets = []
    for _ in range(count + spare):
        terms = risk(rng, bounds)
        if rng.random() < 0.8:
            terms = replace(terms, stale_after=rng.choice((7_200, 100_000)))
        chosen = parameter(rng, bounds, has_reward)
        if rng.random() < 0.8:
            chosen = replace(chosen, closed=False, max_pending_global=12, max_pending_local=6)
        payoff = rng.choice(PAYOFFS) if rng.random() < 0.1 else None
        markets.append(Setup(bounds, terms, chosen, decimals, 18, has_reward, payoff))
    weights = tuple(rng.choice((1, 1, 2, 5)) if rng.random() < 0.95 else 0 for _ in markets)
    leverages = tuple(leverage(rng) for _ in markets)
    return VaultSetup(tuple(markets), weights, leverages, vault_parameter(rng, decimals), spare)


def leverage(rng: Random) -> int:
    """Notional by collateral, 6 decimals."""
    return rng.choice((UNIT // 10, UNIT, UNIT, 2 * UNIT, 5 * UNIT, 20 * UNIT, 100 * UNIT, rng.randint(1, 10 * UNIT)))


class VaultPlayer:
    """Makes one move after another in a game."""

    def __init__(self, twin: VaultTwin, rng: Random) -> None:
        self.twin, self.rng = twin, rng
        self.users = rng.sample(ACTORS, rng.randint(2, 5))
        self.players = [Player(market, rng) for market in twin.markets]
        self._moves: tuple[tuple[int, Callable[[], object]], ...] = (
            (14, self.request_deposit),
            (12, self.request_redeem),
            (12, self.cycle),
            (6, self.close),
            (6, self.settle),
            (4, self.rebalance),
            (14, self.claim),
            (3, self.claim_returned),
            (1, self.recall),
            (24, self.trade),
            (14, self.tick),
            (4, self.squeeze),
            (4, self.stuck),
            (3, self.share),
            (3, self.operate),
            (4, self.coordinate),
            (2, self.gift),
            (1, self.pause),
        )

    @property
    def vault(self) -> Vault:
        """The mirror of the vault."""
        return self.twin.mirror

    def start(self) -> None:
        """Prices and some makers in the markets, and mostly a first depositor."""
        for player in self.players:
            player.start()
        if self.rng.random() < 0.9:
            self.request_deposit()
            self.cycle()

    def move(self) -> None:
        """One move."""
        self.rng.choices([move for _, move in self._moves], weights=[weight for weight, _ in self._moves])[0]()

    # -- Choices ---------------------------------------------------------------------------------------------------

    def user(self) -> str:
        """A depositor."""
        return self.rng.choice(self.users)

    def other(self, name: str, chance: float = 0.08) -> str:
        """Mostly the same, now and then anybody."""
        return self.rng.choice(ACTORS) if self.rng.random() < chance else name

    def some(self, most: int) -> int:
        """A part of an amount: often all, now and then one too much or nothing."""
        rng = self.rng
        return rng.choice((most, most, most, most // 2, most // 3, amount(rng, 0, max(1, most)), 1, most + 1, 0))

    # -- Users -----------------------------------------------------------------------------------------------------

    def request_deposit(self) -> None:
        """Tokens come in, mostly enough for a position."""
        rng, owner = self.rng, self.user()
        one = 10**self.vault.decimals
        assets = amount(rng, max(1, self.vault.parameter.min_deposit), 10**6 * one)
        if rng.random() < 0.6:
            assets = rng.randint(10**3, 10**6) * one + rng.randint(0, one - 1)
        if rng.random() < 0.05:
            assets = rng.choice((0, 1, self.vault.parameter.min_deposit - 1, 2**96, 2**128)) % 2**129
        controller = "nobody" if rng.random() < 0.01 else self.other(owner)
        self.twin.act("request_deposit", max(0, assets), controller, owner, self.other(owner))

    def request_redeem(self) -> None:
        """Shares come back; who has none claims first."""
        rng, vault = self.rng, self.vault
        claimers = [name for name in ACTORS if vault.max_mint(address_of(name))]
        if claimers and rng.random() < 0.7:
            who = rng.choice(claimers)
            self.twin.act("claim", "mint", vault.max_mint(address_of(who)), who, who, who)
        holders = [name for name in ACTORS if vault.balance_of(address_of(name))]
        owner = rng.choice(holders) if holders and rng.random() < 0.95 else self.user()
        held = self.vault.balance_of(address_of(owner))
        controller = "nobody" if rng.random() < 0.01 else self.other(owner)
        self.twin.act("request_redeem", self.some(held), controller, owner, self.other(owner))

    def claim(self) -> None:
        """One of the four forms, mostly of what there is."""
        rng, form = self.rng, self.rng.choice(FORMS)
        views = {"deposit": "max_deposit", "mint": "max_mint", "withdraw": "max_withdraw", "redeem": "max_redeem"}
        users = [name for name in ACTORS if getattr(self.vault, views[form])(address_of(name))]
        who = rng.choice(users) if users and rng.random() < 0.95 else self.user()
        most = getattr(self.vault, views[form])(address_of(who))
        receiver = "nobody" if rng.random() < 0.01 else self.other(who, 0.2)
        self.twin.act("claim", form, self.some(most), receiver, who, self.other(who))

    def recall(self) -> None:
        """A deposit that waits is taken back."""
        epoch = self.vault.deposit_epoch
        users = [name for name in ACTORS if self.vault.pending_deposit_request(epoch, address_of(name))]
        who = self.rng.choice(users) if users and self.rng.random() < 0.9 else self.user()
        self.twin.act("recall_deposit", who, self.other(who, 0.2), self.other(who))

    def claim_returned(self) -> None:
        """What a stuck market has returned."""
        pockets = list(self.vault.pockets) or [1]
        pocket = self.rng.choice(pockets)
        users = [name for name in ACTORS if self.vault.units_of(pocket, address_of(name))]
        who = self.rng.choice(users) if users else self.user()
        self.twin.act("claim_returned", pocket, who, self.other(who, 0.2), self.other(who))

    def share(self) -> None:
        """Shares are tokens."""
        rng, owner, to = self.rng, self.user(), self.rng.choice((*ACTORS, "vault", "nobody"))
        held = self.vault.balance_of(address_of(owner))
        kind = rng.randint(0, 2)
        if kind == 0:
            self.twin.act("transfer", to, self.some(held), owner)
        elif kind == 1:
            self.twin.act("approve", rng.choice(ACTORS), rng.choice((self.some(held), 2**256 - 1)), owner)
        else:
            spenders = [who for of, who in self.vault.allowances if of == address_of(owner)]
            named = [name for name in ACTORS if address_of(name) in spenders] or [self.user()]
            spender = rng.choice(named)
            if rng.random() < 0.5:
                self.twin.act("transfer_from", owner, to, self.some(held), spender)
            else:
                self.twin.act("request_redeem", self.some(held), self.user(), owner, spender)

    def operate(self) -> None:
        """Operators come and go, and act."""
        rng, owner = self.rng, self.user()
        operator = rng.choice((*self.users, owner))
        if rng.random() < 0.6:
            self.twin.act("set_operator", operator, rng.random() < 0.8, owner)
        else:
            one = 10**self.vault.decimals
            self.twin.act("request_deposit", rng.randint(1, 10**5) * one, self.user(), owner, operator)

    # -- Epochs ----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Somebody closes the epoch."""
        self.twin.act("close_epoch", self.rng.choice(ACTORS))

    def settle(self) -> None:
        """Somebody settles."""
        self.twin.act("settle", self.rng.choice(ACTORS))

    def rebalance(self) -> None:
        """Somebody tries to rebalance."""
        self.twin.act("rebalance", self.rng.choice(ACTORS))

    def cycle(self) -> None:
        """An epoch as it should be: closed, priced, settled, and claimed by some."""
        for player in self.players:
            player.freshen()
        self.close()
        for player in self.players:
            player.tick()
        self.settle()
        for _ in range(self.rng.choice((0, 1, 2))):
            self.claim()

    def tick(self) -> None:
        """Time passes in some markets."""
        self.twin.act("wait", self.rng.choice((0, 1, 10, 600, 3_600)))
        for player in self.players:
            if self.rng.random() < 0.6:
                player.tick()

    # -- Markets ---------------------------------------------------------------------------------------------------

    def trade(self) -> None:
        """Something happens in a market."""
        self.rng.choice(self.players).move()

    def squeeze(self) -> None:
        """A price at which the vault's account can be liquidated, or just not."""
        rng, index = self.rng, self.rng.randrange(len(self.players))
        player = self.players[index]
        market = player.mirror
        if market.payoff is not None or market.factory.paused or not market.positions(self.vault.address).maker:
            player.tick()
            return
        prices = [price for price in liquidation_prices(market, self.vault.address, 1 - 10**17) if price is not None]
        prices = [price for price in prices if 0 < price < 100 * max(1, abs(market.price))]
        if not prices:
            player.tick()
            return
        price = min(prices, key=lambda one: abs(one - market.price))
        price = max(1, price + (price - market.price) // rng.choice((-100, 10, 20, 1_000)))
        latest, current = market.oracle.status()
        version = min(latest.timestamp + rng.choice((1, 10)), current)
        player.twin.act("commit", version, price, max(current, version + 10))
        player.price = price
        self.twin.act("liquidate", index, rng.choice(ACTORS))
        if rng.random() < 0.5:
            player.tick()

    def stuck(self) -> None:
        """A market stops, with an epoch pending or not, and may come back after a day."""
        rng, index = self.rng, self.rng.randrange(len(self.players))
        if rng.random() < 0.7:
            self.close()
        broken = rng.random() < 0.5
        if broken:
            self.twin.act("break", index)
        for other, player in enumerate(self.players):
            if other != index:
                player.tick()
        for _ in range(rng.choice((1, 1, 2, 3))):
            self.twin.act("wait", rng.choice((STUCK, STUCK, STUCK - 1)))
            self.settle()
            for _ in range(rng.choice((0, 1, 3))):
                rng.choice((self.request_redeem, self.request_deposit, self.claim, self.close, self.gift))()
        if broken:
            self.twin.act("mend", index)
        for player in self.players:
            player.tick()
        if rng.random() < 0.5:
            self.cycle()

    def gift(self) -> None:
        """Tokens that nobody is owed, for the vault or its account."""
        if self.rng.random() < 0.5:
            self.twin.act("donate", amount(self.rng, 1, 10**6 * 10**self.vault.decimals))
        elif not (self.vault.factory.paused or self._broken()):
            index = self.rng.randrange(len(self.players))
            self.twin.act("gift", index, amount(self.rng, 1, 10**5 * UNIT), self.rng.choice(ACTORS))

    def _broken(self) -> bool:
        return any(market.mirror_oracle.broken for market in self.twin.markets)

    # -- Roles -----------------------------------------------------------------------------------------------------

    def manager(self) -> str:
        """Mostly the coordinator of the vault."""
        names = [name for name in (*ACTORS, MANAGER) if address_of(name) == self.vault.coordinator]
        return self.other(names[0] if names else MANAGER, 0.1)

    def coordinate(self) -> None:
        """Weights, leverage, parameters, markets."""
        rng, twin, manager = self.rng, self.twin, self.manager()
        index = rng.randrange(len(self.players))
        kind = rng.randint(0, 7)
        if kind <= 2:
            weight = rng.choice((0, 0, 1, 2, 5, 2**32))
            twin.act("update_market", index, weight, rng.choice((leverage(rng), leverage(rng), 0, 10**8 + 1)), manager)
        elif kind == 3:
            twin.act("register", index, rng.randint(0, 3), leverage(rng), manager)
        elif kind == 4:
            if self._broken():
                return
            if rng.random() < 0.7:
                twin.act("update_market", index, 0, UNIT, manager)
                self.cycle()
                self.rebalance()
                self.cycle()
            twin.act("unregister", index, manager)
        elif kind == 5:
            new = vault_parameter(rng, self.vault.decimals)
            if rng.random() < 0.1:
                new = replace(new, tolerance=rng.choice((0, UNIT)))
            twin.act("update_parameter", new, manager)
        elif kind == 6:
            to = rng.choice((*ACTORS, "nobody"))
            twin.act("update_coordinator", to, rng.choice((manager, "owner")))
        else:
            twin.act("claim_reward", index, self.user(), manager)

    def pause(self) -> None:
        """The protocol stops and goes on."""
        market = self.twin.markets[0]
        market.act("pause", "pauser")
        for _ in range(self.rng.randint(1, 4)):
            moves = (self.close, self.settle, self.request_deposit, self.request_redeem, self.claim, self.rebalance)
            self.rng.choice(moves)()
            if self.rng.random() < 0.3:
                self.twin.act("wait", STUCK)
        if market.mirror.factory.paused:
            market.act("unpause", "pauser")


def play(bench: TwinBench, rng: Random, steps: int) -> VaultTwin:
    """A game with a vault of its own. Raises Mismatch or AssertionError, with setup and actions as a note."""
    with bench.open_vault(vault_setup(rng)) as twin:
        try:
            run(twin, rng, steps)
        except AssertionError as error:
            error.add_note(describe(twin.setup, twin.actions))
            raise
        return twin


def run(twin: VaultTwin, rng: Random, steps: int) -> None:
    """A start, at least `steps` actions, then the markets settle everybody."""
    player = VaultPlayer(twin, rng)
    player.start()
    first = len(twin.actions)
    while len(twin.actions) - first < steps:
        player.move()
    for market in twin.markets:
        market.settle_all()
    twin.check_previews()


def shrink(bench: TwinBench, start: VaultSetup, actions: list[Step]) -> list[Step]:
    """The same failure with as few actions as leaving some out can bring it to."""
    return fewest(actions, lambda fewer: fails(bench, start, fewer))


def fails(bench: TwinBench, start: VaultSetup, actions: list[Step]) -> bool:
    """Whether contracts and mirror differ somewhere along these actions."""
    with bench.open_vault(start, register=False) as twin:
        try:
            twin.replay(actions)
        except AssertionError:
            return True
        except (ValueError, ArithmeticError, LookupError):
            # Without what was left out the rest makes no sense.
            return False
    return False


def describe(start: VaultSetup, actions: list[Step]) -> str:
    """A game as Python that plays it again: registrations are among its actions, so that no market is to start with."""
    lines = "\n".join(f"    {action!r}," for action in actions)
    return f"setup = {start!r}\nactions = [\n{lines}\n]"
