"""`ape run keeper`: the same as `perennial keeper`."""

from perennial.keeper.command import keeper as cli

__all__ = ["cli"]
