"""`ape run verify_deployment`: see perennial/deployment/command.py."""

from perennial.deployment.command import verify_deployment as cli

__all__ = ["cli"]
