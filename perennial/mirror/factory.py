"""What a market reads of the MarketFactory: roles, bounds, approvals, pause (docs/protocol.md §2, §4.3)."""

from dataclasses import dataclass, field

from perennial.mirror.errors import FactoryPaused, NotOwner, NotPauser
from perennial.mirror.orders import NOBODY
from perennial.mirror.parameters import ProtocolParameter, validate_protocol
from perennial.mirror.verifier import Approval, Verifier


@dataclass(slots=True)
class Factory:
    """The factory of markets. `oracle_factory` is who claims the oracle fee."""

    parameter: ProtocolParameter
    owner: str = "owner"
    pauser: str = NOBODY
    oracle_factory: str = "oracle factory"
    address: str = "factory"
    paused: bool = False
    approvals: set[tuple[str, str]] = field(default_factory=set)
    verifier: Verifier = field(default_factory=Verifier)

    def update_parameter(self, parameter: ProtocolParameter, caller: str | None = None) -> None:
        """Sets the protocol's parameters; a protocol fee applies from a market's next settlement on."""
        if caller not in (None, self.owner):
            raise NotOwner(caller)
        validate_protocol(parameter)
        self.parameter = parameter

    def update_operator(self, account: str, operator: str, approved: bool) -> None:
        """Lets `operator` act for `account`, or stops it."""
        if approved:
            self.approvals.add((account, operator))
        else:
            self.approvals.discard((account, operator))

    def relay(self, message: Approval, signature: str) -> None:
        """A signed approval of an operator or signer, which anyone may bring; `signature` is the name of who signed."""
        if self.paused:
            raise FactoryPaused
        self.verifier.approve(message, signature, self.address)
        update = self.verifier.update_signer if message.signs else self.update_operator
        update(message.account, message.approves, message.approved)

    def operators(self, account: str, operator: str) -> bool:
        """Whether `operator` may act for `account`."""
        return (account, operator) in self.approvals

    def pause(self, caller: str) -> None:
        """Refuses every call of users from now on."""
        if caller != self.pauser:
            raise NotPauser(caller)
        self.paused = True

    def unpause(self, caller: str) -> None:
        """Ends the pause; the owner may, in case the pauser is lost."""
        if caller not in (self.pauser, self.owner):
            raise NotPauser(caller)
        self.paused = False
