"""SolverNode: what the solver asks a chain, against the contracts."""

import pytest

from perennial.amounts import raw
from perennial.artifacts import load
from perennial.chain import Chain
from perennial.intents import Intent, sign
from perennial.keeper.rollup import GAS_PRICE_ORACLE
from perennial.local import FREE, NOBODY, LocalMarket
from perennial.solver.batch import Gas
from perennial.solver.node import SolverNode
from perennial.solver.orders import Cross, Fill, Open
from perennial.solver.solver import TAKEN_BACK

PRICE, LATER = raw(60_000), 2**40
MOST = Gas().most


@pytest.fixture(scope="module")
def local(chain, accounts):  # noqa: ARG001 -- needs Ape's connection
    local = LocalMarket.deploy(PRICE)
    local.market.update(local.maker, raw(100), 0, raw(2_000_000), NOBODY, sender=local.maker, **FREE)
    local.commit(PRICE)
    for account in (local.short, local.trader):
        local.market.update(account, 0, 0, raw(100_000), NOBODY, sender=account, **FREE)
    return local


@pytest.fixture
def node(local, chain):
    node = SolverNode(chain.provider.http_uri, local.market.address, local.short.address, local.short.address)
    yield node
    node.rpc.close()


@pytest.fixture
def make(local, node):
    """An open intent of the trader's, or of a contract wallet that takes `signature`."""

    def make(amount, price="60000", *, key=None, wallet=None, signature=b"", **changes):
        account = wallet or key or local.trader
        terms = {"account": account.address, "expiry": LATER, **changes}
        intent = Intent.build(market=local.market.address, amount=amount, price=price, **terms)
        signed = signature if wallet else sign(intent, node.domain, account)
        return Open("0x", 1, intent, signed, intent.size, wallet is None)

    return make


def test_the_price_is_the_oracles_latest(local, node):
    """The market has not settled to it yet: a fill would."""
    before = local.market.price()
    version = local.oracle.status()[1]
    local.oracle.set(version, PRICE + 1, True, version + 25, sender=local.owner, **FREE)

    snapshot = node.snapshot()

    assert local.market.price() == before == PRICE
    assert (snapshot.price, snapshot.age, snapshot.inventory) == (PRICE + 1, 25, 0)


def test_no_price(local, node):
    version = local.oracle.status()[1]
    local.oracle.set(version, 0, False, version + 10, sender=local.owner, **FREE)

    assert node.snapshot().price is None


def test_gas_of_what_would_be_made(local, node, make):
    """As much as it takes: a transaction with it does not run out."""
    order = make("1")
    [gas] = node.trials([Fill(order, raw(1), PRICE)], MOST)
    assert isinstance(gas, int)

    arguments = order.intent.to_abi(), order.signature, raw(1), PRICE, local.short
    local.market.fill(*arguments, sender=local.short, gas_limit=gas, **FREE)
    assert node.snapshot().inventory == -raw(1)


def test_why_not(local, node, make):
    poor = make("-1", key=local.keeper)
    worse = make("1", price="59999")

    reasons = node.trials([Cross(make("1"), poor, raw(1), PRICE), Fill(worse, raw(1), PRICE)], MOST)

    assert [str(reason).partition("(")[0] for reason in reasons] == ["InsufficientMargin", "WorsePrice"]


def test_what_a_rollup_takes_for_posting(node, make, chain, project, operator):
    """Nothing where there is none; else what its oracle says of a transaction with all the deals, and of its gas."""
    deals = [Fill(make("1", nonce=number), raw(1), PRICE) for number in range(3)]
    assert node.posting(deals, 1_000_000) == 0

    chain.provider.set_code(GAS_PRICE_ORACLE, load("MockGasPriceOracle").runtime)
    project.MockGasPriceOracle.at(GAS_PRICE_ORACLE).set(10**6, 7, 0, 0, sender=operator, **FREE)
    posted = node.posting(deals, 1_000_000) - 7_000_000

    size = len(node.calldata(deals))
    assert size < posted // 10**6 < size + 200


def test_a_wallet_that_burns_gas(local, node, make, project):
    """It is refused alone; the others are answered."""
    burner = local.trader.deploy(project.MockBurner, **FREE)
    bad, good = make("1", wallet=burner), make("1")

    reason, gas = node.trials([Fill(bad, raw(1), PRICE), Fill(good, raw(1), PRICE)], MOST)

    assert isinstance(reason, str)
    assert isinstance(gas, int)


def test_a_wallet_at_the_end_of_a_batch_harms_nobody(local, node, make, project):
    """It burns the gas that is left, and is skipped: what came before it is filled."""
    burner = local.trader.deploy(project.MockBurner, **FREE)
    good, bad = make("1"), make("1", wallet=burner)
    deals = [Fill(good, raw(1), PRICE), Fill(bad, raw(1), PRICE)]
    gas = Gas().base + sum(Gas().of(deal) for deal in deals)

    digest = Chain(node.rpc).submit(local.short.address, local.market.address, node.calldata(deals), gas=gas)
    node.rpc.call("evm_mine")

    mined = node.receipt(digest)
    assert mined is not None
    assert (mined.succeeded, set(mined.skipped)) == (True, {1})
    assert mined.skipped[1].startswith(TAKEN_BACK)
    assert node.remaining([good.intent, bad.intent]) == [0, raw(1)]
