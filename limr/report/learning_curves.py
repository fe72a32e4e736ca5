"""Figure: mean reward and held-out accuracy over the training steps, one line per method."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from limr.files.contracts import read_parquet
from limr.report.looks import Look, method_looks
from limr.report.style import method_title, plain_axes, save_figure

_MARKED = 20  # number of markers on a line
_IN_LEGEND = 6  # methods in a row of the legend


def write_learning_curves(metrics: Mapping[str, Sequence[Path]], output: Path) -> None:
    """Draw the metrics files of each method, one per seed: the mean over seeds bold, each seed thin."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    rewards, accuracies = figure.subplots(1, 2)
    looks = method_looks(metrics)
    for method, paths in metrics.items():
        runs = [read_parquet(path, "metrics") for path in paths]
        _draw(rewards, method, looks[method], [run.select("step", value="reward") for run in runs])
        _draw(
            accuracies, method, looks[method],
            [run.select("step", value="development_accuracy").drop_nulls() for run in runs],
        )  # fmt: skip
    rewards.set(title="Reward on the method's own prompts", xlabel="step", ylabel="mean reward")
    accuracies.set(title="Held-out problems, greedy", xlabel="step", ylabel="accuracy")
    for axes in (rewards, accuracies):
        plain_axes(axes)
    figure.legend(
        *rewards.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=min(len(metrics), _IN_LEGEND),
        frameon=False,
    )
    save_figure(figure, output)


def _draw(axes: Axes, method: str, look: Look, runs: Sequence[pl.DataFrame]) -> None:
    mean = pl.concat(runs).group_by("step").agg(pl.col("value").mean()).sort("step")
    if len(runs) > 1:
        for run in runs:
            axes.plot(run["step"], run["value"], color=look.colour, linewidth=0.6, alpha=0.35)
    axes.plot(
        mean["step"], mean["value"], color=look.colour, linewidth=2, linestyle=look.line, marker=look.marker,
        markersize=4, markevery=max(1, mean.height // _MARKED), label=method_title(method),
    )  # fmt: skip
