"""The figure of early stopping: the drawn numbers are read back from it."""

import pytest
from matplotlib.figure import Figure
from probe_curves import with_gaps

from limr.report import early_stopping_figure
from limr.report.early_stopping_figure import draw_early_stopping
from limr.selection.early_stopping import early_stopping


def test_the_figure_draws_the_rows_and_is_the_same_twice(tmp_path, monkeypatch):
    found = early_stopping(with_gaps(60, 5), share=0.2, theta=0.5, resamples=20)
    for name in ("1.png", "2.png"):
        draw_early_stopping(found, tmp_path / name)
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()
    figures: list[Figure] = []
    monkeypatch.setattr(early_stopping_figure, "save_figure", lambda figure, path: figures.append(figure))
    draw_early_stopping(found, tmp_path / "3.png")
    overlaps, correlations = figures[0].axes
    assert overlaps.lines[0].get_ydata().tolist() == found.rows["overlap"].to_list()
    assert correlations.lines[0].get_ydata().tolist() == found.rows["rank_correlation"].to_list()
    assert overlaps.lines[2].get_ydata()[0] == pytest.approx(0.2), "chance"
