"""The protocol for its users, in Python: trade, ask, look back.

>>> btc = Protocol.connect("devnet").market("BTC-USD")
>>> print(btc.quote("long", "0.5", collateral="1000"))
>>> order = btc.wait(btc.open(account, "long", size="0.5", collateral="1000"))

Numbers are text, integers or Decimals, never floats; results are frozen dataclasses that print well and have `to_dict`.
Vaults are `perennial.vaults`.
"""

from perennial.client.errors import ClientError, InputError, NotMinedError, Refused, UnreachableError
from perennial.client.market import Market
from perennial.client.protocol import Protocol
from perennial.client.results import OrderState

__all__ = [
    "ClientError",
    "InputError",
    "Market",
    "NotMinedError",
    "OrderState",
    "Protocol",
    "Refused",
    "UnreachableError",
]
