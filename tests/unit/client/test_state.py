"""What is read from storage is the market: over a random life, mirror and chain tell the same numbers."""

import random
from decimal import Decimal

import pytest

from perennial.abi import Reverted
from perennial.amounts import decimal, raw
from perennial.chain import Chain
from perennial.client import storage
from perennial.client.errors import ClientError, Refused
from perennial.intents import Domain
from perennial.testing.desk import Desk
from perennial.testing.market import ALL

STEPS = 120


class Life:
    """Random actions of four accounts, one of them liquidated now and then."""

    def __init__(self, world, market, desk, seed):
        self.world, self.market, self.desk, self.random = world, market, desk, random.Random(seed)
        self.traders = {name: world.actors[name] for name in ("maker", "taker", "hedger", "stranger")}
        self.price = 100
        self.refused = 0

    def step(self):
        choice = self.random.random()
        if choice < 0.35:
            self.price = max(40, self.price + self.random.randint(-6, 6))
            if self.random.random() < 0.15:
                self.world.expire(wait=self.random.choice([10, 600]))
            else:
                self.world.commit(str(self.price), wait=self.random.choice([10, 600, 3600]))
        elif choice < 0.45:
            self.world.skip()
        elif choice < 0.5:
            self.attempt(self.world.liquidate, self.random.choice(list(self.traders.values())))
        elif choice < 0.6:
            self.intent()
        else:
            self.order(*self.random.choice(list(self.traders.items())))

    def intent(self):
        """Taker, hedger and stranger fill and cross each other's intents."""
        a, b = self.random.sample([self.traders[name] for name in ("taker", "hedger", "stranger")], 2)
        size, price = f"{self.random.choice(['', '-'])}1.{self.random.randint(0, 9)}", str(self.price)
        originator = {"originator": self.world.actors["referrer"].address} if self.random.random() < 0.5 else {}
        self.attempt(self.random.choice([self.desk.fill, self.desk.cross]), a, b, size, price, **originator)

    def order(self, name, account):
        size = raw(str(self.random.randint(1, 40))) // 10
        if self.random.random() < 0.3:
            self.attempt(self.world.close, account, self.random.choice([ALL, size]))
        elif self.random.random() < 0.2:
            self.attempt(self.world.withdraw, account, self.random.choice([ALL, raw("10")]))
        else:
            side = "maker" if name == "maker" else self.random.choice(["long", "short"])
            referrer = {"referrer": self.world.actors["referrer"]} if self.random.random() < 0.2 else {}
            self.attempt(self.world.open, account, collateral="60", **{side: size}, **referrer)

    def wind(self):
        """Every queue that is empty will begin at the last place of its ring, as some day it would."""
        anvil, market = self.world.anvil, self.world.market.address
        accounts = [storage.entry(storage.ACCOUNTS, trader.address) for trader in self.traders.values()]
        for slot, head, length in [(storage.BOOK, 224, 240), *((account, 209, 225) for account in accounts)]:
            word = anvil.storage(market, slot)
            if storage.field(word, length, 16) == 0:
                word |= (storage.RING - 1) << head
                anvil.rpc("anvil_setStorageAt", market, f"0x{slot:064x}", f"0x{word:064x}")

    def attempt(self, action, *arguments, **options):
        try:
            action(*arguments, **options)
        except Reverted:
            self.refused += 1

    def check(self):
        """Every number of the market and the accounts, as if settled now."""
        names = {name: account.address.lower() for name, account in self.world.actors.items()}
        present = self.market.snapshot(*names.values()).present(*names.values())
        books = self.world.books()
        assert (present.book.maker, present.book.long, present.book.short) == tuple(books.size)
        assert (present.pending.maker, present.pending.long, present.pending.short) == tuple(books.pending)
        assert present.balance == books.tokens
        assert present.shortfall == books.shortfall
        assert sum(present.claimable_fees()) == books.fees
        for name, actor in books.actors.items():
            own = names[name]
            assert present.collateral(own) == actor.collateral, name
            assert self.sizes(present.positions(own)) == tuple(actor.size), name
            assert self.sizes(present.pending_positions(own)) == tuple(actor.pending), name
            assert present.claimable(own) == actor.claimable, name

    @staticmethod
    def sizes(position):
        return position.maker, position.long, position.short


@pytest.mark.parametrize(("seed", "wound"), [(1, False), (2, True)])
def test_over_a_life(world, market, protocol, chain, seed, wound):
    desk = Desk(world, Domain(chain.chain_id, protocol.verifier.address))
    life = Life(world, market, desk, seed)
    life.attempt(world.open, world.actors["maker"], maker="20", collateral="5000")
    for step in range(STEPS):
        if step == STEPS // 2:
            world.change(settlementFee="0.7", referralFee="0.3")
        if wound:
            life.wind()
        life.step()
        life.check()
    world.settle()

    kinds = set()
    for account in life.traders.values():
        history = market.history(account)
        kinds |= {entry.kind for entry in history.entries}
        totals = history.totals.to_dict()
        collateral = Decimal(totals.pop("collateral"))
        assert collateral == decimal(world.market.collateral(account))
        assert sum(map(Decimal, totals.values())) == collateral
        assert sum(entry.amount for entry in history.entries) == collateral
        assert history.entries[-1].collateral == collateral
    assert kinds >= {"deposit", "withdrawal", "order", "cancelled", "settlement", "fill"}
    assert life.refused < STEPS / 2


def test_another_layout_is_an_error(filled, monkeypatch):
    monkeypatch.setattr(storage, "BOOK", storage.BOOK + 1)

    with pytest.raises(ClientError, match="not laid out as this client knows it"):
        filled.info()


def test_a_chain_of_one_block(filled, world):
    """What is read at an older block is not mixed with newer words."""
    words = Chain(filled.protocol.rpc, hex(filled.protocol.block()))
    before = words.words(filled.address, [storage.BOOK])
    world.open(world.actors["taker"], long="1", collateral="1000")
    world.commit("100")
    world.settle()

    assert words.words(filled.address, [storage.BOOK]) == before
    assert filled.info().long == Decimal(1)


def test_what_the_mirror_refuses_the_market_refuses(filled, taker):
    with pytest.raises(Refused) as refused:
        filled.quote("long", "5", collateral="1", account=taker)

    assert refused.value.name == "InsufficientMargin"
    assert refused.value.transaction is None
