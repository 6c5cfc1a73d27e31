"""`ape run solver`: the same as `perennial solver`."""

from perennial.solver.command import solver as cli

__all__ = ["cli"]
