"""The flows that are measured. To add one: a function here, and its row in references.py.

Each begins on a fresh copy of the bench and returns the gas of its transaction. `g` and `l` are the versions of the
market and of the account that the transaction settles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.amounts import raw
from perennial.benchmarks.vault import VaultBench
from perennial.local import ALL, FREE, NOBODY, START, STEP, register_oracle

if TYPE_CHECKING:
    from collections.abc import Callable

    from ape.api import ReceiptAPI

    from perennial.benchmarks.bench import Bench


@dataclass(frozen=True)
class Measure:
    """Gas of a flow, and the transaction that it was read from."""

    gas: int
    transaction: str


#: Fills of the batch that is measured.
BATCH = 20

FLOWS: dict[str, Callable[[Bench], Measure]] = {}


def flow(function: Callable[[Bench], Measure]) -> Callable[[Bench], Measure]:
    """Registers a flow under the function's name."""
    FLOWS[function.__name__] = function
    return function


def _of(receipt: ReceiptAPI) -> Measure:
    return Measure(receipt.gas_used, receipt.txn_hash)


@flow
def create_market(bench: Bench) -> Measure:
    """Opens a market, all parameters set, in a factory that has one already."""
    definition = {
        "token": bench.token,
        "reward": NOBODY,
        "oracle": register_oracle(bench.protocol),
        "payoff": NOBODY,
        "beneficiary": bench.owner,
    }
    factory = bench.protocol.market_factory
    return _of(factory.create(definition, bench.risk, bench.parameter, sender=bench.owner, **FREE))


@flow
def first_open_with_deposit(bench: Bench) -> Measure:
    """A new account deposits and opens long; 1 g, of somebody else's order."""
    bench.order(bench.maker)
    bench.move()
    bench.expect(bench.trader, market=1, account=0)
    return _of(bench.update(bench.trader, taker=raw("0.5"), collateral=raw(10_000)))


@flow
def market_order(bench: Bench) -> Measure:
    """A long increases; 1 g + 1 l, of its order before."""
    bench.order(bench.long)
    bench.move()
    bench.expect(bench.long, market=1, account=1)
    return _of(bench.update(bench.long, taker=raw("0.1")))


@flow
def close(bench: Bench) -> Measure:
    """A long closes all it has; 1 g + 1 l, of its order before."""
    bench.order(bench.long)
    bench.move()
    bench.expect(bench.long, market=1, account=1)
    return _of(bench.update(bench.long, taker=ALL))


@flow
def deposit(bench: Bench) -> Measure:
    """An account with a position deposits; nothing to settle."""
    bench.expect(bench.long, market=0, account=0)
    return _of(bench.update(bench.long, collateral=raw(1_000)))


@flow
def withdraw(bench: Bench) -> Measure:
    """A long with a position withdraws a part; 1 g + 1 l, of its order before."""
    bench.order(bench.long)
    bench.move()
    bench.expect(bench.long, market=1, account=1)
    return _of(bench.update(bench.long, collateral=-raw(1_000)))


@flow
def settle_one(bench: Bench) -> Measure:
    """A keeper settles a long; 1 g + 1 l, of its order."""
    bench.order(bench.long)
    bench.move()
    bench.expect(bench.long, market=1, account=1)
    return _of(bench.settle(bench.long))


@flow
def settle_idle(bench: Bench) -> Measure:
    """A keeper settles a long when there is nothing to settle."""
    bench.expect(bench.long, market=0, account=0)
    return _of(bench.settle(bench.long))


@flow
def settle_marginal(bench: Bench) -> Measure:
    """Each further pending version in one settle: as many as an account may have, less one, by their number."""
    with bench.copy() as other:
        first = settle_many(other, 1)
    every = settle_many(bench, bench.backlog)
    # Rounded up: n further versions cost no more than n times this.
    return Measure(-((first.gas - every.gas) // (bench.backlog - 1)), every.transaction)


def settle_many(bench: Bench, count: int) -> Measure:
    """A keeper settles a long with orders at `count` versions, all of them due; `count` g + `count` l."""
    versions = []
    for _ in range(count):
        bench.order(bench.long, "0.01")
        versions.append(bench.next())
    bench.move_late(versions)
    bench.expect(bench.long, market=count, account=count)
    return _of(bench.settle(bench.long))


@flow
def liquidate(bench: Bench) -> Measure:
    """A keeper liquidates a long that has ordered before; one version without orders to settle."""
    bench.update(bench.long, collateral=ALL)
    bench.commit(bench.price * 99 // 100)
    bench.expect(bench.long, market=0, account=0)
    return _of(bench.market.liquidate(bench.long, sender=bench.keeper, **FREE))


@flow
def fill(bench: Bench) -> Measure:
    """A short takes the other side of a long's new intent; 1 g + 2 l, of the fill before."""
    bench.fill()
    bench.move()
    bench.expect(bench.long, market=1, account=1)
    bench.expect(bench.short, market=1, account=1)
    return _of(bench.fill())


@flow
def cross(bench: Bench) -> Measure:
    """A keeper crosses new intents of a long and a short; 1 g + 2 l, of the fill before."""
    bench.fill()
    bench.move()
    bench.expect(bench.long, market=1, account=1)
    bench.expect(bench.short, market=1, account=1)
    return _of(bench.cross())


@flow
def fill_same_version(bench: Bench) -> Measure:
    """One more fill of the same two accounts at the same version, of another intent; nothing to settle."""
    bench.fill()
    bench.expect(bench.long, market=1, account=1)
    return _of(bench.fill())


@flow
def fill_batch_20(bench: Bench) -> Measure:
    """Each of 20 fills of new intents in one batch; 1 g + 2 l, of the fill before, by their number."""
    bench.fill()
    bench.move()
    bench.expect(bench.long, market=1, account=1)
    bench.expect(bench.short, market=1, account=1)
    receipt = bench.fill_batch([bench.long] * BATCH)
    return Measure(-(-receipt.gas_used // BATCH), receipt.txn_hash)


@flow
def fill_batch_20_traders(bench: Bench) -> Measure:
    """Each of 20 fills of new intents of 20 traders in one batch; 1 g, and 1 l of each and of the filler."""
    traders = bench.traders(BATCH)
    bench.fill_batch(traders)
    bench.move()
    for actor in (*(trader.address for trader in traders), bench.short):
        bench.expect(actor, market=1, account=1)
    receipt = bench.fill_batch(traders)
    return Measure(-(-receipt.gas_used // BATCH), receipt.txn_hash)


@flow
def commit_requested(bench: Bench) -> Measure:
    """A keeper commits a version that an order waits for and earns its settlement fee; prices from MockPyth."""
    pyth = bench.pyth_market()
    version = pyth.request(START + 32)
    receipt = pyth.commit(version, version + 6)
    if (earned := pyth.earned(version)) != bench.parameter["settlementFee"]:
        raise AssertionError(f"the keeper can claim {earned}")
    return _of(receipt)


@flow
def commit_unrequested(bench: Bench) -> Measure:
    """A keeper commits a version that nobody waits for; prices from MockPyth."""
    pyth = bench.pyth_market()
    version = (START + 32) // STEP * STEP
    if pyth.oracle.next() != 0:
        raise AssertionError("a version is requested")
    return _of(pyth.commit(version, version + 6))


@flow
def vault_request_deposit(bench: Bench) -> Measure:
    """A new depositor joins the open epoch of a vault over two markets."""
    vault = VaultBench.deploy(bench)
    vault.request(1_000)
    return _of(vault.request(5_000, bench.trader))


@flow
def vault_close_epoch(bench: Bench) -> Measure:
    """A keeper closes an epoch of a vault over two markets: a version to settle and an order in both."""
    return close_epoch(VaultBench.deploy(bench))


@flow
def vault_settle(bench: Bench) -> Measure:
    """A keeper settles an epoch of a vault over two markets; 1 g + 1 l in both."""
    return settle_epoch(VaultBench.deploy(bench))


def close_epoch(vault: VaultBench) -> Measure:
    """A keeper closes an epoch with a deposit, when every market has a new price."""
    vault.request(1_000)
    vault.move()
    vault.expect(0)
    receipt = vault.close()
    vault.expect(1)
    return _of(receipt)


def settle_epoch(vault: VaultBench) -> Measure:
    """A keeper settles such an epoch when every market has its version."""
    close_epoch(vault)
    vault.move()
    receipt = vault.settle()
    vault.expect(0)
    return _of(receipt)
