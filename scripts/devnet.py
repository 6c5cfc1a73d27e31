"""`ape run devnet`: the same as `perennial devnet`."""

from perennial.devnet.command import devnet as cli

__all__ = ["cli"]
