"""Histograms of scores: the drawn numbers are read back from the figure."""

import numpy as np
import pytest
from figure_files import write_scores
from matplotlib.figure import Figure
from refusals import refused

from limr.report import score_distribution
from limr.report.score_distribution import write_score_distribution

METHODS = ["full", "linear", "lim"]


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that would have been saved."""
    figures = []
    monkeypatch.setattr(score_distribution, "save_figure", lambda figure, path: figures.append(figure))
    return figures


def bars(axes):
    """The number of selected prompts that are drawn, and of others."""
    return [sum(bar.get_height() for bar in container) for container in axes.containers]


def test_the_histogram_counts_every_prompt_and_theta_is_the_lowest_selected_score(tmp_path, drawn):
    scores = [*np.linspace(0.95, 0.05, 200), None, None]
    write_score_distribution(
        {"lim": write_scores(tmp_path / "s.parquet", scores, 33)}, tmp_path / "figure.png", ["lim"]
    )
    axes = drawn[0].axes[0]
    theta = axes.lines[0].get_xdata()[0]
    assert theta == pytest.approx(scores[32])
    assert bars(axes) == [33, 167]
    assert axes.get_title() == "LIM\n33 of 202 prompts kept (16.3 %)"
    assert "2 without a score" in axes.get_xlabel()
    filled = [bar.get_x() for bar in axes.containers[0] if bar.get_height()]
    assert min(filled) == pytest.approx(theta)


def test_a_long_tail_is_cut_off_and_counted(tmp_path, drawn):
    scores = [*np.linspace(0.95, 0.05, 299).tolist(), -40.0]
    write_score_distribution(
        {"lim": write_scores(tmp_path / "s.parquet", scores, 33)}, tmp_path / "figure.png", ["lim"]
    )
    axes = drawn[0].axes[0]
    hidden = 300 - sum(bars(axes))
    assert 1 <= hidden <= 5 and f"not shown: {hidden:.0f} below" in axes.get_xlabel()
    assert axes.get_xlim()[0] > -1


def test_equal_scores_can_be_drawn(tmp_path, drawn):
    write_score_distribution(
        {"full": write_scores(tmp_path / "s.parquet", [1.0] * 9, 9)}, tmp_path / "figure.png", ["lim"]
    )
    assert bars(drawn[0].axes[0])[0] == 9


def test_an_empty_selection_is_refused(tmp_path):
    scores = write_scores(tmp_path / "s.parquet", [0.5, 0.4], 0)
    with refused(where=scores, what="no scored prompt is selected"):
        write_score_distribution({"lim": scores}, tmp_path / "figure.png", METHODS)


def test_many_methods_are_in_rows_of_three(tmp_path, drawn):
    scores = write_scores(tmp_path / "s.parquet", np.linspace(1, 0, 20).tolist(), 4)
    methods = ["lim", "linear", "cosine", "slope"]
    write_score_distribution(dict.fromkeys(methods, scores), tmp_path / "figure.png", methods)
    assert [axes.get_title().split("\n")[0] for axes in drawn[0].axes] == ["LIM", "LINEAR", "COSINE", "SLOPE"]
    assert drawn[0].get_size_inches().tolist() == [15, 8]


def test_the_same_input_gives_the_same_bytes(tmp_path):
    scores = write_scores(tmp_path / "s.parquet", np.linspace(1, 0, 20).tolist(), 4)
    for name in ("1.png", "2.png"):
        write_score_distribution({"lim": scores, "linear": scores}, tmp_path / name, METHODS)
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()
    assert (tmp_path / "1.png").read_bytes().startswith(b"\x89PNG")
