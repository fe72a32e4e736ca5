"""The figure of a selection: the drawn numbers are read back from it and compared with the scores."""

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from refusals import refused

from limr.files.contracts import write_parquet
from limr.report import selection_figure
from limr.report.selection_figure import draw_selection, write_selection_figure
from limr.selection.scoring import score_prompts
from limr.trajectories import Trajectories


def run(n_prompts: int, n_visits: int, keep: object, gaps: int = 0) -> tuple[Trajectories, pl.DataFrame]:
    """Curves of accuracies in eighths, and their LIM scores; the first ``gaps`` prompts lack their first visit."""
    accuracies = np.random.default_rng(0).integers(0, 9, (n_prompts, n_visits)) / 8
    curves = {f"p{row:04}": list(values) for row, values in enumerate(accuracies.tolist())}
    for prompt_id in sorted(curves)[:gaps]:
        curves[prompt_id][0] = None
    trajectories = Trajectories.from_curves(accuracies=curves)
    settings = {"score": "lim", "keep": keep, "options": {"signal": "accuracy"}}
    return trajectories, score_prompts("lim", settings, trajectories, None, seed=0)


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that would have been saved."""
    figures = []
    monkeypatch.setattr(selection_figure, "save_figure", lambda figure, path: figures.append(figure))
    return figures


@pytest.mark.parametrize(("n_prompts", "n_visits"), [(30, 4), (1209, 21)])
def test_panels_show_the_mean_curve_all_scores_and_theta(tmp_path, drawn, n_prompts, n_visits):
    trajectories, scores = run(n_prompts, n_visits, {"share": 0.2})
    draw_selection(trajectories, scores, tmp_path / "figure.png")
    curves, histogram, sizes, _ = drawn[0].axes
    theta = scores.filter("selected")["score"].min()
    mean = next(line for line in curves.lines if line.get_label().startswith("mean of"))
    assert mean.get_ydata() == pytest.approx(trajectories.accuracy.reshape(n_prompts, n_visits).mean(axis=0))
    assert len(curves.collections[0].get_segments()) == min(80, n_prompts), "single curves stay readable"
    assert sum(bar.get_height() for bar in histogram.patches) == n_prompts
    assert histogram.lines[0].get_xdata()[0] == theta
    assert any(bar.get_x() == pytest.approx(theta) for bar in histogram.patches), "no bar spans theta"
    chosen, share = (line for line in sizes.lines if len(line.get_xdata()) == 1)
    assert (chosen.get_xdata()[0], chosen.get_ydata()[0]) == (theta, round(0.2 * n_prompts))
    assert share.get_ydata()[0] == round(1389 / 8523 * n_prompts)
    assert share.get_xdata()[0] == scores["score"].sort(descending=True)[int(share.get_ydata()[0]) - 1]


def test_the_size_at_any_theta_counts_the_prompts_with_at_least_that_score(tmp_path, drawn):
    trajectories, scores = run(200, 5, {"theta": 0.3})
    draw_selection(trajectories, scores, tmp_path / "figure.png")
    thetas, sizes = drawn[0].axes[2].lines[0].get_data()
    for theta in set(thetas):
        assert max(size for at, size in zip(thetas, sizes, strict=True) if at == theta) == (thetas >= theta).sum()


def test_prompts_without_a_score_are_counted_in_the_title(tmp_path, drawn):
    trajectories, scores = run(100, 3, {"share": 0.2}, gaps=5)
    draw_selection(trajectories, scores, tmp_path / "figure.png")
    assert drawn[0].get_suptitle() == "LIM: 20 of 100 prompts selected (20.0 %), 5 without a score"


def test_a_long_tail_is_left_out_of_the_axes_and_counted(tmp_path, drawn):
    trajectories, scores = run(300, 3, {"share": 0.2})
    far = scores.with_columns(score=pl.when(pl.col("rank") == 300).then(-40.0).otherwise("score"))
    draw_selection(trajectories, far, tmp_path / "figure.png")
    _, histogram, sizes, _ = drawn[0].axes
    hidden = 300 - sum(bar.get_height() for bar in histogram.patches)
    assert 1 <= hidden <= 4 and f"{hidden:.0f} below" in histogram.get_xlabel()
    assert sizes.get_xlim()[0] > -5


def test_one_visit_and_equal_scores_can_be_drawn(tmp_path):
    trajectories, scores = run(20, 1, "all")
    for number, each in enumerate((scores, scores.with_columns(score=pl.lit(0.5)))):
        draw_selection(trajectories, each, tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_input_gives_the_same_bytes_from_files_too(tmp_path):
    trajectories, scores = run(60, 5, {"share": 0.2}, gaps=3)
    write_parquet(trajectories.frame(), tmp_path / "t.parquet", "trajectories")
    write_parquet(scores, tmp_path / "s.parquet", "scores")
    draw_selection(trajectories, scores, tmp_path / "1.png")
    write_selection_figure(tmp_path / "t.parquet", tmp_path / "s.parquet", tmp_path / "2.png")
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()


def test_scores_that_cannot_be_drawn_are_refused(tmp_path):
    trajectories, scores = run(20, 3, {"top": 3})
    with refused(where="mine", what="is not in the trajectories (10 such prompts)", advice="the same run"):
        draw_selection(trajectories.of_prompts(trajectories.prompt_ids[:10]), scores, tmp_path / "f.png", where="mine")
    with refused(where="scores", what="no scored prompt is selected"):
        draw_selection(trajectories, scores.with_columns(selected=pl.lit(False)), tmp_path / "f.png")
    assert not list(tmp_path.iterdir())
