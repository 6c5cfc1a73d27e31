"""`ape run upgrade`: see perennial/deployment/command.py."""

from perennial.deployment.command import upgrade as cli

__all__ = ["cli"]
