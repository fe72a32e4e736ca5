"""Curves of single prompts: the drawn numbers are read back from the figure."""

import numpy as np
import polars as pl
import pytest
from figure_files import write_curves, write_scores
from matplotlib.figure import Figure
from refusals import refused

from limr.files.contracts import write_parquet
from limr.report import trajectories_figure
from limr.report.trajectories_figure import write_trajectories


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that would have been saved."""
    figures = []
    monkeypatch.setattr(trajectories_figure, "save_figure", lambda figure, path: figures.append(figure))
    return figures


def test_trajectories_go_from_the_best_score_to_the_worst_against_the_mean(tmp_path, drawn):
    rewards = np.random.default_rng(0).uniform(-1, 1, (100, 6))
    scores = write_scores(tmp_path / "s.parquet", np.linspace(0.9, -2, 100).tolist(), 16)
    write_trajectories(write_curves(tmp_path / "t.parquet", rewards), scores, tmp_path / "figure.png")
    panels = drawn[0].axes
    assert panels[0].get_title() == "score 0.90  (rank 1, selected)"
    assert panels[-1].get_title() == "score -2.00  (rank 100, not selected)"
    for panel, prompt in ((panels[0], 0), (panels[-1], 99)):
        mean, own = panel.lines
        assert mean.get_ydata() == pytest.approx(rewards.mean(axis=0))
        assert own.get_ydata() == pytest.approx(rewards[prompt])


def test_trajectories_without_rewards_are_drawn_as_accuracies(tmp_path, drawn):
    path = write_curves(tmp_path / "t.parquet", np.zeros((10, 3)))
    write_parquet(pl.read_parquet(path).with_columns(mean_reward=pl.lit(None, pl.Float64)), path, "trajectories")
    scores = write_scores(tmp_path / "s.parquet", np.linspace(1, 0, 10).tolist(), 3)
    write_trajectories(path, scores, tmp_path / "figure.png")
    assert drawn[0].axes[0].lines[0].get_ydata().tolist() == [0.25] * 3
    assert "accuracy" in drawn[0].get_supylabel()


def test_scores_of_another_run_than_the_trajectories_are_refused(tmp_path):
    curves = write_curves(tmp_path / "t.parquet", np.zeros((10, 3)))
    scores = write_scores(tmp_path / "s.parquet", np.linspace(1, 0, 12).tolist(), 3)
    with refused(where=scores, what=f"prompt p010 is not in {curves} (2 such prompts)", advice="the same run and seed"):
        write_trajectories(curves, scores, tmp_path / "figure.png")


def test_trajectories_without_any_score_are_refused(tmp_path):
    curves = write_curves(tmp_path / "t.parquet", np.zeros((3, 3)))
    with refused(where="s.parquet", what="no prompt has a score"):
        write_trajectories(curves, write_scores(tmp_path / "s.parquet", [None] * 3, 0), tmp_path / "figure.png")


def test_the_same_input_gives_the_same_bytes(tmp_path):
    curves = write_curves(tmp_path / "t.parquet", np.random.default_rng(0).random((20, 4)))
    scores = write_scores(tmp_path / "s.parquet", np.linspace(1, 0, 20).tolist(), 4)
    for name in ("1.png", "2.png"):
        write_trajectories(curves, scores, tmp_path / name)
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()
    assert (tmp_path / "1.png").read_bytes().startswith(b"\x89PNG")
