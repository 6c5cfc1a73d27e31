"""`python -m perennial.demo`."""

from perennial.demo.cli import cli

cli(prog_name="demo")
