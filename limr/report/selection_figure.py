"""Figure: what a score selects. The curves in the colours of their scores, the scores, and the size of the subset."""

from pathlib import Path

import numpy as np
import polars as pl
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from limr.errors import LimrError
from limr.files.contracts import read_parquet
from limr.files.markdown import percentage
from limr.report.style import method_title, save_figure
from limr.selection.agreement import PAPER_SHARE
from limr.trajectories import Trajectories, VisitMatrix, known_signals, visit_matrix

_GROUPS = 4  # of prompts with neighbouring scores, above the mean curve and below it; each is drawn as one bold curve
_SINGLE = 80  # curves of single prompts behind them: more than that cannot be told apart
_BINS = 40
_TAIL = 0.01  # LIM has no lower bound: the lowest hundredth of the scores has one colour and, far out, no place
_THETA, _PAPER = "#D55E00", "#CC79A7"  # Okabe and Ito's
_OUTLINE = [withStroke(linewidth=3.6, foreground="white")]
# without the palest part, which cannot be read on white
_COLOURS = LinearSegmentedColormap.from_list("scores", colormaps["viridis"](np.linspace(0, 0.87, 256)))


def write_selection_figure(trajectories: Path, scores: Path, output: Path, signal: str | None = None) -> None:
    """``draw_selection`` from files: ``trajectories`` and ``scores`` to their contracts."""
    draw_selection(Trajectories.read(trajectories), read_parquet(scores, "scores"), output, signal, where=str(scores))


def draw_selection(
    trajectories: Trajectories, scores: pl.DataFrame, output: Path, signal: str | None = None, where: str = "scores"
) -> None:
    """Draw three panels: curves in the colours of their scores around the mean curve; a histogram of the scores with
    theta, the lowest that was selected; and how many prompts any other theta would select.

    ``signal`` is what the curves show: by default rewards, where they are known, else accuracies. The visits are those
    that LIM counts. ``where`` names the scores in messages.

    Raises LimrError when no prompt has a score or none is selected, and when a scored prompt has no trajectory.
    """
    ranked = scores.drop_nulls("score").sort("rank")
    if not ranked["selected"].any():
        raise LimrError(f"{where}: no scored prompt is selected, so there is nothing to draw")
    signal = signal or next(iter(known_signals(trajectories)), "reward")
    matrix = visit_matrix(trajectories, signal)
    values = ranked["score"].to_numpy()
    theta, selected = ranked.filter("selected")["score"].min(), int(ranked["selected"].sum())
    low = _lowest_shown(values, theta)
    colours = ScalarMappable(Normalize(low, max(values.max(), low + 1e-9)), _COLOURS)
    figure = Figure(figsize=(14, 5), layout="constrained")
    panels = figure.subplots(1, 3, width_ratios=(1.3, 1, 1))
    _draw_curves(panels[0], _in_order(ranked, matrix, where), values, colours)
    panels[0].set_ylabel(f"mean {signal} of the visit's samples")
    _draw_histogram(panels[1], values, theta, low, colours)
    _draw_sizes(panels[2], values, theta, selected, scores.height, low)
    for axes in panels:
        axes.set_axisbelow(True)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    without = f", {scores.height - ranked.height:,} without a score" if scores.height > ranked.height else ""
    figure.suptitle(
        f"{method_title(ranked['method'][0])}: {selected:,} of {scores.height:,} prompts selected"
        f" ({percentage(selected / scores.height)}){without}"
    )
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    save_figure(figure, output)


def _lowest_shown(scores: np.ndarray, theta: float) -> float:
    """The lowest score, or the lowest but for the tail, where that would take half of the axis."""
    low, tail, high = scores.min(), min(np.quantile(scores, _TAIL), theta), scores.max()
    return float(tail if high - low > 2 * (high - tail) else low)


def _in_order(ranked: pl.DataFrame, matrix: VisitMatrix, where: str) -> np.ndarray:
    """The curves of the scored prompts from the best score to the worst."""
    rows = {prompt_id: row for row, prompt_id in enumerate(matrix.prompt_ids)}
    strangers = [prompt_id for prompt_id in ranked["prompt_id"] if prompt_id not in rows]
    if strangers:
        raise LimrError(
            f"{where}: prompt {strangers[0]} has no trajectory ({len(strangers):,} such prompts);"
            " scores and trajectories must be of the same run"
        )
    return matrix.values[[rows[prompt_id] for prompt_id in ranked["prompt_id"]]]


def _draw_curves(axes: Axes, curves: np.ndarray, scores: np.ndarray, colours: ScalarMappable) -> None:
    """Single prompts thin, groups of neighbouring scores bold, the mean of all dashed; ``curves`` by rank."""
    n_prompts, n_visits = curves.shape
    visits, mean = np.arange(n_visits), _mean(curves)
    width = 2 * (n_visits // 16) + 1
    line = {"linewidth": 2.4, "path_effects": _OUTLINE, "marker": "o" if n_visits == 1 else ""}
    single = np.unique(np.linspace(0, n_prompts - 1, min(_SINGLE, n_prompts)).round().astype(int))
    lines = [np.column_stack([visits, _smooth(curves[row], width)]) for row in single]
    axes.add_collection(LineCollection(lines, colors=colours.to_rgba(scores[single], alpha=0.35), linewidths=0.8))
    smoothed = f" (means of {width} visits)" if width > 1 else ""
    axes.plot([], [], color="#444444", linewidth=0.8, alpha=0.6, label=f"{len(single)} single prompts{smoothed}")
    above = np.nan_to_num(curves - mean).sum(axis=1) > 0
    groups = [
        group for side in (above, ~above) for group in np.array_split(np.flatnonzero(side), _GROUPS) if len(group)
    ]
    for group in sorted(groups, key=lambda group: scores[group].mean()):
        colour = colours.to_rgba(scores[group].mean())
        axes.plot(visits, _mean(curves[group]), color=colour, **line)
    axes.plot([], [], color="#444444", linewidth=2.4, label="means of prompts with neighbouring scores, on either side")
    axes.plot(visits, mean, linestyle="--", color="black", label=f"mean of {n_prompts:,} prompts", **line)
    axes.figure.colorbar(colours, ax=axes, label="score", pad=0.02)
    axes.set(title="Curves in the colours of their scores", xlabel="visit to the prompt, from 0")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _smooth(curve: np.ndarray, width: int) -> np.ndarray:
    """The moving mean of an odd number of visits, of fewer at the ends; NaN where one of them is missing."""
    window = np.ones(width)
    return np.convolve(curve, window, "same") / np.convolve(np.ones(len(curve)), window, "same")


def _mean(curves: np.ndarray) -> np.ndarray:
    """The mean curve; NaN at a visit that none of them has."""
    known = (~np.isnan(curves)).sum(axis=0)
    return np.where(known > 0, np.nansum(curves, axis=0) / np.maximum(known, 1), np.nan)


def _draw_histogram(axes: Axes, scores: np.ndarray, theta: float, low: float, colours: ScalarMappable) -> None:
    """Bars in the colours of their scores; one of their edges is theta, so that the line cuts none."""
    width = max((scores.max() - low) / _BINS, 1e-6)
    below, above = int(np.ceil((theta - low) / width)), int(np.floor((scores.max() - theta) / width)) + 1
    edges = theta + width * np.arange(-below, above + 1)
    _, _, bars = axes.hist(scores, edges)
    for bar, left in zip(bars, edges, strict=False):
        bar.set_facecolor(colours.to_rgba(left + width / 2))
    axes.axvline(theta, color=_THETA, linewidth=1.8, label=rf"$\theta$, the lowest score selected: {theta:.3f}")
    unseen = int((scores < edges[0]).sum())
    axes.set(title="Scores", xlabel="score" + (f"  ({unseen:,} below {edges[0]:.2f} not shown)" if unseen else ""))
    axes.set_ylabel("prompts")


def _draw_sizes(axes: Axes, scores: np.ndarray, theta: float, selected: int, n_prompts: int, low: float) -> None:
    """How many prompts score at least theta, for any theta; ``scores`` from best to worst."""
    axes.plot(scores, np.arange(1, len(scores) + 1), color="black", linewidth=2)
    axes.axvline(theta, color=_THETA, linewidth=1.8)
    axes.plot([theta], [selected], "o", color=_THETA, markersize=8, label=rf"selected: {selected:,} of {n_prompts:,}")
    number = round(PAPER_SHARE * n_prompts)
    if 0 < number <= len(scores):
        needed = scores[number - 1]
        axes.axhline(number, color=_PAPER, linewidth=1.4, linestyle=":")
        axes.plot(
            [needed], [number], "s", color=_PAPER, fillstyle="none", markeredgewidth=2, markersize=10,
            label=rf"the paper's share, {percentage(PAPER_SHARE)}: {number:,}, with $\theta$ = {needed:.3f}",
        )  # fmt: skip
    if low < scores.max():
        margin = 0.04 * (scores.max() - low)
        axes.set_xlim(low - margin, scores.max() + margin)
    axes.set_ylim(bottom=0)
    axes.set(title="Size of the subset", xlabel=r"$\theta$", ylabel=r"prompts with a score of at least $\theta$")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
