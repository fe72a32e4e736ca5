"""Figure: curves of single prompts and the mean curve, from the best score to the worst."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from limr.errors import LimrError
from limr.files.contracts import read_parquet
from limr.report.selection_figure import curves_of_scored
from limr.report.style import method_title, plain_axes, save_figure
from limr.trajectories import Trajectories, known_signals, visit_matrix

_ROWS, _COLUMNS = 2, 4


def write_trajectories(trajectories: Path, scores: Path, output: Path) -> None:
    """Draw prompts at evenly spaced ranks of ``scores``, each against the mean curve and coloured by its score.

    The visits, and the prompts of the mean curve, are those that LIM counts. Rewards are drawn if the trajectories have
    them, otherwise accuracies. Raises LimrError when no prompt has a score or a scored prompt has no trajectory.
    """
    curves = Trajectories.read(trajectories)
    ranked = read_parquet(scores, "scores").drop_nulls("score").sort("rank")
    if ranked.is_empty():
        raise LimrError("no prompt has a score, so there is nothing to draw", where=scores)
    signal = known_signals(curves)[0]
    matrix = visit_matrix(curves, signal)
    curves_by_rank = curves_of_scored(ranked, matrix, str(scores), str(trajectories))
    whole = matrix.without_gaps()[0].values
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    panels = figure.subplots(_ROWS, _COLUMNS, sharex=True, sharey=True)
    shown = np.linspace(0, ranked.height - 1, panels.size).round().astype(int).tolist()
    prompts = ranked[shown]
    lowest, highest = prompts["score"].min(), prompts["score"].max()
    norm = Normalize(lowest, highest + (highest - lowest) / 3)  # the light end of the colours is illegible on white
    for axes, prompt, curve in zip(panels.flat, prompts.iter_rows(named=True), curves_by_rank[shown], strict=True):
        _draw_prompt(axes, prompt, curve, whole.mean(axis=0), colormaps["viridis"](norm(prompt["score"])))
    figure.supxlabel("visit to the prompt, from 0 (the epoch of the probe)", fontsize=10)
    figure.supylabel(f"mean {signal} of the visit's samples", fontsize=10)
    figure.suptitle(
        f"Single prompts (solid) and the mean of {len(whole):,} (dashed), "
        f"from the highest {method_title(ranked['method'][0])} score to the lowest",
        fontsize=11,
    )
    save_figure(figure, output)


def _draw_prompt(
    axes: Axes, prompt: Mapping[str, Any], curve: np.ndarray, mean: np.ndarray, colour: tuple[float, ...]
) -> None:
    axes.plot(mean, color="#444444", linestyle="--", linewidth=1.4)
    axes.plot(curve, color=colour, linewidth=2, marker="o", markersize=3.5)
    kept = "selected" if prompt["selected"] else "not selected"
    axes.set_title(f"score {prompt['score']:.2f}  (rank {prompt['rank']:,}, {kept})", fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    plain_axes(axes)
