"""`ape run relay`: the same as `perennial relay`."""

from perennial.relay.command import relay as cli

__all__ = ["cli"]
