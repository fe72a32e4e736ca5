"""docs/statistics.md: its numbers are those of the code."""

import re

import pytest
from places import ROOT
from scipy import stats

from limr.report.published_results import compare, published

PAGE = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
TITLES = {name: row["title"] for name, row in published()["benchmarks"].items()}


def shown(other):
    """The table against ``other`` as the page shows it: one list of cells per benchmark."""
    table = PAGE.split(f"| LIMR correct | {other} correct |")[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.mark.parametrize("other", ["FULL", "RAND"])
def test_the_tables_are_computed_from_the_published_counts(other):
    expected = []
    for row in compare("lim", other.lower()):
        p_value = f"{row.p_value:.2f}" if row.p_value > 0.005 else f"{row.p_value:.5f}"
        numbers = (row.answers, row.first, row.second, row.first - row.second)
        expected.append([TITLES[row.benchmark], *map(str, numbers), p_value])
    assert shown(other) == expected


def test_the_widths_of_the_t_intervals_are_right():
    widths = {seeds: f"{stats.t.ppf(0.975, seeds - 1):.1f}" for seeds in (3, 5, 20)}
    found = dict(re.findall(r"(\d+) seeds: (\d\.\d)", PAGE))
    assert {int(seeds): width for seeds, width in found.items()} == widths


def test_the_test_misses_a_true_difference_of_five_points_more_often_than_not():
    """The normal approximation without correction finds more than Fisher's test, and still less than half."""
    high, low = (float(share) / 100 for share in re.search(r"\((\d+) and (\d+) %\)", PAGE).groups())
    mean = (high + low) / 2
    error = (2 * mean * (1 - mean) / 500) ** 0.5
    assert stats.norm.sf(stats.norm.ppf(0.975) - (high - low) / error) < 0.5
