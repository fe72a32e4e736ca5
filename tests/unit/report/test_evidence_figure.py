"""The figure of the evidence: what is drawn is read back from the figure."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from worlds_of_evidence import write_world

from limr.report import column_figure
from limr.report.evidence_figure import write_evidence_figure
from limr.report.pooled_results import pooled, read_world
from limr.report.table2 import lim_against_others


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The contrasts, the figure of two worlds, and the names of the files it was saved to."""
    pool = pooled([read_world(write_world(tmp_path / f"world_{number}", number)) for number in (1, 2)])
    compared = lim_against_others(pool.results, pool.configuration)
    saved: list[tuple[Figure, Path]] = []
    monkeypatch.setattr(column_figure, "save_figure", lambda figure, path, dpi: saved.append((figure, path)))
    outputs = {kind: tmp_path / f"evidence.{kind}" for kind in ("svg", "png")}
    write_evidence_figure(compared, pool, outputs)
    return compared, saved[0][0], [path.name for _, path in saved]


def test_there_is_a_panel_for_the_average_and_for_each_benchmark_in_both_formats(drawn):
    _, figure, names = drawn
    assert [axes.get_title() for axes in figure.axes] == ["(a) Average", "(b) Easy-20", "(c) Hard-6"]
    assert names == ["evidence.svg", "evidence.png"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["- FULL", "- RAND"]


def test_every_row_shows_its_interval_and_a_dot_for_each_seed(drawn):
    compared, figure, _ = drawn
    rows = [row for row in compared if row.benchmark == "average"]
    lines = figure.axes[0].lines
    for height, row in enumerate(rows):
        interval = next(line for line in lines if np.array_equal(line.get_ydata(), [height] * 2))
        assert interval.get_xdata() == pytest.approx([100 * row.difference.low, 100 * row.difference.high])
        dots = [
            line.get_xdata() for line in lines if len(line.get_xdata()) == 3 and round(line.get_ydata()[0]) == height
        ]
        assert np.concatenate(dots) == pytest.approx(100 * np.array(row.per_seed))


def test_the_legend_names_the_worlds_once(drawn):
    _, figure, _ = drawn
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["world 1", "world 2"]
