"""`ape run`: what it finds for those who run the parts."""

import runpy

import click
import pytest

from perennial.artifacts import ROOT
from perennial.cli import main


@pytest.mark.parametrize("name", ["devnet", "keeper", "relay", "solver"])
def test_a_script_is_the_command(name):
    """Ape takes what is called `cli` in scripts/NAME.py."""
    command = runpy.run_path(str(ROOT / "scripts" / f"{name}.py"))["cli"]

    assert command is main.get_command(click.Context(main), name)
