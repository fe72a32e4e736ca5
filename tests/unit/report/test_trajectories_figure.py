"""Figure 2b, curves of single prompts: the drawn numbers are read back from the figure."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from figure_files import write_curves, write_scores
from matplotlib.figure import Figure
from readable import assert_readable
from refusals import refused

from limr.files.contracts import write_parquet
from limr.report import column_figure
from limr.report.trajectories_figure import write_trajectories


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that would have been saved."""
    figures = []
    monkeypatch.setattr(column_figure, "save_figure", lambda figure, path, dpi: figures.append(figure))
    return figures


def outputs(folder: Path) -> dict[str, Path]:
    return {kind: folder / f"figure.{kind}" for kind in ("svg", "png", "csv")}


def test_trajectories_go_from_the_best_score_to_the_worst_against_the_mean(tmp_path, drawn):
    rewards = np.random.default_rng(0).uniform(-1, 1, (100, 6))
    scores = write_scores(tmp_path / "s.parquet", np.linspace(0.9, -2, 100).tolist(), 16)
    write_trajectories(write_curves(tmp_path / "t.parquet", rewards), scores, outputs(tmp_path))
    panels = drawn[0].axes
    assert [panel.get_title() for panel in panels] == [
        "LIM 0.90, rank 1", "LIM 0.31, rank 21", "LIM -0.27, rank 41", "LIM -0.83, rank 60", "LIM -1.41, rank 80",
        "LIM -2.00, rank 100",
    ]  # fmt: skip
    for panel, prompt in ((panels[0], 0), (panels[-1], 99)):
        mean, own = panel.lines
        assert mean.get_ydata() == pytest.approx(rewards.mean(axis=0))
        assert own.get_ydata() == pytest.approx(rewards[prompt])
    kept = [panel.lines[1].get_label() for panel in panels]
    assert kept == ["selected", *["not selected"] * 5]
    assert panels[0].lines[1].get_marker() != panels[1].lines[1].get_marker(), "for readers without colours"
    assert_readable(drawn[0])


def test_the_csv_has_the_drawn_prompts_with_their_scores_and_the_mean(tmp_path):
    rewards = np.random.default_rng(0).uniform(-1, 1, (100, 6))
    scores = write_scores(tmp_path / "s.parquet", np.linspace(0.9, -2, 100).tolist(), 16)
    write_trajectories(write_curves(tmp_path / "t.parquet", rewards), scores, outputs(tmp_path))
    rows = pl.read_csv(outputs(tmp_path)["csv"])
    assert len(rows) == 6 * 6
    last = rows.filter(rank=100)
    assert set(last.select("prompt_id", "score", "selected").rows()) == {("p099", -2.0, False)}
    assert last["visit"].to_list() == list(range(6))
    assert last["value"].to_list() == pytest.approx(rewards[99], abs=1e-6)
    assert last["mean"].to_list() == pytest.approx(rewards.mean(axis=0), abs=1e-6)


def test_trajectories_without_rewards_are_drawn_as_accuracies(tmp_path, drawn):
    path = write_curves(tmp_path / "t.parquet", np.zeros((10, 3)))
    write_parquet(pl.read_parquet(path).with_columns(mean_reward=pl.lit(None, pl.Float64)), path, "trajectories")
    scores = write_scores(tmp_path / "s.parquet", np.linspace(1, 0, 10).tolist(), 3)
    write_trajectories(path, scores, outputs(tmp_path))
    assert drawn[0].axes[0].lines[0].get_ydata().tolist() == [0.25] * 3
    assert "accuracy" in drawn[0].get_supylabel()


def test_scores_of_another_run_than_the_trajectories_are_refused(tmp_path):
    curves = write_curves(tmp_path / "t.parquet", np.zeros((10, 3)))
    scores = write_scores(tmp_path / "s.parquet", np.linspace(1, 0, 12).tolist(), 3)
    with refused(where=scores, what=f"prompt p010 is not in {curves} (2 such prompts)", advice="the same run and seed"):
        write_trajectories(curves, scores, outputs(tmp_path))


def test_trajectories_without_any_score_are_refused(tmp_path):
    curves = write_curves(tmp_path / "t.parquet", np.zeros((3, 3)))
    with refused(where="s.parquet", what="no prompt has a score"):
        write_trajectories(curves, write_scores(tmp_path / "s.parquet", [None] * 3, 0), outputs(tmp_path))


def test_the_same_input_gives_the_same_bytes(tmp_path):
    curves = write_curves(tmp_path / "t.parquet", np.random.default_rng(0).random((20, 4)))
    scores = write_scores(tmp_path / "s.parquet", np.linspace(1, 0, 20).tolist(), 4)
    folders = [tmp_path / name for name in ("1", "2")]
    for folder in folders:
        write_trajectories(curves, scores, outputs(folder))
    for kind in ("svg", "png", "csv"):
        first, second = (outputs(folder)[kind].read_bytes() for folder in folders)
        assert first == second
    assert outputs(folders[0])["png"].read_bytes().startswith(b"\x89PNG")
