"""The figure of a study: what is drawn is read back from the figure."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from places import ROOT
from readable import assert_readable
from worlds_of_evidence import configuration_of, write_world

from limr.configuration.evidence_plan import Study, read_plan
from limr.report.column_figure import column_style
from limr.report.pooled_results import read_world
from limr.report.study_figure import _draw
from limr.report.study_results import PointResults, read_study

POINTS = [
    {"at": 0.001, "run": "low"},
    {"at": 0.1, "run": "high"},
    {"at": 1.0, "run": "high", "methods": {"full": "full"}},
]


def drawn(folder: Path, scale: str = "log", seeds: tuple[int, ...] = (0, 1, 2)) -> tuple[list[PointResults], Figure]:
    """The points of a study with two runs, and its figure."""
    folders = {
        name: write_world(folder / name, number, configuration_of(1) | {"seeds": list(seeds)})
        for number, name in enumerate(("low", "high"), start=1)
    }
    points = [point | ({"at": f"run {point['run']}"} if scale == "names" else {}) for point in POINTS]
    sections = {"title": "T", "quantity": "share", "scale": scale, "lines": ["lim", "rand", "full"], "points": points}
    study = Study.model_validate(sections)
    results = read_study(study, folders)
    return results, _draw(study, results, 0.95)


def test_the_lines_are_the_means_of_the_seeds_and_the_dots_are_the_seeds(tmp_path):
    points, figure = drawn(tmp_path)
    above, below = figure.axes
    lim = next(line for line in above.lines if line.get_label() == "LIM")
    assert lim.get_xdata() == pytest.approx([0.001, 0.1])
    assert lim.get_ydata() == pytest.approx([100 * point.averages["lim"].mean() for point in points[:2]])
    dots = [line.get_ydata() for line in above.lines if line.get_linestyle() == "None" and len(line.get_ydata()) == 3]
    expected = [
        100 * point.averages[line] for line in ("lim", "rand", "full") for point in points if line in point.averages
    ]
    assert [dot.tolist() for dot in dots] == [pytest.approx(values.tolist()) for values in expected]
    means = [line.get_ydata() for line in below.lines if line.get_linestyle() == "-" and len(line.get_ydata()) == 2]
    minus = [point.averages["lim"] - point.averages["rand"] for point in points[:2]]
    assert any(line == pytest.approx([100 * value.mean() for value in minus]) for line in means)


def test_ticks_are_the_points_and_the_scale_is_the_one_of_the_study(tmp_path):
    _, figure = drawn(tmp_path)
    assert figure.axes[0].get_xscale() == "log"
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["0.001", "0.1", "1"]
    _, figure = drawn(tmp_path, scale="names")
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["run low", "run high", "run high"]
    lim = next(line for line in figure.axes[0].lines if line.get_label() == "LIM")
    assert lim.get_linestyle() == "None", "names are not joined"


@pytest.mark.parametrize(("seeds", "bands"), [((0, 1, 2), 3), ((0, 1), 0)])
def test_bands_take_three_seeds(tmp_path, seeds, bands):
    _, figure = drawn(tmp_path, seeds=seeds)
    filled = [each for each in figure.axes[0].collections if type(each).__name__ == "FillBetweenPolyCollection"]
    assert len(filled) == bands


STUDIES = read_plan(ROOT / "config/evidence/plan.yaml").studies


@pytest.mark.parametrize("name", STUDIES)
def test_the_figure_of_every_study_of_the_plan_is_readable(tmp_path, name):
    study, world = STUDIES[name], read_world(write_world(tmp_path / "world"))
    values = np.array([[0.55], [0.5], [0.6]])
    points = [
        PointResults(point, world, {line: {"easy": values} for line in point.methods or study.lines})
        for point in study.points
    ]
    with column_style():
        figure = _draw(study, points, 0.95)
        assert_readable(figure)
    labels = [label.get_text().replace("\n", " ") for label in figure.axes[1].get_xticklabels()]
    assert labels == [point.at if isinstance(point.at, str) else f"{point.at:g}" for point in study.points]
