"""Figure 2b: trajectories of single prompts beside the mean curve, from the best score to the worst."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from limr.errors import LimrError
from limr.files.contracts import read_parquet
from limr.report.column_figure import WIDTH, column_style, save_with_numbers
from limr.report.selection_figure import curves_of_scored
from limr.report.style import method_title, plain_axes
from limr.trajectories import Trajectories, known_signals, visit_matrix

_ROWS, _COLUMNS = 3, 2
_HEIGHT = 4.4  # inches
_MARKED = 8  # number of markers on a line
_MEAN, _SELECTED, _OTHER = "#000000", "#0072B2", "#D55E00"


def write_trajectories(trajectories: Path, scores: Path, outputs: Mapping[str, Path]) -> None:
    """Draw prompts at evenly spaced ranks of ``scores`` to ``outputs["svg"]`` and ``outputs["png"]``.

    ``outputs["csv"]`` gets the numbers. The visits, and the prompts of the mean curve, are those that LIM counts.
    Rewards are drawn if the trajectories have them, otherwise accuracies.

    Raises LimrError when no prompt has a score or a scored prompt has no trajectory.
    """
    curves = Trajectories.read(trajectories)
    ranked = read_parquet(scores, "scores").drop_nulls("score").sort("rank")
    if ranked.is_empty():
        raise LimrError("no prompt has a score, so there is nothing to draw", where=scores)
    signal = known_signals(curves)[0]
    matrix = visit_matrix(curves, signal)
    curves_by_rank = curves_of_scored(ranked, matrix, str(scores), str(trajectories))
    whole = matrix.without_gaps()[0].values
    mean = whole.mean(axis=0)
    shown = np.linspace(0, ranked.height - 1, _ROWS * _COLUMNS).round().astype(int).tolist()
    prompts, drawn = ranked[shown], curves_by_rank[shown]
    with column_style():
        figure = Figure(figsize=(WIDTH, _HEIGHT), layout="constrained")
        panels = figure.subplots(_ROWS, _COLUMNS, sharex=True, sharey=True)
        for axes, prompt, curve in zip(panels.flat, prompts.iter_rows(named=True), drawn, strict=True):
            _draw_prompt(axes, prompt, curve, mean, f"mean of {len(whole):,} prompts")
        for axes in panels[-1]:
            axes.set_xlabel("visit to the prompt, from 0")
        figure.supylabel(f"mean {signal} of the visit's samples", fontsize=7)
        lines = {line.get_label(): line for axes in panels.flat for line in axes.lines}
        figure.legend(lines.values(), lines, loc="outside lower center", ncols=3, frameon=False, columnspacing=1)
        save_with_numbers(figure, _numbers(prompts, drawn, mean), outputs)


def _draw_prompt(axes: Axes, prompt: Mapping[str, Any], curve: np.ndarray, mean: np.ndarray, label: str) -> None:
    axes.plot(mean, color=_MEAN, linestyle="--", linewidth=1, label=label)
    colour, marker, kept = (_SELECTED, "o", "selected") if prompt["selected"] else (_OTHER, "s", "not selected")
    axes.plot(
        curve, color=colour, linewidth=1.2, marker=marker, markersize=2.8, markeredgewidth=0,
        markevery=max(1, len(curve) // _MARKED), label=kept,
    )  # fmt: skip
    axes.set_title(f"{method_title(prompt['method'])} {prompt['score']:.2f}, rank {prompt['rank']:,}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    plain_axes(axes)


def _numbers(prompts: pl.DataFrame, curves: np.ndarray, mean: np.ndarray) -> pl.DataFrame:
    """One row per prompt and visit: the prompt's value, and the mean of all prompts."""
    visits = len(mean)
    return prompts.select("prompt_id", "rank", "score", "selected").select(pl.all().repeat_by(visits).explode()).hstack(
        [
            pl.Series("visit", np.tile(np.arange(visits), prompts.height)),
            pl.Series("value", curves.ravel()),
            pl.Series("mean", np.tile(mean, prompts.height)),
        ]
    )  # fmt: skip
