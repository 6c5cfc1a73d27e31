"""The keeper's cycle: what is due is sent once, whatever dies in between."""

import pytest

from perennial.chain import RpcError
from perennial.keeper.work import Kind
from perennial.multicall import ADDRESS
from perennial.sending.journal import State as Fate

from .conftest import ALICE, BOB, INFOS, NOW, market

DUE = market(next=NOW - 4, latest=NOW - 20)


@pytest.fixture
def keeper(make_keeper):
    return make_keeper()


def kinds(pairs):
    return [work.kind for work, _ in pairs]


class TestOnce:
    def test_one_in_flight(self, keeper, view):
        view.states_ = [DUE]
        assert kinds(keeper.cycle().sent) == [Kind.COMMIT]

        assert keeper.cycle().sent == ()
        assert len(view.pool) == 1

    def test_after_a_kill(self, make_keeper, view):
        view.states_ = [DUE]
        make_keeper().cycle()

        assert make_keeper().cycle().sent == ()
        assert len(view.pool) == 1

    def test_mined(self, keeper, view):
        view.states_ = [DUE]
        keeper.cycle()
        view.mine()
        view.states_ = [market()]
        report = keeper.cycle()

        assert [outcome.state for outcome in report.outcomes] == [Fate.MINED]
        assert report.due == ()

    def test_a_node_that_is_behind(self, keeper, view):
        """It has the receipt, and shows the chain as it was before: nothing is done by that."""
        view.states_ = [DUE]
        keeper.cycle()
        view.mine()
        view.number -= 1
        report = keeper.cycle()

        assert report.is_behind
        assert view.pool == []

    def test_the_rest_of_a_group(self, keeper, view):
        """One oracle's commit is in flight; the others' are not kept back by it."""
        view.states_ = [DUE]
        keeper.cycle()
        view.states_ = [DUE, market(1, next=NOW - 4, latest=NOW - 20)]
        (sent,) = keeper.cycle().sent

        assert [item[1] for item in sent[0].items] == [INFOS[1].oracle]

    def test_more_is_offered_while_it_is_due(self, keeper, view):
        view.states_ = [DUE]
        keeper.cycle()
        view.now += 31
        keeper.sender.resolve(keeper._is_due)
        assert [attempt.cancels for attempt in keeper.sender.journal.in_flight()[0].attempts] == [False, False]

        view.now, view.states_ = view.now + 31, [market()]
        keeper.sender.resolve(keeper._is_due)
        assert keeper.sender.journal.in_flight()[0].attempts[-1].cancels


class TestRefused:
    def test_later_and_later(self, keeper, view):
        view.states_ = [DUE]
        data = keeper.commits.plan(view.states_, keeper.follower.state, view.head())[0].data
        view.refused.add(data)
        assert [reason for _, reason in keeper.cycle().refused] == ["NotYet()"]
        assert keeper.cycle().refused == ()

        view.now += 1
        assert len(keeper.cycle().refused) == 1
        view.now += 1
        assert keeper.cycle().refused == ()
        view.refused.clear()
        view.now += 1
        assert len(keeper.cycle().sent) == 1

    def test_alone_where_not_together(self, keeper, view):
        view.states_ = [DUE, market(1, next=NOW - 4, latest=NOW - 20)]
        (both,) = keeper.commits.plan(view.states_, keeper.follower.state, view.head())
        view.refused |= {both.data, both.split()[1].data}
        report = keeper.cycle()

        assert [work.items for work, _ in report.sent] == [both.split()[0].items]
        assert [work.items for work, _ in report.refused] == [both.split()[1].items]

    def test_by_the_node(self, keeper, view, monkeypatch):
        """As without ether: the others have their turn."""
        view.states_ = [DUE]
        broke = RpcError("eth_estimateGas", -32000, "insufficient funds")
        monkeypatch.setattr(view, "gas", lambda *_: (_ for _ in ()).throw(broke))

        assert "insufficient funds" in keeper.cycle().refused[0][1]

    def test_without_profit(self, make_keeper, view):
        view.states_ = [DUE]
        keeper = make_keeper(profit=lambda *_: "it costs more than it earns")

        assert keeper.cycle().refused[0][1] == "it costs more than it earns"
        assert view.pool == []


class TestAccounts:
    def test_who_waits_is_settled(self, keeper, view, state):
        for account in (ALICE, BOB):
            state.add_pending(INFOS[0].address, account, NOW - 10)
        view.waiting = {ALICE: (1, False), BOB: (0, False)}
        view.states_ = [market()]
        (sent,) = keeper.cycle().sent

        # Bob was settled by somebody else.
        assert sent[0].items == ((Kind.SETTLE, INFOS[0].address, ALICE),)
        assert state.waiting(INFOS[0].address, NOW) == {ALICE: 0}

    def test_many_at_once(self, keeper, view, state):
        accounts = [f"0x{number:040x}" for number in range(1, 51)]
        for account in accounts:
            state.add_pending(INFOS[0].address, account, NOW - 10)
        view.waiting = dict.fromkeys(accounts, (1, False))
        view.states_ = [market()]
        sent = keeper.cycle().sent

        assert [len(work.items) for work, _ in sent] == [40, 10]
        assert {work.to for work, _ in sent} == {ADDRESS}

    def test_later_orders_are_no_reason(self, keeper, view, state):
        state.add_pending(INFOS[0].address, ALICE, NOW - 10)
        state.add_pending(INFOS[0].address, ALICE, NOW + 10)
        view.waiting = {ALICE: (1, False)}
        view.states_ = [market()]

        assert keeper.cycle().sent == ()

    def test_a_lock_that_is_over(self, keeper, view, state):
        state.add_pending(INFOS[0].address, ALICE, NOW - 10, is_lock=True)
        view.waiting = {ALICE: (0, True)}
        view.states_ = [market()]

        assert kinds(keeper.cycle().sent) == [Kind.SETTLE]

    def test_a_backlog_is_worked_off_first(self, keeper, view, state):
        state.add_pending(INFOS[0].address, ALICE, NOW - 10)
        view.waiting = {ALICE: (1, False)}
        view.states_ = [market(pending=13, settled=NOW - 500)]

        assert kinds(keeper.cycle().sent) == [Kind.ADVANCE]

    @pytest.mark.parametrize(
        ("changes", "count"),
        [({}, 1), ({"is_valid": False}, 0), ({"stale_at": NOW + 2}, 0), ({"stale_at": NOW + 3}, 1)],
    )
    def test_who_is_unhealthy_is_liquidated(self, keeper, view, state, changes, count):
        """Not where the price is stale by the time that it is mined."""
        state.settle(INFOS[0].address, ALICE, NOW - 50, 5)
        view.unhealthy = [ALICE]
        view.states_ = [market(**changes)]

        assert kinds(keeper.cycle().sent) == [Kind.LIQUIDATE] * count


class TestPay:
    def test_claims_what_is_its_own(self, make_keeper, view, state):
        for version in (10, 20, 30, 40):
            state.add_unpaid(INFOS[0].address, version)
        # Paid already; nothing charged; not settled yet.
        view.fees = {10: (5, True), 20: (5, False), 30: (0, True)}
        view.credit = 7
        view.states_ = [market(settled=35), market(1)]
        keeper = make_keeper(claim_every=100)

        assert kinds(keeper.cycle().sent) == [Kind.CLAIM, Kind.COLLECT, Kind.COLLECT]
        assert state.unpaid(INFOS[0].address, 100) == [10, 40]
        # The next pay day is later.
        view.mine()
        assert keeper.cycle().sent == ()

    def test_not_for_less(self, make_keeper, view, state):
        state.add_unpaid(INFOS[0].address, 10)
        view.fees, view.credit, view.states_ = {10: (5, True)}, 5, [market(), market(1)]

        assert make_keeper(claim_every=100, claim_least=5).cycle().sent == ()


def test_a_dry_run_sends_nothing(make_keeper, view):
    view.states_ = [DUE]
    report = make_keeper(sends=False, dry_run=True).cycle()

    assert kinds((work, "") for work in report.due) == [Kind.COMMIT]
    assert report.sent == ()
    assert view.pool == []


def test_a_dry_run_says_what_would_not_pay(make_keeper, view):
    said = []
    view.states_ = [DUE]
    for reason in (None, "it earns 0 and costs 0.1"):
        keeper = make_keeper(sends=False, dry_run=True, profit=lambda *_, reason=reason: reason)
        keeper.say = lambda what, values: said.append((what, values["kind"], values.get("reason")))
        keeper.cycle()

    assert said == [("would", "commit", None), ("would not", "commit", "it earns 0 and costs 0.1")]


def test_says_what_happens(keeper, view):
    said = []
    keeper.say = lambda what, values: said.append((what, values["kind"]))
    view.states_ = [DUE]
    keeper.cycle()
    view.mine()
    view.states_ = []
    keeper.cycle()

    assert said == [("sent", "commit"), ("mined", "commit")]
