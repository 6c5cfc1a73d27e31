"""`ape run pause`: see perennial/deployment/command.py."""

from perennial.deployment.command import pause as cli

__all__ = ["cli"]
