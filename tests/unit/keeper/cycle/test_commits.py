"""Which versions are committed, when, with what (docs/protocol.md §11.3)."""

from dataclasses import dataclass

import pytest

from perennial.keeper.chainlink import Rounds
from perennial.keeper.commits import SILENCE, Commits, Freshening
from perennial.keeper.hermes import HermesError
from perennial.keeper.view import Adapter, Head
from perennial.keeper.work import Kind
from perennial.multicall import ADDRESS

from .conftest import ALICE, BTC, ETH, INFOS, NOW, PYTH_ORACLE, market

HEAD = Head(100, NOW, 0)


@dataclass
class FakeRounds:
    """Chainlink's: always the same ones."""

    rounds: Rounds

    def first(self, *_):
        return self.rounds


@pytest.fixture
def plan(commits, state):
    def plan(*states, head=HEAD):
        return commits.plan(states, state, head)

    return plan


def kinds(works):
    return [work.kind for work in works]


class TestRequested:
    def test_before_its_window(self, plan, prices):
        assert plan(market(next=NOW - 3, latest=NOW - 20)) == []
        assert prices.asked == []

    def test_in_its_window(self, plan):
        (work,) = plan(market(next=NOW - 4, latest=NOW - 20))

        assert (work.kind, work.to, work.value) == (Kind.COMMIT, PYTH_ORACLE, 1)
        assert work.items == ((Kind.COMMIT, INFOS[0].oracle, str(NOW - 4)),)
        assert f"{BTC}@{NOW}".encode() in work.data

    def test_the_first_update_not_the_newest(self, plan):
        (work,) = plan(market(next=NOW - 30, latest=NOW - 50))

        assert f"{BTC}@{NOW - 26}".encode() in work.data

    def test_no_update_yet(self, plan, prices):
        prices.now = NOW - 1

        assert plan(market(next=NOW - 4, latest=NOW - 20)) == []

    def test_no_update_in_the_window(self, plan, prices):
        prices.missing[BTC] = set(range(NOW - 26, NOW - 19))

        assert plan(market(next=NOW - 30, latest=NOW - 50)) == []

    @pytest.mark.parametrize(("age", "kind"), [(37, Kind.COMMIT), (38, None), (39, None), (40, Kind.INVALID)])
    def test_expiry(self, plan, age, kind):
        """Not so late that it is mined too late; then only without a price."""
        works = plan(market(next=NOW - age, latest=NOW - 60))

        assert kinds(works) == ([kind] if kind else [])

    def test_several_oracles_at_once(self, plan):
        (work,) = plan(market(next=NOW - 10, latest=NOW - 20), market(1, next=NOW - 10, latest=NOW - 20))

        assert [item[1] for item in work.items] == [INFOS[0].oracle, INFOS[1].oracle]
        assert [part.items for part in work.split()] == [(item,) for item in work.items]

    def test_by_itself_one_pays_for_its_own_feeds_alone(self, plan):
        (work,) = plan(market(next=NOW - 10, latest=NOW - 20), market(1, next=NOW - 10, latest=NOW - 20))
        alone, both = work.split()

        assert (work.value, alone.value, both.value) == (4, 1, 2)
        assert f"{BTC}@{NOW - 6}".encode() in alone.data
        assert ETH.encode() not in alone.data

    def test_by_itself_one_has_the_groups_updates_where_its_own_cannot_be_had(self, plan, prices, monkeypatch):
        (work,) = plan(market(next=NOW - 10, latest=NOW - 20), market(1, next=NOW - 10, latest=NOW - 20))

        def fail(*_):
            raise HermesError("no answer")

        monkeypatch.setattr(prices, "first", fail)
        assert [part.value for part in work.split()] == [2, 2]

    def test_a_feed_that_is_missing_keeps_nobody_back(self, plan, prices):
        prices.missing[ETH] = set(range(NOW - 20, NOW + 1))
        (work,) = plan(market(next=NOW - 10, latest=NOW - 20), market(1, next=NOW - 10, latest=NOW - 20))

        assert [item[1] for item in work.items] == [INFOS[0].oracle]

    def test_invalid_needs_no_prices(self, plan, prices, monkeypatch):
        monkeypatch.setattr(prices, "first", lambda *_: (_ for _ in ()).throw(HermesError("away")))
        works = plan(market(next=NOW - 40, latest=NOW - 60), market(1, next=NOW - 10, latest=NOW - 20))

        assert kinds(works) == [Kind.INVALID]

    def test_without_pyths_prices_chainlinks_are_committed(self, plan, prices, view, monkeypatch):
        monkeypatch.setattr(prices, "first", lambda *_: (_ for _ in ()).throw(HermesError("away")))
        view.rounds = FakeRounds(Rounds({ETH: 7}, {ETH: NOW - 5}))
        chainlinks = market(1, next=NOW - 10, latest=NOW - 20, adapter=Adapter("0x" + "cc" * 20, "", (ETH,)))
        (work,) = plan(market(next=NOW - 10, latest=NOW - 20), chainlinks)

        assert (work.kind, work.items[0][1]) == (Kind.COMMIT, INFOS[1].oracle)

    def test_of_another_source_nothing(self, plan):
        assert plan(market(next=NOW - 10, adapter=None)) == []

    def test_of_a_dead_adapter(self, plan):
        assert kinds(plan(market(next=NOW - 90_000, expires=True))) == [Kind.EXPIRE]


class TestBacklog:
    def test_one_call_in_order(self, plan, state):
        for version in (NOW - 45, NOW - 35, NOW - 25, NOW - 2):
            state.request(INFOS[0].address, version)
        (work,) = plan(market(next=NOW - 45, latest=NOW - 60))

        assert (work.kind, work.to, work.value) == (Kind.COMMIT, ADDRESS, 2)
        assert work.items == (
            (Kind.INVALID, INFOS[0].oracle, str(NOW - 45)),
            (Kind.COMMIT, INFOS[0].oracle, str(NOW - 35)),
            (Kind.COMMIT, INFOS[0].oracle, str(NOW - 25)),
        )
        assert [part.items for part in work.split()] == [work.items[:1]]

    def test_none_is_skipped(self, plan, state, prices):
        """Where one has neither price nor expired, those after it wait."""
        prices.missing[BTC] = set(range(NOW - 26, NOW - 19))
        for version in (NOW - 30, NOW - 20):
            state.request(INFOS[0].address, version)

        assert plan(market(next=NOW - 30, latest=NOW - 60)) == []

    def test_not_beyond_the_adapter(self, plan, state):
        for version in (NOW - 35, NOW - 25):
            state.request(INFOS[0].address, version)
        (work,) = plan(market(next=NOW - 35, latest=NOW - 60, last=NOW - 30))

        assert work.items == ((Kind.COMMIT, INFOS[0].oracle, str(NOW - 35)),)


class TestUnrequested:
    def test_nobody_there(self, plan, view):
        view.unhealthy_then = [ALICE]

        assert plan(market(latest=NOW - 500)) == []

    def test_somebody_would_be_liquidatable(self, plan, view, state):
        state.settle(INFOS[0].address, ALICE, NOW - 50, 5)
        assert plan(market(latest=NOW - 50)) == []

        view.unhealthy_then = [ALICE]
        (work,) = plan(market(latest=NOW - 50), head=Head(101, NOW + 10, 0))
        assert work.kind is Kind.FRESHEN

    def test_looked_at_now_and_then(self, plan, prices, state):
        state.settle(INFOS[0].address, ALICE, NOW - 50, 5)
        plan(market(latest=NOW - 50))
        asked = len(prices.asked)
        plan(market(latest=NOW - 50), head=Head(101, NOW + 9, 0))

        assert len(prices.asked) == asked

    def test_refused(self, plan, view, state):
        state.settle(INFOS[0].address, ALICE, NOW - 50, 5)
        view.unhealthy_then = None

        assert plan(market(latest=NOW - 50, is_valid=False)) == []

    def test_after_an_invalid_version(self, plan, state):
        state.settle(INFOS[0].address, ALICE, NOW - 50, 5)

        assert kinds(plan(market(latest=NOW - 50, is_valid=False))) == [Kind.FRESHEN]

    def test_the_first_version_of_a_market(self, plan):
        """Nobody can hold anything before it, nor order."""
        (work,) = plan(market(latest=0, is_valid=False, settled=0))

        assert (work.kind, work.items) == (Kind.FRESHEN, ((Kind.FRESHEN, INFOS[0].oracle),))

    def test_after_an_invalid_version_where_nobody_holds_anything(self, plan):
        assert kinds(plan(market(latest=NOW - 50, is_valid=False))) == [Kind.FRESHEN]

    def test_who_waits_without_having_asked(self, plan, state):
        """As with fills alone: their own version is committed as long as it can be, later any other."""
        state.add_pending(INFOS[0].address, ALICE, NOW - 30)
        (work,) = plan(market(latest=NOW - 60))
        assert f"{BTC}@{NOW - 26}".encode() in work.data

        (work,) = plan(market(latest=NOW - 60), head=Head(101, NOW + 20, 0))
        assert work.kind is Kind.FRESHEN
        assert f"{BTC}@{NOW}".encode() in work.data

    def test_by_age(self, view, prices, state):
        commits = Commits(view, prices, Freshening(max_age=20, look=0))

        assert commits.plan([market(latest=NOW - 20)], state, HEAD) == []
        (work,) = commits.plan([market(latest=NOW - 21)], state, HEAD)
        assert (work.kind, work.items) == (Kind.FRESHEN, ((Kind.FRESHEN, INFOS[0].oracle),))

    @pytest.mark.parametrize("is_known", [True, False])
    def test_a_feed_that_is_dead_keeps_back_no_other(self, view, prices, state, is_known):
        """It has stopped, or Hermes does not know it; and it is not asked again at once."""
        prices.missing[ETH] = set(range(NOW - 600, NOW + 60)) if is_known else range(2**40)
        commits = Commits(view, prices, Freshening(max_age=20, look=0))
        markets = [market(latest=NOW - 30), market(1, latest=NOW - 600)]
        (work,) = commits.plan(markets, state, HEAD)
        assert work.items == ((Kind.FRESHEN, INFOS[0].oracle),)

        prices.asked.clear()
        (again,) = commits.plan(markets, state, Head(101, NOW + 2, 0))
        assert (again.items, {ids for ids, _ in prices.asked}) == (work.items, {(BTC,)})
        late = commits.plan(markets, state, Head(110, NOW + SILENCE, 0))
        assert late[0].items == work.items
        assert ETH in {feed for ids, _ in prices.asked for feed in ids}

    def test_only_updates_that_are_needed_are_paid(self, view, prices, state):
        commits = Commits(view, prices, Freshening(max_age=20, look=10))
        state.settle(INFOS[1].address, ALICE, NOW - 50, 5)
        (work,) = commits.plan([market(latest=NOW - 21), market(1, latest=NOW - 10)], state, HEAD)

        assert (work.items, work.value) == (((Kind.FRESHEN, INFOS[0].oracle),), 1)

    def test_not_while_one_is_requested(self, plan, state):
        state.settle(INFOS[0].address, ALICE, NOW - 50, 5)

        assert plan(market(latest=NOW - 50, next=NOW, is_valid=False)) == []
