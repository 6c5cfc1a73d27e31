"""The solver's cycle: what it fills, what it leaves and says why, and that nothing is filled beyond what was signed."""

import logging
import random
from itertools import pairwise

import pytest
from eth_account import Account

from perennial.abi import Reverted
from perennial.sending.journal import Journal, State
from perennial.sending.sender import Sender
from perennial.solver.inventory import Limits
from perennial.solver.orders import Cross, Fill

from .conftest import DOMAIN, KEY, NOW, TRADERS, UNIT, opened

OWN = {"limits": Limits(max_inventory=100 * UNIT)}
WALLET, OTHER_WALLET = (Account.from_key(bytes([number] * 32)).address for number in (70, 71))


@pytest.fixture(autouse=True)
def logs(caplog):
    caplog.set_level(logging.INFO)


def reasons(report):
    return {each.hash: each.reason for each in report.skipped}


def work(solver, market, rounds=10):
    """Cycles and blocks until nothing more happens."""
    for _ in range(rounds):
        solver.cycle()
        market.mine()


def test_crosses_first_then_inventory(market, make_solver):
    market.book = [opened(1, "5", "101"), opened(2, "-3", "99")]
    solver = make_solver(**OWN)

    report = solver.cycle()
    assert [type(deal) for deal in report.batch.deals] == [Cross]
    assert solver.cycle().waiting
    market.mine()
    report = solver.cycle()
    assert report.outcome.state is State.MINED
    assert [(type(deal), deal.size) for deal in report.batch.deals] == [(Fill, 2 * UNIT)]
    market.mine()
    report = solver.cycle()

    assert (report.batch, market.inventory) == (None, -2 * UNIT)
    assert set(market.filled.values()) == {5 * UNIT, 3 * UNIT}


def test_dry_run(market, make_solver, caplog):
    market.book = [opened(1, "5", "101"), opened(2, "-3", "99")]

    report = make_solver(sender=None, dry_run=True).cycle()

    assert len(report.batch.deals) == 1
    assert report.sent is None
    assert market.pool == {}
    assert "would cross 3.000000" in caplog.text


class TestWhyNot:
    def test_nobody_and_no_inventory(self, market, make_solver):
        market.book = [order] = [opened(1, "5", "101")]

        reason = reasons(make_solver().cycle())[order.hash]

        assert "nobody takes the other side" in reason
        assert "room for 0" in reason

    def test_the_quote(self, market, make_solver):
        market.book = [order] = [opened(1, "5", "100")]

        assert "accepts 100.000000, the quote is 100.05" in reasons(make_solver(**OWN).cycle())[order.hash]

    def test_expires_soon(self, market, make_solver):
        market.book = [order] = [opened(1, "5", "101", expiry=NOW + 5)]

        assert reasons(make_solver(**OWN).cycle()) == {order.hash: "it expires too soon"}

    def test_gone_on_chain(self, market, make_solver):
        market.book = [first, second] = [opened(1, "5", "101"), opened(2, "5", "101")]
        market.cancelled.add(first.hash)
        market.filled[second.hash] = 5 * UNIT

        assert set(reasons(make_solver(**OWN).cycle()).values()) == {
            "nothing remains on chain: filled, cancelled or expired"
        }

    def test_of_another_market(self, market, make_solver):
        market.book = [order] = [opened(1, "5", "101", market=TRADERS[0])]

        assert reasons(make_solver(**OWN).cycle()) == {order.hash: "it is for another market"}

    def test_its_own(self, market, make_solver):
        market.book = [order] = [opened(1, "5", "101", account=KEY.address)]

        assert "solver's own" in reasons(make_solver(**OWN).cycle())[order.hash]

    def test_no_price(self, market, make_solver):
        market.book = [order] = [opened(1, "5", "101")]
        market.price = None

        report = make_solver(**OWN).cycle()

        assert reasons(report) == {order.hash: "the oracle's latest version has no price"}
        assert report.batch is None

    def test_an_old_price(self, market, make_solver):
        """Crosses need none of the solver's money: they go on."""
        market.book = [buyer, _, alone] = [opened(1, "5", "101"), opened(2, "-5", "99"), opened(3, "5", "101")]
        market.age = 61

        report = make_solver(**OWN).cycle()

        assert "the latest price is 61 seconds old" in reasons(report)[alone.hash]
        assert buyer.hash in report.batch.deals[0].hashes

    def test_a_contract_wallet_waits_for_its_turn(self, market, make_solver):
        """One a batch, at its end: what its code does with the gas harms nobody else."""
        wallets = [Account.from_key(bytes([number] * 32)).address for number in (70, 71)]
        market.book = [opened(n, "5", "101", account=wallet) for n, wallet in enumerate(wallets)]
        market.book += [opened(2, "5", "101")]
        solver = make_solver(**OWN)

        report = solver.cycle()

        first, last = (deal.order for deal in report.batch.deals)
        assert (first.hash, last.by_key) == (market.book[2].hash, False)
        [waiting] = {order.hash for order in market.book} - {first.hash, last.hash}
        assert "one deal of a contract wallet" in reasons(report)[waiting]
        work(solver, market, 3)
        assert len(market.filled) == 3

    def test_profit(self, market, make_solver):
        market.book = [order, _] = [opened(1, "5", "100"), opened(2, "-5", "100")]

        report = make_solver(least_profit=1).cycle()

        assert reasons(report)[order.hash] == "it would earn 0.000000 after gas"

    @pytest.mark.parametrize(("posted", "pays"), [(2 * 10**13, True), (3 * 10**13, False)])
    def test_what_a_rollup_takes_for_posting(self, market, make_solver, posted, pays):
        """The fill earns 0.25, and costs 0.225 of gas at 1,000 for an ether: 0.025 are left for posting it."""
        market.book, market.posted = [opened(1, "5", "101")], posted

        report = make_solver(least_profit=0, ether_price=1_000 * UNIT, **OWN).cycle()

        assert (report.batch is not None) == pays

    def test_said_once(self, market, make_solver, caplog):
        market.book = [order] = [opened(1, "5", "101")]
        solver = make_solver()

        solver.cycle()
        solver.cycle()

        assert caplog.text.count(f"not filled {order.hash}") == 1


class TestRefused:
    def test_by_the_market_beforehand(self, market, make_solver):
        market.book = [order] = [opened(1, "5", "101")]
        market.refused[frozenset({order.hash})] = "InsufficientMargin(1, 2)"
        solver = make_solver(**OWN)

        report = solver.cycle()

        assert report.batch is None
        assert reasons(report) == {order.hash: "the market refuses: InsufficientMargin(1, 2)"}

    def test_who_cannot_pay_keeps_nobody_from_others(self, market, make_solver):
        """The best price is of an account without margin: in the same cycle the next one is met."""
        market.book = [poor, good, seller] = [opened(1, "5", "102"), opened(2, "5", "101"), opened(3, "-5", "99")]
        market.refused[frozenset({poor.hash, seller.hash})] = "InsufficientMargin(1, 2)"

        report = make_solver().cycle()

        [deal] = report.batch.deals
        assert set(deal.hashes) == {good.hash, seller.hash}

    def test_on_chain_it_waits_longer_each_time(self, market, make_solver):
        market.book = [order] = [opened(1, "5", "101")]
        market.surprises[frozenset({order.hash})] = "StalePrice(1, 2)"
        solver = make_solver(**OWN, pause=10)

        tries = []
        for _ in range(60):
            if solver.cycle().sent:
                tries.append(market.now)
            market.mine()

        waits = [later - earlier for earlier, later in pairwise(tries)]
        assert waits == sorted(waits)
        assert waits[0] >= 10
        assert waits[2] >= 40

    def test_others_of_the_batch_are_filled(self, market, make_solver, caplog):
        market.book = [bad, good] = [opened(1, "5", "101"), opened(2, "5", "101")]
        market.surprises[frozenset({bad.hash})] = "AccountLocked(1, 2)"

        work(make_solver(**OWN), market, 3)

        assert market.filled == {good.hash: 5 * UNIT}
        assert f"not filled {bad.hash}: the market skipped it: AccountLocked(1, 2)" in caplog.text

    @pytest.mark.parametrize("reason", [f"WrongSignature({WALLET.lower()}, b'4,')", "revert()"])
    def test_a_wallet_that_takes_its_signatures_back_costs_one_batch(self, market, make_solver, reason):
        """It signs as many intents as it likes, says yes when they are tried, and burns gas when they are mined."""
        market.book = [opened(n, "5", "102", account=WALLET) for n in range(8)]
        market.surprises = {frozenset({order.hash}): reason for order in market.book}
        solver = make_solver(**OWN)

        work(solver, market, 20)
        assert market.nonces == 1

        market.book += [opened(20, "-5", "99"), opened(21, "5", "101")]
        market.surprises |= {frozenset({bad.hash, market.book[8].hash}): reason for bad in market.book[:8]}
        work(solver, market, 3)
        assert set(market.filled) == {order.hash for order in market.book[8:]}
        assert market.nonces == 2

    def test_a_wallet_with_many_intents_takes_no_more_of_a_cycle_than_with_a_few(self, market, make_solver):
        """Its code is run for each that is tried; the others of the book are not kept waiting for that."""
        market.book = [opened(n, "1", "102", account=WALLET) for n in range(30)]
        market.book += [opened(n, "1", "101") for n in range(30, 33)]
        tried, trials = [], market.trials

        def count(deals, limit):
            tried.append(len(deals))
            return trials(deals, limit)

        market.trials = count
        solver = make_solver(**OWN)

        report = solver.cycle()

        assert tried == [0, 7]
        assert reasons(report)[market.book[4].hash].endswith("no fill: others of its contract wallet have their turn")
        work(solver, market, 30)
        assert len(market.filled) == 33
        assert max(tried) == 7

    def test_nor_where_it_meets_others(self, market, make_solver):
        """Refused or not, it has four intents in a cycle, and who is left meets the next one at once."""
        market.book = [opened(n, "1", "102", account=WALLET) for n in range(30)]
        market.book += [opened(30, "1", "101"), *(opened(n, "-1", "99") for n in range(31, 37))]
        wallets, sellers = market.book[:30], market.book[31:]
        market.refused = {frozenset({a.hash, b.hash}): "InsufficientMargin(1, 2)" for a in wallets for b in sellers}
        trials = market.trials
        tried: set[str] = set()

        def count(deals, limit):
            tried.update(digest for deal in deals for digest in deal.hashes)
            return trials(deals, limit)

        market.trials = count

        report = make_solver().cycle()

        assert len(tried & {order.hash for order in wallets}) == 4
        assert [market.book[30].hash in deal.hashes for deal in report.batch.deals] == [True]

    def test_what_nobody_fills_takes_no_place(self, market, make_solver):
        market.book = [opened(n, "5", "60", account=WALLET) for n in range(4)]
        [buyer, seller] = added = [opened(4, "5", "101", account=WALLET), opened(5, "-5", "99")]
        market.book += added

        work(make_solver(**OWN), market, 3)

        assert set(market.filled) == {buyer.hash, seller.hash}

    def test_what_does_not_pay_keeps_no_place_for_good(self, market, make_solver):
        """Nine earn too little each time that they are tried; the tenth has its turn all the same."""
        market.book = [opened(n, "0.001", "101", account=WALLET) for n in range(9)]
        [good] = added = [opened(9, "5", "101", account=WALLET)]
        market.book += added

        work(make_solver(least_profit=UNIT // 10, **OWN), market, 4)

        assert set(market.filled) == {good.hash}

    def test_a_wallet_is_not_blamed_for_another(self, market, make_solver):
        market.book = [bad, honest] = [
            opened(0, "5", "101", account=WALLET),
            opened(1, "-5", "99", account=OTHER_WALLET),
        ]
        market.surprises[frozenset({bad.hash, honest.hash})] = f"WrongSignature({WALLET.lower()}, b'4')"
        solver = make_solver()
        work(solver, market, 2)

        [buyer, _] = added = [opened(2, "5", "101"), opened(3, "-5", "99")]
        market.book += added
        [again] = added = [opened(4, "5", "101", account=WALLET)]
        market.book += added
        work(solver, market, 3)

        assert {honest.hash, buyer.hash} <= set(market.filled)
        assert market.filled.keys().isdisjoint({bad.hash, again.hash})

    def test_of_two_wallets_nobody_knows_who_has_burnt_the_gas(self, market, make_solver):
        """They are kept apart from wallets, with new intents as well, and meet keys as before."""
        market.book = [opened(0, "5", "101", account=WALLET), opened(1, "-5", "99", account=OTHER_WALLET)]
        market.surprises[frozenset(order.hash for order in market.book)] = "revert()"
        solver = make_solver()
        work(solver, market, 2)

        market.book = [buyer, seller] = [
            opened(2, "5", "101", account=WALLET),
            opened(3, "-5", "99", account=OTHER_WALLET),
        ]
        assert "kept apart" in reasons(solver.cycle())[buyer.hash]
        [key] = added = [opened(4, "5", "101")]
        market.book += added
        work(solver, market, 3)
        assert set(market.filled) == {seller.hash, key.hash}

        market.now += 600
        market.book = [opened(5, "5", "101", account=WALLET), opened(6, "-5", "99", account=OTHER_WALLET)]
        work(solver, market, 3)
        assert {order.hash for order in market.book} <= set(market.filled)

    @pytest.mark.parametrize("relay_fails", [False, True])
    def test_a_restart_does_not_forgive(self, market, make_solver, relay_fails):
        """What became of the batch is told once, to the solver that comes after."""
        market.book = [opened(n, "5", "102", account=WALLET) for n in range(8)]
        market.surprises = {frozenset({order.hash}): "revert()" for order in market.book}
        make_solver(**OWN).cycle()
        market.mine()

        solver, book = make_solver(**OWN), market.book
        if relay_fails:
            market.book = None
            with pytest.raises(TypeError):
                solver.cycle()
            market.book = book
        work(solver, market, 5)

        assert market.nonces == 1

    def test_a_wallet_that_cannot_pay_is_refused_like_anybody(self, market, make_solver):
        wallet = Account.from_key(bytes([70] * 32)).address
        market.book = [poor, good] = [opened(n, "5", "101", account=wallet) for n in range(2)]
        market.surprises[frozenset({poor.hash})] = "InsufficientMargin(1, 2)"

        work(make_solver(**OWN), market, 5)

        assert set(market.filled) == {good.hash}

    def test_it_is_filled_once_it_may_be(self, market, make_solver):
        market.book = [order] = [opened(1, "5", "101")]
        market.surprises[frozenset({order.hash})] = "StalePrice(1, 2)"
        solver = make_solver(**OWN)
        work(solver, market, 3)
        market.surprises.clear()

        market.now += 100
        work(solver, market, 3)

        assert market.filled == {order.hash: 5 * UNIT}


class Mended:
    """Stops a solver after three rounds; what was broken in the first is well from then on."""

    def __init__(self, market, mend):
        self.market, self.mend, self.rounds = market, mend, 0

    def is_set(self):
        self.rounds += 1
        return self.rounds > 3

    def wait(self, _):
        self.mend()
        self.market.mine()


def test_a_relay_or_node_that_fails_stops_nothing(market, make_solver, caplog):
    market.book, market.away = [opened(1, "5", "101")], True

    make_solver(**OWN).run(Mended(market, lambda: setattr(market, "away", False)))

    assert "will be sent again" in caplog.text
    assert list(market.filled.values()) == [5 * UNIT]


def test_what_nobody_has_thought_of_stops_nothing(market, make_solver, caplog):
    def broken():
        raise Reverted("NoPrice")

    working, market.snapshot = market.snapshot, broken
    market.book = [opened(1, "5", "101")]

    make_solver(**OWN).run(Mended(market, lambda: setattr(market, "snapshot", working)))

    assert "nothing done" in caplog.text
    assert list(market.filled.values()) == [5 * UNIT]


@pytest.mark.parametrize("seed", range(10))
def test_killed_at_any_moment(market, path, make_solver, seed):
    """A random book, and a solver that dies at random: each intent ends filled no further than signed, none twice."""
    dice = random.Random(seed)

    def start():
        sender = Sender(KEY, DOMAIN.chain_id, market, Journal(path), tip=10, patience=6, clock=lambda: market.now)
        return make_solver(sender=sender, limits=Limits(max_inventory=20 * UNIT))

    solver, signed = start(), {}
    for number in range(60):
        if number < 30:
            amount = dice.choice([-1, 1]) * dice.randint(1, 9)
            order = opened(number, amount, dice.randint(97, 103), account=TRADERS[dice.randrange(10)])
            market.book.append(order)
            signed[order.hash] = order.intent.size
        market.away = dice.random() < 0.2
        solver.cycle()
        if dice.random() < 0.3:
            market.mine()
        if dice.random() < 0.3:
            solver = start()
    market.away = False
    for _ in range(40):
        solver.cycle()
        market.mine()
        market.now += 10

    assert all(0 < size <= signed[digest] for digest, size in market.filled.items())
    booked = sum(deal.size * len(deal.hashes) for deal in market.deals)
    assert booked == sum(market.filled.values())
    assert abs(market.inventory) <= 20 * UNIT
    # What is left cannot be filled: no cross and no room or price.
    assert make_solver(sender=None, dry_run=True, limits=Limits(max_inventory=20 * UNIT)).cycle().batch is None
    assert len(market.deals) > 5
