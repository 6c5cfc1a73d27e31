"""A vault in Python to scheme against: mirrors of a vault and of its markets, and one party with many accounts.

`Stage` is the world: markets at versions ten seconds apart, a passive depositor, takers if there are to be any. A
`Schemer` does what may do damage: it comes and goes in parts, closes, settles and rebalances whenever that is possible,
gives presents, and has makers of its own in the markets.
"""

from dataclasses import replace
from random import Random

from perennial.mirror.errors import MarketError
from perennial.mirror.factory import Factory
from perennial.mirror.fixed import MIN_INT256, UNIT
from perennial.mirror.market import Market
from perennial.mirror.oracle import Oracle
from perennial.mirror.parameters import MarketParameter, ProtocolParameter, RiskParameter
from perennial.mirror.vault import Vault
from perennial.mirror.vault_state import VaultParameter
from perennial.testing.market import PARAMETER, PROTOCOL, RISK
from perennial.testing.vault import values

PARTY = ("mallory", "malvin", "mara")
PASSIVE, TAKER = "alice", "taker"
STEP = 10


class Stage:
    """Markets at a price of 100 and a vault over them; token units have 6 decimals, prices and sizes as well.

    `maker_fee`, `position_fee` (the market's share of it) and `leverage` have 6 decimals, `settlement_fee` is USD. The
    chain's time stands still; versions have a clock of their own.
    """

    def __init__(
        self,
        *,
        markets: int = 1,
        leverage: int = 4 * UNIT,
        tolerance: int = UNIT // 20,
        maker_fee: int = 0,
        position_fee: int = 0,
        settlement_fee: int = 0,
    ) -> None:
        factory = Factory(ProtocolParameter.from_abi(values(PROTOCOL)))
        risk = replace(RiskParameter.from_abi(values(RISK)), maker_fee=maker_fee)
        parameter = replace(
            MarketParameter.from_abi(values(PARAMETER)), position_fee=position_fee, settlement_fee=settlement_fee
        )
        self.price = 100 * UNIT
        self.oracles = [Oracle(STEP) for _ in range(markets)]
        self.markets = [
            Market(factory, oracle, risk, parameter, address=f"market {index}")
            for index, oracle in enumerate(self.oracles)
        ]
        self.vault = Vault(factory, VaultParameter(tolerance=tolerance), known=self.markets)
        for market in self.markets:
            self.vault.register(market, 1, leverage)
        self.tick()

    def tick(self, price: int | None = None) -> None:
        """Every market gets its current version, at a new price where one is given, and settles the vault."""
        self.price = self.price if price is None else price
        for oracle, market in zip(self.oracles, self.markets, strict=True):
            oracle.commit(oracle.current, self.price, oracle.current + STEP)
            market.settle(self.vault.address)

    def turn(self, price: int | None = None) -> None:
        """Closes the epoch if there is anything to close; the markets go on; it settles."""
        try:
            self.vault.close_epoch()
        except MarketError:
            return
        self.tick(price)
        self.vault.settle()
        assert self.vault.pending == 0

    def enter(self, name: str, assets: int) -> None:
        """Somebody deposits through an epoch and claims all."""
        self.vault.request_deposit(assets, name, name)
        self.turn()
        self.vault.mint(self.vault.max_mint(name), name, name)

    def put_right(self) -> None:
        """Somebody rebalances as long as that is possible."""
        for _ in range(4):
            try:
                self.vault.rebalance()
            except MarketError:
                return
            self.tick()
            self.vault.settle()

    def leave(self, name: str) -> None:
        """Somebody claims and redeems everything, through as many epochs as that takes."""
        vault = self.vault
        for _ in range(8):
            self.turn()
            vault.mint(vault.max_mint(name), name, name)
            vault.redeem(vault.max_redeem(name), name, name)
            if vault.balance_of(name) == 0:
                break
            vault.request_redeem(vault.balance_of(name), name, name)
        assert vault.balance_of(name) == 0

    def bet(self, size: int) -> None:
        """A taker holds a size in every market (6 decimals, negative: short), well collateralised."""
        for market in self.markets:
            market.update(TAKER, 0, size, 10**9 * UNIT)
        self.tick()

    def worth(self, name: str) -> int:
        """What somebody's shares stand for, and what is claimable: token units."""
        return self.vault.convert_to_assets(self.vault.balance_of(name)) + self.vault.max_withdraw(name)

    def spent(self, *names: str) -> int:
        """What accounts have brought into vault and markets and not got out of it: token units."""
        ledgers = [market.accounts[name].ledger for market in self.markets for name in names if name in market.accounts]
        return sum(ledger.deposits + ledger.withdrawals for ledger in ledgers) // UNIT - sum(
            self.vault.wallets.get(name, 0) for name in names
        )


class Schemer:
    """One party with three accounts. What is refused is not done."""

    def __init__(self, stage: Stage, rng: Random, *, makes: bool) -> None:
        """`makes`: it also is a maker in the markets, and so earns what others pay for their orders."""
        self.stage, self.rng, self.vault = stage, rng, stage.vault
        self.moves = [
            self.deposit,
            self.deposit,
            self.redeem,
            self.redeem,
            self.claim,
            self.close,
            self.close,
            self.settle,
            self.rebalance,
            self.move_shares,
            self.give,
            stage.tick,
        ]
        if makes:
            self.moves += [self.make, self.make]

    def act(self, count: int) -> None:
        """Some moves."""
        for _ in range(count):
            try:
                self.rng.choice(self.moves)()
            except MarketError:
                continue

    def some(self, most: int) -> int:
        """A part of an amount, often all."""
        return self.rng.choice((most, most, most // 2, self.rng.randint(0, max(0, most)), 1))

    def size(self) -> int:
        """Token units, from dust to many times what others have."""
        return self.rng.randint(1, 10 ** self.rng.randint(1, 13))

    def deposit(self) -> None:
        """Tokens come in."""
        name = self.rng.choice(PARTY)
        self.vault.request_deposit(self.size(), self.rng.choice(PARTY), name)

    def deposit_about(self, assets: int) -> None:
        """Comes in with up to so much."""
        self.vault.request_deposit(self.rng.randint(1, assets), PARTY[0], PARTY[0])

    def redeem_all(self) -> None:
        """Leaves with all of it."""
        name = PARTY[0]
        self.vault.mint(self.vault.max_mint(name), name, name)
        self.vault.redeem(self.vault.max_redeem(name), name, name)
        self.vault.request_redeem(self.vault.balance_of(name), name, name)

    def redeem(self) -> None:
        """Shares come back."""
        name = self.rng.choice(PARTY)
        self.vault.request_redeem(self.some(self.vault.balance_of(name)), self.rng.choice(PARTY), name)

    def claim(self) -> None:
        """Claims in random parts and forms."""
        name = self.rng.choice(PARTY)
        form = self.rng.choice(("deposit", "mint", "withdraw", "redeem"))
        most = getattr(self.vault, f"max_{form}")(name)
        getattr(self.vault, form)(self.some(most), self.rng.choice(PARTY), name)

    def close(self) -> None:
        """Closes the epoch; mostly the versions come at once."""
        self.vault.close_epoch()
        if self.rng.random() < 0.8:
            self.stage.tick()
            self.vault.settle()

    def settle(self) -> None:
        """Settles, if that is possible."""
        self.vault.settle()

    def rebalance(self) -> None:
        """Rebalances, if that is possible."""
        self.vault.rebalance()
        self.stage.tick()
        self.vault.settle()

    def move_shares(self) -> None:
        """Shares are handed around, to the vault as well."""
        name = self.rng.choice(PARTY)
        to = self.rng.choice((*PARTY, *PARTY, self.vault.address))
        self.vault.transfer(to, self.some(self.vault.balance_of(name)), caller=name)

    def give(self) -> None:
        """Presents for the vault, and for its account in a market."""
        amount = self.rng.randint(1, 10 ** self.rng.randint(1, 9))
        if self.rng.random() < 0.5:
            self.vault.receive(amount, PARTY[0])
        else:
            name = self.rng.choice(PARTY)
            self.rng.choice(self.stage.markets).update(self.vault.address, 0, 0, amount, caller=name)
            self.vault.wallets[name] = self.vault.wallets.get(name, 0) - amount

    def make(self) -> None:
        """Opens or closes maker size of its own."""
        market, name = self.rng.choice(self.stage.markets), self.rng.choice(PARTY)
        if self.rng.random() < 0.5:
            size = self.rng.randint(1, 10 ** self.rng.randint(6, 11))
            market.update(name, size, 0, 10 * size + 100 * UNIT)
        else:
            market.update(name, MIN_INT256, 0, 0)

    def go(self) -> None:
        """Everything that can be had is fetched."""
        for name in PARTY:
            self.stage.leave(name)
        for _ in range(2):
            for market in self.stage.markets:
                for name in PARTY:
                    market.update(name, MIN_INT256, 0, 0)
            self.stage.tick()
        for market in self.stage.markets:
            for name in PARTY:
                market.update(name, 0, 0, MIN_INT256)
