"""Who is on a devnet: the accounts of the mnemonic that local networks share, each with ether."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

MNEMONIC = "test test test test test test test test test test test junk"
"""Known to everybody: never for what is worth something."""

USERS = 10
MAKER, KEEPER, SOLVER = range(USERS, USERS + 3)
COUNT = USERS + 3


@dataclass(frozen=True)
class Cast:
    """Keys by role. The first of the users is the operator too: see `operator`."""

    keys: tuple[LocalAccount, ...]

    @classmethod
    def assemble(cls) -> Cast:
        """Everybody."""
        from eth_account import Account

        Account.enable_unaudited_hdwallet_features()
        paths = [f"m/44'/60'/0'/0/{index}" for index in range(COUNT)]
        return cls(tuple(Account.from_mnemonic(MNEMONIC, account_path=path) for path in paths))

    @property
    def users(self) -> list[str]:
        """Addresses of the accounts that anybody here may use."""
        return [key.address for key in self.keys[:USERS]]

    @property
    def operator(self) -> str:
        """Who deploys, proposes what the timelock does, pauses, and coordinates the markets."""
        return str(self.keys[0].address)

    @property
    def maker(self) -> str:
        """Who provides liquidity."""
        return str(self.keys[MAKER].address)

    @property
    def keeper(self) -> LocalAccount:
        """Whose key the keeper sends with."""
        return self.keys[KEEPER]

    @property
    def solver(self) -> str:
        """Who fills intents."""
        return str(self.keys[SOLVER].address)
