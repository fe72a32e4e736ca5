"""Figure: the distribution of scores, and where the selection cuts it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from limr.errors import LimrError
from limr.files.contracts import read_parquet
from limr.files.markdown import percentage
from limr.report.style import method_colour, method_title, save_figure

_BINS = 50
_TAIL = 0.01  # LIM has no lower bound: where this share of the prompts would take half of the axis, it is cut off
_HEADROOM = 1.15  # for the legend above the bars


def write_score_distribution(scores: Mapping[str, Path], output: Path) -> None:
    """Draw one histogram a method of ``scores`` (method -> scores file): selected prompts dark, the others light.

    The line stands at the lowest selected score: the theta in effect, whether one was given or a share was.

    Raises LimrError when no scored prompt of a file is selected.
    """
    figure = Figure(figsize=(5 * max(2, len(scores)), 4), layout="constrained")
    for axes, (method, path) in zip(figure.subplots(1, len(scores), squeeze=False).flat, scores.items(), strict=True):
        _draw(axes, method, path)
    save_figure(figure, output)


def _draw(axes: Axes, method: str, path: Path) -> None:
    frame = read_parquet(path, "scores")
    scored = frame.drop_nulls("score")
    if not scored["selected"].any():
        raise LimrError(f"{path}: no scored prompt is selected, so there is no theta to draw")
    selected = scored.filter("selected")["score"].to_numpy()
    others = scored.filter(~pl.col("selected"))["score"].to_numpy()
    theta = selected.min()
    edges = _edges(scored["score"].to_numpy(), theta)
    colour = method_colour(method)
    axes.hist([selected, others], edges, stacked=True, color=[colour, colour], label=["selected", "not selected"])
    for bar in axes.containers[1]:
        bar.set_alpha(0.35)
    axes.axvline(
        theta,
        ymax=1 / _HEADROOM,
        color="#D55E00",
        linewidth=1.8,
        linestyle="--",
        label=rf"lowest selected ($\theta$) {theta:.3f}",
    )
    share = scored["selected"].sum() / frame.height
    kept = f"{len(selected):,} of {frame.height:,} prompts kept ({percentage(share)})"
    axes.set_title(f"{method_title(method)}\n{kept}")  # names are of any length, and axes stand side by side
    axes.set(xlabel=f"score{_unseen(frame, scored['score'].to_numpy(), edges[0])}", ylabel="prompts")
    axes.set_ylim(top=axes.get_ylim()[1] * _HEADROOM)
    axes.legend(frameon=False, loc="upper center", ncols=3, fontsize=8)
    axes.set_axisbelow(True)
    axes.grid(alpha=0.3, axis="y")
    axes.spines[["top", "right"]].set_visible(False)


def _edges(scores: np.ndarray, theta: float) -> np.ndarray:
    """About _BINS bins over ``scores``, one of whose edges is ``theta``: no bar is cut by the line."""
    low, tail, high = scores.min(), min(np.quantile(scores, _TAIL), theta), scores.max()
    low = tail if high - low > 2 * (high - tail) else low
    width = max((high - low) / _BINS, 1e-6)
    below, above = int(np.ceil((theta - low) / width)), int(np.floor((high - theta) / width)) + 1
    return theta + width * np.arange(-below, above + 1)


def _unseen(frame: pl.DataFrame, scores: np.ndarray, left: float) -> str:
    """What the histogram does not show, in words."""
    below, without = int((scores < left).sum()), frame["score"].null_count()
    parts = [f"{below:,} below {left:.2f}"] * (below > 0) + [f"{without:,} without a score"] * (without > 0)
    return f"  (not shown: {', '.join(parts)})" if parts else ""
