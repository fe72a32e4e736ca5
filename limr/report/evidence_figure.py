"""The figure of the evidence: paired differences with their intervals, and a dot for each training seed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from limr.report.column_figure import WIDTH, column_style, save_as_svg_and_png
from limr.report.contrasts import AVERAGE, Contrast
from limr.report.looks import Look, method_looks
from limr.report.pooled_results import Pool
from limr.report.style import method_title, plain_axes

_ROW, _TITLE, _AROUND = 0.19, 0.2, 0.55  # heights in inches
_MARKERS = "os^Dvp"  # one for each world
_BESIDE = 0.36  # of a row: how far below the interval the dots are


def write_evidence_figure(compared: Sequence[Contrast], pool: Pool, outputs: Mapping[str, Path]) -> None:
    """Draw the differences of ``compared`` to ``outputs["svg"]`` and ``outputs["png"]``: a panel per benchmark."""
    with column_style():
        save_as_svg_and_png(_draw(compared, pool), outputs)


def _draw(compared: Sequence[Contrast], pool: Pool) -> Figure:
    benchmarks = [AVERAGE, *pool.configuration["benchmarks"]]
    looks, others = method_looks(pool.configuration["methods"]), list(dict.fromkeys(row.second for row in compared))
    height = len(benchmarks) * (_ROW * len(others) + _TITLE) + _AROUND
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    every = figure.subplots(len(benchmarks), 1, squeeze=False, sharex=True)[:, 0]
    for letter, axes, benchmark in zip("abcdefghijklmnopqrstuvwxyz", every, benchmarks, strict=False):
        for position, row in enumerate(row for row in compared if row.benchmark == benchmark):
            _draw_row(axes, position, row, looks[row.second], pool)
        axes.axvline(0, color="black", linewidth=0.8)
        title = "Average" if benchmark == AVERAGE else pool.configuration["benchmarks"][benchmark]["title"]
        axes.set_title(f"({letter}) {title}")
        axes.set_yticks(range(len(others)), [f"- {method_title(other)}" for other in others])
        axes.set_ylim(len(others) - 0.3, -0.5)  # the first row on top
        plain_axes(axes, grid="x")
    every[-1].set_xlabel(f"{method_title(compared[0].first)} minus the other method (points)")
    handles = every[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(pool.worlds), frameon=False)
    return figure


def _draw_row(axes: Axes, position: int, row: Contrast, look: Look, pool: Pool) -> None:
    interval = row.difference
    axes.plot([100 * interval.low, 100 * interval.high], [position] * 2, color=look.colour, linewidth=1.5)
    axes.plot(100 * interval.point, position, marker="|", markersize=6, markeredgewidth=1.5, color=look.colour)
    for index, world in enumerate(pool.worlds):
        values = 100 * np.array(row.per_seed)[pool.world_of == index]
        axes.plot(
            values, np.full(len(values), position + _BESIDE), linestyle="", marker=_MARKERS[index % len(_MARKERS)],
            markersize=2.4, markeredgewidth=0, color=look.colour, label=world.title if position == 0 else None,
        )  # fmt: skip
