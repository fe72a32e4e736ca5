"""The figure of a study: accuracy, and the differences to its first line, against the quantity that varies."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from limr.configuration.evidence_plan import Study
from limr.report.column_figure import WIDTH, column_style, save_with_numbers
from limr.report.looks import Look, method_looks
from limr.report.seed_intervals import FEWEST_SEEDS, SeedIntervals
from limr.report.study_results import PointResults
from limr.report.style import method_title, plain_axes

_HEIGHT = 3.4  # inches
_MOST_LEVEL = 5  # numbers that fit side by side below the axis; more stand upright
_LONGEST_NAME = 16  # characters of a point's name in one line
_BESIDE = 0.12  # of the distance of two names: between the intervals of two lines

Values = list[tuple[float, np.ndarray]]  # position on the axis, one value per seed


def write_study_figure(
    study: Study, points: Sequence[PointResults], confidence: float, numbers: pl.DataFrame, outputs: Mapping[str, Path]
) -> None:
    """Draw ``points`` to ``outputs["svg"]`` and ``outputs["png"]``; ``outputs["csv"]`` gets the ``numbers``.

    A line with a single point, such as FULL, is also drawn across the accuracies, dashed, as a level to compare with.
    """
    with column_style():
        figure = _draw(study, points, confidence)
        save_with_numbers(figure, numbers, outputs)


def _draw(study: Study, points: Sequence[PointResults], confidence: float) -> Figure:
    figure = Figure(figsize=(WIDTH, _HEIGHT), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    looks, first = method_looks(study.lines), study.lines[0]
    places = [float(number if study.scale == "names" else point.point.at) for number, point in enumerate(points)]
    every = list(zip(places, points, strict=True))
    for number, line in enumerate(study.lines):
        # names have no line between them; their intervals stand side by side
        aside = _BESIDE * (number - (len(study.lines) - 1) / 2) if study.scale == "names" else 0.0
        values = [(place + aside, point.averages[line]) for place, point in every if line in point.averages]
        _draw_line(above, values, looks[line], study.scale != "names", confidence, method_title(line))
        if len(values) == 1:
            above.axhline(100 * values[0][1].mean(), color=looks[line].colour, linewidth=0.8, linestyle="--")
        pairs = [(place + aside, point.averages) for place, point in every if {first, line} <= set(point.averages)]
        if line != first and pairs:
            minus = [(place, of[first] - of[line]) for place, of in pairs]
            _draw_line(below, minus, looks[line], study.scale != "names", confidence)
    below.axhline(0, color="black", linewidth=0.6)
    above.set_ylabel("accuracy (%)")
    below.set(xlabel=study.quantity, ylabel=f"{method_title(first)} minus it\n(points)")
    _set_axis(below, study, places)
    for axes in (above, below):
        plain_axes(axes)
    figure.align_ylabels([above, below])
    handles = above.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _set_axis(axes: Axes, study: Study, places: Sequence[float]) -> None:
    """Ticks at the points, with their own numbers or names."""
    if study.scale == "log":
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.minorticks_off()
    labels = [point.at if isinstance(point.at, str) else f"{point.at:g}" for point in study.points]
    upright = study.scale != "names" and len(labels) > _MOST_LEVEL
    axes.set_xticks(places, ["\n".join(_lines(label)) for label in labels], rotation=90 if upright else 0)


def _lines(text: str) -> list[str]:
    """``text`` in lines of at most ``_LONGEST_NAME`` characters, if its words allow.

    >>> _lines("the next seed's probe")
    ["the next seed's", 'probe']
    """
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= _LONGEST_NAME:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _draw_line(
    axes: Axes, values: Values, look: Look, joined: bool, confidence: float, label: str | None = None
) -> None:
    """The means over the seeds, their intervals from three seeds on, and a dot for each seed.

    If the points are ``joined``, the intervals are a band; otherwise, and for a single point, each is a bar.
    """
    places, means = [place for place, _ in values], [100 * value.mean() for _, value in values]
    if all(len(value) >= FEWEST_SEEDS for _, value in values):
        intervals = [SeedIntervals(confidence).of(100 * value) for _, value in values]
        low, high = ([getattr(each, end) for each in intervals] for end in ("low", "high"))
        if joined and len(values) > 1:
            axes.fill_between(places, low, high, color=look.colour, alpha=0.18, linewidth=0)
        else:
            axes.vlines(places, low, high, color=look.colour, linewidth=1.2, alpha=0.5)
    for place, value in values:
        axes.plot(
            np.full(len(value), place), 100 * value, linestyle="", marker=look.marker, markersize=1.8,
            markeredgewidth=0, color=look.colour, alpha=0.7,
        )  # fmt: skip
    axes.plot(
        places, means, color=look.colour, linewidth=1.2, linestyle=look.line if joined else "", marker=look.marker,
        markersize=3.6, markeredgewidth=0, label=label,
    )  # fmt: skip
