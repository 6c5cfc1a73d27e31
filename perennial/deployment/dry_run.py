"""What a deployment would do and cost, without sending anything.

The gas is measured, not guessed: the whole plan runs on an Anvil of its own, with the chain's id and the deployer's
address, where every contract lands where it will land.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table

from perennial.anvil import anvil
from perennial.chain import Chain, Rpc
from perennial.deployment.plan import has_code
from perennial.deployment.sender import UnlockedSender
from perennial.keeper.rollup import Source, Transaction, data_fee

if TYPE_CHECKING:
    from rich.console import Console

    from perennial.deployment.plan import Plan, Step
    from perennial.keeper.rollup import DataFee

_NOTES = {
    Source.EXACT: "data fees are the gas price oracle's own for these transactions",
    Source.BOUND: "data fees are the gas price oracle's upper bound: it no longer answers getL1Fee",
    Source.CALLDATA: "data fees are of plain calldata, which is too high: the gas price oracle has no better answer",
    Source.UNKNOWN: "data fees are missing: the gas price oracle is there and answers nothing",
    Source.NONE: "no data fees: this chain has no gas price oracle",
}


@dataclass(frozen=True)
class Cost:
    """What a step takes: units of gas, and what posting its data costs."""

    gas: int
    data: DataFee


@dataclass(frozen=True)
class DryRun:
    """A plan with what is left of it and what that costs. `gas_price` is in wei; the balance is the deployer's."""

    plan: Plan
    left: tuple[Step, ...]
    costs: dict[str, Cost]
    gas_price: int
    balance: int

    @property
    def total(self) -> int:
        """Wei for all that is left, at the present prices."""
        return sum(self.costs[step.name].gas * self.gas_price + self.costs[step.name].data.wei for step in self.left)


def dry_run(plan: Plan, chain: Chain) -> DryRun:
    """Looks at the chain and rehearses the plan. Raises StepError where it could not be carried out."""
    gas = rehearse(plan)
    price = int(chain.rpc.call("eth_gasPrice"), 16)
    left = tuple(step for step, done in zip(plan.steps, _done(plan, chain), strict=True) if not done)
    nonce = int(chain.rpc.call("eth_getTransactionCount", plan.deployer, "latest"), 16)
    costs = {}
    for index, step in enumerate(left):
        used = gas[step.name]
        unsigned = Transaction(plan.network.chain_id, nonce + index, price, 2 * price, used, step.to, 0, step.data)
        costs[step.name] = Cost(used, data_fee(chain.rpc, unsigned))
    balance = int(chain.rpc.call("eth_getBalance", plan.deployer, "latest"), 16)
    return DryRun(plan, left, costs, price, balance)


def rehearse(plan: Plan) -> dict[str, int]:
    """Gas of every step of a plan that is carried out from its beginning. Raises StepError."""
    with anvil(chain_id=plan.network.chain_id) as uri, Rpc(uri) as rpc:
        sender = UnlockedSender(Chain(rpc), plan.deployer)
        return {step.name: sender.send(step.name, step.to, step.data).receipt.gas_used for step in plan.steps}


def show(run: DryRun, console: Console) -> None:
    """Prints addresses, calls and costs."""
    plan = run.plan
    contracts = Table("contract", "address", "", title=f"{plan.network.name}, chain {plan.network.chain_id}")
    deployed = {step.creates for step in plan.steps if step.creates} - {step.creates for step in run.left}
    for name, planned in plan.contracts.items():
        contracts.add_row(name, planned.address, "there" if (planned.parent or name) in deployed else "to be made")
    console.print(contracts)
    console.print(f"owner    {plan.owner}{' (timelock)' if plan.timelock else ''}")
    console.print(f"pauser   {plan.network.pauser}")
    console.print(f"deployer {plan.deployer}")

    steps = Table("", title=f"{len(run.left)} of {len(plan.steps)} steps are left")
    steps.add_column("transaction", overflow="fold")
    steps.add_column("gas", justify="right")
    steps.add_column("data fee, ETH", justify="right")
    for number, step in enumerate(plan.steps, 1):
        cost = run.costs.get(step.name)
        figures = (f"{cost.gas:,}", ether(cost.data.wei)) if cost else ("done", "")
        steps.add_row(str(number), step.name, *figures)
    console.print(steps)
    console.print(f"gas {sum(cost.gas for cost in run.costs.values()):,} at {ether(run.gas_price * 10**9)} gwei")
    for source in dict.fromkeys(cost.data.source for cost in run.costs.values()):
        console.print(_NOTES[source])
    console.print(f"costs about {ether(run.total)} ETH; {plan.deployer} has {ether(run.balance)}")
    if run.total > run.balance:
        console.print("[bold red]that is too little[/]")


def ether(wei: int) -> str:
    """Wei as ether, all digits."""
    whole, part = divmod(wei, 10**18)
    return f"{whole}.{part:018}".rstrip("0").rstrip(".")


def _done(plan: Plan, chain: Chain) -> list[bool]:
    """For each step whether the chain has it. What a step asks may not be there yet: then it is not done."""
    return [has_code(chain, _target(plan, step)) and step.done(chain) for step in plan.steps]


def _target(plan: Plan, step: Step) -> str:
    """The contract that a step's question is put to."""
    return plan.address(step.creates) if step.creates else step.to
