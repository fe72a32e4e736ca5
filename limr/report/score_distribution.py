"""Figure: the distribution of scores, and the lowest score that is selected."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from limr.errors import LimrError
from limr.files.contracts import read_parquet
from limr.files.markdown import percentage
from limr.report.looks import method_looks
from limr.report.style import (
    THETA_COLOUR,
    edges_around,
    lowest_shown,
    method_title,
    plain_axes,
    save_figure,
)

_BINS = 50
_COLUMNS = 3
_HEADROOM = 1.15  # room for the legend above the bars


def write_score_distribution(scores: Mapping[str, Path], output: Path, all_methods: Sequence[str]) -> None:
    """Draw one histogram per method of ``scores`` (method -> scores file), with the selected prompts darker.

    The line is at the lowest selected score, which is the theta in effect even if a share was configured.
    ``all_methods`` are those of the configuration, so that a method has the same colour in every figure.

    Raises LimrError when no scored prompt of a file is selected.
    """
    looks = method_looks(all_methods)
    columns = min(_COLUMNS, len(scores))
    rows = -(-len(scores) // columns)  # rounded up
    figure = Figure(figsize=(5 * max(2, columns), 4 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(scores) :]:
        axes.remove()
    for axes, (method, path) in zip(panels, scores.items(), strict=False):
        _draw(axes, method, path, looks[method].colour)
    save_figure(figure, output)


def _draw(axes: Axes, method: str, path: Path, colour: str) -> None:
    frame = read_parquet(path, "scores")
    scored = frame.drop_nulls("score")
    if not scored["selected"].any():
        raise LimrError("no scored prompt is selected, so there is no theta to draw", where=path)
    scores = scored["score"].to_numpy()
    selected = scored.filter("selected")["score"].to_numpy()
    others = scored.filter(~pl.col("selected"))["score"].to_numpy()
    theta = selected.min()
    edges = edges_around(theta, lowest_shown(scores, theta), scores.max(), _BINS)
    axes.hist([selected, others], edges, stacked=True, color=[colour, colour], label=["selected", "not selected"])
    for bar in axes.containers[1]:
        bar.set_alpha(0.35)
    axes.axvline(
        theta,
        ymax=1 / _HEADROOM,
        color=THETA_COLOUR,
        linewidth=1.8,
        linestyle="--",
        label=rf"lowest selected ($\theta$) {theta:.3f}",
    )
    share = scored["selected"].sum() / frame.height
    kept = f"{len(selected):,} of {frame.height:,} prompts kept ({percentage(share)})"
    axes.set_title(f"{method_title(method)}\n{kept}")  # two lines: a long name would run into the next title
    axes.set(xlabel=f"score{_not_shown(frame, scores, edges[0])}", ylabel="prompts")
    axes.set_ylim(top=axes.get_ylim()[1] * _HEADROOM)
    axes.legend(frameon=False, loc="upper center", ncols=3, fontsize=8)
    plain_axes(axes, grid="y")


def _not_shown(frame: pl.DataFrame, scores: np.ndarray, left: float) -> str:
    """A note on the prompts that the histogram does not show; empty if it shows all."""
    below, without = int((scores < left).sum()), frame["score"].null_count()
    parts = [f"{below:,} below {left:.2f}"] * (below > 0) + [f"{without:,} without a score"] * (without > 0)
    return f"  (not shown: {', '.join(parts)})" if parts else ""
