"""Vaults, for who holds a part of them and who runs them: request, claim, ask what if (docs/protocol.md §12.2).

>>> vault = Protocol.connect("devnet").vault("LP")
>>> vault.deposit(account, "1000")  # joins the open epoch; shares can be claimed once it has settled
>>> print(vault.requests(account))
>>> vault.claim(account)

Numbers are text, integers or Decimals, never floats; results are frozen dataclasses that print well and have `to_dict`.
"""

from perennial.vaults.definition import Definition, MarketTerms
from perennial.vaults.vault import Vault

__all__ = ["Definition", "MarketTerms", "Vault"]
