"""The figures draw what the files say: the drawn numbers are read back from the figure."""

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure

from limr.errors import ContractError, LimrError
from limr.files.contracts import columns, write_parquet
from limr.report import learning_curves, score_distribution, trajectories_figure
from limr.report.learning_curves import write_learning_curves
from limr.report.score_distribution import write_score_distribution
from limr.report.style import method_colour
from limr.report.trajectories_figure import write_trajectories


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that would have been saved."""
    figures = []
    for module in (learning_curves, trajectories_figure, score_distribution):
        monkeypatch.setattr(module, "save_figure", lambda figure, path: figures.append(figure))
    return figures


def write_metrics(path, rewards):
    steps = len(rewards)
    frame = pl.DataFrame(
        {
            "step": range(steps),
            "reward": rewards,
            "development_accuracy": [0.5 if step % 2 == 0 else None for step in range(steps)],
        }
    )
    others = [name for name in columns("metrics") if name not in frame.columns]
    write_parquet(frame.with_columns(pl.lit(0.0).alias(name) for name in others), path, "metrics")
    return path


def write_curves(path, rewards):
    """``rewards``: [prompts, visits]."""
    count, visits = rewards.shape
    frame = pl.DataFrame(
        {
            "prompt_id": [f"p{prompt:03d}" for prompt in range(count) for _ in range(visits)],
            "epoch": list(range(visits)) * count,
            "mean_reward": rewards.ravel(),
            "accuracy": [0.25] * rewards.size,
            "n_samples": [8] * rewards.size,
        }
    )
    write_parquet(frame, path, "trajectories")
    return path


def write_scores(path, scores, kept, method="lim"):
    """``scores`` from best to worst, None for a prompt that could not be scored; the first ``kept`` are selected."""
    frame = pl.DataFrame(
        {
            "method": method,
            "prompt_id": [f"p{prompt:03d}" for prompt in range(len(scores))],
            "score": scores,
            "rank": [None if score is None else rank for rank, score in enumerate(scores, start=1)],
            "selected": [rank < kept for rank in range(len(scores))],
            "reason": "",
        }
    )
    write_parquet(frame, path, "scores")
    return path


def test_learning_curves_draw_each_seed_thin_and_their_mean_bold(tmp_path, drawn):
    runs = [write_metrics(tmp_path / f"{seed}.parquet", [0.0, 0.2 * seed, 0.4 * seed]) for seed in (1, 2)]
    write_learning_curves({"lim": runs}, tmp_path / "figure.png")
    rewards, accuracies = drawn[0].axes
    assert [line.get_ydata().tolist() for line in rewards.lines[:2]] == [[0.0, 0.2, 0.4], [0.0, 0.4, 0.8]]
    bold = max(rewards.lines, key=lambda line: line.get_linewidth())
    assert bold.get_ydata().tolist() == pytest.approx([0.0, 0.3, 0.6])
    assert bold.get_color() == method_colour("lim")
    assert accuracies.lines[-1].get_xdata().tolist() == [0, 2], "only steps with an evaluation"


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
    with pytest.raises(LimrError, match=r"s\.parquet: prompt p010 has no trajectory in .*t\.parquet \(2 such"):
        write_trajectories(curves, scores, tmp_path / "figure.png")


def test_trajectories_without_any_score_are_refused(tmp_path):
    curves = write_curves(tmp_path / "t.parquet", np.zeros((3, 3)))
    with pytest.raises(LimrError, match=r"s\.parquet: no prompt has a score"):
        write_trajectories(curves, write_scores(tmp_path / "s.parquet", [None] * 3, 0), tmp_path / "figure.png")


def bars(axes):
    """Heights of the selected and of the other prompts."""
    return [sum(bar.get_height() for bar in container) for container in axes.containers]


def test_the_histogram_counts_every_prompt_and_theta_parts_the_selected(tmp_path, drawn):
    scores = [*np.linspace(0.95, 0.05, 200), None, None]
    write_score_distribution({"lim": write_scores(tmp_path / "s.parquet", scores, 33)}, tmp_path / "figure.png")
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
    write_score_distribution({"lim": write_scores(tmp_path / "s.parquet", scores, 33)}, tmp_path / "figure.png")
    axes = drawn[0].axes[0]
    hidden = 300 - sum(bars(axes))
    assert 1 <= hidden <= 5 and f"not shown: {hidden:.0f} below" in axes.get_xlabel()
    assert axes.get_xlim()[0] > -1


def test_equal_scores_can_be_drawn(tmp_path, drawn):
    write_score_distribution({"full": write_scores(tmp_path / "s.parquet", [1.0] * 9, 9)}, tmp_path / "figure.png")
    assert bars(drawn[0].axes[0])[0] == 9


def test_a_selection_of_nothing_is_refused(tmp_path):
    scores = write_scores(tmp_path / "s.parquet", [0.5, 0.4], 0)
    with pytest.raises(LimrError, match=r"s\.parquet: no scored prompt is selected"):
        write_score_distribution({"lim": scores}, tmp_path / "figure.png")


def test_the_same_input_gives_the_same_bytes(tmp_path):
    metrics = {"lim": [write_metrics(tmp_path / "m.parquet", [0.1, 0.2])]}
    curves = write_curves(tmp_path / "t.parquet", np.random.default_rng(0).random((20, 4)))
    scores = write_scores(tmp_path / "s.parquet", np.linspace(1, 0, 20).tolist(), 4)
    for draw in (
        lambda output: write_learning_curves(metrics, output),
        lambda output: write_trajectories(curves, scores, output),
        lambda output: write_score_distribution({"lim": scores, "linear": scores}, output),
    ):
        first, second = tmp_path / "1.png", tmp_path / "2.png"
        draw(first)
        draw(second)
        assert first.read_bytes() == second.read_bytes() and first.read_bytes().startswith(b"\x89PNG")


def test_a_truncated_file_is_named_and_leaves_the_old_figure(tmp_path):
    output = tmp_path / "figure.png"
    metrics = write_metrics(tmp_path / "m.parquet", [0.1, 0.2])
    write_learning_curves({"lim": [metrics]}, output)
    before = output.read_bytes()
    metrics.write_bytes(metrics.read_bytes()[:100])
    with pytest.raises(ContractError, match=r"m\.parquet: cannot be read"):
        write_learning_curves({"lim": [metrics]}, output)
    assert output.read_bytes() == before
