"""Figures over the training steps: the drawn numbers are read back from the figure and from its CSV."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure
from refusals import refused
from step_files import write_rewards, write_steps

from limr.report import figures_over_steps
from limr.report.figures_over_steps import write_figure_over_steps
from limr.report.style import method_colour, method_marker

METHODS = ["full", "lim"]
TITLES = {"hard": "Hard-6", "easy": "Easy-20"}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that would have been saved."""
    figures: list[Figure] = []
    monkeypatch.setattr(figures_over_steps, "save_figure", lambda figure, path, dpi: figures.append(figure))
    return figures


def write(folder: Path, seeds: list[int], rewards: bool = True, titles: dict[str, str] = TITLES) -> dict[str, Path]:
    """Write a figure of runs in which method, seed, step and benchmark each change the accuracy by another amount."""
    outputs = {kind: folder / f"figure.{kind}" for kind in ("svg", "png", "csv")}
    runs = [(method, seed) for method in METHODS for seed in seeds]
    files: dict[str, Any] = {"evaluations": [], "metrics": []}
    for method, seed in runs:
        accuracies = {
            step: {name: [accuracy(method, seed, step, name)] for name in ("easy", "hard")} for step in (0, 2)
        }
        files["evaluations"].append(write_steps(folder, method, seed, accuracies, tokens=10 * seed))
        if rewards:
            files["metrics"].append(write_rewards(folder, method, seed, {0: -0.5, 1: seed / 10}))
    write_figure_over_steps(**files, methods=METHODS, seeds=seeds, titles=titles, confidence=0.95, outputs=outputs)
    return outputs


def accuracy(method: str, seed: int, step: int, benchmark: str) -> float:
    return 0.2 * (method == "lim") + 0.01 * seed + 0.1 * step + 0.4 * (benchmark == "easy")


def bold(axes: Any, method: str) -> Any:
    (line,) = (line for line in axes.lines if line.get_linewidth() > 1 and line.get_color() == method_colour(method))
    return line


def test_figure_3_shows_the_averages_over_the_benchmarks_and_the_reward(tmp_path: Path, drawn: list[Figure]) -> None:
    write(tmp_path, [0])
    accuracies, lengths, rewards = drawn[0].axes
    assert bold(accuracies, "lim").get_xdata().tolist() == [0, 2]
    assert bold(accuracies, "lim").get_ydata().tolist() == pytest.approx([0.4, 0.6])
    assert bold(accuracies, "full").get_ydata().tolist() == pytest.approx([0.2, 0.4])
    assert bold(lengths, "lim").get_ydata().tolist() == [0, 2]
    assert bold(rewards, "lim").get_ydata().tolist() == [-0.5, 0.0]
    assert [axes.get_title() for axes in drawn[0].axes] == [
        "(a) Average accuracy", "(b) Average response length", "(c) Training reward"
    ]  # fmt: skip
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == ["FULL", "LIM"]


def test_figures_1a_and_4_show_each_benchmark_in_the_order_of_the_configuration(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    write(tmp_path, [0], rewards=False)
    write(tmp_path, [0], rewards=False, titles={"easy": "Easy-20"})
    hard, easy = drawn[0].axes
    assert (hard.get_title(), easy.get_title(), drawn[2].axes[0].get_title()) == (
        "(a) Hard-6", "(b) Easy-20", "Easy-20"
    )  # fmt: skip
    assert bold(hard, "full").get_ydata().tolist() == pytest.approx([0.0, 0.2])
    assert bold(easy, "full").get_ydata().tolist() == pytest.approx([0.4, 0.6])


def test_two_seeds_are_thin_lines_and_three_are_a_band(tmp_path: Path, drawn: list[Figure]) -> None:
    write(tmp_path / "two", [0, 4])
    write(tmp_path / "three", [0, 4, 8])
    two, three = drawn[0].axes[0], drawn[2].axes[0]
    thin = [line for line in two.lines if line.get_linewidth() < 1 and line.get_color() == method_colour("lim")]
    assert [line.get_ydata().tolist() for line in thin] == [
        pytest.approx([0.4, 0.6]), pytest.approx([0.44, 0.64])
    ]  # fmt: skip
    assert bold(two, "lim").get_ydata().tolist() == pytest.approx([0.42, 0.62])
    assert not [part for part in two.collections if isinstance(part, FillBetweenPolyCollection)]
    bands = [part for part in three.collections if isinstance(part, FillBetweenPolyCollection)]
    assert len(three.lines) == len(bands) == len(METHODS)
    # the 95 % quantile of t with two degrees of freedom is 4.30; the standard error is 0.04 / sqrt(3)
    heights = bands[1].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((0.44 - 0.09937, 0.64 + 0.09937), abs=1e-4)


def test_the_csv_has_every_drawn_number_and_every_seed(tmp_path: Path) -> None:
    rows = pl.read_csv(write(tmp_path, [0, 4, 8])["csv"])
    assert rows.columns == ["panel", "method", "step", "mean", "low", "high", "seed_0", "seed_4", "seed_8"]
    last = rows.filter(pl.col("panel") == "accuracy", pl.col("method") == "lim", pl.col("step") == 2).row(0, named=True)
    assert [last[name] for name in ("mean", "seed_0", "seed_4", "seed_8")] == pytest.approx([0.64, 0.6, 0.64, 0.68])
    assert (last["low"], last["high"]) == pytest.approx((0.64 - 0.09937, 0.64 + 0.09937), abs=1e-4)
    assert rows["panel"].unique(maintain_order=True).to_list() == ["accuracy", "response_tokens", "reward"]
    of_one = pl.read_csv(write(tmp_path, [0])["csv"])
    assert of_one["low"].is_null().all(), "one seed has no interval"


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, [0, 1, 2]) for name in ("1", "2"))
    for kind in ("svg", "png", "csv"):
        assert first[kind].read_bytes() == second[kind].read_bytes()
    assert first["png"].read_bytes().startswith(b"\x89PNG")
    svg = first["svg"].read_text()
    assert svg.startswith("<?xml") and "<dc:date>" not in svg


def test_lines_differ_by_their_markers_too() -> None:
    markers = [method_marker(method) for method in ("full", "rand", "linear", "lim")]
    assert len(set(markers)) == 4
    assert method_marker("mine") not in markers


def test_a_missing_run_leaves_the_old_figure(tmp_path: Path) -> None:
    outputs = write(tmp_path, [0])
    before = {kind: path.read_bytes() for kind, path in outputs.items()}
    (tmp_path / "evaluation_steps/lim/seed0.parquet").unlink()
    with refused(where=tmp_path / "evaluation_steps/lim/seed0.parquet", what="no such file"):
        write_figure_over_steps(
            [tmp_path / f"evaluation_steps/{method}/seed0.parquet" for method in METHODS], [], METHODS, [0], TITLES,
            0.95, outputs,
        )  # fmt: skip
    assert {kind: path.read_bytes() for kind, path in outputs.items()} == before
