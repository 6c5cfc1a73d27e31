"""`ape run deploy`: see perennial/deployment/command.py."""

from perennial.deployment.command import deploy as cli

__all__ = ["cli"]
