"""The first trade of the README runs, and prints what the README says."""

import re
import subprocess
import sys

from perennial.artifacts import ROOT

README = (ROOT / "README.md").read_text()


def test_first_trade():
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert ran.returncode == 0, ran.stderr
    (printed,) = re.findall(r"prints `([^`]*)`", README)
    assert ran.stdout.strip() == printed
    assert len([line for line in program.splitlines() if line.strip() and not line.strip().startswith("#")]) <= 10
