"""Puts the protocol on a chain and opens markets on it.

`deploy` carries out what a network's file says, `create_markets` and `create_market_from_file` what markets' files say;
each continues what an earlier run began. `network.load` reads a network's file, `verify.verify` checks what is there.
"""

from perennial.deployment.market import create_market_from_file, create_markets
from perennial.deployment.run import deploy

__all__ = ["create_market_from_file", "create_markets", "deploy"]
