"""Figure of a selection in three panels: curves coloured by score, the scores, and the size of the subset."""

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
from limr.report.style import THETA_COLOUR, edges_around, lowest_shown, method_title, plain_axes, save_figure
from limr.selection.agreement import PAPER_SHARE
from limr.trajectories import Trajectories, VisitMatrix, known_signals, visit_matrix

_GROUPS = 4  # groups of prompts with similar scores on each side of the mean curve; one bold curve per group
_SINGLE = 80  # number of curves of single prompts: more would be illegible
_BINS = 40
_PAPER_COLOUR = "#CC79A7"
_OUTLINE = [withStroke(linewidth=3.6, foreground="white")]
# without the palest part, which is illegible on white
_COLOURS = LinearSegmentedColormap.from_list("scores", colormaps["viridis"](np.linspace(0, 0.87, 256)))


def write_selection_figure(trajectories: Path, scores: Path, output: Path, signal: str | None = None) -> None:
    """``draw_selection`` with files of contracts ``trajectories`` and ``scores``."""
    draw_selection(Trajectories.read(trajectories), read_parquet(scores, "scores"), output, signal, where=str(scores))


def draw_selection(
    trajectories: Trajectories, scores: pl.DataFrame, output: Path, signal: str | None = None, where: str = "scores"
) -> None:
    """Draw what ``scores`` selects from ``trajectories``.

    The panels are: the curves coloured by score around the mean curve; a histogram of the scores with theta, the lowest
    selected score; and the number of prompts that any other theta would select.

    ``signal`` is what the curves show: by default rewards if they are known, otherwise accuracies. The visits are those
    that LIM counts. ``where`` names the scores in messages.

    Raises LimrError when no scored prompt is selected, and when a scored prompt has no trajectory.
    """
    ranked = scores.drop_nulls("score").sort("rank")
    if not ranked["selected"].any():
        raise LimrError("no scored prompt is selected, so there is nothing to draw", where=where)
    signal = signal or next(iter(known_signals(trajectories)), "reward")
    matrix = visit_matrix(trajectories, signal)
    values = ranked["score"].to_numpy()
    theta, selected = ranked.filter("selected")["score"].min(), int(ranked["selected"].sum())
    low = lowest_shown(values, theta)
    colours = ScalarMappable(Normalize(low, max(values.max(), low + 1e-9)), _COLOURS)
    figure = Figure(figsize=(14, 5), layout="constrained")
    panels = figure.subplots(1, 3, width_ratios=(1.3, 1, 1))
    _draw_curves(panels[0], curves_of_scored(ranked, matrix, where), values, colours)
    panels[0].set_ylabel(f"mean {signal} of the visit's samples")
    _draw_histogram(panels[1], values, theta, low, colours)
    _draw_sizes(panels[2], values, theta, selected, scores.height, low)
    for axes in panels:
        plain_axes(axes)
    without = f", {scores.height - ranked.height:,} without a score" if scores.height > ranked.height else ""
    figure.suptitle(
        f"{method_title(ranked['method'][0])}: {selected:,} of {scores.height:,} prompts selected"
        f" ({percentage(selected / scores.height)}){without}"
    )
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    save_figure(figure, output)


def curves_of_scored(
    ranked: pl.DataFrame, matrix: VisitMatrix, where: str, trajectories: str = "the trajectories"
) -> np.ndarray:
    """The curves of the prompts of ``ranked``, in its order: [prompts, visits].

    Raises LimrError when a prompt has no trajectory. ``where`` and ``trajectories`` name the two in the message.
    """
    rows = {prompt_id: row for row, prompt_id in enumerate(matrix.prompt_ids)}
    unknown = [prompt_id for prompt_id in ranked["prompt_id"] if prompt_id not in rows]
    if unknown:
        raise LimrError(
            f"prompt {unknown[0]} is not in {trajectories} ({len(unknown):,} such prompts)",
            where=where,
            advice="Take the scores and the trajectories of the same run and seed.",
        )
    return matrix.values[[rows[prompt_id] for prompt_id in ranked["prompt_id"]]]


def _draw_curves(axes: Axes, curves: np.ndarray, scores: np.ndarray, colours: ScalarMappable) -> None:
    """Single prompts thin, groups of similar scores bold, the mean of all dashed; ``curves`` are sorted by rank."""
    n_prompts, n_visits = curves.shape
    visits, mean = np.arange(n_visits), _mean(curves)
    width = 2 * (n_visits // 16) + 1
    line = {"linewidth": 2.4, "path_effects": _OUTLINE, "marker": "o" if n_visits == 1 else ""}
    single = np.unique(np.linspace(0, n_prompts - 1, min(_SINGLE, n_prompts)).round().astype(int))
    lines = [np.column_stack([visits, _smooth(curves[row], width)]) for row in single]
    axes.add_collection(LineCollection(lines, colors=colours.to_rgba(scores[single], alpha=0.35), linewidths=0.8))
    smoothed = f" (means of {width} visits)" if width > 1 else ""
    axes.plot([], [], color="#444444", linewidth=0.8, alpha=0.6, label=f"{len(single)} single prompts{smoothed}")
    # Curves with low scores may be above or below the mean curve. Their mean would hide both, so each side has groups.
    above = np.nan_to_num(curves - mean).sum(axis=1) > 0
    groups = [
        group for side in (above, ~above) for group in np.array_split(np.flatnonzero(side), _GROUPS) if len(group)
    ]
    for group in sorted(groups, key=lambda group: scores[group].mean()):
        colour = colours.to_rgba(scores[group].mean())
        axes.plot(visits, _mean(curves[group]), color=colour, **line)
    axes.plot([], [], color="#444444", linewidth=2.4, label="means of prompts with similar scores, above or below")
    axes.plot(visits, mean, linestyle="--", color="black", label=f"mean of {n_prompts:,} prompts", **line)
    axes.figure.colorbar(colours, ax=axes, label="score", pad=0.02)
    axes.set(title="Curves, coloured by score", xlabel="visit to the prompt, from 0")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _smooth(curve: np.ndarray, width: int) -> np.ndarray:
    """The moving mean over ``width`` visits (odd), over fewer at the ends; NaN where one of them is missing."""
    window = np.ones(width)
    return np.convolve(curve, window, "same") / np.convolve(np.ones(len(curve)), window, "same")


def _mean(curves: np.ndarray) -> np.ndarray:
    """The mean curve; NaN at a visit that no prompt has."""
    known = (~np.isnan(curves)).sum(axis=0)
    return np.where(known > 0, np.nansum(curves, axis=0) / np.maximum(known, 1), np.nan)


def _draw_histogram(axes: Axes, scores: np.ndarray, theta: float, low: float, colours: ScalarMappable) -> None:
    """A histogram of the scores, in their colours."""
    edges = edges_around(theta, low, scores.max(), _BINS)
    _, _, bars = axes.hist(scores, edges)
    for bar, middle in zip(bars, (edges[:-1] + edges[1:]) / 2, strict=True):
        bar.set_facecolor(colours.to_rgba(middle))
    axes.axvline(theta, color=THETA_COLOUR, linewidth=1.8, label=rf"$\theta$, the lowest score selected: {theta:.3f}")
    hidden = int((scores < edges[0]).sum())
    axes.set(title="Scores", xlabel="score" + (f"  ({hidden:,} below {edges[0]:.2f} not shown)" if hidden else ""))
    axes.set_ylabel("prompts")


def _draw_sizes(axes: Axes, scores: np.ndarray, theta: float, selected: int, n_prompts: int, low: float) -> None:
    """How many prompts score at least theta, for any theta; ``scores`` are sorted from best to worst."""
    axes.plot(scores, np.arange(1, len(scores) + 1), color="black", linewidth=2)
    axes.axvline(theta, color=THETA_COLOUR, linewidth=1.8)
    axes.plot(
        [theta], [selected], "o", color=THETA_COLOUR, markersize=8, label=rf"selected: {selected:,} of {n_prompts:,}"
    )
    number = round(PAPER_SHARE * n_prompts)
    if 0 < number <= len(scores):
        needed = scores[number - 1]
        axes.axhline(number, color=_PAPER_COLOUR, linewidth=1.4, linestyle=":")
        axes.plot(
            [needed], [number], "s", color=_PAPER_COLOUR, fillstyle="none", markeredgewidth=2, markersize=10,
            label=rf"the paper's share, {percentage(PAPER_SHARE)}: {number:,}, with $\theta$ = {needed:.3f}",
        )  # fmt: skip
    if low < scores.max():
        margin = 0.04 * (scores.max() - low)
        axes.set_xlim(low - margin, scores.max() + margin)
    axes.set_ylim(bottom=0)
    axes.set(title="Size of the subset", xlabel=r"$\theta$", ylabel=r"prompts with a score of at least $\theta$")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
