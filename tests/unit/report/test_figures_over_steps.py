"""Figures over the training steps: the drawn numbers are read back from the figure and from its CSV."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure
from readable import assert_readable
from refusals import refused
from step_files import write_rewards, write_steps

from limr.report import column_figure
from limr.report.figures_over_steps import write_figure_over_steps
from limr.report.looks import method_looks

METHODS = ["full", "lim"]
COLOURS = {method: look.colour for method, look in method_looks(METHODS).items()}
TITLES = {"hard": "Hard-6", "easy": "Easy-20"}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that would have been saved."""
    figures: list[Figure] = []
    monkeypatch.setattr(column_figure, "save_figure", lambda figure, path, dpi: figures.append(figure))
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
    write_figure_over_steps(
        **files, methods=METHODS, all_methods=METHODS, seeds=seeds, titles=titles, confidence=0.95, outputs=outputs
    )
    return outputs


def accuracy(method: str, seed: int, step: int, benchmark: str) -> float:
    return 0.2 * (method == "lim") + 0.01 * seed + 0.1 * step + 0.4 * (benchmark == "easy")


def bold(axes: Any, method: str) -> Any:
    (line,) = (line for line in axes.lines if line.get_linewidth() > 1 and line.get_color() == COLOURS[method])
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


def bands(axes: Any) -> list[tuple[float, float]]:
    """The lowest and highest value of each band."""
    drawn = [part for part in axes.collections if isinstance(part, FillBetweenPolyCollection)]
    heights = [part.get_paths()[0].vertices[:, 1] for part in drawn]
    return [(values.min(), values.max()) for values in heights]


def test_a_band_is_the_range_of_two_seeds_and_the_t_interval_of_three(tmp_path: Path, drawn: list[Figure]) -> None:
    for seeds in ([0], [0, 4], [0, 4, 8]):
        write(tmp_path / str(len(seeds)), seeds)
    one, two, three = (drawn[index].axes[0] for index in (0, 2, 4))
    assert bands(one) == []
    assert bold(two, "lim").get_ydata().tolist() == pytest.approx([0.42, 0.62])
    assert bands(two)[1] == pytest.approx((0.4, 0.64))
    # the 95 % quantile of t with two degrees of freedom is 4.30; the standard error is 0.04 / sqrt(3)
    assert bands(three)[1] == pytest.approx((0.44 - 0.09937, 0.64 + 0.09937), abs=1e-4)
    assert len(three.lines) == len(bands(three)) == len(METHODS)


def test_all_figures_are_readable_at_the_width_of_a_column(tmp_path: Path, drawn: list[Figure]) -> None:
    write(tmp_path, [0, 4, 8])
    write(tmp_path, [0, 4, 8], rewards=False)
    write(tmp_path, [0, 4, 8], rewards=False, titles={"hard": "A title with many words, of fifty characters in all"})
    for figure in drawn[::2]:
        assert_readable(figure)


def test_the_legend_of_many_methods_with_long_names_fits(
    tmp_path: Path, drawn: list[Figure], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"a_name_as_long_as_this_{number}" for number in range(8)]
    monkeypatch.setattr(f"{__name__}.METHODS", names)
    write(tmp_path, [0], rewards=False)
    assert_readable(drawn[0])


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


def test_a_missing_run_leaves_the_old_figure(tmp_path: Path) -> None:
    outputs = write(tmp_path, [0])
    before = {kind: path.read_bytes() for kind, path in outputs.items()}
    (tmp_path / "evaluation_steps/lim/seed0.parquet").unlink()
    with refused(where=tmp_path / "evaluation_steps/lim/seed0.parquet", what="no such file"):
        write_figure_over_steps(
            [tmp_path / f"evaluation_steps/{method}/seed0.parquet" for method in METHODS], [], METHODS, METHODS, [0],
            TITLES, 0.95, outputs,
        )  # fmt: skip
    assert {kind: path.read_bytes() for kind, path in outputs.items()} == before
