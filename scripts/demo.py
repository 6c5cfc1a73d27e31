"""`ape run demo`: the demo of perennial.demo, which starts a chain of its own."""

from perennial.demo.cli import cli

__all__ = ["cli"]
