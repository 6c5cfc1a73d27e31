"""Fills a second on Base: the arithmetic, and that the README says what the command does."""

import pytest

from perennial.artifacts import ROOT
from perennial.benchmarks import gas, throughput


@pytest.mark.parametrize(
    ("cost", "block", "count"), [(200_000, 400_000_000, 1_000), (200_001, 400_000_000, 999), (150_000, 66_666_666, 222)]
)
def test_per_second(cost, block, count):
    assert throughput.per_second(cost, block) == count


def test_batches_count_where_they_are_measured():
    lines = throughput.document({"fill_batch_20": 140_000, "market_order": 1}).splitlines()

    assert lines[2:] == ["| fill, twenty of one pair        | 140,000 |                    238 |        1,428 |"]


def test_the_readme_says_what_the_command_does(tmp_path):
    readme = (ROOT / "README.md").read_text()
    copy = tmp_path / "README.md"
    copy.write_text(readme)

    throughput.write(gas.committed(), copy)

    assert copy.read_text() == readme
    assert throughput.document(gas.committed()) in readme


def test_a_readme_without_the_place(tmp_path):
    copy = tmp_path / "README.md"
    copy.write_text("# Nothing\n")

    with pytest.raises(ValueError, match="no place"):
        throughput.write({}, copy)
