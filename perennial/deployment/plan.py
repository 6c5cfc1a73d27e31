"""What a deployment consists of: steps with names, each with the question whether the chain has it already.

The plan follows from the network's file, the deployer and the compiled contracts alone: every address in it is known
before the first transaction (create2.py). A further contract of the protocol is one more call of `_Planner.contract`;
one that has an owner is named in OWNED as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from perennial.abi import interface
from perennial.chain import Contract
from perennial.deployment import create2
from perennial.deployment.fields import ZERO
from perennial.deployment.network import ANYONE, MOCK, Network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perennial.chain import Chain

PROPOSER = keccak(text="PROPOSER_ROLE")
EXECUTOR = keccak(text="EXECUTOR_ROLE")
CANCELLER = keccak(text="CANCELLER_ROLE")
ADMIN = bytes(32)
"""Roles of the timelock."""

OWNED = ("OracleFactory", "PythOracle", "ChainlinkOracle", "MarketFactory", "VaultFactory")
"""Contracts whose owner is the protocol's."""

HANDOVER_SALT = keccak(text="perennial:handover")
"""Of the timelock's first operation."""

NO_PREDECESSOR = bytes(32)

MOCK_PYTH = (60, 1)
"""Arguments of the SDK's mock: seconds for which a price is fresh, wei an update."""


@dataclass(frozen=True)
class Step:
    """One transaction of the deployer's, unless `done` finds that the chain has its effect.

    `creates` is the name of the contract that it makes.
    """

    name: str
    to: str
    data: bytes
    done: Callable[[Chain], bool]
    creates: str | None = None


@dataclass(frozen=True)
class Planned:
    """A contract of the plan: its name in the manifest, the artifact, where it will be, its constructor's arguments.

    `parent` is the contract that makes it, where that is not a step of its own.
    """

    name: str
    artifact: str
    address: str
    arguments: tuple[Any, ...]
    parent: str | None = None


@dataclass
class Plan:
    """All of a deployment, in order. `tokens` are addresses by name, `timelock` is None where an account owns."""

    network: Network
    deployer: str
    owner: str
    timelock: str | None
    pyth: str
    steps: list[Step] = field(default_factory=list)
    contracts: dict[str, Planned] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def address(self, name: str) -> str:
        """Where a contract of the plan is or will be."""
        return self.contracts[name].address

    def digest(self) -> str:
        """What tells this plan from another one."""
        return "0x" + keccak(b"".join(step.to.encode() + keccak(step.data) for step in self.steps)).hex()


def plan(network: Network, deployer: str, known: Mapping[str, str] | None = None) -> Plan:
    """The plan for a network, deployed by `deployer`.

    `known` are contracts that are there already, by name, wherever and from whichever sources: they stay what they are.
    """
    planner = _Planner(network.resolved(deployer), to_checksum_address(deployer), known or {})
    planner.contracts()
    planner.settings()
    planner.ownership()
    return planner.plan


def handover(plan: Plan) -> tuple[list[str], list[bytes]]:
    """Targets and calls of the timelock's first operation: it takes the protocol over, nobody keeps more than is said.

    All at once, so that there is no moment at which some of the roles are given and others are not taken.
    """
    owner, timelock = plan.network.owner, plan.address("Timelock")
    targets = [plan.address(name) for name in OWNED]
    calls = [call("MarketFactory", "acceptOwnership")] * len(OWNED)
    grants = [(PROPOSER, each) for each in owner.proposers]
    grants += [(CANCELLER, each) for each in dict.fromkeys((*owner.proposers, *owner.cancellers))]
    grants += [(EXECUTOR, ZERO if each == ANYONE else each) for each in owner.executors]
    roles = [call("Timelock", "grantRole", *grant) for grant in grants]
    roles += [
        call("Timelock", "revokeRole", role, plan.deployer)
        for role in (PROPOSER, CANCELLER, EXECUTOR)
        if (role, plan.deployer) not in grants
    ]
    roles.append(call("Timelock", "updateDelay", owner.delay))
    return targets + [timelock] * len(roles), calls + roles


def call(artifact: str, name: str, *arguments: Any) -> bytes:
    """Calldata of a function of one of the project's contracts."""
    return interface(artifact).function(name, len(arguments)).encode(arguments)


def has_code(chain: Chain, address: str) -> bool:
    """Whether there is a contract."""
    return len(str(chain.rpc.call("eth_getCode", address, "latest"))) > len("0x")


class _Planner:
    def __init__(self, network: Network, deployer: str, known: Mapping[str, str]) -> None:
        pyth = "" if network.pyth == MOCK else network.pyth
        self.plan = Plan(network, deployer, network.owner.account, None, pyth)
        self.network, self.deployer, self.known = network, deployer, known
        self._salt = create2.salt_of(network.salt)

    def contracts(self) -> None:
        """Everything that is made."""
        network = self.network
        oracles = self.contract("OracleFactory", self.deployer)
        payoffs = self.contract("PayoffFactory")
        if network.pyth == MOCK:
            self.plan.pyth = self.contract("MockPyth", *MOCK_PYTH)
        self.contract("PythOracle", self.plan.pyth, oracles, self.deployer, network.pyth_window.to_abi())
        sequencer = (network.sequencer_feed, network.sequencer_grace)
        self.contract("ChainlinkOracle", *sequencer, oracles, self.deployer, network.chainlink_window.to_abi())
        factory = self.contract("MarketFactory", self.deployer, oracles, payoffs, network.parameter.to_abi())
        self.child("Verifier", "MarketFactory", 1, factory)
        extension = self.contract("MarketExtension", factory)
        intents = self.contract("MarketIntents", factory)
        self.contract("Market", factory, extension, intents)
        vaults = self.contract("VaultFactory", self.deployer, factory)
        self.contract("Vault", vaults, factory, self.contract("VaultEpochs", factory))
        for name, token in network.tokens.items():
            self.plan.tokens[name] = token.address
            if token.address == MOCK:
                made = self.contract("MockToken", f"Mock {name}", name, token.decimals, name=f"token {name}")
                self.plan.tokens[name] = made

    def settings(self) -> None:
        """What the contracts are told of each other."""
        for factory, code in (("MarketFactory", "Market"), ("VaultFactory", "Vault")):
            there = self.plan.address(code)
            self.setting(factory, "upgradeTo", there, reads=("implementation",), wanted=there)
        factory = self.plan.address("MarketFactory")
        for adapter in ("PythOracle", "ChainlinkOracle"):
            there = self.plan.address(adapter)
            self.setting("OracleFactory", "updateAdapter", there, True, reads=("isAdapter", there), wanted=True)
        self.setting("OracleFactory", "updateMarketFactory", factory, reads=("marketFactory",), wanted=factory)
        pauser = self.network.pauser
        if pauser != ZERO:
            self.setting("MarketFactory", "updatePauser", pauser, reads=("pauser",), wanted=pauser)

    def ownership(self) -> None:
        """The protocol goes from the deployer to its owner."""
        if self.network.owner.timelock:
            roles = [self.deployer]
            self.plan.owner = self.plan.timelock = self.contract("Timelock", 0, roles, roles, ZERO)
        if self.plan.owner == self.deployer:
            return
        for name in OWNED:
            self._transfer(name)
        if self.plan.timelock is not None:
            self._take_over(self.plan.timelock)

    def contract(self, artifact: str, *arguments: Any, name: str | None = None) -> str:
        """One more contract; returns where it will be."""
        title = name or artifact
        code = create2.creation(artifact, arguments)
        address = self.known.get(title) or create2.address_of(self._salt, code)
        self._add(Planned(title, artifact, address, arguments))
        data = create2.calldata(self._salt, code)
        self._step(f"deploy {title}", create2.PROXY, data, lambda chain: has_code(chain, address), creates=title)
        return address

    def child(self, artifact: str, parent: str, nonce: int, *arguments: Any) -> None:
        """A contract that another one makes in its constructor."""
        address = self.known.get(artifact) or create2.child_of(self.plan.address(parent), nonce)
        self._add(Planned(artifact, artifact, address, arguments, parent))

    def setting(self, name: str, function: str, *arguments: Any, reads: tuple[Any, ...], wanted: Any) -> None:
        """A call of the owner's; done as well once that is not the deployer: what differs then was decided since."""
        address = self.plan.address(name)
        getter, *about = reads

        def done(chain: Chain) -> bool:
            contract = Contract(chain, name, address)
            if _owner(contract) != self.deployer.lower():
                return True
            return _same(contract.read(getter, *about), wanted)

        shown = ", ".join(self._show(argument) for argument in arguments)
        self._step(f"{name}.{function}({shown})", address, call(name, function, *arguments), done)

    def _transfer(self, name: str) -> None:
        address, owner = self.plan.address(name), self.plan.owner

        def done(chain: Chain) -> bool:
            contract = Contract(chain, name, address)
            return _owner(contract) != self.deployer.lower() or _same(contract.read("pendingOwner"), owner)

        data = call(name, "transferOwnership", owner)
        self._step(f"{name}.transferOwnership({self._show(owner)})", address, data, done)

    def _take_over(self, timelock: str) -> None:
        targets, calls = handover(self.plan)
        batch = (targets, [0] * len(targets), calls, NO_PREDECESSOR, HANDOVER_SALT)
        identifier = keccak(_encode_batch(batch))
        scheduled = call("Timelock", "scheduleBatch", *batch, 0)
        executed = call("Timelock", "executeBatch", *batch)

        def asked(name: str) -> Callable[[Chain], bool]:
            return lambda chain: bool(Contract(chain, "Timelock", timelock).read(name, identifier))

        self._step("Timelock.scheduleBatch(take over)", timelock, scheduled, asked("isOperation"))
        self._step("Timelock.executeBatch(take over)", timelock, executed, asked("isOperationDone"))

    def _add(self, planned: Planned) -> None:
        self.plan.contracts[planned.name] = planned

    def _step(self, name: str, to: str, data: bytes, done: Callable[[Chain], bool], creates: str | None = None) -> None:
        self.plan.steps.append(Step(name, to, data, done, creates))

    def _show(self, argument: Any) -> str:
        for name, planned in self.plan.contracts.items():
            if planned.address == argument:
                return name
        return str(argument)


def _encode_batch(batch: Sequence[Any]) -> bytes:
    """What the timelock hashes to name an operation."""
    return interface("Timelock").function("hashOperationBatch", 5).encode(batch)[4:]


def _owner(contract: Contract) -> str:
    return str(contract.read("owner")).lower()


def _same(found: Any, wanted: Any) -> bool:
    return str(found).lower() == str(wanted).lower()
