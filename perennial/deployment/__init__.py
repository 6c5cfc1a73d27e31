"""Puts the protocol on a chain, opens markets, checks what is there: `deploy`, `create_market`, `verify`."""

from perennial.deployment.run import deploy

__all__ = ["deploy"]
