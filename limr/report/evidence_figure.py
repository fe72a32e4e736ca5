"""The figure of the evidence: paired differences with their intervals, and a dot for each training seed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from limr.report.contrasts import AVERAGE, Contrast
from limr.report.looks import method_looks
from limr.report.pooled_results import Pool
from limr.report.style import method_title, plain_axes, save_figure

_PANEL, _ROW, _AROUND = 1.9, 0.32, 1.1  # inches
_FONT = {"font.size": 8, "axes.titlesize": 8, "xtick.labelsize": 7, "ytick.labelsize": 8}
_MARKERS = "os^Dvp"  # one for each world
_BESIDE = 0.24  # of a row: how far below the interval the dots are
_DPI = 300


def write_evidence_figure(compared: Sequence[Contrast], pool: Pool, outputs: Mapping[str, Path]) -> None:
    """Draw the differences of ``compared`` to ``outputs["svg"]`` and ``outputs["png"]``: a panel per benchmark."""
    with rc_context(_FONT):
        figure = _draw(compared, pool)
        for kind in ("svg", "png"):
            save_figure(figure, outputs[kind], dpi=_DPI)


def _draw(compared: Sequence[Contrast], pool: Pool) -> Figure:
    benchmarks = [AVERAGE, *pool.configuration["benchmarks"]]
    others = list(dict.fromkeys(row.second for row in compared))
    size = (_PANEL * len(benchmarks) + 1, _ROW * len(others) + _AROUND)
    figure = Figure(figsize=size, layout="constrained")
    every = figure.subplots(1, len(benchmarks), squeeze=False, sharey=True)[0]
    for letter, axes, benchmark in zip("abcdefghijklmnopqrstuvwxyz", every, benchmarks, strict=False):
        for height, row in enumerate(row for row in compared if row.benchmark == benchmark):
            _draw_row(axes, height, row, pool)
        axes.axvline(0, color="black", linewidth=0.8)
        title = "Average" if benchmark == AVERAGE else pool.configuration["benchmarks"][benchmark]["title"]
        axes.set(title=f"({letter}) {title}", xlabel="difference (points)")
        plain_axes(axes, grid="x")
    first = method_title(compared[0].first)
    every[0].set_yticks(range(len(others)), [f"{first} - {method_title(other)}" for other in others])
    every[0].set_ylim(len(others) - 0.5, -0.5)  # the first row on top
    handles = every[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(pool.worlds), frameon=False)
    return figure


def _draw_row(axes: Axes, height: int, row: Contrast, pool: Pool) -> None:
    colour, interval = method_looks(pool.configuration["methods"])[row.second].colour, row.difference
    axes.plot([100 * interval.low, 100 * interval.high], [height] * 2, color=colour, linewidth=2)
    axes.plot(100 * interval.point, height, marker="|", markersize=9, markeredgewidth=2, color=colour)
    for index, world in enumerate(pool.worlds):
        values = 100 * np.array(row.per_seed)[pool.world_of == index]
        axes.plot(
            values, np.full(len(values), height + _BESIDE), linestyle="", marker=_MARKERS[index % len(_MARKERS)],
            markersize=3, color=colour, alpha=0.8, label=world.title if height == 0 else None,
        )  # fmt: skip
