"""`ape run owner`: see perennial/deployment/command.py."""

from perennial.deployment.command import owner as cli

__all__ = ["cli"]
