"""`ape run create_market`: see perennial/deployment/command.py."""

from perennial.deployment.command import create_market as cli

__all__ = ["cli"]
